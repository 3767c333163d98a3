"""What a department asks for and the centre grants: hold, extension, transfer, support, and the exemption of an appeal.

The clock runs until approval; a refusal uses no quota; a department has one open request of a kind at a time.
"""

from msgspec.structs import replace

from dispatcher.core.closing import finish_if_done, withdraw
from dispatcher.core.dispatching import hand_over
from dispatcher.core.dossier import Request
from dispatcher.core.holding import end_hold_of, hold
from dispatcher.core.incident import Assignment, Incident
from dispatcher.core.instants import datetime_to_ms, ms_to_text, text_to_ms
from dispatcher.core.lifecycle import CENTRE, SENT_OUT, AssignmentState
from dispatcher.core.messages import Reason
from dispatcher.core.offering import FORMER_LEAD, named_party, offer, require
from dispatcher.core.privacy import mask_code
from dispatcher.core.step import Refused, Step
from dispatcher.core.targets import extend, owed
from rules import SupportPlan

__all__ = ["REQUESTABLE", "approve", "ask", "end_hold", "refuse"]

REQUESTS_MAX = 8  # of one part: its record stays small, and whoever asks more often should phone
_REASON_OF = {"extension": "extend"}  # a kind of request whose reasons go by another name in the policy
REQUESTABLE = {  # in which states of its own part a department may ask for what
    "hold": frozenset({AssignmentState.ACKNOWLEDGED, AssignmentState.ARRIVED}),
    "extension": frozenset({AssignmentState.ACKNOWLEDGED, AssignmentState.ARRIVED, AssignmentState.HELD}),
    "transfer": frozenset({AssignmentState.ACKNOWLEDGED, AssignmentState.ARRIVED}),
    "support": frozenset({AssignmentState.ACKNOWLEDGED, AssignmentState.ARRIVED}),
    "exempt": frozenset({*AssignmentState}),
}


def ask(step: Step) -> None:
    """A department asks; nothing stops until it is granted."""
    incident, update, assignment = step.incident, step.update, step.own()
    kind = update.kind or ""
    if kind not in REQUESTABLE:
        raise Refused(Reason.WRONG_TYPE, f"request takes {', '.join(REQUESTABLE)}, not {mask_code(kind)}")
    step.reason(_REASON_OF.get(kind, kind))
    if assignment.state not in REQUESTABLE[kind] or (kind != "exempt" and incident.state not in SENT_OUT):
        raise Refused(Reason.NOT_ALLOWED, f"no {kind} in state {incident.state} with the assignment {assignment.state}")
    if any(r.kind == kind and r.party == assignment.party and r.state == "open" for r in incident.requests):
        raise Refused(Reason.NOT_ALLOWED, f"the last request for {kind} has not been decided")
    if sum(r.party == assignment.party for r in incident.requests) >= REQUESTS_MAX:
        raise Refused(Reason.NOT_ALLOWED, f"{assignment.party} has made {REQUESTS_MAX} requests, which is the most")
    until_ms = None if update.until is None else datetime_to_ms(update.until)
    _require_possible(step, kind, assignment, until_ms, update.departments)
    request = Request(
        len(incident.requests) + 1, kind, assignment.party, update.reason_code or "", ms_to_text(step.now_ms),  # type: ignore[arg-type]
        until=None if until_ms is None else ms_to_text(until_ms), departments=update.departments,
    )  # fmt: skip
    incident.requests = (*incident.requests, request)
    step.change.entry("requested", request=request)
    step.change.notice(CENTRE, "request")
    step.change.queue = "urgency"


def _require_possible(
    step: Step, kind: str, assignment: Assignment, until_ms: int | None, departments: tuple[str, ...]
) -> None:
    incident, policy = step.incident, step.book.policy
    sla = policy.sla(incident.decided.sla)
    overdue = any(t.breached_ms is not None for t in owed(incident, "resolve", assignment.party))
    if kind in ("hold", "extension") and overdue:
        raise Refused(Reason.NOT_ALLOWED, f"no {kind} for what is overdue")
    if kind == "hold":
        if sla.hold_max is None or assignment.holds >= sla.hold_times:
            raise Refused(Reason.NOT_ALLOWED, f"{incident.decided.sla} allows {sla.hold_times} holds")
        if until_ms is None:
            raise Refused(Reason.MISSING_FIELD, "a hold needs until")
        if until_ms <= step.now_ms:
            raise Refused(Reason.NOT_ALLOWED, "until lies in the past")
        if until_ms > policy.open(sla.hold_max, step.now_ms).due_ms:
            raise Refused(Reason.NOT_ALLOWED, f"a hold lasts at most {sla.hold_max.text}")
    elif kind == "extension":
        running = owed(incident, "resolve", assignment.party)
        if not running:
            raise Refused(Reason.NOT_ALLOWED, f"{assignment.party} owes no resolve target that could be extended")
        if _extensions(incident, assignment) >= sla.extend_times:
            raise Refused(Reason.NOT_ALLOWED, f"{incident.decided.sla} allows {sla.extend_times} extensions")
    elif kind in ("transfer", "support"):
        if not departments:
            raise Refused(Reason.MISSING_FIELD, f"{kind} needs departments")
        if kind == "transfer" and len(departments) > 1:
            raise Refused(Reason.NOT_ALLOWED, "a part is transferred to one department")
        named = [named_party(step.book, incident, name) for name in departments]
        if len(set(named)) != len(named):
            raise Refused(Reason.NOT_ALLOWED, "a department is named twice")
        for name, found in zip(departments, named, strict=True):
            if found is None:
                raise Refused(Reason.NOT_ALLOWED, f"no department {mask_code(name)} here")
            known = incident.assignment_of(*found)
            if known is not None and (kind == "support" or known is incident.lead):
                raise Refused(Reason.NOT_ALLOWED, f"{name} already has a part in the incident")


def _extensions(incident: Incident, assignment: Assignment) -> int:
    """How often the clock of a part was extended; a lead's is that of whoever led before, on whatever budget."""
    parties = {assignment.party}
    if assignment is incident.lead:
        parties |= {part.party for part in incident.support if part.role == FORMER_LEAD}
    return sum(r.kind == "extension" and r.state == "approved" and r.party in parties for r in incident.requests)


def _open_request(step: Step) -> Request:
    number = step.update.number
    request = next((r for r in step.incident.requests if r.number == number), None)
    if request is None:
        raise Refused(Reason.NOT_ALLOWED, f"the incident has no request {number}")
    if request.state != "open":
        raise Refused(Reason.NOT_ALLOWED, f"request {number} is {request.state}")
    return request


def _settle(step: Step, request: Request, state: str) -> None:
    settled = replace(request, state=state, decided_at=ms_to_text(step.now_ms))
    step.incident.requests = tuple(settled if r.number == request.number else r for r in step.incident.requests)
    step.change.entry(f"request_{state}", number=request.number, kind=request.kind, party=request.party)
    step.change.queue = "urgency"


def approve(step: Step) -> None:
    """Grant a request; what has become impossible meanwhile is refused, and the request stays open to be refused."""
    request, incident = _open_request(step), step.incident
    if request.kind == "exempt":
        if step.actor.role == "dispatcher":
            raise Refused(Reason.NOT_ALLOWED, "an exemption is granted by a shift lead or a supervisor")
        incident.exempt = tuple(dict.fromkeys((*incident.exempt, request.party)))
        _settle(step, request, "approved")
        return
    assignment = incident.part_of(request.party)
    if assignment is None or assignment.state not in REQUESTABLE[request.kind] or incident.state not in SENT_OUT:
        state = "gone" if assignment is None else assignment.state
        said = f"the incident is {incident.state}, {request.party}'s assignment {state}: refuse the request"
        raise Refused(Reason.NOT_ALLOWED, said)
    until_ms = None if request.until is None else text_to_ms(request.until)
    step.require_room(len(request.departments))
    _require_possible(step, request.kind, assignment, until_ms, request.departments)
    _settle(step, request, "approved")
    if request.kind == "hold":
        hold(step, assignment, until_ms or step.now_ms)
    elif request.kind == "extension":
        for target in owed(incident, "resolve", assignment.party):
            extend(target, step.clock(target), step.pace("resolve"))
            step.change.target(target, "extend")
        incident.tally().extended += 1
        step.change.order(assignment, "extended")
    elif request.kind == "transfer":
        _transfer(step, assignment, request.departments[0])
    else:
        for name in request.departments:
            found = named_party(step.book, incident, name)
            if found is not None:
                plan = SupportPlan(*found, "", False, None, ("request",))
                offer(step.book, incident, step.change, step.decision(), *found, plan.by, plan)


def _transfer(step: Step, assignment: Assignment, name: str) -> None:
    found = named_party(step.book, step.incident, name)
    if found is None:
        raise Refused(Reason.NOT_ALLOWED, f"no department {mask_code(name)} here")
    if assignment is step.incident.lead:
        hand_over(step, *found, "request")
        return
    plan = SupportPlan(*found, assignment.task or "", assignment.required, None, ("request",))
    withdraw(step, assignment)
    known = step.incident.assignment_of(*found)
    if known is None:
        offer(step.book, step.incident, step.change, step.decision(), *found, plan.by, plan)
    elif assignment.required and known.done_ms is None:
        require(step.book, step.incident, step.change, step.decision(), known)
    finish_if_done(step)  # it may have been the only part waited for, gone to a department that is done with its own


def refuse(step: Step) -> None:
    """Not granted: the department is told, nothing has changed meanwhile, its quota is what it was."""
    request = _open_request(step)
    _settle(step, request, "refused")
    assignment = step.incident.part_of(request.party)
    if assignment is not None:
        step.change.order(assignment, "request_refused")


def end_hold(step: Step) -> None:
    """Go on before the hold ends by itself."""
    end_hold_of(step, step.own())
