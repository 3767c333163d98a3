"""`dispatcher register visits`: what is due and what was missed."""

from pathlib import Path

from rich.table import Table

from dispatcher.commands.instants import instant_ms
from dispatcher.commands.register.opening import known_cell, opened_register
from dispatcher.commands.talk import language_of, out, print_json
from dispatcher.core import ms_to_text
from dispatcher.register import Register, VisitCount, VisitState, VisitStatus, visit_counts

__all__ = ["visits_command"]

LISTED = 50  # tasks in the table; --json has all

_WORDS = {
    "en": {
        "kind": "kind",
        "total": "total",
        "ahead": "ahead",
        "done": "done",
        "due": "due",
        "missed": "missed",
        "periods": "periods missed",
        "counts": "visits as of {at}",
        "task": "task",
        "cell": "cell",
        "status": "state",
        "by": "by",
        "last": "last done",
        "listed": "due or missed",
        "more": "and {count} more: --cell names a part, --json lists all",
    },
    "zh": {
        "kind": "类型",
        "total": "合计",
        "ahead": "未开始",
        "done": "已访",
        "due": "待访",
        "missed": "漏访",
        "periods": "漏访期数",
        "counts": "走访，截至 {at}",
        "task": "任务",
        "cell": "网格",
        "status": "状态",
        "by": "期限",
        "last": "上次走访",
        "listed": "待访与漏访",
        "more": "另有 {count} 项：用 --cell 指定网格，或用 --json 列出全部",
    },
}
_OPEN = (VisitStatus.MISSED, VisitStatus.DUE)


def visits_command(config_path: Path, cell: str | None, *, as_of: str | None, lang: str, json: bool) -> None:
    """Print the counts by kind, and the tasks that are due or missed, missed ones first, then by their last day."""
    register = opened_register(config_path, lang)
    known_cell(register, cell, lang)
    at_ms = instant_ms(as_of, language_of(lang))
    states = register.visits(cell, at_ms)
    kinds = sorted({state.task.kind for state in states})
    counts = {kind: visit_counts(state for state in states if state.task.kind == kind) for kind in kinds}
    waiting = sorted(
        (state for state in states if state.status in _OPEN),
        key=lambda state: (_OPEN.index(state.status), state.by, state.task.id),
    )
    if json:
        print_json({"as_of": ms_to_text(at_ms), "counts": counts, "total": visit_counts(states), "waiting": waiting})
        return
    words = _WORDS[lang]
    _show_counts(counts, visit_counts(states), words, ms_to_text(at_ms))
    if waiting:
        _show_waiting(register, waiting[:LISTED], words)
    if len(waiting) > LISTED:
        out.print(words["more"].format(count=len(waiting) - LISTED))


def _show_counts(counts: dict[str, VisitCount], total: VisitCount, words: dict[str, str], at: str) -> None:
    table = Table(title=words["counts"].format(at=at))
    table.add_column(words["kind"])
    for column in ("done", "due", "missed", "ahead", "periods"):
        table.add_column(words[column], justify="right")
    for kind, count in (*counts.items(), (words["total"], total)):
        numbers = (count.done, count.due, count.missed, count.ahead)
        table.add_row(kind, *map(str, numbers), f"{count.periods_missed} / {count.periods}")
    out.print(table)


def _show_waiting(register: Register, waiting: list[VisitState], words: dict[str, str]) -> None:
    table = Table(title=words["listed"])
    for column in ("task", "kind", "cell", "status", "by", "last", "periods"):
        table.add_column(words[column])
    for state in waiting:
        task = state.task
        table.add_row(
            task.id,
            task.kind,
            f"{task.cell} {register.grid.name_of(task.cell)}",
            words[state.status],
            str(state.by),
            "-" if state.last_done is None else str(state.last_done),
            f"{state.missed} / {state.periods}",
        )
    out.print(table)
