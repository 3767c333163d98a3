"""Rules that never hold or never win, and what keeps them from it."""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from rules.lint.contest import Contest, Question
from rules.lint.solver import Budget, OutOfBudgetError
from rules.model_rules import Rule

STEPS = 200_000
"""Clauses looked at for one rule, and as many again to say why it never wins: a second or so at the very worst."""


class Fate(Enum):
    """Why a rule is of no use."""

    IMPOSSIBLE = "its own conditions, or its category and place, never come together"
    OVERLAYS = "overlays never leave the severity or the tags that it asks for"
    SHADOWED = "one rule always comes before it"
    COVERED = "some rule or other always comes before it"
    UNEXPLAINED = "for certain, but the budget did not reach to find out why"
    UNDECIDED = "not found out within the budget"


class Useless(NamedTuple):
    """A rule that never holds (guard, overlay) or never wins (route), and the rules that see to it."""

    rule: str
    fate: Fate
    by: tuple[str, ...] = ()


def useless_rules(contest: Contest, rules: Iterable[Rule], steps: int = STEPS) -> list[Useless]:
    """Return those of the rules that are of no use, or of which that could not be decided."""
    found = (_fate(contest, rule, steps) for rule in rules)
    return [useless for useless in found if useless is not None]


def _fate(contest: Contest, rule: Rule, steps: int) -> Useless | None:
    budget = Budget(steps)
    refuted = Refuted(contest.helping)
    try:
        for kind in contest.kinds_for(rule):
            for meeting in contest.meetings(rule, kind):
                question = contest.question(rule, meeting)
                if question not in refuted:
                    if contest.answer(question, budget) is not None:
                        return None
                    refuted.add(question)
                if contest.is_settled(meeting, question):
                    break
    except OutOfBudgetError:
        return Useless(rule.id, Fate.UNDECIDED)
    try:
        return _reason(contest, rule, refuted.questions, Budget(steps))
    except OutOfBudgetError:
        return Useless(rule.id, Fate.UNEXPLAINED)


class Refuted:
    """Questions answered by no; whoever asks the same of fewer facts gets the same answer.

    More rules that must fail leave fewer facts, and so do more overlays, except those that help.
    """

    def __init__(self, helping: int) -> None:
        self.questions: list[Question] = []
        self._helping = helping

    def add(self, question: Question) -> None:
        """Note a question answered by no."""
        self.questions.append(question)

    def __contains__(self, question: Question) -> bool:
        return any(
            known.hold == question.hold
            and not known.fail & ~question.fail
            and not known.acting & ~question.acting
            and not (known.acting ^ question.acting) & self._helping
            for known in self.questions
        )


def _reason(contest: Contest, rule: Rule, questions: list[Question], budget: Budget) -> Useless:
    def refuted(fail: int, acting: int = -1) -> bool:
        """Whether these rules and overlays are enough."""
        return all(
            contest.answer(Question(each.hold, each.fail & fail, each.acting & acting), budget) is None
            for each in questions
        )

    def fewest(rows: int, *, overlays: bool) -> tuple[str, ...]:
        """Take rules away one by one, the last ones first, as long as the rest is enough."""
        names = contest.ids(rows)
        for name in reversed(names):
            rest = rows & ~contest.rows_of[name]
            if refuted(0, rest) if overlays else refuted(rest):
                rows = rest
        return contest.ids(rows)

    everyone = acting = 0
    for question in questions:
        everyone |= question.fail
        acting |= question.acting
    if refuted(0, 0):
        return Useless(rule.id, Fate.IMPOSSIBLE)
    if refuted(0):
        return Useless(rule.id, Fate.OVERLAYS, fewest(acting, overlays=True))
    for name in contest.ids(everyone):
        rows = contest.rows_of[name]
        if all(question.fail & rows for question in questions) and refuted(rows):
            return Useless(rule.id, Fate.SHADOWED, (name,))
    return Useless(rule.id, Fate.COVERED, fewest(everyone, overlays=False))
