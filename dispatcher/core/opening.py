"""Opening an incident as most are, written out: filed and dispatched at once, all of it in one sweep.

`admit`, `route`, `offering`, `publish` and `wire` say what must come out, step by step and for every case. For the
usual one this says the same bytes in less than half the time, by writing each piece once and each record with one join.
What is put aside, doubted, called for by a whistle or promised goes step by step. The two ways are held together by
`tests/core/test_core_opening.py`, which takes random histories through both.
"""

from sys import intern
from typing import Final

from dispatcher.core.incident import NEVER_MS, Incident
from dispatcher.core.instants import DAY_MS, ms_to_text
from dispatcher.core.lifecycle import IncidentState
from dispatcher.core.notices import REPORT, Notice, notice_json
from dispatcher.core.orders import or_null, what_json
from dispatcher.core.prepared import Begun, Prepared
from dispatcher.core.privacy import mask_code
from dispatcher.core.repeats import Seen
from dispatcher.core.route import REPORTED_LATE, brief_of, held_by
from dispatcher.core.rulebook import SEMANTICS, Rulebook
from dispatcher.core.turn import Turn
from dispatcher.core.wire import STAGE_BYTES, decided_json, encode, place_json, quoted
from dispatcher.core.work import ReportWork
from rules import Decision, Facts, Merge, Source, needs_verification

__all__ = ["is_usual", "open_at_once"]

_DISPATCHED = IncidentState.DISPATCHED
_FILED: Final = f'{{"event":"state","from":"{IncidentState.RECEIVED}","to":"{IncidentState.FILED}"}}'
_SENT: Final = f'{{"event":"state","from":"{IncidentState.FILED}","to":"{_DISPATCHED}"}}'


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
    incident = _incident(incident_id, work, facts, decision, prepared, begun, at, now_ms)
    incident.suggested = suggested
    state.incidents[incident_id] = incident
    state.timers.enter(incident_id, incident.next_ms)
    state.repeats.remember(Seen(intern(report.source), report.report_id, incident_id, work.digest, now_ms))
    state.merges.add(incident, rule)
    state.revisions += 1
    _put_out(turn, book, incident, decision, prepared, begun, at)


def _incident(
    incident_id: str,
    work: ReportWork,
    facts: Facts,
    decision: Decision,
    prepared: Prepared,
    begun: Begun,
    at: str,
    now_ms: int,
) -> Incident:
    """As it is when every department has its order."""
    report, place = work.report, work.place
    lead, *support = [part.assignment(now_ms) for part in prepared.parts]
    return Incident(
        incident_id=incident_id,
        state=_DISPATCHED,
        category=facts.category,
        reported_category=report.category if facts.category is not None else mask_code(report.category),
        standard=report.standard,
        request_kind=report.request_kind,
        severity=decision.severity,
        mode=facts.mode,
        place=place,
        facts=facts,
        decided=prepared.decided,
        decision_seq=1,
        opened_ms=now_ms,
        reported_ms=work.reported_ms,
        updated_ms=now_ms,
        lead=lead,
        support=tuple(support),
        targets=begun.targets,
        reports=((report.source, report.report_id),),
        report_count=1,
        reporter_count=facts.reporters,
        tags=_tags(facts, decision, located=place.cell is not None),
        flags=REPORTED_LATE if now_ms - work.reported_ms > DAY_MS else (),
        last_report_ms=now_ms,
        asset=None if report.location is None else report.location.asset,
        dispatched_ms=now_ms,
        history=("{" + _head(at) + "}",),
        brief=brief_of(report),
        level=held_by(place.path, decision),
        revision=1,
        next_ms=begun.next_ms,
    )


def _tags(facts: Facts, decision: Decision, *, located: bool) -> tuple[str, ...]:
    if located and facts.category is not None and not decision.tags:
        return facts.tags  # in order already
    missing = [] if located else ["unlocated"]
    if facts.category is None:
        missing.append("uncategorised")
    return tuple(sorted({*facts.tags, *missing, *decision.tags}))


def _head(at: str) -> str:
    return f'"revision":1,"at":"{at}","what":"report","state":"{_DISPATCHED}"'


def _put_out(
    turn: Turn, book: Rulebook, incident: Incident, decision: Decision, prepared: Prepared, begun: Begun, at: str
) -> None:
    """Everything that is told of it, in the order of `Publisher.publish`."""
    out, incident_id, now_ms, facts = turn.out, incident.incident_id, incident.opened_ms, incident.facts
    ((source, report_id),) = incident.reports
    brief = b""
    if incident.brief is not None:
        value = encode(incident.brief)
        out.keep(f"brief/{incident_id}", value)
        brief = b"," + value[1:-1]
    facts_json, said_id = encode(facts).decode(), encode(report_id).decode()
    suggested = ""
    if incident.suggested:
        suggested = f'{{"event":"merge_suggested","incidents":{encode(incident.suggested).decode()}}},'
    activated = "".join([f',{{"event":"target","what":"activate",{one}}}' for one in begun.said])
    event = (
        f'{{"incident_id":"{incident_id}",{_head(at)},"changes":[{{"event":"reported","source":{quoted(source)},'
        f'"report_id":{said_id}}},{suggested}{_FILED},{{"event":"decision","decision_id":"{incident_id}/1","seq":1,'
        f'"cause":"report","taken_at":"{at}","policy":"{book.policy.sha256}","semantics":{SEMANTICS},'
        f'"grid":"{turn.grid}","mode":{quoted(facts.mode)},"facts":{facts_json},'
        f'"decision":{{{book.record(decision)}}}}},{_SENT}{activated}]}}'
    )
    out.emit("events", incident_id, now_ms, event.encode())

    what, tags = what_json(incident, book.policy), encode(incident.tags).decode()
    entered = f'{{"incident_id":"{incident_id}","revision":1,"event":"entered","at":"{at}","state":"{_DISPATCHED}",'
    line = (
        f',"lead":{prepared.lead},"support":[{prepared.support}],"due":{{{begun.soonest}}},"route":{prepared.route},'
        f'"why":{prepared.why},"tags":{tags}}}'
    )
    out.emit("routed", incident_id, now_ms, entered.encode() + what + line.encode())

    shared = what + brief + f',"others":[{prepared.others}],"why":{prepared.why},"tags":{tags}}}'.encode()
    for n, (part, due_json) in enumerate(zip(prepared.parts, begun.dues, strict=True)):
        order = (
            f'{{"order_id":"dept:{incident_id}:1:{n}","incident_id":"{incident_id}","revision":1,{part.says},'
            f'"due":{{{due_json}}},"may":[{part.may}],'
        )
        out.emit(part.topic, incident_id, now_ms, order.encode() + shared)
    if source in book.people:
        to = f"{REPORT}{source}/{report_id}"
        out.emit("notices", to, now_ms, notice_json(incident, book.policy, at, 0, Notice(to, "accepted")))
    out.wrote(incident, _incident_json(incident, prepared, begun, at, facts_json, said_id, tags))


def _incident_json(
    i: Incident, prepared: Prepared, begun: Begun, at: str, facts_json: str, said_id: str, tags_json: str
) -> bytes:
    parts = [f"{part.json[0]}{at}{part.json[1]}{at}{part.json[2]}" for part in prepared.parts]
    support = f',"support":[{",".join(parts[1:])}]' if len(parts) > 1 else ""
    targets = f',"targets":[{",".join([f"{{{one}}}" for one in begun.said])}]' if begun.said else ""
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
        f'"facts":{facts_json},"lead":{parts[0]}{support}{targets}{tags}{flags}{suggested}{standard}{kind}{asset},'
        f'"dispatched_at":"{at}"{level}{following},"history":[{i.history[0]}]}}'
    )
    return head.encode() + STAGE_BYTES[_DISPATCHED] + rest.encode()
