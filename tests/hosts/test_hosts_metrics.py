"""What the metrics of a host say is what its ledger holds, and what they say of the future is asked at each scrape."""

import threading

import orjson
import pytest

from dispatcher.core import CONTROL, DAY_MS, NEVER_MS, REPORTS, ms_to_text
from dispatcher.hosts.embedded import Embedded
from dispatcher.hosts.run import Health, run_until
from dispatcher.hosts.setup import Books
from dispatcher.ledger import Entry
from dispatcher.metrics import EngineMetrics
from tests.policies.past_city import Town, changed
from tests.simulation.sim_city import grid, intake


class Watched(Town):
    """A town whose engine tells its metrics."""

    def restart(self) -> None:
        self.metrics = EngineMetrics(lambda: self.now_ms)
        self.host = Embedded(
            self.ledger, intake(), Books(self.ledger), grid=grid().sha256, batch_records=3, observer=self.metrics
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"dispatch_{name}", labels)

    def turn(self) -> None:
        """Run the real loop until there is nothing left to do."""
        health, stop = Health(), threading.Event()
        wait = self.host.tick

        def tick(now_ms: int) -> bool:
            stop.set()
            return wait(0)

        self.host.tick = tick  # type: ignore[method-assign]
        run_until(stop, self.host, self.metrics, health, 1)
        self.host.tick = wait  # type: ignore[method-assign]


@pytest.fixture
def town() -> Watched:
    return Watched()


def report(report_id: str, at_ms: int, **fields: object) -> Entry:
    message = {"report_id": report_id, "source": "hotline", "reported_at": ms_to_text(at_ms), "category": "02"}
    return Entry(REPORTS, orjson.dumps(message | {"location": {"cell": "T1C0"}} | fields))


def test_every_record_is_counted_once_by_what_became_of_it(town: Watched) -> None:
    now_ms = town.now_ms
    town.ledger.append([report(f"r{n}", now_ms, surprise=n) for n in range(4)])
    town.ledger.append([report("r1", now_ms, surprise=1), report("r2", now_ms, category="03"), Entry(REPORTS, b"{")])
    assert town.host.behind == 8  # and the first policy
    town.turn()
    assert town.host.behind == 0
    found = {o: town.value("records_total", topic="reports", outcome=o) for o in ("accepted", "repeated", "rejected")}
    assert found == {"accepted": 4, "repeated": 1, "rejected": 2}
    assert town.value("records_total", topic="control", outcome="accepted") == 1
    assert town.value("rejected_total", reason="not_json") == 1
    assert town.value("rejected_total", reason="conflict") == 1
    assert town.value("rejected_total", reason="stale") == 0  # there before it happens, so that an alert sees it happen
    assert town.value("reports_total", what="located") == 4
    assert town.value("unknown_fields_total") == 5
    assert town.value("outputs_total", topic="rejected") == 2
    assert town.value("lag_records", topic="input", partition="0") == 0
    assert town.value("ready") == 1
    batches = town.value("process_seconds_count")
    assert batches == town.value("commit_seconds_count") == 3  # of three records each


def test_the_oldest_report_of_a_batch_says_how_long_it_took_from_end_to_end(town: Watched) -> None:
    town.host.catch_up()
    assert town.value("end_to_end_seconds_count") == 0  # the first policy is older than everything
    town.ledger.append([report("r1", town.now_ms)])
    town.now_ms += 5_000
    town.ledger.append([report("r2", town.now_ms)])
    town.now_ms += 2_000
    town.host.catch_up()
    assert town.value("end_to_end_seconds_count") == 1
    assert town.value("end_to_end_seconds_sum") == 7


def test_a_timer_is_late_from_its_instant_on_even_if_the_loop_stands_still(town: Watched) -> None:
    assert (town.value("timers_late_seconds"), town.value("next_due_timestamp_seconds")) == (0, float("inf"))
    town.report("r", "02")
    town.turn()
    due_ms = town.host.engine.next_due_ms
    assert town.value("next_due_timestamp_seconds") == due_ms / 1000
    town.now_ms = due_ms
    assert town.value("timers_late_seconds") == 0
    town.now_ms = due_ms + 90_000
    assert town.value("timers_late_seconds") == 90
    town.metrics.turned(7, due_ms - 10_000)  # another partition's
    assert town.value("timers_late_seconds") == 100
    for partition in (0, 7):
        town.metrics.forget(partition)
    assert town.value("timers_late_seconds") == 0


def test_the_policy_in_force_is_told_and_a_command_that_was_refused(town: Watched) -> None:
    town.turn()
    first = town.host.engine.state.book.policy
    assert town.value("policy_info", version=first.version, sha256=first.sha256) == 1
    assert town.value("policy_last_activation_successful") == 1
    second = changed(('version: "1"', 'version: "2"'))
    town.ledger.put("policies", second.sha256, second.canonical)
    stale = {"command": "activate", "command_id": "c", "sha256": second.sha256, "expects": "0" * 64}
    town.ledger.append([Entry(CONTROL, orjson.dumps(stale))])
    town.turn()
    assert town.value("rejected_total", reason="stale") == 1
    assert town.value("policy_last_activation_successful") == 0
    town.ledger.append([report("r", town.now_ms)])
    town.turn()
    assert town.value("policy_last_activation_successful") == 0  # until one succeeds
    town.activate(second)
    town.turn()
    assert town.value("policy_info", version="2", sha256=second.sha256) == 1
    assert town.value("policy_info", version="1", sha256=first.sha256) is None
    assert town.value("policy_last_activation_successful") == 1


def test_how_long_holidays_are_known_is_counted_from_now() -> None:
    of = changed(("office: {hours:", "office: {days: {provider: holidays, country: CN}, hours:"))
    town = Watched(first=of)
    town.turn()
    until_ms = of.clock("office").coverage_until_ms
    assert until_ms is not None
    town.now_ms = until_ms - 3 * DAY_MS
    assert town.value("calendar_coverage_days", calendar="office") == 3
    town.now_ms = until_ms + DAY_MS
    assert town.value("calendar_coverage_days", calendar="office") == -1
    assert town.value("calendar_coverage_days", calendar="night") is None  # needs none


def test_what_waits_in_a_partition_that_is_ours_no_more_is_not_told() -> None:
    metrics = EngineMetrics()

    def told() -> dict[tuple[str, str], float]:
        (family,) = [each for each in metrics.registry.collect() if each.name == "dispatch_lag_records"]
        return {(s.labels["topic"], s.labels["partition"]): s.value for s in family.samples}

    metrics.lags({("work", 1): 5, ("work", 2): 0})
    assert told() == {("work", "1"): 5, ("work", "2"): 0}
    metrics.lags({("work", 2): 7, ("reports", 0): 1})
    assert told() == {("work", "2"): 7, ("reports", "0"): 1}


def test_partitions_are_added_up_and_the_watchdog_is_as_old_as_its_oldest_round() -> None:
    now_ms = 10_000
    metrics = EngineMetrics(lambda: now_ms)
    metrics.holds(1, 3)
    metrics.holds(2, 4)
    metrics.watched(1, 0)
    now_ms = 20_000
    metrics.watched(2, 2)
    metrics.turned(1, NEVER_MS)

    def value(name: str) -> float | None:
        return metrics.registry.get_sample_value(f"dispatch_{name}")

    assert value("incidents_held") == 7
    assert value("unwatched_incidents") == 2
    assert value("watchdog_checked_timestamp_seconds") == 10
    metrics.forget(1)
    assert (value("incidents_held"), value("watchdog_checked_timestamp_seconds")) == (4, 20)
