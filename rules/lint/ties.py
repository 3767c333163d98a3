"""Routes that only the order of the files keeps apart, although they name different leads."""

from collections.abc import Collection
from typing import NamedTuple

from rules.facts import Facts
from rules.layout import bits
from rules.lint.contest import Contest, Meeting, Question
from rules.lint.reach import STEPS, Refuted
from rules.lint.solver import Budget, OutOfBudgetError
from rules.model_rules import Route


class Tie(NamedTuple):
    """`loser` comes after `winner` in the files and for nothing else; `example` is such a case, None = undecided."""

    loser: str
    winner: str
    example: Facts | None


def ties(contest: Contest, useless: Collection[str] = (), steps: int = STEPS) -> list[Tie]:
    """Return a tie for each route that loses one. Routes known never to win (`useless`) need not be looked at."""
    leading: dict[str, int] = {}
    winning = 0
    for route in contest.policy.routes:
        leading[route.lead] = leading.get(route.lead, 0) | contest.rows_of[route.id]
        winning |= 0 if route.id in useless else contest.rows_of[route.id]
    found = (_tie(contest, route, winning & ~leading[route.lead], steps) for route in contest.policy.routes)
    return [tie for tie in found if tie is not None]


def _tie(contest: Contest, route: Route, rivals: int, steps: int) -> Tie | None:
    budget = Budget(steps)
    refuted = Refuted(contest.helping)
    earlier = 0
    for row in bits(contest.rows_of[route.id]):
        earlier |= contest.ranks.earlier(row)
    index = -1
    try:
        for kind in contest.kinds_for(route):
            left = rivals & earlier & kind.rows
            for meeting in contest.meetings(route, kind, left):
                mine = contest.row_at(route, meeting)
                for index in _equals(contest, mine, meeting, left):
                    asked = contest.question(contest.rule(index), meeting)
                    question = Question((index, mine), asked.fail, asked.acting)
                    if question not in refuted:
                        found = contest.answer(question, budget)
                        if found is not None:
                            return Tie(route.id, contest.rule(index).id, contest.witness(found, meeting))
                        refuted.add(question)
                    if contest.is_settled(meeting, question):
                        left &= ~(1 << index)
                if not left:
                    break
    except OutOfBudgetError:
        return Tie(route.id, contest.rule(index).id, None)
    return None


def _equals(contest: Contest, mine: int, meeting: Meeting, rivals: int) -> list[int]:
    """Return the rows of rivals that come first in the files and rank equal with a row at a meeting."""
    _, equal = contest.standing(mine, meeting)
    found = bits(equal & contest.ranks.earlier(mine) & rivals)
    return [index for index in found if contest.row_at(contest.rule(index), meeting) == index]
