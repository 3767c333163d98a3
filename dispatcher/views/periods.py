"""Periods as people write them: a year, a month, a day, or two of them with `..` between; and some with names."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from dispatcher.core import NEVER_MS, datetime_to_ms

__all__ = ["FIRST_YEAR", "LAST_YEAR", "NAMED", "Named", "local_day", "midnights_between", "named_period", "period"]

Named = Literal["today", "yesterday", "week", "last_week", "month", "last_month"]
NAMED: tuple[Named, ...] = get_args(Named)

FIRST_YEAR, LAST_YEAR = 2, 9998  # in every time zone a year that can be written


def period(text: str | None, zone: ZoneInfo) -> tuple[int, int]:
    """A year, month or day, or two of them with `..` between, in the policy's zone: [from, to) in epoch ms.

    Raises:
        ValueError: it is nothing of the kind, or runs backwards.
    """
    if text is None:
        return 0, NEVER_MS
    first, _, last = text.partition("..")
    start, end = _span(first)[0], _span(last or first)[1]
    if end <= start:
        raise ValueError(f"{text} runs backwards; the earlier day comes first")
    return tuple(datetime_to_ms(day.replace(tzinfo=zone)) for day in (start, end))  # type: ignore[return-value]


def named_period(name: Named, today: date) -> str:
    """A period with a name, as it is written on that day; weeks begin on Monday and are whole, and so are months."""
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    match name:
        case "today":
            return today.isoformat()
        case "yesterday":
            return (today - timedelta(days=1)).isoformat()
        case "week":
            return f"{monday.isoformat()}..{(monday + timedelta(days=6)).isoformat()}"
        case "last_week":
            return f"{(monday - timedelta(days=7)).isoformat()}..{(monday - timedelta(days=1)).isoformat()}"
        case "month":
            return first.isoformat()[:7]
        case "last_month":
            return (first - timedelta(days=1)).isoformat()[:7]


def local_day(at_ms: int, zone: ZoneInfo) -> date:
    """The day an instant falls on."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).astimezone(zone).date()


def midnights_between(from_ms: int, to_ms: int, zone: ZoneInfo) -> list[int]:
    """The edges of the days of a period, its two ends included: n days have n + 1, of 23 to 25 hours between them."""
    first = local_day(from_ms, zone)
    days = (local_day(to_ms - 1, zone) - first).days + 1
    edges = [first + timedelta(days=n) for n in range(days + 1)]
    return [datetime_to_ms(datetime(day.year, day.month, day.day, tzinfo=zone)) for day in edges]


def _span(text: str) -> tuple[datetime, datetime]:
    found = re.fullmatch(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", text)
    if found is None:
        raise ValueError(f"{text} is no period: 2018, 2018-10, 2018-10-05, or two of them with .. between")
    year, month, day = (None if part is None else int(part) for part in found.groups())
    if not FIRST_YEAR <= (year or 0) <= LAST_YEAR:
        raise ValueError(f"{text} is no period: years run from {FIRST_YEAR:04} to {LAST_YEAR}")
    start = datetime(year or 1, month or 1, day or 1)  # noqa: DTZ001 - the caller puts the zone to it
    if month is None:
        return start, start.replace(year=start.year + 1)
    if day is None:
        return start, (start + timedelta(days=32)).replace(day=1)
    return start, start + timedelta(days=1)
