"""Reports: repeats are dropped, wrong ones rejected; the others join something open, or open an incident."""

from sys import intern

from msgspec.structs import replace

from dispatcher.core.incident import REPORTS_MAX, Incident
from dispatcher.core.messages import Reason
from dispatcher.core.mover import Mover
from dispatcher.core.notices import REPORT
from dispatcher.core.opening import is_usual, open_at_once
from dispatcher.core.privacy import mask_code
from dispatcher.core.publish import Change
from dispatcher.core.repeats import Seen
from dispatcher.core.route import decision_counts, dispatch, facts_of, open_incident, settle_decision, whistle_of
from dispatcher.core.rulebook import Rulebook
from dispatcher.core.turn import Turn
from dispatcher.core.whistling import take_whistle_over
from dispatcher.core.wire import encode
from dispatcher.core.work import ReportWork
from rules import Decision, Facts, Merge, is_people, needs_verification

__all__ = ["admit"]

VERIFY_WITHIN_MS = 30 * 60_000  # when the SLA does not say
SUGGESTED_MAX = 5  # incidents a report may be a duplicate of; an operator looks at no more


def admit(turn: Turn, work: ReportWork, now_ms: int) -> None:
    """Take a report: a repeat, a rejection, one more of something open, or a new incident."""
    state, report = turn.state, work.report
    seen = state.repeats.seen(report.source, report.report_id, now_ms)
    if seen is not None:
        if seen.digest == work.digest:
            turn.count("reports_repeated")
        else:
            turn.refuse(work, Reason.CONFLICT, f"{report.report_id} was taken with other content")
        return
    book = state.book
    policy = book.policy
    source = policy.source(report.source)
    if source is None:
        turn.refuse(work, Reason.UNKNOWN_SOURCE, f"no source {mask_code(report.source)} in the policy")
        return
    category = policy.resolve_category(report.category)
    if category is None and source.strict_category:
        turn.refuse(work, Reason.UNKNOWN_CATEGORY, f"no category {mask_code(report.category)} in the policy")
        return
    if work.place.cell is None and source.strict_place and report.location is not None:
        reason = Reason.UNKNOWN_CELL if work.place.note == "unknown_cell" else Reason.BAD_LOCATION
        turn.refuse(work, reason, work.place.note or work.place.how)
        return
    turn.count("reports_accepted")
    if work.place.cell is not None:
        turn.count("reports_located")
    if category is None:
        turn.counts["uncategorised"] += 1
    facts = facts_of(policy, work, state.mode_at(work.place.path), category, 1)
    decision = book.decider.decide(facts)
    rule = None if category is None else policy.merge_rule(category)
    suggested: tuple[str, ...] = ()
    if rule is not None and category is not None and decision.guard is None:  # a drill is no part of the real thing
        asset = None if report.location is None else report.location.asset
        found = state.merges.candidates(rule, category, work.place.lon, work.place.lat, asset, now_ms)
        if found and rule.mode == "auto":
            _merge(turn, state.incidents[found[0]], work, now_ms)
            return
        suggested = tuple(found[:SUGGESTED_MAX])
    if is_usual(work, decision, source):
        open_at_once(turn, book, work, facts, decision, suggested, rule, now_ms)
    else:
        _open(turn, book, work, facts, decision, suggested, rule, now_ms)


def _open(
    turn: Turn,
    book: Rulebook,
    work: ReportWork,
    facts: Facts,
    decision: Decision,
    suggested: tuple[str, ...],
    rule: Merge | None,
    now_ms: int,
) -> None:
    state, report = turn.state, work.report
    incident_id = state.next_id(book.local_day(now_ms))
    for key in decision_counts(decision):
        turn.counts[key] += 1
    incident = open_incident(work, incident_id, facts, book.decided(decision, "report"))
    incident.suggested = suggested
    change = Change(incident, "report", now_ms)
    change.entry("reported", source=report.source, report_id=report.report_id)
    _tell(turn, change, work)
    if suggested:
        change.entry("merge_suggested", incidents=suggested)
    _route(turn, book, incident, decision, change)
    state.incidents[incident_id] = incident
    state.repeats.remember(Seen(intern(report.source), report.report_id, incident_id, work.digest, now_ms))
    if incident.open:
        state.merges.add(incident, rule)
    if incident.brief is not None:
        turn.out.keep(f"brief/{incident_id}", encode(incident.brief))
    turn.publish(change, book)


def _route(turn: Turn, book: Rulebook, incident: Incident, decision: Decision, change: Change) -> None:
    """Received -> verified, filed or put aside -> dispatched."""
    change.queue = "entered"
    source = book.policy.source(incident.facts.source)
    category = None if incident.category is None else book.policy.category(incident.category)
    urgent = category is not None and category.life_safety
    doubtful = source is not None and needs_verification(source, incident.facts.confidence)
    if doubtful and decision.outcome is None:  # what a guard has put aside waits for the centre, not for a collector
        within = book.policy.sla(decision.sla).verify_within
        incident.verify_ms = (
            change.at_ms + VERIFY_WITHIN_MS if within is None else book.policy.open(within, change.at_ms).due_ms
        )
    if decision.outcome == "discard":
        settle_decision(book, incident, decision, "report", change, turn.grid)
        turn.move(incident, "discard", change)
        incident.closed_ms = change.at_ms
        change.queue = None
    elif decision.outcome == "park":
        settle_decision(book, incident, decision, "report", change, turn.grid)
    elif doubtful and not urgent:
        turn.move(incident, "doubt", change)
    else:
        turn.move(incident, "file", change)
        settle_decision(book, incident, decision, "report", change, turn.grid)
        dispatch(book, incident, decision, change)


def _merge(turn: Turn, incident: Incident, work: ReportWork, now_ms: int) -> None:
    """One more report of an open incident; it may bring in more departments, never send any away."""
    state, report = turn.state, work.report
    book = state.book_of(incident)
    state.repeats.remember(Seen(intern(report.source), report.report_id, incident.incident_id, work.digest, now_ms))
    turn.count("reports_merged")
    incident.report_count += 1
    incident.reporter_count += 1
    incident.last_report_ms = now_ms
    if len(incident.reports) < REPORTS_MAX:
        incident.reports = (*incident.reports, (report.source, report.report_id))
    change = Change(incident, "merge", now_ms)
    change.entry("merged", source=report.source, report_id=report.report_id, reports=incident.report_count)
    _tell(turn, change, work)
    facts = replace(incident.facts, reporters=incident.reporter_count)
    call = None if report.whistle is None else whistle_of(report.whistle, work.place.path, now_ms)
    take_whistle_over(Mover(turn, book, incident, change), call, facts)
    turn.publish(change, book)


def _tell(turn: Turn, change: Change, work: ReportWork) -> None:
    """Whoever reported is told that it was taken; devices are not."""
    report = work.report
    source = turn.state.book.policy.source(report.source)
    if source is not None and is_people(source):
        change.notice(f"{REPORT}{report.source}/{report.report_id}", "accepted")
