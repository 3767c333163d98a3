"""A whole policy as it is written: the structs are the file format, every field a key that may be given."""

from typing import Annotated

from rules.entries import Entry
from rules.measures import MeasuresEntry
from rules.model_catalogue import CategoryEntry, Department, MergeRule, Source
from rules.model_clocks import CalendarEntry, LadderEntry, SlaEntry
from rules.model_rules import Attend, Guard, Overlay, Route
from rules.shapes import Choice, Code, Ref, ZoneText

REASON_KINDS = (
    "return",
    "hold",
    "extend",
    "transfer",
    "support",
    "exempt",
    "rework",
    "void",
    "close_forced",
    "reopen",
    "whistle",
    "refer",
)
"""What people give a reason for; codes of `whistle` are kinds of whistles, those of `refer` bodies to refer to."""


class Fallback(Entry, frozen=True):
    """Who takes what no route takes: one, total."""

    lead: Annotated[str, Ref("department")]
    sla: Annotated[str, Ref("sla")]
    ladder: Annotated[str, Ref("ladder")]
    reason: str


class Reason(Entry, frozen=True):
    """A code people choose, with its words."""

    key = "code"
    code: Code
    zh: str = ""
    en: str = ""


class ReasonKind(Entry, frozen=True):
    """The codes people choose from for one kind of act."""

    key = "kind"
    inline = "codes"
    kind: Annotated[str, Choice(REASON_KINDS)]
    codes: tuple[Reason, ...]


class Requirement(Entry, frozen=True):
    """What the policy needs of something outside, such as the grid's version."""

    key = "name"
    shorthand = "spec"
    name: Code
    spec: str


class Header(Entry, kw_only=True, frozen=True):
    """`policy.yaml` itself."""

    name: Code
    version: str
    timezone: ZoneText
    modes: tuple[Code, ...]
    grid_levels: tuple[Code, ...]
    include: tuple[str, ...]
    fallback: Fallback
    reasons: tuple[ReasonKind, ...]
    requires: tuple[Requirement, ...] = ()
    whistle_attend: Attend | None = None


class Sections(Entry, frozen=True):
    """What the other files define; policy.yaml may hold any of it too, so that a small policy is one file."""

    departments: tuple[Department, ...] = ()
    categories: tuple[CategoryEntry, ...] = ()
    sources: tuple[Source, ...] = ()
    calendars: tuple[CalendarEntry, ...] = ()
    sla: tuple[SlaEntry, ...] = ()
    ladders: tuple[LadderEntry, ...] = ()
    merge: tuple[MergeRule, ...] = ()
    guards: tuple[Guard, ...] = ()
    routes: tuple[Route, ...] = ()
    overlays: tuple[Overlay, ...] = ()


class Document(Entry, frozen=True):
    """A whole policy: what is hashed, stored, and built from again."""

    format: int
    header: Header
    sections: Sections
    measures: MeasuresEntry | None = None
