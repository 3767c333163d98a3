"""Modes and policies ordered on a real Kafka: by any gateway, in every partition, each order once."""

import asyncio
import signal
from itertools import product
from typing import Any

import httpx
import pytest
from kafka_city import POLICY, City
from kafka_gateway import KafkaGateway, report
from kafka_waiting import values

from dispatcher.gateway.sessions import csrf_of
from tests.gateway.gateway_process import later, wait_until

CELLS = list(product(range(6), range(6)))
STORM = 'routes:\n  - {id: storm, priority: 950, when: {category: ["01"], mode: [emergency]}, lead: fire, sla: slow}\n'
CITY_POLICY = POLICY.replace("routes:\n", STORM)
ROUNDS_MAX = 20


@pytest.fixture(scope="module")
def gateways(gateways: list[KafkaGateway]) -> list[KafkaGateway]:
    """With whoever orders, besides."""
    for gateway in gateways:
        for role in ("supervisor", "policy_editor", "policy_approver"):
            gateway.admit(role, roles=[role], areas=["*"])
    return gateways


def storm(*cells: str, reason: str = "a storm") -> dict[str, Any]:
    return {"mode": "emergency", "cells": cells, "until": later(600), "reason": reason}


def ordered(gateway: KafkaGateway, path: str, body: dict[str, Any], wait_s: int = 10) -> dict[str, Any]:
    with gateway.client("supervisor") as client:
        answer = client.post(path, params={"wait_s": wait_s}, json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


def asked(gateway: KafkaGateway, what: str, wait_s: int = 10, **body: str) -> tuple[int, dict[str, Any]]:
    with gateway.client("policy_approver") as client:
        answer = client.post(f"/v1/policy/{what}", params={"wait_s": wait_s}, json={"reason": "better", **body})
        return answer.status_code, answer.json()


def known(gateway: KafkaGateway) -> dict[str, Any]:
    with gateway.client("policy_editor") as client:
        return dict(client.get("/v1/policy").json())


def draft(gateway: KafkaGateway, text: str) -> str:
    files = {"policy.yaml": text}
    with gateway.client("policy_editor") as client:
        said = client.post("/v1/policy/validate", json={"files": files, "keep": True}).json()
    assert said["kept"], said
    return str(said["sha256"])


def everywhere(gateway: KafkaGateway, name: str) -> list[dict[str, Any]]:
    """The incidents of reports in all partitions, handed in together now."""
    made = [report(f"{name}-{n}", "01", cell) for n, cell in enumerate(CELLS)]
    with gateway.client("reporter") as client:
        assert client.post("/v1/reports", json=made).status_code == 201
    ids = [gateway.opened("reporter", each) for each in made]
    assert len({incident_id.split("-")[1] for incident_id in ids}) == 4, "they lie in all partitions"
    with gateway.client("dispatcher") as client:
        return [client.get(f"/v1/incidents/{incident_id}").json() for incident_id in ids]


def leads(incidents: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(each["mode"], each["lead"]["department"]) for each in incidents}


async def told(served_city: City, event: str) -> list[dict[str, Any]]:
    """What the partitions have told of commands."""
    return [
        value for value in await values(served_city, "events", served_city.partitions) if value.get("event") == event
    ]


def test_a_mode_that_was_taken_counts_for_all_that_is_sent_then_wherever_it_lies(gateways: list[KafkaGateway]):
    one, other = gateways
    assert leads(everywhere(one, "before")) == {("normal", "roads")}
    said = ordered(one, "/v1/modes", storm())
    assert said["state"] == "taken", said
    assert leads(everywhere(other, "during")) == {("emergency", "fire")}
    wait_until(lambda: [held["mode_id"] for held in other.modes()] == [said["command_id"]])
    (held,) = other.modes()
    assert (held["by"], held["reason"], held["over"]) == ("supervisor", "a storm", False)
    ended = ordered(other, f"/v1/modes/{said['command_id']}/end", {"reason": "it is over"})
    assert ended["state"] == "taken", ended
    assert leads(everywhere(one, "after")) == {("normal", "roads")}
    assert other.modes() == []
    with other.client("supervisor") as client:
        again = client.post(f"/v1/modes/{said['command_id']}/end", json={"reason": "again"})
    assert again.status_code == 404


def test_what_one_sets_one_may_end_at_once(gateways: list[KafkaGateway]):
    for gateway in gateways:
        said = ordered(gateway, "/v1/modes", storm("T5"))
        assert [held["mode_id"] for held in gateway.modes()] == [said["command_id"]]
        assert ordered(gateway, f"/v1/modes/{said['command_id']}/end", {"reason": "over"})["state"] == "taken"
        assert gateway.modes() == []


async def test_what_is_open_in_all_partitions_is_foreseen_and_decided_again(
    served_city: City, gateways: list[KafkaGateway]
):
    one, other = gateways
    made = await asyncio.to_thread(everywhere, one, "open")
    inside = {each["incident_id"] for each in made if each["place"]["path"][0] == "T2"}
    assert len({incident_id.split("-")[1] for incident_id in inside}) > 1
    newest = {
        value["incident_id"]: value for value in await values(served_city, "incidents", served_city.partitions)
    }.values()
    normal = [each for each in newest if each["mode"] == "normal" and each["category"] == "01"]
    with other.client("supervisor") as client:
        looked = client.post("/v1/modes/preview", json={"mode": "emergency"}).json()
        there = client.post("/v1/modes/preview", json={"mode": "emergency", "cells": ["T2"]}).json()
    assert looked["open"] == len(newest)
    assert looked["reroute"]["changed"] == looked["reroute"]["lead"] == len(normal)
    assert inside <= {each["incident_id"] for each in there["reroute"]["incidents"]}

    mode_id = ordered(one, "/v1/modes", storm("T2"))["command_id"]
    assert ordered(one, "/v1/modes/reroute", {"cells": ["T2"], "reason": "to be quick"})["state"] == "taken"
    with one.client("dispatcher") as client:
        for each in made:
            url, lead = f"/v1/incidents/{each['incident_id']}", "fire" if each["incident_id"] in inside else "roads"
            wait_until(lambda url=url, lead=lead: client.get(url).json()["lead"]["department"] == lead)
    assert ordered(one, f"/v1/modes/{mode_id}/end", {"reason": "it is over"})["state"] == "taken"


def test_a_policy_is_handed_in_at_one_put_in_force_at_another_and_rolled_back(
    served_city: City, gateways: list[KafkaGateway]
):
    one, other = gateways
    first = known(one)["in_force"]["sha256"]
    second = draft(one, CITY_POLICY.replace('version: "1"', 'version: "2"').replace("lead: police", "lead: roads"))
    status, said = asked(one, "activate", sha256=second, expects="0" * 64)
    assert (status, said["type"]) == (409, "urn:dispatch:stale")
    status, said = asked(one, "activate", sha256=second, expects=first)
    assert (status, said["state"], said["lost"]) == (201, "taken", [])
    for n, gateway in enumerate((other, one)):
        incident_id = gateway.opened("reporter", report(f"noise-{n}", "02", (n, n)))
        with gateway.client("dispatcher") as client:
            assert client.get(f"/v1/incidents/{incident_id}").json()["lead"]["department"] == "roads"
        wait_until(lambda gateway=gateway: known(gateway)["in_force"]["version"] == "2")
    status, said = asked(one, "activate", sha256=second, expects=second)
    assert (status, said["type"]) == (409, "urn:dispatch:already")

    (worker,) = served_city.processes
    worker.send(signal.SIGSTOP)
    try:
        status, said = asked(other, "rollback", 1, sha256=first, expects=second)
        assert (status, said["state"]) == (201, "on_its_way")
        assert (known(one)["history"][0]["outcome"], known(one)["in_force"]["sha256"]) == ("waiting", second)
        status, said = asked(one, "rollback", 1, sha256=first, expects=second)
        assert (status, said["type"]) == (409, "urn:dispatch:stale"), "it is about to be replaced already"
    finally:
        worker.send(signal.SIGCONT)
    for gateway in gateways:
        wait_until(lambda gateway=gateway: known(gateway)["in_force"]["sha256"] == first)
        wait_until(lambda gateway=gateway: known(gateway)["history"][0]["outcome"] == "in_force")
        assert [each["outcome"] for each in known(gateway)["history"]] == ["in_force", "replaced", "replaced"]


def test_a_department_that_has_no_topics_yet_is_told_of_before_its_orders_are_lost(gateways: list[KafkaGateway]):
    first = known(gateways[0])["in_force"]["sha256"]
    new = CITY_POLICY.replace('version: "1"', 'version: "3"').replace(
        "  police: {en: Police}\n", "  police: {en: Police}\n  parks: {en: Parks}\n"
    )
    status, said = asked(gateways[0], "activate", sha256=draft(gateways[0], new), expects=first)
    assert (status, said["type"]) == (409, "urn:dispatch:unmet")
    assert "topics of department parks" in said["detail"]
    lost = CITY_POLICY.replace('version: "1"', 'version: "4"').replace("lead: police", "lead: roads")
    lost = lost.replace("  police: {en: Police}\n", "")
    gateways[0].opened("reporter", report("for-police", "02", (5, 5)))
    status, said = asked(gateways[0], "activate", sha256=draft(gateways[0], lost), expects=first)
    assert (status, said["state"]) == (201, "taken")
    assert [(each["department"], each["open_assignments"] > 0) for each in said["lost"]] == [("police", True)]
    status, said = asked(gateways[1], "rollback", sha256=first, expects=said["sha256"])
    assert (status, said["state"]) == (201, "taken")


def test_the_pages_of_modes_and_of_the_policy_are_drawn(gateways: list[KafkaGateway]):
    mode_id = ordered(gateways[0], "/v1/modes", storm("T0", reason="the river"))["command_id"]
    token = gateways[1].session("supervisor")
    with gateways[1].client(cookies={"dispatch_session": token}) as client:
        wait_until(lambda: "the river" in client.get("/console/mode").text)
        asking = {"X-CSRF-Token": csrf_of(token)}
        drawn = client.post("/console/mode/foreseen", json={"mode": "emergency", "cells": ["T2"]}, headers=asking)
        open_now = client.post("/v1/modes/preview", json={"cells": ["T2"]}, headers=asking).json()["open"]
        assert drawn.status_code == 200
        assert f"{open_now}" in drawn.text
        assert "kafka-city" in client.get("/console/policy").text
        wait_until(lambda: 'data-more="1"' not in client.get("/console/policy/cards").text)
        assert 'data-rule="road"' in client.get("/console/policy/cards").text
    assert ordered(gateways[0], f"/v1/modes/{mode_id}/end", {"reason": "it is over"})["state"] == "taken"


async def both(gateways: list[KafkaGateway], path: str, *bodies: dict[str, Any]) -> list[dict[str, Any]]:
    """What each of them answers to an order of its own, both given at once."""

    async def order(gateway: KafkaGateway, body: dict[str, Any]) -> dict[str, Any]:
        key = {"Authorization": f"Bearer {gateway.keys['supervisor']}"}
        async with httpx.AsyncClient(base_url=gateway.url, headers=key, timeout=30) as client:
            answer = await client.post(path, params={"wait_s": 10}, json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    return await asyncio.gather(*map(order, gateways, bodies))


async def outnumbered(served_city: City) -> set[int]:
    """Where on `control` the commands lie that had a number already used."""
    rejected = await values(served_city, "rejected", served_city.partitions)
    return {int(each["offset"]) for each in rejected if each["topic"] == "control" and each["reason"] == "stale"}


async def test_of_orders_given_at_two_gateways_at_once_each_is_done_once(
    served_city: City, gateways: list[KafkaGateway]
):
    """Until two had the same number: the second of them is refused by the engine, and given anew."""
    before, reasons = await outnumbered(served_city), list[str]()
    for number in range(ROUNDS_MAX):
        pair = [f"order {number} of {name}" for name in ("one", "other")]
        said = await both(gateways, "/v1/modes", *(storm("T1", reason=reason) for reason in pair))
        assert [each["state"] for each in said] == ["taken", "taken"]
        assert said[0]["command_id"] != said[1]["command_id"]
        reasons += pair
        if await outnumbered(served_city) > before:
            break
    else:
        pytest.fail("no two orders ever had the same number")
    events = await told(served_city, "mode_set")
    assert [sum(each.get("reason") == reason for each in events) for reason in reasons] == [4] * len(reasons)
    for gateway in gateways:
        wait_until(lambda gateway=gateway: {each["reason"] for each in gateway.modes()} == set(reasons))


async def test_what_two_end_at_once_ends_once_and_the_other_is_told(served_city: City, gateways: list[KafkaGateway]):
    mode_id = ordered(gateways[0], "/v1/modes", storm("T3"))["command_id"]
    wait_until(lambda: mode_id in {each["mode_id"] for each in gateways[1].modes()})
    ends = await both(gateways, f"/v1/modes/{mode_id}/end", {"reason": "one"}, {"reason": "other"})
    assert sorted(each["state"] for each in ends) == ["refused", "taken"]
    assert {each.get("detail") for each in ends} == {None, f"no mode {mode_id} holds"}
    assert sum(each["mode_id"] == mode_id for each in await told(served_city, "mode_ended")) == served_city.partitions


def test_everything_the_partitions_made_of_the_orders_is_right_and_the_same(
    served_city: City, gateways: list[KafkaGateway]
):
    for gateway in gateways:
        assert gateway.stop() == 0
    (worker,) = served_city.processes
    assert worker.terminate() == 0
    done = served_city.run("audit", "--kafka")
    assert done.returncode == 0, done.stdout + done.stderr
