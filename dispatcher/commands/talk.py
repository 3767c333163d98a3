"""How commands speak: results on stdout, everything else on stderr; exit 0, 1 (found problems) or 2 (usage)."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rules.problems import Language

__all__ = ["fail", "language_of", "out", "print_json", "progress", "say", "shortened"]

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


def language_of(lang: str) -> Language:
    """What `--lang` says; anything but zh and en ends the command."""
    if lang == "zh":
        return "zh"
    if lang == "en":
        return "en"
    fail(f"--lang takes zh or en, not {lang}", 2)


def shortened(instant: str | None) -> str:
    """An instant for a table: to the second."""
    return "-" if instant is None else instant[:19].replace("T", " ") + "Z"


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[float], None] | None]:
    """A progress bar on a terminal: what to call with how much more is done. Nothing elsewhere."""
    if not _err.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        yield partial(bar.advance, bar.add_task(what, total=total))
