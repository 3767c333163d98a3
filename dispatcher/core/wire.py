"""An incident as JSON: the record on `incidents` is all an engine needs to go on with it.

Written by joining fragments (nested structs cost four times as much); `records` reads it back.
"""

import msgspec

from dispatcher.core.incident import NEVER_MS, Assignment, Brief, Decided, Incident, Target
from dispatcher.core.instants import ms_to_text
from dispatcher.core.lifecycle import CENTRE, LED_STATES, STAGE_OF
from geo import Place

__all__ = [
    "STAGE_BYTES",
    "assignment_json",
    "brief_json",
    "decided_json",
    "encode",
    "incident_json",
    "place_json",
    "promised_json",
    "quoted",
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


def responsible(incident: Incident) -> str | None:
    """The one party responsible for an open incident right now; None once it has ended."""
    if not incident.open:
        return None
    if incident.state in LED_STATES and incident.lead is not None:
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


STAGE_BYTES = {state: stage.encode() for state, stage in STAGE_OF.items()}  # the one Chinese word of most incidents


def brief_json(brief: Brief) -> bytes:
    """The fields of an order's brief, without braces."""
    return encode(brief)[1:-1]


_decided: dict[int, tuple[Decided, str]] = {}


def decided_json(decided: Decided) -> str:
    """What an incident keeps of its decision; remembered by identity, since many share one."""
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


def promised_json(target: Target) -> str:
    """The fields of a target up to when it is due, which do not change while it runs."""
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
    text = f'{promised_json(target)}{ms_to_text(target.due_ms)}"'
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
    if target.extended:
        text += f',"extended":{target.extended}'
    if target.rung:
        text += f',"rung":{target.rung}'
    if target.runs:
        spans = ",".join([f'["{ms_to_text(start)}","{ms_to_text(stop)}"]' for start, stop in target.runs])
        text += f',"runs":[{spans}]'
    if target.fulfilled_ms is not None:
        text += f',"fulfilled_at":"{ms_to_text(target.fulfilled_ms)}"'
    if target.breached_ms is not None:
        text += f',"breached_at":"{ms_to_text(target.breached_ms)}"'
    if target.revoked_ms is not None:
        text += f',"revoked_at":"{ms_to_text(target.revoked_ms)}"'
    return text


def assignment_json(a: Assignment) -> str:
    """An assignment; its first instants are `since` and `offered_at`."""
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
    if a.person is not None:
        text += f',"person":{quoted(a.person)}'
    if a.hold_until_ms is not None:
        text += f',"hold_until":"{ms_to_text(a.hold_until_ms)}"'
    for name, number in (("holds", a.holds), ("score", a.score)):
        if number:
            text += f',"{name}":{number}'
    return text + "}"


def incident_json(i: Incident) -> bytes:
    """The whole public state, which is also all the engine needs to go on after a restart."""
    head = f'{{"incident_id":"{i.incident_id}","revision":{i.revision},"state":"{i.state}","stage":"'
    parts = [
        (
            f'","responsible":{_json(responsible(i))},"category":{_json(i.category)},'
            f'"reported_category":{quoted(i.reported_category)},"severity":{i.severity},"mode":{quoted(i.mode)},'
            f'"place":{place_json(i.place)},"reports":{encode(i.reports).decode()},"report_count":{i.report_count},'
            f'"reporter_count":{i.reporter_count},"opened_at":"{ms_to_text(i.opened_ms)}",'
            f'"reported_at":"{ms_to_text(i.reported_ms)}","updated_at":"{ms_to_text(i.updated_ms)}",'
            f'"last_report_at":"{ms_to_text(i.last_report_ms)}","decision":{decided_json(i.decided)},'
            f'"decision_seq":{i.decision_seq},"facts":{encode(i.facts).decode()}'
        )
    ]
    if i.lead is not None:
        parts.append(f'"lead":{assignment_json(i.lead)}')
    if i.support:
        parts.append(f'"support":[{",".join([assignment_json(a) for a in i.support])}]')
    if i.targets:
        parts.append(f'"targets":[{",".join([f"{{{target_json(t)}}}" for t in i.targets])}]')
    for name, things in (
        ("tags", i.tags),
        ("flags", i.flags),
        ("children", i.children),
        ("suggested", i.suggested),
        ("requests", i.requests),
        ("supervision", i.supervision),
        ("whistle", i.whistle),
        ("callbacks", i.callbacks),
        ("exempt", i.exempt),
        ("counts", i.counts),
        ("updates", i.updates),
    ):
        if things:
            parts.append(f'"{name}":{encode(things).decode()}')
    for name, word in (
        ("standard", i.standard),
        ("request_kind", i.request_kind),
        ("asset", i.asset),
        ("parent", i.parent),
        ("dispatched_by", i.dispatched_by),
        ("external", i.external),
        ("claimed_by", i.claimed_by),
        ("ended_as", i.ended_as),
    ):
        if word is not None:
            parts.append(f'"{name}":{quoted(word)}')
    for name, instant_ms in (
        ("closed_at", i.closed_ms),
        ("promised_at", i.promised_ms),
        ("verify_at", i.verify_ms),
        ("drop_at", i.drop_ms),
        ("dispatched_at", i.dispatched_ms),
        ("claim_until", i.claim_until_ms),
        ("desk_at", i.desk_ms),
        ("checked_at", i.checked_ms),
    ):
        if instant_ms is not None:
            parts.append(f'"{name}":"{ms_to_text(instant_ms)}"')
    if i.text is not None:
        parts.append(f'"text":{encode(i.text).decode()}')
    if i.level:
        parts.append(f'"level":{i.level}')
    if i.next_ms < NEVER_MS:
        parts.append(f'"next_at":"{ms_to_text(i.next_ms)}"')
    if i.history_pages:
        parts.append(f'"history_pages":{i.history_pages}')
    parts.append(f'"history":[{",".join(i.history)}]}}')
    return head.encode() + STAGE_BYTES[i.state] + ",".join(parts).encode()


def _json(word: str | None) -> str:
    return "null" if word is None else quoted(word)
