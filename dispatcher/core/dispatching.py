"""What the centre does about who works on an incident: verify, file, assign, decide on returns."""

from msgspec.structs import replace

from dispatcher.core.closing import end, finish_if_done, withdraw
from dispatcher.core.incident import party
from dispatcher.core.lifecycle import LIVE_STATES, IncidentState
from dispatcher.core.messages import Reason
from dispatcher.core.privacy import mask_code
from dispatcher.core.route import dispatch, offer, record_decision, settle_decision
from dispatcher.core.step import Refused, Step
from dispatcher.core.targets import owed, resume

__all__ = ["accept_return", "assign", "file", "refuse_return", "verify"]

PARTS_MAX = 64  # assignments an incident ever has: its record stays far below the limit of 900 KB


def verify(step: Step) -> None:
    """A collector says whether what was reported is there."""
    incident, result = step.incident, step.update.result
    if result not in ("exists", "not_exists", "unable"):
        raise Refused(Reason.WRONG_TYPE, f"verify takes exists, not_exists or unable, not {result}")
    if incident.verify_ms is None and incident.state is not IncidentState.VERIFYING:
        raise Refused(Reason.NOT_ALLOWED, "there is nothing to verify")
    incident.verify_ms = None
    step.change.entry("verified", result=result)
    if result == "unable":  # the centre decides: file it or void it
        incident.tags = tuple(sorted({*incident.tags, "unverified"}))
    elif incident.state is IncidentState.VERIFYING:
        if result == "exists":
            _file_and_dispatch(step)
        else:
            step.move("deny")
            end(step)
    elif result == "not_exists":  # dispatched at once for safety, and nothing was there: the centre is told to void it
        incident.tags = tuple(sorted({*incident.tags, "not_found"}))
        step.change.queue = "urgency"


def file(step: Step) -> None:
    """The acceptor files it, perhaps as another category, standard or severity, and it is dispatched."""
    update, incident, policy = step.update, step.incident, step.book.policy
    category = incident.category if update.category is None else policy.resolve_category(update.category)
    if update.category is not None and category is None:
        raise Refused(Reason.UNKNOWN_CATEGORY, f"no category {mask_code(update.category)} in this policy")
    standard = update.standard if update.standard is not None or update.category is not None else incident.standard
    known = None if category is None else policy.category(category)
    if standard is not None and (known is None or standard not in {s.code for s in known.standards}):
        raise Refused(Reason.NOT_ALLOWED, f"category {category} has no filing standard {mask_code(standard)}")
    severity = update.severity or incident.facts.severity
    incident.category, incident.standard = category, standard
    incident.facts = replace(incident.facts, category=category, standard=standard, severity=severity)
    incident.verify_ms = None
    _file_and_dispatch(step)


def _file_and_dispatch(step: Step) -> None:
    step.move("file")
    decision = step.decision()
    settle_decision(step.book, step.incident, decision, "report", step.change, step.grid)
    dispatch(step.book, step.incident, decision, step.change)
    step.change.queue = "re-routed"


def refuse_return(step: Step) -> None:
    """The return is not upheld: the part stays where it was, its clock never stopped."""
    assignment, incident = step.own(), step.incident
    step.move_assignment(assignment, "offer" if assignment.acknowledged_ms is None else "acknowledge")
    step.change.order(assignment, "remind")
    step.change.queue = "re-routed"
    if assignment is incident.lead and incident.state is IncidentState.RETURNED:
        step.move("dispatch" if assignment.acknowledged_ms is None else "take")


def accept_return(step: Step) -> None:
    """A support is let go; a lead is let go by assigning another."""
    assignment = step.own()
    if assignment is step.incident.lead:
        raise Refused(Reason.NOT_ALLOWED, "a lead's return is accepted by assigning another lead")
    withdraw(step, assignment)
    step.change.queue = "re-routed"
    finish_if_done(step)


def assign(step: Step) -> None:
    """The centre names a lead, supports, or both: an override."""
    incident, update, policy = step.incident, step.update, step.book.policy
    if update.lead is None and not update.support:
        raise Refused(Reason.MISSING_FIELD, "assign needs lead or support")
    named = [_party(step, name) for name in (*([] if update.lead is None else [update.lead]), *update.support)]
    for department, _ in named:
        if policy.department(department) is None:
            raise Refused(Reason.NOT_ALLOWED, f"no department {mask_code(department)} in this policy")
    supports = named if update.lead is None else named[1:]
    lead = incident.lead
    if update.lead is not None and lead is not None and (lead.department, lead.unit) == named[0]:
        raise Refused(Reason.NOT_ALLOWED, f"{update.lead} is the lead already; a return of its is refused or accepted")
    for department, unit in supports:
        if incident.assignment_of(department, unit) is not None:
            raise Refused(Reason.NOT_ALLOWED, f"{department} already has a part in the incident")
    if len(incident.assignments()) + len(named) > PARTS_MAX:
        raise Refused(Reason.NOT_ALLOWED, f"an incident has at most {PARTS_MAX} parts, former ones included")
    if len(set(named)) != len(named):
        raise Refused(Reason.NOT_ALLOWED, "a department is named twice")
    incident.dispatched_by = step.actor.person
    incident.decided = step.book.decided(step.decision(), "override", incident.decided)
    record_decision(step.book, incident, step.decision(), step.change, step.grid)
    step.change.entry("assigned", lead=update.lead, support=update.support, reason_code=step.change.note)
    if update.lead is not None:
        _new_lead(step, *named[0])
    for department, unit in supports:
        offer(step.book, incident, step.change, step.decision(), department, unit, ("override",), lead=False)
    step.change.queue = "re-routed"


def _new_lead(step: Step, department: str, unit: str | None) -> None:
    incident, old = step.incident, step.incident.lead
    support = incident.assignment_of(department, unit)
    if support is not None and support is not old:
        withdraw(step, support)
    running = [] if old is None else owed(incident, "resolve", old.party)
    for target in running:  # the incident's clock never starts again: it goes over to the new lead
        target.of = party(department, unit)
        if target.since_ms < 0:
            resume(target, step.clock(target), step.now_ms, step.warn)
        step.change.target(target, "hand_over")
    if old is not None and old.state in LIVE_STATES:
        withdraw(step, old)
        old.role = "former_lead"
        incident.support = (*incident.support, old)
    offer(step.book, incident, step.change, step.decision(), department, unit, ("override",))
    step.move("dispatch")


def _party(step: Step, name: str) -> tuple[str, str | None]:
    """`department`, `department@unit` or, for a department with units from the grid, `department@level`."""
    department, _, unit = name.partition("@")
    return department, _unit(step, unit)


def _unit(step: Step, named: str) -> str | None:
    """A level's name stands for the unit at that level of the incident's place; anything else is a unit's own code."""
    levels = step.book.policy.grid_levels
    if named not in levels:
        return named or None
    depth, path = levels.index(named), step.incident.place.path
    if depth >= len(path):
        raise Refused(Reason.NOT_ALLOWED, f"the place of the incident has no {named}")
    return path[depth]
