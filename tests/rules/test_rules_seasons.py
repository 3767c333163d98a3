"""Calendars with seasons, and filing standards that run in a calendar of their own."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules_small import at_ms, files, small, some_facts

from rules import (
    Policy,
    PolicyError,
    WorkingClock,
    compile_policy,
    decide_plainly,
    load_canonical,
    load_policy,
    parse_budget,
)
from rules.budgets import HOUR_MS, MINUTE_MS
from rules.calendars import Calendar, Hours, expand_days

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = (Hours("workday", ("08:30-12:00", "13:30-17:30")),)
TABLE = expand_days("CN")


def calendar(*seasons: str, hours: tuple[Hours, ...] = OFFICE) -> Calendar:
    return Calendar(SHANGHAI, hours, (), TABLE, seasons)


PLANTING = WorkingClock("planting", calendar("03-01..05-15", "10-01..11-30"), 8)
WINTER = WorkingClock("winter", calendar("11-15..03-15"), 8)


def test_a_night_that_begins_on_the_last_day_ends_the_next_morning():
    nights = WorkingClock("n", calendar("03-01..03-02", hours=(Hours("all", ("22:00-06:00",)),)))
    asked = ("2026-03-01 03:00", "2026-03-01 23:00", "2026-03-03 05:59", "2026-03-03 06:00", "2026-03-03 23:00")
    assert [nights.contains(at_ms(text)) for text in asked] == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("at", "budget", "expected"),
    [
        # 120 h at 7.5 a day: Mon 2 to Fri 20 March are 112.5, Mon 23 the rest
        ("2025-12-08 10:00", "15wd", "2026-03-23 17:30"),
        ("2026-02-28 16:00", "15wd", "2026-03-23 17:30"),  # a Saturday that is a workday, but out of season
        # 6 h and 7.5 h in May; from 8 October (Saturday 10 is worked) fourteen days; 1.5 h of the fifteenth
        ("2026-05-14 10:00", "15wd", "2026-10-27 10:00"),
        ("2026-05-15 17:00", "30wm", "2026-05-15 17:30"),
        ("2026-05-15 17:00", "31wm", "2026-10-08 08:31"),
        ("2026-03-04 10:00", "4wh", "2026-03-04 15:30"),
        ("2025-12-08 10:00", "2wd_end", "2026-03-03 17:30"),
        ("2026-05-14 10:00", "2wd_end", "2026-10-08 17:30"),
    ],
)
def test_known_answers(at: str, budget: str, expected: str):
    assert PLANTING.open(parse_budget(budget, "planting"), at_ms(at)).due_ms == at_ms(expected)


def test_the_end_of_workdays_keeps_its_amount_over_the_closed_months():
    opened = PLANTING.open(parse_budget("2wd_end", "planting"), at_ms("2026-05-14 10:00"))
    assert opened.amount_ms == 21 * HOUR_MS  # 6 and 7.5 in May, 7.5 on 8 October


def test_a_season_ends_the_day_after_its_last():
    closed = PLANTING.closed_between(at_ms("2026-05-15 12:00"), at_ms("2026-10-08 09:00"))
    assert closed == [
        (at_ms("2026-05-15 12:00"), at_ms("2026-05-15 13:30")),
        (at_ms("2026-05-15 17:30"), at_ms("2026-10-08 08:30")),
    ]
    assert PLANTING.next_open(at_ms("2026-07-01 09:00")) == at_ms("2026-10-08 08:30")


@pytest.mark.parametrize("clock", [PLANTING, WINTER], ids=lambda clock: clock.name)
def test_against_a_sum_over_days(clock: WorkingClock):
    """Between two midnights there are 7.5 hours per workday whose month and day lie in the season."""
    inside = {
        "planting": lambda day: (3, 1) <= day <= (5, 15) or (10, 1) <= day <= (11, 30),
        "winter": lambda day: day >= (11, 15) or day <= (3, 15),
    }[clock.name]
    office = Calendar(SHANGHAI, OFFICE, (), TABLE)
    days = [date(2023, 1, 1) + timedelta(n) for n in range(4 * 365)]
    hours = [7.5 * (office.day_type(day) == "workday" and inside((day.month, day.day))) for day in days]
    rng = random.Random(clock.name)
    for _ in range(300):
        i, j = sorted(rng.sample(range(len(days)), 2))
        t0, t1 = (office.instant_ms(days[k]) for k in (i, j))
        passed = round(sum(hours[i:j]) * HOUR_MS)
        assert clock.consumed(t0, t1) == passed
        if passed:
            assert clock.consumed(t0, clock.add(t0, passed)) == passed
            assert clock.add(t0, passed) <= t1


instants = st.integers(at_ms("2009-01-01 00:00"), at_ms("2033-01-01 00:00"))
amounts = st.integers(0, 1500 * HOUR_MS)


@pytest.mark.parametrize("clock", [PLANTING, WINTER], ids=lambda clock: clock.name)
@settings(max_examples=150)
@given(t=instants, a=amounts, b=amounts)
def test_properties(clock: WorkingClock, t: int, a: int, b: int):
    due_ms = clock.add(t, a)
    assert clock.consumed(t, due_ms) == a
    assert a == 0 or clock.consumed(t, due_ms - 1) == a - 1
    assert clock.add(due_ms, b) == clock.add(t, a + b)
    assert due_ms <= clock.add(t, a + b)
    assert due_ms <= clock.add(t + b, a)
    assert clock.consumed(t, t + a) + clock.consumed(t + a, t + a + b) == clock.consumed(t, t + a + b)
    left = a - clock.consumed(t, t + b)
    if left > 0:  # paused for the closed stretch, if any, in which t + b lies: nothing changes
        assert clock.add(clock.next_open(t + b), left) == due_ms


def test_arrays_equal_scalars_and_the_order_of_questions_does_not_matter():
    rng = random.Random(7)
    fresh = WorkingClock("fresh", calendar("11-15..03-15"), 8)
    t = np.array([at_ms("2015-01-01 00:00") + rng.randrange(12 * 365 * 24 * HOUR_MS) for _ in range(500)])
    amount = np.array([rng.randrange(900 * HOUR_MS) for _ in range(500)])
    assert fresh.add_many(t, amount).tolist() == [
        WINTER.add(*pair) for pair in zip(t.tolist(), amount.tolist(), strict=True)
    ]
    later = t + 90 * 24 * HOUR_MS
    passed = [WINTER.consumed(*pair) for pair in zip(t.tolist(), later.tolist(), strict=True)]
    assert fresh.consumed_many(t, later).tolist() == passed


def test_a_season_of_leap_days_ends_with_time_and_raises_nothing():
    leap = WorkingClock("leap", calendar("02-29..02-29"), 8)
    start = at_ms("2026-06-01 10:00")
    assert leap.open(parse_budget("1wh", "leap"), start).due_ms == at_ms("2028-02-29 09:30")
    end = leap.open(parse_budget("999wd", "leap"), start).due_ms
    assert datetime.fromtimestamp(end / 1000, UTC).year >= 2200
    assert leap.open(parse_budget("999wd_end", "leap"), start).due_ms <= end


# -- in a policy -------------------------------------------------------------------------------------------------------

NIGHT = '  night: {hours: {all: ["22:00-06:00"]}}'
SPRING = """\
  spring:
    seasons: ["03-01..05-15"]
    hours: {workday: ["08:30-12:00", "13:30-17:30"]}
    days: {provider: holidays, country: CN}
    hours_per_working_day: 8
"""
PLANT = "c: {zh: 缺株, limit: 15wd, calendar: spring}"
LIMITS = "b: {zh: 标识破损, limit: 2wd, close: 修复}"
ROUTE = 'severity: "<=2"}\n    lead: gas-company\n    sla: gas-leak'
BY_STANDARD = (ROUTE, ROUTE.replace("gas-leak", "by-standard"))


def seasonal(*changes: tuple[str, str]) -> Policy:
    return small((NIGHT, SPRING + NIGHT), (LIMITS, f"{LIMITS}, {PLANT}"), BY_STANDARD, *changes)


def problems(*changes: tuple[str, str]) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        seasonal(*changes)
    return [str(problem) for problem in caught.value.problems]


def budgets(policy: Policy, standard: str | None) -> list[tuple[str, str | None, str | None]]:
    facts = some_facts(standard=standard, severity=2)
    decision = compile_policy(policy).decide(facts)
    assert decision == decide_plainly(policy, facts)
    (resolve,) = [target for target in decision.targets if target.name == "resolve"]
    return [(b.budget.text, b.budget.calendar, b.provisional) for b in resolve.budgets if b.by == "by-standard"]


def test_a_standard_runs_in_its_own_calendar_others_in_the_slas():
    policy = seasonal()
    assert budgets(policy, "c") == [("15wd", "spring", None)]
    assert budgets(policy, "b") == [("2wd", "cn-office", None)]
    assert budgets(policy, "a") == [("2h", None, None)]


def test_unfiled_the_strictest_of_each_calendar_is_kept_and_the_earliest_due_wins():
    policy = seasonal(
        ("c: {zh: 缺株, limit: 15wd", "d: {zh: 苗圃, limit: 20wd, calendar: spring}, c: {zh: 缺株, limit: 15wd")
    )
    assert budgets(policy, None) == [("2h", None, "standard"), ("15wd", "spring", "standard")]
    assert budgets(policy, "unknown") == budgets(policy, None)
    same = seasonal(("limit: 2wd, close", "limit: 2wd, calendar: cn-office, close"))
    assert budgets(same, None) == budgets(policy, None)


def test_neither_of_two_calendars_is_always_the_stricter():
    """Why one is not chosen beforehand: 15wd of spring against 20wd of the office."""
    policy = seasonal(("limit: 2h, close", "limit: 20wd, close"), ("limit: 2wd, close", "limit: 20wd, close"))
    kept = budgets(policy, None)
    assert kept == [("20wd", "cn-office", "standard"), ("15wd", "spring", "standard")]
    earliest = {}
    for at in ("2026-03-02 08:30", "2026-06-01 08:30"):
        due = {text: policy.open(parse_budget(text, name), at_ms(at)).due_ms for text, name, _ in kept}
        earliest[at] = min(due, key=due.__getitem__)
    assert earliest == {"2026-03-02 08:30": "15wd", "2026-06-01 08:30": "20wd"}


def test_a_policy_without_them_has_neither_in_its_canonical_form_and_one_with_them_is_another():
    plain, policy = small(BY_STANDARD), seasonal()
    assert b"season" not in plain.canonical
    standards = [s for entry in plain.document.sections.categories for s in entry.standards or ()]
    assert standards
    assert plain.canonical.count(b'"calendar"') == small().canonical.count(b'"calendar"')
    assert policy.sha256 != plain.sha256
    again = load_canonical(policy.canonical)
    assert (again.sha256, again.document) == (policy.sha256, policy.document)
    for at in ("2026-06-01 08:30", "2026-03-02 08:30"):
        budget = parse_budget("15wd", "spring")
        assert again.open(budget, at_ms(at)) == policy.open(budget, at_ms(at))


def test_a_rule_may_ask_whether_the_season_is_on():
    policy = seasonal(("calendar: [night]", "calendar: [spring]"))
    decider = compile_policy(policy)
    for at, holds in (("2026-03-04 10:00", True), ("2026-03-04 12:30", False), ("2026-06-03 10:00", False)):
        facts = some_facts(at_ms=at_ms(at), keywords=("gas",))
        assert ("gas.night" in decider.decide(facts).overlays) is holds
        assert decider.decide(facts) == decide_plainly(policy, facts)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("03-01..05-15", "03-01..05-32"), "clocks.yaml:8:15 E010 '03-01..05-32' is not a season \"MM-DD..MM-DD\""),
        (('["03-01..05-15"]', '"03-01..05-15"'), "clocks.yaml:8:14 E008 expected a list, found '03-01..05-15'"),
        (("03-01..05-15", "05-01..05-01"), "clocks.yaml:9:12 E023 calendar 'spring' is never open"),
        (("calendar: spring}", "calendar: sprint}"), "E012 no calendar is called 'sprint' (did you mean 'spring'?)"),
        (("calendar: spring}", "calendar: always}"), "E014 '15wd' runs in working time: 'always' has no working hours"),
        (
            ("calendar: spring}", "calendar: night}"),
            "E014 '15wd' runs in working time: calendar 'night' has no hours_per_working_day",
        ),
    ],
    ids=["no day", "no list", "never open", "dangling", "always", "no working day"],
)
def test_what_is_wrong_is_said_with_its_place(change: tuple[str, str], expected: str):
    (problem,) = problems(change)
    assert expected in problem
    if not expected.startswith("clocks"):
        assert problem.startswith("catalogue/categories.yaml:9:")


def test_a_limit_with_a_calendar_is_not_judged_by_that_of_the_sla():
    always = (
        "by-standard: {calendar: cn-office, targets: {acknowledge: 30wm,",
        "by-standard: {calendar: always, targets: {acknowledge: 30m,",
    )
    fixed = ("default: 5wd", "default: 5d")
    (problem,) = problems(always, fixed)
    assert "'2wd' runs in working time: 'always' has no working hours in sla 'by-standard'" in problem
    policy = seasonal(always, fixed, ("limit: 2wd", "limit: 2d"))
    assert budgets(policy, "c") == [("15wd", "spring", None)]


def test_a_table_has_a_column_for_it():
    table = "code,zh,standard,standard_zh,limit,calendar\n04,绿化,1,缺株,15wd,spring\n04,,2,枯死,2wd,\n"
    more = files((NIGHT, SPRING + NIGHT), ("catalogue/*.yaml", "catalogue/*.yaml, catalogue/*.csv"))
    more["catalogue/green.csv"] = table.encode()
    category = load_policy(more).category("04")
    assert category is not None
    assert [(s.limit.text, s.limit.calendar) for s in category.standards] == [("15wd", "spring"), ("2wd", None)]
    more["catalogue/green.csv"] = table.replace("spring", "sprung").encode()
    with pytest.raises(PolicyError) as caught:
        load_policy(more)
    assert str(caught.value) == "catalogue/green.csv:2:6 E012 no calendar is called 'sprung' (did you mean 'spring'?)"


def test_minutes_of_a_season_are_minutes_of_the_wall():
    """A season's first minute is the first office minute of its first workday, to the minute."""
    first = at_ms("2026-03-02 08:30")
    assert PLANTING.add(at_ms("2026-01-01 00:00"), MINUTE_MS) == first + MINUTE_MS
    assert not PLANTING.contains(first - 1)
    assert PLANTING.contains(first)
