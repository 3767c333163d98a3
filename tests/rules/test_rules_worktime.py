import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules_small import at_ms, small

from rules import ALWAYS, AlwaysClock, WorkingClock, parse_budget
from rules.budgets import HOUR_MS, MINUTE_MS
from rules.calendars import Calendar, DayTable, Hours, expand_days

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHINA = Calendar(SHANGHAI, (Hours("workday", ("08:30-12:00", "13:30-17:30")),), (), expand_days("CN"))
OFFICE = WorkingClock("cn-office", CHINA, 8)


def due(text: str, at: str, clock: WorkingClock = OFFICE) -> int:
    return clock.open(parse_budget(text, clock.name), at_ms(at)).due_ms


@pytest.mark.parametrize(
    ("at", "budget", "expected"),
    [
        ("2026-02-13 16:00", "4wh", "2026-02-14 11:00"),  # a Saturday that is a workday
        ("2026-02-14 17:00", "4wh", "2026-02-24 12:00"),
        ("2026-02-14 17:00", "5wh", "2026-02-24 14:30"),
        ("2026-03-09 08:30", "1wd", "2026-03-10 09:00"),  # 8 h in a 7.5-hour calendar
        ("2026-03-06 16:00", "90wm", "2026-03-06 17:30"),  # the earliest instant: the close, not the next opening
        ("2026-03-06 18:00", "1wm", "2026-03-09 08:31"),
        ("2026-03-06 10:00", "1wd_end", "2026-03-09 17:30"),
        ("2026-02-13 10:00", "2wd_end", "2026-02-24 17:30"),
        ("2026-03-07 10:00", "1wd_end", "2026-03-09 17:30"),
    ],
)
def test_known_answers(at: str, budget: str, expected: str):
    assert due(budget, at) == at_ms(expected)


def test_a_pause_is_time_not_consumed():
    start, paused, resumed = map(at_ms, ("2026-03-06 16:00", "2026-03-06 17:00", "2026-03-09 09:00"))
    opened = OFFICE.open(parse_budget("5wh", "cn-office"), start)
    left = opened.amount_ms - OFFICE.consumed(start, paused)
    assert OFFICE.add(resumed, left) == at_ms("2026-03-09 14:30")


def test_wd_end_keeps_its_amount_on_the_clock():
    at = at_ms("2026-03-06 10:00")
    opened = OFFICE.open(parse_budget("1wd_end", "cn-office"), at)
    assert opened.amount_ms == OFFICE.consumed(at, opened.due_ms) == 13.5 * HOUR_MS  # 6 left of Friday, 7.5 of Monday


def inside(t_ms: int, zone: ZoneInfo, windows: list[tuple[int, int]]) -> bool:
    """Whether the wall clock of a weekday's window (minutes, may cross midnight) shows at the instant."""
    local = datetime.fromtimestamp(t_ms / 1000, UTC).astimezone(zone)
    minute = local.hour * 60 + local.minute
    for start, end in windows:
        for back in (0, 1):
            if (local.weekday() - back) % 7 < 5 and start <= minute + back * 1440 < end:
                return True
    return False


@pytest.mark.parametrize(
    ("zone", "texts", "start"),
    [
        ("Asia/Shanghai", ("08:30-12:00", "13:30-17:30"), "2017-06-01T00:00:00+00:00"),
        ("America/New_York", ("22:00-06:00",), "2026-03-05T00:00:00+00:00"),
        ("America/New_York", ("00:00-24:00",), "2026-10-29T00:00:00+00:00"),
        ("Europe/Berlin", ("20:00-23:00", "22:00-05:00", "23:00-24:00"), "2026-10-21T00:00:00+00:00"),
    ],
)
def test_against_a_loop_over_minutes(zone: str, texts: tuple[str, ...], start: str):
    here = ZoneInfo(zone)
    windows = [(int(t[:2]) * 60 + int(t[3:5]), int(t[6:8]) * 60 + int(t[9:])) for t in texts]
    windows = [(a, b if b > a else b + 1440) for a, b in windows]
    clock = WorkingClock("w", Calendar(here, (Hours("workday", texts),)))
    first = at_ms(start)
    minutes = [inside(first + i * MINUTE_MS, here, windows) for i in range(9 * 1440)]
    passed = np.concatenate([[0], np.cumsum(minutes)])
    rng = random.Random(zone)
    for _ in range(300):
        i, j = sorted(rng.sample(range(len(minutes)), 2))
        t0, t1 = first + i * MINUTE_MS, first + j * MINUTE_MS
        assert clock.consumed(t0, t1) == int(passed[j] - passed[i]) * MINUTE_MS
        assert clock.contains(t0) == minutes[i]
        amount = rng.randint(1, 2000)
        reached = np.flatnonzero(passed >= passed[i] + amount)
        if len(reached):
            assert clock.add(t0, amount * MINUTE_MS) == first + int(reached[0]) * MINUTE_MS
        opening = next((k for k in range(i, len(minutes)) if minutes[k]), None)
        if opening is not None:
            assert clock.next_open(t0) == first + opening * MINUTE_MS
        closed = clock.closed_between(t0, t1)
        assert sum(b - a for a, b in closed) == t1 - t0 - clock.consumed(t0, t1)
        assert all(a < b and not clock.contains(a) and not clock.contains(b - 1) for a, b in closed)


instants = st.integers(at_ms("2009-01-01 00:00"), at_ms("2033-01-01 00:00"))
amounts = st.integers(0, 400 * HOUR_MS)


@settings(max_examples=300)
@given(instants, amounts, amounts)
def test_properties(t: int, a: int, b: int):
    due_ms = OFFICE.add(t, a)
    assert OFFICE.consumed(t, due_ms) == a
    assert OFFICE.add(due_ms, b) == OFFICE.add(t, a + b)
    assert OFFICE.add(t, a) <= OFFICE.add(t, a + b)
    assert OFFICE.add(t, a) <= OFFICE.add(t + b, a)
    assert a == 0 or OFFICE.consumed(t, due_ms - 1) == a - 1
    assert OFFICE.consumed(t, t + a) + OFFICE.consumed(t + a, t + a + b) == OFFICE.consumed(t, t + a + b)


@settings(max_examples=100)
@given(instants, st.integers(1, 100 * HOUR_MS))
def test_a_pause_outside_hours_changes_nothing(t: int, amount: int):
    for closed_from, closed_to in OFFICE.closed_between(t, t + 7 * 24 * HOUR_MS)[:3]:
        left = amount - OFFICE.consumed(t, closed_from)
        if left > 0:
            assert OFFICE.add(closed_to, left) == OFFICE.add(t, amount)


def test_arrays_equal_scalars_and_empty_arrays_stay_empty():
    rng = random.Random(5)
    clock = WorkingClock("fresh", CHINA, 8)
    t = np.array([at_ms("2015-01-01 00:00") + rng.randrange(12 * 365 * 24 * HOUR_MS) for _ in range(2000)])
    amount = np.array([rng.choice([0, 1, rng.randrange(200 * HOUR_MS)]) for _ in range(2000)])
    assert clock.add_many(t, amount).tolist() == [
        OFFICE.add(*pair) for pair in zip(t.tolist(), amount.tolist(), strict=True)
    ]
    later = t + rng.randrange(10**9) - 3 * 10**8
    assert clock.consumed_many(t, later).tolist() == [
        OFFICE.consumed(*pair) for pair in zip(t.tolist(), later.tolist(), strict=True)
    ]
    nothing = np.array([], dtype=np.int64)
    assert len(clock.add_many(nothing, nothing)) == len(clock.consumed_many(nothing, nothing)) == 0


def test_the_order_of_questions_does_not_matter():
    questions = [at_ms(f"{year}-05-05 12:00") for year in (2026, 2014, 2030, 1999, 2026, 2060)]
    clock = WorkingClock("fresh", CHINA, 8)
    for t in questions:
        alone = WorkingClock("alone", CHINA, 8)
        assert clock.add(t, 10 * HOUR_MS) == alone.add(t, 10 * HOUR_MS)
        assert clock.consumed(t, t + 10**10) == alone.consumed(t, t + 10**10)


def test_never_an_exception_at_the_ends_of_time():
    for t in (-(10**18), 0, 10**15, 10**18):
        for amount in (1, 10**15):
            assert isinstance(OFFICE.add(t, amount), int)
        assert OFFICE.consumed(t, t + 10**18) >= 0
        assert OFFICE.contains(t) in {True, False}
        assert isinstance(OFFICE.next_open(t), int)
        assert isinstance(OFFICE.open(parse_budget("3wd_end", "x"), t).due_ms, int)
    many = OFFICE.add_many(np.array([at_ms("2026-01-01 00:00")]), np.array([10**15]))
    assert many.tolist() == [OFFICE.add(at_ms("2026-01-01 00:00"), 10**15)]
    early = WorkingClock("early", Calendar(ZoneInfo("UTC"), (Hours("workday", ("09:00-10:00",)),)))
    assert early.closed_between(at_ms("2026-03-08T00:00:00+00:00"), at_ms("2026-03-08T05:00:00+00:00")) != []


def test_years_without_data_are_provisional():
    table = DayTable(2025, 2026, ())
    clock = WorkingClock("w", Calendar(SHANGHAI, (Hours("workday", ("09:00-17:00",)),), (), table), 8)
    inside_, outside = at_ms("2026-12-31 23:59"), at_ms("2027-01-01 00:00")
    assert (clock.provisional(inside_), clock.provisional(outside), clock.provisional(at_ms("2024-12-31 23:59"))) == (
        False,
        True,
        True,
    )
    assert clock.coverage_until_ms == outside
    assert clock.open(parse_budget("1wd", "w"), inside_).provisional
    assert not clock.open(parse_budget("1wd", "w"), at_ms("2026-03-02 09:00")).provisional
    plain = WorkingClock("p", Calendar(SHANGHAI, (Hours("workday", ("09:00-17:00",)),)))
    assert plain.coverage_until_ms is None
    assert not plain.provisional(outside)


def test_budgets_on_the_wrong_clock_are_refused():
    with pytest.raises(ValueError, match="runs in calendar"):
        AlwaysClock().open(parse_budget("1wh", "x"), 0)
    with pytest.raises(ValueError, match="cannot run 1h"):
        OFFICE.open(parse_budget("1h"), 0)
    with pytest.raises(ValueError, match="cannot run 1wd"):
        WorkingClock("w", CHINA).open(parse_budget("1wd", "w"), 0)


def test_the_clock_that_never_stops():
    clock = small().clock(ALWAYS)
    t = at_ms("2026-03-06 16:00")
    assert clock.open(parse_budget("1.5h"), t).due_ms == clock.add(t, 90 * MINUTE_MS) == t + 90 * MINUTE_MS
    assert clock.consumed(t, t + 5) == 5
    assert clock.consumed(t, t - 5) == 0
    assert clock.contains(t)
    assert clock.next_open(t) == t
    assert clock.closed_between(t, t + 5) == []
    assert not clock.provisional(t)
    assert clock.coverage_until_ms is None
    pair = np.array([t, t + 1])
    assert clock.add_many(pair, np.array([5, -5])).tolist() == [t + 5, t + 1]
    assert clock.consumed_many(pair, pair[::-1]).tolist() == [1, 0]


def test_a_policy_opens_budgets_on_their_own_clocks():
    policy = small()
    at = at_ms("2026-11-06 17:00")  # the Monday after is an override: a restday
    assert policy.open(parse_budget("2h"), at).due_ms == at_ms("2026-11-06 19:00")
    opened = policy.open(parse_budget("1wh", "cn-office"), at)
    assert (opened.due_ms, opened.clock) == (at_ms("2026-11-10 09:00"), "cn-office")
    assert policy.clock("night").contains(at_ms("2026-11-10 03:00"))
    assert not policy.clock("night").contains(at_ms("2026-11-10 06:00"))


@pytest.mark.parametrize("text", ["", "5", "0h", "5 m", "-1h", "1y", "1.5wd_end", "99999999d", "1wm ", "٣h", "40000d"])
def test_no_budgets(text: str):
    with pytest.raises(ValueError):
        parse_budget(text)


def test_strictness_without_an_instant():
    ordered = ["30m", "2h", "1wh", "9h", "1wd", "9wh", "2wd", "3d"]
    assert sorted(ordered, key=lambda text: parse_budget(text).nominal_ms) == ordered
