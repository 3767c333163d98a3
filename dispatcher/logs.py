"""The log: one line an event on stderr, JSON for programs or text for people. No personal data, whatever goes wrong.

What a line says is written here by us: an event, words, ids. What could repeat something a person has written is left
out: of an exception that is not of ours or of the machine its message (a `KeyError` says the key, a `ValueError` often
the value), of the lines of other libraries all but the first line, with long numbers and addresses blotted out.
"""

import logging
import sqlite3
import sys
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple

import orjson

__all__ = ["Form", "JsonLines", "TextLines", "is_json", "report_ends", "write_logs"]

Form = Literal["auto", "json", "text"]
OURS: Final = "dispatcher"
_FRAMES_MAX: Final = 30  # of each exception, the innermost
_PLAIN: Final = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime", "event"}
_MACHINE: Final = frozenset({"builtins", "socket", "ssl", "sqlite3"})  # not smtplib: it repeats addresses


class _Failure(NamedTuple):
    """An exception as it may be shown."""

    kind: str
    said: str | None
    at: list[str]  # file:line function, the innermost last

    def text(self) -> str:
        """As lines for people."""
        lines = [self.kind if self.said is None else f"{self.kind}: {self.said}", *self.at]
        return "\n  ".join(lines)


class JsonLines(logging.Formatter):
    """A line is an object: `time`, `level`, `event`, `logger`, `message`, the ids, and of a failure `error`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "time": _instant(record),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", "said"),
            "logger": record.name,
            "message": _message(record),
            **_ids(record),
        }
        if failures := _failures(record):
            line["error"] = [failure._asdict() for failure in failures]
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class TextLines(logging.Formatter):
    """A line for people: when, how bad, what; an exception below it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and more of them for a failure."""
        lines = [f"{_instant(record)} {record.levelname} {_message(record)}"]
        return "\n".join([*lines, *(failure.text() for failure in _failures(record))])


def write_logs(form: Form, level: int | None = None) -> None:
    """Write the log to stderr in this form from now on.

    Args:
        form: `auto` is text on a terminal and JSON elsewhere.
        level: the least that is told; as it is when not given.
    """
    root = logging.getLogger()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" or (form == "auto" and not sys.stderr.isatty()) else TextLines())
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    if level is not None:
        root.setLevel(level)


def report_ends() -> None:
    """Have an exception that ends the process, or a thread, told by the log and not by the interpreter."""
    log = logging.getLogger(OURS)

    def ends(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        log.critical("this process ends", exc_info=(kind, error, trace), extra={"event": "process_failed"})

    def thread_ends(given: threading.ExceptHookArgs) -> None:
        error = given.exc_value
        log.critical("a thread has ended", exc_info=error, extra={"event": "thread_failed"})

    sys.excepthook, threading.excepthook = ends, thread_ends


def is_json() -> bool:
    """Whether the log is written as JSON."""
    return any(isinstance(handler.formatter, JsonLines) for handler in logging.getLogger().handlers)


def _instant(record: logging.LogRecord) -> str:
    return f"{datetime.fromtimestamp(record.created, UTC).isoformat(timespec='milliseconds')[:-6]}Z"


def _message(record: logging.LogRecord) -> str:
    said = record.getMessage()
    if record.name.partition(".")[0] == OURS:
        return said
    from dispatcher.core.privacy import mask_text  # here, so that commands that log nothing start without the core

    return mask_text(said.partition("\n")[0])


def _ids(record: logging.LogRecord) -> dict[str, Any]:
    if record.name.partition(".")[0] != OURS:
        return {}
    return {name: value for name, value in record.__dict__.items() if name not in _PLAIN}


def _failures(record: logging.LogRecord) -> list[_Failure]:
    error = record.exc_info[1] if record.exc_info else None
    return [] if error is None else [_failure(each) for each in _chain(error)]


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    left = [error]
    while left:
        each = left.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, BaseExceptionGroup):
            left += each.exceptions
        cause = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        if cause is not None:
            left.append(cause)


def _failure(error: BaseException) -> _Failure:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_MAX:]
    at = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return _Failure(type(error).__qualname__, str(error) if _may_speak(error) else None, at)


def _may_speak(error: BaseException) -> bool:
    """Whether the message of an exception is the machine's or ours, and so holds nothing a person has written.

    Those of the core speak of the record they failed on, and of what it was that failed there.
    """
    module = type(error).__module__
    if isinstance(error, OSError | sqlite3.Error):
        return module in _MACHINE
    ours = module.partition(".")[0] == OURS and not module.startswith(f"{OURS}.core")
    return (ours and not isinstance(error, ValueError)) or module.startswith("aiokafka.")
