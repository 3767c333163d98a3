"""What waits for the command centre is never forgotten: a reminder after half an hour, then every day.

Departments have targets and ladders; this is the same for the centre wherever no target of its own runs. Together they
let the watchdog prove that every open incident has a next timer or has climbed its ladder to the end.
"""

from dispatcher.core.incident import NEVER_MS, Incident
from dispatcher.core.instants import DAY_MS, MINUTE_MS
from dispatcher.core.lifecycle import CENTRE, AssignmentState, IncidentState

__all__ = ["DESK_AGAIN_MS", "DESK_WITHIN_MS", "settle_desk", "unwatched", "waits_for_centre"]

DESK_WITHIN_MS = 30 * MINUTE_MS
DESK_AGAIN_MS = DAY_MS

_CENTRE_STATES = frozenset(
    {IncidentState.RECEIVED, IncidentState.FILED, IncidentState.RETURNED, IncidentState.REOPEN_REQUESTED}
)


def waits_for_centre(incident: Incident) -> bool:
    """Whether somebody at the centre must decide before anything goes on."""
    state = incident.state
    if (incident.open or state is IncidentState.CLOSED) and any(r.state == "open" for r in incident.requests):
        return True
    if not incident.open:
        return False
    return (
        state in _CENTRE_STATES
        or (state is IncidentState.VERIFYING and incident.verify_ms is None)
        or (state is IncidentState.CHECKING and not any(t.of == CENTRE and t.active for t in incident.targets))
        or any(part.state is AssignmentState.RETURNED for part in incident.support)
    )


def settle_desk(incident: Incident, at_ms: int) -> None:
    """Start or stop the reminder after a change."""
    if not waits_for_centre(incident):
        incident.desk_ms = None
    elif incident.desk_ms is None:
        incident.desk_ms = at_ms + DESK_WITHIN_MS


def unwatched(incident: Incident, now_ms: int) -> str | None:
    """Why nothing would ever move an open incident on again; None when something will, or its ladder is climbed.

    The watchdog's question. A timer of the past is one that should have fired.
    """
    if not incident.open:
        return None
    if incident.next_ms < now_ms:
        return "a timer is overdue"
    if incident.next_ms < NEVER_MS:
        return None
    breached = any(t.active and t.breached_ms is not None and t.since_ms >= 0 for t in incident.targets)
    return None if breached else "no timer is set"
