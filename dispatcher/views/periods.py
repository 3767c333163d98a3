"""Periods as people write them: a year, a month, a day, or two of them with `..` between."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dispatcher.core import NEVER_MS, datetime_to_ms

__all__ = ["FIRST_YEAR", "LAST_YEAR", "period"]

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
