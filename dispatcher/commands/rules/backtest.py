"""`dispatcher rules backtest`: past incidents decided again under a candidate, and what would be different."""

import csv as csv_files
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
from rich.table import Table

from dispatcher.commands.opening import opened
from dispatcher.commands.talk import fail, language_of, out, progress
from dispatcher.core import ms_to_text
from dispatcher.core.incident import party
from dispatcher.hosts.setup import Books, read_policy
from dispatcher.policies.backtest import Case, backtest, rule_of
from dispatcher.policies.backtest_sums import Sums
from dispatcher.policies.past import end_of
from dispatcher.views import period as span
from rules import Decision

__all__ = ["backtest_command"]

SHOWN = 30  # lines of a table; --csv and --json have everything

COLUMNS = (
    "incident_id", "seq", "cause", "opened_at", "policy", "area", "verdict", "aspects", "rule_from", "rule_to",
    "lead_from", "lead_to", "support_from", "support_to", "severity_from", "severity_to", "sla_from", "sla_to",
)  # fmt: skip

_WORDS = {
    "en": {
        "title": "{old} incident(s) decided again under {name} {version} ({sha})", "incidents": "incidents",
        "same": "same decision", "changed": "changed", "rejected": "of these, reports it would reject",
        "undecidable": "undecidable: new keywords might change it",
        "unexamined": "of these, not examined: too many keywords at once, counted to be safe",
        "later_changed": "later decisions (merges, overrides) that change",
        "only_later": "incidents of which only a later decision changes", "what": "what changes", "rules": "by rule",
        "departments": "by department", "areas": "by area", "more": "… and {n} more: --csv has all",
        "limit": "{changed} changed and {undecidable} undecidable of {n}: more than {limit}%",
        "bad_limit": "--fail-if-changed takes a percentage such as 2%, not {text}", "nowhere": "(no place)",
        "assumed": "Severity claims are not kept: one that equals what the old policy gives without a claim counts as"
        " none. Merging is not tried again.",
    },
    "zh": {
        "title": "按 {name} {version}（{sha}）重新派遣 {old} 件历史案件", "incidents": "案件",
        "same": "决定不变", "changed": "决定改变", "rejected": "其中：上报将被拒收",
        "undecidable": "无法判定：新关键词可能改变决定", "unexamined": "其中：关键词过多未逐一检验，从严计入",
        "later_changed": "改变的后续决定（并案、改派）", "only_later": "仅后续决定改变的案件", "what": "改变的内容",
        "rules": "按规则", "departments": "按部门", "areas": "按区域", "more": "……另有 {n} 行：用 --csv 查看全部",
        "limit": "{n} 件中改变 {changed} 件、无法判定 {undecidable} 件：超过 {limit}%",
        "bad_limit": "--fail-if-changed 应为百分比，如 2%，而不是 {text}", "nowhere": "（无地点）",
        "assumed": "等级申报值未留存：与原政策默认等级相同者视为未申报。并案不重新计算。",
    },
}  # fmt: skip
_HEADINGS = {
    "en": {
        "rules": ("from", "to", "incidents"),
        "departments": ("department", "lead lost", "lead gained", "support lost", "support gained"),
        "areas": ("area", "incidents", "changed", "undecidable"),
    },
    "zh": {
        "rules": ("原规则", "新规则", "案件"),
        "departments": ("部门", "主办减少", "主办增加", "协办减少", "协办增加"),
        "areas": ("区域", "案件", "改变", "无法判定"),
    },
}
_ASPECTS_ZH = {
    "route": "规则", "lead": "主办", "support": "协办", "severity": "等级", "level": "承办层级", "sla": "时限标准",
    "targets": "时限", "ladder": "升级阶梯", "overlays": "叠加规则", "tags": "标签", "reason": "理由",
    "rejected": "拒收",
}  # fmt: skip


def backtest_command(
    config_path: Path,
    ledger_path: Path | None,
    policy: Path,
    period: str | None,
    fail_if_changed: str | None,
    *,
    lang: str,
    csv: bool,
    json: bool,
) -> None:
    """Decide past incidents again; exit 1 when a larger share than `fail_if_changed` changes or may change."""
    words = _WORDS[language_of(lang)]
    limit = None if fail_if_changed is None else _percentage(fail_if_changed, words)
    candidate = read_policy(policy)
    try:
        opened_ms = span(period, candidate.timezone)
    except ValueError as error:
        fail(str(error), 2)
    sums = Sums()
    with opened(config_path, ledger_path) as (ledger, view), progress("deciding", end_of(ledger)) as advance:
        cases = _summed(backtest(ledger, view, Books(ledger), candidate, opened_ms, advance), sums)
        if csv:
            _write_csv(cases)
        elif json:
            head = {"policy": candidate.sha256, "name": candidate.name, "version": candidate.version}
            _write_json(cases, head, sums)
        else:
            for _ in cases:
                pass
    if not (csv or json):
        title = words["title"].format(
            old=f"{sums.decided:,}", name=candidate.name, version=candidate.version, sha=candidate.sha256[:12]
        )
        _show(sums, title, lang)
    if limit is not None and (sums.changed + sums.undecidable) * 100 > limit * sums.decided:
        said = {"changed": sums.changed, "undecidable": sums.undecidable, "n": sums.decided}
        fail(words["limit"].format(**said, limit=f"{limit:g}"))


def _percentage(text: str, words: dict[str, str]) -> float:
    found = re.fullmatch(r"(\d{1,3}(?:\.\d+)?) ?%", text)
    if found is None or float(found[1]) > 100:
        fail(words["bad_limit"].format(text=text), 2)
    return float(found[1])


def _summed(cases: Iterable[Case], sums: Sums) -> Iterator[Case]:
    for case in cases:
        sums.add(case)
        yield case


def _write_csv(cases: Iterable[Case]) -> None:
    """A line a decision; written as they come."""
    writer = csv_files.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    for case in cases:
        row = _row(case)
        writer.writerow([" ".join(value) if isinstance(value, list) else value for value in row.values()])


def _write_json(cases: Iterable[Case], head: dict[str, str], sums: Sums) -> None:
    """One document, written as the cases come: nothing is collected."""
    sys.stdout.write(f'{{"candidate":{orjson.dumps(head).decode()},"decisions":[')
    for n, case in enumerate(cases):
        sys.stdout.write((",\n" if n else "\n") + orjson.dumps(_row(case)).decode())
    sys.stdout.write(f'\n],"summary":{orjson.dumps(sums.as_json()).decode()}}}\n')


def _row(case: Case) -> dict[str, Any]:
    before, after = case.before, case.after
    values = (
        case.incident_id, case.seq, case.cause, ms_to_text(case.at_ms), case.policy, case.area, case.verdict,
        [] if case.verdict == "same" else list(case.aspects), rule_of(before), rule_of(after), _lead(before),
        _lead(after), _support(before), _support(after), before.severity, None if after is None else after.severity,
        before.sla, None if after is None else after.sla,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def _lead(decision: Decision | None) -> str | None:
    return None if decision is None else party(decision.lead.department, decision.lead.unit)


def _support(decision: Decision | None) -> list[str]:
    return [] if decision is None else [party(plan.department, plan.unit) for plan in decision.support]


def _show(sums: Sums, title: str, lang: str) -> None:
    words = _WORDS[lang]
    table = Table("", "", "", show_header=False, box=None, title=title, title_justify="left")
    for name, count in (
        ("incidents", sums.decided),
        ("same", sums.verdicts["same"]),
        ("changed", sums.changed),
        ("rejected", sums.verdicts["rejected"]),
        ("undecidable", sums.undecidable),
        ("unexamined", sums.verdicts["unexamined"]),
        ("later_changed", sums.later_changed),
        ("only_later", sums.only_later),
    ):
        share = f"{100 * count / sums.decided:.2f} %" if sums.decided and not name.startswith(("later", "only")) else ""
        table.add_row(words[name], f"{count:,}", share)
    out.print(table)
    if sums.aspects:
        named = _ASPECTS_ZH if lang == "zh" else {}
        counted = ", ".join(f"{named.get(name, name)} {count:,}" for name, count in sums.aspects.most_common())
        out.print(f"{words['what']}: {counted}")
        _table("rules", [(*pair, count) for pair, count in sums.rules.most_common()], lang)
        _table("departments", sums.by_department(), lang)
    if sums.changed or sums.undecidable:
        _table("areas", [(area or words["nowhere"], *rest) for area, *rest in sums.by_area()], lang)
    out.print(words["assumed"])


def _table(name: str, rows: list[tuple[Any, ...]], lang: str) -> None:
    table = Table(*_HEADINGS[lang][name], title=_WORDS[lang][name])
    for row in rows[:SHOWN]:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else cell for cell in row))
    if len(rows) > SHOWN:
        table.caption = _WORDS[lang]["more"].format(n=len(rows) - SHOWN)
    out.print(table)
