"""Holds (挂账): a department's clock stands still with approval, until an instant, and starts again by itself.

A hold is the department's; the incident pauses only if its lead is held.
"""

from dispatcher.core.incident import Assignment
from dispatcher.core.lifecycle import IncidentState
from dispatcher.core.mover import Mover
from dispatcher.core.targets import pause, resume

__all__ = ["HOLD", "end_hold_of", "hold"]

HOLD = "hold"  # why a target is paused


def hold(mover: Mover, assignment: Assignment, until_ms: int) -> None:
    """Stop the clocks of a department's part until an instant."""
    incident = mover.incident
    mover.move_assignment(assignment, "hold")
    assignment.holds += 1
    assignment.hold_until_ms = until_ms
    incident.tally().held += 1
    for target in incident.targets:
        if target.of == assignment.party and target.active and target.since_ms >= 0:
            pause(target, mover.clock(target), mover.now_ms, HOLD)
            mover.change.target(target, "pause")
    if assignment is incident.lead and incident.state is IncidentState.HANDLING:
        mover.move("hold")
    mover.change.order(assignment, "held")
    mover.change.queue = "urgency"


def end_hold_of(mover: Mover, assignment: Assignment) -> None:
    """Start them again."""
    incident = mover.incident
    mover.move_assignment(assignment, "resume" if assignment.arrived_ms is None else "resume_on_site")
    assignment.hold_until_ms = None
    for target in incident.targets:
        if target.of == assignment.party and target.active and target.paused_by == HOLD:
            resume(target, mover.clock(target), mover.now_ms, mover.pace(target.name))
            mover.change.target(target, "resume")
    if assignment is incident.lead and incident.state is IncidentState.ON_HOLD:
        mover.move("resume")
    mover.change.order(assignment, "hold_ended")
    mover.change.queue = "urgency"
