"""The rules as rows of the index: guards, overlays by stratum, routes in winning order.

A route that names categories of several depths becomes one row per depth, so that a row's place in the order is known
beforehand; the depth of a cell is only known from the place and is compared among the few rows that are left.
"""

from collections.abc import Iterator

import msgspec

from rules.match import stratum
from rules.model_rules import Condition, Guard, Overlay, Route, Rule
from rules.policy import Policy


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
    """All rows and the masks of their groups."""

    def __init__(self, policy: Policy) -> None:
        guards = sorted(policy.guards, key=lambda guard: -guard.priority)
        overlays = [[rule for rule in policy.overlays if stratum(rule) == wanted] for wanted in range(3)]
        plain: list[list[Rule]] = [list[Rule](guards), *map(list[Rule], overlays)]
        groups = [[Row(rule, rule.when.require) for rule in rules] for rules in plain]
        groups.append(sorted(_route_rows(policy.routes), key=lambda row: row.rank))
        self.rows = [row for group in groups for row in group]
        masks, start = [], 0
        for group in groups:
            masks.append(((1 << len(group)) - 1) << start)
            start += len(group)
        self.guards, self.severity, self.tags, self.rest, self.routes = masks
        self._group_routes()

    def _group_routes(self) -> None:
        self.same_priority: dict[int, int] = {}
        self.same_cells: dict[tuple[int, int], int] = {}  # rows with a `grid`, by priority and depth of category
        self.same_rank: dict[tuple[int, int, int], int] = {}  # rows without one, also by number of keys
        self.same_rule: dict[str, int] = {}
        for index, row in enumerate(self.rows):
            if not self.routes >> index & 1:
                continue
            bit = 1 << index
            groups: list[tuple[dict[object, int], object]] = [
                (self.same_priority, row.priority),  # type: ignore[list-item]
                (self.same_rule, row.rule.id),  # type: ignore[list-item]
            ]
            if row.cells:
                groups.append((self.same_cells, (row.priority, row.category_depth)))  # type: ignore[arg-type]
            else:
                groups.append((self.same_rank, (row.priority, row.category_depth, row.keys)))  # type: ignore[arg-type]
            for group, key in groups:
                group[key] = group.get(key, 0) | bit

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
        rules = (self.rows[index].rule for index in bits(mask))
        return tuple(rule for rule in rules if isinstance(rule, Overlay))


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
