"""`dispatcher incident`."""

from collections.abc import Iterator
from pathlib import Path

import orjson
from rich.table import Table

from dispatcher.commands.opening import find_incident, opened
from dispatcher.commands.talk import language_of, out, print_json, say, shortened
from dispatcher.core import IncidentRecord
from dispatcher.core.wire import encode
from dispatcher.views import History, history
from rules.problems import Language

__all__ = ["incident_command"]

_WORDS = {
    "en": {
        "revision": "{id}  {stage} {state}, revision {revision}",
        "category": "category {category}, severity {severity}",
        "place": "place {path} ({how})",
        "opened": "opened {opened}, closed {closed}",
        "held": "responsible {responsible}, held by {level}",
        "level": "level {level}",
        "city": "the city",
        "claimed": "claimed by {by} until {until}",
        "parent": "merged into {parent}",
        "children": "took in {children}",
        "external": "referred to {external}",
        "exempt": "out of the adjusted figures: {exempt}",
        "reports": "reports ({count}): {reports}",
        "tags": "tags {tags}",
        "flags": "flags {flags}",
        "revoked": "revoked {at}",
        "yes": "yes",
        "no": "no",
        "incomplete": "the history is incomplete: earlier pages of it are not in this ledger's `archive` yet",
    },
    "zh": {
        "revision": "{id}  {stage} {state}，第 {revision} 版",
        "category": "类别 {category}，等级 {severity}",
        "place": "位置 {path}（{how}）",
        "opened": "受理 {opened}，结案 {closed}",
        "held": "当前责任方 {responsible}，由{level}掌握",
        "level": "第 {level} 级网格",
        "city": "市级",
        "claimed": "{by} 正在处理，至 {until}",
        "parent": "已并入 {parent}",
        "children": "并入的案件 {children}",
        "external": "已转送 {external}",
        "exempt": "不计入核减后指标：{exempt}",
        "reports": "上报（{count}）：{reports}",
        "tags": "标签 {tags}",
        "flags": "标记 {flags}",
        "revoked": "{at} 撤销",
        "yes": "是",
        "no": "否",
        "incomplete": "经过不完整：较早的部分尚未进入该账本的 `archive`",
    },
}
_HEADINGS = {  # the title of a table, and of its columns
    "en": {
        "assignments": ("assignments", "role", "department", "state", "offered", "acknowledged", "arrived", "done"),
        "targets": ("targets", "target", "of", "budget", "clock", "due", "fulfilled", "overdue since"),
        "whistle": ("whistle", "kind", "unit", "called", "departments", "ended"),
        "requests": ("requests", "no.", "kind", "party", "reason", "asked", "state", "until"),
        "supervision": ("supervision", "no.", "by", "party", "opened", "reply due", "replied", "cleared", "milestones"),
        "callbacks": ("callbacks", "report", "attempts", "last", "answered", "resolved", "satisfied"),
        "history": ("history", "revision", "at", "what", "by", "state"),
    },
    "zh": {
        "assignments": ("派单", "角色", "部门", "状态", "派出", "签收", "到场", "办结"),
        "targets": ("时限", "时限", "责任方", "限时", "计时", "到期", "完成", "逾期自"),
        "whistle": ("吹哨", "种类", "单位", "吹哨时间", "部门", "结束"),
        "requests": ("申请", "编号", "种类", "责任方", "原因", "申请时间", "状态", "至"),
        "supervision": ("督办", "编号", "督办人", "责任方", "发出", "回复期限", "回复", "销号", "领办节点"),
        "callbacks": ("回访", "上报", "次数", "上次", "接通", "已解决", "满意"),
        "history": ("经过", "版次", "时间", "事项", "经手", "状态"),
    },
}


def incident_command(config_path: Path, ledger_path: Path | None, named: str, *, json: bool, lang: str = "en") -> None:
    """Show one incident; codes stand as they are in either language."""
    language = language_of(lang)
    with opened(config_path, ledger_path) as (_, view):
        record = find_incident(view, named)
        told = history(view, record.incident_id)
    if json:
        print_json(orjson.loads(encode(record)))
        return
    for line in _heading(record, _WORDS[language]):
        out.print(line, markup=False)
    out.print(_assignments(record, language))
    out.print(_targets(record, language))
    for table in _dossier(record, language):
        out.print(table)
    if told is not None:
        out.print(_history(told, language))
        if not told.complete:
            say(_WORDS[language]["incomplete"])


def _heading(record: IncidentRecord, words: dict[str, str]) -> list[str]:
    def line(word: str, shown: object = True, **values: object) -> list[str]:
        return [words[word].format(**values)] if shown else []

    level = words["level"].format(level=record.level) if record.level else words["city"]
    reports = ", ".join(f"{source}/{report_id}" for source, report_id in record.reports)
    return [
        *line("revision", id=record.incident_id, stage=record.stage, state=record.state, revision=record.revision),
        *line("category", category=record.category or f"- ({record.reported_category})", severity=record.severity),
        *line("place", path=" > ".join(record.place.path) or "-", how=record.place.how),
        *line("opened", opened=shortened(record.opened_at), closed=shortened(record.closed_at)),
        *line("held", responsible=record.responsible or "-", level=level),
        *line("claimed", record.claimed_by, by=record.claimed_by, until=shortened(record.claim_until)),
        *line("parent", record.parent, parent=record.parent),
        *line("children", record.children, children=", ".join(record.children)),
        *line("external", record.external, external=record.external),
        *line("exempt", record.exempt, exempt=", ".join(record.exempt)),
        *line("reports", count=record.report_count, reports=reports),
        *line("tags", record.tags, tags=", ".join(record.tags)),
        *line("flags", record.flags, flags=", ".join(record.flags)),
    ]


def _table(of: str, lang: Language) -> Table:
    title, *columns = _HEADINGS[lang][of]
    return Table(*columns, title=title)


def _assignments(record: IncidentRecord, lang: Language) -> Table:
    table = _table("assignments", lang)
    for a in ([record.lead] if record.lead else []) + record.support:
        party = a.department if a.unit is None else f"{a.department}@{a.unit}"
        table.add_row(
            a.role, party, a.state, *map(shortened, (a.offered_at, a.acknowledged_at, a.arrived_at, a.done_at))
        )
    return table


def _targets(record: IncidentRecord, lang: Language) -> Table:
    table = _table("targets", lang)
    for t in record.targets:
        revoked = _WORDS[lang]["revoked"].format(at=shortened(t.revoked_at))
        done = revoked if t.revoked_at else shortened(t.fulfilled_at)
        table.add_row(t.name, t.of, t.budget, t.clock, shortened(t.due_at), done, shortened(t.breached_at))
    return table


def _dossier(record: IncidentRecord, lang: Language) -> Iterator[Table]:
    """What only some incidents carry."""
    words = _WORDS[lang]
    if record.whistle is not None:
        call = record.whistle
        table = _table("whistle", lang)
        table.add_row(
            call.kind, call.unit, shortened(call.called_at), ", ".join(call.departments), shortened(call.ended_at)
        )
        yield table
    if record.requests:
        table = _table("requests", lang)
        for r in record.requests:
            row = (r.kind, r.party, r.reason_code, shortened(r.asked_at), r.state, shortened(r.until))
            table.add_row(str(r.number), *row)
        yield table
    if record.supervision:
        table = _table("supervision", lang)
        for s in record.supervision:
            reached = f"{sum(m.reached_at is not None for m in s.milestones)}/{len(s.milestones)}"
            instants = map(shortened, (s.opened_at, s.reply_due, s.replied_at, s.cleared_at))
            table.add_row(str(s.number), s.by, s.party, *instants, reached if s.milestones else "-")
        yield table
    if record.callbacks:
        table = _table("callbacks", lang)
        for c in record.callbacks:
            answers = (c.answered, c.resolved, c.satisfied)
            said = ["-" if answer is None else words["yes" if answer else "no"] for answer in answers]
            table.add_row(f"{c.source}/{c.report_id}", str(c.attempts), shortened(c.last_at), *said)
        yield table


def _history(told: History, lang: Language) -> Table:
    """All of it, the pages in `archive` included."""
    table = _table("history", lang)
    for entry in told.entries:
        by = entry.get("by", {})
        who = " ".join(filter(None, [by.get("role"), by.get("department"), by.get("person")]))
        what = entry["what"] + (f" ({entry['note']})" if "note" in entry else "")
        table.add_row(str(entry["revision"]), shortened(entry["at"]), what, who or "-", entry["state"])
    return table
