"""How routes rank where category and place are known: priority, depth of category, depth of cell, keys, order."""

from rules.layout import Layout, bits
from rules.lint.places import Spot


class Ranks:
    """The rows of routes in groups, so that "all that rank before this one" takes a few operations on masks."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._placed = 0  # rows that name cells
        self._anywhere: dict[int, tuple[int, int]] = {}
        self._before: dict[int, int] = {}  # rows of a higher priority, or of the same and deeper categories
        self._beside: dict[tuple[int, int], int] = {}  # by priority and depth of category
        self._alike: dict[tuple[int, int, int], int] = {}  # … and number of keys
        self._earlier: dict[int, int] = {}  # those alike that come first in the files
        routes = list(bits(layout.routes))
        before = seen = 0
        for index in routes:  # in the order of priority and depth
            row = layout.rows[index]
            group = row.priority, row.category_depth
            if group not in self._beside:
                before = seen
            seen |= 1 << index
            self._before[index] = before
            self._placed |= (1 << index) * bool(row.cells)
            self._beside[group] = self._beside.get(group, 0) | 1 << index
        for index in sorted(routes, key=lambda at: layout.rows[at].order):
            like = _like(layout, index)
            self._earlier[index] = self._alike.get(like, 0)
            self._alike[like] = self._earlier[index] | 1 << index
        self._more_keys: dict[tuple[int, int, int], int] = {}
        for group in self._beside:
            more = 0
            for like in sorted((like for like in self._alike if like[:2] == group), reverse=True):
                self._more_keys[like] = more
                more |= self._alike[like]

    def before(self, index: int, spot: Spot) -> tuple[int, int]:
        """Return the rows that rank before a row at a spot, and those that rank equal; of all rows, itself included."""
        if not self._placed >> index & 1:
            if index not in self._anywhere:
                self._anywhere[index] = self._standing(index, self._placed, ~self._placed)
            return self._anywhere[index]
        deeper = level = 0
        for _, _, naming in spot.cells:
            level = naming & ~deeper
            if naming >> index & 1:
                break
            deeper |= naming
        return self._standing(index, deeper, level)

    def _standing(self, index: int, deeper: int, level: int) -> tuple[int, int]:
        like = _like(self._layout, index)
        equal = self._alike[like] & level
        return self._before[index] | self._beside[like[:2]] & (deeper | level & self._more_keys[like]), equal

    def earlier(self, index: int) -> int:
        """Return those alike in priority, depth of category and number of keys that come first in the files."""
        return self._earlier[index]


def _like(layout: Layout, index: int) -> tuple[int, int, int]:
    row = layout.rows[index]
    return row.priority, row.category_depth, row.keys
