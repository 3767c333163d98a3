"""How an incident comes to its end: all done, checked, passed or sent back, or voided."""

from msgspec.structs import replace

from dispatcher.core.incident import ROUNDS_MAX, Assignment, Incident
from dispatcher.core.instants import ms_to_text
from dispatcher.core.lifecycle import CENTRE, LIVE_STATES, AssignmentState, IncidentState
from dispatcher.core.messages import Reason
from dispatcher.core.mover import Mover
from dispatcher.core.offering import require, start_target
from dispatcher.core.privacy import mask_code, mask_text
from dispatcher.core.step import Refused, Step
from dispatcher.core.targets import fulfil, owed, resume, unfulfil

__all__ = [
    "check",
    "close",
    "close_forced",
    "end",
    "finish_if_done",
    "go_on",
    "lapse_requests",
    "rounds",
    "send_back",
    "void",
    "withdraw",
]

_FINISHED = frozenset({AssignmentState.DONE, AssignmentState.APPROVED})


def finish_if_done(step: Mover) -> None:
    """Lead and every required support are done: the centre checks."""
    incident = step.incident
    if incident.state is not IncidentState.HANDLING or incident.lead is None:
        return
    parts = [incident.lead]
    if step.book.policy.sla(incident.decided.sla).done_by != "lead_only":
        parts += [a for a in incident.support if a.required and a.state is not AssignmentState.WITHDRAWN]
    if any(part.state not in _FINISHED for part in parts):
        return
    step.move("finish")
    _owe(step, "check")
    step.change.queue = "urgency"


def _owe(step: Mover, name: str) -> None:
    """Start a target of the centre, when the policy has one of that name."""
    for plan in step.decision().targets:
        if plan.name == name:
            start_target(step.book, step.incident, step.change, name, CENTRE, plan.budgets)


def check(step: Step) -> None:
    """The centre checks: pass closes, fail sends the named departments back to work."""
    incident, update, actor = step.incident, step.update, step.actor
    if update.result not in ("pass", "fail"):
        raise Refused(Reason.WRONG_TYPE, f"check takes pass or fail, not {update.result}")
    if incident.checked_ms is not None:
        raise Refused(Reason.NOT_ALLOWED, "it has passed its check and waits for the callbacks")
    parts = [a for a in incident.assignments() if a.state in _FINISHED]
    if not step.system:
        if any(a.department == actor.department and a.acknowledged_ms is not None for a in incident.assignments()):
            raise Refused(Reason.NOT_ALLOWED, "a department that handled the incident does not check it")
        if actor.person is not None and step.actor_name == incident.dispatched_by:
            raise Refused(Reason.NOT_ALLOWED, "whoever dispatched it does not check it")
    if update.result == "pass":
        _pass(step)
    else:
        if rounds(incident) >= ROUNDS_MAX:
            raise Refused(Reason.NOT_ALLOWED, f"sent back or reopened {ROUNDS_MAX} times: a supervisor ends it")
        for name in update.departments:
            if not any(name in (part.department, part.party) for part in parts):
                raise Refused(Reason.NOT_ALLOWED, f"{mask_code(name)} has done nothing that could be sent back")
        named = [part for part in parts if {part.department, part.party} & set(update.departments)]
        if update.reason_code is not None:
            step.reason("rework")
        step.change.instruction = mask_text(update.text) if update.text else None
        for part in named:  # whoever is sent back owes an end to it, also who only might have helped
            require(step.book, incident, step.change, step.decision(), part)
        send_back(step, named or [part for part in parts if part is incident.lead])


def _pass(step: Step) -> None:
    """Passed: closed, unless the policy wants the reporters asked before."""
    incident = step.incident
    step.fulfil(owed(incident, "check", CENTRE))
    sla = step.book.policy.sla(incident.decided.sla)
    if sla.close_after == "callback" and step.turn.people_of(incident):
        incident.checked_ms = step.now_ms
        step.change.entry("check_passed")
        _owe(step, "callback")
        step.change.queue = "urgency"
    else:
        close(step)


def close(step: Mover) -> None:
    """Everything done is approved, the incident closed."""
    incident = step.incident
    for assignment in incident.assignments():
        if assignment.state is AssignmentState.DONE:
            step.move_assignment(assignment, "approve")
            for target in owed(incident, "resolve", assignment.party):
                # on time is judged on the `done` that is approved: the check's own time is not charged
                fulfil(target, step.clock(target), assignment.done_ms or step.judged_ms)
                step.change.target(target, "fulfil")
    step.move("pass")
    end(step)


def rounds(incident: Incident) -> int:
    """How often it was sent back or reopened."""
    counts = incident.counts
    return 0 if counts is None else counts.rework + counts.reopened


def send_back(step: Mover, assignments: list[Assignment]) -> None:
    """Not good enough: the departments go back to work, their clocks go on where they stopped."""
    incident = step.incident
    incident.tally().rework += 1
    incident.checked_ms = None
    step.fulfil([t for t in incident.targets if t.of == CENTRE and t.active])
    step.move("fail")
    for assignment in assignments:
        step.move_assignment(assignment, "rework")
        assignment.done_ms = None
        go_on(step, assignment.party)
        step.change.order(assignment, "rework")
    step.change.queue = "re-routed"


def go_on(step: Mover, of: str) -> None:
    """What a party owed for its work it owes again, on the clock that stopped; that of an earlier round stays met."""
    targets = [t for t in step.incident.targets if t.name == "resolve" and t.of == of and t.revoked_ms is None]
    for target in [t for t in targets if t.active] or targets[-1:]:
        if target.active:
            resume(target, step.clock(target), step.now_ms, step.pace("resolve"))
        else:
            unfulfil(target, step.clock(target), step.now_ms, step.pace("resolve"))
        step.change.target(target, "resume")


def void(step: Step) -> None:
    """The incident never should have been: ended, audited, in no numerator."""
    step.reason("void")
    step.move("void")
    end(step)


def close_forced(step: Step) -> None:
    """A supervisor closes what can't be finished: audited, counted apart, in no numerator."""
    step.reason("close_forced")
    step.move("force")
    end(step)


def withdraw(step: Mover, assignment: Assignment) -> None:
    """Take a department's part away; it is told, and owes nothing more."""
    step.move_assignment(assignment, "withdraw")
    assignment.hold_until_ms = None
    step.change.order(assignment, "withdraw")
    lapse_requests(step, assignment.party)
    step.revoke(t for t in step.incident.targets if t.of == assignment.party and t.active)


def lapse_requests(step: Mover, of: str | None = None) -> None:
    """What a party (or anybody) has asked for and nobody has decided has become pointless."""
    requests = step.incident.requests
    lapsed = [r.number for r in requests if r.state == "open" and r.kind != "exempt" and of in (None, r.party)]
    if not lapsed:
        return
    at = ms_to_text(step.now_ms)
    step.incident.requests = tuple(
        replace(request, state="lapsed", decided_at=at) if request.number in lapsed else request for request in requests
    )
    step.change.entry("requests_lapsed", numbers=lapsed)


def end(step: Mover) -> None:
    """Whatever is still open is withdrawn, every department is told, nothing is owed any more."""
    incident = step.incident
    incident.closed_ms = step.now_ms
    for assignment in incident.assignments():
        if assignment.state in LIVE_STATES:
            step.move_assignment(assignment, "withdraw")
            assignment.hold_until_ms = None
            step.change.order(assignment, "withdraw")
        elif assignment.state is AssignmentState.APPROVED:
            step.change.order(assignment, "close")
    step.revoke(target for target in incident.targets if target.active)
    lapse_requests(step)
    incident.verify_ms = incident.checked_ms = incident.claimed_by = incident.claim_until_ms = None
    whistle = incident.whistle
    if whistle is not None and whistle.ended_at is None:
        incident.whistle = replace(whistle, ended_at=ms_to_text(step.now_ms))
    step.change.queue = "left"
