"""Gateways that are killed, a broker that is away, topics that are wrong: nothing acknowledged is lost or doubled."""

import asyncio
import random
import re
import signal
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest
from kafka_city import City
from kafka_gateway import KafkaGateway, report
from kafka_waiting import values

from bench.broker import Broker
from bench.broker.ports import choose_ports
from tests.gateway.gateway_events import streaming
from tests.gateway.gateway_process import running, wait_until

KILLS, POSTERS = 5, 8


class Poster:
    """Hands in reports one after the other, single and in lists; what it gets no answer for it sends again."""

    def __init__(self, gateway: KafkaGateway, number: int) -> None:
        self._gateway, self._number = gateway, number
        self.acknowledged: list[str] = []
        self.again = 0
        self.stop = False

    async def run(self) -> None:
        chance, made = random.Random(self._number), 0
        key = {"Authorization": f"Bearer {self._gateway.keys['reporter']}"}
        while not self.stop:
            count = chance.choice((1, 1, 1, 20))
            listed = [
                report(f"p{self._number}-{made + n}", "01", (chance.randrange(6), chance.randrange(6)))
                for n in range(count)
            ]
            made += count
            while not await self._taken(key, listed):
                self.again += 1
                await asyncio.sleep(0.02)
            self.acknowledged += [each["report_id"] for each in listed]

    async def _taken(self, key: dict[str, str], listed: list[dict[str, object]]) -> bool:
        body = listed[0] if len(listed) == 1 else listed
        try:
            async with httpx.AsyncClient(base_url=self._gateway.url, headers=key, timeout=30) as client:
                answer = await client.post("/v1/reports", json=body)
        except httpx.TransportError:
            return False
        assert answer.status_code in (201, 503), answer.text
        return answer.status_code == 201


@pytest.mark.timeout(240)
async def test_killed_under_load_time_and_again_it_keeps_its_word(served_city: City):
    with running(KafkaGateway(served_city, 1)) as gateway:
        posters = [Poster(gateway, n) for n in range(POSTERS)]
        posting = [asyncio.create_task(poster.run()) for poster in posters]
        chance, known = random.Random(5), 0
        for _ in range(KILLS):
            while sum(len(each.acknowledged) for each in posters) < known + chance.randrange(100, 400):
                await asyncio.sleep(0.01)
            assert gateway.stop(signal.SIGKILL) == -signal.SIGKILL
            known = sum(len(each.acknowledged) for each in posters)
            await asyncio.to_thread(gateway.start)
        for poster in posters:
            poster.stop = True
        await asyncio.gather(*posting)
        acknowledged = [report_id for poster in posters for report_id in poster.acknowledged]
        assert sum(poster.again for poster in posters) > KILLS, "some were in the middle of it"
        with gateway.client("reporter") as client:
            for report_id in random.Random(3).sample(acknowledged, 50):
                wait_until(lambda last=report_id: client.get(f"/v1/reports/hotline/{last}").status_code == 200)

        found = Counter[str]()

        def all_there() -> bool:
            found.clear()
            with gateway.client("dispatcher") as client:
                cursor = None
                while True:
                    asked = {"limit": 1_000} | ({} if cursor is None else {"cursor": cursor})
                    page = client.get("/v1/incidents", params=asked).json()
                    for line in page["lines"]:
                        found[line["incident_id"]] += 1
                    cursor = page["next"]
                    if cursor is None:
                        return len(found) >= len(acknowledged)

        await asyncio.to_thread(wait_until, all_there)
    newest = {value["incident_id"]: value for value in await values(served_city, "incidents", served_city.partitions)}
    there = Counter(report_id for value in newest.values() for _, report_id in value["reports"])
    assert set(acknowledged) <= set(there)
    assert set(there.values()) == {1}, "each made one incident"
    assert len(there) == len(newest)


async def test_stopped_in_good_order_it_finishes_what_it_has_begun(served_city: City):
    with running(KafkaGateway(served_city, 2)) as gateway:
        posters = [Poster(gateway, 100 + n) for n in range(POSTERS)]
        posting = [asyncio.create_task(poster.run()) for poster in posters]
        with streaming(gateway, "dispatcher", "/v1/streams/queue") as events:
            while sum(len(each.acknowledged) for each in posters) < 200:
                await asyncio.sleep(0.01)
            began_s = time.monotonic()
            assert await asyncio.to_thread(gateway.stop) == 0
            assert time.monotonic() - began_s < 10
            for poster in posters:
                poster.stop = True
            for task in posting:
                task.cancel()
            await asyncio.wait(posting)
            list(events)  # it ends
        said = gateway.log()
    assert "SIGTERM: stopped; everything taken is durable" in said
    assert "Traceback" not in said
    reports = {value["report_id"] for value in await values(served_city, "reports", 2)}
    assert {report_id for poster in posters for report_id in poster.acknowledged} <= reports


@pytest.mark.timeout(240)
async def test_while_the_broker_is_away_nobody_is_told_more_than_is_known(kafka_libraries: Path, tmp_path: Path):
    with Broker(tmp_path / "broker", libraries=kafka_libraries) as own:
        city = City(tmp_path, own.client(), "away.", partitions=2)
        city.begin()
        city.worker()
        try:
            with running(KafkaGateway(city, 1)) as gateway, gateway.client("reporter") as client:
                incident_id = gateway.opened("reporter", report("before"))
                own.kill()
                words = [client.post("/v1/reports", json=report("while-away")) for _ in range(2)]
                assert [answer.status_code for answer in words] == [503, 503]
                assert [answer.json()["type"] for answer in words] == [
                    "urn:dispatch:in_doubt",
                    "urn:dispatch:unavailable",
                ]
                assert "counts once" in words[0].json()["detail"]
                assert "nothing was taken" in words[1].json()["detail"]
                with gateway.client("dispatcher") as reader:  # what is known can be read all the same
                    assert reader.get(f"/v1/incidents/{incident_id}").status_code == 200
                    assert reader.get("/health/live").status_code == 200
                own.start()
                wait_until(lambda: client.post("/v1/reports", json=report("while-away")).status_code == 201)
                assert gateway.opened("reporter", report("after"))
                gateway.opened("reporter", report("while-away"))
                assert gateway.stop() == 0
                assert "Traceback" not in gateway.log()
            newest = {value["incident_id"]: value for value in await values(city, "incidents", city.partitions)}
            there = Counter(report_id for value in newest.values() for _, report_id in value["reports"])
            assert there == {"before": 1, "while-away": 1, "after": 1}
        finally:
            city.end()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"DISPATCHER__KAFKA__PREFIX": "nowhere."}, r"the topics are not as they must be: nowhere\.reports is missing"),
        ({"DISPATCHER__KAFKA__PARTITIONS": "5"}, r"has 4 partitions, not 5"),
        ({"DISPATCHER__KAFKA__PARTITION_LEVEL": "1"}, r"the ledger was begun on the grid .* of level 2"),
        ({"DISPATCHER__KAFKA__BOOTSTRAP": "127.0.0.1:{free}"}, r"does it run there\? See kafka\.bootstrap"),
    ],
)
def test_what_is_not_as_it_must_be_is_said_at_the_start(served_city: City, environment: dict[str, str], said: str):
    (free,) = choose_ports(1)
    done = served_city.run(
        "gateway", "--port", "0", **{name: value.format(free=free) for name, value in environment.items()}
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert re.search(said, done.stderr), done.stderr


def test_two_gateways_do_not_share_a_projection(served_city: City):
    with running(KafkaGateway(served_city, 5)) as gateway:
        done = served_city.run("gateway", "--port", "0", DISPATCHER__GATEWAY__PROJECTION=str(gateway.view))
        assert gateway.process is not None
        said = (
            f"{gateway.view} is in use by process {gateway.process.pid}; give each gateway its own: gateway.projection"
        )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
