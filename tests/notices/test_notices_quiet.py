"""Quiet hours: over midnight, within a day, on days whose clocks change; against a minute-by-minute reading."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dispatcher.notices import QuietHours

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
MINUTE_MS = 60_000


def ms(text: str, zone: ZoneInfo, fold: int = 0) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp() * 1000)


def shown(instant_ms: int | None, zone: ZoneInfo) -> str | None:
    return None if instant_ms is None else datetime.fromtimestamp(instant_ms / 1000, zone).isoformat(" ", "minutes")


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        (("22:00", "07:00"), "2026-03-02 21:59:59.999", None),
        (("22:00", "07:00"), "2026-03-02 22:00", "2026-03-03 07:00+08:00"),
        (("22:00", "07:00"), "2026-03-03 00:00", "2026-03-03 07:00+08:00"),
        (("22:00", "07:00"), "2026-03-03 06:59:59.999", "2026-03-03 07:00+08:00"),
        (("22:00", "07:00"), "2026-03-03 07:00", None),
        (("12:00", "14:00"), "2026-03-03 13:00", "2026-03-03 14:00+08:00"),
        (("12:00", "14:00"), "2026-03-03 11:59", None),
        (("00:00", "00:00"), "2026-03-03 00:00", None),
        (("00:00", "23:59"), "2026-03-03 23:59", None),
    ],
)
def test_until(hours, now, until) -> None:
    assert shown(QuietHours(*hours, SHANGHAI).until_ms(ms(now, SHANGHAI)), SHANGHAI) == until


@pytest.mark.parametrize(
    ("hours", "now", "fold", "until"),
    [
        (("22:00", "07:00"), "2026-03-07 23:00", 0, "2026-03-08 07:00-04:00"),  # the night an hour is skipped
        (("22:00", "07:00"), "2026-10-31 23:00", 0, "2026-11-01 07:00-05:00"),  # the night one comes twice
        (("22:00", "02:30"), "2026-03-07 23:00", 0, "2026-03-08 03:30-04:00"),  # ends at a time that is skipped
        (("02:30", "07:00"), "2026-03-08 03:15", 0, None),  # begins at one
        (("02:30", "07:00"), "2026-03-08 03:30", 0, "2026-03-08 07:00-04:00"),
        (("22:00", "01:30"), "2026-11-01 01:29", 0, "2026-11-01 01:30-04:00"),  # ends at one that comes twice:
        (("22:00", "01:30"), "2026-11-01 01:10", 1, None),  # the second time is no longer quiet
    ],
)
def test_clocks_change(hours, now, fold, until) -> None:
    assert shown(QuietHours(*hours, NEW_YORK).until_ms(ms(now, NEW_YORK, fold)), NEW_YORK) == until


@pytest.mark.parametrize(("month", "day"), [(3, 7), (7, 1), (10, 31)])
@pytest.mark.parametrize("hours", [("22:00", "07:00"), ("23:30", "05:15"), ("00:30", "06:00"), ("09:00", "21:00")])
def test_every_minute_of_three_days(month: int, day: int, hours: tuple[str, str]) -> None:
    """Hours whose ends no change of clocks touches: quiet is what the wall clock shows between them."""
    quiet = QuietHours(*hours, NEW_YORK)
    moment = datetime(2026, month, day, tzinfo=UTC)
    for _ in range(3 * 24 * 60):
        wall = moment.astimezone(NEW_YORK).strftime("%H:%M")
        start, end = hours
        expected = start <= wall < end if start < end else wall >= start or wall < end
        until_ms = quiet.until_ms(round(moment.timestamp() * 1000))
        assert (until_ms is not None) == expected, moment
        if until_ms is not None:
            assert datetime.fromtimestamp(until_ms / 1000, NEW_YORK).strftime("%H:%M") == end
        moment += timedelta(minutes=1)
