"""Ladders: who hears of it when nothing happens. Parsed into typed steps; climbing them is the dispatcher's."""

import re
from typing import Literal

import msgspec

from rules.budgets import Budget

DOINGS = ("urge", "notify", "supervise", "report")
STOPS = ("acknowledged", "arrived", "done", "closed")

_TRIGGER = re.compile(r"(\w+) (?:([1-9]\d?)%|breach)", re.ASCII)
_RANKED = re.compile(r"(up|level)\(([1-9]\d?)\)", re.ASCII)
_DEPARTMENT = re.compile(r"\w[\w.-]{0,63}")


class Trigger(msgspec.Struct, frozen=True, gc=False):
    """A target has used `percent` of its budget; None = it is breached."""

    target: str
    percent: int | None


class Recipient(msgspec.Struct, frozen=True, gc=False):
    """`lead`; `up` n levels from the one that holds it; grid `level` n (1 = the widest); `city`; a `department`."""

    kind: Literal["lead", "up", "level", "city", "department"]
    level: int = 0
    department: str | None = None


class Step(msgspec.Struct, frozen=True, gc=False):
    """At the trigger, or `after` it, `do` something `to` someone."""

    trigger: Trigger
    after: Budget | None
    to: Recipient
    do: str


class Ladder(msgspec.Struct, frozen=True, gc=False):
    """The steps in the order written, those of the ladders it continues with included."""

    name: str
    steps: tuple[Step, ...]
    hold_outside: str | None
    acknowledge_timeout: Budget | None
    repeat_every: Budget | None
    repeat_times: int
    stop_when: tuple[str, ...]


def parse_trigger(text: str) -> Trigger:
    """`"resolve 90%"`, `"resolve breach"`. Raises ValueError."""
    found = _TRIGGER.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return Trigger(found[1], int(found[2]) if found[2] else None)


def parse_recipient(text: str) -> Recipient:
    """`lead`, `up(1)`, `level(1)`, `city`, or a department's code. Raises ValueError."""
    if text == "lead":
        return Recipient("lead")
    if text == "city":
        return Recipient("city")
    ranked = _RANKED.fullmatch(text)
    if ranked:
        return Recipient("up" if ranked[1] == "up" else "level", int(ranked[2]))
    if _DEPARTMENT.fullmatch(text):
        return Recipient("department", department=text)
    raise ValueError(text)
