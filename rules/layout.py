"""The rules as rows of the index: guards, overlays by stratum, routes in winning order.

A route that names categories of several depths becomes one row per depth, so that a row's place in the order is known
beforehand; the depth of a cell is only known from the place and is compared among the few rows that are left.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import cached_property
from typing import TypeVar

import msgspec

from rules.match import stratum
from rules.model_rules import Condition, Guard, Overlay, Route, Rule
from rules.policy import Policy

K = TypeVar("K", bound=Hashable)


class Row(msgspec.Struct, frozen=True, gc=False):
    """One bit of the masks."""

    rule: Rule
    require: tuple[Condition, ...]
    priority: int = 0
    category_depth: int = 0
    cells: frozenset[str] = frozenset()
    keys: int = 0
    order: int = 0

    @property
    def rank(self) -> tuple[int, int, bool, int, int]:
        """Sort key: the winning row first, as far as the rule alone tells."""
        return -self.priority, -self.category_depth, not self.cells, -self.keys, self.order


class Layout:
    """All rows and the masks of their groups. `numbers` tells what each row's number is in the layout of all rules."""

    def __init__(self, policy: Policy) -> None:
        guards = sorted(policy.guards, key=lambda guard: -guard.priority)
        overlays = [[rule for rule in policy.overlays if stratum(rule) == wanted] for wanted in range(3)]
        plain: list[list[Rule]] = [list[Rule](guards), *map(list[Rule], overlays)]
        groups = [[Row(rule, rule.when.require) for rule in rules] for rules in plain]
        groups.append(sorted(_route_rows(policy.routes), key=lambda row: row.rank))
        self._lay([row for group in groups for row in group], list(map(len, groups)))

    def _lay(self, rows: list[Row], sizes: list[int], numbers: Sequence[int] | None = None) -> None:
        self.rows = rows
        self.numbers = range(len(rows)) if numbers is None else numbers
        masks, start = [], 0
        for size in sizes:
            masks.append(((1 << size) - 1) << start)
            start += size
        self.guards, self.severity, self.tags, self.rest, self.routes = masks

    def within(self, mask: int) -> "Layout":
        """Return the layout of some of the rows, in the same order, with numbers of their own."""
        chosen = list(bits(mask))
        part = Layout.__new__(Layout)
        groups = self.guards, self.severity, self.tags, self.rest, self.routes
        sizes = [(mask & group).bit_count() for group in groups]
        part._lay([self.rows[number] for number in chosen], sizes, [self.numbers[number] for number in chosen])
        return part

    @cached_property
    def same_priority(self) -> dict[int, int]:
        """Rows of routes by priority."""
        return self._grouped(lambda row: row.priority)

    @cached_property
    def same_cells(self) -> dict[tuple[int, int], int]:
        """Rows of routes with a `grid`, by priority and depth of category."""
        return self._grouped(lambda row: (row.priority, row.category_depth) if row.cells else None)

    @cached_property
    def same_rank(self) -> dict[tuple[int, int, int], int]:
        """Rows of routes without a `grid`, by priority, depth of category and number of keys."""
        return self._grouped(lambda row: None if row.cells else (row.priority, row.category_depth, row.keys))

    @cached_property
    def same_rule(self) -> dict[str, int]:
        """Rows of routes by the route they are of."""
        return self._grouped(lambda row: row.rule.id)

    def _grouped(self, key_of: Callable[[Row], K | None]) -> dict[K, int]:
        found: dict[K, int] = {}
        for number in bits(self.routes):
            key = key_of(self.rows[number])
            if key is not None:
                found[key] = found.get(key, 0) | 1 << number
        return found

    def rivals(self, index: int) -> tuple[int, int]:
        """Rows of other routes as specific as this one (when neither names a cell), and those of its priority."""
        row = self.rows[index]
        others = ~self.same_rule[row.rule.id]
        equal = 0 if row.cells else self.same_rank[row.priority, row.category_depth, row.keys]
        return equal & others, self.same_priority[row.priority] & others

    def guard(self, index: int) -> Guard:
        """Give the guard of a row."""
        rule = self.rows[index].rule
        assert isinstance(rule, Guard)  # noqa: S101
        return rule

    def route(self, index: int) -> Route:
        """Give the route of a row."""
        rule = self.rows[index].rule
        assert isinstance(rule, Route)  # noqa: S101
        return rule

    def overlays(self, mask: int) -> tuple[Overlay, ...]:
        """Return the overlays of a mask, in the order of evaluation."""
        rules = [self.rows[index].rule for index in bits(mask & (self.severity | self.tags | self.rest))]
        return tuple([rule for rule in rules if isinstance(rule, Overlay)])


def bits(mask: int) -> Iterator[int]:
    """Return the numbers of the set bits, lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _route_rows(routes: tuple[Route, ...]) -> Iterator[Row]:
    for order, route in enumerate(routes):
        when = route.when
        cells = frozenset(str(value) for part in when.require if part.key == "grid" for value in part.values)
        keys = len(when.require) + len(when.exclude)
        depths: dict[int, list[str]] = {}
        for part in when.require:
            for value in part.values if part.key == "category" else ():
                depths.setdefault(str(value).count(".") + 1, []).append(str(value))
        rest = tuple(part for part in when.require if part.key != "category")
        for depth, codes in depths.items():
            require = (*rest, Condition("category", tuple(codes)))
            yield Row(route, require, route.priority, depth, cells, keys, order)
        if not depths:
            yield Row(route, when.require, route.priority, 0, cells, keys, order)
