"""How an incident stands at a moment of a timeline, in the words of tests: single values, lists, and values by name.

What tests name by a level of the grid (`street-office@township`) stands here by its cell; incidents have the test's
names, reports their numbers.
"""

from collections.abc import Callable, Iterable

import msgspec

from dispatcher.core import AssignmentState, IncidentRecord, text_to_ms
from dispatcher.core.dossier import Callback, Milestone, Supervision
from dispatcher.core.incident import Counts, party
from dispatcher.core.notices import REPORT
from dispatcher.core.records import AssignmentRecord
from dispatcher.policies.failures import local_time
from dispatcher.policies.rehearsal import FIRST, Rehearsal
from rules import Policy

__all__ = ["LISTS", "NAMED", "SINGLE", "Change", "StandingNow", "party_of"]

NOBODY = "nobody"
CITY = "city"


class Change(msgspec.Struct):
    """A part of a change of the incident, as far as tests speak of it."""

    event: str
    what: str = ""
    name: str = ""
    of: str = ""
    percent: int = 0
    do: str = ""
    to: str = ""


class Event(msgspec.Struct):
    """A change of the incident."""

    what: str = ""
    at: str = ""
    changes: list[Change] = []


class _Queue(msgspec.Struct):
    event: str


class _Notice(msgspec.Struct):
    to: str
    template: str


class _Order(msgspec.Struct):
    event: str
    unit: str | None = None


_event = msgspec.json.Decoder(Event)
_queue = msgspec.json.Decoder(_Queue)
_notice = msgspec.json.Decoder(_Notice)
_order = msgspec.json.Decoder(_Order)


def party_of(part: AssignmentRecord) -> str:
    """A part's department and unit as one word."""
    return party(part.department, part.unit)


class StandingNow:
    """One incident at this moment.

    Args:
        policy: names its levels.
        rehearsal: the test's engine.
        name: the incident's.

    Raises:
        LookupError: nothing has opened it.
    """

    def __init__(self, policy: Policy, rehearsal: Rehearsal, name: str = FIRST) -> None:
        self.policy, self.rehearsal = policy, rehearsal
        self.incident: IncidentRecord = rehearsal.incident(name)
        self._id = self.incident.incident_id
        self.events = [_event.decode(value) for value in rehearsal.out("events", self._id)]
        parts = (*([self.incident.lead] if self.incident.lead else []), *self.incident.support)
        self.parts = [part for part in parts if part.state is not AssignmentState.WITHDRAWN] or list(parts)

    # --- one value -----------------------------------------------------------------------------------------------

    def lead(self) -> str | None:
        """Its lead."""
        return None if self.incident.lead is None else party_of(self.incident.lead)

    def in_queue(self) -> bool:
        """Whether the incident is in the operators' queue."""
        routed = self.rehearsal.out("routed", self._id)
        return bool(routed) and _queue.decode(routed[-1]).event != "left"

    def level(self) -> str:
        """The level of the grid that holds it."""
        level = self.incident.level
        return self.policy.grid_levels[level - 1] if level else CITY

    def whistle(self) -> str | None:
        """Whether a whistle is sounding."""
        call = self.incident.whistle
        return None if call is None else "sounding" if call.ended_at is None else "ended"

    # --- lists ---------------------------------------------------------------------------------------------------

    def supports(self, *, required: bool = False) -> list[str]:
        """Who helps, or must."""
        return [party_of(p) for p in self.parts if p.role == "support" and (p.required or not required)]

    def named(self, incident_ids: Iterable[str]) -> list[str]:
        """Incidents by the test's names."""
        return [self.rehearsal.name_of(incident_id) for incident_id in incident_ids]

    def climbed(self) -> list[str]:
        """The steps of the ladder taken in this step of the test."""
        values = self.rehearsal.out("events", self._id, in_step=True)
        changes = [change for value in values for change in _event.decode(value).changes]
        return list(dict.fromkeys(f"{each.do} {each.to}" for each in changes if each.event == "escalated"))

    # --- by name -------------------------------------------------------------------------------------------------

    def assignments(self) -> dict[str, str]:
        """How far each party has come; a part that was withdrawn counts where there is no other."""
        former = [part for part in self.incident.support if part not in self.parts]
        return {party_of(part): str(part.state) for part in [*former, *reversed(self.parts)]}

    def on_hold(self) -> dict[str, str]:
        """Until when."""
        held = {party_of(part): part.hold_until for part in self.parts}
        return {of: local_time(self.policy, text_to_ms(until)) for of, until in held.items() if until is not None}

    def milestones(self) -> dict[str, str]:
        """Of all supervisions."""
        return {m.name: _reached(m) for supervision in self.incident.supervision for m in supervision.milestones}

    def callbacks(self) -> dict[str, str]:
        """By the number of the report."""
        return {each.report_id.removeprefix("r"): _answer(each) for each in self.incident.callbacks}

    def counts(self) -> dict[str, str]:
        """How often what happened."""
        counts = self.incident.counts or Counts()
        return {name: str(getattr(counts, name)) for name in Counts.__struct_fields__}

    def orders(self) -> dict[str, str]:
        """The last order of each party."""
        last: dict[str, str] = {}
        for department in dict.fromkeys(p.department for p in (*self.parts, *self.incident.support)):
            for value in self.rehearsal.out(f"dept.{department}", self._id):
                order = _order.decode(value)
                last[party(department, order.unit)] = order.event
        return last

    def told(self) -> dict[str, set[str]]:
        """Who was told in this step of the test, by template."""
        told: dict[str, set[str]] = {}
        for value in self.rehearsal.out("notices", self._id, in_step=True):
            notice = _notice.decode(value)
            told.setdefault(notice.template, set()).add(_recipient(notice.to))
        return told


def _recipient(to: str) -> str:
    return f"reporter {to.rpartition('/r')[2]}" if to.startswith(REPORT) else to


def _supervised(supervision: Supervision) -> str:
    if supervision.cleared_at is not None:
        return "cleared"
    return "replied" if supervision.replied_at is not None else "overdue" if supervision.overdue else "open"


def _reached(milestone: Milestone) -> str:
    return "reached" if milestone.reached_at is not None else "overdue" if milestone.overdue else "open"


def _answer(callback: Callback) -> str:
    if not callback.answered:
        return "unanswered"
    if callback.resolved is False:
        return "unresolved"
    return "unsatisfied" if callback.satisfied is False else "satisfied"


SINGLE: dict[str, Callable[[StandingNow], object]] = {
    "state": lambda now: now.incident.state,
    "category": lambda now: now.incident.category,
    "mode": lambda now: now.incident.mode,
    "level": StandingNow.level,
    "answers_for_it": lambda now: now.incident.responsible or NOBODY,
    "lead": StandingNow.lead,
    "severity": lambda now: now.incident.severity,
    "queue": StandingNow.in_queue,
    "claimed_by": lambda now: now.incident.claimed_by or NOBODY,
    "reports": lambda now: now.incident.report_count,
    "parent": lambda now: None if now.incident.parent is None else now.rehearsal.name_of(now.incident.parent),
    "whistle": StandingNow.whistle,
    "referred_to": lambda now: now.incident.external,
    "reopened": lambda now: 0 if now.incident.counts is None else now.incident.counts.reopened,
}
LISTS: dict[str, Callable[[StandingNow], Iterable[str]]] = {
    "support": StandingNow.supports,
    "required": lambda now: now.supports(required=True),
    "tags": lambda now: now.incident.tags,
    "flags": lambda now: now.incident.flags,
    "children": lambda now: now.named(now.incident.children),
    "suggested": lambda now: now.named(now.incident.suggested),
    "exempt": lambda now: now.incident.exempt,
    "escalated": StandingNow.climbed,
    "would_reroute": lambda now: now.rehearsal.rerouted(),
}
NAMED: dict[str, Callable[[StandingNow], dict[str, str]]] = {
    "assignments": StandingNow.assignments,
    "on_hold": StandingNow.on_hold,
    "requests": lambda now: {request.kind: request.state for request in now.incident.requests},
    "supervision": lambda now: {str(each.number): _supervised(each) for each in now.incident.supervision},
    "milestones": StandingNow.milestones,
    "scores": lambda now: {party_of(part): str(part.score) for part in now.parts if part.score is not None},
    "callbacks": StandingNow.callbacks,
    "counts": StandingNow.counts,
    "orders": StandingNow.orders,
}
