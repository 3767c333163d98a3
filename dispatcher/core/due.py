"""What happens when a timer of an incident is due."""

from msgspec.structs import replace

from dispatcher.core.dossier import Supervision, due_ms_of
from dispatcher.core.escalate import climb
from dispatcher.core.holding import end_hold_of
from dispatcher.core.incident import NEVER_MS, Incident
from dispatcher.core.ladder import CLIMBED
from dispatcher.core.lifecycle import CENTRE, IncidentState
from dispatcher.core.mover import Mover
from dispatcher.core.publish import Change
from dispatcher.core.supervising import overdue
from dispatcher.core.targets import fire
from dispatcher.core.turn import REOPEN_WINDOW_MS, Turn
from dispatcher.core.waiting import DESK_AGAIN_MS

__all__ = ["fire_incident", "mute_incident"]


def fire_incident(turn: Turn, due_ms: int, incident: Incident) -> None:
    """Do everything that is due at this instant, as one change; or let the ended incident leave memory."""
    book = turn.state.book_of(incident)
    change = Change(incident, "timer", due_ms)
    if incident.drop_ms is not None and incident.drop_ms <= due_ms:
        parent = turn.state.incidents.get(incident.parent or "")
        asked = any(request.state == "open" for request in incident.requests)  # an appeal nobody has decided
        if not asked and (incident.state is not IncidentState.MERGED or parent is None):
            turn.state.drop(incident, turn.out)
            return
        incident.drop_ms = due_ms + turn.window_ms(incident, book, due_ms)  # as long as its parent, who may let it go
        change.entry("kept", parent=incident.parent)
    mover = Mover(turn, book, incident, change)
    for assignment in incident.assignments():
        if assignment.hold_until_ms is not None and assignment.hold_until_ms <= due_ms:
            end_hold_of(mover, assignment)
    for target in incident.targets:
        while target.next_ms <= due_ms:
            fired = fire(target, mover.clock(target), mover.pace(target.name), due_ms)
            turn.counts[f"target:{fired.what}"] += 1
            if fired.step is not None:
                climb(mover, target, fired.step)
                continue
            change.target(target, fired.what, fired.percent)
            change.queue = "urgency"
    if incident.open and any(
        at_ms <= due_ms for supervision in incident.supervision for at_ms in due_ms_of(supervision)
    ):
        overdue(mover, due_ms)
    _remind_centre(mover, due_ms)
    turn.publish(change, book)


def _remind_centre(mover: Mover, due_ms: int) -> None:
    incident, change = mover.incident, mover.change
    if incident.verify_ms is not None and incident.verify_ms <= due_ms:
        incident.verify_ms = None
        incident.tags = tuple(sorted({*incident.tags, "verify_overdue"}))
        change.entry("verify_overdue")
        change.notice(CENTRE, "verify_overdue")
        change.queue = "urgency"
    if incident.desk_ms is not None and incident.desk_ms <= due_ms:
        incident.desk_ms = due_ms + DESK_AGAIN_MS
        change.entry("desk_overdue")
        change.notice(CENTRE, "desk_overdue")
        change.queue = "urgency"
    if incident.claim_until_ms is not None and incident.claim_until_ms <= due_ms:
        change.entry("claim_ended", by=incident.claimed_by)
        incident.claimed_by = incident.claim_until_ms = None
        change.queue = "released"


def _muted(supervision: Supervision, due_ms: int) -> Supervision:
    if not any(at_ms <= due_ms for at_ms in due_ms_of(supervision)):
        return supervision
    return replace(
        supervision, overdue=True, milestones=tuple([replace(m, overdue=True) for m in supervision.milestones])
    )


def mute_incident(turn: Turn, due_ms: int, incident: Incident, key: str) -> None:
    """A timer our own code fails on: said aloud, and not tried again. What is due is due all the same."""
    book = turn.state.book_of(incident)
    change = Change(incident, "engine_error", due_ms)
    for target in incident.targets:
        if target.next_ms <= due_ms:
            late = due_ms >= target.due_ms
            target.breached_ms = target.due_ms if late else target.breached_ms
            target.warned = len(book.pace(incident.decided, target.name).warn)
            target.rung = CLIMBED
            target.next_ms = NEVER_MS if late else target.due_ms
            change.target(target, "engine_error")
    for assignment in incident.assignments():
        if assignment.hold_until_ms is not None and assignment.hold_until_ms <= due_ms:
            assignment.hold_until_ms = None
    incident.supervision = tuple([_muted(s, due_ms) for s in incident.supervision])
    for name in ("verify_ms", "desk_ms", "claim_until_ms"):
        own_ms = getattr(incident, name)
        if own_ms is not None and own_ms <= due_ms:
            setattr(incident, name, None)
    if incident.drop_ms is not None and incident.drop_ms <= due_ms:
        incident.drop_ms = due_ms + REOPEN_WINDOW_MS
    incident.flags = tuple(dict.fromkeys((*incident.flags, "engine_error")))
    change.entry("engine_error", timer=key)
    turn.counts["rejected:engine_error"] += 1
    turn.count("timers_failed")
    turn.publish(change, book)
