"""What only some incidents have, as rows beside theirs: turns of leads, attendances, requests, callbacks, old clocks.

Pure: each is worked out from an incident's published record alone. Rows but for `LeadTurn` carry the revision they come
from, so that an older record applied later changes nothing.
"""

from typing import NamedTuple

from dispatcher.core import IncidentRecord
from dispatcher.core.incident import party
from dispatcher.views.rows import FORMER_LEAD, ms_of

__all__ = [
    "AttendanceRow",
    "CallbackRow",
    "FormerClock",
    "LeadTurn",
    "RequestRow",
    "attendances",
    "callbacks",
    "former_clocks",
    "lead_turns",
    "requests",
]


class LeadTurn(NamedTuple):
    """One department's turn as the lead; only incidents that changed hands have these."""

    incident_id: str
    n: int
    department: str
    party: str
    offered_ms: int


class AttendanceRow(NamedTuple):
    """A department a whistle called: by when it was to come, and when it came (confirmed, or seen to be there)."""

    incident_id: str
    n: int
    revision: int
    department: str
    party: str
    due_ms: int | None  # None while its clock stands still
    met_ms: int | None
    late: int
    revoked_ms: int | None


class RequestRow(NamedTuple):
    """What a department asked for and what became of it."""

    incident_id: str
    number: int
    revision: int
    kind: str
    department: str
    party: str
    state: str
    asked_ms: int
    decided_ms: int | None


class CallbackRow(NamedTuple):
    """What one reporter said when called back last, of each round of work."""

    incident_id: str
    source: str
    report_id: str
    round: int
    revision: int
    at_ms: int
    answered: int
    resolved: int
    satisfied: int


class FormerClock(NamedTuple):
    """A deadline of the lead that was over when the incident was reopened on a new clock."""

    incident_id: str
    n: int
    revision: int
    until_ms: int
    breached_ms: int | None


def lead_turns(record: IncidentRecord) -> list[LeadTurn]:
    """Who led, in order; empty for the many incidents that never changed hands."""
    former = [a for a in record.support if a.role == FORMER_LEAD]
    if not former or record.lead is None:
        return []
    return [
        LeadTurn(record.incident_id, n, a.department, party(a.department, a.unit), _known(a.offered_at))
        for n, a in enumerate([*former, record.lead])
    ]


def attendances(record: IncidentRecord) -> list[AttendanceRow]:
    """The `attend` targets of an incident on which a street has whistled."""
    if record.whistle is None:
        return []
    return [
        AttendanceRow(
            record.incident_id,
            n,
            record.revision,
            target.of.partition("@")[0],
            target.of,
            None if target.paused_by is not None else ms_of(target.due_at),
            ms_of(target.fulfilled_at),
            int(target.breached_at is not None),
            ms_of(target.revoked_at),
        )
        for n, target in enumerate([t for t in record.targets if t.name == "attend"])
    ]


def requests(record: IncidentRecord) -> list[RequestRow]:
    """The requests of its departments."""
    return [
        RequestRow(
            record.incident_id,
            asked.number,
            record.revision,
            asked.kind,
            asked.party.partition("@")[0],
            asked.party,
            asked.state,
            _known(asked.asked_at),
            ms_of(asked.decided_at),
        )
        for asked in record.requests
    ]


def callbacks(record: IncidentRecord) -> list[CallbackRow]:
    """The reporters called back; whoever answered and did not say so is neither helped nor content."""
    return [
        CallbackRow(
            record.incident_id,
            called.source,
            called.report_id,
            called.round,
            record.revision,
            _known(called.last_at),
            int(called.answered),
            int(called.answered and called.resolved is True),
            int(called.answered and called.satisfied is True),
        )
        for called in record.callbacks
    ]


def former_clocks(record: IncidentRecord) -> list[FormerClock]:
    """Resolve targets that were met and then put aside for a new one."""
    found = []
    for n, target in enumerate(record.targets):
        until_ms = ms_of(target.revoked_at)
        if target.name == "resolve" and until_ms is not None and target.fulfilled_at is not None:
            found.append(FormerClock(record.incident_id, n, record.revision, until_ms, ms_of(target.breached_at)))
    return found


def _known(text: str) -> int:
    instant_ms = ms_of(text)
    assert instant_ms is not None  # noqa: S101 - the wire has it in every record
    return instant_ms
