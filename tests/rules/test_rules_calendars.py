from datetime import date, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest

from rules.calendars import Calendar, DayTable, Hours, expand_days, parse_window

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = (Hours("workday", ("08:30-12:00", "13:30-17:30")),)


def days(first: date, last: date):
    while first <= last:
        yield first
        first += timedelta(1)


def test_every_chinese_day_2018_to_2026_equals_chinesecalendar():
    calendar = Calendar(SHANGHAI, OFFICE, (), expand_days("CN"))
    for day in days(date(2018, 1, 1), date(2026, 12, 31)):
        assert (calendar.day_type(day) == "workday") == chinese_calendar.is_workday(day), day


def test_2026_has_248_workdays():
    calendar = Calendar(SHANGHAI, OFFICE, (), expand_days("CN"))
    kinds = [calendar.day_type(day) for day in days(date(2026, 1, 1), date(2026, 12, 31))]
    assert kinds.count("workday") == 248


def test_the_chinese_table_ends_with_the_last_announced_year_others_are_computed():
    china, america = expand_days("CN"), expand_days("US")
    assert (china.first_year, america.first_year) == (2010, 2010)
    assert 2026 <= china.last_year < 2040 == america.last_year
    assert all(china.first_year <= int(day[:4]) <= china.last_year for day, _ in china.days)
    assert ("2026-02-14", "workday") in china.days
    assert ("2026-07-03", "holiday") in america.days  # the fourth is a Saturday


def test_a_weekend_other_than_saturday_and_sunday_is_in_the_table():
    calendar = Calendar(ZoneInfo("Asia/Dubai"), OFFICE, (), expand_days("SA"))
    assert calendar.day_type(date(2026, 6, 5)) == "restday"  # a Friday
    assert calendar.day_type(date(2026, 6, 7)) == "workday"  # a Sunday


def test_unknown_countries_and_regions():
    for country, region in [("XX", None), ("US", "XX")]:
        with pytest.raises(ValueError, match=country):
            expand_days(country, region)


def test_override_before_provider_before_weekday():
    table = DayTable(2026, 2026, (("2026-03-02", "holiday"), ("2026-03-07", "workday"), ("2026-03-08", "workday")))
    calendar = Calendar(SHANGHAI, OFFICE, (("2026-03-08", "restday"),), table)
    kinds = [calendar.day_type(date(2026, 3, day)) for day in range(1, 10)]
    assert kinds == ["restday", "holiday", *["workday"] * 5, "restday", "workday"]


def test_hours_of_a_type_not_stated_are_those_of_all_or_none():
    calendar = Calendar(SHANGHAI, (Hours("all", ("09:00-10:00",)), Hours("restday", ())), ())
    monday, saturday = date(2026, 3, 2), date(2026, 3, 7)
    assert len(calendar.spans(monday)) == 1
    assert calendar.spans(saturday) == []
    assert calendar.has_workday_hours
    assert not Calendar(SHANGHAI, (Hours("holiday", ("09:00-10:00",)),)).is_ever_open


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("08:30-12:00", (510, 720)),
        ("22:00-06:00", (1320, 1800)),
        ("00:00-24:00", (0, 1440)),
        ("18:00-24:00", (1080, 1440)),
        ("20:00-00:00", (1200, 1440)),
    ],
)
def test_windows(text: str, minutes: tuple[int, int]):
    assert parse_window(text) == minutes


@pytest.mark.parametrize(
    "text", ["8:30-12:00", "08:30-08:30", "24:00-06:00", "10:60-11:00", "10:00-24:01", "x", "٠٨:30-12:00"]
)
def test_no_windows(text: str):
    with pytest.raises(ValueError):
        parse_window(text)


def test_local_times_are_instants_of_the_zone_across_changes_of_the_clocks():
    new_york = Calendar(ZoneInfo("America/New_York"), (Hours("all", ("00:00-24:00",)),))
    lengths = [
        sum(end - start for start, end in new_york.spans(day)) // 3_600_000
        for day in (date(2026, 3, 8), date(2026, 3, 9), date(2026, 11, 1))
    ]
    assert lengths == [23, 24, 25]
