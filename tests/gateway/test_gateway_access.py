"""Every route with every key: what is open is listed here, everything else must be shut."""

import hashlib
import io
import time

import httpx
import pytest
from gateway_kafka import ON_BOTH
from gateway_process import ROLES, Gateway, later, report, update, wait_until
from PIL import Image

from dispatcher.gateway.media.pictures import cleaned
from dispatcher.gateway.open311.ids import id_of, new_token


def one_pixel() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (1, 1)).save(out, "PNG")
    return out.getvalue()


ON = ON_BOTH
TOKEN = new_token("nyc-311")
PICTURE = one_pixel()
QUEUE = {"dispatcher", "shift_lead", "supervisor", "inspector", "everybody"}
LOOK = QUEUE | {"analyst", "dep", "street", "officer"}
LIST = LOOK | {"elsewhere", "nowhere", "nypd", "other_street", "lead_of_5"}
LINED_UP = QUEUE | {"elsewhere", "nowhere", "lead_of_5"}
DRAFT = {"policy_editor", "policy_approver", "everybody"}
ORDER = {"shift_lead", "supervisor", "everybody", "lead_of_5"}  # each in the areas of the key
REPORT = {"reporter", "everybody", "street", "other_street", "app"}
ANYBODY = set(ROLES)

# name of the request: keys that are let in; the incident lies in cell 106 with the department dep
OPEN = {
    "GET /v1/incidents": LIST,
    "GET /v1/queue": LINED_UP,
    "GET /v1/incidents/{incident_id}": LOOK,
    "GET /v1/incidents/{incident_id}/history": LOOK,
    "GET /v1/incidents/{incident_id}/reports": LOOK - {"analyst"},
    "POST /v1/incidents/{incident_id}/contacts": {"dispatcher", "shift_lead", "supervisor", "dep", "everybody"},
    "GET /v1/incidents/{incident_id}/explain": LOOK,
    "GET /v1/nearest?lon=-73.98&lat=40.75": LIST,
    "GET /v1/policy": LINED_UP | {"analyst"} | DRAFT | {"admin"},
    "POST /v1/policy/validate": DRAFT,
    "POST /v1/policy/explain": LINED_UP | {"analyst"} | DRAFT,
    "POST /v1/policy/activate": DRAFT - {"policy_editor"},
    "POST /v1/policy/rollback": DRAFT - {"policy_editor"},
    "GET /v1/modes": LIST | DRAFT | {"admin"},
    "POST /v1/modes": ORDER,
    "POST /v1/modes/preview": ORDER,
    "POST /v1/modes/reroute": ORDER,
    "POST /v1/modes/{mode_id}/end": ORDER,
    "GET /v1/looks": {"supervisor", "inspector", "admin", "everybody"},
    "POST /v1/reports": REPORT,
    "GET /v1/reports/{source}/{report_id}": REPORT,
    "POST /v1/updates": LOOK - {"supervisor", "inspector", "analyst"},  # a note
    "GET /v1/measures": {"shift_lead", "supervisor", "inspector", "analyst", "everybody"},
    "GET /v1/grid.geojson": LIST | {"reporter", "camera", "hotline", "app"},
    "GET /v1/locate?lon=-73.98&lat=40.75": LIST | {"reporter", "camera", "hotline", "app"},
    "GET /v1/streams/queue": LINED_UP,
    "GET /v1/streams/departments/{code}": {"dep", "everybody"},
    "GET /v1/incidents/{incident_id}/media": LOOK,
    "POST /v1/media": LIST | {"reporter", "camera", "hotline", "app"},
    "GET /v1/media/{sha256}": LOOK | {"reporter"},  # who handed it in, and who sees its incident
    "GET /open311/v2/discovery.{form}": ANYBODY,
    "GET /open311/v2/services.{form}": ANYBODY,
    "GET /open311/v2/services/{service_code}.{form}": ANYBODY,
    "POST /open311/v2/requests.{form}": {"app"},
    "GET /open311/v2/tokens/{token_id}.{form}": ANYBODY,
    "GET /open311/v2/requests.{form}": ANYBODY,
    "GET /open311/v2/requests/{service_request_id}.{form}": {"app"},  # the only one that reports as its source by name
    "GET /open311/v2/servicerequestupdates.{form}": ANYBODY,
    "POST /open311/v2/servicerequestupdates.{form}": {"app"},
}
# What nobody need show a key for: what the city offers, and of what was asked for that which is public.
UNLOCKED = {route for route, names in OPEN.items() if names == ANYBODY}


@pytest.fixture(scope="module")
def incident_id(gateway: Gateway) -> str:
    ended = gateway.opened("reporter", report(id_of(TOKEN)))
    with gateway.client("dispatcher") as client:
        answered = update(ended, "access-answered", "answer_at_desk", text="told")
        assert client.post("/v1/updates?wait_s=10", json=answered).json()["updates"][0]["state"] == "taken"
    with gateway.client("reporter") as client:
        url = client.post("/v1/media", content=PICTURE).json()["url"]
    return gateway.opened("reporter", report("access-1", media=[url]))


@pytest.fixture(scope="module")
def draft(gateway: Gateway) -> str:
    return gateway.draft("access")


def routes(gateway: Gateway) -> list[str]:
    document = httpx.get(f"{gateway.url}/openapi.json").json()
    return [f"{method.upper()} {path}" for path, of in document["paths"].items() for method in of]


def test_every_route_is_in_the_table(gateway: Gateway):
    assert sorted(routes(gateway)) == sorted(route.partition("?")[0] for route in OPEN)


@pytest.mark.parametrize("route", sorted(OPEN))
def test_a_route_is_open_to_these_keys_and_no_others(gateway: Gateway, incident_id: str, draft: str, route: str):
    found = {name for name in ROLES if _opened(_status(gateway, route, incident_id, draft, name))}
    assert found == OPEN[route]


def _opened(status: int) -> bool:
    """Let in, if only to be told that something else is in force by now."""
    return status < 400 or status == 409


@pytest.mark.parametrize("route", sorted(OPEN))
def test_without_a_key_only_that_is_open_which_is_meant_to_be(
    gateway: Gateway, incident_id: str, draft: str, route: str
):
    refused = {401} if route.partition(" ")[2].startswith("/v1/") else {403, 404}  # as Open311 has it
    assert _status(gateway, route, incident_id, draft, None) in ({200} if route in UNLOCKED else refused)


def _status(gateway: Gateway, route: str, incident_id: str, draft: str, name: str | None) -> int:
    method, path = route.split()
    ending = route.startswith("POST /v1/modes/{mode_id}")
    mode_id = gateway.mode_set("501") if ending else "emergency-1"
    former = {"sha256": gateway.in_force(), "expects": "0" * 64, "reason": "worse"} if "/policy/" in route else {}
    address = path.format(
        incident_id=incident_id, source="nyc-311", report_id="access-1", code="dep", form="json", mode_id=mode_id,
        service_code="noise", service_request_id=incident_id, token_id=TOKEN,
        sha256=hashlib.sha256(cleaned(PICTURE, 1_000).data).hexdigest(),
    )  # fmt: skip
    bodies = {
        "POST /v1/modes": {"mode": "emergency", "cells": ["501"], "until": later(60), "reason": "a storm"},
        "POST /v1/modes/preview": {"mode": "emergency", "cells": ["501"]},
        "POST /v1/modes/reroute": {"cells": ["501"], "reason": "the storm"},
        "POST /v1/modes/{mode_id}/end": {"reason": "it is over"},
        "POST /v1/policy/validate": {"files": {"policy.yaml": "name: x"}},
        "POST /v1/policy/explain": {"report": report("tried")},
        "POST /v1/policy/activate": {**former, "sha256": draft},
        "POST /v1/policy/rollback": former,
        "POST /v1/incidents/{incident_id}/contacts": {"purpose": "to phone"},
        "POST /v1/reports": report(f"access-{name}"),
        "POST /v1/updates": update(incident_id, f"access-{name}", "note", text="x"),
    }
    data = {"service_code": "noise", "lat": "40.75", "long": "-73.98"} if "/open311/" in route else {}
    data |= {"service_request_id": id_of(TOKEN), "update_id": "again", "status": "OPEN"} if data else {}
    content = PICTURE if route == "POST /v1/media" else None
    sent = {"json": bodies.get(route), "data": data if method == "POST" and data else None, "content": content}
    with gateway.client(name) as client, client.stream(method, address, **sent) as answer:
        return answer.status_code


@pytest.mark.parametrize("name", sorted(LIST))
def test_a_list_shows_what_one_may_see_and_no_more(gateway: Gateway, incident_id: str, name: str):
    with gateway.client(name) as client:
        lines = client.get("/v1/incidents", params={"limit": 1_000}).json()["lines"]
        seen = {line["incident_id"] for line in lines}
        assert (incident_id in seen) == (name in LOOK)
        for line in lines[:20]:
            assert client.get(f"/v1/incidents/{line['incident_id']}").status_code == 200


@pytest.mark.parametrize(
    "path", ["/nothing", "/v1", "/docs", "/redoc", "/v1/incidents/x/y", "/../etc/passwd", "/v1/keys"]
)
def test_what_is_not_there_is_said_so(gateway: Gateway, path: str):
    with gateway.client("admin") as client:
        answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:dispatch:not_found"


def test_a_wrong_key_is_nobody_and_too_many_of_them_wait(own_gateway: Gateway):
    right = own_gateway.keys["dispatcher"]
    prefix, key_id, secret = right.split(".")
    wrong = [f"{prefix}.{key_id}.{secret[:-1]}_", f"{prefix}.{key_id}.", f"xx.{key_id}.{secret}", "é", right + "x"]
    for key in wrong:
        answer = httpx.get(f"{own_gateway.url}/v1/queue", headers={"Authorization": f"Bearer {key}".encode()})
        assert answer.status_code == 401, key
        assert right not in answer.text
    statuses = [
        httpx.get(f"{own_gateway.url}/v1/queue", headers={"Authorization": "Bearer dk.x.y"}).status_code
        for _ in range(25)
    ]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    with own_gateway.client("dispatcher") as client:  # whoever has a right key is not held up by others
        assert client.get("/v1/queue").status_code == 200


def test_a_key_that_was_taken_back_opens_nothing_and_ends_its_streams(own_gateway: Gateway):
    with own_gateway.client("dispatcher") as client, client.stream("GET", "/v1/streams/queue") as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("retry:")
        own_gateway.revoke("dispatcher")
        assert client.get("/v1/queue").status_code == 401
        own_gateway.opened("reporter", report("access-revoked"))  # an event: what would be told is not
        until = time.monotonic() + 20
        told = [line for line in lines if line.startswith("data:") or time.monotonic() > until]
        assert told == []
    wait_until(lambda: own_gateway.process is not None and own_gateway.process.poll() is None)
