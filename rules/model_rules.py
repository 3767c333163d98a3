"""Guards, routes and overlays as they are written."""

from typing import Annotated

import msgspec

from rules.entries import CalendarRef, Entry, LevelRef, Severity, Text
from rules.facts import Scalar
from rules.model_clocks import Of, TargetName
from rules.shapes import Between, BudgetText, Choice, Code, DateText, Ref, Tag, Target

OUTCOMES = ("discard", "park", "fallback")

Priority = Annotated[int, Between(-1_000_000, 1_000_000)]


class Condition(msgspec.Struct, frozen=True, gc=False):
    """One key of a `when`: any of the values."""

    key: str
    values: tuple[Scalar, ...]


class When(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """All of `require`, none of `exclude` (the `not:` block). Read by `conditions.py`."""

    require: tuple[Condition, ...] = ()
    exclude: tuple[Condition, ...] = ()


class Rule(Entry, kw_only=True, frozen=True):
    """What guards, routes and overlays share. Dates are whole days of the policy's zone, both included."""

    id: Code
    title: Text = Text()
    when: When
    valid_from: DateText | None = None
    expires: DateText | None = None


class Guard(Rule, kw_only=True, frozen=True):
    """Run first, in the order of priority; the first that matches ends evaluation."""

    priority: Priority = 100
    outcome: Annotated[str, Choice(OUTCOMES)]
    reason: str = ""


class Route(Rule, kw_only=True, frozen=True):
    """Single hit: who leads, by when, what happens when nothing does, and which level of the grid holds it."""

    priority: Priority = 100
    lead: Annotated[Target, Ref("target")]
    sla: Annotated[str, Ref("sla")]
    ladder: Annotated[str, Ref("ladder")] | None = None
    reason: str = ""
    level: LevelRef | None = None


class Attend(Entry, frozen=True):
    """A budget with the calendar its working units run in."""

    shorthand = "within"
    within: BudgetText
    calendar: CalendarRef | None = None


class Support(Entry, frozen=True):
    """A department that must help."""

    dept: Annotated[Target, Ref("target")]
    role: str = ""
    attend: Attend | None = None
    required: bool = False


class Raise(Entry, frozen=True):
    """The severity is at least this bad."""

    raise_to: Severity


class ExtraTarget(Entry, frozen=True):
    """One more budget for a target; the earliest due at opening wins."""

    key = "name"
    shorthand = "within"
    name: TargetName
    within: BudgetText
    calendar: CalendarRef | None = None
    of: Of | None = None


class Overlay(Rule, kw_only=True, frozen=True):
    """Every hit adds all it says."""

    support: tuple[Support, ...] = ()
    tags: tuple[Tag, ...] = ()
    severity: Raise | None = None
    targets: tuple[ExtraTarget, ...] = ()
    level: LevelRef | None = None
