"""Clocks: consumed working time, never "add the pause to the deadline".

A calendar compiles to two arrays, the starts of its open spans and the working time before each; `add` and
`consumed` are then two bisections. The arrays grow by whole years as instants are asked for, so nothing depends on
when the process was started.

All instants are epoch milliseconds, all amounts milliseconds of the clock's own time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from rules.budgets import DAY_MS, HOUR_MS, MINUTE_MS, Budget
from rules.calendars import Calendar
from rules.clock import Instants, Opened, Stretch

FIRST_COMPILED_YEAR, LAST_COMPILED_YEAR = 1970, 2200
"""Instants outside are treated as the nearest end; no due time lies beyond the last one."""


class WorkingClock:
    """A calendar as a clock: it runs in the open hours only. `hours_per_day` is what one `wd` is worth, in hours."""

    def __init__(self, name: str, calendar: Calendar, hours_per_day: float | None = None) -> None:
        self.name = name
        self.calendar = calendar
        self._day_ms = None if hours_per_day is None else round(hours_per_day * HOUR_MS)
        self._known_ms: tuple[int, ...] | None = None
        if calendar.table is not None:
            years = calendar.table.first_year, calendar.table.last_year + 1
            self._known_ms = tuple(calendar.instant_ms(date(year, 1, 1)) for year in years)
        # Years [_first, _next) are compiled. _done[i] = working ms before span i; one more entry than there are spans.
        self._first = self._next = 0
        self._from_ms = self._until_ms = 0
        self._starts: list[int] = []
        self._done: list[int] = [0]
        self._arrays: tuple[Instants, Instants] | None = None

    def add(self, t_ms: int, amount_ms: int) -> int:
        """Return the earliest instant at which `amount_ms` of working time has passed since `t_ms` (itself for 0)."""
        if amount_ms <= 0:
            return t_ms
        if not self._from_ms <= t_ms < self._until_ms:
            t_ms = self._cover(t_ms)
        starts, done = self._starts, self._done
        i = bisect_right(starts, t_ms) - 1
        wanted = amount_ms
        if i >= 0:
            wanted += min(done[i] + t_ms - starts[i], done[i + 1])
        if wanted > done[-1]:
            if not self._grow(wanted):
                return self._until_ms
            starts, done = self._starts, self._done
        i = bisect_left(done, wanted) - 1
        return starts[i] + wanted - done[i]

    def consumed(self, t0_ms: int, t1_ms: int) -> int:
        """Working time between two instants; 0 when they are in the wrong order."""
        if t1_ms <= t0_ms:
            return 0
        if not (self._from_ms <= t0_ms and t1_ms < self._until_ms):
            t0_ms, t1_ms = self._cover(t0_ms), self._cover(t1_ms)
        return self._position(t1_ms) - self._position(t0_ms)

    def add_many(self, t_ms: Instants, amount_ms: Instants) -> Instants:
        """`add` for arrays."""
        if not len(t_ms):
            return t_ms
        low, high = self._cover(int(t_ms.min())), self._cover(int(t_ms.max()))
        self._grow(self._position(high) + int(amount_ms.max()))
        starts, done = self._as_arrays()
        wanted = self._positions(np.clip(t_ms, low, high)) + amount_ms
        i = np.searchsorted(done, wanted, side="left") - 1
        due = np.where(wanted > done[-1], self._until_ms, starts[np.minimum(i, len(starts) - 1)] + wanted - done[i])
        return np.where(amount_ms > 0, due, t_ms)

    def consumed_many(self, t0_ms: Instants, t1_ms: Instants) -> Instants:
        """`consumed` for arrays."""
        if not len(t0_ms):
            return t0_ms
        low = self._cover(min(int(t0_ms.min()), int(t1_ms.min())))
        high = self._cover(max(int(t0_ms.max()), int(t1_ms.max())))
        t0_ms, t1_ms = np.clip(t0_ms, low, high), np.clip(t1_ms, low, high)
        passed: Instants = np.maximum(self._positions(t1_ms) - self._positions(t0_ms), 0)
        return passed

    def contains(self, t_ms: int) -> bool:
        """Whether the calendar is open at the instant; a span includes its start, not its end."""
        t_ms = self._cover(t_ms)
        i = bisect_right(self._starts, t_ms) - 1
        return i >= 0 and t_ms < self._end(i)

    def next_open(self, t_ms: int) -> int:
        """`t_ms` itself when open, else the next opening."""
        if self.contains(t_ms):
            return t_ms
        return self.add(t_ms, 1) - 1

    def closed_between(self, t0_ms: int, t1_ms: int) -> list[tuple[int, int]]:
        """Return the closed stretches of [t0, t1), each cut to it: what an explanation says was skipped."""
        t0_ms, t1_ms = self._cover(t0_ms), self._cover(t1_ms)
        closed = []
        i = bisect_right(self._starts, t0_ms) - 1
        at_ms = t0_ms if i < 0 else max(t0_ms, self._end(i))
        while at_ms < t1_ms:
            i += 1
            start = self._starts[i] if i < len(self._starts) else t1_ms
            if start > at_ms:
                closed.append((at_ms, min(start, t1_ms)))
            at_ms = self._end(i) if i < len(self._starts) else t1_ms
        return closed

    def provisional(self, t_ms: int) -> bool:
        """Say whether the instant lies in a year for which the holiday provider had no data."""
        return self._known_ms is not None and not self._known_ms[0] <= t_ms < self._known_ms[1]

    @property
    def coverage_until_ms(self) -> int | None:
        """Until when holidays are known; None when the calendar has no provider."""
        return None if self._known_ms is None else self._known_ms[1]

    def stretch(self, t_ms: int, amounts_ms: Sequence[int]) -> Stretch | None:
        """Give the stretch around the instant in which adding each amount, and what is provisional, stays alike.

        None where there is nothing to gain: at the ends of time, and for an amount of nothing.
        """
        dues_ms = [self.add(t_ms, amount_ms) for amount_ms in amounts_ms]  # the years until then are compiled now
        starts, done = self._starts, self._done
        i = bisect_right(starts, t_ms) - 1
        if min(amounts_ms) <= 0 or not 0 <= i < len(starts) - 1 or max(dues_ms) >= self._until_ms:
            return None
        moves = t_ms < self._end(i)
        low, high = (starts[i], self._end(i)) if moves else (self._end(i), starts[i + 1])
        edges = [t_ms]
        if moves:
            for amount_ms in amounts_ms:  # up to the end of the span that it ends in
                wanted = done[i] + t_ms - starts[i] + amount_ms
                j = bisect_left(done, wanted) - 1
                low = max(low, t_ms - (wanted - done[j]) + 1)
                high = min(high, t_ms + (done[j + 1] - wanted) + 1)
            edges += dues_ms
        for edge_ms in self._known_ms or ():
            for at_ms in edges:
                turns_ms = t_ms + edge_ms - at_ms  # the instant from which on `at_ms` would lie beyond the edge
                low, high = (max(low, turns_ms), high) if turns_ms <= t_ms else (low, min(high, turns_ms))
        return Stretch(low, high, moves)

    def open(self, budget: Budget, at_ms: int) -> Opened:
        """Start a budget of `wm wh wd wd_end`. Raises ValueError for units this clock cannot run."""
        if budget.unit == "wd_end":
            due_ms = self._close_of_workday(at_ms, int(budget.amount))
            amount_ms = self.consumed(at_ms, due_ms)
        else:
            unit_ms = {"wm": MINUTE_MS, "wh": HOUR_MS, "wd": self._day_ms}.get(budget.unit)
            if unit_ms is None:
                raise ValueError(f"calendar {self.name} cannot run {budget.text}")
            amount_ms = round(budget.amount * unit_ms)
            due_ms = self.add(at_ms, amount_ms)
        provisional = self.provisional(at_ms) or self.provisional(due_ms)
        return Opened(amount_ms, due_ms, provisional, self.name)

    def _close_of_workday(self, at_ms: int, nth: int) -> int:
        day = self.calendar.local_date(_clamp(at_ms))
        while nth and day.year < LAST_COMPILED_YEAR:
            day += timedelta(1)
            nth -= self.calendar.counts(day)
        return max((end for _, end in self.calendar.spans(day)), default=self.calendar.instant_ms(day + timedelta(1)))

    def _end(self, i: int) -> int:
        return self._starts[i] + self._done[i + 1] - self._done[i]

    def _position(self, t_ms: int) -> int:
        """Working time from the start of the compiled years to `t_ms`, which lies in them."""
        i = bisect_right(self._starts, t_ms) - 1
        if i < 0:
            return 0
        done = self._done
        passed = done[i] + t_ms - self._starts[i]
        return passed if passed < done[i + 1] else done[i + 1]

    def _positions(self, t_ms: Instants) -> Instants:
        starts, done = self._as_arrays()
        i = np.searchsorted(starts, t_ms, side="right") - 1
        passed = np.minimum(done[i] + t_ms - starts[i], done[i + 1])
        return np.where(i < 0, 0, passed)

    def _as_arrays(self) -> tuple[Instants, Instants]:
        if self._arrays is None:
            self._arrays = np.array(self._starts, dtype=np.int64), np.array(self._done, dtype=np.int64)
        return self._arrays

    def _cover(self, t_ms: int) -> int:
        """Compile the years up to the one of `t_ms`; gives `t_ms`, or the end of time it was nearest to."""
        t_ms = _clamp(t_ms)
        if self._from_ms <= t_ms < self._until_ms:
            return t_ms
        year = self.calendar.local_date(t_ms).year
        if self._first == self._next:
            self._compile(year, year + 2)
        elif t_ms < self._from_ms:
            self._compile(year, self._next)
        else:
            self._compile(self._first, year + 2)
        return t_ms

    def _grow(self, wanted: int) -> bool:
        """Compile further years until so much working time is covered; False when time ends before."""
        while wanted > self._done[-1]:
            if self._next > LAST_COMPILED_YEAR:
                return False
            self._compile(self._first, min(2 * self._next - self._first, LAST_COMPILED_YEAR + 1))
        return True

    def _compile(self, first: int, beyond: int) -> None:
        """Lay out the spans of the years [first, beyond): in order, those that touch joined into one."""
        day, last = date(first, 1, 1), date(beyond, 1, 1)
        self._first, self._next = first, beyond
        self._from_ms, self._until_ms = self.calendar.instant_ms(day), self.calendar.instant_ms(last)
        spans = self.calendar.spans(day - timedelta(1))
        while day < last:
            spans += self.calendar.spans(day)
            day += timedelta(1)
        self._starts, self._done = _joined(spans, self._from_ms, self._until_ms)
        self._arrays = None


def _joined(spans: Sequence[tuple[int, int]], from_ms: int, until_ms: int) -> tuple[list[int], list[int]]:
    starts: list[int] = []
    done = [0]
    end_before = from_ms
    for start, end in sorted(spans):
        start, end = max(start, end_before), min(end, until_ms)  # noqa: PLW2901
        if start >= end:
            continue
        if starts and start == end_before:
            done[-1] += end - start
        else:
            starts.append(start)
            done.append(done[-1] + end - start)
        end_before = end
    return starts, done


def _clamp(t_ms: int) -> int:
    return min(max(t_ms, _FIRST_MS), _LAST_MS)


_FIRST_MS = 366 * DAY_MS  # one year inside the compiled range: the local date may lie a day off
_LAST_MS = (LAST_COMPILED_YEAR - FIRST_COMPILED_YEAR - 1) * 365 * DAY_MS
