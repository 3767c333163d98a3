"""What people see before they act: an incident's newest public record, as on the console, and what their topics say."""

from collections.abc import Callable

import msgspec
from msgspec import Struct

__all__ = ["Case", "Console", "Notice", "Order", "Part", "Queued", "Rejection"]


class Part(Struct, frozen=True, gc=False):
    """A department's part in an incident."""

    department: str
    role: str
    state: str
    unit: str | None = None
    required: bool = False
    acknowledged_at: str | None = None
    arrived_at: str | None = None
    score: int | None = None

    @property
    def party(self) -> str:
        """Department and unit as one word."""
        return self.department if self.unit is None else f"{self.department}@{self.unit}"


class Target(Struct, frozen=True, gc=False):
    """A promise: of whom, by when, whether it was broken."""

    name: str
    of: str
    due_at: str
    breached_at: str | None = None
    fulfilled_at: str | None = None
    revoked_at: str | None = None
    extended: int = 0


class Request(Struct, frozen=True, gc=False):
    """What a department asks for."""

    number: int
    kind: str
    party: str
    state: str = "open"


class Supervision(Struct, frozen=True, gc=False):
    """A written supervision."""

    number: int
    by: str
    party: str
    replied_at: str | None = None
    cleared_at: str | None = None


class Call(Struct, frozen=True, gc=False):
    """A whistle."""

    unit: str | None = None
    ended_at: str | None = None


class Callback(Struct, frozen=True, gc=False):
    """A reporter who was called back; who was asked in an earlier round of work is asked anew."""

    source: str
    report_id: str
    attempts: int
    round: int = 0
    answered: bool = False


class Place(Struct, frozen=True, gc=False):
    """Where."""

    lon: float | None = None
    lat: float | None = None
    path: tuple[str, ...] = ()


class Counts(Struct, frozen=True, gc=False):
    """How often what happened."""

    returned: int = 0
    rework: int = 0
    reopened: int = 0


class Case(Struct, frozen=True, gc=False):
    """An incident as far as people look at it."""

    incident_id: str
    state: str
    category: str | None
    severity: int
    place: Place
    reports: tuple[tuple[str, str], ...]
    report_count: int
    lead: Part | None = None
    support: tuple[Part, ...] = ()
    targets: tuple[Target, ...] = ()
    requests: tuple[Request, ...] = ()
    supervision: tuple[Supervision, ...] = ()
    callbacks: tuple[Callback, ...] = ()
    suggested: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    whistle: Call | None = None
    counts: Counts = Counts()
    tags: tuple[str, ...] = ()
    request_kind: str | None = None
    verify_at: str | None = None
    dispatched_at: str | None = None
    checked_at: str | None = None

    def parts(self) -> tuple[Part, ...]:
        """Lead first."""
        return self.support if self.lead is None else (self.lead, *self.support)

    def part(self, department: str, unit: str | None) -> Part | None:
        """The part a department has now."""
        return next(
            (p for p in self.parts() if (p.department, p.unit) == (department, unit) and p.state != "withdrawn"), None
        )

    @property
    def call_owed(self) -> bool:
        """Whether the resident is still to be phoned."""
        return any(t.name == "contact" and t.fulfilled_at is None and t.revoked_at is None for t in self.targets)

    def called(self, source: str, report_id: str) -> Callback | None:
        """Whether this reporter was called back about the work as it is now."""
        now = self.counts.rework + self.counts.reopened
        key = source, report_id, now
        return next((c for c in self.callbacks if (c.source, c.report_id, c.round) == key), None)


class _Code(Struct, frozen=True, gc=False):
    code: str | None = None


class Order(Struct, frozen=True, gc=False):
    """A record of `dept.<code>`."""

    incident_id: str
    event: str
    role: str
    unit: str | None
    required: bool
    state: str
    due: dict[str, str]
    severity: int
    category: _Code
    place: Place


class Queued(Struct, frozen=True, gc=False):
    """A record of `routed`; `due` has what is owed to it, by whomever."""

    incident_id: str
    event: str
    state: str
    category: _Code
    due: dict[str, str]
    tags: tuple[str, ...]
    place: Place


class Notice(Struct, frozen=True, gc=False):
    """A record of `notices`."""

    incident_id: str
    to: str
    template: str


class Rejection(Struct, frozen=True, gc=False):
    """A record of `rejected`."""

    reason: str
    detail: str
    topic: str
    original: str = ""


_case = msgspec.json.Decoder(Case)


class Console:
    """Looks an incident up.

    Args:
        newest: the newest value of `incidents` for an id.
    """

    def __init__(self, newest: Callable[[str], bytes | None]) -> None:
        self._newest = newest

    def look(self, incident_id: str) -> Case | None:
        """The incident as it was last published; None when it is held no more."""
        value = self._newest(incident_id)
        return None if value is None else _case.decode(value)
