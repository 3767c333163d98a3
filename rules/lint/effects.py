"""What overlays that hold make of a severity and of tags, as clauses.

An overlay that raises to 2 leaves no severity above 2; one that adds a tag leaves it there. That is all there is to
say as long as claims are free: whatever severity and tags come out, the same ones may have been reported. Where guards
ask for the claim it is a variable of its own, never better than what comes out; and what comes out was claimed, or some
overlay that holds has made it so. That "some" is a helping variable per overlay: yes means it holds.
"""

from collections.abc import Sequence

from rules.facts import SEVERITIES
from rules.lint.solver import Clause, Literal
from rules.lint.space import ABSENT, PRESENT, Box, Space
from rules.model_rules import Overlay

Acting = Sequence[tuple[Overlay, tuple[Box, ...]]]
"""Overlays that set severity or tags, and their boxes."""


def effects(space: Space, acting: Acting, asked: set[int]) -> list[Clause]:
    """Return the clauses on what is asked; variables that come with them are added to `asked`."""
    made = _Effects(space, acting, asked)
    for tag in sorted({tag for overlay, _ in acting for tag in overlay.tags} | set(space.tags)):
        variable = space.tags.get(tag)
        if variable is not None and variable in asked:
            made.tag(tag, variable)
    if space.severity in asked:
        made.severity()
    return made.clauses


class _Effects:
    def __init__(self, space: Space, acting: Acting, asked: set[int]) -> None:
        self.space = space
        self.acting = acting
        self.asked = asked
        self.clauses: list[Clause] = []
        self._helpers = len(space.values)  # beyond the space's own variables

    def tag(self, tag: str, variable: int) -> None:
        boxes = [box for overlay, boxes in self.acting if tag in overlay.tags for box in boxes]
        for box in boxes:
            self._result(box, (variable, PRESENT))
        claimed = self.space.claimed.get(variable)
        if claimed in self.asked and claimed is not None:
            self.clauses.append(((claimed, ABSENT), (variable, PRESENT)))
            self.clauses.append(((variable, ABSENT), (claimed, PRESENT), *map(self._helper, boxes)))

    def severity(self) -> None:
        space, variable = self.space, self.space.severity
        raising = [
            (overlay.severity.raise_to, box) for overlay, boxes in self.acting if overlay.severity for box in boxes
        ]
        for worst, box in raising:
            self._result(box, (variable, space.at_most(worst)))
        claimed = space.claimed.get(variable)
        if claimed in self.asked and claimed is not None:
            for value in SEVERITIES:
                mask = space.is_severity(value)
                others = space.all_of(variable) & ~mask
                helpers = [self._helper(box) for worst, box in raising if worst == value]
                self.clauses.append(((claimed, others), (variable, space.at_most(value))))
                self.clauses.append(((variable, others), (claimed, mask), *helpers))

    def _result(self, box: Box, literal: Literal) -> None:
        self.asked.update(variable for variable, _ in box)
        failing = [(variable, self.space.all_of(variable) & ~mask) for variable, mask in box]
        self.clauses.append((*failing, literal))

    def _helper(self, box: Box) -> Literal:
        number = self._helpers
        self._helpers += 1
        self.asked.add(number)
        self.clauses += [((number, ABSENT), (variable, mask)) for variable, mask in box]
        return number, PRESENT
