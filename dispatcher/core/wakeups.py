"""The next instant at which an incident wants attention by itself: the earliest of all its timers."""

from dispatcher.core.dossier import due_ms_of
from dispatcher.core.incident import NEVER_MS, Incident

__all__ = ["next_due_ms"]


def next_due_ms(incident: Incident) -> int:
    """The earliest of warnings, steps, due instants, ends of holds and claims, replies owed, reminders, leaving memory.

    `NEVER_MS` when there is none.
    """
    next_ms = NEVER_MS
    for target in incident.targets:
        next_ms = min(next_ms, target.next_ms)
    for own_ms in (incident.verify_ms, incident.drop_ms, incident.desk_ms, incident.claim_until_ms):
        if own_ms is not None and own_ms < next_ms:
            next_ms = own_ms
    for assignment in incident.assignments():
        if assignment.hold_until_ms is not None and assignment.hold_until_ms < next_ms:
            next_ms = assignment.hold_until_ms
    if incident.supervision and incident.open:
        for supervision in incident.supervision:
            next_ms = min(next_ms, *due_ms_of(supervision), next_ms)
    return next_ms
