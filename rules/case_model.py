"""Tests of a policy as they are written (`tests/**/*.yaml` of its directory): the structs are the file format.

A test is a report and what is to become of it: `expect` at once, `timeline` later on. What the rules do not know of
(actions, roles, states of incidents) is referred to by name; whoever reads the files says which names there are.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from rules.entries import Count, Entry, Severity
from rules.facts import PLACE_HOWS, REQUEST_KINDS, Scalar
from rules.model_clocks import TARGET_OF, TargetName
from rules.model_rules import OUTCOMES
from rules.shapes import Between, BudgetText, Choice, GridCode, Parsed, Pattern, Ref, Tag
from rules.shapes import Code as Name

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST, LATEST = datetime(1971, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""As far as dates of a policy reach (`shapes.DateText`)."""

_AFTER = re.compile(r"\+(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?", re.ASCII)
_UNITS_MS = (86_400_000, 3_600_000, 60_000, 1_000)


def instant_ms(text: str) -> int:
    """An RFC 3339 instant with its offset, in epoch milliseconds. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not EARLIEST <= moment < LATEST:
        raise ValueError(text)
    return (moment - EPOCH) // timedelta(milliseconds=1)


def moment_ms(text: str, start_ms: int) -> int:
    """An instant with its offset, or a time after `start_ms` such as `+1d2h`, `+2m1s`. Raises ValueError."""
    if not text.startswith("+"):
        return instant_ms(text)
    found = _AFTER.fullmatch(text)
    if found is None or text == "+":
        raise ValueError(text)
    return start_ms + sum(int(n) * unit_ms for n, unit_ms in zip(found.groups("0"), _UNITS_MS, strict=True))


Instant = Annotated[str, Parsed('an instant with its offset, "2026-03-02T09:30:00+08:00"', instant_ms)]
Moment = Annotated[
    str, Parsed("an instant with its offset, or a time after the test's, +1d2h or +2m1s", lambda t: moment_ms(t, 0))
]
Label = Annotated[str, Pattern("a text of 1 to 200 characters", re.compile(r"\S(.{0,198}\S)?"))]
PartyText = Annotated[
    str,
    Pattern("a department, department@cell or department@level", re.compile(r"\w[\w.-]{0,63}(@\S{1,64})?")),
    Ref("party"),
]
Actor = Annotated[
    str,
    Pattern(
        "a department (or its unit, department@cell), centre, or a role", re.compile(r"\w[\w.-]{0,63}(@\S{1,64})?")
    ),
    Ref("actor"),
]
Whose = Annotated[
    str,
    Pattern(
        "a target, or target of department",
        re.compile(rf"({'|'.join(TARGET_OF)})( of \w[\w.-]{{0,63}}(@\S{{1,64}})?)?"),
    ),
    Ref("whose"),
]
"""`attend`: of anyone; `attend of fire-brigade`: of that party alone."""
CellRef = Annotated[GridCode, Ref("cell")]
DepartmentRef = Annotated[str, Ref("department")]
Refusal = Annotated[str, Ref("refusal")]


class PathEntry(Entry, frozen=True):
    """A cell the tests use, with its path, root first, itself last."""

    key = "code"
    inline = "path"
    code: GridCode
    path: tuple[GridCode, ...]


class Attributes(msgspec.Struct, frozen=True, gc=False):
    """A report's attributes by name. Read by `case_files`."""

    values: tuple[tuple[str, Scalar], ...]


class WhistleEntry(Entry, frozen=True):
    """A street's call; without `unit` it is the first-level cell's."""

    shorthand = "kind"
    kind: Name
    unit: GridCode | None = None
    departments: tuple[DepartmentRef, ...] = ()


class ReportEntry(Entry, kw_only=True, frozen=True):
    """A report.

    What it leaves out it takes from the file's `defaults`; a later report of a timeline takes it from the first.
    `place` states how it was located (`none` and `outside`: in no cell). `lon` and `lat` serve merging; without `cell`
    they are located on the grid, where there is one. `reporters` sends it so many times at once.
    """

    category: Label | None = None
    severity: Severity | None = None
    cell: CellRef | None = None
    place: Annotated[str, Choice(PLACE_HOWS)] | None = None
    lon: Annotated[float, Between(-180, 180)] | None = None
    lat: Annotated[float, Between(-90, 90)] | None = None
    asset: Name | None = None
    source: Annotated[str, Ref("source")] | None = None
    text: str | None = None
    tags: tuple[Tag, ...] | None = None
    attributes: Attributes | None = None
    whistle: WhistleEntry | None = None
    confidence: Annotated[float, Between(0, 1)] | None = None
    standard: Name | None = None
    request_kind: Annotated[str, Choice(REQUEST_KINDS)] | None = None
    reporters: Count | None = None


class Defaults(ReportEntry, kw_only=True, frozen=True):
    """What holds for every test of a file that does not say otherwise."""

    at: Instant | None = None
    mode: Annotated[str, Ref("mode")] | None = None


class DueEntry(Entry, frozen=True):
    """When a target of the lead is due."""

    key = "target"
    shorthand = "at"
    target: TargetName
    at: Moment


class DueOfEntry(DueEntry, frozen=True):
    """When a target of the lead, or of another party, is due."""

    target: Whose


class BudgetsEntry(Entry, frozen=True):
    """All budgets of a target, as the policy writes them, in any order."""

    key = "target"
    inline = "texts"
    target: TargetName
    texts: tuple[BudgetText, ...]


class Expect(Entry, kw_only=True, frozen=True):
    """What the decision must be. Lists are exact sets; `…_includes` wants at least these. Absent = whatever it is."""

    lead: PartyText | None = None
    support: tuple[PartyText, ...] | None = None
    support_includes: tuple[PartyText, ...] | None = None
    required: tuple[PartyText, ...] | None = None
    route: Annotated[str, Ref("route")] | None = None
    fallback: Annotated[str, Choice(("no_route", "uncategorised", "unresolvable", "guard"))] | None = None
    overlays: tuple[Annotated[str, Ref("overlay")], ...] | None = None
    overlays_include: tuple[Annotated[str, Ref("overlay")], ...] | None = None
    guard: Annotated[str, Ref("guard")] | None = None
    outcome: Annotated[str, Choice(OUTCOMES)] | None = None
    severity: Severity | None = None
    tags: tuple[Tag, ...] | None = None
    tags_include: tuple[Tag, ...] | None = None
    sla: Annotated[str, Ref("sla")] | None = None
    ladder: Annotated[str, Ref("ladder")] | None = None
    won_by: Annotated[str, Choice(("guard", "priority", "specificity", "order", "fallback"))] | None = None
    reason: str | None = None
    due: tuple[DueEntry, ...] | None = None
    budgets: tuple[BudgetsEntry, ...] | None = None
    category: Annotated[str, Ref("category")] | None = None
    refused: Refusal | None = None


class PartEntry(Entry, frozen=True):
    """How far a party has come."""

    key = "party"
    shorthand = "state"
    party: PartyText
    state: Annotated[str, Ref("state of an assignment")]


class WarnedEntry(Entry, frozen=True):
    """The warnings given for a target so far, in percent."""

    key = "target"
    inline = "percents"
    target: Whose
    percents: tuple[Annotated[int, Between(1, 99)], ...]


class After(Entry, kw_only=True, frozen=True):
    """How the incident must stand at a moment of the timeline, once timers due strictly before it have fired.

    Lists are exact sets, `…_includes` and `…_include` want at least these. `breached`, `fulfilled`, `running` and
    `paused` name every target of which that is so: `attend` for whoever's, `attend of fire-brigade` for one party's
    alone. `warned`, `due` and `assignments` speak of those they name; `due` is the lead's unless a party is named.
    `queue`: whether it is in the operators' queue. Parts that were withdrawn are no support.
    """

    state: Annotated[str, Ref("state")] | None = None
    lead: PartyText | None = None
    support: tuple[PartyText, ...] | None = None
    support_includes: tuple[PartyText, ...] | None = None
    required: tuple[PartyText, ...] | None = None
    severity: Severity | None = None
    assignments: tuple[PartEntry, ...] | None = None
    breached: tuple[Whose, ...] | None = None
    warned: tuple[WarnedEntry, ...] | None = None
    fulfilled: tuple[Whose, ...] | None = None
    running: tuple[Whose, ...] | None = None
    paused: tuple[Whose, ...] | None = None
    due: tuple[DueOfEntry, ...] | None = None
    queue: bool | None = None
    reports: Count | None = None
    tags: tuple[Tag, ...] | None = None
    tags_include: tuple[Tag, ...] | None = None
    flags: tuple[Tag, ...] | None = None


class Position(Entry, frozen=True):
    """Where an actor is."""

    lon: Annotated[float, Between(-180, 180)]
    lat: Annotated[float, Between(-90, 90)]


class TimelineEntry(Entry, kw_only=True, frozen=True):
    """A moment of the timeline: an action `do` of someone, or another `report`, or neither; and what is then expected.

    The fields after `refused` are the action's own, named as on the wire.
    """

    at: Moment
    do: Annotated[str, Ref("action")] | None = None
    by: Actor | None = None
    report: ReportEntry | None = None
    expect: After | None = None
    refused: Refusal | None = None
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


STEP_FIELDS = tuple(TimelineEntry.__struct_fields__[TimelineEntry.__struct_fields__.index("refused") + 1 :])
"""Those of a step that belong to its action."""


class TestEntry(Entry, kw_only=True, frozen=True):
    """One test."""

    __test__ = False  # not one of pytest's

    name: Label
    at: Instant | None = None
    mode: Annotated[str, Ref("mode")] | None = None
    report: ReportEntry
    expect: Expect = Expect()
    timeline: tuple[TimelineEntry, ...] = ()


class TestsEntry(Entry, kw_only=True, frozen=True):
    """A file of tests."""

    __test__ = False  # not one of pytest's

    places: tuple[PathEntry, ...] = ()
    defaults: Defaults | None = None
    tests: tuple[TestEntry, ...]
