"""Clocks through the engine: what falls due at which instant, and what stops, goes on or wins."""

import pytest
from core_city import DAY_MS, HOUR_MS, MINUTE_MS, START_MS, local, shown, tiny_book
from core_desk import Desk
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.core import NEVER_MS, Incident
from dispatcher.core.incident import Target
from dispatcher.core.ladder import Pace
from dispatcher.core.targets import fire, open_target, pause, refresh, resume
from rules import AlwaysClock

LATER = {"lon": 114.03, "lat": 30.005}


def warned_at(*percent: int) -> Pace:
    """A pace that warns and climbs no ladder."""
    return Pace(tiny_book().policy, percent)


def timed(desk: Desk, incident: Incident) -> list[tuple[str, str, str]]:
    """(instant, event, party) of every warning and breach."""
    return [
        (event["at"], f"{change['name']} {change['what']}" + (f" {change['percent']}" if "percent" in change else ""),
         change["of"])
        for event in desk.out("events", incident.incident_id)
        for change in event["changes"]
        if change["event"] == "target" and change["what"] in {"warn", "breach"}
    ]  # fmt: skip


def test_warnings_and_breaches_carry_their_own_instants():
    desk = Desk()
    incident = desk.report()
    assert desk.engine.next_due_ms == START_MS + MINUTE_MS  # half of the two minutes to acknowledge
    desk.clock(5 * HOUR_MS)
    lead = [(at, what) for at, what, of in timed(desk, incident) if of == "gas-company"]
    assert lead == [
        (shown(START_MS + 60_000), "acknowledge warn 50"),
        (shown(START_MS + 96_000), "acknowledge warn 80"),
        (shown(START_MS + 120_000), "acknowledge breach"),
        (shown(START_MS + 120 * MINUTE_MS), "resolve warn 50"),
        (shown(START_MS + 192 * MINUTE_MS), "resolve warn 80"),
        (shown(START_MS + 240 * MINUTE_MS), "resolve breach"),
    ]
    assert {of for _, _, of in timed(desk, incident)} == {"gas-company", "fire-brigade", "traffic-police"}
    assert desk.counts["target:breach"] == 3 + 1 + 2
    assert desk.engine.next_due_ms == NEVER_MS
    assert desk.out("routed")[-1]["event"] == "urgency"


@pytest.mark.parametrize(("late_ms", "breached"), [(-1, False), (0, False), (1, True)])
def test_a_timer_fires_before_a_later_record_and_after_one_of_its_own_instant(late_ms: int, breached: bool):
    desk = Desk()
    incident = desk.report(category="02")
    desk.now_ms = START_MS + 30 * MINUTE_MS + late_ms
    assert desk.update(incident, "acknowledge", "water-bureau") is None
    target = desk.targets(incident, "acknowledge")["water-bureau"]
    assert ("breached_at" in target) == breached
    desk.clock(HOUR_MS)
    assert ("breached_at" in desk.targets(incident, "acknowledge")["water-bureau"]) == breached


def test_a_clock_record_fires_what_is_due_before_it_and_nothing_at_its_instant():
    desk = Desk()
    incident = desk.report(category="02")
    due_ms = START_MS + 24 * MINUTE_MS  # 80 % of thirty working minutes
    assert desk.engine.next_due_ms == due_ms
    desk.clock(24 * MINUTE_MS)
    assert timed(desk, incident) == []
    desk.clock(1)
    assert timed(desk, incident) == [(shown(due_ms), "acknowledge warn 80", "water-bureau")]


def test_timers_of_one_instant_fire_in_the_order_of_the_ids():
    desk = Desk()
    first = desk.report("r1", "02")
    second = desk.report("r2", "02", location=LATER)
    before = len(desk.records)
    desk.clock(HOUR_MS)
    fired = [key for topic, key, _, _ in desk.records[before:] if topic == "events"]
    assert fired == [first.incident_id, second.incident_id] * 2


def test_at_the_due_instant_the_breach_comes_without_the_warnings_that_were_not_given():
    target = Target("resolve", "x", "10m", "always", "s", 600_000, 0, 0, 600_000)
    refresh(target, AlwaysClock(), warned_at(50, 80))
    fired = fire(target, AlwaysClock(), warned_at(50, 80), 600_000)
    assert (fired.what, target.breached_ms, target.warned, target.next_ms) == ("breach", 600_000, 2, NEVER_MS)


def test_a_target_without_a_budget_is_a_bug():
    with pytest.raises(ValueError, match="no budget"):
        open_target(tiny_book().policy, "resolve", "x", [], 0, warned_at())


# --- several budgets and promises -----------------------------------------------------------------------------------

MONDAY_DUE = local("2026-03-02 15:30")  # five working hours from 09:00


@pytest.mark.parametrize(("extra", "due", "by"), [
    ("2h", "2026-03-02 11:00", "flood"), ("7h", "2026-03-02 15:30", "works"), ("1d", "2026-03-02 15:30", "works"),
    ("6.5h", "2026-03-02 15:30", "works"),
])  # fmt: skip
def test_of_several_budgets_the_earliest_due_wins_and_the_first_named_among_equals(extra: str, due: str, by: str):
    desk = Desk(("targets: {resolve: 2h}", f"targets: {{resolve: {extra}}}"))
    target = desk.targets(desk.report(category="02", tags=["flood"]), "resolve")["water-bureau"]
    assert (target["due_at"], target["by"]) == (shown(local(due)), by)


PROMISES = [
    # source, promised at, due, by
    ("hotline", "2026-03-02 12:00", "2026-03-02 12:00", "promise:hotline"),  # stricter
    ("hotline", "2026-03-02 15:30", "2026-03-02 15:30", "promise:hotline"),
    ("hotline", "2026-03-05 12:00", "2026-03-02 15:30", "works"),  # may not extend
    ("city_app", "2026-03-02 12:00", "2026-03-02 12:00", "promise:city_app"),
    ("city_app", "2026-03-05 12:00", "2026-03-05 12:00", "promise:city_app"),
    ("city_app", "2026-03-12 09:00", "2026-03-12 09:00", "promise:city_app"),
    ("city_app", "2026-09-01 00:00", "2026-03-12 09:00", "promise:city_app"),  # ten days at most
    ("city_app", "9999-01-01 00:00", "2026-03-12 09:00", "promise:city_app"),
    ("hotline", "2026-03-01 00:00", "2026-03-02 09:00", "promise:hotline"),  # already past: due at once
]


@pytest.mark.parametrize(("source", "promised", "due", "by"), PROMISES)
def test_the_strictest_promise_wins_unless_the_source_may_extend(source: str, promised: str, due: str, by: str):
    desk = Desk()
    incident = desk.report("r", "02", source, promised_at=f"{promised.replace(' ', 'T')}:00+08:00")
    target = desk.targets(incident, "resolve")["water-bureau"]
    assert (target["due_at"], target["by"]) == (shown(local(due)), by)
    if by.startswith("promise"):
        assert (target["clock"], target["budget"], target["amount_ms"]) == ("always", "promised", local(due) - START_MS)
    else:
        assert target["clock"] == "cn-office"
    desk.now_ms = local(due)
    desk.clock()
    assert "breached_at" not in desk.targets(incident, "resolve")["water-bureau"]
    desk.clock(1)
    assert desk.targets(incident, "resolve")["water-bureau"]["breached_at"] == shown(local(due))


def test_an_extension_that_would_shorten_changes_nothing():
    desk = Desk(("extend_promised: {max: 10d}", "extend_promised: {max: 1h}"))
    incident = desk.report("r", "02", "city_app", promised_at="2026-03-05T12:00:00+08:00")
    target = desk.targets(incident, "resolve")["water-bureau"]
    assert (target["due_at"], target["by"]) == (shown(MONDAY_DUE), "works")


def test_a_promise_binds_the_lead_and_not_its_supports():
    desk = Desk()
    incident = desk.report("r", "03.02", promised_at="2026-03-02T10:00:00+08:00")
    resolve = desk.targets(incident, "resolve")
    assert resolve["gas-company"]["by"] == "promise:hotline"
    assert resolve["fire-brigade"]["by"] == "gas-leak"


# --- working time, known answers of lifecycle.md ----------------------------------------------------------------------

KNOWN = [
    ("2026-02-13 16:00", "4wh", "2026-02-14 11:00"),  # a Saturday that is a make-up workday
    ("2026-02-14 17:00", "4wh", "2026-02-24 12:00"),  # over the Spring Festival
    ("2026-02-14 17:00", "5wh", "2026-02-24 14:30"),
    ("2026-03-02 08:30", "1wd", "2026-03-03 09:00"),  # eight hours in a calendar of seven and a half
]


@pytest.mark.parametrize(("start", "budget", "due"), KNOWN)
def test_known_answers(start: str, budget: str, due: str):
    desk = Desk(("resolve: {within: 5wh", f"resolve: {{within: {budget}"), start_ms=local(start))
    incident = desk.report(category="02")
    assert desk.targets(incident, "resolve")["water-bureau"]["due_at"] == shown(local(due))


def test_a_pause_over_the_weekend_is_paid_back_in_working_time():
    desk = Desk(start_ms=local("2026-03-06 16:00"))
    incident = desk.report(category="02")
    assert desk.update(incident, "acknowledge", "water-bureau") is None
    desk.at("2026-03-06 17:00")
    assert desk.update(incident, "done", "water-bureau") is None
    paused = desk.targets(incident, "resolve")["water-bureau"]
    assert (paused["consumed_ms"], paused["paused_by"], "since" in paused) == (HOUR_MS, "done", False)
    desk.at("2026-03-09 09:00")
    assert desk.update(incident, "check", "checker", result="fail") is None
    resumed = desk.targets(incident, "resolve")["water-bureau"]
    assert resumed["due_at"] == shown(local("2026-03-09 14:30"))
    assert "paused_by" not in resumed
    desk.at("2026-03-09 14:30")
    desk.clock(1)
    assert desk.targets(incident, "resolve")["water-bureau"]["breached_at"] == shown(local("2026-03-09 14:30"))


def test_a_pause_outside_the_hours_changes_nothing():
    desk = Desk(start_ms=local("2026-03-06 17:00"))
    incident = desk.report(category="02")
    due = desk.targets(incident, "resolve")["water-bureau"]["due_at"]
    assert desk.update(incident, "acknowledge", "water-bureau") is None
    desk.at("2026-03-06 17:30")
    assert desk.update(incident, "done", "water-bureau") is None
    desk.at("2026-03-09 08:30")
    assert desk.update(incident, "check", "checker", result="fail") is None
    assert desk.targets(incident, "resolve")["water-bureau"]["due_at"] == due


def test_the_filing_standard_sets_the_limit_and_the_strictest_one_until_it_is_known():
    desk = Desk()
    filed = desk.report("r1", "04", standard="b")
    guessed = desk.report("r2", "04")
    assert desk.targets(filed, "resolve")["water-bureau"]["due_at"] == shown(MONDAY_DUE)
    target = desk.targets(guessed, "resolve")["water-bureau"]
    assert (target["due_at"], target["provisional"]) == (shown(START_MS + HOUR_MS), True)


def test_a_severity_a_resident_claims_is_capped():
    desk = Desk()
    assert desk.report("r1", "02", "rider", severity=1).severity == 2
    assert desk.report("r2", "02", "hotline", severity=1).severity == 1
    assert desk.report("r3", "02", "rider").severity == 3


# --- arithmetic -----------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 3 * HOUR_MS), min_size=1, max_size=8), st.integers(1, 5 * HOUR_MS))
@settings(max_examples=100)
def test_consumed_is_the_sum_of_the_runs_whatever_the_pauses(spans: list[int], amount_ms: int):
    clock, now_ms, run_ms = AlwaysClock(), 0, 0
    target = Target("resolve", "x", "b", "always", "s", amount_ms, 0, 0, amount_ms)
    refresh(target, clock, warned_at(50))
    for n, span in enumerate(spans):
        now_ms += span
        if n % 2 == 0:
            run_ms += span
            while target.next_ms < now_ms:
                fire(target, clock, warned_at(50), target.next_ms)
            pause(target, clock, now_ms, "done")
            assert target.consumed_ms == run_ms
            assert (target.breached_ms is not None) == (run_ms > amount_ms)
        else:
            resume(target, clock, now_ms, warned_at(50))
            if target.breached_ms is None:
                assert target.due_ms == now_ms + amount_ms - run_ms
                assert now_ms <= target.next_ms <= target.due_ms
            else:
                assert target.next_ms == NEVER_MS


def test_a_week_later_everything_still_owed_is_overdue():
    desk = Desk()
    incident = desk.report(category="02")
    desk.clock(7 * DAY_MS)
    assert [t.name for t in incident.targets if t.active and t.breached_ms is None] == []


def test_a_target_of_the_supports_is_owed_by_them_and_not_by_the_lead():
    desk = Desk(("acknowledge: {within: 2m, of: each}", "acknowledge: {within: 2m, of: support}"))
    incident = desk.report()
    assert {t.of for t in incident.targets if t.name == "acknowledge"} == {"fire-brigade", "traffic-police"}


def test_of_two_attendance_budgets_the_stricter_holds():
    """The SLA asks everybody to come within half an hour, the overlay the brigade within a quarter."""
    desk = Desk(("attend: {within: 30m, of: attending}", "attend: {within: 30m, of: each}"))
    incident = desk.report()
    due = {t.of: t.due_ms - START_MS for t in incident.targets if t.name == "attend"}
    assert due == {"gas-company": 30 * MINUTE_MS, "fire-brigade": 15 * MINUTE_MS, "traffic-police": 30 * MINUTE_MS}


def test_an_overlay_may_ask_for_attendance_where_the_sla_does_not():
    desk = Desk(("      attend: {within: 30m, of: attending}\n", ""))
    incident = desk.report()
    assert [(t.of, t.by) for t in incident.targets if t.name == "attend"] == [("fire-brigade", "gas.whistle")]
