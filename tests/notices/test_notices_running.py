"""Delivering in the thread beside an engine: it delivers, it stops, and a fault of our own does not end it."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from notices_cases import VOICE, City, record, settings
from notices_servers import hook_server
from prometheus_client import generate_latest

from dispatcher.config import ConfigError
from dispatcher.ledger import LedgerError, SqliteLedger
from dispatcher.notices import Delivered, NoticeCounters, Outbox, OutboxError, delivering, running

WAIT_S = 60.0


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def now() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", "s")
    made = SqliteLedger(tmp_path / "city.db")
    yield made
    made.close()


def to_hub(url: str):
    return settings(
        channels={"hub": {"kind": "webhook", "secret_env": "HOOK_SECRET"}},
        routes=[{"to": "*", "channel": "hub", "address": url}],
        poll_ms=10,
    )


def test_delivers_what_comes_and_stops(ledger: SqliteLedger, tmp_path: Path) -> None:
    city = City(ledger)
    with hook_server() as server, delivering(tmp_path / "city.db", to_hub(server.url), VOICE, NoticeCounters()):
        for n in range(3):
            city.put_out([record(n, at_ms=now(), severity=1)], now())
            wait_until(lambda n=n: len(server.hooks) == n + 1)
    assert not [thread for thread in threading.enumerate() if thread.name == "notices"]


def test_starts_again_after_a_fault_of_our_own(ledger: SqliteLedger, tmp_path: Path, monkeypatch, caplog) -> None:
    """The outbox is damaged while it is followed: counted, said, and it goes on once there is one again."""
    monkeypatch.setattr(running, "RESTART_S", 0.01)
    city, counters = City(ledger), NoticeCounters()
    outbox = tmp_path / "city.db.notices"

    def stops() -> float:
        lines = generate_latest(counters.registry).decode().splitlines()
        return float(next(line for line in lines if line.startswith("dispatch_notices_stops_total")).split()[1])

    with hook_server() as server, delivering(tmp_path / "city.db", to_hub(server.url), VOICE, counters):
        wait_until(outbox.exists)
        spoil = Outbox(outbox)
        spoil._db.execute("DROP TABLE position")
        spoil.close()
        wait_until(lambda: stops() >= 1)
        repair = Outbox(outbox)
        repair._db.execute("CREATE TABLE position (one INTEGER PRIMARY KEY, seq INTEGER, checksum INTEGER)")
        repair.close()
        city.put_out([record(1, at_ms=now(), severity=1)], now())
        wait_until(lambda: len(server.hooks) == 1)
    assert "delivering notices has stopped" in caplog.text


def test_stopping_does_not_wait_for_ever(ledger: SqliteLedger, tmp_path: Path, monkeypatch, caplog) -> None:
    """A channel that does not come back: the thread is left behind, and what it had is delivered again."""
    monkeypatch.setattr(running, "STOP_S", 0.1)
    asked, go_on = threading.Event(), threading.Event()

    class Stuck:
        def deliver(self, _message: object) -> Delivered:
            asked.set()
            go_on.wait(WAIT_S)
            return Delivered()

    monkeypatch.setattr(running, "open_channels", lambda _: {"log": Stuck()})
    City(ledger).put_out([record(1, at_ms=now(), severity=1)], now())
    with delivering(tmp_path / "city.db", settings(), VOICE, NoticeCounters()):
        assert asked.wait(WAIT_S)
        began = time.monotonic()
    assert time.monotonic() - began < WAIT_S / 2
    assert "was not finished" in caplog.text
    go_on.set()
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "notices"])


def test_what_a_person_must_put_right_is_said_at_the_start(ledger: SqliteLedger, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("HOOK_SECRET")
    with pytest.raises(ConfigError, match="HOOK_SECRET"), delivering(
        tmp_path / "city.db", to_hub("http://127.0.0.1"), VOICE, NoticeCounters()
    ):  # fmt: skip
        pass
    (tmp_path / "city.db.notices").write_bytes(b"something else, and rather long" * 100)
    with pytest.raises(OutboxError), delivering(tmp_path / "city.db", settings(), VOICE, NoticeCounters()):
        pass
    with pytest.raises(LedgerError), delivering(tmp_path / "absent.db", settings(), VOICE, NoticeCounters()):
        pass
