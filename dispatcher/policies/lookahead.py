"""What falls due around the next holidays: per calendar its long closures, and the deadlines before, in and after them.

A closure is worth looking at when whole days are closed and one of them is a holiday, or there are more of them than a
weekend has. Deadlines of that calendar fall due before it shuts or after it opens again, never between; those on
other clocks (2h, 3d run on) fall due while it is shut, and somebody has to be there.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from dispatcher.core import DAY_MS, OPEN_STATES, decode_incident, text_to_ms
from dispatcher.ledger import Ledger
from dispatcher.policies.past import everything
from rules import Policy, WorkingClock

__all__ = ["Closure", "Horizon", "Lookahead", "look_ahead"]

WEEKEND_DAYS = 2
AROUND_MS = DAY_MS  # how long before a closure, and after it, a deadline counts as "just before" and "just after"
HOLIDAY = "holiday"


class Closure(NamedTuple):
    """A stretch in which a calendar is shut, and the deadlines around it by department."""

    calendar: str
    from_ms: int
    until_ms: int
    days: int  # whole days shut
    holidays: tuple[str, ...]  # those of them that are holidays
    before: Counter[str]  # on this calendar, within a day before it shuts
    during: Counter[str]  # on other clocks, while it is shut
    after: Counter[str]  # on this calendar, within a day after it opens again

    def departments(self) -> list[str]:
        """Those with any deadline around it."""
        return sorted({*self.before, *self.during, *self.after})


class Horizon(NamedTuple):
    """Until when a calendar's holidays are known (None: it has none to know), and how many deadlines lie beyond."""

    calendar: str
    known_until_ms: int | None
    beyond: int


class Lookahead(NamedTuple):
    """What lies ahead."""

    closures: list[Closure]
    horizons: list[Horizon]
    running: int  # deadlines of open incidents that run at all


class _Due(NamedTuple):
    due_ms: int
    clock: str
    department: str


def look_ahead(ledger: Ledger, policy: Policy, as_of_ms: int, days: int) -> Lookahead:
    """Deadlines of open incidents that run now and fall due from `as_of_ms` on, around closures in so many days.

    Args:
        ledger: whose `incidents` are read, once.
        policy: the one in force, whose calendars are looked at. A deadline set under an earlier one counts for the
            calendar of that name.
        as_of_ms: from when.
        days: how far; closures that begin within.

    Memory: some counters a closure, whatever the number of incidents.
    """
    until_ms = as_of_ms + days * DAY_MS
    named = [policy.clock(entry.name) for entry in policy.document.sections.calendars]
    clocks = [clock for clock in named if isinstance(clock, WorkingClock)]
    known = {clock.name: clock.coverage_until_ms for clock in clocks}
    closures = [closure for clock in clocks for closure in _closures(clock, as_of_ms, until_ms)]
    beyond: Counter[str] = Counter()
    running = 0
    for due in _running(ledger):
        running += 1
        if due.due_ms < as_of_ms:
            continue
        for closure in closures:
            _count(closure, due)
        until = known.get(due.clock)
        if until is not None and due.due_ms >= until:
            beyond[due.clock] += 1
    horizons = [Horizon(clock.name, clock.coverage_until_ms, beyond[clock.name]) for clock in clocks]
    closures.sort(key=lambda closure: (closure.from_ms, closure.calendar))
    return Lookahead(closures, horizons, running)


def _closures(clock: WorkingClock, from_ms: int, until_ms: int) -> Iterator[Closure]:
    """Those that begin in [from, until) or are under way at its start, at their full length."""
    for start_ms, end_ms in clock.closed_between(from_ms, until_ms):
        if start_ms == from_ms:
            start_ms = _shut_since(clock, from_ms)  # noqa: PLW2901 - cut off by where we began to look
        if end_ms >= until_ms:
            end_ms = clock.next_open(end_ms)  # noqa: PLW2901
        shut = _whole_days(clock, start_ms, end_ms)
        holidays = tuple(day.isoformat() for day in shut if clock.calendar.day_type(day) == HOLIDAY)
        if holidays or len(shut) > WEEKEND_DAYS:
            yield Closure(clock.name, start_ms, end_ms, len(shut), holidays, Counter(), Counter(), Counter())


def _shut_since(clock: WorkingClock, at_ms: int) -> int:
    """When the closure under way at an instant began; at most a year is looked back."""
    closed = clock.closed_between(at_ms - 366 * DAY_MS, at_ms)
    return closed[-1][0] if closed and closed[-1][1] == at_ms else at_ms


def _whole_days(clock: WorkingClock, start_ms: int, end_ms: int) -> list[date]:
    calendar = clock.calendar
    day = calendar.local_date(start_ms)
    if calendar.instant_ms(day) < start_ms:
        day += timedelta(1)
    days = []
    while calendar.instant_ms(day + timedelta(1)) <= end_ms:
        days.append(day)
        day += timedelta(1)
    return days


def _running(ledger: Ledger) -> Iterator[_Due]:
    for kept in everything(ledger, "incidents"):
        record = None if kept.value is None else decode_incident(kept.value)
        if record is None or record.state not in OPEN_STATES:
            continue
        for target in record.targets:
            if target.since is not None and target.fulfilled_at is None and target.revoked_at is None:
                yield _Due(text_to_ms(target.due_at), target.clock, target.of.partition("@")[0])


def _count(closure: Closure, due: _Due) -> None:
    if due.clock != closure.calendar:
        if closure.from_ms < due.due_ms < closure.until_ms:
            closure.during[due.department] += 1
    elif closure.from_ms - AROUND_MS <= due.due_ms <= closure.from_ms:
        closure.before[due.department] += 1
    elif closure.until_ms <= due.due_ms <= closure.until_ms + AROUND_MS:
        closure.after[due.department] += 1
