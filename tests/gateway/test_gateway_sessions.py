"""A session stands for a key until its person signs out; what it changes, its own pages ask for."""

from pathlib import Path

import pytest
from gateway_process import Gateway, report, update

from dispatcher.gateway.keys import Keys
from dispatcher.gateway.sessions import OF_ONE_KEY_MAX, SESSION_S, Sessions, csrf_of


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")


def test_a_session_lasts_a_shift(keys: Keys):
    now_ms = 1_000
    sessions = Sessions(keys.db, lambda: now_ms)
    token = sessions.begin("k")
    now_ms += SESSION_S * 1_000 - 1
    assert sessions.key_id(token) == "k"
    now_ms += 1
    assert sessions.key_id(token) is None
    sessions.begin("k")
    assert keys.db.execute("SELECT count(*) FROM session").fetchone() == (1,), "what is over is not kept"


def test_signing_out_ends_this_session_and_no_other(keys: Keys, tmp_path: Path):
    sessions = Sessions(keys.db)
    one, two = sessions.begin("k"), sessions.begin("k")
    sessions.end(one)
    assert (sessions.key_id(one), sessions.key_id(two)) == (None, "k")
    keys.close()
    assert two.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert Sessions(Keys(tmp_path / "keys").db).key_id(two) == "k", "a restart signs nobody out"


def test_of_one_key_only_so_many(keys: Keys):
    now_ms = 0

    def clock() -> int:
        nonlocal now_ms
        now_ms += 1
        return now_ms

    sessions = Sessions(keys.db, clock)
    other = sessions.begin("other")
    tokens = [sessions.begin("k") for _ in range(OF_ONE_KEY_MAX + 3)]
    assert [sessions.key_id(token) for token in tokens] == [None] * 3 + ["k"] * OF_ONE_KEY_MAX
    assert sessions.key_id(other) == "other"


@pytest.fixture
def token(gateway: Gateway) -> str:
    """As signing in gives it to a browser."""
    return gateway.session("dispatcher")


def test_a_session_reads_what_its_key_does_and_changes_only_with_its_own_word(gateway: Gateway, token: str):
    incident_id = gateway.opened("reporter", report("session-1"))
    note = update(incident_id, "session-note", "note", text="x")
    with gateway.client(cookies={"dispatch_session": token}) as client:
        assert client.get("/v1/queue").status_code == 200
        assert client.get("/v1/measures").status_code == 403
        for wrong in ({}, {"X-CSRF-Token": csrf_of("other")}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "é".encode()}):
            answer = client.post("/v1/updates", json=note, headers=wrong)
            assert answer.status_code == 403, wrong
            assert answer.json()["type"] == "urn:dispatch:not_from_here"
        assert client.post("/v1/updates", json=note, headers={"X-CSRF-Token": csrf_of(token)}).status_code == 201
    with gateway.client(cookies={"dispatch_session": token[:-1] + "_"}) as client:
        assert client.get("/v1/queue").status_code == 401


def test_a_stream_ends_with_its_session(gateway: Gateway, token: str):
    cookies = {"dispatch_session": token}
    with gateway.client(cookies=cookies) as client, client.stream("GET", "/v1/streams/queue") as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("retry:")
        gateway.sign_out(token)
        gateway.opened("reporter", report("session-2"))  # an event: what would be told is not
        assert [line for line in lines if line.startswith("data:")] == []


def test_a_key_taken_back_ends_its_sessions(own_gateway: Gateway):
    token = own_gateway.session("dispatcher")
    with own_gateway.client(cookies={"dispatch_session": token}) as client:
        assert client.get("/v1/queue").status_code == 200
        own_gateway.revoke("dispatcher")
        assert client.get("/v1/queue").status_code == 401
