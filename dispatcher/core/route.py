"""Routing: facts in, a decision out, and from the decision the assignments and targets of an incident.

The decision itself is `rules`' business. Here it becomes orders: one lead, every support, each with the targets it
owes, all clocks starting at the instant of the offer.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from dispatcher.core.incident import Assignment, Brief, Decided, Incident, Target, party
from dispatcher.core.instants import ms_to_text
from dispatcher.core.lifecycle import AssignmentState, IncidentState, move_incident
from dispatcher.core.privacy import mask_code, mask_text
from dispatcher.core.publish import Change
from dispatcher.core.targets import open_target, refresh
from dispatcher.core.wire import encode, quoted
from dispatcher.core.work import ReportWork
from rules import Decider, Decision, Facts, Policy, SupportPlan, TargetBudget, claimed_severity, compile_policy

__all__ = ["SEMANTICS", "Rulebook", "dispatch", "facts_of", "offer", "open_incident", "open_promise", "settle_decision"]

ALWAYS = "always"  # the clock that never stops
SEMANTICS = 1  # raised whenever the same facts under the same policy would be decided or tracked differently
SHARED_MAX = 65_536  # decisions something was derived from; as many as a decider remembers


class _Shared:
    """What is derived once from a decision; it holds the decision, so that its identity stays its own."""

    __slots__ = ("decided", "decision", "record")

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self.record = encode(decision).decode()[1:-1]
        self.decided: dict[tuple[str, str, str | None], Decided] = {}


class Rulebook:
    """One policy ready for use: its decider and what is shared between incidents decided under it."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.decider: Decider = compile_policy(policy)
        self._day = (0, 0, "")  # start and end in epoch ms
        self._shared: dict[int, _Shared] = {}  # by identity: to hash a decision costs more than to make one

    def _of(self, decision: Decision) -> _Shared:
        shared = self._shared.get(id(decision))
        if shared is None:
            if len(self._shared) >= SHARED_MAX:
                self._shared.clear()
            shared = self._shared[id(decision)] = _Shared(decision)
        return shared

    def decided(self, decision: Decision, cause: str, running: Decided | None = None) -> Decided:
        """What an incident keeps of a decision; one shared object per decision and cause.

        Where clocks run already, under `running`, they stay under its SLA and ladder: a later decision may bring in
        departments, it never starts or re-times what was promised.
        """
        sla, ladder = (decision.sla, decision.ladder) if running is None else (running.sla, running.ladder)
        shared = self._of(decision).decided
        known = shared.get((cause, sla, ladder))
        if known is None:
            known = shared[cause, sla, ladder] = Decided(
                decision.route, decision.overlays, decision.fallback, self.policy.sha256, SEMANTICS, cause,
                sla, ladder, decision.reason, decision.won_by,
            )  # fmt: skip
        return known

    def record(self, decision: Decision) -> str:
        """The part of a decision's record on `events` that facts of the same kind share, as JSON fields."""
        return self._of(decision).record

    def local_day(self, now_ms: int) -> str:
        """The day in the policy's zone as `YYYYMMDD`; the last one is remembered."""
        start_ms, end_ms, text = self._day
        if start_ms <= now_ms < end_ms:
            return text
        moment = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(self.policy.timezone)
        start = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        end = (start + timedelta(days=1, hours=6)).replace(hour=0)
        text = start.strftime("%Y%m%d")
        self._day = (int(start.timestamp() * 1000), int(end.timestamp() * 1000), text)
        return text

    def warn(self, sla: str) -> Sequence[int]:
        """Percentages at which targets under this SLA warn."""
        return self.policy.sla(sla).warn


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
        tags=tuple(sorted(set(report.tags))),
        whistle=None if report.whistle is None else report.whistle.kind,
        reporters=reporters,
        place=work.place.how,
        keywords=() if not report.text else policy.keywords_in(report.text),
        attributes=tuple(sorted((k, v) for k, v in report.attributes.items() if v is not None)),
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
    change.entries.append(
        f'{{"event":"decision","decision_id":"{incident.incident_id}/{incident.decision_seq}",'
        f'"seq":{incident.decision_seq},"cause":"{incident.decided.cause}","taken_at":"{ms_to_text(change.at_ms)}",'
        f'"policy":"{book.policy.sha256}","semantics":{SEMANTICS},"grid":"{grid}","mode":{quoted(incident.mode)},'
        f'"facts":{encode(incident.facts).decode()},"decision":{{{book.record(decision)}}}}}'
    )


def open_incident(work: ReportWork, incident_id: str, facts: Facts, decided: Decided) -> Incident:
    """A new incident, received and not yet decided on."""
    report = work.report
    location = report.location
    address = None if location is None else location.address
    brief = None
    if report.text or address or report.media:
        brief = Brief(
            None if address is None else mask_text(address),
            mask_text(report.text) if report.text else None,
            report.media,
        )
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
        tags=facts.tags,
        flags=("reported_late",) if work.time_ms - work.reported_ms > 86_400_000 else (),
        last_report_ms=work.time_ms,
        asset=None if location is None else location.asset,
        promised_ms=work.promised_ms,
        brief=brief,
    )


def dispatch(book: Rulebook, incident: Incident, decision: Decision, change: Change) -> None:
    """Send every department its order: the incident is dispatched, all clocks start now."""
    now_ms = change.at_ms
    old = incident.state
    incident.state = move_incident(incident.state, "dispatch")
    incident.dispatched_ms = now_ms
    incident.severity = decision.severity
    incident.tags = tuple(sorted({*incident.tags, *decision.tags}))
    change.move(old, incident.state)
    lead = decision.lead
    rules = tuple(rule for rule in (decision.route,) if rule is not None)
    offer(book, incident, change, decision, lead.department, lead.unit, rules)
    for plan in decision.support:
        offer(book, incident, change, decision, plan.department, plan.unit, plan.by, plan)
    if incident.promised_ms is not None:
        open_promise(book, incident, change)


def offer(
    book: Rulebook,
    incident: Incident,
    change: Change,
    decision: Decision,
    department: str,
    unit: str | None,
    by: tuple[str, ...],
    plan: SupportPlan | None = None,
    *,
    lead: bool | None = None,
) -> Assignment:
    """Offer a department its part: an assignment, the targets it owes, an order. Without `plan` it is the lead."""
    now_ms = change.at_ms
    is_lead = plan is None if lead is None else lead
    assignment = Assignment(
        department,
        unit,
        "lead" if is_lead else "support",
        None if plan is None else plan.role,
        plan is not None and plan.required,
        AssignmentState.OFFERED,
        now_ms,
        now_ms,
        by,
    )
    if is_lead:
        incident.lead = assignment
    else:
        incident.support = (*incident.support, assignment)
    owed = _owed_by(book, incident, decision, assignment, plan, now_ms)
    incident.targets = (*incident.targets, *owed)
    for target in owed:
        change.target(target, "activate")
    change.order(assignment, "offer")
    return assignment


def _owed_by(
    book: Rulebook,
    incident: Incident,
    decision: Decision,
    assignment: Assignment,
    plan: SupportPlan | None,
    now_ms: int,
) -> list[Target]:
    owed: list[Target] = []
    warn = book.warn(incident.decided.sla)
    of = party(assignment.department, assignment.unit)
    is_lead = assignment.role == "lead"
    asked = ("each", "lead" if is_lead else "support")
    attend = None if plan is None or plan.attend is None else TargetBudget(plan.attend, plan.by[0])
    for target in decision.targets:
        budgets = target.budgets
        if target.name == "check":  # opens when the work is done
            continue
        if target.name == "resolve":
            if is_lead and any(t.name == "resolve" and t.active for t in incident.targets):
                continue  # a new lead takes over the clock that runs: it never starts again
            if not (is_lead or assignment.required):
                continue
        elif target.name == "attend":
            if not (target.of in asked or attend is not None):
                continue
            if attend is not None:
                budgets = (attend, *budgets)
                attend = None
        elif target.of not in asked:
            continue
        owed.append(open_target(book.policy, target.name, of, budgets, now_ms, warn))
    if attend is not None:
        owed.append(open_target(book.policy, "attend", of, (attend,), now_ms, warn))
    return owed


def open_promise(book: Rulebook, incident: Incident, change: Change) -> None:
    """A date the source has promised: the strictest wins, unless the source may extend, up to its maximum."""
    policy, promised_ms = book.policy, incident.promised_ms
    warn = book.warn(incident.decided.sla)
    extend = policy.extend_promised_max(incident.facts.source)
    for target in incident.targets:
        if promised_ms is None or target.name != "resolve" or not target.active or incident.lead is None:
            continue
        if target.of != incident.lead.party:
            continue
        if promised_ms > target.due_ms:
            if extend is None:
                continue
            promised_ms = min(promised_ms, policy.open(extend, incident.opened_ms).due_ms)
            if promised_ms <= target.due_ms:
                continue
        # a promise is an instant, not an amount of working time: from here on the clock that always runs counts it
        target.by, target.budget, target.clock = f"promise:{incident.facts.source}", "promised", ALWAYS
        target.due_ms = max(promised_ms, target.since_ms)
        target.amount_ms, target.provisional = target.due_ms - target.since_ms, False
        refresh(target, policy.clock(ALWAYS), warn)
        change.target(target, "promise")
