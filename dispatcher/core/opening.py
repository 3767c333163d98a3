"""Opening an incident as most are, written out: filed and dispatched at once, all of it in one sweep.

`admit`, `route`, `offering`, `publish` and `wire` say what must come out, step by step and for every case. For the
usual one this says the same bytes in less than half the time, by writing each piece once and each record with one join.
What is put aside, doubted, called for by a whistle or promised goes step by step. The two ways are held together by
`tests/core/test_core_opening.py`, which takes random histories through both.
"""

from sys import intern
from typing import Final

from dispatcher.core.incident import NEVER_MS, Incident
from dispatcher.core.instants import ms_to_text
from dispatcher.core.lifecycle import IncidentState
from dispatcher.core.notices import REPORT, Notice, notice_json
from dispatcher.core.orders import or_null, order_head, queue_json, shared_json, what_json
from dispatcher.core.prepared import Begun, Prepared
from dispatcher.core.publish import change_head, event_json
from dispatcher.core.repeats import Seen
from dispatcher.core.route import decision_json, held_by, open_incident
from dispatcher.core.rulebook import Rulebook
from dispatcher.core.turn import Turn
from dispatcher.core.wire import STAGE_BYTES, decided_json, encode, place_json, quoted
from dispatcher.core.work import ReportWork
from rules import Decision, Facts, Merge, Source, needs_verification

__all__ = ["is_usual", "open_at_once"]

_DISPATCHED = IncidentState.DISPATCHED
_FILED: Final = f'{{"event":"state","from":"{IncidentState.RECEIVED}","to":"{IncidentState.FILED}"}}'
_SENT: Final = f'{{"event":"state","from":"{IncidentState.FILED}","to":"{_DISPATCHED}"}}'
_ACTIVATE: Final = ',{"event":"target","what":"activate",'
_AND_ACTIVATE: Final = "}" + _ACTIVATE


def is_usual(work: ReportWork, decision: Decision, source: Source) -> bool:
    """Whether a report that opens an incident is filed and dispatched at once, with nothing besides."""
    report = work.report
    return (
        decision.outcome is None
        and report.whistle is None
        and work.promised_ms is None
        and not needs_verification(source, report.confidence)
    )


def open_at_once(
    turn: Turn,
    book: Rulebook,
    work: ReportWork,
    facts: Facts,
    decision: Decision,
    suggested: tuple[str, ...],
    rule: Merge | None,
    now_ms: int,
) -> None:
    """Open an incident for a usual report; `suggested` are those it may be a duplicate of."""
    state, report = turn.state, work.report
    prepared = book.prepared(decision, Prepared)
    for key in prepared.counted:
        turn.counts[key] += 1
    incident_id, at = state.next_id(book.local_day(now_ms)), ms_to_text(now_ms)
    begun = prepared.begin(now_ms, at)
    incident = open_incident(work, incident_id, facts, prepared.decided)
    incident.suggested = suggested
    head = _dispatch(incident, decision, prepared, begun, at)
    state.incidents[incident_id] = incident
    state.timers.enter(incident_id, incident.next_ms)
    state.repeats.remember(Seen(intern(report.source), report.report_id, incident_id, work.digest, now_ms))
    state.merges.add(incident, rule)
    state.revisions += 1
    _put_out(turn, book, incident, decision, prepared, begun, at, head)


def _dispatch(incident: Incident, decision: Decision, prepared: Prepared, begun: Begun, at: str) -> str:
    """Make it what it is when every department has its order; returns what its event begins with."""
    incident.state = _DISPATCHED
    incident.severity, incident.level = decision.severity, held_by(incident.place.path, decision)
    incident.decision_seq = incident.revision = 1
    incident.dispatched_ms = incident.opened_ms
    incident.lead, *support = [part.assignment(incident.opened_ms) for part in prepared.parts]
    incident.support, incident.targets, incident.next_ms = tuple(support), begun.targets, begun.next_ms
    if decision.tags:
        incident.tags = tuple(sorted({*incident.tags, *decision.tags}))
    head = change_head(incident, at, "report")
    incident.history = ("{" + head + "}",)
    return head


def _put_out(
    turn: Turn,
    book: Rulebook,
    incident: Incident,
    decision: Decision,
    prepared: Prepared,
    begun: Begun,
    at: str,
    head: str,
) -> None:
    """Everything that is told of it, in the order of `Publisher.publish`."""
    out, incident_id, now_ms = turn.out, incident.incident_id, incident.opened_ms
    ((source, report_id),) = incident.reports
    brief = b""
    if incident.brief is not None:
        value = encode(incident.brief)
        out.keep(f"brief/{incident_id}", value)
        brief = b"," + value[1:-1]
    facts, said_id, tags = (encode(each).decode() for each in (incident.facts, report_id, incident.tags))
    suggested = ""
    if incident.suggested:
        suggested = f'{{"event":"merge_suggested","incidents":{encode(incident.suggested).decode()}}},'
    decided = decision_json(book, incident, decision, at, turn.grid, facts)
    activated = f"{_ACTIVATE}{_AND_ACTIVATE.join(begun.said)}}}" if begun.said else ""
    reported = f'{{"event":"reported","source":{quoted(source)},"report_id":{said_id}}}'
    entries = f"{reported},{suggested}{_FILED},{decided},{_SENT}{activated}"
    out.emit("events", incident_id, now_ms, event_json(incident_id, head, entries))

    what = what_json(incident, book.policy)
    line = queue_json(incident, "entered", at, what, prepared.lead, prepared.support, begun.soonest, tags)
    out.emit("routed", incident_id, now_ms, line)
    shared = shared_json(incident, what + brief, prepared.others, tags)
    for n, (part, due) in enumerate(zip(prepared.parts, begun.dues, strict=True)):
        out.emit(part.topic, incident_id, now_ms, order_head(incident, n, part.says, due, part.may) + shared)
    if source in book.people:
        to = f"{REPORT}{source}/{report_id}"
        out.emit("notices", to, now_ms, notice_json(incident, book.policy, at, 0, Notice(to, "accepted")))
    out.wrote(incident, _incident_json(incident, prepared, begun, at, facts, said_id, tags))


def _incident_json(
    i: Incident, prepared: Prepared, begun: Begun, at: str, facts_json: str, said_id: str, tags_json: str
) -> bytes:
    targets = f',"targets":[{{{"},{".join(begun.said)}}}]' if begun.said else ""
    tags = f',"tags":{tags_json}' if i.tags else ""
    flags = f',"flags":{encode(i.flags).decode()}' if i.flags else ""
    suggested = f',"suggested":{encode(i.suggested).decode()}' if i.suggested else ""
    standard = "" if i.standard is None else f',"standard":{quoted(i.standard)}'
    kind = "" if i.request_kind is None else f',"request_kind":{quoted(i.request_kind)}'
    asset = "" if i.asset is None else f',"asset":{quoted(i.asset)}'
    level = f',"level":{i.level}' if i.level else ""
    following = f',"next_at":"{ms_to_text(i.next_ms)}"' if i.next_ms < NEVER_MS else ""
    head = f'{{"incident_id":"{i.incident_id}","revision":1,"state":"{_DISPATCHED}","stage":"'
    rest = (
        f'","responsible":{prepared.lead},"category":{or_null(i.category)},'
        f'"reported_category":{quoted(i.reported_category)},"severity":{i.severity},"mode":{quoted(i.mode)},'
        f'"place":{place_json(i.place)},"reports":[[{quoted(i.reports[0][0])},{said_id}]],"report_count":1,'
        f'"reporter_count":{i.reporter_count},"opened_at":"{at}","reported_at":"{ms_to_text(i.reported_ms)}",'
        f'"updated_at":"{at}","last_report_at":"{at}","decision":{decided_json(i.decided)},"decision_seq":1,'
        f'"facts":{facts_json},{at.join(prepared.assigned)}{targets}{tags}{flags}{suggested}{standard}{kind}{asset},'
        f'"dispatched_at":"{at}"{level}{following},"history":[{i.history[0]}]}}'
    )
    return head.encode() + STAGE_BYTES[_DISPATCHED] + rest.encode()
