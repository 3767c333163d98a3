"""An incident as it is read back: typed records of the wire, and from them the engine's own form.

Projections, audits and explanations read these too. `from_record(decode_incident(incident_json(i)))` is `i` again.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from dispatcher.core.dossier import Callback, Request, Supervision, WhistleCall
from dispatcher.core.incident import NEVER_MS, Assignment, Counts, Decided, Incident, Target
from dispatcher.core.instants import text_to_ms
from dispatcher.core.lifecycle import AssignmentState, IncidentState
from geo import Place
from rules import Facts

__all__ = [
    "AssignmentRecord",
    "IncidentRecord",
    "TargetRecord",
    "decode_incident",
    "from_record",
    "recorded_decisions",
]


class TargetRecord(Struct, omit_defaults=True):
    """A target on the wire: durations in milliseconds of its own clock, instants as text."""

    name: str
    of: str
    budget: str
    clock: str
    by: str
    amount_ms: int
    due_at: str
    consumed_ms: int = 0
    since: str | None = None
    provisional: bool = False
    warned: int = 0
    paused_by: str | None = None
    extended: int = 0
    rung: int = 0
    runs: tuple[tuple[str, str], ...] = ()
    fulfilled_at: str | None = None
    breached_at: str | None = None
    revoked_at: str | None = None


class AssignmentRecord(Struct, omit_defaults=True):
    """An assignment on the wire."""

    department: str
    role: str
    state: AssignmentState
    since: str
    offered_at: str
    unit: str | None = None
    task: str | None = None
    required: bool = False
    by: tuple[str, ...] = ()
    acknowledged_at: str | None = None
    arrived_at: str | None = None
    done_at: str | None = None
    reason_code: str | None = None
    person: str | None = None
    hold_until: str | None = None
    holds: int = 0
    score: int | None = None


class IncidentRecord(Struct, omit_defaults=True):
    """An incident on the wire."""

    incident_id: str
    revision: int
    state: IncidentState
    stage: str
    responsible: str | None
    category: str | None
    reported_category: str
    severity: int
    mode: str
    place: Place
    reports: tuple[tuple[str, str], ...]
    report_count: int
    reporter_count: int
    opened_at: str
    reported_at: str
    updated_at: str
    last_report_at: str
    decision: Decided
    decision_seq: int
    facts: Facts
    lead: AssignmentRecord | None = None
    support: list[AssignmentRecord] = []
    targets: list[TargetRecord] = []
    tags: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    standard: str | None = None
    request_kind: str | None = None
    closed_at: str | None = None
    promised_at: str | None = None
    verify_at: str | None = None
    drop_at: str | None = None
    dispatched_at: str | None = None
    dispatched_by: str | None = None
    asset: str | None = None
    counts: Counts | None = None
    parent: str | None = None
    children: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    level: int = 0
    requests: tuple[Request, ...] = ()
    supervision: tuple[Supervision, ...] = ()
    whistle: WhistleCall | None = None
    callbacks: tuple[Callback, ...] = ()
    external: str | None = None
    exempt: tuple[str, ...] = ()
    claimed_by: str | None = None
    claim_until: str | None = None
    desk_at: str | None = None
    checked_at: str | None = None
    ended_as: str | None = None
    text: str | None = None
    next_at: str | None = None
    updates: dict[str, int] | None = None
    history_pages: int = 0
    history: list[msgspec.Raw] = []


_incident = msgspec.json.Decoder(IncidentRecord)


def decode_incident(value: bytes) -> IncidentRecord:
    """Read a record of `incidents` or the final record of `archive`.

    Raises:
        msgspec.ValidationError: it is something else.
    """
    return _incident.decode(value)


def from_record(record: IncidentRecord, share: dict[Any, Any]) -> Incident:
    """Back into the engine's form; equal decisions become one object through `share`.

    `next_ms` of the targets is left for the caller, who knows the clocks.
    """
    decided = share.setdefault(record.decision, record.decision)
    return Incident(
        incident_id=record.incident_id,
        state=record.state,
        category=record.category,
        reported_category=record.reported_category,
        standard=record.standard,
        request_kind=record.request_kind,
        severity=record.severity,
        mode=record.mode,
        place=record.place,
        facts=record.facts,
        decided=decided,
        decision_seq=record.decision_seq,
        opened_ms=text_to_ms(record.opened_at),
        reported_ms=text_to_ms(record.reported_at),
        updated_ms=text_to_ms(record.updated_at),
        lead=None if record.lead is None else _assignment(record.lead),
        support=tuple([_assignment(a) for a in record.support]),
        targets=tuple([_target(t) for t in record.targets]),
        reports=record.reports,
        report_count=record.report_count,
        reporter_count=record.reporter_count,
        tags=record.tags,
        flags=record.flags,
        last_report_ms=text_to_ms(record.last_report_at),
        asset=record.asset,
        closed_ms=_ms(record.closed_at),
        promised_ms=_ms(record.promised_at),
        verify_ms=_ms(record.verify_at),
        drop_ms=_ms(record.drop_at),
        counts=record.counts,
        parent=record.parent,
        children=record.children,
        suggested=record.suggested,
        dispatched_by=record.dispatched_by,
        dispatched_ms=_ms(record.dispatched_at),
        history=tuple([bytes(entry).decode() for entry in record.history]),
        history_pages=record.history_pages,
        updates=record.updates,
        level=record.level,
        requests=record.requests,
        supervision=record.supervision,
        whistle=record.whistle,
        callbacks=record.callbacks,
        external=record.external,
        exempt=record.exempt,
        claimed_by=record.claimed_by,
        claim_until_ms=_ms(record.claim_until),
        desk_ms=_ms(record.desk_at),
        checked_ms=_ms(record.checked_at),
        ended_as=record.ended_as,
        text=record.text,
        revision=record.revision,
        next_ms=NEVER_MS if record.next_at is None else text_to_ms(record.next_at),
    )


def _assignment(a: AssignmentRecord) -> Assignment:
    return Assignment(
        a.department, a.unit, a.role, a.task, a.required, a.state, text_to_ms(a.since), text_to_ms(a.offered_at), a.by,
        _ms(a.acknowledged_at), _ms(a.arrived_at), _ms(a.done_at), a.reason_code,
        a.person, _ms(a.hold_until), a.holds, a.score,
    )  # fmt: skip


def _target(t: TargetRecord) -> Target:
    since_ms = -1 if t.since is None else text_to_ms(t.since)
    return Target(
        t.name, t.of, t.budget, t.clock, t.by, t.amount_ms, t.consumed_ms, since_ms, text_to_ms(t.due_at),
        t.provisional, t.warned, t.paused_by, t.extended, t.rung,
        tuple([(text_to_ms(start), text_to_ms(stop)) for start, stop in t.runs]),
        _ms(t.fulfilled_at), _ms(t.breached_at), _ms(t.revoked_at),
    )  # fmt: skip


def _ms(text: str | None) -> int | None:
    return None if text is None else text_to_ms(text)


class _Change(Struct):
    event: str
    seq: int = 0
    decision: msgspec.Raw = msgspec.Raw(b"")


class _Event(Struct):
    changes: list[_Change] = []


_event = msgspec.json.Decoder(_Event)


def recorded_decisions(events: Iterable[bytes]) -> dict[int, bytes]:
    """The decisions of one incident as `events` has them, byte for byte, by their number."""
    return {
        change.seq: bytes(change.decision)
        for value in events
        for change in _event.decode(value).changes
        if change.event == "decision"
    }
