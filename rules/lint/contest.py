"""Who can hold and who can win: rules meet where a category and a place are known, and there their rank is fixed.

At such a *meeting* it is known which rows of the layout are left and which routes rank before which. Whether a route
can win there is one question to the solver: are there facts for which it holds, no guard holds and no better route
does, given what the overlays that hold make of severity and tags?
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from rules.dimensions import build_dimensions
from rules.facts import Facts
from rules.layout import Layout, bits
from rules.lint.effects import effects
from rules.lint.places import Kind, Path, Spot, kinds_of, spots_of
from rules.lint.ranks import Ranks
from rules.lint.solver import Budget, Clause, Domains, OutOfBudgetError, satisfy
from rules.lint.space import ABSENT, PRESENT, Box, Space
from rules.model_rules import Guard, Overlay, Rule
from rules.policy import Policy


class Meeting(NamedTuple):
    """A category and a place, and the rows that both satisfy."""

    kind: Kind
    spot: Spot
    rows: int


class Question(NamedTuple):
    """Can all rows of `hold` hold and none of `fail`, where these overlays act on severity and tags?"""

    hold: tuple[int, ...]
    fail: int
    acting: int


class Contest:
    """The rules of a policy against each other, from a day on, over the places of a grid."""

    def __init__(self, policy: Policy, from_ms: int, paths: Sequence[Path] | None) -> None:
        self.policy = policy
        self.layout = Layout(policy)
        dimensions = build_dimensions(policy, self.layout)
        self.kinds = kinds_of(policy, dimensions["category"])
        self.spots = spots_of(policy, self.layout, dimensions["path"], paths)
        self.space = Space(policy, from_ms)
        self.ranks = Ranks(self.layout)
        boxes = {rule.id: self.space.boxes(rule) for rule in (*policy.guards, *policy.routes, *policy.overlays)}
        self.boxes = [boxes[row.rule.id] or () for row in self.layout.rows]
        self._huge = 0  # rows with too many boxes to look at: whatever depends on them is out of budget
        for index, row in enumerate(self.layout.rows):
            self._huge |= (1 << index) * (boxes[row.rule.id] is None)
        self.acting = self.layout.severity | self.layout.tags
        self.rows_of: dict[str, int] = {}
        for index, row in enumerate(self.layout.rows):
            self.rows_of[row.rule.id] = self.rows_of.get(row.rule.id, 0) | 1 << index
        self.everywhere = -1
        """Rows that every place satisfies."""
        for spot in self.spots:
            self.everywhere &= spot.rows
        self.helping = sum(1 << index for index in bits(self.acting) if self.space.helps(self.rule(index)))
        """Rows of overlays that make what guards ask for as it was claimed."""
        self._at_cell: dict[str, list[int]] = {}
        for number, spot in enumerate(self.spots):
            for _, cell, _ in spot.cells:
                self._at_cell.setdefault(cell, []).append(number)

    def rule(self, index: int) -> Rule:
        """Return the rule of a row."""
        return self.layout.rows[index].rule

    def ids(self, rows: int) -> tuple[str, ...]:
        """Return the rules of rows, each once, in the order of the rows."""
        return tuple(dict.fromkeys(self.rule(index).id for index in bits(rows)))

    def kinds_for(self, rule: Rule) -> Iterator[Kind]:
        """Yield the categories that a rule asks for."""
        mine = self.rows_of[rule.id]
        return (kind for kind in self.kinds if mine & kind.rows)

    def meetings(self, rule: Rule, kind: Kind, others: int = -1) -> Iterator[Meeting]:
        """Yield the places that a rule asks for and one of the other rows, those with few named cells first."""
        mine = self.rows_of[rule.id] & kind.rows
        others &= kind.rows
        if others:
            for spot in self._spots_for(rule):
                if mine & spot.rows and others & spot.rows:
                    yield Meeting(kind, spot, kind.rows & spot.rows)

    def _spots_for(self, rule: Rule) -> list[Spot]:
        mine = self.rows_of[rule.id]
        cells = self.layout.rows[(mine & -mine).bit_length() - 1].cells
        if not cells:
            return self.spots
        return [self.spots[at] for at in sorted({at for cell in cells for at in self._at_cell.get(cell, ())})]

    def is_settled(self, meeting: Meeting, question: Question) -> bool:
        """Whether a no to this question is a no at every place, for the category of the meeting.

        It is when only rows that hold everywhere are needed for it and the rank of the rule is the same everywhere.
        """
        depends = self.layout.rows[question.hold[0]].cells or meeting.kind.rows & self.helping & ~self.everywhere
        return not depends and not (question.fail | question.acting) & ~self.everywhere

    def row_at(self, rule: Rule, meeting: Meeting) -> int:
        """Return the row by which a rule ranks at a meeting: that of its deepest category."""
        mine = self.rows_of[rule.id] & meeting.rows
        return (mine & -mine).bit_length() - 1

    def question(self, rule: Rule, meeting: Meeting) -> Question:
        """Ask whether a guard can hold before the others, an overlay hold, or a route win at a meeting."""
        index = self.row_at(rule, meeting)
        guards = meeting.rows & self.layout.guards
        if isinstance(rule, Guard):
            return Question((index,), guards & ((1 << index) - 1), 0)
        acting = meeting.rows & self.acting
        if isinstance(rule, Overlay):
            return Question((index,), guards, acting)
        better, equal = self.standing(index, meeting)
        return Question((index,), guards | better | equal & self.ranks.earlier(index), acting)

    def standing(self, index: int, meeting: Meeting) -> tuple[int, int]:
        """Return the rows of other routes at a meeting that rank before a row, and those that rank equal with it."""
        better, equal = self.ranks.before(index, meeting.spot)
        others = meeting.rows & ~self.rows_of[self.rule(index).id]
        return better & others, equal & others

    def agree(self, rule: Rule, index: int) -> bool:
        """Whether a rule and a row have boxes in common, whatever overlays make of severity and tags."""
        first = (self.rows_of[rule.id] & -self.rows_of[rule.id]).bit_length() - 1
        mine = self.boxes[first]
        return bool(self._huge >> first & 1 or self._huge >> index & 1) or any(
            all(mask & given.get(variable, -1) for variable, mask in box if not self.space.is_changed({variable}))
            for given in map(dict, mine)
            for box in self.boxes[index]
        )

    def answer(self, question: Question, budget: Budget) -> Domains | None:
        """Return facts for which the answer is yes, as domains; None for no. Raises OutOfBudgetError."""
        if any(self._huge >> index & 1 for index in question.hold) or (question.fail | question.acting) & self._huge:
            raise OutOfBudgetError
        for chosen in product(*(self.boxes[index] for index in question.hold)):
            domains = self._within(chosen)
            if domains is not None:
                found = self._solve(domains, question, budget)
                if found is not None:
                    return found
        return None

    def witness(self, found: Domains, meeting: Meeting) -> Facts:
        """Return an example of an answer."""
        return self.space.facts(found, meeting.kind.codes[0], meeting.spot.path)

    def _within(self, boxes: tuple[Box, ...]) -> Domains | None:
        domains: Domains = {}
        for box in boxes:
            for variable, mask in box:
                domains[variable] = domains.get(variable, self.space.all_of(variable)) & mask
        return domains if all(domains.values()) else None

    def _solve(self, domains: Domains, question: Question, budget: Budget) -> Domains | None:
        clauses: list[Clause] = []
        for index in bits(question.fail):
            for box in self.boxes[index]:
                budget.spend(1)
                clause = self._failing(box, domains)
                if clause is not None:
                    if not clause:
                        return None
                    clauses.append(clause)
        asked = set(domains) | {variable for clause in clauses for variable, _ in clause}
        if self.space.is_changed(asked):
            rows = list(bits(question.acting))
            acting = [(rule, self.boxes[at]) for at in rows if isinstance(rule := self.rule(at), Overlay)]
            clauses += effects(self.space, acting, asked)
        clauses += self.space.implications(asked)
        return satisfy({variable: self._all_of(variable) for variable in asked} | domains, clauses, budget)

    def _all_of(self, variable: int) -> int:
        return self.space.all_of(variable) if variable < len(self.space.values) else ABSENT | PRESENT

    def _failing(self, box: Box, domains: Domains) -> Clause | None:
        """Return what makes a box fail, as a clause; None when it fails anyway."""
        clause = []
        for variable, mask in box:
            domain = domains.get(variable, -1)
            if not domain & mask:
                return None
            if domain & ~mask:
                clause.append((variable, self.space.all_of(variable) & ~mask))
        return clause
