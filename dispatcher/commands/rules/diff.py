"""`dispatcher rules diff`: what two policies define and decide otherwise."""

import csv as csv_files
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import time_ns

import msgspec
from rich.table import Table

from dispatcher.commands.opening import policy_named
from dispatcher.commands.rules.grids import cell_paths
from dispatcher.commands.talk import language_of, out, print_json, say
from rules import Policy
from rules.diff import ELSEWHERE, NOWHERE, Diff, DiffRow, diff_policies
from rules.lint.findings import described, listed

__all__ = ["diff_command"]

SHOWN = 60  # lines of a table; --csv and --json have everything

COLUMNS = (
    "category", "area", "severities", "modes", "sources", "lead_from", "lead_to", "support_removed", "support_added",
    "sla_from", "sla_to", "example",
)  # fmt: skip

_MARKS = {"added": "+", "removed": "-", "changed": "~", "moved": "↕"}
_WORDS = {
    "en": {
        "title": "{old} {old_sha} → {new} {new_sha}",
        "headings": "category area when lead support SLA example",
        "severity": "severity {values}",
        "mode": "mode {values}",
        "source": "source {values}",
        "everywhere": "everywhere",
        ELSEWHERE: "elsewhere",
        NOWHERE: "no place",
        "none": "uncategorised",
        "same": "both decide alike",
        "equal": "the same policy",
        "more": "… and {n} more line(s): --csv has all",
        "incomplete": "not everything was looked at for {what}: too many combinations",
    },
    "zh": {
        "title": "{old} {old_sha} → {new} {new_sha}",
        "headings": "类别 区域 情形 主办 协办 时限 示例",
        "severity": "等级 {values}",
        "mode": "模式 {values}",
        "source": "来源 {values}",
        "everywhere": "全部",
        ELSEWHERE: "其他区域",
        NOWHERE: "无地点",
        "none": "未分类",
        "same": "派遣结果相同",
        "equal": "两者为同一政策",
        "more": "……另有 {n} 行：用 --csv 查看全部",
        "incomplete": "组合过多，未能逐一比较：{what}",
    },
}
_KINDS_ZH = {
    "rule": "规则", "sla": "时限", "calendar": "日历", "category": "类别", "department": "部门", "source": "来源",
    "ladder": "升级阶梯", "merge rule": "合并规则", "policy": "总则",
}  # fmt: skip


def diff_command(
    config_path: Path,
    ledger_path: Path | None,
    before: str,
    after: str,
    *,
    grid: Path | None,
    lang: str,
    csv: bool,
    json: bool,
) -> None:
    """Print what is defined otherwise, then what is decided otherwise; areas that change alike share a line."""
    language_of(lang)
    old, new = (policy_named(named, config_path, ledger_path) for named in (before, after))
    found = diff_policies(old, new, time_ns() // 1_000_000, paths=cell_paths(config_path, grid, new.grid_levels, lang))
    if json:
        print_json({"before": old.sha256, "after": new.sha256, **msgspec.to_builtins(found)})
    elif csv:
        _write_csv(new, found.rows)
    else:
        _show(old, new, found, lang)
    if found.incomplete:
        what = listed(f"{category or _WORDS[lang]['none']} / {area}" for category, area in found.incomplete)
        say(_WORDS[lang]["incomplete"].format(what=what))


def _write_csv(policy: Policy, rows: Iterable[DiffRow]) -> None:
    writer = csv_files.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        several = (row.severities, row.modes, row.sources)
        writer.writerow(
            [
                row.category or "",
                row.area,
                *(" ".join(map(str, values)) for values in several),
                *row.lead,
                "; ".join(row.support_removed),
                "; ".join(row.support_added),
                *row.sla,
                described(policy, row.example),
            ]
        )


def _show(old: Policy, new: Policy, found: Diff, lang: str) -> None:
    words = _WORDS[lang]
    if not found.changes:
        say(words["equal"])
        return
    for change in found.changes:
        kind = _KINDS_ZH[change.kind] if lang == "zh" else change.kind
        out.print(f"{_MARKS[change.how]} {kind} {change.name}", soft_wrap=True)
    if not found.rows:
        say(words["same"])
        return
    titled = {"old": old.version, "old_sha": old.sha256[:12], "new": new.version, "new_sha": new.sha256[:12]}
    out.print(words["title"].format(**titled))
    table = Table()
    for heading in words["headings"].split(" "):
        table.add_column(heading, overflow="fold")
    lines = list(_united(found.rows).values())
    for rows in lines[:SHOWN]:
        table.add_row(*_cells(new, rows, found.areas, words))
    out.print(table)
    if len(lines) > SHOWN:
        say(words["more"].format(n=len(lines) - SHOWN))


def _united(rows: Iterable[DiffRow]) -> dict[object, list[DiffRow]]:
    """Rows that differ in their area alone, together."""
    lines: dict[object, list[DiffRow]] = {}
    for row in rows:
        key = msgspec.structs.astuple(msgspec.structs.replace(row, area="", example=None))
        lines.setdefault(key, []).append(row)
    return lines


def _cells(policy: Policy, rows: Sequence[DiffRow], areas: Sequence[str], words: dict[str, str]) -> list[str]:
    row = rows[0]
    names = [words.get(each.area, each.area) for each in rows]
    when = [("severity", row.severities), ("mode", row.modes), ("source", row.sources)]
    support = [f"- {each}" for each in row.support_removed] + [f"+ {each}" for each in row.support_added]
    return [
        row.category or words["none"],
        words["everywhere"] if len(rows) == len(areas) else listed(names),
        "; ".join(words[key].format(values=listed(map(str, values))) for key, values in when if values),
        _changed(row.lead),
        "\n".join(support),
        _changed(row.sla),
        described(policy, row.example),
    ]


def _changed(pair: tuple[str, str]) -> str:
    return pair[0] if pair[0] == pair[1] else f"{pair[0]} → {pair[1]}"
