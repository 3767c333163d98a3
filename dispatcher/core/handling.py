"""What a department does with its part: acknowledge, arrive, pass it on, phone, note, give back, report it done."""

from math import cos, hypot, radians

from dispatcher.core.closing import finish_if_done, lapse_requests
from dispatcher.core.lifecycle import IncidentState
from dispatcher.core.locate import WGS84
from dispatcher.core.merge import METRES_PER_DEGREE
from dispatcher.core.messages import Reason
from dispatcher.core.privacy import mask_code
from dispatcher.core.step import Refused, Step
from dispatcher.core.targets import owed, pause
from geo import to_wgs84

__all__ = [
    "ATTEND_RADIUS_M",
    "RETURNS_MAX",
    "acknowledge",
    "arrive",
    "contact",
    "delegate",
    "done",
    "give_back",
    "note",
    "progress",
]

ATTEND_RADIUS_M = 200.0  # an arrival this near the incident counts by itself; GPS in streets is off by tens of metres
RETURNS_MAX = 3  # after the third return the centre names the lead, who cannot return


def acknowledge(step: Step) -> None:
    """The department has its order; a lead that has it handles the incident."""
    assignment, incident = step.own(), step.incident
    step.move_assignment(assignment, "acknowledge")
    assignment.acknowledged_ms = step.judged_ms
    step.fulfil(owed(incident, "acknowledge", assignment.party))
    step.settle_ladders(assignment.party, "acknowledged")
    if assignment is incident.lead and incident.state is IncidentState.DISPATCHED:
        step.move("take")
    step.change.queue = "urgency"


def arrive(step: Step) -> None:
    """The department is on site; it counts by itself when the position lies near enough."""
    assignment, incident = step.own(), step.incident
    step.move_assignment(assignment, "arrive")
    assignment.arrived_ms = step.judged_ms
    if _is_there(step):
        step.settle_ladders(assignment.party, "arrived")
        step.fulfil(owed(incident, "attend", assignment.party))
    else:
        step.change.entry("arrival_unconfirmed", party=assignment.party)


def _is_there(step: Step) -> bool:
    place, position = step.incident.place, step.update.position
    if position is None or position.lon is None or position.lat is None or place.lon is None or place.lat is None:
        return False
    lon, lat = position.lon, position.lat
    if position.crs not in WGS84:
        lon, lat = (float(degrees[0]) for degrees in to_wgs84([lon], [lat], position.crs))
    east = (place.lon - lon) * cos(radians(place.lat))
    return hypot(east, place.lat - lat) * METRES_PER_DEGREE <= ATTEND_RADIUS_M


def delegate(step: Step) -> None:
    """The department's own affair: which of its units or people does it; its promises stay the department's."""
    assignment, update = step.own(), step.update
    if update.person is None and update.unit is None:
        raise Refused(Reason.MISSING_FIELD, "delegate needs unit or person")
    assignment.person = mask_code(update.person or update.unit or "")
    step.change.entry("delegated", party=assignment.party, to=assignment.person)


def progress(step: Step) -> None:
    """How far it has come: remembered that it was told, not what it says."""
    step.change.entry("progress", party=step.own().party, media=len(step.update.media))


def contact(step: Step) -> None:
    """The resident was phoned; one who was reached is the end of the target."""
    incident, update = step.incident, step.update
    source, report_id = step.report()
    step.change.entry("contacted", source=source, report_id=report_id, reached=update.reached)
    if update.reached:
        own = None if step.actor.role != "department" else step.own_party()
        step.fulfil(owed(incident, "contact", own))


def note(step: Step) -> None:
    """A department's own affair: remembered that there was one, not what it says."""
    step.change.entry("noted", media=len(step.update.media))


def give_back(step: Step) -> None:
    """Give the part back ("not ours") with a reason; the centre decides."""
    assignment, incident = step.own(), step.incident
    code = step.reason("return")
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
    lapse_requests(step, assignment.party)


def done(step: Step) -> None:
    """The department is done; its clock stops until the check."""
    assignment, incident, update = step.own(), step.incident, step.update
    category = None if incident.category is None else step.book.policy.category(incident.category)
    wanted = () if category is None else category.evidence
    if wanted and assignment is incident.lead and not update.media and step.actor.role != "system":
        raise Refused(Reason.NOT_ALLOWED, f"done needs evidence: {', '.join(wanted)}")
    step.move_assignment(assignment, "done")
    assignment.done_ms = step.judged_ms
    step.change.entry("done", party=assignment.party, media=len(update.media))
    lapse_requests(step, assignment.party)
    for target in owed(incident, "resolve", assignment.party):
        if pause(target, step.clock(target), step.judged_ms, "done"):
            step.change.target(target, "withdraw_breach")
        step.change.target(target, "pause")
    step.revoke(owed(incident, "attend", assignment.party))  # nobody need arrive where all is done
    finish_if_done(step)
