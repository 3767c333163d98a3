"""What is private of an incident: masked words for whose business it is, contacts on record, and from whom kept."""

from typing import Any

import pytest
from gateway_process import Gateway, report

TOLD = {
    "text": "jackhammer, call 13812345678 or li@example.org",
    "reporter": {"name": "Li Si", "phone": "13812345678", "email": "li@example.org"},
}


def contacts(gateway: Gateway, name: str, incident_id: str, purpose: str = "to phone back") -> Any:
    with gateway.client(name) as client:
        answer = client.post(f"/v1/incidents/{incident_id}/contacts", json={"purpose": purpose})
        return answer.json() if answer.status_code == 200 else answer.status_code


@pytest.fixture(scope="module")
def incident_id(gateway: Gateway) -> str:
    return gateway.opened("reporter", report("private-1", **TOLD))


def test_the_words_are_masked(gateway: Gateway, incident_id: str):
    for name in ("dispatcher", "inspector", "dep", "street"):
        with gateway.client(name) as client:
            answer = client.get(f"/v1/incidents/{incident_id}/reports")
        (told,) = answer.json()["reports"]
        assert told["text"].startswith("jackhammer, call ")
        assert told["reachable"]
        for secret in ("13812345678", "li@example.org", "Li Si"):
            assert secret not in answer.text


def test_a_contact_is_opened_by_the_centre_and_by_who_works_on_it_and_each_look_is_kept(
    gateway: Gateway, incident_id: str
):
    for name in ("dispatcher", "dep"):
        found = contacts(gateway, name, incident_id, f"to phone back, {name}")
        assert found["kept_back"] == 0
        (contact,) = found["contacts"]
        assert contact == {"source": "nyc-311", "report_id": "private-1", "address": None, "text": TOLD["text"],
                           **TOLD["reporter"]}  # fmt: skip
    assert contacts(gateway, "nypd", incident_id) == 404
    assert contacts(gateway, "inspector", incident_id) == 403
    with gateway.client("supervisor") as client:
        lines = client.get("/v1/looks", params={"incident_id": incident_id}).json()["lines"]
        first = client.get("/v1/looks", params={"limit": 1}).json()
        assert [first["lines"][0], *client.get("/v1/looks", params={"before": first["next"]}).json()["lines"]][
            :2
        ] == lines
    assert [(line["name"], line["purpose"], line["reports"]) for line in lines] == [
        ("dep", "to phone back, dep", [["nyc-311", "private-1"]]),
        ("dispatcher", "to phone back, dispatcher", [["nyc-311", "private-1"]]),
    ]


def test_what_no_role_may_read_alone_two_of_them_do_not_read_together(gateway: Gateway, incident_id: str):
    """An analyst sees the incident and reads no words; another department reads words, of its own incidents."""
    gateway.admit("both", roles=["analyst", "department:nypd"], areas=["*"])
    with gateway.client("both") as client:
        assert client.get(f"/v1/incidents/{incident_id}").status_code == 200
        assert client.get(f"/v1/incidents/{incident_id}/reports").status_code == 404
    with gateway.client(cookies={"dispatch_session": gateway.session("both")}) as browser:
        page = browser.get(f"/console/incidents/{incident_id}")
    assert page.status_code == 200
    assert "jackhammer" not in page.text


def test_looks_of_the_whole_city_are_for_who_has_the_whole_city(gateway: Gateway, incident_id: str):
    for name, area, own in (("district", "1", 200), ("another district", "5", 404)):
        gateway.admit(name, roles=["supervisor"], areas=[area])
        with gateway.client(name) as client:
            assert client.get("/v1/looks").status_code == 404
            assert client.get("/v1/looks", params={"incident_id": incident_id}).status_code == own


@pytest.mark.parametrize("how", [{"confidential": True}, {"request_kind": "tip_off"}])
def test_what_is_confidential_is_the_centres(gateway: Gateway, how: dict[str, Any]):
    name = f"private-{next(iter(how))}"
    incident_id = gateway.opened("reporter", report(name, **TOLD, **how))
    assert contacts(gateway, "dep", incident_id) == {"contacts": [], "kept_back": 1}
    assert len(contacts(gateway, "dispatcher", incident_id)["contacts"]) == 1


def test_who_wants_no_name_has_none(gateway: Gateway):
    anonymous = {"reporter": {**TOLD["reporter"], "anonymous": True}}
    incident_id = gateway.opened("reporter", report("private-anonymous", **anonymous))
    assert contacts(gateway, "dispatcher", incident_id) == {"contacts": [], "kept_back": 0}


@pytest.mark.parametrize("purpose", ["", "x", "x" * 201])
def test_a_look_without_a_purpose_is_none(gateway: Gateway, incident_id: str, purpose: str):
    assert contacts(gateway, "dispatcher", incident_id, purpose) == 422
