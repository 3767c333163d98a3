"""The watchdog finds what lost its timer, and nothing else; in slices; and a doctor finds the same in a ledger."""

import logging
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from dispatcher.core import NEVER_MS, Incident
from dispatcher.hosts.run import Health, run_until
from dispatcher.hosts.watchdog import Watchdog, find_unwatched
from dispatcher.ledger import MemoryLedger
from dispatcher.metrics import EngineMetrics
from tests.policies.past_city import Town


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def sample(metrics: EngineMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def unwatched(metrics: EngineMetrics) -> float | None:
    return sample(metrics, "dispatch_unwatched_incidents")


def checked(metrics: EngineMetrics) -> float | None:
    return sample(metrics, "dispatch_watchdog_checked_timestamp_seconds")


@pytest.fixture
def town() -> Town:
    made = Town()
    for n in range(7):
        made.report(f"r{n}", "03")
    return made


def incidents(town: Town) -> list[Incident]:
    return list(town.host.engine.state.incidents.values())


def test_nothing_is_found_in_a_healthy_city_at_any_time(town: Town) -> None:
    state = town.host.engine.state
    assert list(find_unwatched(state, town.now_ms)) == []
    town.pass_time("2026-03-08 15:00")  # all breached, all ladders climbed: nothing is left to fire
    assert {i.next_ms for i in incidents(town)} == {NEVER_MS}
    assert list(find_unwatched(state, town.now_ms)) == []


def test_a_lost_timer_is_found_and_an_overdue_one_is(town: Town) -> None:
    first, second, *_ = incidents(town)
    first.next_ms = NEVER_MS
    second.next_ms = town.now_ms - 1
    found = list(find_unwatched(town.host.engine.state, town.now_ms))
    assert found == [(first.incident_id, "no timer is set"), (second.incident_id, "a timer is overdue")]
    second.next_ms = town.now_ms  # due now: it fires before anything later
    assert [each.incident_id for each in find_unwatched(town.host.engine.state, town.now_ms)] == [first.incident_id]


def test_an_ended_incident_needs_no_timer(town: Town) -> None:
    first = incidents(town)[0]
    town.update(first.incident_id, "void", reason_code="test")
    first.next_ms = NEVER_MS
    assert list(find_unwatched(town.host.engine.state, town.now_ms)) == []


def test_those_asleep_are_asked_and_not_woken(town: Town) -> None:
    state = town.host.engine.state
    lost = incidents(town)[3]
    lost.next_ms = NEVER_MS
    shelf = state.incidents
    shelf.awake_max = 0
    shelf.settle(())
    assert [each.incident_id for each in find_unwatched(state, town.now_ms)] == [lost.incident_id]
    assert all(isinstance(kept, bytes) for kept in shelf._kept.values())


def test_a_round_goes_in_slices_about_once_a_minute(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    metrics, clock = EngineMetrics(clock_ms=lambda: 5_000), Clock()
    watchdog = Watchdog(partial(metrics.watched, 0), every_s=60.0, slice_incidents=3, clock_s=clock)
    state = town.host.engine.state
    lost = [incident.incident_id for incident in incidents(town)[2:5]]
    for incident_id in lost:
        state.incidents[incident_id].next_ms = NEVER_MS
    for _ in range(3):  # 3 + 3 + 1 of them
        assert checked(metrics) == 0
        watchdog.turn(state, town.now_ms)
    with caplog.at_level(logging.ERROR):
        watchdog.turn(state, town.now_ms)
    assert (unwatched(metrics), checked(metrics)) == (3, 5)
    assert "3 open incidents that nothing would move on" in caplog.text
    assert all(f"{incident_id} (no timer is set)" in caplog.text for incident_id in lost)
    for incident_id in lost:
        state.timers.set(state.incidents[incident_id])
    for _ in range(9):  # not yet time for another round
        watchdog.turn(state, town.now_ms)
    assert unwatched(metrics) == 3
    clock.now_s = 60.0
    for _ in range(4):
        watchdog.turn(state, town.now_ms)
    assert unwatched(metrics) == 0


def test_what_fires_by_the_next_turn_is_not_told_nor_what_has_gone(town: Town) -> None:
    metrics, state = EngineMetrics(), town.host.engine.state
    watchdog = Watchdog(partial(metrics.watched, 0), slice_incidents=100)
    late, gone, *_ = incidents(town)
    late.next_ms = gone.next_ms = town.now_ms - 1
    watchdog.turn(state, town.now_ms)
    state.timers.set(late)
    del state.incidents[gone.incident_id]
    watchdog.turn(state, town.now_ms)
    assert checked(metrics)
    assert unwatched(metrics) == 0


def test_at_most_ten_are_named(caplog: pytest.LogCaptureFixture) -> None:
    town = Town()
    for n in range(12):
        incident_id = town.report(f"r{n}", "03")
        town.host.engine.state.incidents[incident_id].next_ms = NEVER_MS
    watchdog = Watchdog(lambda _: None)
    for _ in range(2):
        watchdog.turn(town.host.engine.state, town.now_ms)
    assert "12 open incidents" in caplog.text
    assert caplog.text.count("no timer is set") == 10


def test_the_loop_watches_while_it_works_and_while_it_waits(caplog: pytest.LogCaptureFixture) -> None:
    """The real loop over real time: a timer is lost by hand; readiness does not change."""
    town = Town(MemoryLedger, at="2099-01-01 00:00")  # its own clock lies ahead: no timer is due in real time
    incident_id = town.report("r", "03")
    town.host.engine.state.incidents[incident_id].next_ms = NEVER_MS
    metrics, health = EngineMetrics(), Health()
    stop = Stop(lambda: bool(checked(metrics)))
    run_until(stop, town.host, metrics, health, 1)
    assert unwatched(metrics) == 1
    assert incident_id in caplog.text
    assert health.ready
    assert stop.turns < 10


class Stop(threading.Event):
    """Set once something is so; counts how often it was asked."""

    def __init__(self, is_so: Any) -> None:
        super().__init__()
        self._is_so, self.turns = is_so, 0

    def is_set(self) -> bool:
        self.turns += 1
        return self._is_so() or self.turns > 1_000


def test_modes_are_counted_by_mode() -> None:
    metrics = EngineMetrics()

    def held() -> Iterator[float | None]:
        return (sample(metrics, "dispatch_mode_active", mode=mode) for mode in ("normal", "watch", "emergency"))

    metrics.modes(("normal", "watch", "emergency"), ["watch", "watch"])
    assert [*held()] == [None, 2, 0]
    metrics.modes(("normal", "watch", "emergency"), ["watch", "watch"])
    assert [*held()] == [None, 2, 0]
    metrics.modes(("normal", "emergency"), ["emergency"])
    assert [*held()] == [None, None, 1]
