"""Time cut into stretches in which nothing that rules ask of it changes: calendars open or close, dates begin or end.

A stretch is known by what is true in it, its *moment*: all nights of a week are one moment. Stretches are laid out day
by day (UTC) when a day is first asked about, and the last one used is remembered, as reports come in the order of time.
"""

from bisect import bisect_right
from collections.abc import Iterable

from rules.budgets import DAY_MS
from rules.clock import Clock

MAX_DAYS = 4096
"""Laid out at a time: eleven years of history; a day has a dozen stretches."""


class Moments:
    """Numbers the moments of some clocks and dates; `instants` has one instant of each (epoch ms).

    Args:
        clocks: the calendars that rules ask for.
        edges: instants (epoch ms) from which on a rule is, or is no longer, in force.
    """

    def __init__(self, clocks: Iterable[Clock], edges: Iterable[int]) -> None:
        self._clocks = tuple(clocks)
        self._edges = sorted(set(edges))
        self.instants: list[int] = []
        self._days: dict[int, tuple[list[int], list[int]]] = {}
        self._numbers: dict[tuple[int, tuple[bool, ...]], int] = {}
        self._since_ms, self._until_ms, self._last = 0, 0, 0

    def at(self, at_ms: int) -> int:
        """Return the number of the moment at an instant (epoch ms)."""
        if self._since_ms <= at_ms < self._until_ms:
            return self._last
        day = at_ms // DAY_MS
        laid_out = self._days.get(day)
        if laid_out is None:
            laid_out = self._lay_out(day)
        starts, moments = laid_out
        stretch = bisect_right(starts, at_ms) - 1
        self._since_ms, self._until_ms, self._last = starts[stretch], starts[stretch + 1], moments[stretch]
        return self._last

    def _lay_out(self, day: int) -> tuple[list[int], list[int]]:
        first_ms, beyond_ms = day * DAY_MS, (day + 1) * DAY_MS
        edges = set(self._edges)
        for clock in self._clocks:
            edges.update(edge for closed in clock.closed_between(first_ms, beyond_ms) for edge in closed)
        ordered = [first_ms, *sorted(edge for edge in edges if first_ms < edge < beyond_ms), beyond_ms]
        if len(self._days) >= MAX_DAYS:
            self._days.clear()
        laid_out = self._days[day] = ordered, [self._number(start_ms) for start_ms in ordered[:-1]]
        return laid_out

    def _number(self, at_ms: int) -> int:
        true = bisect_right(self._edges, at_ms), tuple(clock.contains(at_ms) for clock in self._clocks)
        number = self._numbers.get(true)
        if number is None:
            number = self._numbers[true] = len(self.instants)
            self.instants.append(at_ms)
        return number
