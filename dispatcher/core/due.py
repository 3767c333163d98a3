"""What happens when a timer is due."""

from dispatcher.core.incident import NEVER_MS, Incident
from dispatcher.core.publish import Change
from dispatcher.core.targets import fire
from dispatcher.core.turn import REOPEN_WINDOW_MS, Turn

__all__ = ["fire_incident", "mute_incident"]


def fire_incident(turn: Turn, due_ms: int, incident: Incident) -> None:
    """Do what is due at this instant: warnings, breaches, an overdue verification, or leaving memory."""
    if incident.drop_ms is not None and incident.drop_ms <= due_ms:
        turn.state.drop(incident, turn.out)
        return
    book = turn.state.book_of(incident)
    change = Change(incident, "timer", due_ms)
    warn = book.warn(incident.decided.sla)
    for target in incident.targets:
        if target.next_ms <= due_ms:
            fired = fire(target, book.policy.clock(target.clock), warn, due_ms)
            change.target(target, fired.what, fired.percent)
            change.queue = "urgency"
            turn.counts[f"target:{fired.what}"] += 1
    if incident.verify_ms is not None and incident.verify_ms <= due_ms:
        incident.verify_ms = None
        incident.tags = tuple(sorted({*incident.tags, "verify_overdue"}))
        change.entry("verify_overdue")
        change.queue = "urgency"
    turn.publish(change, book)


def mute_incident(turn: Turn, due_ms: int, incident: Incident, key: str) -> None:
    """A timer our own code fails on: said aloud, and not tried again. What is due is due all the same."""
    change = Change(incident, "engine_error", due_ms)
    warnings = len(turn.state.book_of(incident).warn(incident.decided.sla))
    for target in incident.targets:
        if target.next_ms <= due_ms:
            overdue = due_ms >= target.due_ms
            target.breached_ms = target.due_ms if overdue else None
            target.warned = warnings
            target.next_ms = NEVER_MS if overdue else target.due_ms
            change.target(target, "engine_error")
    incident.verify_ms = None if incident.verify_ms is not None and incident.verify_ms <= due_ms else incident.verify_ms
    if incident.drop_ms is not None and incident.drop_ms <= due_ms:
        incident.drop_ms = due_ms + REOPEN_WINDOW_MS
    incident.flags = tuple(dict.fromkeys((*incident.flags, "engine_error")))
    change.entry("engine_error", timer=key)
    turn.counts["rejected:engine_error"] += 1
    turn.count("timers_failed")
    turn.publish(change, turn.state.book_of(incident))
