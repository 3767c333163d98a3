"""What workers say of themselves at `/metrics`, and that partitions which move are told by one of them only."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from uuid import uuid4

import httpx
import pytest
from kafka_city import City, Worker, report, send_reports
from prometheus_client.parser import text_string_to_metric_families

from bench.broker import Broker

WAIT_S = 90.0
REPORTS = 300


@pytest.fixture
def city(broker: Broker, tmp_path: Path) -> Iterator[City]:
    made = City(tmp_path, broker.client(), f"metrics-{uuid4().hex[:8]}.")
    made.begin()
    yield made
    made.end()


class Told:
    """What one worker says."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        found: list[str] = []
        wait_until(lambda: bool(found.extend(re.findall(r"http://127\.0\.0\.1:\d+", self.log())) or found))
        self._url = found[0]

    def log(self) -> str:
        assert self._worker.ended is None, self._worker.log.read_text()
        return self._worker.log.read_text()

    def ready(self) -> bool:
        return httpx.get(f"{self._url}/health/ready", timeout=10).status_code == 200

    def samples(self, name: str) -> dict[frozenset[tuple[str, str]], float]:
        text = httpx.get(f"{self._url}/metrics", timeout=10).text
        families = text_string_to_metric_families(text)
        return {
            frozenset(s.labels.items()): s.value for f in families for s in f.samples if s.name == f"dispatch_{name}"
        }

    def value(self, name: str, **labels: str) -> float:
        return sum(n for own, n in self.samples(name).items() if set(labels.items()) <= own)

    def work(self) -> set[str]:
        """The partitions of `work` it tells of."""
        return {dict(own)["partition"] for own in self.samples("lag_records") if ("topic", "work") in own}


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


async def test_workers_tell_what_they_do_and_only_of_what_is_theirs(city: City) -> None:
    first = Told(city.worker(0))
    wait_until(first.ready)
    assert first.value("ready") == 1
    random = Random(7)
    messages = [report(random, n)[1] for n in range(REPORTS - 2)] + [b"{", b"[]"]
    await send_reports(city.client, f"{city.prefix}reports", messages)
    wait_until(lambda: first.value("records_total", topic="reports") == REPORTS)
    assert first.value("records_total", topic="reports", outcome="rejected") == 2
    assert first.value("rejected_total", reason="not_json") == 1
    wait_until(lambda: first.work() == {"0", "1", "2", "3"} and first.value("lag_records") == 0)
    topics = {dict(own)["topic"] for own in first.samples("lag_records")}
    assert {"reports", "updates", "control", "work"} <= topics
    for name in ("process_seconds", "commit_seconds", "carry_seconds", "end_to_end_seconds"):
        assert first.value(f"{name}_count") > 0, name
    assert first.value("end_to_end_seconds_bucket", le="60.0") == first.value("end_to_end_seconds_count")
    assert first.value("engine_errors_total") == 0
    assert first.value("policy_last_activation_successful") == 1
    (policy,) = first.samples("policy_info")
    assert ("version", "1") in policy
    held = first.value("incidents_held")
    assert held > 50  # noise nearby is merged
    turned = first.value("watchdog_timestamp_seconds")
    wait_until(lambda: first.value("watchdog_timestamp_seconds") > turned)  # also when there is nothing to do
    wait_until(lambda: first.value("watchdog_checked_timestamp_seconds") > 0)
    assert first.value("unwatched_incidents") == 0

    second = Told(city.worker(1))
    wait_until(lambda: second.ready() and bool(second.work()) and not first.work() & second.work())
    assert first.work() | second.work() == {"0", "1", "2", "3"}
    wait_until(lambda: 0 < second.value("incidents_held") == held - first.value("incidents_held"))
    (other,) = second.samples("policy_info")  # it has committed nothing yet
    assert other == policy
    assert city.processes[1].terminate() == 0
    wait_until(lambda: first.value("incidents_held") == held)
