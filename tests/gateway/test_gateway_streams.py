"""Streams: every event once and in order, from wherever a reader was cut off; nobody sees another's."""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import httpx
import pytest
from gateway_events import streaming
from gateway_process import Gateway, report
from gateway_readers import Told, cut_at_random, end_of

from dispatcher.ledger import SqliteLedger

READERS, REPORTS, AT_ONCE = 200, 240, 12
QUEUE = "/v1/streams/queue"


def test_a_reader_sees_what_comes_after_it_began(gateway: Gateway):
    gateway.opened("reporter", report("s-before", category="rodent"))
    with streaming(gateway, "dispatcher", "/v1/streams/queue") as events:
        incident_id = gateway.opened("reporter", report("s-after", category="noise.vehicle"))
        event = next(events)
    assert event.data["incident_id"] == incident_id
    assert event.data["event"] == "entered"


@pytest.mark.timeout(300)
async def test_two_hundred_readers_cut_off_anywhere_miss_nothing_and_see_nothing_twice(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
):
    """All at the same time, while reports come in; compared with what lies in the ledger."""
    begun_s, begin = time.monotonic(), await end_of(gateway, "dispatcher", QUEUE)
    read = [list[tuple[str, bytes]]() for _ in range(READERS)]

    def taking(found: list[tuple[str, bytes]]) -> Callable[[Told, str], bool]:
        def take(event: Told, _last: str) -> bool:
            found.append((event.id, event.data))
            return b'"noise.worship"' in event.data  # the last report

        return take

    reading = [
        asyncio.create_task(cut_at_random([gateway], "dispatcher", QUEUE, begin, seed, taking(found)))
        for seed, found in enumerate(read)
    ]
    key = {"Authorization": f"Bearer {gateway.keys['reporter']}"}
    async with httpx.AsyncClient(base_url=gateway.url, headers=key, timeout=60) as client:
        for first in range(0, REPORTS, AT_ONCE):
            made = [_cut(n) for n in range(first, first + AT_ONCE)]
            assert (await client.post("/v1/reports", json=made)).status_code == 201
        assert (await client.post("/v1/reports", json=report("s-end", category="noise.worship"))).status_code == 201
    async with asyncio.timeout(230):
        cuts = await asyncio.gather(*reading)
    with closing(SqliteLedger(gateway.ledger, read_only=True)) as ledger:
        wanted = [(str(record.seq), record.value) for record in ledger.follow("routed", int(begin), 10_000)]
    wanted = wanted[: len(read[0])]
    assert len(wanted) > REPORTS
    assert all(found == wanted for found in read)
    assert min(cuts) > 5
    with capsys.disabled():
        print(
            f"\n{READERS} readers of one gateway, cut off {sum(cuts):,} times:"
            f" {READERS * len(wanted):,} events compared in {time.monotonic() - begun_s:.0f} s"
        )
    assert "Traceback" not in gateway.log()


def _cut(number: int) -> dict[str, Any]:
    place = {"lon": -73.98, "lat": 40.75 + number % 5 * 1e-5}
    return report(f"s-cut-{number}", category="noise.helicopter", location=place)


def test_a_reader_of_another_area_sees_nothing_of_it_and_goes_on_all_the_same(gateway: Gateway):
    with streaming(gateway, "elsewhere", "/v1/streams/queue") as events:
        gateway.opened("reporter", report("s-here", category="noise.vehicle", location={"lon": -73.97, "lat": 40.75}))
        there = report("s-there", category="noise.vehicle", location={"lon": -74.15, "lat": 40.58})
        incident_id = gateway.opened("reporter", there)
        event = next(events)
    assert event.data["incident_id"] == incident_id
    assert event.data["place"]["path"][0] == "5"


def test_a_department_gets_its_orders(gateway: Gateway):
    with streaming(gateway, "dep", "/v1/streams/departments/dep") as events:
        incident_id = gateway.opened("reporter", report("s-dep", category="noise", text="knocking, 13812345678"))
        order = next(events).data
    assert order["incident_id"] == incident_id
    assert order["event"] == "offer"
    assert "13812345678" not in str(order)


def test_an_event_id_of_nowhere_is_refused(gateway: Gateway):
    with gateway.client("dispatcher") as client:
        for last in ("x", "1.2", "-7", "9" * 15, "9" * 40):
            answer = client.get("/v1/streams/queue", headers={"Last-Event-ID": last})
            assert answer.status_code == 422, last


def test_a_server_that_stops_ends_its_streams_and_what_waits_in_good_order(own_gateway: Gateway):
    own_gateway.opened("reporter", report("s-stop"))
    with streaming(own_gateway, "dispatcher", "/v1/streams/queue") as events:
        began = time.monotonic()
        assert own_gateway.stop() == 0
        assert time.monotonic() - began < 2.5
        assert list(events) == []
    assert "Traceback" not in own_gateway.log()
