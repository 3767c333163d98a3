"""How much is reported when: by the hour, the day of the week, the holiday, and the storm."""

import random
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

__all__ = ["CITY_ZONE", "DAY_MS", "HOUR_MS", "Season", "Storm", "by_day", "midnight_ms"]

CITY_ZONE: Final = ZoneInfo("Asia/Shanghai")
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
CITY_OFFSET_MS: Final = 8 * HOUR_MS
OPENS_MS, CLOSES_MS = 8 * HOUR_MS, 21 * HOUR_MS  # of a day: outside nobody but those on duty works
# By the hour from midnight, after the shape of a hotline's day: two rush hours, a quiet night.
BY_HOUR: Final = (3, 2, 1, 1, 1, 2, 5, 9, 9, 7, 6, 6, 4, 5, 5, 5, 6, 8, 9, 7, 5, 4, 3, 2)
BY_WEEKDAY: Final = (1.08, 1.05, 1.03, 1.0, 1.0, 0.8, 0.7)
FEWER: Final = (  # holidays: first day, last day, share of an ordinary day (2026)
    (date(2026, 1, 1), date(2026, 1, 3), 0.7),
    (date(2026, 2, 15), date(2026, 2, 23), 0.4),  # Spring Festival
    (date(2026, 5, 1), date(2026, 5, 5), 0.7),
    (date(2026, 10, 1), date(2026, 10, 7), 0.6),
)
STORM_MORE: Final = 1.7

StormKind = Literal["snow", "rain", "heat"]
STORM_WINDOWS: Final[tuple[tuple[StormKind, date, int], ...]] = (  # one storm in each: from when, within how many days
    ("snow", date(2026, 1, 6), 18),
    ("snow", date(2026, 2, 2), 9),
    ("rain", date(2026, 6, 12), 14),
    ("rain", date(2026, 7, 1), 10),
    ("rain", date(2026, 7, 16), 12),
    ("heat", date(2026, 8, 1), 10),
    ("rain", date(2026, 8, 16), 12),
    ("snow", date(2026, 12, 5), 18),
)


class Storm(NamedTuple):
    """Two days of bad weather; an emergency mode is set on the first morning."""

    kind: StormKind
    first: date

    @property
    def days(self) -> tuple[date, date]:
        """The days it lasts."""
        return self.first, self.first + timedelta(days=1)


def midnight_ms(day: date) -> int:
    """When a day begins in the city: epoch milliseconds."""
    return int(datetime.combine(day, time(), CITY_ZONE).timestamp() * 1000)


def by_day(at_ms: float, rng: random.Random) -> float:
    """The same, or some time in the next morning if it falls in the night."""
    since = (at_ms + CITY_OFFSET_MS) % DAY_MS
    if OPENS_MS <= since < CLOSES_MS:
        return at_ms
    morning = OPENS_MS - since if since < OPENS_MS else DAY_MS - since + OPENS_MS
    return at_ms + morning + rng.uniform(0, 90) * HOUR_MS / 60


class Season:
    """The weights of days and hours of a run of days, and its storms."""

    def __init__(self, first: date, days: int, rng: random.Random) -> None:
        self.days = [first + timedelta(days=n) for n in range(days)]
        drawn = [Storm(kind, start + timedelta(days=rng.randrange(within))) for kind, start, within in STORM_WINDOWS]
        self.storms = [storm for storm in drawn if storm.first in self.days]

    def storm_on(self, day: date) -> Storm | None:
        """The storm of a day."""
        return next((storm for storm in self.storms if day in storm.days), None)

    def weight(self, day: date) -> float:
        """How much is reported, against an ordinary day."""
        fewer = next((share for first, last, share in FEWER if first <= day <= last), 1.0)
        return BY_WEEKDAY[day.weekday()] * fewer * (STORM_MORE if self.storm_on(day) else 1.0)

    def quota(self, day: date, left: int) -> int:
        """How many of what is left to be reported fall on this day."""
        rest = self.days[self.days.index(day) :]
        return round(left * self.weight(day) / sum(map(self.weight, rest)))

    @staticmethod
    def instants(day: date, count: int, rng: random.Random, by_hour: Sequence[int] = BY_HOUR) -> list[int]:
        """When on a day: rising epoch milliseconds."""
        hours = rng.choices(range(24), by_hour, k=count)
        start_ms = midnight_ms(day)
        return sorted(start_ms + hour * HOUR_MS + rng.randrange(HOUR_MS) for hour in hours)
