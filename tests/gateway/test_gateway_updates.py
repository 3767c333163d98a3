"""Updates over HTTP: who acts is said by the key, what the engine makes of it by the answer."""

from typing import Any

import msgspec
import pytest
from gateway_kafka import ON_BOTH
from gateway_process import Gateway, report, update

from dispatcher.core import Action
from dispatcher.core.messages import MESSAGE_BYTES_MAX
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.roles import Person
from dispatcher.gateway.updating import actor_of

ON = ON_BOTH


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


def test_the_same_id_with_other_words_is_not_taken(gateway: Gateway, incident_id: str):
    with gateway.client("dispatcher") as client:
        for text, state in (("one", "taken"), ("one", "taken"), ("other", "refused")):
            said = client.post("/v1/updates?wait_s=10", json=made(incident_id, "c1", text)).json()["updates"][0]
            assert said["state"] == state, text
    assert said["reason"] == "conflict"


def made(incident_id: str, update_id: str, text: str) -> dict[str, Any]:
    return update(incident_id, update_id, "note", text=text, at="2026-01-01T00:00:00Z")


def test_a_refusal_of_before_says_nothing_of_another_try(gateway: Gateway):
    there = {"lon": -73.986, "lat": 40.751}
    incident_id = gateway.opened("reporter", report("u-again", category="noise", location=there))
    with gateway.client("dep") as client:
        arrive = update(incident_id, "w1", "arrive")
        assert client.post("/v1/updates?wait_s=10", json=arrive).json()["updates"][0]["state"] == "refused"
        client.post("/v1/updates?wait_s=10", json=update(incident_id, "w2", "acknowledge"))
        assert client.post("/v1/updates?wait_s=10", json=arrive).json()["updates"][0]["state"] == "taken"


def test_what_a_key_may_not_see_is_answered_like_what_there_is_not(gateway: Gateway, incident_id: str):
    far = gateway.opened("reporter", report("u-far", category="noise", location={"lon": -74.15, "lat": 40.58}))
    nothing = "20000101-000-00001"
    asked = [
        update(incident_id, "h1", "note", text="x"),
        update(nothing, "h2", "note", text="x"),
        update(far, "h3", "merge", into=incident_id),
        update(far, "h4", "merge", into=nothing),
        made("", "h5", "x") | {"incident_id": None, "report": {"source": "nyc-311", "report_id": "u-1"}},
        made("", "h6", "x") | {"incident_id": None, "report": {"source": "nyc-311", "report_id": "there is none"}},
    ]
    with gateway.client("elsewhere") as client:
        answers = [client.post("/v1/updates", json=each) for each in asked]
        answers += [
            client.get(f"/v1/incidents/{each}{more}") for each in (incident_id, nothing) for more in ("", "/history")
        ]
        assert client.post("/v1/updates", json=update(far, "h7", "note", text="x")).status_code == 201
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_a_call_about_a_report_that_was_merged_is_taken_where_it_went(gateway: Gateway):
    """The engine enters it in the incident that goes on."""
    places = [{"lon": -73.984 + n * 0.004, "lat": 40.756 - n * 0.004} for n in range(2)]
    into, gone = (
        gateway.opened("reporter", report(f"u-merged-{n}", category="noise.worship", location=place))
        for n, place in enumerate(places)
    )
    assert into != gone
    with gateway.client("dispatcher") as client:
        merged = client.post("/v1/updates?wait_s=10", json=update(gone, "m1", "merge", into=into)).json()["updates"][0]
        assert merged["state"] == "taken", merged
        about = {"source": "nyc-311", "report_id": "u-merged-1"}
        call = update(gone, "m2", "contact", reached=True, report=about)
        said = client.post("/v1/updates?wait_s=10", json=call).json()["updates"][0]
    assert said["state"] == "taken", said


def test_a_message_that_fits_only_without_its_actor_is_refused_here(gateway: Gateway, incident_id: str):
    smile, steps = "\N{GRINNING FACE}", [{"name": "\N{GRINNING FACE}" * 256, "due": "2030-01-01T00:00:00Z"}] * 20
    words: dict[str, Any] = {
        "departments": [smile * 128] * 32,
        "support": [smile * 128] * 32,
        "flags": [smile * 256] * 8,
    }
    large = update(incident_id, "b1", "note", text="", milestones=steps, **words)
    large["text"] = "x" * (MESSAGE_BYTES_MAX - len(msgspec.json.encode(large)))
    with gateway.client("dispatcher") as client:
        answer = client.post("/v1/updates", content=msgspec.json.encode(large))
    assert answer.status_code == 422
    assert "as it is written" in answer.json()["detail"]


def test_a_role_acts_on_what_it_sees_itself():
    person = Person("k", "somebody", "", ("reporter", "street:105", "department:dep", "dispatcher"), ("*",), ("*",))
    both = ("1", "106")
    assert actor_of(person, Action.NOTE, None, ("1", "105"), []).role == "street"
    assert actor_of(person, Action.NOTE, None, both, ["dep"]).role == "department"
    assert actor_of(person, Action.NOTE, None, both, ["nypd"]).role == "dispatcher"
    for role in ("street:105", "department:dep", "reporter", "officer:106"):
        with pytest.raises(Problem):
            actor_of(person, Action.NOTE, role, both, ["nypd"])
    alone = person._replace(roles=("reporter", "street:105"))
    assert actor_of(alone, Action.REOPEN_REQUEST, None, ("1", "105"), []).role == "street"
    with pytest.raises(Problem):
        actor_of(alone, Action.REOPEN_REQUEST, "reporter", ("1", "105"), [])
