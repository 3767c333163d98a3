"""`dispatcher queue`: the operators' queue in a terminal, kept current until Ctrl-C; elsewhere printed once."""

import time
from pathlib import Path
from typing import Final

from rich.live import Live
from rich.table import Table
from rich.text import Text

from dispatcher.commands.opening import Opened, config_of, opened
from dispatcher.commands.talk import language_of, out, print_json
from dispatcher.console.lines import Line, line_of
from dispatcher.console.names import Names
from dispatcher.console.texts import Texts
from dispatcher.hosts.setup import policy_in_force, read_policy
from dispatcher.views import Filter, incident, queue
from geo import load_grid
from rules import Policy

__all__ = ["queue_command"]

EVERY_S: Final = 1.0
_MARKS: Final = {"overdue": "✕", "amber": "◐", "green": "○", "paused": "‖", "outside": "☾", "none": " "}
_STYLES: Final = {"overdue": "red", "amber": "yellow", "green": "green", "paused": "dim", "outside": "dim", "none": ""}
_COLUMNS: Final = ("severity", "due", "category", "place", "lead", "needs", "incident")


def queue_command(
    config_path: Path, ledger_path: Path | None, where: Filter, *, limit: int, once: bool, lang: str, json: bool
) -> None:
    """Show the first `limit` lines of the queue."""
    texts, config = Texts(language_of(lang)), config_of(config_path)
    grid = load_grid(config.grid.read_bytes())
    with opened(config_path, ledger_path) as books:
        policy = policy_in_force(books.ledger, None) or read_policy(config.policy)
        names = Names(policy, grid, texts)
        if json:
            print_json([row._asdict() for row in queue(books.view, where, limit=limit).lines])
            return
        if once or not out.is_terminal:
            out.print(_table(_lines(books, names, where, limit), texts))
            return
        _follow(books, names, where, limit)


def _follow(books: Opened, names: Names, where: Filter, limit: int) -> None:
    with Live(console=out, screen=True, auto_refresh=False) as live:
        try:
            while True:
                books.view.catch_up(books.ledger)
                policy: Policy = policy_in_force(books.ledger, names.policy) or names.policy
                names = Names(policy, names.grid, names.texts)
                fitting = min(limit, max(1, out.height // 2 - 2))  # a line has two rows at most
                live.update(_table(_lines(books, names, where, fitting), names.texts), refresh=True)
                time.sleep(EVERY_S)
        except KeyboardInterrupt:
            return


def _lines(books: Opened, names: Names, where: Filter, limit: int) -> list[Line]:
    now_ms = time.time_ns() // 1_000_000
    found = queue(books.view, where, limit=limit).lines
    records = [(row, incident(books.view, row.incident_id)) for row in found]
    return [line_of(row, record, names, now_ms) for row, record in records if record is not None]


def _table(lines: list[Line], texts: Texts) -> Table:
    title = texts("shown", count=len(lines)) if lines else texts("empty")
    table = Table(title=title, expand=True)
    for name in _COLUMNS:
        table.add_column(texts(name), no_wrap=name in ("severity", "incident"))
    for line in lines:
        light = "none" if line.clock is None else line.clock.light
        clock = Text(f"{_MARKS[light]} {line.clock_text}", _STYLES[light])
        if line.due:
            clock.append(f"\n{texts('at', at=line.due)}", "dim")
        part = "" if line.part is None else f"\n{texts.code('part', line.part)}"
        waits = [*line.needs, *([texts("claimed_by", who=line.claimed_by)] if line.claimed_by else [])]
        severity = Text(texts.code("severity", line.severity), "bold red" if line.severity <= 2 else "")
        table.add_row(
            severity, clock, line.category, line.place, f"{line.lead}{part}", ", ".join(waits), line.incident_id
        )
    return table
