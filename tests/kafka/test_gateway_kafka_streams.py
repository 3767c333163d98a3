"""Streams from several gateways: a reader moved between them sees every event once and in order, in all partitions."""

import asyncio
import random
from collections.abc import AsyncIterator

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

READERS, REPORTS, AT_ONCE = 20, 240, 12
QUEUE = "/v1/streams/queue"
BEGIN = "-1.-1.-1.-1"


async def lines(gateway: KafkaGateway, name: str, path: str, last: str) -> AsyncIterator[tuple[str, str, bytes]]:
    """Id, kind and data of each event."""
    headers = {"Authorization": f"Bearer {gateway.keys[name]}", "Last-Event-ID": last}
    # no certificates are loaded, which takes a client most of its time; whoever reads says how long it may take
    client = httpx.AsyncClient(base_url=gateway.url, headers=headers, verify=False, timeout=None)
    async with client, client.stream("GET", path) as answer:
        assert answer.status_code == 200, await answer.aread()
        said: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line:
                said.setdefault(*line.split(": ", 1))
            else:
                if "data" in said:
                    yield said["id"], said.get("event", ""), said["data"].encode()
                said = {}


async def cut_at_random(gateways: list[KafkaGateway], seed: int, lanes: list[list[bytes]], count: int) -> int:
    """Read until so many have entered, cut off every now and then and gone on elsewhere; returns how often."""
    chance, last, cuts, entered = random.Random(seed), BEGIN, 0, 0
    while entered < count:
        left = chance.randrange(1, 40)
        events = lines(chance.choice(gateways), "dispatcher", QUEUE, last)
        async for event_id, kind, data in events:
            assert kind == ""
            before, after = [int(part) for part in last.split(".")], [int(part) for part in event_id.split(".")]
            # a place may run on where there is nothing to read; what the event brought is where the id ends
            moved = [n for n, (old, new) in enumerate(zip(before, after, strict=True)) if new > old]
            assert moved
            assert all(new >= old for old, new in zip(before, after, strict=True))
            said = orjson.loads(data)
            last, left, entered = event_id, left - 1, entered + (said["event"] == "entered")
            lanes[int(said["incident_id"].split("-")[1])].append(data)
            if not left or entered == count:
                break
        await events.aclose()
        cuts += 1
    return cuts


@pytest.mark.timeout(240)
async def test_readers_cut_anywhere_and_moved_between_gateways_miss_and_repeat_nothing(
    served_city: City, gateways: list[KafkaGateway]
):
    """Twenty of them, from the beginning, while reports come in by both gateways."""
    read = [[list[bytes]() for _ in range(4)] for _ in range(READERS)]
    reading = [asyncio.create_task(cut_at_random(gateways, seed, lanes, REPORTS)) for seed, lanes in enumerate(read)]
    chance = random.Random(1)
    for first in range(0, REPORTS, AT_ONCE):
        made = [
            report(f"cut-{n}", "01", (chance.randrange(6), chance.randrange(6))) for n in range(first, first + AT_ONCE)
        ]
        with gateways[first // AT_ONCE % 2].client("reporter") as client:
            assert client.post("/v1/reports", json=made).status_code == 201
        await asyncio.sleep(0)
    async with asyncio.timeout(200):
        cuts = await asyncio.gather(*reading)
    routed = await read_all(served_city.client, f"{served_city.prefix}routed", 4)
    wanted = [[record.value for record in records] for records in routed]
    assert all(wanted), "in all partitions"
    for lanes in read:  # what became urgent meanwhile is on the topic, too, and may lie behind the last one entered
        assert [of[: len(lane)] for of, lane in zip(wanted, lanes, strict=True)] == lanes
    assert sum(cuts) > 10 * READERS


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
        async for event in lines(gateway, "gas", "/v1/streams/departments/gas", f"{first}.{ends}"):
            found.append(event)
            if len(found) == len(orders[0]) - 2:
                break
        (event_id, kind, data), *rest = found
        assert (event_id, kind) == (f"{begins - 1}.{ends}", "gap")
        assert orjson.loads(data) == {"partition": 0, "goes_on_at": begins}
        assert [value for _, _, value in rest] == [order.value for order in orders[0][3:]]
    async for event_id, kind, data in lines(gateways[0], "gas", "/v1/streams/departments/gas", "-1.-1"):
        assert (event_id, kind, data) == (f"{begins}.-1", "", orders[0][3].value), "from the beginning there is none"
        break


async def test_an_event_id_that_no_gateway_has_given_is_refused(gateways: list[KafkaGateway]):
    with gateways[0].client("dispatcher") as client:
        for last in ("-1", "0.0.0", "0.0.0.0.0", f"0.0.0.{10**9}"):
            answer = client.get(QUEUE, headers={"Last-Event-ID": last})
            assert answer.status_code == 422, last
