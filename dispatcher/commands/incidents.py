"""`dispatcher incidents`: incidents of an asset, a cell, a category or a department."""

from pathlib import Path
from typing import NamedTuple

from rich.table import Table

from dispatcher.commands.opening import opened
from dispatcher.commands.talk import language_of, out, print_json, say, shortened
from dispatcher.core import ms_to_text
from dispatcher.views import Filter, incidents

__all__ = ["Wanted", "incidents_command"]

_WORDS = {
    "en": {
        "columns": ("incident", "state", "severity", "category", "cell", "lead", "opened", "ended", "reports"),
        "none": "no incident is like that",
        "more": "there are more; --limit shows them",
    },
    "zh": {
        "columns": ("案件", "状态", "等级", "类别", "网格", "主办", "立案", "结束", "上报数"),
        "none": "没有这样的案件",
        "more": "还有更多，可用 --limit 查看",
    },
}


class Wanted(NamedTuple):
    """What the list is narrowed to."""

    asset: str | None
    cell: str | None
    category: str | None
    department: str | None
    only_open: bool


def incidents_command(
    config_path: Path, ledger_path: Path | None, wanted: Wanted, *, limit: int, lang: str, json: bool
) -> None:
    """Print the newest `limit` incidents that are as wanted."""
    words = _WORDS[language_of(lang)]
    where = Filter(
        asset=wanted.asset,
        cell=wanted.cell,
        category=wanted.category,
        department=wanted.department,
        open=True if wanted.only_open else None,
    )
    with opened(config_path, ledger_path) as (_, view):
        found = incidents(view, where, limit=limit)
    if json:
        print_json([row._asdict() for row in found.lines])
        return
    if not found.lines:
        out.print(words["none"])
        return
    table = Table(*words["columns"])
    for row in found.lines:
        ended = "-" if row.ended_ms is None else shortened(ms_to_text(row.ended_ms))
        table.add_row(
            row.incident_id, row.state, str(row.severity), row.category or "-", row.cell or "-", row.lead or "-",
            shortened(ms_to_text(row.opened_ms)), ended, str(row.reports),
        )  # fmt: skip
    out.print(table)
    if found.next is not None:
        say(str(words["more"]))
