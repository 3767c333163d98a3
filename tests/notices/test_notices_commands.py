"""`dispatcher run` delivers; `dispatcher notices` lists, retries and tries out: the real command line."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from notices_cases import City, record, to_reporter
from notices_servers import free_port, hook_server

from dispatcher.ledger import SqliteLedger
from dispatcher.notices import OUTBOX_SUFFIX, verify

ROOT = Path(__file__).parent.parent.parent
NYC = ROOT / "examples" / "nyc"
WAIT_S = 60.0


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


class Town:
    """A configuration with a hub, its ledger, and the command line on it."""

    def __init__(self, directory: Path, url: str) -> None:
        self.ledger = directory / "city.db"
        self.config = directory / "config.yaml"
        self.environment = {**os.environ, "HOOK_SECRET": "s", "DISPATCHER__HTTP__PORT": "0", "NO_COLOR": "1"}
        made = {
            "policy": str(NYC / "policy"), "grid": str(NYC / "grid.geojson"), "ledger": "city.db",
            "notices": {
                "language": "en", "poll_ms": 20, "attempts_max": 1, "quiet_from": "00:00", "quiet_until": "00:00",
                "channels": {"hub": {"kind": "webhook", "secret_env": "HOOK_SECRET", "timeout_s": 5},
                             "mail": {"kind": "smtp", "host": "127.0.0.1", "port": free_port(), "starttls": False,
                                      "sender": "a@b.example"}},
                "routes": [{"to": "gas-company", "channel": "hub", "address": url},
                           {"to": "report:*", "channel": "mail"}],
            },
        }  # fmt: skip
        self.config.write_text(json.dumps(made), encoding="utf-8")

    def put_out(self, *records: dict) -> None:
        ledger = SqliteLedger(self.ledger)
        City(ledger).put_out(records, now())
        ledger.close()

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "dispatcher", "-c", str(self.config), *arguments]

    def say(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), env=self.environment, capture_output=True, text=True, timeout=WAIT_S
        )

    def run_until(self, is_so: Callable[[str], bool]) -> str:
        """Run the engine until its metrics are so; returns them."""
        key = self.say("keys", "add", "whoever looks", "--role", "monitor").stdout.strip()
        process = subprocess.Popen(self.command("run"), env=self.environment, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        seen = ""
        try:
            found = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
            assert found

            def look() -> bool:
                nonlocal seen
                seen = httpx.get(f"{found[0]}/metrics", headers={"Authorization": f"Bearer {key}"}, timeout=10).text
                return is_so(seen)

            wait_until(look)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=WAIT_S)
            assert process.returncode == 0
        finally:
            process.kill()
            process.communicate()
        return seen


def now() -> int:
    return time.time_ns() // 1_000_000


def test_run_delivers_and_the_commands_tell(tmp_path: Path) -> None:
    with hook_server() as server:
        town = Town(tmp_path, f"{server.url}/notices")
        before = town.say("notices")
        assert before.returncode == 1
        assert "no notice has been taken in" in before.stderr
        town.put_out(
            record(1, at_ms=now(), severity=1), record(2, "police", now(), severity=2),
            to_reporter(3, "r1", now()), record(4, "fire", now(), severity=4),
        )  # fmt: skip
        server.answers = [410]
        metrics = town.run_until(lambda text: 'outcome="unreachable"' in text and 'outcome="failed"' in text)
        assert 'dispatch_notices_total{channel="log",outcome="delivered",template="urge"} 1.0' in metrics
        (hook,) = server.hooks
        assert json.loads(hook.body)["notices"][0]["notice_id"] == record(1)["notice_id"]
        assert verify(b"s", hook.headers["X-Dispatch-Timestamp"], hook.body, hook.headers["X-Dispatch-Signature"],
                      now_s=now() // 1000)  # fmt: skip

        rows = json.loads(town.say("notices", "--json").stdout)
        assert [(row["status"], row["channel"], row["detail"]) for row in rows] == [
            ("failed", "hub", "http 410"), ("delivered", "log", None), ("unreachable", "mail", "no contact"),
            ("waiting", None, None),
        ]  # fmt: skip
        assert rows[0]["incident_id"] == "20260302-000-00001"
        failed = town.say("notices", "--failed").stdout
        assert "http 410" in failed
        assert "gas-company" in failed
        assert "police" not in failed
        waiting = town.say("notices", "--waiting", "--lang", "zh").stdout
        assert "待发" in waiting
        assert "gas-company" not in waiting
        assert "no such notice" in town.say("notices", "--to", "nobody").stderr
        assert town.say("notices", "--failed", "--waiting").returncode == 2

        assert json.loads(town.say("notices", "retry", "--to", "police", "--json").stdout) == {"retried": 0}
        assert "1 notice(s)" in town.say("notices", "retry").stdout
        town.run_until(lambda text: 'channel="hub",outcome="delivered"' in text)
        assert len(server.hooks) == 2


def test_trying_a_recipient_out(tmp_path: Path) -> None:
    with hook_server() as server:
        town = Town(tmp_path, server.url)
        done = town.say("notices", "test", "gas-company", "--json")  # there is no ledger yet
        assert done.returncode == 0
        assert json.loads(done.stdout) == {
            "to": "gas-company", "channel": "hub", "outcome": "delivered", "reason": None
        }  # fmt: skip
        (hook,) = server.hooks
        assert json.loads(hook.body)["subject"] == "Test"
        server.answers = [500]
        failed = town.say("notices", "test", "gas-company", "--lang", "zh")
        assert failed.returncode == 1
        assert "hub 发送失败：http 500" in failed.stderr
        assert not (tmp_path / "city.db").exists()
        town.put_out()
        nobody = town.say("notices", "test", "report:hotline/r1")
        assert nobody.returncode == 1
        assert "report:hotline/r1: cannot be reached by mail: no contact" in nobody.stderr
        ledger = SqliteLedger(town.ledger)
        ledger.put("reporters", "hotline/r1", b'{"email":"li@example.org"}')
        ledger.close()
        refused = town.say("notices", "test", "report:hotline/r1", "--json")
        assert json.loads(refused.stdout)["reason"] == "connection: ConnectionRefusedError"
        assert "example.org" not in refused.stdout + refused.stderr
        del town.environment["HOOK_SECRET"]
        missing = town.say("notices", "test", "city")
        assert missing.returncode == 1
        assert "HOOK_SECRET" in missing.stderr


def test_a_long_list_is_cut_on_a_table_only(tmp_path: Path, capsys) -> None:
    """In this process: the table shows the newest, JSON all of them."""
    from dispatcher.commands.notices.listing import notices_command
    from dispatcher.notices import Outbox
    from dispatcher.notices.notice import decode_notice
    from dispatcher.notices.outbox import Mark

    ledger = tmp_path / "city.db"
    outbox = Outbox(ledger.with_name(ledger.name + OUTBOX_SUFFIX))
    rows = [(n, decode_notice(json.dumps(record(n, f"unit-{n:03}", template="odd")).encode())) for n in range(250)]
    outbox.take(rows, Mark(249, 0), now(), 0)
    outbox.postpone([rows[249][1].notice_id], 9, now(), now() + 60_000, "log", "x")
    outbox.close()
    options = {"failed": False, "waiting": False, "to": None}
    notices_command(tmp_path / "none", ledger, **options, lang="en", json=False)
    said = capsys.readouterr()
    assert "the newest 200 of 250" in said.err
    assert "unit-049" not in said.out
    assert "unit-050" in said.out
    notices_command(tmp_path / "none", ledger, **options, lang="en", json=True)
    listed = json.loads(capsys.readouterr().out)
    assert len(listed) == 250
    assert listed[249]["next_at"] > listed[248]["at"]
    with pytest.raises(SystemExit):
        notices_command(tmp_path / "none", ledger, **options, lang="fr", json=True)
