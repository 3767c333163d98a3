"""One update being applied: the incident, who acts, and the change in the making."""

from collections.abc import Iterable

from dispatcher.core.incident import Assignment, Incident, Target
from dispatcher.core.lifecycle import move_assignment, move_incident
from dispatcher.core.messages import Reason
from dispatcher.core.publish import Change
from dispatcher.core.route import Rulebook
from dispatcher.core.targets import fulfil, revoke
from dispatcher.core.work import UpdateWork
from rules import Clock, Decision

__all__ = ["Refused", "Step"]


class Refused(Exception):
    """The update is refused and changes nothing."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Step:
    """One update being applied: the incident, who acts, and the change in the making."""

    def __init__(self, book: Rulebook, incident: Incident, work: UpdateWork, change: Change, grid: str) -> None:
        self.book, self.incident, self.change, self.grid = book, incident, change, grid
        self.update, self.actor = work.update, work.actor
        self.now_ms = change.at_ms
        self.assignment = _assignment(work, incident)
        started_ms = incident.opened_ms if self.assignment is None else self.assignment.offered_ms
        self.judged_ms = max(started_ms, min(work.origin.time_ms, self.now_ms))  # lag is never a department's fault
        self.warn = book.warn(incident.decided.sla)

    def clock(self, target: Target) -> Clock:
        """The clock a target runs on."""
        return self.book.policy.clock(target.clock)

    def move(self, what: str) -> None:
        """Change the incident's state by the tables."""
        old = self.incident.state
        self.incident.state = move_incident(old, what)
        self.change.move(old, self.incident.state)

    def move_assignment(self, assignment: Assignment, what: str) -> None:
        """Change an assignment's state by the tables."""
        old = assignment.state
        assignment.state = move_assignment(old, what)
        assignment.since_ms = self.now_ms
        self.change.assignment(assignment, old)

    def fulfil(self, targets: Iterable[Target]) -> None:
        """Meet targets as of the instant the update was received."""
        for target in targets:
            if fulfil(target, self.clock(target), self.judged_ms):
                self.change.target(target, "withdraw_breach")
            self.change.target(target, "fulfil")

    def revoke(self, targets: Iterable[Target]) -> None:
        """Targets that are no longer owed."""
        for target in targets:
            revoke(target, self.now_ms)
            self.change.target(target, "revoke")

    def own(self) -> Assignment:
        """The assignment the action is about: the tables have seen to it that there is one."""
        if self.assignment is None:
            raise Refused(Reason.NOT_ALLOWED, "this department has no part in the incident")
        return self.assignment

    def decision(self) -> Decision:
        """The decision on the facts as they stand now."""
        return self.book.decider.decide(self.incident.facts)


def _assignment(work: UpdateWork, incident: Incident) -> Assignment | None:
    actor, update = work.actor, work.update
    if actor.role == "department":
        return None if actor.department is None else incident.assignment_of(actor.department, actor.unit)
    if update.department is not None:
        return incident.assignment_of(update.department, update.unit)
    return incident.lead if actor.role == "system" else None
