from datetime import date, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest

from rules.calendars import Calendar, DayTable, Hours, expand_days, parse_season, parse_window

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


def in_china(*seasons: str, hours: tuple[Hours, ...] = OFFICE) -> Calendar:
    return Calendar(SHANGHAI, hours, (), expand_days("CN"), seasons)


@pytest.mark.parametrize("text", ["03-01..05-15", "11-01..02-28", "02-29..02-29", "01-01..12-31"])
def test_seasons(text: str):
    assert parse_season(text) == (text[:5], text[7:])


@pytest.mark.parametrize(
    "text", ["", "03-01", "3-1..5-15", "03-01...05-15", "02-30..03-01", "13-01..14-01", "03-01..05-32", "٠3-01..05-15"]
)
def test_no_seasons(text: str):
    with pytest.raises(ValueError):
        parse_season(text)


def test_both_ends_are_included_and_a_season_may_wrap_the_year():
    plain, wrapped = in_china("03-01..05-15", "10-01..11-30"), in_china("11-15..02-28")
    asked = [date(2026, *day) for day in ((2, 28), (3, 1), (5, 15), (5, 16), (10, 1), (12, 1))]
    assert list(map(plain.in_season, asked)) == [False, True, True, False, True, False]
    asked = [date(2028, *day) for day in ((11, 14), (11, 15), (12, 31), (1, 1), (2, 28), (2, 29))]
    assert list(map(wrapped.in_season, asked)) == [False, True, True, True, True, False]
    assert sum(map(in_china("02-29..02-29").in_season, days(date(2027, 1, 1), date(2027, 12, 31)))) == 0
    assert sum(map(in_china("11-15..02-29").in_season, days(date(2027, 1, 1), date(2027, 12, 31)))) == 106
    assert sum(map(in_china("01-01..12-31").in_season, days(date(2028, 1, 1), date(2028, 12, 31)))) == 366
    assert all(map(in_china().in_season, days(date(2026, 1, 1), date(2026, 12, 31))))


def test_out_of_season_no_day_is_open_whatever_an_override_says():
    made_workday = Calendar(
        SHANGHAI, OFFICE, (("2026-06-06", "workday"), ("2026-03-07", "workday")), expand_days("CN"), ("03-01..05-15",)
    )
    assert made_workday.spans(date(2026, 6, 6)) == made_workday.spans(date(2026, 6, 8)) == []
    assert len(made_workday.spans(date(2026, 3, 7))) == len(made_workday.spans(date(2026, 3, 9))) == 2


@pytest.mark.parametrize(
    ("seasons", "hours", "is_open"),
    [
        (("05-01..05-01",), OFFICE, False),  # always a holiday
        (("05-01..05-01", "06-01..06-30"), OFFICE, True),
        (("05-01..05-01",), (Hours("all", ("09:00-10:00",)),), True),
        (("02-29..02-29",), OFFICE, True),
        (("06-01..06-30",), (Hours("holiday", ("09:00-10:00",)),), False),
        ((), OFFICE, True),
    ],
)
def test_ever_open(seasons: tuple[str, ...], hours: tuple[Hours, ...], is_open: bool):
    assert in_china(*seasons, hours=hours).is_ever_open is is_open


def test_without_a_table_the_week_decides_whether_it_ever_opens():
    assert Calendar(SHANGHAI, OFFICE, (), None, ("05-01..05-01",)).is_ever_open
    assert not Calendar(SHANGHAI, (), (), None, ("05-01..05-01",)).is_ever_open
