"""Recurring visits: timelines, and the arithmetic against counting day by day."""

from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from register_small import FILES, GRID, at_ms, load

from dispatcher.register import VisitStatus, VisitTask, load_register, visit_counts
from dispatcher.register.visits import visit_state

REGISTER = load()  # v1: weekly since Monday 2026-03-02; visited on the 4th, 5th and 25th


@pytest.mark.parametrize(
    ("at", "status", "by", "last", "missed"),
    [
        ("2026-03-01T23:59:59", "ahead", "2026-03-08", None, "0/0"),
        ("2026-03-02T00:00:00", "due", "2026-03-08", None, "0/0"),
        ("2026-03-03T23:59:59", "due", "2026-03-08", None, "0/0"),
        ("2026-03-04T00:00:00", "done", "2026-03-08", "2026-03-04", "0/0"),
        ("2026-03-08T23:59:59", "done", "2026-03-08", "2026-03-05", "0/0"),
        ("2026-03-09T00:00:00", "due", "2026-03-15", "2026-03-05", "0/1"),
        ("2026-03-16T00:00:00", "missed", "2026-03-22", "2026-03-05", "1/2"),
        ("2026-03-24T12:00:00", "missed", "2026-03-29", "2026-03-05", "2/3"),
        ("2026-03-25T12:00:00", "done", "2026-03-29", "2026-03-25", "2/3"),
        ("2026-03-30T12:00:00", "due", "2026-04-05", "2026-03-25", "2/4"),
        ("2026-04-06T12:00:00", "missed", "2026-04-12", "2026-03-25", "3/5"),
    ],
)
def test_a_weekly_visit(at, status, by, last, missed):
    [state] = REGISTER.visits("111", at_ms(at))
    said = (state.status, str(state.by), state.last_done and str(state.last_done), f"{state.missed}/{state.periods}")
    assert said == (status, by, last, missed)


def test_the_day_is_the_registers():
    instant = at_ms("2026-03-08T23:00:00")  # already Monday in Auckland, still Sunday in Shanghai
    assert REGISTER.visits("111", instant)[0].status == "done"
    files = {name: text.encode() for name, text in FILES.items()}
    auckland = load_register(files, GRID, ZoneInfo("Pacific/Auckland"))
    assert auckland.visits("111", instant)[0].status == "due"
    assert load_register(files, GRID, UTC).visits("111", instant)[0].status == "done"


def test_a_day_that_is_put_forward_is_a_day():
    files = {name: text.encode() for name, text in FILES.items()}
    files["visits.csv"] = b"id,cell,kind,every_days,since\nv1,111,daily,1,2026-03-07\n"
    files["visited.csv"] = b"task,date\n"
    zone = ZoneInfo("America/New_York")  # 2026-03-08 has 23 hours
    register = load_register(files, GRID, zone)
    for text, periods in (("2026-03-08T23:59:59", 1), ("2026-03-09T00:00:00", 2), ("2026-03-09T23:59:59", 2)):
        assert register.visits(None, at_ms(text, zone))[0].periods == periods


def test_of_a_cell_and_those_in_it():
    march = at_ms("2026-03-10T12:00:00")
    assert [state.task.id for state in REGISTER.visits("1", march)] == ["v1", "v2"]
    assert REGISTER.visits("2", march) == ()
    assert len(REGISTER.visits(None, march)) == 2
    with pytest.raises(KeyError):
        REGISTER.visits("999", march)


def test_counts():
    counts = visit_counts(REGISTER.visits(None, at_ms("2026-03-16T00:00:00")))
    assert (counts.ahead, counts.done, counts.due, counts.missed) == (0, 0, 1, 1)
    assert (counts.periods_missed, counts.periods) == (1, 2)


SINCE = date(2026, 1, 1)


@given(
    st.integers(1, 40),
    st.lists(st.integers(0, 200), max_size=20, unique=True).map(sorted),
    st.integers(-10, 220),
)
def test_the_state_is_what_counting_day_by_day_finds(every_days, visited, today):
    task = VisitTask("v", "1", "k", every_days, SINCE)
    state = visit_state(task, [SINCE + timedelta(day) for day in visited], SINCE + timedelta(today))
    periods, current, length = [], False, 0  # whether each ended period had its visit; the present one; its days
    for day in range(today + 1):
        if length == every_days:
            periods.append(current)
            current, length = False, 0
        length += 1
        current = current or day in visited
    before = [day for day in visited if day <= today]
    if today < 0:
        assert (state.status, state.last_done) == (VisitStatus.AHEAD, None)
        assert state.by == SINCE + timedelta(every_days - 1)
        return
    expected = "done" if current else "missed" if periods and not periods[-1] else "due"
    assert state.status == expected
    assert (state.periods, state.missed) == (len(periods), periods.count(False))
    assert state.by == SINCE + timedelta(today + every_days - length)
    assert state.last_done == (SINCE + timedelta(before[-1]) if before else None)
