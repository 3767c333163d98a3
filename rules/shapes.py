"""What a value of the policy must look like: small marks that the structs of `model` put on their fields.

The reader (`readers.py`) interprets them; so the structs *are* the file format, and a JSON Schema can be made of them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

from rules.budgets import parse_budget
from rules.calendars import parse_window


@dataclass(frozen=True)
class Pattern:
    """A text of a given form; `what` names it in messages."""

    what: str
    pattern: re.Pattern[str]


@dataclass(frozen=True)
class Parsed:
    """A text that `parse` understands; it raises ValueError when it doesn't."""

    what: str
    parse: Callable[[str], object]


@dataclass(frozen=True)
class Choice:
    """One of a closed list."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class Ref:
    """The name of something defined elsewhere in the policy."""

    kind: str


@dataclass(frozen=True)
class Between:
    """A number in a closed range."""

    low: float
    high: float


@dataclass(frozen=True)
class Embedded:
    """A field that only the canonical form has; it can't be written in a file."""


def parse_percent(text: str) -> int:
    """`"80%"` as 80. Raises ValueError outside 1..99: a warning at the deadline is the breach itself."""
    found = re.fullmatch(r"([1-9]\d?)%", text, re.ASCII)
    if found is None:
        raise ValueError(text)
    return int(found[1])


def _parse_date(text: str) -> object:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is None:
        raise ValueError(text)
    day = date.fromisoformat(text)
    if not 1971 <= day.year <= 2199:
        raise ValueError(text)
    return day


def _parse_zone(text: str) -> object:
    try:
        return ZoneInfo(text)
    except (OSError, KeyError) as error:  # a directory's name; an unknown one
        raise ValueError(text) from error


STANDARD = "standard"
"""`within: standard`: the limit of the filing standard."""


def _parse_within(text: str) -> object:
    return text if text == STANDARD else parse_budget(text)


_NAME = re.compile(r"\w[\w.-]{0,63}")

Code = Annotated[str, Pattern("a code (letters, digits, . _ -; at most 64)", _NAME)]
CategoryCode = Annotated[
    str, Pattern("a category code (segments joined by dots)", re.compile(r"[\w-]{1,32}(\.[\w-]{1,32}){0,7}"))
]
GridCode = Annotated[str, Pattern("the code of a cell", re.compile(r"\S{1,64}"))]
Tag = Annotated[str, Pattern("a tag (letters, digits, . _ -; at most 64)", _NAME)]
Alias = Annotated[str, Pattern("an alias of 1 to 200 characters", re.compile(r"\S(.{0,198}\S)?"))]
Target = Annotated[str, Pattern("a department, or department@level", re.compile(r"\w[\w.-]{0,63}(@\w[\w-]{0,63})?"))]
BudgetText = Annotated[str, Parsed("a budget", parse_budget)]
WithinText = Annotated[str, Parsed("a budget or 'standard'", _parse_within)]
WindowText = Annotated[str, Parsed('a window "HH:MM-HH:MM"', parse_window)]
DateText = Annotated[str, Parsed('a date "YYYY-MM-DD"', _parse_date)]
ZoneText = Annotated[str, Parsed("a time zone such as Asia/Shanghai", _parse_zone)]
PercentText = Annotated[str, Parsed("a percentage from 1% to 99%", parse_percent)]
