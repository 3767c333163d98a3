"""Deciding an open incident again: reclassified, whistled on, merged with more, or re-routed by a command.

One decision, one change. What the new decision adds is offered; another lead takes the running clock over; whom it no
longer names is let go unless at work already or named by a person. The original start stays and earlier pauses count,
also on another clock (`targets.retime`).
"""

from msgspec.structs import replace

from dispatcher.core.closing import finish_if_done, withdraw
from dispatcher.core.dispatching import change_lead, classified
from dispatcher.core.handling import RETURNS_MAX
from dispatcher.core.incident import Assignment, Decided, Incident
from dispatcher.core.lifecycle import LED_STATES, SENT_OUT, AssignmentState
from dispatcher.core.messages import Reason
from dispatcher.core.mover import Mover
from dispatcher.core.offering import PROMISED, offer, require
from dispatcher.core.route import held_by, record_decision
from dispatcher.core.step import Refused, Step
from dispatcher.core.targets import repace, retime
from rules import Decision, Facts

__all__ = ["add_what_is_new", "decide_again", "decide_anew", "reclassify"]

_BY_PEOPLE = frozenset({"override", "request", "whistle", "first_recipient"})


def reclassify(step: Step) -> None:
    """Another category, standard, severity or place: decided again, once and whole."""
    update, incident = step.update, step.incident
    if (update.category, update.standard, update.severity, update.location) == (None, None, None, None):
        raise Refused(Reason.MISSING_FIELD, "reclassify needs category, standard, severity or location")
    step.require_room(1)
    place = step.work.place
    if place is not None and place.cell is None:
        raise Refused(Reason.BAD_LOCATION, place.note or f"the location is {place.how}")
    classified(step)
    if place is not None:
        incident.place = place
        incident.facts = replace(incident.facts, path=place.path, place=place.how)
        incident.asset = None if update.location is None else update.location.asset
        incident.tags = tuple(tag for tag in incident.tags if tag != "unlocated")
    if incident.category is not None:
        incident.tags = tuple(tag for tag in incident.tags if tag != "uncategorised")
    step.change.entry("reclassified", category=incident.category, standard=incident.standard, cell=incident.place.cell)
    decide_anew(step, "reclassify")


def decide_again(step: Mover, cause: str, facts: Facts) -> None:
    """More is known: whatever a fresh decision adds is added; nobody is sent away, nothing is re-timed.

    What is recorded is always the decision on the facts that are kept; one that is as before is not recorded again.
    """
    incident = step.incident
    before = step.decision()
    incident.facts = facts
    decision = step.decision()
    if decision == before or not incident.decision_seq:  # not decided on yet: `file` will do it
        return
    running = None if incident.dispatched_ms is None else incident.decided
    incident.decided = step.book.decided(decision, cause, running)
    record_decision(step.book, incident, decision, step.change, step.turn.grid)
    if incident.state in SENT_OUT:
        add_what_is_new(step, decision)


def add_what_is_new(step: Mover, decision: Decision) -> None:
    """Severity and level only get worse, tags and supports only more."""
    incident = step.incident
    if decision.severity < incident.severity:
        incident.severity = decision.severity
        step.change.queue = "urgency"
    incident.level = min(incident.level, held_by(incident.place.path, decision))
    incident.tags = tuple(sorted({*incident.tags, *decision.tags}))
    for plan in decision.support:
        known = incident.assignment_of(plan.department, plan.unit)
        if known is None:
            offer(step.book, incident, step.change, decision, plan.department, plan.unit, plan.by, plan)
        elif plan.required:
            require(step.book, incident, step.change, decision, known)


def decide_anew(step: Mover, cause: str) -> None:
    """Decide as if it came in now, but on the clocks that have run since it was dispatched."""
    incident, before = step.incident, step.incident.decided
    decision = step.decision()
    incident.decided = step.book.decided(decision, cause)
    record_decision(step.book, incident, decision, step.change, step.turn.grid)
    incident.severity, incident.level = decision.severity, held_by(incident.place.path, decision)
    incident.tags = tuple(sorted({*incident.tags, *decision.tags}))
    step.change.queue = "re-routed"
    _retime(step, incident, decision, before)  # first: whoever is let go leaves nothing on a calendar that is gone
    if incident.state not in LED_STATES:  # filed or returned: the centre assigns, by this decision's words
        return
    _let_go(step, decision)
    lead, new = incident.lead, decision.lead
    is_other = lead is None or (lead.department, lead.unit) != (new.department, new.unit)
    if is_other and (lead is None or not _stays(incident, lead, cause)):
        change_lead(step, new.department, new.unit, (decision.route,) if decision.route is not None else ())
    add_what_is_new(step, decision)
    finish_if_done(step)


def _stays(incident: Incident, lead: Assignment, cause: str) -> bool:
    """A lead that a person has named stays when many are decided again, and always after the third return."""
    named = bool(_BY_PEOPLE & set(lead.by))
    return named and (cause == "reroute" or incident.tally().returned >= RETURNS_MAX)


def _let_go(step: Mover, decision: Decision) -> None:
    wanted = {(plan.department, plan.unit) for plan in decision.support}
    for part in step.incident.support:
        named = (part.department, part.unit) in wanted or _BY_PEOPLE & set(part.by)
        if part.state is AssignmentState.OFFERED and not named:
            withdraw(step, part)


def _retime(step: Mover, incident: Incident, decision: Decision, before: Decided) -> None:
    """Put what is owed on the new budgets, warnings and ladder; where none of them is new, nothing starts again."""
    now = incident.decided
    same_pace = (before.policy, before.sla, before.ladder) == (now.policy, now.sla, now.ladder)
    budgets = {plan.name: plan.budgets for plan in decision.targets}
    for target in incident.targets:
        if not target.active:
            continue
        old = target.budget, target.clock, target.due_ms, target.rung, target.breached_ms
        gone = not step.book.policy.has_clock(target.clock)
        if gone and target.name not in budgets:  # promised on a calendar the policy no longer has
            step.revoke([target])
            continue
        if not gone and (target.name not in ("resolve", "acknowledge") or target.name not in budgets):
            if same_pace:
                continue
            repace(target, step.clock(target), step.now_ms, step.pace(target.name))  # its budget stays
        else:
            promised = replace(target) if target.budget == PROMISED else None
            retime(step.book.policy, target, budgets[target.name], step.now_ms, step.pace(target.name))
            if promised is not None and promised.due_ms < target.due_ms:  # the source's date is the stricter one still
                for field in target.__struct_fields__:
                    setattr(target, field, getattr(promised, field))
                repace(target, step.clock(target), step.now_ms, step.pace(target.name))
            if same_pace and old[:3] == (target.budget, target.clock, target.due_ms):
                target.rung = old[3]
                step.refresh(target)
        step.change.target(target, "retime")
        if (old[4] is None) != (target.breached_ms is None):
            step.change.target(target, "breach" if old[4] is None else "withdraw_breach")
