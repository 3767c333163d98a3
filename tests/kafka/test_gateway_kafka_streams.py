"""Streams from several gateways: a reader moved between them sees every event once and in order, in all partitions."""

import asyncio
import random
import time

import httpx
import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from kafka_chaos import read_all
from kafka_city import City
from kafka_gateway import KafkaGateway, report
from kafka_waiting import wait_for

from tests.gateway.gateway_readers import Told, cut_at_random, told

READERS, REPORTS, AT_ONCE = 200, 240, 12
QUEUE = "/v1/streams/queue"
BEGIN = "-1.-1.-1.-1"


class Reader:
    """What one has read, by partition."""

    def __init__(self) -> None:
        self.lanes = [list[bytes]() for _ in range(4)]
        self._entered = 0

    def take(self, event: Told, last: str) -> bool:
        """An event more; returns whether all reports have entered."""
        assert event.kind == ""
        before, after = [int(part) for part in last.split(".")], [int(part) for part in event.id.split(".")]
        # a place may run on where there is nothing to read; what the event brought is where the id ends
        assert any(new > old for old, new in zip(before, after, strict=True))
        assert all(new >= old for old, new in zip(before, after, strict=True))
        said = orjson.loads(event.data)
        self.lanes[int(said["incident_id"].split("-")[1])].append(event.data)
        self._entered += said["event"] == "entered"
        return self._entered == REPORTS


@pytest.mark.timeout(300)
async def test_two_hundred_readers_cut_anywhere_and_moved_between_gateways_miss_and_repeat_nothing(
    served_city: City, gateways: list[KafkaGateway], capsys: pytest.CaptureFixture[str]
):
    """All at the same time, from the beginning, while reports come in by both gateways."""
    begun_s, readers = time.monotonic(), [Reader() for _ in range(READERS)]
    reading = [
        asyncio.create_task(cut_at_random(gateways, "dispatcher", QUEUE, BEGIN, seed, reader.take))
        for seed, reader in enumerate(readers)
    ]
    chance = random.Random(1)
    for first in range(0, REPORTS, AT_ONCE):
        made = [
            report(f"cut-{n}", "01", (chance.randrange(6), chance.randrange(6))) for n in range(first, first + AT_ONCE)
        ]
        async with httpx.AsyncClient(base_url=gateways[first // AT_ONCE % 2].url, timeout=60) as client:
            key = {"Authorization": f"Bearer {gateways[0].keys['reporter']}"}
            assert (await client.post("/v1/reports", json=made, headers=key)).status_code == 201
    async with asyncio.timeout(230):
        cuts = await asyncio.gather(*reading)
    routed = await read_all(served_city.client, f"{served_city.prefix}routed", 4)
    wanted = [[record.value for record in records] for records in routed]
    assert all(wanted), "in all partitions"
    for reader in readers:  # what became urgent meanwhile is on the topic, too, and may lie behind the last one entered
        assert [of[: len(lane)] for of, lane in zip(wanted, reader.lanes, strict=True)] == reader.lanes
    assert min(cuts) > 5
    compared = sum(len(lane) for reader in readers for lane in reader.lanes)
    with capsys.disabled():
        print(
            f"\n{READERS} readers moved between two gateways, cut off {sum(cuts):,} times:"
            f" {compared:,} events compared in {time.monotonic() - begun_s:.0f} s"
        )
    assert not any("Traceback" in gateway.log() for gateway in gateways)


async def test_what_is_not_kept_any_more_is_told_as_a_gap(served_city: City, gateways: list[KafkaGateway]):
    made = [report(f"gap-{n}", "03", (n % 6, n // 6)) for n in range(24)]
    with gateways[0].client("reporter") as client:
        assert client.post("/v1/reports", json=made).status_code == 201
    ids = {each["report_id"] for each in made}
    await wait_for(served_city, ids, lambda found: sum(len(each["reports"]) for each in found) == 24)
    orders = await read_all(served_city.client, f"{served_city.prefix}dept.gas", 2)
    assert min(map(len, orders)) > 3
    topic, begins = f"{served_city.prefix}dept.gas", orders[0][3].offset
    admin = AIOKafkaAdminClient(**served_city.client)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(begins)})
    finally:
        await admin.close()
    first, ends = orders[0][0].offset, orders[1][-1].offset
    # both gateways know the place; what there is no more of is told, then it goes on
    for gateway in gateways:
        found = []
        async for event in told(gateway, "gas", "/v1/streams/departments/gas", f"{first}.{ends}"):
            found += [event] if event.data else []
            if len(found) == len(orders[0]) - 2:
                break
        (event_id, kind, data), *rest = found
        assert (event_id, kind) == (f"{begins - 1}.{ends}", "gap")
        assert orjson.loads(data) == {"partition": 0, "goes_on_at": begins}
        assert [value for _, _, value in rest] == [order.value for order in orders[0][3:]]
    async for event in told(gateways[0], "gas", "/v1/streams/departments/gas", "-1.-1"):
        if event.data:
            assert event == (f"{begins}.-1", "", orders[0][3].value), "from the beginning there is none"
            break


async def test_an_event_id_that_no_gateway_has_given_is_refused(gateways: list[KafkaGateway]):
    with gateways[0].client("dispatcher") as client:
        for last in ("-1", "0.0.0", "0.0.0.0.0", f"0.0.0.{10**9}"):
            answer = client.get(QUEUE, headers={"Last-Event-ID": last})
            assert answer.status_code == 422, last
