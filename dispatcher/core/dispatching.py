"""What the centre does about who works on an incident: verify, file, assign, decide on returns."""

from msgspec.structs import replace

from dispatcher.core.closing import end, finish_if_done, withdraw
from dispatcher.core.handling import RETURNS_MAX
from dispatcher.core.incident import Assignment, party
from dispatcher.core.lifecycle import CENTRE, LIVE_STATES, AssignmentState, IncidentState
from dispatcher.core.messages import Reason
from dispatcher.core.mover import Mover
from dispatcher.core.offering import FORMER_LEAD, named_party, offer
from dispatcher.core.privacy import mask_code
from dispatcher.core.route import dispatch, record_decision, settle_decision
from dispatcher.core.step import Refused, Step
from dispatcher.core.targets import owed, resume
from rules import SupportPlan

__all__ = [
    "accept_return",
    "assign",
    "change_lead",
    "classified",
    "file",
    "file_and_dispatch",
    "hand_over",
    "recall",
    "refuse_return",
    "verify",
]

COORDINATES = "协调 (co-ordination)"


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
            file_and_dispatch(step)
        else:
            step.move("deny")
            end(step)
    elif result == "not_exists":  # dispatched at once for safety, and nothing was there: the centre is told to void it
        incident.tags = tuple(sorted({*incident.tags, "not_found"}))
        step.change.queue = "urgency"


def file(step: Step) -> None:
    """The acceptor files it, perhaps as another category, standard or severity, and it is dispatched."""
    classified(step)
    incident = step.incident
    incident.verify_ms = None
    incident.facts = replace(incident.facts, filed=True)  # what a guard has put aside is taken on by a person
    file_and_dispatch(step)


def classified(step: Step) -> None:
    """Take over the category, standard and severity an acceptor names.

    Raises:
        Refused: the policy does not know them; nothing has changed.
    """
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
    if known is None or not known.public:
        incident.text = None  # what was reviewed for everybody to read was of another category
    incident.facts = replace(incident.facts, category=category, standard=standard, severity=severity)


def file_and_dispatch(step: Mover) -> None:
    """Filed, decided on, dispatched: one change."""
    incident = step.incident
    step.move("file")
    if not incident.decision_seq:  # decided for the first time: under the mode that holds now
        incident.mode = step.turn.state.mode_at(incident.place.path)
        incident.facts = replace(incident.facts, mode=incident.mode)
    decision = step.decision()
    settle_decision(step.book, step.incident, decision, "report", step.change, step.turn.grid)
    for part in incident.assignments():
        if part.state is AssignmentState.APPROVED:  # of an earlier round: what there is to do now is offered anew
            step.move_assignment(part, "withdraw")
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
    _uphold(step, assignment)
    withdraw(step, assignment)
    step.change.queue = "re-routed"
    finish_if_done(step)


def _uphold(step: Step, assignment: Assignment) -> None:
    """The centre agrees with a return: what ran out while it was deciding was not in the department's hands."""
    incident = step.incident
    incident.tally().upheld += 1
    for target in incident.targets:
        own = target.name != "resolve" and target.of == assignment.party and target.active
        if own and target.breached_ms is not None and target.breached_ms > assignment.since_ms:
            target.breached_ms = None
            step.change.target(target, "withdraw_breach")


def assign(step: Step) -> None:
    """The centre names a lead, supports, or both: an override."""
    incident, update = step.incident, step.update
    if update.lead is None and not update.support:
        raise Refused(Reason.MISSING_FIELD, "assign needs lead or support")
    named = [_party(step, name) for name in (*([] if update.lead is None else [update.lead]), *update.support)]
    supports = named if update.lead is None else named[1:]
    lead = incident.lead
    leads = lead is not None and lead.state is not AssignmentState.WITHDRAWN  # one that was recalled may have it back
    if update.lead is not None and lead is not None and leads and (lead.department, lead.unit) == named[0]:
        raise Refused(Reason.NOT_ALLOWED, f"{update.lead} is the lead already; a return of its is refused or accepted")
    for department, unit in supports:
        if incident.assignment_of(department, unit) is not None:
            raise Refused(Reason.NOT_ALLOWED, f"{department} already has a part in the incident")
    if supports:  # for another lead there is always room
        step.require_room(len(supports))
    if len(set(named)) != len(named):
        raise Refused(Reason.NOT_ALLOWED, "a department is named twice")
    step.change.entry("assigned", lead=update.lead, support=update.support, reason_code=step.change.note)
    if update.lead is not None:
        hand_over(step, *named[0], "override")
    else:
        _decide_by_hand(step, "override")
    for department, unit in supports:
        offer(step.book, incident, step.change, step.decision(), department, unit, ("override",), lead=False)
    step.change.queue = "re-routed"


def _decide_by_hand(step: Step, cause: str) -> None:
    incident = step.incident
    incident.dispatched_by = None if step.actor.person is None else step.actor_name
    incident.decided = step.book.decided(step.decision(), cause, incident.decided)
    record_decision(step.book, incident, step.decision(), step.change, step.turn.grid)


def hand_over(step: Step, department: str, unit: str | None, cause: str) -> None:
    """Another lead, named by a person: the incident's clock never starts again, it goes over to the new one."""
    incident, old = step.incident, step.incident.lead
    if incident.state is IncidentState.RETURNED and old is not None and old.state is AssignmentState.RETURNED:
        _uphold(step, old)
    _decide_by_hand(step, cause)
    change_lead(step, department, unit, (cause,))
    if incident.tally().returned >= RETURNS_MAX:
        _first_recipient_coordinates(step)
    step.change.queue = "re-routed"


def change_lead(step: Mover, department: str, unit: str | None, by: tuple[str, ...]) -> None:
    """The old lead's part ends as a former one, what it owed for the incident is the new lead's to meet."""
    incident, old = step.incident, step.incident.lead
    support = incident.assignment_of(department, unit)
    if support is not None and support is not old:
        withdraw(step, support)
    before = CENTRE if old is None or old.state is AssignmentState.WITHDRAWN else old.party  # recalled: nobody's
    running = owed(incident, "resolve", before)
    for target in running:
        target.of = party(department, unit)
        if target.since_ms < 0:
            resume(target, step.clock(target), step.now_ms, step.pace("resolve"))
        step.change.target(target, "hand_over")
    if old is not None and old.state in LIVE_STATES:
        withdraw(step, old)
    offer(step.book, incident, step.change, step.decision(), department, unit, by)
    step.move("dispatch")


def _first_recipient_coordinates(step: Step) -> None:
    """首接负责: after the third return whoever had it first stays with it and co-ordinates."""
    incident = step.incident
    first = min((a for a in incident.assignments() if a.role == FORMER_LEAD), key=lambda a: a.offered_ms, default=None)
    if first is not None and incident.assignment_of(first.department, first.unit) is None:
        plan = SupportPlan(first.department, first.unit, COORDINATES, False, None, ("first_recipient",))
        offer(step.book, incident, step.change, step.decision(), first.department, first.unit, plan.by, plan)


def recall(step: Step) -> None:
    """Take an order back that nobody has acknowledged; a lead's leaves the incident to be assigned anew."""
    assignment, incident = step.own(), step.incident
    if assignment is not incident.lead:
        withdraw(step, assignment)
        finish_if_done(step)
    else:
        step.move_assignment(assignment, "withdraw")
        step.change.order(assignment, "withdraw")
        for target in owed(incident, "resolve", assignment.party):  # it runs on, at the centre's expense
            target.of = CENTRE
            step.change.target(target, "hand_over")
        step.revoke([t for t in incident.targets if t.of == assignment.party and t.active])
        step.move("recall")
    step.change.queue = "re-routed"


def _party(step: Step, name: str) -> tuple[str, str | None]:
    found = named_party(step.book, step.incident, name)
    if found is not None:
        return found
    department, _, level = name.partition("@")
    if step.book.policy.department(department) is None:
        raise Refused(Reason.NOT_ALLOWED, f"no department {mask_code(department)} in this policy")
    raise Refused(Reason.NOT_ALLOWED, f"the place of the incident has no {mask_code(level)}")
