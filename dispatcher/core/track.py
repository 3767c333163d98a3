"""Tracking: what an update does to an incident.

One function an action. Every action is checked against the tables first (`lifecycle.refusal`), then against its own
guards; only when nothing speaks against it does it change anything. `Refused` is that report's fault, never ours.
"""

from collections.abc import Callable, Iterable
from math import cos, hypot, radians

from msgspec.structs import replace

from dispatcher.core.incident import Assignment, Incident, Target, party
from dispatcher.core.lifecycle import (
    ACTION_TABLE,
    CENTRE,
    LIVE_STATES,
    AssignmentState,
    IncidentState,
    move_assignment,
    move_incident,
    refusal,
)
from dispatcher.core.locate import WGS84
from dispatcher.core.merge import METRES_PER_DEGREE
from dispatcher.core.messages import Action, Reason, UpdateWork
from dispatcher.core.privacy import mask_code, mask_text
from dispatcher.core.publish import Change
from dispatcher.core.route import Rulebook, dispatch, offer, record_decision, settle_decision
from dispatcher.core.targets import fulfil, open_target, owed, pause, resume, revoke
from geo import to_wgs84
from rules import Clock, Decision

__all__ = ["ATTEND_RADIUS_M", "Refused", "apply_update", "close_targets"]

ATTEND_RADIUS_M = 200.0  # an arrival this near the incident counts by itself; GPS in streets is off by tens of metres
PARTS_MAX = 64  # assignments an incident ever has: its record stays far below the limit of 900 KB
RETURNS_MAX = 3  # after the third return the centre names the lead, who cannot return


class Refused(Exception):
    """The update is refused and changes nothing."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class _Step:
    """One update being applied: the incident, who acts, and the change in the making."""

    def __init__(self, book: Rulebook, incident: Incident, work: UpdateWork, change: Change, grid: str) -> None:
        self.book, self.incident, self.change, self.grid = book, incident, change, grid
        self.update, self.actor = work.update, work.actor
        self.now_ms = change.at_ms
        self.assignment = _assignment(work, incident)
        started_ms = incident.opened_ms if self.assignment is None else self.assignment.offered_ms
        self.judged_ms = max(started_ms, min(work.origin.time_ms, self.now_ms))  # lag is never a department's fault
        self.warn = book.warn(incident.decided.sla)

    def clock(self, target: Target) -> Clock:
        return self.book.policy.clock(target.clock)

    def move(self, what: str) -> None:
        old = self.incident.state
        self.incident.state = move_incident(old, what)
        self.change.move(old, self.incident.state)

    def move_assignment(self, assignment: Assignment, what: str) -> None:
        old = assignment.state
        assignment.state = move_assignment(old, what)
        assignment.since_ms = self.now_ms
        self.change.assignment(assignment, old)

    def fulfil(self, targets: Iterable[Target]) -> None:
        for target in targets:
            if fulfil(target, self.clock(target), self.judged_ms):
                self.change.target(target, "withdraw_breach")
            self.change.target(target, "fulfil")

    def revoke(self, targets: Iterable[Target]) -> None:
        for target in targets:
            revoke(target, self.now_ms)
            self.change.target(target, "revoke")

    def own(self) -> Assignment:
        """The assignment the action is about: the tables have seen to it that there is one."""
        if self.assignment is None:
            raise Refused(Reason.NOT_ALLOWED, "this department has no part in the incident")
        return self.assignment

    def decision(self) -> Decision:
        return self.book.decider.decide(self.incident.facts)


def apply_update(book: Rulebook, incident: Incident, work: UpdateWork, change: Change, grid: str) -> None:
    """Do what the update asks for.

    Raises:
        Refused: the tables or a guard do not allow it; nothing has changed.
    """
    update = work.update
    if update.revision is not None and update.revision != incident.revision:
        raise Refused(Reason.STALE, f"the incident is at revision {incident.revision}, not {update.revision}")
    step = _Step(book, incident, work, change, grid)
    about = ACTION_TABLE[update.action].assignment is not None
    if about and step.assignment is None and work.actor.role != "system":
        named = update.department or work.actor.department
        raise Refused(Reason.NOT_ALLOWED, f"{mask_code(named or 'nobody')} has no part in the incident")
    state = None if step.assignment is None or not about else step.assignment.state
    why = refusal(update.action, incident.state, state, work.actor)
    if why is not None:
        raise Refused(Reason.NOT_ALLOWED, why)
    change.note = update.result if update.reason_code is None else mask_text(update.reason_code)
    _DO[update.action](step)


def close_targets(incident: Incident, change: Change) -> None:
    """The incident has ended: nothing is owed any more."""
    for target in incident.targets:
        if target.active:
            revoke(target, change.at_ms)
            change.target(target, "revoke")
    incident.verify_ms = None


def _assignment(work: UpdateWork, incident: Incident) -> Assignment | None:
    actor, update = work.actor, work.update
    if actor.role == "department":
        return None if actor.department is None else incident.assignment_of(actor.department, actor.unit)
    if update.department is not None:
        return incident.assignment_of(update.department, update.unit)
    return incident.lead if actor.role == "system" else None


def _verify(step: _Step) -> None:
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
            _end(step)
    elif result == "not_exists":  # dispatched at once for safety, and nothing was there: the centre is told to void it
        incident.tags = tuple(sorted({*incident.tags, "not_found"}))
        step.change.queue = "urgency"


def _file(step: _Step) -> None:
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


def _file_and_dispatch(step: _Step) -> None:
    step.move("file")
    decision = step.decision()
    settle_decision(step.book, step.incident, decision, "report", step.change, step.grid)
    dispatch(step.book, step.incident, decision, step.change)
    step.change.queue = "re-routed"


def _acknowledge(step: _Step) -> None:
    assignment, incident = step.own(), step.incident
    step.move_assignment(assignment, "acknowledge")
    assignment.acknowledged_ms = step.judged_ms
    step.fulfil(owed(incident, "acknowledge", assignment.party))
    if assignment is incident.lead and incident.state is IncidentState.DISPATCHED:
        step.move("take")
    step.change.queue = "urgency"


def _arrive(step: _Step) -> None:
    assignment, incident = step.own(), step.incident
    step.move_assignment(assignment, "arrive")
    assignment.arrived_ms = step.judged_ms
    if _is_there(step):
        step.fulfil(owed(incident, "attend", assignment.party))
    else:
        step.change.entry("arrival_unconfirmed", party=assignment.party)


def _is_there(step: _Step) -> bool:
    place, position = step.incident.place, step.update.position
    if position is None or position.lon is None or position.lat is None or place.lon is None or place.lat is None:
        return False
    lon, lat = position.lon, position.lat
    if position.crs not in WGS84:
        lon, lat = (float(degrees[0]) for degrees in to_wgs84([lon], [lat], position.crs))
    east = (place.lon - lon) * cos(radians(place.lat))
    return hypot(east, place.lat - lat) * METRES_PER_DEGREE <= ATTEND_RADIUS_M


def _confirm_arrival(step: _Step) -> None:
    assignment = step.own()
    if assignment.state is AssignmentState.ACKNOWLEDGED:
        step.move_assignment(assignment, "arrive")
        assignment.arrived_ms = step.judged_ms
    step.fulfil(owed(step.incident, "attend", assignment.party))
    step.change.entry("arrival_confirmed", party=assignment.party)


def _note(step: _Step) -> None:
    step.change.entry("noted", media=len(step.update.media))


def _return(step: _Step) -> None:
    assignment, incident, update = step.own(), step.incident, step.update
    code = update.reason_code or ""
    if step.book.policy.reason("return", code) is None and step.actor.role != "system":
        raise Refused(Reason.NOT_ALLOWED, f"{mask_code(code)} is not a reason for a return in this policy")
    within = step.book.policy.sla(incident.decided.sla).return_within
    if within is not None and step.judged_ms > step.book.policy.open(within, assignment.offered_ms).due_ms:
        raise Refused(Reason.NOT_ALLOWED, f"a return is possible within {within.text} of the offer; it counts as taken")
    is_lead = assignment is incident.lead
    if is_lead and incident.tally().returned >= RETURNS_MAX:
        raise Refused(Reason.NOT_ALLOWED, f"returned {RETURNS_MAX} times: the lead the centre named cannot return it")
    step.move_assignment(assignment, "give_back")
    assignment.reason_code = code
    step.change.queue = "re-routed"
    if is_lead:
        incident.tally().returned += 1
        step.move("give_back")


def _refuse_return(step: _Step) -> None:
    assignment, incident = step.own(), step.incident
    step.move_assignment(assignment, "offer" if assignment.acknowledged_ms is None else "acknowledge")
    step.change.order(assignment, "remind")
    step.change.queue = "re-routed"
    if assignment is incident.lead and incident.state is IncidentState.RETURNED:
        step.move("dispatch" if assignment.acknowledged_ms is None else "take")


def _accept_return(step: _Step) -> None:
    assignment = step.own()
    if assignment is step.incident.lead:
        raise Refused(Reason.NOT_ALLOWED, "a lead's return is accepted by assigning another lead")
    _withdraw(step, assignment)
    step.change.queue = "re-routed"
    _finish_if_done(step)


def _withdraw(step: _Step, assignment: Assignment) -> None:
    step.move_assignment(assignment, "withdraw")
    step.change.order(assignment, "withdraw")
    step.revoke(t for t in step.incident.targets if t.of == assignment.party and t.active)


def _assign(step: _Step) -> None:
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


def _new_lead(step: _Step, department: str, unit: str | None) -> None:
    incident, old = step.incident, step.incident.lead
    support = incident.assignment_of(department, unit)
    if support is not None and support is not old:
        _withdraw(step, support)
    running = [] if old is None else owed(incident, "resolve", old.party)
    for target in running:  # the incident's clock never starts again: it goes over to the new lead
        target.of = party(department, unit)
        if target.since_ms < 0:
            resume(target, step.clock(target), step.now_ms, step.warn)
        step.change.target(target, "hand_over")
    if old is not None and old.state in LIVE_STATES:
        _withdraw(step, old)
        old.role = "former_lead"
        incident.support = (*incident.support, old)
    offer(step.book, incident, step.change, step.decision(), department, unit, ("override",))
    step.move("dispatch")


def _party(step: _Step, name: str) -> tuple[str, str | None]:
    """`department`, `department@unit` or, for a department with units from the grid, `department@level`."""
    department, _, unit = name.partition("@")
    return department, _unit(step, unit)


def _unit(step: _Step, named: str) -> str | None:
    """A level's name stands for the unit at that level of the incident's place; anything else is a unit's own code."""
    levels = step.book.policy.grid_levels
    if named not in levels:
        return named or None
    depth, path = levels.index(named), step.incident.place.path
    if depth >= len(path):
        raise Refused(Reason.NOT_ALLOWED, f"the place of the incident has no {named}")
    return path[depth]


def _done(step: _Step) -> None:
    assignment, incident, update = step.own(), step.incident, step.update
    category = None if incident.category is None else step.book.policy.category(incident.category)
    wanted = () if category is None else category.evidence
    if wanted and assignment is incident.lead and not update.media and step.actor.role != "system":
        raise Refused(Reason.NOT_ALLOWED, f"done needs evidence: {', '.join(wanted)}")
    step.move_assignment(assignment, "done")
    assignment.done_ms = step.judged_ms
    for target in owed(incident, "resolve", assignment.party):
        if pause(target, step.clock(target), step.judged_ms, "done"):
            step.change.target(target, "withdraw_breach")
        step.change.target(target, "pause")
    step.revoke(owed(incident, "attend", assignment.party))  # nobody need arrive where all is done
    _finish_if_done(step)


def _finish_if_done(step: _Step) -> None:
    """Lead and every required support are done: the centre checks."""
    incident = step.incident
    if incident.state is not IncidentState.HANDLING or incident.lead is None:
        return
    parts = [incident.lead]
    if step.book.policy.sla(incident.decided.sla).done_by != "lead_only":
        parts += [a for a in incident.support if a.required and a.state is not AssignmentState.WITHDRAWN]
    if any(part.state is not AssignmentState.DONE for part in parts):
        return
    step.move("finish")
    for plan in step.decision().targets:
        if plan.name == "check":
            target = open_target(step.book.policy, "check", CENTRE, plan.budgets, step.now_ms, step.warn)
            incident.targets = (*incident.targets, target)
            step.change.target(target, "activate")
    step.change.queue = "urgency"


def _check(step: _Step) -> None:
    incident, update, actor = step.incident, step.update, step.actor
    if update.result not in ("pass", "fail"):
        raise Refused(Reason.WRONG_TYPE, f"check takes pass or fail, not {update.result}")
    parts = [a for a in incident.assignments() if a.state is AssignmentState.DONE]
    if actor.role != "system":
        if any(part.department == actor.department for part in parts):
            raise Refused(Reason.NOT_ALLOWED, "a department that handled the incident does not check it")
        if actor.person is not None and actor.person == incident.dispatched_by:
            raise Refused(Reason.NOT_ALLOWED, "whoever dispatched it does not check it")
    if update.result == "pass":
        _pass(step)
    else:
        for name in update.departments:
            if not any(name in (part.department, part.party) for part in parts):
                raise Refused(Reason.NOT_ALLOWED, f"{mask_code(name)} has done nothing that could be sent back")
        named = [part for part in parts if {part.department, part.party} & set(update.departments)]
        _fail(step, named or [part for part in parts if part is incident.lead])


def _pass(step: _Step) -> None:
    incident = step.incident
    step.fulfil(owed(incident, "check", CENTRE))
    for assignment in incident.assignments():
        if assignment.state is AssignmentState.DONE:
            step.move_assignment(assignment, "approve")
            for target in owed(incident, "resolve", assignment.party):
                # on time is judged on the `done` that is approved: the check's own time is not charged
                fulfil(target, step.clock(target), assignment.done_ms or step.judged_ms)
                step.change.target(target, "fulfil")
    step.move("pass")
    incident.closed_ms = step.now_ms
    _end(step)


def _fail(step: _Step, assignments: list[Assignment]) -> None:
    incident = step.incident
    incident.tally().rework += 1
    step.fulfil(owed(incident, "check", CENTRE))
    step.move("fail")
    for assignment in assignments:
        step.move_assignment(assignment, "rework")
        assignment.done_ms = None
        for target in owed(incident, "resolve", assignment.party):
            resume(target, step.clock(target), step.now_ms, step.warn)
            step.change.target(target, "resume")
        step.change.order(assignment, "rework")
    step.change.queue = "re-routed"


def _void(step: _Step) -> None:
    code = step.update.reason_code or ""
    if step.book.policy.reason("void", code) is None and step.actor.role != "system":
        raise Refused(Reason.NOT_ALLOWED, f"{mask_code(code)} is not a reason to void in this policy")
    step.move("void")
    _end(step)


def _end(step: _Step) -> None:
    """Whatever is still open is withdrawn, every department is told, nothing is owed any more."""
    incident = step.incident
    for assignment in incident.assignments():
        if assignment.state in LIVE_STATES:
            step.move_assignment(assignment, "withdraw")
            step.change.order(assignment, "withdraw")
        elif assignment.state is AssignmentState.APPROVED:
            step.change.order(assignment, "close")
    close_targets(incident, step.change)
    step.change.queue = "left"


_DO: dict[Action, Callable[[_Step], None]] = {
    Action.VERIFY: _verify,
    Action.FILE: _file,
    Action.ACKNOWLEDGE: _acknowledge,
    Action.ARRIVE: _arrive,
    Action.CONFIRM_ARRIVAL: _confirm_arrival,
    Action.NOTE: _note,
    Action.RETURN: _return,
    Action.REFUSE_RETURN: _refuse_return,
    Action.ACCEPT_RETURN: _accept_return,
    Action.ASSIGN: _assign,
    Action.DONE: _done,
    Action.CHECK: _check,
    Action.VOID: _void,
}
