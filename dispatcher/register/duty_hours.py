"""When a duty phone is answered: days of the week and a stretch of the day, by the clock on the wall."""

import re
from dataclasses import dataclass
from datetime import datetime

__all__ = ["ALWAYS", "EVERY_DAY", "DutyHours", "parse_days", "parse_hours"]

EVERY_DAY = frozenset(range(1, 8))
ALWAYS = (0, 24 * 60)

_TIME = r"([01]\d|2[0-3]):([0-5]\d)"
_HOURS = re.compile(rf"{_TIME}-(?:{_TIME}|(24:00))")
_DAYS = re.compile(r"([1-7])(?:-([1-7]))?")


@dataclass(frozen=True, slots=True)
class DutyHours:
    """From `from_min` to before `to_min` (minutes of the day) on `days` (1 = Monday, ISO 8601).

    A stretch that ends at or before its beginning goes on past midnight and belongs to the day it begins on.
    """

    days: frozenset[int]
    from_min: int
    to_min: int

    def holds(self, local: datetime) -> bool:
        """Whether it covers a local time."""
        day, minute = local.isoweekday(), 60 * local.hour + local.minute
        if self.from_min < self.to_min:
            return day in self.days and self.from_min <= minute < self.to_min
        day_before = (day - 2) % 7 + 1
        return (day in self.days and minute >= self.from_min) or (day_before in self.days and minute < self.to_min)


def parse_days(text: str) -> frozenset[int] | None:
    """`1-5`, `6,7`, `1-3,5`; empty for every day. None if it is something else."""
    days: set[int] = set()
    for part in text.split(",") if text else ["1-7"]:
        found = _DAYS.fullmatch(part.strip())
        if found is None:
            return None
        first, last = int(found[1]), int(found[2] or found[1])
        if first > last:
            return None
        days.update(range(first, last + 1))
    return frozenset(days)


def parse_hours(text: str) -> tuple[int, int] | None:
    """`08:30-17:30`, `20:00-08:00`, `18:00-24:00`; empty for the whole day. None if it is something else."""
    if not text:
        return ALWAYS
    found = _HOURS.fullmatch(text)
    if found is None:
        return None
    from_min = 60 * int(found[1]) + int(found[2])
    to_min = 24 * 60 if found[5] else 60 * int(found[3]) + int(found[4])
    return None if from_min == to_min else (from_min, to_min)
