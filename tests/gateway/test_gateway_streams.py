"""Streams: every event once and in order, from wherever a reader was cut off; nobody sees another's."""

import random
import time
from itertools import islice

from gateway_events import Event, streaming
from gateway_process import Gateway, report, update


def test_a_reader_sees_what_comes_after_it_began(gateway: Gateway):
    gateway.opened("reporter", report("s-before", category="rodent"))
    with streaming(gateway, "dispatcher", "/v1/streams/queue") as events:
        incident_id = gateway.opened("reporter", report("s-after", category="noise.vehicle"))
        event = next(events)
    assert event.data["incident_id"] == incident_id
    assert event.data["event"] == "entered"


def test_a_reader_cut_off_anywhere_misses_nothing_and_sees_nothing_twice(gateway: Gateway):
    chance, wanted = random.Random(7), 60
    with gateway.client("reporter") as client:
        for n in range(wanted):
            place = {"lon": -73.98, "lat": 40.75 + n % 5 * 1e-5}
            made = report(f"s-cut-{n}", category="noise.helicopter", location=place)
            assert client.post("/v1/reports", json=made).status_code == 201
    gateway.opened("reporter", report("s-end", category="noise.worship"))
    with streaming(gateway, "dispatcher", "/v1/streams/queue", "-1") as events:
        whole: list[Event] = []
        while not (whole and _is_last(gateway, whole[-1])):
            whole.append(next(events))
    assert len({event.id for event in whole}) == len(whole)
    parts: list[Event] = []
    last = "-1"
    while len(parts) < len(whole):
        with streaming(gateway, "dispatcher", "/v1/streams/queue", last) as events:
            parts.extend(islice(events, min(chance.randrange(1, 20), len(whole) - len(parts))))
        last = parts[-1].id
    assert [(event.id, event.data) for event in parts] == [(event.id, event.data) for event in whole]


def _is_last(gateway: Gateway, event: Event) -> bool:
    return event.data["category"].get("code") == "noise.worship"


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


def test_another_reader_that_has_not_begun_to_read_holds_nobody_up(gateway: Gateway):
    stalled = streaming(gateway, "dispatcher", "/v1/streams/queue", "-1")
    with stalled, streaming(gateway, "supervisor", "/v1/streams/queue") as events:
        incident_id = gateway.opened("reporter", report("s-slow", category="noise.vehicle"))
        with gateway.client("dispatcher") as client:
            for n in range(30):
                client.post("/v1/updates", json=update(incident_id, f"s{n}", "claim" if n % 2 else "release"))
        assert next(events).data["incident_id"] == incident_id
