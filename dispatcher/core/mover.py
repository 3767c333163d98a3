"""Moving one incident on: every change of state by the tables, every target by its clock, all of it written down.

Updates do it (`step.Step`), timers do it, and so do commands that take many incidents at once.
"""

from collections.abc import Iterable

from dispatcher.core.incident import Assignment, Incident, Target
from dispatcher.core.ladder import Pace
from dispatcher.core.lifecycle import move_assignment, move_incident
from dispatcher.core.publish import Change
from dispatcher.core.rulebook import Rulebook
from dispatcher.core.targets import fulfil, refresh, revoke, stop_climbing
from dispatcher.core.turn import Turn
from rules import Clock, Decision

__all__ = ["Mover"]


class Mover:
    """One incident being changed at one instant; `judged_ms` is the instant its targets are judged by."""

    def __init__(self, turn: Turn, book: Rulebook, incident: Incident, change: Change) -> None:
        self.turn, self.book, self.incident, self.change = turn, book, incident, change
        self.now_ms = self.judged_ms = change.at_ms

    def clock(self, target: Target) -> Clock:
        """The clock a target runs on."""
        return self.book.policy.clock(target.clock)

    def pace(self, name: str) -> Pace:
        """When a target of a name warns and climbs its ladder."""
        return self.book.pace(self.incident.decided, name)

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

    def settle_ladders(self, of: str, what: str) -> None:
        """A party has `acknowledged`, `arrived` …: ladders that stop at that are over for what it owes."""
        for target in self.incident.targets:
            if target.of == of and target.active and self.pace(target.name).stops_when(what):
                stop_climbing(target, self.clock(target), self.pace(target.name))

    def refresh(self, target: Target) -> None:
        """Work out a target's next instant anew."""
        refresh(target, self.clock(target), self.pace(target.name))

    def decision(self) -> Decision:
        """The decision on the facts as they stand now."""
        return self.book.decider.decide(self.incident.facts)
