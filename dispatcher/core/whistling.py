"""吹哨: a street calls, the named departments must come; it confirms who came, ends the whistle, and rates them."""

from msgspec.structs import replace

from dispatcher.core.dossier import WhistleCall
from dispatcher.core.instants import ms_to_text
from dispatcher.core.lifecycle import SENT_OUT, AssignmentState
from dispatcher.core.messages import Reason
from dispatcher.core.mover import Mover
from dispatcher.core.offering import WHISTLE, compel, shown_party
from dispatcher.core.privacy import mask_code
from dispatcher.core.redeciding import decide_again
from dispatcher.core.step import Refused, Step
from dispatcher.core.targets import owed
from rules import Facts

__all__ = ["confirm_arrival", "end_whistle", "rate", "take_whistle_over", "whistle"]


def whistle(step: Step) -> None:
    """Call departments to an open incident: those the street names, and those the policy sends for its kind."""
    incident, update = step.incident, step.update
    kind = update.kind or ""
    if not step.system and step.book.policy.reason("whistle", kind) is None:
        raise Refused(Reason.NOT_ALLOWED, f"{mask_code(kind)} is not a kind of whistle in this policy")
    if incident.whistle is not None and incident.whistle.ended_at is None:
        raise Refused(Reason.NOT_ALLOWED, "a whistle is sounding already; end it first")
    for name in update.departments:
        if step.book.policy.department(name.partition("@")[0]) is None:
            raise Refused(Reason.NOT_ALLOWED, f"no department {mask_code(name)} in this policy")
    step.require_room(len(update.departments))
    departments = tuple(shown_party(name, incident.place.path) for name in update.departments)
    incident.whistle = WhistleCall(kind, step.actor.unit, ms_to_text(step.now_ms), departments)
    step.change.entry("whistled", whistle=incident.whistle)
    decide_again(step, "whistle", replace(incident.facts, whistle=kind))
    if incident.dispatched_ms is not None:
        compel(step.book, incident, step.change, step.decision(), departments)
    step.change.queue = "urgency"


def take_whistle_over(mover: Mover, call: WhistleCall | None, facts: Facts) -> None:
    """More reports have joined an incident: it is decided on all that is known now, and a whistle among them sounds on.

    One that sounds already is the one that counts; where nobody is at work yet, it calls when they are sent out.
    """
    incident = mover.incident
    sounding = incident.whistle is not None and incident.whistle.ended_at is None
    if call is not None and not sounding:
        incident.whistle = call
        facts = replace(facts, whistle=call.kind)
    decide_again(mover, "merge", facts)
    if call is not None and not sounding and incident.state in SENT_OUT:
        compel(mover.book, incident, mover.change, mover.decision(), call.departments)
        mover.change.queue = "urgency"


def confirm_arrival(step: Step) -> None:
    """The street confirms that a department has come."""
    _require_own_street(step)
    assignment = step.own()
    if assignment.state is AssignmentState.ACKNOWLEDGED:
        step.move_assignment(assignment, "arrive")
    if assignment.arrived_ms is None:
        assignment.arrived_ms = step.judged_ms
    step.fulfil(owed(step.incident, "attend", assignment.party))
    step.settle_ladders(assignment.party, "arrived")
    step.change.entry("arrival_confirmed", party=assignment.party)


def _require_own_street(step: Step) -> None:
    """A street speaks of what happens in its own cells, or on its own whistle."""
    unit, call = step.actor.unit, step.incident.whistle
    if step.actor.role != "street" or unit is None or unit in step.incident.place.path:
        return
    if call is None or call.unit != unit:
        raise Refused(Reason.NOT_ALLOWED, f"the incident lies in none of {unit}'s cells, nor is the whistle its own")


def end_whistle(step: Step) -> None:
    """Over: whoever has not come need not come any more, and is on record as not having come."""
    incident, call = step.incident, step.incident.whistle
    if call is None or call.ended_at is not None:
        raise Refused(Reason.NOT_ALLOWED, "no whistle is sounding")
    if step.actor.role == "street" and call.unit is not None and call.unit != step.actor.unit:
        raise Refused(Reason.NOT_ALLOWED, f"the whistle is {call.unit}'s to end")
    incident.whistle = replace(call, ended_at=ms_to_text(step.now_ms))
    for target in incident.targets:
        if target.active and target.name == "attend" and target.by == WHISTLE:
            step.revoke([target])
    came = [a.party for a in incident.assignments() if a.arrived_ms is not None]
    step.change.entry("whistle_ended", came=came)
    step.change.queue = "urgency"


def rate(step: Step) -> None:
    """Dual evaluation: the street rates a department's part, 1 to 5; the last word counts."""
    _require_own_street(step)
    assignment = step.own()
    assignment.score = step.update.score
    step.change.entry("rated", party=assignment.party, score=assignment.score)
