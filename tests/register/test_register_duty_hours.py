"""Duty hours: what can be written, and who is on duty minute by minute."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.register.duty_hours import EVERY_DAY, DutyHours, parse_days, parse_hours


@pytest.mark.parametrize(
    ("text", "days"),
    [("", {1, 2, 3, 4, 5, 6, 7}), ("1-5", {1, 2, 3, 4, 5}), ("6,7", {6, 7}), ("1-2, 5", {1, 2, 5}), ("3", {3})],
)
def test_days(text, days):
    assert parse_days(text) == days


@pytest.mark.parametrize("text", ["0", "8", "1-", "5-1", "1,,2", "mon", "1-5-7", "一"])
def test_no_days(text):
    assert parse_days(text) is None


@pytest.mark.parametrize(
    ("text", "hours"),
    [("", (0, 1440)), ("08:30-17:30", (510, 1050)), ("20:00-08:00", (1200, 480)), ("18:00-24:00", (1080, 1440)),
     ("00:00-24:00", (0, 1440)), ("22:00-00:00", (1320, 0))],
)  # fmt: skip
def test_hours(text, hours):
    assert parse_hours(text) == hours


@pytest.mark.parametrize(
    "text", ["8:00-9:00", "08:00", "24:00-08:00", "08:00-25:00", "09:00-09:00", "00:00-00:00", "x"]
)
def test_no_hours(text):
    assert parse_hours(text) is None


MONDAY = datetime(2026, 3, 2)  # noqa: DTZ001 - a local time


@given(
    st.sets(st.integers(1, 7), min_size=1),
    st.integers(0, 1439),
    st.integers(0, 1440),
    st.integers(0, 7 * 1440 - 1),
)
def test_who_is_on_duty_is_what_a_week_of_shifts_covers(days, from_min, to_min, minute):
    if from_min == to_min:
        return
    hours = DutyHours(frozenset(days), from_min, to_min)
    length = (to_min - from_min) % 1440 or 1440
    shifts = [(day - 1) * 1440 + from_min for day in days]
    covered = any((minute - begin) % (7 * 1440) < length for begin in shifts)
    assert hours.holds(MONDAY + timedelta(minutes=minute, seconds=59)) == covered


def test_always():
    hours = DutyHours(EVERY_DAY, *parse_hours(""))
    assert all(hours.holds(MONDAY + timedelta(minutes=7 * step)) for step in range(1440))
