"""Calendars, SLAs and ladders as they are written. Times and budgets stay text; `policy.Policy` gives them meaning."""

from typing import Annotated

from rules.calendars import DayTable, parse_season
from rules.entries import CalendarRef, Count, Entry
from rules.ladders import DOINGS, STOPS, parse_recipient, parse_trigger
from rules.shapes import (
    Between,
    BudgetText,
    Choice,
    Code,
    DateText,
    Embedded,
    Parsed,
    PercentText,
    Ref,
    WindowText,
    WithinText,
)

TARGET_OF = {
    "verify": "centre",
    "acknowledge": "each",
    "contact": "lead",
    "attend": "attending",
    "resolve": "lead",
    "check": "centre",
    "callback": "centre",
}
"""The targets there are, and of whom each asks unless the policy says otherwise (lifecycle.md, "Clocks")."""

TargetName = Annotated[str, Choice(tuple(TARGET_OF))]
Of = Annotated[str, Choice(("each", "lead", "support", "attending", "centre"))]


SeasonText = Annotated[str, Parsed('a season "MM-DD..MM-DD"', parse_season)]


class HoursEntry(Entry, frozen=True):
    """Windows of a day type; `all` for every type that is not stated."""

    key = "day"
    shorthand = "windows"
    day: Annotated[str, Choice(("workday", "restday", "holiday", "all"))]
    windows: tuple[WindowText, ...]


class Provider(Entry, frozen=True):
    """Who knows the holidays: package `holidays`, a country and, if need be, a region of it."""

    provider: Annotated[str, Choice(("holidays",))]
    country: Code
    region: Code | None = None


class Override(Entry, frozen=True):
    """A dated exception."""

    key = "date"
    shorthand = "day"
    date: DateText
    day: Annotated[str, Choice(("workday", "restday", "holiday"))]


class CalendarEntry(Entry, frozen=True):
    """A calendar, or a window, which is the same. Outside its `seasons`, when it has some, it is closed."""

    key = "name"
    name: Code
    hours: tuple[HoursEntry, ...]
    days: Provider | None = None
    hours_per_working_day: Annotated[float, Between(0.25, 24)] | None = None
    overrides: tuple[Override, ...] = ()
    seasons: tuple[SeasonText, ...] = ()
    table: Annotated[DayTable | None, Embedded()] = None


class TargetEntry(Entry, frozen=True):
    """`within` a budget, or the `standard`'s limit (`default` where the category has none)."""

    key = "name"
    shorthand = "within"
    name: TargetName
    within: WithinText
    of: Of | None = None
    default: BudgetText | None = None


class Reopen(Entry, frozen=True):
    """How long a closed incident may be reopened, and whether its clock goes on or starts anew."""

    within: BudgetText
    clock: Annotated[str, Choice(("resume", "reset"))] = "resume"


class Hold(Entry, frozen=True):
    """How long a hold may last, and how many there may be."""

    max: BudgetText
    times: Count = 1


class SlaEntry(Entry, frozen=True):
    """What is promised: targets, warnings in percent of a budget, and the smaller rules of the clock."""

    key = "name"
    name: Code
    calendar: CalendarRef
    targets: tuple[TargetEntry, ...]
    warn: tuple[PercentText, ...] = ()
    return_within: BudgetText | None = None
    verify_within: BudgetText | None = None
    reopen: Reopen | None = None
    hold: Hold | None = None
    extend_times: Annotated[int, Between(0, 100)] | None = None
    close_after: Annotated[str, Choice(("check", "callback"))] = "check"
    done_by: Annotated[str, Choice(("lead_and_required", "lead_only"))] = "lead_and_required"
    callback_attempts: Annotated[int, Between(1, 10)] = 3


class StepEntry(Entry, frozen=True):
    """One step of a ladder: when, whom, what."""

    trigger: Annotated[str, Parsed("a trigger such as 'resolve 90%' or 'resolve breach'", parse_trigger)]
    to: Annotated[str, Parsed("a recipient: lead, up(n), level(n), city or a department", parse_recipient)]
    do: Annotated[str, Choice(DOINGS)]
    after: BudgetText | None = None


class Repeat(Entry, frozen=True):
    """Climb the ladder again, so often, this long after its last step."""

    every: BudgetText
    times: Count = 1


class LadderEntry(Entry, frozen=True):
    """`calendar` is for working units, `hold_outside` the hours to which notices are held, `then` the next ladder."""

    key = "name"
    name: Code
    steps: tuple[StepEntry, ...]
    calendar: CalendarRef | None = None
    hold_outside: CalendarRef | None = None
    acknowledge_timeout: BudgetText | None = None
    repeat: Repeat | None = None
    stop_when: tuple[Annotated[str, Choice(STOPS)], ...] = ()
    then: Annotated[str, Ref("ladder")] | None = None
