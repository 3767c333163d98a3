"""What is sent, in which order, how often, and what becomes of what is not taken: against a real web server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from notices_servers import Hook, HookServer, free_port, hook_server
from webhooks_cases import TOPIC, Desk, Town, settings

from dispatcher.config import ConfigError
from dispatcher.ledger import SqliteLedger
from dispatcher.notices import SIGNATURE_HEADER, TIMESTAMP_HEADER, verify
from dispatcher.webhooks import Box, BoxError, Endpoint, Sender, WebhookCounters
from dispatcher.webhooks import sender as senders

SECRET = b"between us"


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET.decode())


@pytest.fixture
def server() -> Iterator[HookServer]:
    with hook_server() as made:
        yield made


def test_a_record_is_an_event_signed_with_its_id(server: HookServer, tmp_path: Path):
    town = Town()
    desk = Desk(town, server, tmp_path)
    town.put_out(["i1"])
    town.put_out(["i9"], "dept.fire-brigade")
    desk.run()
    (hook,) = server.hooks
    assert (hook.path, hook.headers["Content-Type"]) == ("/orders", "application/cloudevents+json; charset=utf-8")
    stamp, signature = hook.headers[TIMESTAMP_HEADER], hook.headers[SIGNATURE_HEADER]
    assert verify(SECRET, stamp, hook.body, signature, now_s=desk.clock() // 1_000)
    assert not verify(SECRET, stamp, hook.body.replace(b"i1", b"i2"), signature, now_s=desk.clock() // 1_000)
    seq = town.ledger.follow(TOPIC, -1, 1)[0].seq
    assert json.loads(hook.body) == {
        "specversion": "1.0", "id": f"{TOPIC}:{seq}", "source": "/dispatcher", "type": "dispatcher.dept",
        "subject": "i1", "time": "2026-03-02T04:00:00.000Z", "datacontenttype": "application/json",
        "data": {"incident_id": "i1", "n": 0},
    }  # fmt: skip


def test_everything_arrives_once_in_its_order_and_the_cursor_goes_with_it(server: HookServer, tmp_path: Path):
    town = Town()
    desk = Desk(town, server, tmp_path)
    town.put_out([f"i{n % 7}" for n in range(250)])
    desk.run()
    assert desk.arrived == [(f"i{n % 7}", n) for n in range(250)]
    cursor = desk.box.cursor("gas")
    assert cursor is not None
    assert cursor.seq == town.ledger.follow(TOPIC, -1, 1_000)[-1].seq
    desk.run()
    Desk(town, server, tmp_path).run()  # as after a restart
    assert len(desk.arrived) == 250


def test_a_new_webhook_begins_where_the_topic_ends_unless_it_says_otherwise(server: HookServer, tmp_path: Path):
    town = Town()
    town.put_out(["old"])
    desk = Desk(town, server, tmp_path, begin="now")
    desk.run()
    town.put_out(["new"])
    Desk(town, server, tmp_path, begin="now").run()
    assert [key for key, _ in desk.arrived] == ["new"]


def test_while_one_incident_waits_others_go_on_and_its_own_keep_their_order(server: HookServer, tmp_path: Path):
    town = Town()
    desk = Desk(town, server, tmp_path)
    town.put_out(["a", "b", "a", "c", "a"])
    server.answers = [503]
    desk.run()
    assert desk.arrived == [("a", 0)]  # the endpoint has failed: it is left in peace for a moment
    assert desk.box.counts("gas") == (1, 0)
    desk.clock.pass_s(4.9)
    desk.run()
    assert len(desk.arrived) == 1
    desk.clock.pass_s(0.2)
    desk.run()
    assert desk.arrived[1:] == [("b", 1), ("c", 3)]
    assert desk.box.counts("gas") == (3, 0)
    server.answers = [500]
    desk.clock.pass_s(4.9)
    desk.run()
    assert desk.arrived[3:] == [("a", 0)]
    desk.clock.pass_s(19.9)  # twice as long
    desk.run()
    assert len(desk.arrived) == 4
    desk.clock.pass_s(0.2)
    desk.run()
    assert desk.arrived[4:] == [("a", 0), ("a", 2), ("a", 4)]
    assert desk.box.counts("gas") == (0, 0)


def breaking_on(server: HookServer, number: int) -> None:
    """The receiver breaks whenever it is given this record."""

    def before(hook: Hook) -> None:
        if json.loads(hook.body)["data"]["n"] == number:
            server.answers.append(500)

    server.before = before


def test_a_record_that_fails_by_itself_holds_up_its_incident_only(server: HookServer, tmp_path: Path):
    town = Town()
    desk = Desk(town, server, tmp_path, attempts_max=4)
    town.put_out(["a", "b", "a", "c", "a"])
    breaking_on(server, 0)
    desk.run()
    desk.clock.pass_s(5)
    desk.run()
    assert desk.arrived == [("a", 0), ("b", 1), ("c", 3)]
    for _ in range(3):
        assert desk.box.counts("gas") == (3, 0)
        desk.clock.pass_s(100)
        desk.run()
    desk.clock.pass_s(100)
    desk.run()
    assert desk.arrived[3:] == [("a", 0)] * 3 + [("a", 2), ("a", 4)]
    assert desk.box.counts("gas") == (0, 1)


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_what_the_receiver_refuses_is_given_up_at_once_and_the_rest_goes_on(
    server: HookServer, tmp_path: Path, status: int
):
    town = Town()
    desk = Desk(town, server, tmp_path)
    town.put_out(["a", "a", "b"])
    server.answers = [status]
    desk.run()
    assert desk.arrived == [("a", 0), ("a", 1), ("b", 2)]
    (letter,) = desk.box.dead("gas")
    assert (letter.key, letter.attempts, letter.detail) == ("a", 1, f"http {status}")
    assert desk.box.retry("gas") == 1
    desk.run()
    assert desk.arrived[3:] == [("a", 0)]
    assert desk.box.counts("gas") == (0, 0)


@pytest.mark.parametrize("status", [301, 302, 401, 403, 404, 405, 408, 410, 429, 500, 503])
def test_what_is_about_the_endpoint_is_tried_again(server: HookServer, tmp_path: Path, status: int):
    town = Town()
    desk = Desk(town, server, tmp_path)
    town.put_out(["a", "b"])
    server.answers = [status]
    desk.run()
    for _ in range(2):
        desk.clock.pass_s(5)
        desk.run()
    assert desk.arrived == [("a", 0), ("b", 1), ("a", 0)]
    assert [hook.path for hook in server.hooks] == ["/orders"] * 3  # no redirect is followed


def test_what_was_tried_often_enough_is_given_up(server: HookServer, tmp_path: Path):
    town = Town()
    desk = Desk(town, server, tmp_path, attempts_max=3, retry_longest_s=6)
    town.put_out(["a", "b"])
    for _ in range(3):
        server.answers = [500]
        desk.run()
        desk.clock.pass_s(12)
    assert desk.box.counts("gas") == (0, 1)
    desk.run()
    assert desk.arrived == [("a", 0)] * 3 + [("b", 1)]
    said = desk.counters.registry.get_sample_value
    outcomes = [
        said("dispatch_webhook_records_total", {"webhook": "gas", "outcome": each}) for each in ("retry", "dead")
    ]
    assert outcomes == [2.0, 1.0]


def test_a_system_that_is_down_is_asked_now_and_then_and_loses_nothing(tmp_path: Path):
    town = Town()
    port = free_port()
    down = HookServer()
    down.url = f"http://127.0.0.1:{port}"
    desk = Desk(town, down, tmp_path)
    town.put_out([f"i{n}" for n in range(50)])
    for _ in range(3):
        desk.run()
        desk.clock.pass_s(20)
    waiting, dead = desk.box.counts("gas")
    assert (waiting, dead) == (1, 0)  # the others were not even read
    with hook_server() as up:
        again = Desk(town, up, tmp_path)
        again.clock.pass_s(3_600)
        again.run()
        assert sorted(n for _, n in again.arrived) == list(range(50))


def test_the_topic_is_not_read_on_while_too_much_waits(
    server: HookServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(senders, "WAITING_MAX", 3)
    monkeypatch.setattr(senders, "BATCH", 1)
    town = Town()
    desk = Desk(town, server, tmp_path, attempts_max=100, retry_first_s=1_000, retry_longest_s=80_000)
    town.put_out(["a"] * 20)
    breaking_on(server, 0)
    desk.run()
    desk.clock.pass_s(1_000)
    desk.run()
    assert desk.box.counts("gas") == (3, 0)
    server.before = lambda _: None
    desk.clock.pass_s(1_000)
    desk.run()
    assert desk.arrived == [("a", 0), *[("a", n) for n in range(20)]]


def test_a_box_of_another_ledger_or_topic_is_refused(server: HookServer, tmp_path: Path):
    town = Town()
    town.put_out(["a"])
    desk = Desk(town, server, tmp_path)
    desk.run()
    other = Town()
    other.put_out(["b"])
    with pytest.raises(BoxError, match="another ledger"):
        Desk(other, server, tmp_path)
    made = settings(server.url, topic="routed")
    with pytest.raises(BoxError, match="another name"):
        Sender(town.ledger, desk.box, Endpoint(made), made, desk.clock, WebhookCounters())


def test_another_programs_file_is_left_alone(tmp_path: Path):
    SqliteLedger(tmp_path / "city.db").close()
    with pytest.raises(BoxError, match="not a letter box"):
        Box(tmp_path / "city.db")
    with pytest.raises(BoxError, match="nothing has been sent"):
        Box(tmp_path / "none", must_exist=True)


def test_a_secret_is_in_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "secret"
    file.write_text("from a file\n")
    Endpoint(settings("http://127.0.0.1:1", secret_env=None, secret_file=file))
    file.write_text("\n")
    with pytest.raises(ConfigError, match="is empty"):
        Endpoint(settings("http://127.0.0.1:1", secret_env=None, secret_file=file))
    with pytest.raises(ConfigError, match="No such file"):
        Endpoint(settings("http://127.0.0.1:1", secret_env=None, secret_file=tmp_path / "none"))
    monkeypatch.delenv("HOOK_SECRET")
    with pytest.raises(ConfigError, match="has no HOOK_SECRET"):
        Endpoint(settings("http://127.0.0.1:1"))
