"""Recurring visits (四访): what is done, due and missed as of a local day.

A task divides time from its first day on into periods of N local days, and wants one visit in each. Counting days
rather than milliseconds keeps periods whole where clocks are put forward and back.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from dispatcher.register.records import VisitTask

__all__ = ["VisitCount", "VisitState", "VisitStatus", "visit_counts", "visit_state"]


class VisitStatus(StrEnum):
    """How a task stands."""

    AHEAD = "ahead"
    """Its first period has not begun."""
    DONE = "done"
    """Visited in the present period."""
    DUE = "due"
    """Not yet visited in the present period; the one before, if any, had its visit."""
    MISSED = "missed"
    """Not yet visited in the present period, and the one before went by without a visit."""


@dataclass(frozen=True, slots=True)
class VisitState:
    """A task as of a day."""

    task: VisitTask
    status: VisitStatus
    by: date
    """The last day of the present period, or of the first one when it is still ahead."""
    last_done: date | None
    """The latest visit up to that day."""
    periods: int
    """How many periods have ended."""
    missed: int
    """How many of them without a visit."""


def visit_state(task: VisitTask, visited: Sequence[date], today: date) -> VisitState:
    """The state as of the end of a day, from the days of its visits, ascending; later ones are not looked at."""
    known = visited[bisect_left(visited, task.since) : bisect_right(visited, today)]
    if today < task.since:
        return VisitState(task, VisitStatus.AHEAD, task.since + timedelta(task.every_days - 1), None, 0, 0)
    present = (today - task.since).days // task.every_days
    met = {(day - task.since).days // task.every_days for day in known}
    if present in met:
        status = VisitStatus.DONE
    elif present == 0 or present - 1 in met:
        status = VisitStatus.DUE
    else:
        status = VisitStatus.MISSED
    by = task.since + timedelta((present + 1) * task.every_days - 1)
    return VisitState(task, status, by, known[-1] if known else None, present, present - len(met - {present}))


@dataclass(frozen=True, slots=True)
class VisitCount:
    """States of tasks in numbers: tasks by status, and over all ended periods how many there were and were missed."""

    ahead: int
    done: int
    due: int
    missed: int
    periods: int
    periods_missed: int


def visit_counts(states: Iterable[VisitState]) -> VisitCount:
    """Add states up."""
    of: Counter[VisitStatus] = Counter()
    periods = missed = 0
    for state in states:
        of[state.status] += 1
        periods += state.periods
        missed += state.missed
    tasks = (of[VisitStatus.AHEAD], of[VisitStatus.DONE], of[VisitStatus.DUE], of[VisitStatus.MISSED])
    return VisitCount(*tasks, periods, missed)
