"""Reports over HTTP: durable before the answer, all or none, once, as the source the key may speak for."""

import signal
import threading
from typing import Any

import httpx
import pytest
from gateway_kafka import ON_BOTH
from gateway_process import Gateway, report, wait_until

ON = ON_BOTH


def test_a_report_is_taken_routed_and_found(gateway: Gateway):
    incident_id = gateway.opened("reporter", report("r-found"))
    with gateway.client("reporter") as client:
        found = client.get("/v1/reports/nyc-311/r-found").json()
    assert found["incident_id"] == incident_id
    assert found["state"] == "dispatched"


def test_a_report_that_the_engine_refuses_is_told_so(gateway: Gateway):
    with gateway.client("reporter") as client:
        assert client.post("/v1/reports", json=report("r-unknown", source="nobody")).status_code == 201
        wait_until(lambda: client.get("/v1/reports/nobody/r-unknown").status_code == 200)
        found = client.get("/v1/reports/nobody/r-unknown").json()
    assert found["state"] == "refused"
    assert found["reason"] == "unknown_source"


def test_the_same_report_counts_once(gateway: Gateway):
    made = report("r-once", category="noise.worship")
    first = gateway.opened("reporter", made)
    with gateway.client("reporter") as client:
        again = client.post("/v1/reports", json=[made, made])
        assert again.status_code == 201
    gateway.opened("reporter", report("r-after", category="rodent"))
    with gateway.client("dispatcher") as client:
        assert client.get(f"/v1/incidents/{first}").json()["report_count"] == 1


def test_of_a_list_with_something_wrong_nothing_is_taken_and_everything_is_told(gateway: Gateway):
    listed = [report("r-w0"), report("r-w1", severity=9), {"source": "nyc-311"}, report("r-w3")]
    with gateway.client("reporter") as client:
        answer = client.post("/v1/reports", json=listed)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert [item["at"] for item in answer.json()["items"]] == [1, 2]
        assert "element 1" in answer.json()["detail"]
        assert client.post("/v1/reports", json=report("r-w4")).status_code == 201
        wait_until(lambda: client.get("/v1/reports/nyc-311/r-w4").status_code == 200)
        assert client.get("/v1/reports/nyc-311/r-w0").status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        (b"", 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b"{", 422, "invalid"),
        (b"[1]", 422, "invalid"),
        (b"\xff\xfe", 422, "invalid"),
        (b'{"report_id":"x"' + b" " * 70_000 + b"}", 422, "invalid"),
        (b"[" + b"{}," * 1_000 + b"{}]", 422, "too_many"),
        (b" " * 9_000_000, 413, "too_large"),
        (b"[" * 100_000, 422, "not_json"),
        (b"{" + b'"a":{' * 10_000, 422, "invalid"),
    ],
)
def test_a_bad_body_is_refused_with_its_reason(gateway: Gateway, body: bytes, status: int, word: str):
    with gateway.client("reporter") as client:
        answer = client.post("/v1/reports", content=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"urn:dispatch:{word}"


def test_a_report_whose_id_has_a_slash_is_found(gateway: Gateway):
    gateway.opened("reporter", report("r/2026/1"))


def test_a_refusal_is_of_whom_it_names_not_of_whom_it_quotes(gateway: Gateway):
    forged = report("r-forging", source="nobody", attributes={"report_id": "r-quoted", "source": "nyc-311"})
    with gateway.client("reporter") as client:
        assert client.post("/v1/reports", json=forged).status_code == 201
        wait_until(lambda: client.get("/v1/reports/nobody/r-forging").status_code == 200)
        assert client.get("/v1/reports/nyc-311/r-quoted").status_code == 404
        assert client.get("/v1/reports/nobody/r-quoted").status_code == 404


def test_a_key_reports_as_its_own_sources_only(gateway: Gateway):
    with gateway.client("camera") as client:
        answer = client.post("/v1/reports", json=report("r-forged"))
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:dispatch:not_your_source"
        assert client.get("/v1/reports/nyc-311/r-found").status_code == 403


def test_a_street_blows_its_own_whistle_and_nobody_elses(gateway: Gateway):
    whistle = {"unit": "106", "kind": "noise", "departments": ["nypd"]}
    for name, status in (("everybody", 403), ("other_street", 403), ("reporter", 403), ("street", 201)):
        with gateway.client(name) as client:
            answer = client.post("/v1/reports", json=report(f"r-whistle-{name}", whistle=whistle))
        assert answer.status_code == status, name


@pytest.mark.timeout(280)
def test_every_report_acknowledged_before_a_kill_is_there_once(own_gateway: Gateway):
    """The whole process is killed while posts come as fast as they go; what was answered with 201 is there, once."""
    acknowledged: list[str] = []
    rounds = 4
    for number in range(rounds):
        stop = threading.Event()
        taken: list[list[str]] = [[] for _ in range(8)]
        posting = [
            threading.Thread(target=_post, args=(own_gateway, f"k{number}-{n}", taken[n], stop)) for n in range(8)
        ]
        for thread in posting:
            thread.start()
        wait_until(lambda: sum(map(len, taken)) > 150)  # noqa: B023 - of this round
        own_gateway.stop(signal.SIGKILL)
        stop.set()
        for thread in posting:
            thread.join()
        acknowledged += [report_id for of in taken for report_id in of]
        own_gateway.start()
    with own_gateway.client("reporter") as client, own_gateway.client("dispatcher") as looking:
        for report_id in acknowledged:
            wait_until(lambda: client.get(f"/v1/reports/nyc-311/{report_id}").status_code == 200)  # noqa: B023
        reports: list[list[str]] = []
        cursor: str | None = None
        while True:
            asked: dict[str, Any] = {"limit": 1_000} if cursor is None else {"limit": 1_000, "cursor": cursor}
            page = looking.get("/v1/incidents", params=asked).json()
            for line in page["lines"]:
                reports += looking.get(f"/v1/incidents/{line['incident_id']}").json()["reports"]
            cursor = page["next"]
            if cursor is None:
                break
    ids = [report_id for _, report_id in reports]
    assert len(ids) == len(set(ids))
    assert set(acknowledged) <= set(ids)
    print(f"{len(acknowledged):,} reports acknowledged before {rounds} kills, each there once")


def _post(gateway: Gateway, name: str, taken: list[str], stop: threading.Event) -> None:
    with gateway.client("reporter") as client:
        for n in range(100_000):
            if stop.is_set():
                return
            report_id = f"{name}-{n}"
            place = {"lon": -73.98 + n % 97 * 1e-4, "lat": 40.75 + len(name) * 1e-4}
            try:
                answer = client.post("/v1/reports", json=report(report_id, location=place, category="water-leak"))
            except httpx.TransportError:
                return
            if answer.status_code == 201:
                taken.append(report_id)
