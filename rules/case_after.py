"""What a step of a timeline expects of an incident, as it is written."""

from typing import Annotated

from rules.case_words import Answerer, IncidentName, Label, Moment, PartyText, Recipient, Rung, Whose
from rules.entries import Count, Entry, LevelRef, Severity
from rules.shapes import Between, Choice, Ref, Tag


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


class DueOfEntry(Entry, frozen=True):
    """When a target of the lead, or of another party, is due."""

    key = "target"
    shorthand = "at"
    target: Whose
    at: Moment


class HeldEntry(Entry, frozen=True):
    """Until when a party is on hold."""

    key = "party"
    shorthand = "until"
    party: PartyText
    until: Moment


class AskedEntry(Entry, frozen=True):
    """What became of the last request of a kind."""

    key = "kind"
    shorthand = "state"
    kind: Annotated[str, Ref("kind of request")]
    state: Annotated[str, Ref("state of a request")]


class SupervisedEntry(Entry, frozen=True):
    """How far a supervision has come, by its number."""

    key = "number"
    shorthand = "state"
    number: Count
    state: Annotated[str, Choice(("open", "overdue", "replied", "cleared"))]


class ReachedEntry(Entry, frozen=True):
    """Whether a milestone of a supervised project has been reached."""

    key = "milestone"
    shorthand = "state"
    milestone: Label
    state: Annotated[str, Choice(("open", "overdue", "reached"))]


class CalledEntry(Entry, frozen=True):
    """What the reporter of the test's nth report said when called back."""

    key = "report"
    shorthand = "said"
    report: Count
    said: Annotated[str, Choice(("unanswered", "satisfied", "unsatisfied", "unresolved"))]


class CountEntry(Entry, frozen=True):
    """How often something has happened to the incident."""

    key = "what"
    shorthand = "times"
    what: Annotated[str, Ref("count")]
    times: Annotated[int, Between(0, 1000)]


class OrderEntry(Entry, frozen=True):
    """What a party's last order said."""

    key = "party"
    shorthand = "event"
    party: PartyText
    event: Annotated[str, Ref("order")]


class ScoreEntry(Entry, frozen=True):
    """How the street has rated a party."""

    key = "party"
    shorthand = "score"
    party: PartyText
    score: Annotated[int, Between(1, 5)]


class ToldEntry(Entry, frozen=True):
    """Everybody who was sent a notice of a template since the step before."""

    key = "template"
    inline = "to"
    template: Annotated[str, Ref("notice")]
    to: tuple[Recipient, ...]


class After(Entry, kw_only=True, frozen=True):
    """How the incident must stand at a moment of the timeline, once timers due strictly before it have fired.

    Lists are exact sets, `…_includes` and `…_include` want at least these. `breached`, `fulfilled`, `running` and
    `paused` name every target of which that is so: `attend` for whoever's, `attend of fire-brigade` for one party's
    alone. What is written as a mapping speaks of those it names; `due` is the lead's unless a party is named. Parts
    that were withdrawn are no support. `told` and `escalated` are of what happened since the step before.
    `would_reroute`: the incidents that `reroute_open` would change now.
    """

    state: Annotated[str, Ref("state")] | None = None
    category: Annotated[str, Ref("category")] | None = None
    mode: Annotated[str, Ref("mode")] | None = None
    level: LevelRef | None = None
    answers_for_it: Answerer | None = None
    lead: PartyText | None = None
    support: tuple[PartyText, ...] | None = None
    support_includes: tuple[PartyText, ...] | None = None
    required: tuple[PartyText, ...] | None = None
    severity: Severity | None = None
    assignments: tuple[PartEntry, ...] | None = None
    on_hold: tuple[HeldEntry, ...] | None = None
    breached: tuple[Whose, ...] | None = None
    warned: tuple[WarnedEntry, ...] | None = None
    fulfilled: tuple[Whose, ...] | None = None
    running: tuple[Whose, ...] | None = None
    paused: tuple[Whose, ...] | None = None
    due: tuple[DueOfEntry, ...] | None = None
    queue: bool | None = None
    claimed_by: Label | None = None
    reports: Count | None = None
    parent: IncidentName | None = None
    children: tuple[IncidentName, ...] | None = None
    suggested: tuple[IncidentName, ...] | None = None
    requests: tuple[AskedEntry, ...] | None = None
    supervision: tuple[SupervisedEntry, ...] | None = None
    milestones: tuple[ReachedEntry, ...] | None = None
    whistle: Annotated[str, Choice(("sounding", "ended"))] | None = None
    scores: tuple[ScoreEntry, ...] | None = None
    callbacks: tuple[CalledEntry, ...] | None = None
    referred_to: Label | None = None
    counts: tuple[CountEntry, ...] | None = None
    reopened: Annotated[int, Between(0, 1000)] | None = None
    exempt: tuple[PartyText, ...] | None = None
    orders: tuple[OrderEntry, ...] | None = None
    told: tuple[ToldEntry, ...] | None = None
    escalated: tuple[Rung, ...] | None = None
    would_reroute: tuple[IncidentName, ...] | None = None
    tags: tuple[Tag, ...] | None = None
    tags_include: tuple[Tag, ...] | None = None
    flags: tuple[Tag, ...] | None = None
