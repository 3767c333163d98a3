"""The gateway on a real Kafka: what goes in over HTTP comes out over HTTP, whichever gateway one asks."""

import asyncio
import json
import signal
import sqlite3
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import httpx
from kafka_city import City, send_reports
from kafka_gateway import KafkaGateway, report
from kafka_waiting import values

from bench.broker import Broker
from tests.gateway.gateway_events import streaming
from tests.gateway.gateway_process import running, update, wait_until

CELLS = list(product(range(6), range(6)))


def test_a_report_goes_to_its_department_and_the_answer_comes_back(gateways: list[KafkaGateway]):
    one, other = gateways
    with (
        streaming(one, "gas", "/v1/streams/departments/gas") as orders,
        streaming(other, "dispatcher", "/v1/streams/queue") as queued,
    ):
        incident_id = one.opened("reporter", report("whole-way", "03"))
        order, entered = (
            next(event.data for event in events if event.data["incident_id"] == incident_id)
            for events in (orders, queued)
        )
    assert (order["incident_id"], order["event"]) == (incident_id, "offer")
    assert (entered["incident_id"], entered["event"]) == (incident_id, "entered")
    with one.client("gas") as gas:
        said = gas.post("/v1/updates?wait_s=10", json=update(incident_id, "w1", "acknowledge")).json()["updates"][0]
        assert said["state"] == "taken", said
        record = gas.get(f"/v1/incidents/{incident_id}").json()
    assert (record["state"], record["lead"]["state"]) == ("handling", "acknowledged")
    with other.client("dispatcher") as dispatcher:
        wait_until(lambda: dispatcher.get(f"/v1/incidents/{incident_id}").json()["revision"] == record["revision"])
        assert dispatcher.get(f"/v1/incidents/{incident_id}").json() == record
        lines = dispatcher.get("/v1/queue", params={"category": "03"}).json()["lines"]
        assert incident_id in [line["incident_id"] for line in lines]
        entries = dispatcher.get(f"/v1/incidents/{incident_id}/history").json()["entries"]
    assert {"role": "department", "department": "gas", "person": "gas"} in [entry.get("by") for entry in entries]
    with other.client("analyst") as analyst:
        measured = analyst.get("/v1/measures", params={"basis": "received"})
    assert measured.status_code == 200, measured.text
    assert measured.json()["total"]["terms"]["received"] >= 1


async def test_everybody_is_told_what_became_of_their_own_update(gateways: list[KafkaGateway]):
    """Many at once, by two gateways, in all partitions; half of them are not allowed."""
    with gateways[0].client("reporter") as client:
        made = [report(f"own-{n}", "03", cell) for n, cell in enumerate(CELLS)]
        assert client.post("/v1/reports", json=made).status_code == 201
    ids = [gateways[n % 2].opened("reporter", each) for n, each in enumerate(made)]
    assert len({incident_id.split("-")[1] for incident_id in ids}) == 4, "they lie in all partitions"

    async def act(client: httpx.AsyncClient, incident_id: str, update_id: str, action: str) -> dict[str, Any]:
        answer = await client.post("/v1/updates?wait_s=10", json=update(incident_id, update_id, action))
        return dict(answer.json()["updates"][0])

    clients = [
        httpx.AsyncClient(base_url=each.url, headers={"Authorization": f"Bearer {each.keys['gas']}"}, timeout=30)
        for each in gateways
    ]
    for action, state in (("arrive", "refused"), ("acknowledge", "taken"), ("arrive", "taken")):
        # the one update that was refused before is sent again as it was: the refusal of then is not the answer of now
        told = await asyncio.gather(
            *(act(clients[n % 2], incident_id, f"u-{action}", action) for n, incident_id in enumerate(ids))
        )
        assert [each["state"] for each in told] == [state] * len(ids)
        assert [each["incident_id"] for each in told] == ids
    for client in clients:
        await client.aclose()


def test_updates_of_an_incident_are_worked_on_in_the_order_they_came(served_city: City, gateways: list[KafkaGateway]):
    """By whichever gateway; the worker finds them all at once, in as many partitions as they lie in."""
    (worker,) = served_city.processes
    incident_id = gateways[0].opened("reporter", report("in-order", "01", (3, 3)))
    steps = ["claim", "release"] * 10
    worker.send(signal.SIGSTOP)
    try:
        for n, action in enumerate(steps):
            with gateways[n % 2].client("dispatcher") as client:
                assert client.post("/v1/updates", json=update(incident_id, f"o{n}", action)).status_code == 201
    finally:
        worker.send(signal.SIGCONT)
    with gateways[0].client("dispatcher") as client:
        last = client.post("/v1/updates?wait_s=10", json=update(incident_id, "last", "note", text="x")).json()
        assert last["updates"][0]["state"] == "taken"
        record = client.get(f"/v1/incidents/{incident_id}").json()
    assert [update_id for update_id in record["updates"] if update_id.startswith("o")] == [
        f"o{n}" for n in range(len(steps))
    ]


async def test_a_department_that_claims_on_its_topic_to_be_another_is_itself(
    served_city: City, gateways: list[KafkaGateway]
):
    gas_and_fire = gateways[0].opened("reporter", report("forged-1", "03", (1, 1)))
    roads = gateways[0].opened("reporter", report("forged-2", "01", (2, 2)))
    actors = ({"role": "department", "department": "fire"}, {"role": "supervisor", "person": "somebody"})
    forged = [
        update(incident_id, f"f{n}", "acknowledge", actor=actor)
        for n, (incident_id, actor) in enumerate(product((gas_and_fire, roads), actors))
    ]
    await send_reports(
        served_city.client, f"{served_city.prefix}updates.gas", [json.dumps(each).encode() for each in forged]
    )
    with gateways[1].client("dispatcher") as client:
        url = f"/v1/incidents/{gas_and_fire}"
        wait_until(lambda: client.get(url).json()["lead"]["state"] == "acknowledged")  # as the gas company it is
        assert [part["state"] for part in client.get(url).json()["support"]] == ["offered"]
        assert client.get(f"/v1/incidents/{roads}").json()["lead"]["state"] == "offered"
    refused: list[Any] = []

    def told() -> bool:
        with closing(sqlite3.connect(gateways[1].view)) as view:
            refused[:] = view.execute("SELECT reason FROM rejected WHERE topic = 'updates.gas'").fetchall()
        return len(refused) == 3

    wait_until(told)
    assert {reason for (reason,) in refused} == {"not_allowed"}, "twice no part in it, once acknowledged already"


async def test_records_lie_in_every_partition_and_the_answers_say_where(
    served_city: City, gateways: list[KafkaGateway]
):
    made = [report(f"spread-{n}", "01", CELLS[n % 36]) for n in range(40)]
    with gateways[1].client("reporter") as client:
        assert client.post("/v1/reports", json=made).status_code == 201
    found = [value["report_id"] for value in await values(served_city, "reports", 2)]
    assert [report_id for report_id in found if report_id.startswith("spread-")] != [each["report_id"] for each in made]
    assert sorted(filter(lambda each: each.startswith("spread-"), found)) == sorted(each["report_id"] for each in made)


def test_a_restart_goes_on_from_its_own_projection_and_a_lost_one_is_made_again(served_city: City):
    with running(KafkaGateway(served_city, 3)) as third:
        incident_id = third.opened("reporter", report("restart", "01", (4, 4)))
        assert third.stop() == 0
        with closing(sqlite3.connect(third.view)) as view:
            view.execute("CREATE TABLE planted (x)")  # it would not outlive a rebuilding
            view.commit()
        for planted in (1, 0):
            third.start()
            with third.client("dispatcher") as client:
                assert client.get(f"/v1/incidents/{incident_id}").status_code == 200
            with closing(sqlite3.connect(third.view)) as view:
                found = view.execute("SELECT count(*) FROM sqlite_master WHERE name = 'planted'").fetchone()
            assert found == (planted,)
            assert third.stop() == 0
            _remove(third.view)


def test_what_may_have_been_erased_while_a_gateway_was_away_is_read_again(served_city: City):
    made = report("erased", "01", (0, 5), reporter={"name": "Li Si", "phone": "13812345678"})
    with running(KafkaGateway(served_city, 6)) as gateway:
        gateway.opened("reporter", made)

        def private() -> set[str]:
            with closing(sqlite3.connect(gateway.view)) as view:
                return {key for (key,) in view.execute("SELECT key FROM private")}

        wait_until(lambda: "hotline/erased" in private())
        before = private()
        for away, found in (("", before | {"hotline/gone"}), ("UPDATE position SET time_ms = 1", before)):
            assert gateway.stop() == 0
            with closing(sqlite3.connect(gateway.view)) as view, view:
                view.execute("INSERT OR IGNORE INTO private VALUES ('hotline/gone', '{}')")
                view.execute(away)
            gateway.start()
            assert private() == found


def test_the_projection_of_another_ledger_is_noticed(broker: Broker, served_city: City, tmp_path: Path):
    with running(KafkaGateway(served_city, 4)) as gateway:
        gateway.opened("reporter", report("elsewhere", "01", (5, 5)))
        assert gateway.stop() == 0
    other = City(tmp_path, broker.client(), "another.", partitions=2)
    other.begin()
    moved = KafkaGateway(other, 1, DISPATCHER__GATEWAY__PROJECTION=str(gateway.view))
    with running(moved), moved.client("dispatcher") as client:
        assert client.get("/v1/incidents").json()["lines"] == []
        assert client.get("/v1/queue").json()["lines"] == []
        with moved.client("analyst") as analyst:
            answer = analyst.get("/v1/measures")
        assert answer.status_code == 503, "no worker has been there, so no policy is in force"
        assert "no policy is in force yet" in answer.json()["detail"]


def _remove(view: Path) -> None:
    for file in view.parent.glob(f"{view.name}*"):
        file.unlink()
