"""Requests through kill -9: what was answered with 201 is there, and whoever got no answer sends it again."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from gateway_process import Gateway, gateway_at, wait_until
from open311_client import Open311


@pytest.mark.timeout(200)
def test_what_was_answered_is_there_and_what_is_sent_again_counts_once(open_city: Path, tmp_path: Path):
    with gateway_at(open_city, tmp_path) as gateway:
        taken: dict[str, str] = {}
        with ThreadPoolExecutor(4) as posters:
            posting = [posters.submit(_post, gateway, f"t{n}", taken) for n in range(4)]
            wait_until(lambda: len(taken) > 60 or any(each.done() for each in posting))
            gateway.stop(signal.SIGKILL)
        assert [each.exception() for each in posting] == [None] * 4
        gateway.start()
        with Open311(gateway, "app") as app:
            for said, request_id in taken.items():
                assert _asked(app, said).json()[0]["service_request_id"] == request_id
            # the one each thread got no answer for: whether it was taken or not, it is now, once
            for n in range(4):
                said = f"t{n}-{sum(each.startswith(f't{n}-') for each in taken)}"
                taken[said] = _asked(app, said).json()[0]["service_request_id"]
            for request_id in taken.values():
                path = f"/requests/{request_id}.json"
                wait_until(lambda: app.http.get(path).status_code == 200)  # noqa: B023 - of this round
            listed = [each["service_request_id"] for each in app.get("requests")]
        assert sorted(listed) == sorted(taken.values())
        with gateway.client("dispatcher") as client:
            lines = client.get("/v1/incidents", params={"limit": 1_000}).json()["lines"]
        assert [line["reports"] for line in lines] == [1] * len(taken)


def _asked(app: Open311, said: str) -> httpx.Response:
    n = sum(map(ord, said)) * 7 + len(said)
    place = {"lat": f"{40.74 + n % 89 * 1e-4:.4f}", "long": f"{-73.99 + n % 97 * 1e-4:.4f}"}
    answer = app.post(headers={"Idempotency-Key": said}, service_code="street.ferry", description=said, **place)
    assert answer.status_code == 201, answer.text
    return answer


def _post(gateway: Gateway, name: str, taken: dict[str, str]) -> None:
    with Open311(gateway, "app") as app:
        for n in range(10_000):
            try:
                answer = _asked(app, f"{name}-{n}")
            except httpx.TransportError:
                return
            taken[f"{name}-{n}"] = answer.json()[0]["service_request_id"]
