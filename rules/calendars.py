"""Which days are workdays and which hours of them are open.

A day's type comes from, in this order: a dated override of the policy, the holiday provider, the day of the week
(Monday to Friday work). The provider (package `holidays`) is asked once, when a policy is loaded; its answers are
kept in the policy as a day table, so that a later release of the package cannot change an old decision.

Outside its seasons ("03-01..05-15", both days included), if it has any, a calendar is closed whatever the day's type.

Hours a day type does not state are those of `all`, or none. A window that crosses midnight belongs to the day on
which it starts. Local times are turned into instants by zoneinfo with fold=0: a time that a change of the clocks
skips counts as the instant just after the gap, one that occurs twice as its first occurrence.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

WORKDAY, RESTDAY, HOLIDAY = DAY_TYPES = ("workday", "restday", "holiday")

FIRST_YEAR = 2010
LAST_YEAR = 2040
"""Statutory holidays can be computed for ever; a policy is replaced long before. 31 years are 350 to 900 entries."""

LEAP_YEAR = 2000
"""Any: a season may begin or end on 02-29, which other years skip."""

DAY_MINUTES = 24 * 60
_WINDOW = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})", re.ASCII)
_SEASON = re.compile(r"(\d{2}-\d{2})\.\.(\d{2}-\d{2})", re.ASCII)


class DayTable(msgspec.Struct, frozen=True, gc=False):
    """A provider's answers: every day of `first_year`..`last_year` that differs from the day-of-week rule."""

    first_year: int
    last_year: int
    days: tuple[tuple[str, str], ...]


class Hours(msgspec.Struct, frozen=True, gc=False):
    """Open windows ("08:30-12:00") of one day type, or of `all`."""

    day: str
    windows: tuple[str, ...]


class Calendar:
    """Days and hours in one time zone; knows nothing of budgets."""

    def __init__(
        self,
        zone: ZoneInfo,
        hours: tuple[Hours, ...],
        overrides: tuple[tuple[str, str], ...] = (),
        table: DayTable | None = None,
        seasons: tuple[str, ...] = (),
    ) -> None:
        self.zone = zone
        self.table = table
        self._seasons = tuple(map(parse_season, seasons))
        stated = {entry.day: tuple(map(parse_window, entry.windows)) for entry in hours}
        self._windows = {day: stated.get(day, stated.get("all", ())) for day in DAY_TYPES}
        self._days = dict(table.days) if table else {}
        self._days.update(overrides)

    def day_type(self, day: date) -> str:
        """`workday`, `restday` or `holiday`."""
        return self._days.get(day.isoformat()) or _weekday_rule(day)

    def in_season(self, day: date) -> bool:
        """Whether the day lies in one of the seasons; always where there are none."""
        if not self._seasons:
            return True
        today = day.isoformat()[5:]
        return any(
            first <= today <= last if first <= last else today >= first or today <= last
            for first, last in self._seasons
        )

    def counts(self, day: date) -> bool:
        """Whether the day is one of the workdays that `wd_end` counts."""
        return self.day_type(day) == WORKDAY and self.in_season(day)

    def spans(self, day: date) -> list[tuple[int, int]]:
        """Return the windows that start on `day` as [from, to) in epoch ms, in the order of the policy."""
        if not self.in_season(day):
            return []
        windows = self._windows[self.day_type(day)]
        return [(self.instant_ms(day, start), self.instant_ms(day, end)) for start, end in windows]

    def instant_ms(self, day: date, minute: int = 0) -> int:
        """Return the instant of a wall-clock minute counted from the midnight at which `day` begins."""
        days, minute = divmod(minute, DAY_MINUTES)
        day += timedelta(days)
        local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=self.zone)
        return int(local.timestamp()) * 1000

    def local_date(self, t_ms: int) -> date:
        """Return the date on the wall at an instant."""
        return datetime.fromtimestamp(t_ms // 1000, UTC).astimezone(self.zone).date()

    @property
    def has_workday_hours(self) -> bool:
        """Whether workdays have open hours."""
        return bool(self._windows[WORKDAY])

    @property
    def is_ever_open(self) -> bool:
        """Whether it opens in ordinary weeks, so that working time always goes on.

        With seasons: whether it has opened in the years whose holidays are known. "05-01..05-01" never does in China.
        """
        if not (self._windows[WORKDAY] or self._windows[RESTDAY]):
            return False
        if not self._seasons:
            return True
        first, last = (self.table.first_year, self.table.last_year) if self.table else (FIRST_YEAR, LAST_YEAR)
        days = (date(first, 1, 1) + timedelta(n) for n in range((last - first + 1) * 366))
        return any(self.spans(day) for day in days if day.year <= last)


def parse_window(text: str) -> tuple[int, int]:
    """`"22:00-06:00"` as minutes (1320, 1800): the end lies past 1440 when it is after midnight. Raises ValueError."""
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise ValueError(text)
    h0, m0, h1, m1 = map(int, found.groups())
    start, end = h0 * 60 + m0, h1 * 60 + m1
    if m0 > 59 or m1 > 59 or start >= DAY_MINUTES or end > DAY_MINUTES or start == end:
        raise ValueError(text)
    return start, end if end > start else end + DAY_MINUTES


def parse_season(text: str) -> tuple[str, str]:
    """`"11-01..02-28"` as ("11-01", "02-28"), both days included; it may wrap the year. Raises ValueError."""
    found = _SEASON.fullmatch(text)
    if found is None:
        raise ValueError(text)
    first, last = found.groups()
    for day in (first, last):
        date.fromisoformat(f"{LEAP_YEAR}-{day}")
    return first, last


@lru_cache(maxsize=64)
def expand_days(country: str, region: str | None = None) -> DayTable:
    """Return what package `holidays` says about a country. Raises ValueError for one it does not know.

    Where a government moves workdays year by year (China's 调休), the table ends with the last year it has announced.
    """
    from holidays import country_holidays  # takes 0.1 s to import; not needed once a policy is canonical

    try:
        provider = country_holidays(country, subdiv=region, years=range(FIRST_YEAR, LAST_YEAR + 1))
    except NotImplementedError as error:
        raise ValueError(country) from error
    announced = [day.year for day in getattr(provider, "weekend_workdays", ()) if day.year <= LAST_YEAR]
    last_year = max(announced, default=LAST_YEAR)
    days = []
    day = date(FIRST_YEAR, 1, 1)
    while day.year <= last_year:
        kind = HOLIDAY if day in provider else WORKDAY if provider.is_working_day(day) else RESTDAY
        if kind != _weekday_rule(day):
            days.append((day.isoformat(), kind))
        day += timedelta(1)
    return DayTable(FIRST_YEAR, last_year, tuple(days))


def _weekday_rule(day: date) -> str:
    return WORKDAY if day.weekday() < 5 else RESTDAY
