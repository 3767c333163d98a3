"""Whatever is killed: nothing missing, nothing doubled, order kept, every timer once. The figures are printed."""

import asyncio
import json
import signal
import time

import pytest
from kafka_chaos import OVERSIZE, POISON, Load, Stalls, chaos, drained, independent_audit
from kafka_city import City

from bench.broker import Broker

SESSION_S = 6.0


@pytest.fixture
def own_broker(kafka_libraries, tmp_path):
    """One that may be killed."""
    with Broker(tmp_path / "broker", libraries=kafka_libraries) as broker:
        yield broker


def show(capsys, what: str, found: dict) -> None:
    with capsys.disabled():
        print(f"\n{what}: {json.dumps(found)}")


@pytest.mark.slow
@pytest.mark.timeout(3_000)
def test_three_minutes_of_chaos(own_broker, tmp_path, capsys):
    """3 workers, 26 faults (kill -9, SIGTERM, frozen beyond the session time-out, no broker for 5 s), two bugs."""
    city = City(tmp_path, own_broker.client(), "chaos.")
    try:
        found = asyncio.run(chaos(city, own_broker, seconds=190, seed=2026, faults=26, rate=2_000))
    finally:
        city.end()
    show(capsys, "chaos", found)
    assert found["drained"], "not everything was worked through in time"
    assert found["wrong"] == 0, found["examples"]
    assert found["recomputed_wrong"] == []
    assert found["engine_errors"] == {"reports": 2}, f"{OVERSIZE} and {POISON} end as engine_error, nothing else does"
    assert sum(found["faults"].values()) >= 25
    assert set(found["faults"]) == {"kill", "term", "stop", "broker"}
    assert found["timers"] > 10_000
    assert found["updates"] > 1_000


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_worker_that_dies_alone_is_made_up_for_within_the_session_and_five_seconds(broker, tmp_path, capsys):
    """And one that is restarted in good order hardly holds anything up: three seconds is the goal."""
    city = City(tmp_path, broker.client(), f"deaths{time.time_ns()}.", session_timeout_s=SESSION_S)
    try:
        deaths, restarts, found = asyncio.run(_deaths(city))
    finally:
        city.end()
    show(capsys, "isolated deaths", {"stalls_s": deaths, "planned_restarts_s": restarts, "wrong": found["wrong"]})
    assert found["wrong"] == 0, found["examples"]
    assert max(deaths) <= SESSION_S + 5.0
    assert max(restarts) <= SESSION_S + 5.0


async def _deaths(city: City) -> tuple[list[float], list[float], dict]:
    city.begin()
    load = Load(city, 7, 300)
    workers = [city.worker(n) for n in range(3)]
    sending = asyncio.create_task(load.reports())
    await asyncio.sleep(20)  # all partitions are at work
    deaths, restarts = [], []
    for number, (signum, into) in enumerate(
        [(signal.SIGKILL, deaths), (signal.SIGTERM, restarts), (signal.SIGKILL, deaths), (signal.SIGTERM, restarts)]
    ):
        stalls = Stalls(city)
        watching = asyncio.create_task(stalls.watch())
        await asyncio.sleep(1)
        workers[number % 3].send(signum)
        if signum == signal.SIGTERM:
            await asyncio.to_thread(workers[number % 3].terminate)
        workers[number % 3] = city.worker(number % 3)
        await asyncio.sleep(SESSION_S + 10)
        stalls.stop()
        await watching
        into.append(round(stalls.longest_s, 1))
    load.stop()
    await sending
    assert await drained(city, 300)
    for worker in workers:
        await asyncio.to_thread(worker.terminate)
    return deaths, restarts, await independent_audit(city, load)
