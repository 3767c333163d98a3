"""The steps of a timeline as they are written: who does what when, what else is reported, what is commanded."""

from typing import Annotated

from rules.case_after import After
from rules.case_report import ReportEntry
from rules.case_words import Actor, CellRef, IncidentName, Label, Moment, PartyText, Refusal
from rules.entries import Count, Entry, Severity
from rules.shapes import Between, Choice, Ref
from rules.shapes import Code as Name

FIRST = "first"
"""The incident that the test's own report opens; others have the names that `opens` gives them."""


class Position(Entry, frozen=True):
    """Where an actor is."""

    lon: Annotated[float, Between(-180, 180)]
    lat: Annotated[float, Between(-90, 90)]


class MilestoneEntry(Entry, frozen=True):
    """A step of a supervised project, and by when it is to be reached."""

    key = "name"
    shorthand = "due"
    name: Label
    due: Moment


class TimelineEntry(Entry, kw_only=True, frozen=True):
    """A moment of the timeline: an action `do` of someone, or another `report`, or neither; and what is then expected.

    `incident` is the one it is about, the test's first unless it says otherwise. A `report`, or what is `split` off,
    that must become an incident of its own is given a name for it by `opens`; `expect` is then of that one.
    `about` is the report the action is about, counted from 1 through the whole test. `because` are words that the
    refusal must hold. The fields after it are the action's own, named as on the wire, except that `into` is another
    incident's name, `location` a cell, and times may be moments.
    """

    at: Moment
    incident: IncidentName | None = None
    do: Annotated[str, Ref("action")] | None = None
    by: Actor | None = None
    about: Count | None = None
    report: ReportEntry | None = None
    opens: IncidentName | None = None
    expect: After | None = None
    refused: Refusal | None = None
    because: Label | None = None
    result: Annotated[str, Choice(("exists", "not_exists", "unable", "pass", "fail"))] | None = None
    category: Label | None = None
    severity: Severity | None = None
    standard: Name | None = None
    department: PartyText | None = None
    departments: tuple[PartyText, ...] | None = None
    lead: PartyText | None = None
    support: tuple[PartyText, ...] | None = None
    reason_code: Name | None = None
    text: str | None = None
    media: tuple[str, ...] | None = None
    position: Position | None = None
    location: CellRef | None = None
    person: Label | None = None
    body: Name | None = None
    external_no: Label | None = None
    kind: Name | None = None
    number: Count | None = None
    name: Label | None = None
    milestones: tuple[MilestoneEntry, ...] | None = None
    into: IncidentName | None = None
    score: Annotated[int, Between(1, 5)] | None = None
    reached: bool | None = None
    answered: bool | None = None
    resolved: bool | None = None
    satisfied: bool | None = None
    mode: Annotated[str, Ref("mode")] | None = None
    cells: tuple[CellRef, ...] | None = None
    since: Moment | None = None
    until: Moment | None = None


STEP_FIELDS = tuple(TimelineEntry.__struct_fields__[TimelineEntry.__struct_fields__.index("because") + 1 :])
"""Those of a step that belong to its action or command."""

COMMANDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "set_mode": (("mode", "until"), ("name", "cells")),
    "end_mode": (("name",), ()),
    "reroute_open": ((), ("cells",)),
    "outage": (("since", "until"), ()),
}
"""What an administrator orders: the fields each command needs, and those it may have; `name` is a mode's own."""

COMMAND_FIELDS = ("mode", "cells", "since")
"""Those of a step that no action has."""
