"""Routing: facts in, a decision out, and from the decision the departments of an incident.

The decision itself is `rules`' business. Here it becomes an incident with one lead and every support (`offering`).
"""

from collections.abc import Sequence

from dispatcher.core.dossier import WhistleCall
from dispatcher.core.incident import Brief, Decided, Incident
from dispatcher.core.instants import DAY_MS, ms_to_text
from dispatcher.core.lifecycle import IncidentState, move_incident
from dispatcher.core.messages import Report, Whistle
from dispatcher.core.offering import compel, offer, open_promise, shown_party
from dispatcher.core.privacy import mask_code, mask_text
from dispatcher.core.publish import Change
from dispatcher.core.rulebook import SEMANTICS, Rulebook
from dispatcher.core.wire import encode, quoted
from dispatcher.core.work import ReportWork
from geo import Place
from rules import Decision, Facts, Policy, claimed_severity

__all__ = [
    "branch",
    "decision_counts",
    "decision_json",
    "dispatch",
    "facts_of",
    "held_by",
    "open_incident",
    "record_decision",
    "settle_decision",
    "whistle_of",
]

_REPORTED_LATE = ("reported_late",)


def held_by(path: Sequence[str], decision: Decision) -> int:
    """The level that holds it: the decision's, or the deepest that the path of its place has."""
    return min(decision.level, len(path))


def facts_of(policy: Policy, work: ReportWork, mode: str, category: str | None, reporters: int) -> Facts:
    """What the rules get to see of a report: flat, without free text, enough to decide again at any time."""
    report, source = work.report, policy.source(work.report.source)
    return Facts(
        category=category,
        severity=claimed_severity(source, policy.category(category), report.severity),
        mode=mode,
        path=work.place.path,
        source=report.source,
        platform="" if source is None else source.platform,
        confidence=report.confidence,
        tags=tuple(sorted(set(report.tags))) if report.tags else (),
        whistle=None if report.whistle is None else report.whistle.kind,
        reporters=reporters,
        place=work.place.how,
        keywords=() if not report.text else policy.keywords_in(report.text),
        attributes=tuple(sorted([(k, v) for k, v in report.attributes.items() if v is not None])),
        standard=report.standard,
        request_kind=report.request_kind,
        at_ms=work.time_ms,
    )


def settle_decision(
    book: Rulebook, incident: Incident, decision: Decision, cause: str, change: Change, grid: str
) -> None:
    """Keep what the incident needs of a decision on its facts, and record the whole of it on `events`."""
    incident.decided = book.decided(decision, cause, None if incident.dispatched_ms is None else incident.decided)
    record_decision(book, incident, decision, change, grid)


def record_decision(book: Rulebook, incident: Incident, decision: Decision, change: Change, grid: str) -> None:
    """The decision record: what was decided, on which facts, under which policy."""
    incident.decision_seq += 1
    facts = encode(incident.facts).decode()
    change.entries.append(decision_json(book, incident, decision, ms_to_text(change.at_ms), grid, facts))


def decision_json(book: Rulebook, incident: Incident, decision: Decision, at: str, grid: str, facts: str) -> str:
    """The entry on `events` of an incident's last decision; `facts` are the incident's, as JSON."""
    return (
        f'{{"event":"decision","decision_id":"{incident.incident_id}/{incident.decision_seq}",'
        f'"seq":{incident.decision_seq},"cause":"{incident.decided.cause}","taken_at":"{at}",'
        f'"policy":"{book.policy.sha256}","semantics":{SEMANTICS},"grid":"{grid}","mode":{quoted(incident.mode)},'
        f'"facts":{facts},"decision":{{{book.record(decision)}}}}}'
    )


def decision_counts(decision: Decision) -> list[str]:
    """What is counted of a decision that an incident is opened by: the rules that had a part in it, or the fallback."""
    won = f"fallback:{decision.fallback}" if decision.route is None else f"rule:{decision.route}"
    return [won, *[f"rule:{overlay}" for overlay in decision.overlays]]


def open_incident(work: ReportWork, incident_id: str, facts: Facts, decided: Decided) -> Incident:
    """A new incident, received and not yet decided on."""
    report = work.report
    location = report.location
    return Incident(
        incident_id=incident_id,
        state=IncidentState.RECEIVED,
        category=facts.category,
        reported_category=report.category if facts.category is not None else mask_code(report.category),
        standard=report.standard,
        request_kind=report.request_kind,
        severity=facts.severity,
        mode=facts.mode,
        place=work.place,
        facts=facts,
        decided=decided,
        decision_seq=0,
        opened_ms=work.time_ms,
        reported_ms=work.reported_ms,
        updated_ms=work.time_ms,
        lead=None,
        support=(),
        targets=(),
        reports=((report.source, report.report_id),),
        report_count=1,
        reporter_count=facts.reporters,
        tags=_place_tags(facts, work.place),
        flags=_REPORTED_LATE if work.time_ms - work.reported_ms > DAY_MS else (),
        last_report_ms=work.time_ms,
        asset=None if location is None else location.asset,
        promised_ms=work.promised_ms,
        brief=_brief_of(report),
        whistle=None if report.whistle is None else whistle_of(report.whistle, work.place.path, work.time_ms),
    )


def _place_tags(facts: Facts, place: Place) -> tuple[str, ...]:
    """Those of the report, which are in order, and what it lacks."""
    if place.cell is not None and facts.category is not None:
        return facts.tags
    lacks = (("unlocated", place.cell is None), ("uncategorised", facts.category is None))
    return tuple(sorted({*facts.tags, *[tag for tag, is_so in lacks if is_so]}))


def _brief_of(report: Report) -> Brief | None:
    """What orders tell of a report, masked; None when it says nothing."""
    address = None if report.location is None else report.location.address
    if not (report.text or address or report.media):
        return None
    return Brief(
        None if address is None else mask_text(address), mask_text(report.text) if report.text else None, report.media
    )


def whistle_of(whistle: Whistle, path: tuple[str, ...], at_ms: int) -> WhistleCall:
    """A report's whistle as an incident keeps it; a cell around its place is a code, however many digits it has."""
    departments = tuple(shown_party(name, path) for name in whistle.departments)
    unit = whistle.unit if whistle.unit in path else mask_code(whistle.unit)
    return WhistleCall(mask_code(whistle.kind), unit, ms_to_text(at_ms), departments)


def branch(incident: Incident, incident_id: str, facts: Facts, report: tuple[str, str], now_ms: int) -> Incident:
    """An incident of its own for a report that another one had taken in: same kind, same place, its own clocks.

    What the report said is not kept with an incident that took it in, so the branch has no text.
    """
    return Incident(
        incident_id=incident_id,
        state=IncidentState.RECEIVED,
        category=incident.category,
        reported_category=incident.reported_category,
        standard=incident.standard,
        request_kind=incident.request_kind,
        severity=facts.severity,
        mode=facts.mode,
        place=incident.place,
        facts=facts,
        decided=incident.decided,
        decision_seq=0,
        opened_ms=now_ms,
        reported_ms=incident.reported_ms,
        updated_ms=now_ms,
        lead=None,
        support=(),
        targets=(),
        reports=(report,),
        report_count=1,
        reporter_count=1,
        tags=tuple(tag for tag in incident.tags if tag in ("unlocated", "uncategorised")),
        flags=(),
        last_report_ms=now_ms,
        asset=incident.asset,
    )


def dispatch(book: Rulebook, incident: Incident, decision: Decision, change: Change) -> None:
    """Send every department its order: the incident is dispatched, all clocks start now."""
    now_ms = change.at_ms
    old = incident.state
    incident.state = move_incident(incident.state, "dispatch")
    if incident.dispatched_ms is None:
        incident.dispatched_ms = now_ms
    incident.severity = decision.severity
    incident.level = held_by(incident.place.path, decision)
    incident.tags = tuple(sorted({*incident.tags, *decision.tags}))
    change.move(old, incident.state)
    lead = decision.lead
    rules = tuple(rule for rule in (decision.route,) if rule is not None)
    offer(book, incident, change, decision, lead.department, lead.unit, rules)
    for plan in decision.support:
        offer(book, incident, change, decision, plan.department, plan.unit, plan.by, plan)
    if incident.whistle is not None and incident.whistle.ended_at is None:
        compel(book, incident, change, decision, incident.whistle.departments)
    if incident.promised_ms is not None:
        open_promise(book, incident, change)
