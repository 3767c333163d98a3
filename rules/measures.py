"""How departments and areas are compared: the weights of the one composite figure, what is ranked, the two boards.

The figures themselves are the dispatcher's to compute (lifecycle.md, "Measures"); what they weigh is the city's to say.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

import msgspec

from rules.budgets import parse_budget
from rules.clock import AlwaysClock
from rules.entries import Entry
from rules.shapes import Between, BudgetText, Choice

MEASURES = (
    "closure_rate",
    "on_time_closure_rate",
    "on_time_handling_rate",
    "dispatch_accuracy",
    "response_rate",
    "resolution_rate",
    "satisfaction_rate",
    "attendance_rate",
    "rework_rate",
    "return_rate",
    "came_back_rate",
    "inspection",
    "street_rating",
)
"""What can be weighed."""


class Weight(Entry, frozen=True):
    """What a measure counts for beside the others."""

    key = "measure"
    shorthand = "weight"
    measure: Annotated[str, Choice(MEASURES)]
    weight: Annotated[int, Between(1, 100_000)]


class Boards(Entry, frozen=True):
    """How many the red board names, the best, and the black one."""

    red: Annotated[int, Between(0, 100)] = 3
    black: Annotated[int, Between(0, 100)] = 3


class MeasuresEntry(Entry, frozen=True):
    """As it is written: at least one weight."""

    weights: tuple[Weight, ...]
    minimum_cases: Annotated[int, Between(1, 100_000)] = 10
    came_back: BudgetText = "30d"
    boards: Boards = Boards()


class Measures(msgspec.Struct, frozen=True, gc=False):
    """As it is used: `weights` by measure, all above 0; whoever has fewer than `minimum_cases` is shown, not ranked.

    A case came back when another of its place and category is filed within `came_back_ms` of its closing. `red` and
    `black` are the lengths of the boards.
    """

    weights: Mapping[str, int]
    minimum_cases: int
    came_back_ms: int
    red: int
    black: int


DEFAULT = MeasuresEntry((Weight("on_time_closure_rate", 100),))
"""Of a policy that says nothing."""


def build_measures(entry: MeasuresEntry | None) -> Measures:
    """Build it. Raises ValueError for a span in working time, which the loader would have refused."""
    entry = entry or DEFAULT
    return Measures(
        weights=MappingProxyType({each.measure: each.weight for each in entry.weights}),
        minimum_cases=entry.minimum_cases,
        came_back_ms=AlwaysClock().open(parse_budget(entry.came_back), 0).amount_ms,
        red=entry.boards.red,
        black=entry.boards.black,
    )
