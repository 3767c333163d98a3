"""How commands speak: results on stdout, everything else on stderr; exit 0, 1 (found problems) or 2 (usage)."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["fail", "out", "print_json", "progress", "say", "shortened"]

PIPE_COLUMNS = 200  # a table written to a file is not folded to a terminal's width

out = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS)
_err = Console(stderr=True, soft_wrap=True, highlight=False)


def say(text: str) -> None:
    """Tell the person at the terminal something that is not the result."""
    _err.print(text, markup=False)


def fail(text: str, code: int = 1) -> NoReturn:
    """Say what is wrong and what to do, and end."""
    _err.print(text, style="red" if _err.is_terminal else None, markup=False)
    raise SystemExit(code)


def shortened(instant: str | None) -> str:
    """An instant for a table: to the second."""
    return "-" if instant is None else instant[:19].replace("T", " ") + "Z"


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


@contextmanager
def progress(what: str, total: int) -> Iterator["Progress | None"]:
    """A progress bar on a terminal, nothing elsewhere."""
    if not _err.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        bar.add_task(what, total=total)
        yield bar
