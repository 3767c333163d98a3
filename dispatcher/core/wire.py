"""An incident as JSON and back: the record on `incidents` is all an engine needs to go on with it.

Written by joining fragments (nested structs cost four times as much), read by msgspec into `IncidentRecord`, which is
also what projections, audits and explanations read. `from_record(to JSON) == incident` and the other way round.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from dispatcher.core.incident import NEVER_MS, Assignment, Brief, Counts, Decided, Incident, Target
from dispatcher.core.instants import ms_to_text, text_to_ms
from dispatcher.core.lifecycle import CENTRE, STAGE_OF, AssignmentState, IncidentState
from geo import Place
from rules import Facts

__all__ = [
    "AssignmentRecord",
    "IncidentRecord",
    "TargetRecord",
    "brief_json",
    "decode_incident",
    "encode",
    "from_record",
    "incident_json",
    "place_json",
    "quoted",
    "recorded_decisions",
    "responsible",
    "target_json",
]

_encoder = msgspec.json.Encoder()
encode = _encoder.encode

_quoted: dict[str, str] = {}
_QUOTED_LIMIT = 50_000  # codes, titles and reasons repeat; ids don't and would fill it


def quoted(text: str) -> str:
    """A word of the vocabulary (code, title, reason) as JSON; remembered, since the same few thousand recur."""
    known = _quoted.get(text)
    if known is None:
        if len(_quoted) >= _QUOTED_LIMIT:
            _quoted.clear()
        known = _quoted[text] = encode(text).decode()
    return known


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


def responsible(incident: Incident) -> str | None:
    """The one party responsible for an open incident right now; None once it has ended."""
    if not incident.open:
        return None
    if incident.state in (IncidentState.DISPATCHED, IncidentState.HANDLING) and incident.lead is not None:
        return incident.lead.party
    return CENTRE


_places: dict[int, tuple[Place, str]] = {}


def place_json(place: Place) -> str:
    """A place; the last ones are remembered by identity, since one change writes its place several times."""
    known = _places.get(id(place))
    if known is not None and known[0] is place:
        return known[1]
    text = encode(place).decode()
    if len(_places) >= 4096:  # one batch's worth
        _places.clear()
    _places[id(place)] = (place, text)
    return text


def brief_json(brief: Brief) -> str:
    """The fields of an order's brief, without braces."""
    return encode(brief).decode()[1:-1]


_decided: dict[int, tuple[Decided, str]] = {}


def _decided_json(decided: Decided) -> str:
    known = _decided.get(id(decided))
    if known is not None and known[0] is decided:
        return known[1]
    text = encode(decided).decode()
    if len(_decided) >= 20_000:
        _decided.clear()
    _decided[id(decided)] = (decided, text)
    return text


_promised: dict[tuple[str, str, str, str, str, int], str] = {}  # what does not change while a target runs
_PROMISED_MAX = 50_000


def _promised_json(target: Target) -> str:
    key = (target.name, target.of, target.budget, target.clock, target.by, target.amount_ms)
    known = _promised.get(key)
    if known is None:
        if len(_promised) >= _PROMISED_MAX:
            _promised.clear()
        known = _promised[key] = (
            f'"name":"{target.name}","of":{quoted(target.of)},"budget":"{target.budget}",'
            f'"clock":{quoted(target.clock)},"by":{quoted(target.by)},"amount_ms":{target.amount_ms},"due_at":"'
        )
    return known


def target_json(target: Target) -> str:
    """The fields of a target, without braces."""
    text = f'{_promised_json(target)}{ms_to_text(target.due_ms)}"'
    if target.consumed_ms:
        text += f',"consumed_ms":{target.consumed_ms}'
    if target.since_ms >= 0:
        text += f',"since":"{ms_to_text(target.since_ms)}"'
    if target.provisional:
        text += ',"provisional":true'
    if target.warned:
        text += f',"warned":{target.warned}'
    if target.paused_by is not None:
        text += f',"paused_by":{quoted(target.paused_by)}'
    if target.fulfilled_ms is not None:
        text += f',"fulfilled_at":"{ms_to_text(target.fulfilled_ms)}"'
    if target.breached_ms is not None:
        text += f',"breached_at":"{ms_to_text(target.breached_ms)}"'
    if target.revoked_ms is not None:
        text += f',"revoked_at":"{ms_to_text(target.revoked_ms)}"'
    return text


def _assignment_json(a: Assignment) -> str:
    text = (
        f'{{"department":{quoted(a.department)},"role":"{a.role}","state":"{a.state}","since":"{ms_to_text(a.since_ms)}",'
        f'"offered_at":"{ms_to_text(a.offered_ms)}"'
    )
    if a.unit is not None:
        text += f',"unit":{quoted(a.unit)}'
    if a.task is not None:
        text += f',"task":{quoted(a.task)}'
    if a.required:
        text += ',"required":true'
    if a.by:
        text += f',"by":{encode(a.by).decode()}'
    if a.acknowledged_ms is not None:
        text += f',"acknowledged_at":"{ms_to_text(a.acknowledged_ms)}"'
    if a.arrived_ms is not None:
        text += f',"arrived_at":"{ms_to_text(a.arrived_ms)}"'
    if a.done_ms is not None:
        text += f',"done_at":"{ms_to_text(a.done_ms)}"'
    if a.reason_code is not None:
        text += f',"reason_code":{quoted(a.reason_code)}'
    return text + "}"


def incident_json(i: Incident) -> bytes:
    """The whole public state, which is also all the engine needs to go on after a restart."""
    parts = [
        (
            f'{{"incident_id":"{i.incident_id}","revision":{i.revision},"state":"{i.state}","stage":"{STAGE_OF[i.state]}",'
            f'"responsible":{_json(responsible(i))},"category":{_json(i.category)},'
            f'"reported_category":{quoted(i.reported_category)},"severity":{i.severity},"mode":{quoted(i.mode)},'
            f'"place":{place_json(i.place)},"reports":{encode(i.reports).decode()},"report_count":{i.report_count},'
            f'"reporter_count":{i.reporter_count},"opened_at":"{ms_to_text(i.opened_ms)}",'
            f'"reported_at":"{ms_to_text(i.reported_ms)}","updated_at":"{ms_to_text(i.updated_ms)}",'
            f'"last_report_at":"{ms_to_text(i.last_report_ms)}","decision":{_decided_json(i.decided)},'
            f'"decision_seq":{i.decision_seq},"facts":{encode(i.facts).decode()}'
        )
    ]
    if i.lead is not None:
        parts.append(f'"lead":{_assignment_json(i.lead)}')
    if i.support:
        parts.append(f'"support":[{",".join([_assignment_json(a) for a in i.support])}]')
    if i.targets:
        parts.append(f'"targets":[{",".join([f"{{{target_json(t)}}}" for t in i.targets])}]')
    for name, words in (("tags", i.tags), ("flags", i.flags), ("children", i.children), ("suggested", i.suggested)):
        if words:
            parts.append(f'"{name}":{encode(words).decode()}')
    for name, word in (
        ("standard", i.standard),
        ("request_kind", i.request_kind),
        ("asset", i.asset),
        ("parent", i.parent),
        ("dispatched_by", i.dispatched_by),
    ):
        if word is not None:
            parts.append(f'"{name}":{quoted(word)}')
    for name, instant_ms in (
        ("closed_at", i.closed_ms),
        ("promised_at", i.promised_ms),
        ("verify_at", i.verify_ms),
        ("drop_at", i.drop_ms),
        ("dispatched_at", i.dispatched_ms),
    ):
        if instant_ms is not None:
            parts.append(f'"{name}":"{ms_to_text(instant_ms)}"')
    if i.counts is not None:
        parts.append(f'"counts":{encode(i.counts).decode()}')
    if i.updates:
        parts.append(f'"updates":{encode(i.updates).decode()}')
    if i.history_pages:
        parts.append(f'"history_pages":{i.history_pages}')
    parts.append(f'"history":[{",".join(i.history)}]}}')
    return ",".join(parts).encode()


def from_record(record: IncidentRecord, share: dict[Any, Any]) -> Incident:
    """Back into the engine's form; equal decisions become one object through `share`.

    `next_ms` of targets and incident are left for the caller, who knows the clocks.
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
        revision=record.revision,
        next_ms=NEVER_MS,
    )


def _assignment(a: AssignmentRecord) -> Assignment:
    return Assignment(
        a.department, a.unit, a.role, a.task, a.required, a.state, text_to_ms(a.since), text_to_ms(a.offered_at), a.by,
        _ms(a.acknowledged_at), _ms(a.arrived_at), _ms(a.done_at), a.reason_code,
    )  # fmt: skip


def _target(t: TargetRecord) -> Target:
    since_ms = -1 if t.since is None else text_to_ms(t.since)
    return Target(
        t.name, t.of, t.budget, t.clock, t.by, t.amount_ms, t.consumed_ms, since_ms, text_to_ms(t.due_at),
        t.provisional, t.warned, t.paused_by, _ms(t.fulfilled_at), _ms(t.breached_at), _ms(t.revoked_at),
    )  # fmt: skip


def _ms(text: str | None) -> int | None:
    return None if text is None else text_to_ms(text)


def _json(word: str | None) -> str:
    return "null" if word is None else quoted(word)


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
