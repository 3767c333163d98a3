"""Reports over HTTP: durable before the answer, all or none, once, as the source the key may speak for."""

import asyncio
import itertools
import json
import signal
import statistics
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from gateway_kafka import ON_BOTH
from gateway_process import Gateway, report, wait_until

ROUNDS, ENOUGH, CONNECTIONS = 20, 300, 32

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
def test_every_report_acknowledged_before_a_kill_is_there_once(
    own_gateway: Gateway, capsys: pytest.CaptureFixture[str]
):
    """The whole process is killed, 20 times, while posts come as fast as they are answered: what had a 201 is there."""
    acknowledged: list[str] = []
    rates = list[float]()
    for number in range(ROUNDS):
        taken: list[str] = []
        posting = threading.Thread(target=lambda: asyncio.run(_storm(own_gateway, f"k{number}", taken)))  # noqa: B023
        begun_s = time.monotonic()
        posting.start()
        wait_until(lambda: len(taken) > ENOUGH)  # noqa: B023 - of this round
        rates.append(len(taken) / (time.monotonic() - begun_s))
        own_gateway.stop(signal.SIGKILL)
        posting.join()
        acknowledged += taken
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
    with capsys.disabled():
        print(
            f"\n{len(acknowledged):,} reports acknowledged before {ROUNDS} kills, each there once;"
            f" {min(rates):,.0f} to {max(rates):,.0f} posts/s, {statistics.median(rates):,.0f} in the median"
        )


async def _storm(gateway: Gateway, name: str, taken: list[str]) -> None:
    """Post over many connections until they break; those answered with 201 are `taken`."""
    await asyncio.gather(*(_post(gateway, f"{name}-{n}", taken) for n in range(CONNECTIONS)))


async def _post(gateway: Gateway, name: str, taken: list[str]) -> None:
    host, port = urlsplit(gateway.url).netloc.split(":")
    head = f"POST /v1/reports HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {gateway.keys['reporter']}\r\n"
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for n in itertools.count():
            report_id = f"{name}-{n}"
            place = {"lon": -73.98 + n % 97 * 1e-4, "lat": 40.75 + len(name) * 1e-4}
            body = json.dumps(report(report_id, location=place, category="water-leak")).encode()
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
            if answer.startswith(b"HTTP/1.1 201"):
                taken.append(report_id)
    except (OSError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()
