"""What no route takes: categories and level-1 cells where the fallback leads, always or for some facts.

Looked at are the places where a position lies (cells without parts), not reports without a place, and categories of the
catalogue, not reports without one: those are the fallback's by nature.
"""

from collections.abc import Iterator
from typing import NamedTuple

from rules.facts import Facts
from rules.layout import bits
from rules.lint.contest import Contest, Meeting, Question
from rules.lint.places import Kind, Spot
from rules.lint.reach import STEPS
from rules.lint.solver import Budget, Domains, OutOfBudgetError


class Hole(NamedTuple):
    """The fallback leads here: `always`, or for facts such as the example; without one it could not be decided."""

    category: str
    area: str
    always: bool
    example: Facts | None


def holes(contest: Contest, steps: int = STEPS) -> list[Hole]:
    """Return the table by category and area; what routes serve altogether is not in it."""
    return list(_Holes(contest, steps).find())


class _Holes:
    def __init__(self, contest: Contest, steps: int) -> None:
        self.contest = contest
        self.steps = steps
        self.answers: dict[Question, Domains | None] = {}
        self.total = 0  # rows of routes that ask for nothing but category and place
        self.needing: dict[str, int] = {}  # by level: rows whose lead is a unit of it
        for index in bits(contest.layout.routes):
            self.total |= (1 << index) * (() in contest.boxes[index])
            level = contest.layout.route(index).lead.partition("@")[2]
            if level:
                self.needing[level] = self.needing.get(level, 0) | 1 << index

    def find(self) -> Iterator[Hole]:
        by_area: dict[str, list[Spot]] = {}
        for spot in self.contest.spots:
            for area in spot.leaves:
                by_area.setdefault(area, []).append(spot)
        for kind in self.contest.kinds:
            for area in sorted(by_area):
                for code in kind.codes if kind.codes[0] is not None else ():
                    if code is not None:
                        yield from self.look(kind, code, area, by_area[area])

    def look(self, kind: Kind, code: str, area: str, spots: list[Spot]) -> Iterator[Hole]:
        meetings = [Meeting(kind, spot, kind.rows & spot.rows) for spot in spots]
        try:
            example = next(filter(None, (self.unserved(meeting, code) for meeting in meetings)), None)
            if example is not None:
                yield Hole(code, area, not any(map(self.served, meetings)), example)
        except OutOfBudgetError:
            yield Hole(code, area, always=False, example=None)

    def unserved(self, meeting: Meeting, code: str) -> Facts | None:
        """Return facts for which the fallback leads; None when a route always does, or a guard."""
        found = None
        routes = meeting.rows & self.contest.layout.routes
        if not routes & self.total:
            guards = meeting.rows & self.contest.layout.guards
            found = self.answer(Question((), guards | routes, meeting.rows & self.contest.acting))
        for index in bits(routes & self.unresolved(meeting.spot)):
            if found is None:
                found = self.answer(self.contest.question(self.contest.rule(index), meeting))
        return None if found is None else self.contest.space.facts(found, code, meeting.spot.path)

    def served(self, meeting: Meeting) -> bool:
        """Whether some route can win and has its lead here."""
        return any(
            self.answer(self.contest.question(self.contest.rule(index), meeting)) is not None
            for index in bits(meeting.rows & self.contest.layout.routes & ~self.unresolved(meeting.spot))
        )

    def unresolved(self, spot: Spot) -> int:
        """Return the rows of routes whose lead is a unit that the place does not have."""
        rows = 0
        for level, needing in self.needing.items():
            rows |= 0 if level in spot.levels else needing
        return rows

    def answer(self, question: Question) -> Domains | None:
        if question not in self.answers:
            self.answers[question] = self.contest.answer(question, Budget(self.steps))
        return self.answers[question]
