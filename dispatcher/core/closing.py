"""How an incident comes to its end: all done, checked, passed or sent back, or voided."""

from dispatcher.core.incident import Assignment
from dispatcher.core.lifecycle import CENTRE, LIVE_STATES, AssignmentState, IncidentState
from dispatcher.core.messages import Reason
from dispatcher.core.privacy import mask_code
from dispatcher.core.step import Refused, Step
from dispatcher.core.targets import fulfil, open_target, owed, resume

__all__ = ["check", "end", "finish_if_done", "void", "withdraw"]


def finish_if_done(step: Step) -> None:
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


def check(step: Step) -> None:
    """The centre checks: pass closes, fail sends the named departments back to work."""
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


def _pass(step: Step) -> None:
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
    end(step)


def _fail(step: Step, assignments: list[Assignment]) -> None:
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


def void(step: Step) -> None:
    """The incident never should have been: ended, audited, in no numerator."""
    code = step.update.reason_code or ""
    if step.book.policy.reason("void", code) is None and step.actor.role != "system":
        raise Refused(Reason.NOT_ALLOWED, f"{mask_code(code)} is not a reason to void in this policy")
    step.move("void")
    end(step)


def withdraw(step: Step, assignment: Assignment) -> None:
    """Take a department's part away; it is told, and owes nothing more."""
    step.move_assignment(assignment, "withdraw")
    step.change.order(assignment, "withdraw")
    step.revoke(t for t in step.incident.targets if t.of == assignment.party and t.active)


def end(step: Step) -> None:
    """Whatever is still open is withdrawn, every department is told, nothing is owed any more."""
    incident = step.incident
    for assignment in incident.assignments():
        if assignment.state in LIVE_STATES:
            step.move_assignment(assignment, "withdraw")
            step.change.order(assignment, "withdraw")
        elif assignment.state is AssignmentState.APPROVED:
            step.change.order(assignment, "close")
    step.revoke(target for target in incident.targets if target.active)
    incident.verify_ms = None
    step.change.queue = "left"
