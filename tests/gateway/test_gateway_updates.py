"""Updates over HTTP: who acts is said by the key, what the engine makes of it by the answer."""

import pytest
from gateway_process import Gateway, report, update


@pytest.fixture(scope="module")
def incident_id(gateway: Gateway) -> str:
    return gateway.opened("reporter", report("u-1", category="noise.street"))


def test_the_answer_says_what_the_engine_made_of_it(gateway: Gateway, incident_id: str):
    with gateway.client("dispatcher") as client:
        taken = client.post("/v1/updates?wait_s=10", json=update(incident_id, "n1", "note", text="seen")).json()
        assert taken["updates"][0]["state"] == "taken"
        assert taken["updates"][0]["revision"] >= 2
        refused = client.post("/v1/updates?wait_s=10", json=update(incident_id, "n2", "check", result="pass")).json()
    assert refused["updates"][0]["state"] == "refused"
    assert refused["updates"][0]["reason"] == "not_allowed"
    assert "allowed:" in refused["updates"][0]["detail"]


def test_who_acts_is_who_holds_the_key(gateway: Gateway, incident_id: str):
    forged = update(incident_id, "f1", "note", text="x", actor={"role": "supervisor", "person": "somebody else"})
    with gateway.client("dispatcher") as client:
        answer = client.post("/v1/updates", json=forged)
        assert answer.status_code == 422
        assert "actor" in answer.json()["detail"]
        client.post("/v1/updates?wait_s=10", json=update(incident_id, "f2", "note", text="x"))
        entries = client.get(f"/v1/incidents/{incident_id}/history").json()["entries"]
    assert entries[-1]["by"] == {"role": "dispatcher", "person": "dispatcher"}


def test_a_role_that_may_not_is_told_who_may(gateway: Gateway, incident_id: str):
    with gateway.client("dispatcher") as client:
        answer = client.post("/v1/updates", json=update(incident_id, "a1", "acknowledge"))
        assert answer.status_code == 403
        assert "department" in answer.json()["detail"]
        answer = client.post("/v1/updates?as=supervisor", json=update(incident_id, "a2", "note", text="x"))
        assert answer.status_code == 403


def test_a_department_answers_its_own_part_and_no_other(gateway: Gateway):
    incident_id = gateway.opened("reporter", report("u-2", category="noise", location={"lon": -73.985, "lat": 40.752}))
    with gateway.client("dispatcher") as client:
        lead = client.get(f"/v1/incidents/{incident_id}").json()["lead"]["department"]
    assert lead == "dep"
    with gateway.client("nypd") as client:
        assert client.post("/v1/updates", json=update(incident_id, "d1", "acknowledge")).status_code == 404
    with gateway.client("dep") as client:
        said = client.post("/v1/updates?wait_s=10", json=update(incident_id, "d2", "acknowledge")).json()
        assert said["updates"][0]["state"] == "taken"
        assert client.get(f"/v1/incidents/{incident_id}").json()["state"] == "handling"


def test_a_list_is_taken_whole_or_not_at_all(gateway: Gateway, incident_id: str):
    listed = [update(incident_id, "l1", "note", text="x"), update("20000101-000-00001", "l2", "note", text="x")]
    with gateway.client("dispatcher") as client:
        assert client.post("/v1/updates", json=listed).status_code == 404
        both = [update(incident_id, "l3", "note", text="x"), update(incident_id, "l4", "note", text="y")]
        said = client.post("/v1/updates?wait_s=10", json=both).json()["updates"]
        assert [one["state"] for one in said] == ["taken", "taken"]
        record = client.get(f"/v1/incidents/{incident_id}").json()
    assert "l1" not in record["updates"]
    assert {"l3", "l4"} <= set(record["updates"])
