"""The example of a department, run as an outside team would: what it is sent it answers once, whatever kills it."""

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from kafka_chaos import read_all
from kafka_city import DEPARTMENTS, POLICY, City, report, send_reports
from kafka_department import EXAMPLE, Department
from kafka_waiting import incidents, values, wait_for

ASKED = ("acknowledge", "arrive", "done")


@pytest.fixture
def start() -> Iterator[Callable[..., Department]]:
    """Starts departments; none outlives the test."""
    started: list[Department] = []

    def begin(*args: Any) -> Department:
        started.append(Department(*args))
        return started[-1]

    yield begin
    for each in started:
        each.kill()


@pytest.fixture(scope="module")
def city(broker, tmp_path_factory) -> Iterator[City]:
    """With a worker; `done` wants evidence."""
    city = City(tmp_path_factory.mktemp("town"), broker.client(), "example.", partitions=2)
    wanted = POLICY.replace("life_safety: true}", "life_safety: true, evidence: [photo]}")
    assert wanted != POLICY
    (city.directory / "policy" / "policy.yaml").write_text(wanted, encoding="utf-8")
    city.begin()
    city.worker()
    yield city
    city.end()


async def send(city: City, first: int, count: int) -> set[str]:
    random = Random(first)
    sent = [report(random, number, "03") for number in range(first, first + count)]
    await send_reports(city.client, f"{city.prefix}reports", [value for _, value in sent])
    return {report_id for report_id, _ in sent}


def parts(incident: dict[str, Any]) -> dict[str, str]:
    return {part["department"]: part["state"] for part in (incident["lead"], *incident["support"])}


def all_checking(count: int) -> Callable[[list[dict[str, Any]]], bool]:
    return lambda found: len(found) == count and all(each["state"] == "checking" for each in found)


async def test_a_report_is_acknowledged_and_done_by_the_departments_it_needs(city, start):
    departments = [start(city, code, "--work-s", "1") for code in ("gas", "fire")]
    (incident,) = await wait_for(city, await send(city, 1_000, 1), all_checking(1))
    assert parts(incident) == {"gas": "done", "fire": "done"}
    assert [department.end(signal.SIGTERM) for department in departments] == [0, 0]
    assert "done" in departments[0].log.read_text()
    assert "stopped; 0 orders under way" in departments[0].log.read_text()
    assert await values(city, "rejected", city.partitions) == []


async def test_killed_in_the_middle_it_answers_everything_once(city, start):
    start(city, "fire", "--work-s", "1")
    killed = start(city, "gas", "--work-s", "4")
    reports = await send(city, 2_000, 12)
    await wait_for(
        city, reports, lambda found: len(found) == 12 and all(f["lead"]["state"] != "offered" for f in found)
    )
    assert killed.end(signal.SIGKILL) == -signal.SIGKILL
    assert {each["lead"]["state"] for each in await incidents(city, reports)} <= {"acknowledged", "arrived"}

    again = start(city, "gas", "--work-s", "4")
    for incident in await wait_for(city, reports, all_checking(12)):
        of_gas = Counter(e["what"] for e in incident["history"] if e.get("by", {}).get("department") == "gas")
        assert of_gas == Counter(ASKED)
    assert await values(city, "rejected", city.partitions) == []
    updates = await values(city, "updates.gas", 1)
    told = {update["update_id"]: update for update in updates}
    assert all(told[update["update_id"]] == update for update in updates)
    assert len(updates) > len(told)  # it did say some of it twice
    assert again.end(signal.SIGINT) == 0
    assert await would_read_again(city, "gas") == []


async def would_read_again(city: City, code: str) -> list[int]:
    """The offsets of orders that its group has not committed."""
    orders = await read_all(city.client, f"{city.prefix}dept.{code}", 2)
    consumer = AIOKafkaConsumer(**city.client, group_id=f"{city.prefix}dept.{code}", enable_auto_commit=False)
    await consumer.start()
    try:
        again = []
        for number, records in enumerate(orders):
            committed = await consumer.committed(TopicPartition(f"{city.prefix}dept.{code}", number)) or 0
            again += [record.offset for record in records if record.offset >= committed]
        return again
    finally:
        await consumer.stop()


def test_a_department_that_the_policy_does_not_have_is_told_so(city, start):
    wrong = start(city, "gasworks")
    assert wrong.wait() == 1
    assert "there is no example.dept.gasworks and no example.updates.gasworks" in wrong.log.read_text()
    assert "gasworks" not in DEPARTMENTS


def test_it_is_written_with_nothing_of_ours():
    for file in EXAMPLE.glob("*.py"):
        text = Path(file).read_text(encoding="utf-8")
        assert not [word for word in ("import dispatcher", "from dispatcher", "import rules", "bench") if word in text]
