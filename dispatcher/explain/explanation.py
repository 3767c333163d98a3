"""An incident explained: the decision recomputed from its facts, its deadlines, and what another policy would do."""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from dispatcher.core import IncidentRecord, IncidentState, Rulebook, decode_incident, text_to_ms
from dispatcher.core.incident import party
from dispatcher.core.publish import Change
from dispatcher.core.records import from_record
from dispatcher.core.route import dispatch
from dispatcher.core.wire import encode, incident_json
from dispatcher.explain.deadlines import Deadline, deadlines_of
from dispatcher.explain.stories import read_stories
from geo import Place
from rules import Decision, Policy, Trace
from rules import explain as explain_rules

__all__ = ["Explanation", "Shift", "explain_incident", "explain_under"]


class Shift(Struct, frozen=True):
    """One thing that another policy decides differently; empty = nothing, nobody."""

    what: str  # route, lead, support, severity, sla, ladder, tags, reason, outcome, or `due <target> <party>`
    before: str
    after: str


class Explanation(Struct, frozen=True, omit_defaults=True):
    """Everything there is to say about one decision.

    `state` is the incident's. `hypothetical`: nobody has sent the report, nothing was recorded. `verify_at`: until
    then somebody is to verify it. `equal`: whether the recomputed decision is the recorded one; None when there is none
    to compare with. `instead_of` and `shifts`: the decision of another policy than the incident's own, and what that
    changes. `spots`: where the rules are written, where the policy was read from files.
    """

    policy: str
    policy_name: str
    policy_version: str
    state: str
    place: Place
    trace: Trace
    deadlines: tuple[Deadline, ...] = ()
    incident_id: str | None = None
    reports: tuple[tuple[str, str], ...] = ()
    decision_seq: int = 0
    lead_now: str | None = None  # whoever has it, where that is not whom the decision named
    reported_category: str | None = None  # as the source said it, where the catalogue does not know it
    promised_at: str | None = None
    verify_at: str | None = None
    equal: bool | None = None
    hypothetical: bool = False
    instead_of: str | None = None
    shifts: tuple[Shift, ...] = ()
    spots: dict[str, str] = {}


def explain_incident(
    policy: Policy,
    record: IncidentRecord,
    recorded: bytes | None = None,
    events: Iterable[bytes] = (),
    *,
    hypothetical: bool = False,
) -> Explanation:
    """Why an incident stands as it does, under the policy of its decision.

    Args:
        policy: the one whose sha256 the incident's decision names.
        record: the incident.
        recorded: its decision as `events` has it, to compare with.
        events: all of its `events`, in order; without them the starts and pauses of its clocks are not known.
        hypothetical: the record comes from `what_if`.
    """
    trace = explain_rules(policy, record.facts)
    return Explanation(
        policy=policy.sha256,
        policy_name=policy.name,
        policy_version=policy.version,
        state=record.state,
        place=record.place,
        trace=trace,
        deadlines=deadlines_of(policy, record, trace.decision, read_stories(events)),
        incident_id=None if hypothetical else record.incident_id,
        reports=record.reports,
        decision_seq=record.decision_seq,
        lead_now=_lead_now(record, trace.decision),
        reported_category=record.reported_category if record.category is None else None,
        promised_at=record.promised_at,
        verify_at=record.verify_at,
        equal=None if recorded is None else recorded == encode(trace.decision),
        hypothetical=hypothetical,
        spots=_spots(policy, trace),
    )


def explain_under(other: Policy, own: Policy, record: IncidentRecord) -> Explanation:
    """What another policy would decide on the stored facts of an incident, as if dispatched when it was."""
    before, after = _dispatched(own, record), _dispatched(other, record)
    explanation = explain_incident(other, after)
    decided = explain_rules(own, record.facts).decision
    shifts = (
        *_decision_shifts(decided, explanation.trace.decision),
        *_due_shifts(deadlines_of(own, before, decided, ()), explanation.deadlines),
    )
    return msgspec.structs.replace(explanation, instead_of=own.sha256, shifts=shifts)


def _dispatched(policy: Policy, record: IncidentRecord) -> IncidentRecord:
    """The incident as the policy would have dispatched it, by the engine's own hand."""
    book = Rulebook(policy)
    decision = book.decider.decide(record.facts)
    incident = from_record(record, {})
    incident.decided = book.decided(decision, "report")
    incident.lead, incident.support, incident.targets = None, (), ()
    incident.dispatched_ms = incident.closed_ms = None
    incident.counts = None
    if decision.outcome in (None, "fallback"):
        incident.state = IncidentState.FILED
        change = Change(incident, "report", text_to_ms(record.dispatched_at or record.opened_at))
        dispatch(book, incident, decision, change)
    return decode_incident(incident_json(incident))


def _decision_shifts(before: Decision, after: Decision) -> Iterator[Shift]:
    for what in ("outcome", "route", "lead", "support", "severity", "level", "sla", "ladder", "tags", "reason"):
        was, now = _said(before, what), _said(after, what)
        if was != now:
            yield Shift(what, was, now)


def _said(decision: Decision, what: str) -> str:
    if what == "lead":
        return party(decision.lead.department, decision.lead.unit)
    if what == "support":
        return ", ".join(sorted(party(plan.department, plan.unit) for plan in decision.support))
    if what == "tags":
        return ", ".join(sorted(decision.tags))
    if what == "route":
        return decision.route or f"fallback ({decision.fallback})"
    value = getattr(decision, what)
    return "" if value is None else str(value)


def _due_shifts(before: Iterable[Deadline], after: Iterable[Deadline]) -> Iterator[Shift]:
    was, now = ({(each.name, each.of): each.due_at or "" for each in side if each.due_at} for side in (before, after))
    for name, of in dict.fromkeys((*was, *now)):
        pair = was.get((name, of), ""), now.get((name, of), "")
        if pair[0] != pair[1]:
            yield Shift(f"due {name} {of}", *pair)


def _lead_now(record: IncidentRecord, decision: Decision) -> str | None:
    lead = None if record.lead is None else party(record.lead.department, record.lead.unit)
    return lead if lead != party(decision.lead.department, decision.lead.unit) else None


def _spots(policy: Policy, trace: Trace) -> dict[str, str]:
    held = [route.id for route in trace.routes] + [overlay.id for overlay in trace.overlays]
    held += [trace.guard.id] if trace.guard else []
    near = [miss.id for miss in (*trace.near_guards, *trace.near_routes, *trace.near_overlays)]
    spots = {rule: policy.place("rule", rule) for rule in (*held, *near)}
    return {rule: str(spot) for rule, spot in spots.items() if spot is not None}
