"""What is put out, as typed records: of these the documents of the interface are made, and readers may decode by them.

The engine writes them by joining fragments (`orders`, `notices`, `publish`); a test decodes by these structs, strictly,
whatever random histories put out.
"""

from msgspec import Raw, Struct

from dispatcher.core.lifecycle import AssignmentState, IncidentState
from dispatcher.core.messages import Action, Actor
from geo import Place

__all__ = ["CategoryShown", "Event", "Notice", "Order", "Other", "QueueEvent", "Rejection", "StandardShown"]


class CategoryShown(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A category with its titles and what proves it is done; what was `said` where the catalogue has none."""

    code: str | None
    zh: str = ""
    en: str = ""
    evidence: tuple[str, ...] = ()
    said: str = ""


class StandardShown(Struct, frozen=True, forbid_unknown_fields=True):
    """A filing standard with its titles, and when it is closed."""

    code: str
    zh: str
    en: str
    close: str


class _What(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What and where."""

    incident_id: str
    revision: int
    event: str
    category: CategoryShown
    standard: StandardShown | str | None
    severity: int
    place: Place
    due: dict[str, str]  # the earliest instant of each target that is owed
    why: str
    tags: tuple[str, ...]


class QueueEvent(_What, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On `routed`: an operator's line enters, changes in or leaves the queue."""

    at: str
    state: IncidentState
    lead: str | None
    support: tuple[str, ...]
    route: str | None


class Other(Struct, frozen=True, forbid_unknown_fields=True):
    """Who else has a part in it."""

    party: str
    role: str
    state: AssignmentState


class Order(_What, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On `dept.<code>`: what a department is to know and may do, without another look-up."""

    order_id: str
    role: str
    task: str | None
    unit: str | None
    required: bool
    state: AssignmentState
    may: tuple[Action, ...]
    others: tuple[Other, ...]
    address: str | None = None
    text: str | None = None
    media: tuple[str, ...] = ()
    instruction: str | None = None


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """On `events`: one revision of an incident, and everything that changed by it; `by` a person, else by time."""

    incident_id: str
    revision: int
    at: str
    what: str
    state: IncidentState
    changes: tuple[Raw, ...]
    by: Actor | None = None
    note: str | None = None


class Notice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On `notices`: that a party, a cell's unit, the city, the centre or a reporter is to be told something."""

    notice_id: str
    incident_id: str
    revision: int
    at: str
    to: str
    template: str
    due: str | None
    target: str | None
    state: IncidentState
    severity: int
    category: CategoryShown
    cell: str | None
    reason: str
    source: str | None = None
    report_id: str | None = None


class Rejection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On `rejected`: what was not taken, why, where it lies, and what it said, masked."""

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    received_at: str
    original: str
