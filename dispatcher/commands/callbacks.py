"""`dispatcher callbacks`: whom the callback desk is still to ask."""

import time
from pathlib import Path

from rich.table import Table

from dispatcher.commands.opening import opened
from dispatcher.commands.talk import language_of, out, print_json, shortened
from dispatcher.hosts.setup import Books, policy_in_force
from dispatcher.views import callbacks_due
from rules import is_people

__all__ = ["callbacks_command"]

_WORDS = {
    "en": {
        "title": "{count} reporter(s) to call back",
        "columns": ("report", "incident", "category", "lead", "area", "since", "tried", "last"),
        "waits": "waits for it",
        "nobody": "nobody is to be called back",
    },
    "zh": {
        "title": "待回访 {count} 人",
        "columns": ("上报", "案件", "类别", "主办", "区域", "自", "已拨打", "上次"),
        "waits": "待回访后结案",
        "nobody": "没有待回访的上报",
    },
}


def callbacks_command(config_path: Path, ledger_path: Path | None, *, lang: str, limit: int, json: bool) -> None:
    """Print the list; who a reporter is and where to call stays with the gateway."""
    words = _WORDS[language_of(lang)]
    with opened(config_path, ledger_path) as (ledger, view):
        books, policy = Books(ledger), policy_in_force(ledger)
        people = set() if policy is None else {code for code, source in policy.sources.items() if is_people(source)}
        due = callbacks_due(
            view,
            people.__contains__,
            lambda sha256, sla: books[sha256].policy.sla(sla).callback_attempts,
            time.time_ns() // 1_000_000,
        )
    if json:
        print_json([line._asdict() for line in due])
        return
    if not due:
        out.print(words["nobody"])
        return
    table = Table(*words["columns"], title=str(words["title"]).format(count=len(due)))
    for line in due[:limit]:
        since = f"{shortened(line.since)} ({words['waits']})" if line.waits else shortened(line.since)
        table.add_row(
            f"{line.source}/{line.report_id}", line.incident_id, line.category or "-", line.lead or "-",
            line.area or "-", since, str(line.attempts), shortened(line.last_at),
        )  # fmt: skip
    out.print(table)
