"""`dispatcher run` sends what comes, through kill -9 and restarts; `dispatcher webhooks` says how it stands."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from notices_servers import Hook, HookServer, hook_server

from dispatcher.ledger import SqliteLedger
from dispatcher.notices import SIGNATURE_HEADER, TIMESTAMP_HEADER, verify

ROOT = Path(__file__).parents[2]
NYC = ROOT / "examples" / "nyc"
SECRET = "between us"
WAIT_S = 60.0


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


class Town:
    """A configuration with one webhook, and the command line on it."""

    def __init__(self, directory: Path, url: str) -> None:
        self.ledger, self.config, self.log = directory / "city.db", directory / "config.yaml", directory / "run.log"
        self.environment = {**os.environ, "DISPATCHER__HTTP__PORT": "0", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
        (directory / "secret").write_text(f"{SECRET}\n", encoding="utf-8")
        hook = {
            "name": "dep", "topic": "dept.dep", "url": f"{url}/orders", "secret_file": "secret", "begin": "beginning",
            "retry_first_s": 0.05, "retry_longest_s": 0.2, "attempts_max": 3,
        }  # fmt: skip
        made = {
            "policy": str(NYC / "policy"), "grid": str(NYC / "grid.geojson"), "ledger": "city.db", "webhooks": [hook],
        }  # fmt: skip
        self.config.write_text(json.dumps(made), encoding="utf-8")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "dispatcher", "-c", str(self.config), *words]

    def call(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words), env=self.environment, input=given, capture_output=True, text=True, timeout=WAIT_S
        )

    def start(self) -> "subprocess.Popen[bytes]":
        begun = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            process = subprocess.Popen(self.command("run"), env=self.environment, stderr=log)
        wait_until(lambda: bool(re.search(r"http://127", self.log.read_text()[begun:])) or process.poll() is not None)
        assert process.poll() is None, self.log.read_text()
        return process

    def report(self, first: int, count: int) -> None:
        ledger = SqliteLedger(self.ledger)
        ledger.close()
        lines = [
            {
                "report_id": f"r{n}", "source": "nyc-311", "reported_at": "2026-03-02T04:00:00Z", "category": "noise",
                "location": {"lon": -73.98 + n * 1e-5, "lat": 40.75},
            }
            for n in range(first, first + count)
        ]  # fmt: skip
        file = self.config.with_name(f"reports-{first}.jsonl")
        file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
        done = self.call("append", "reports", str(file))
        assert done.returncode == 0, done.stderr


@pytest.fixture
def server() -> Iterator[HookServer]:
    with hook_server() as made:
        yield made


def events(server: HookServer) -> list[dict[str, Any]]:
    return [json.loads(hook.body) for hook in server.hooks]


@pytest.mark.timeout(240)
def test_orders_arrive_at_least_once_through_kills(server: HookServer, tmp_path: Path):
    town = Town(tmp_path, server.url)
    SqliteLedger(town.ledger).close()
    town.report(0, 30)
    fatal = {5, 17}  # of the requests, counted over all lives
    process = town.start()

    def kill(_hook: Hook) -> None:
        if len(server.hooks) - 1 in fatal:
            process.kill()  # what was sent has arrived; the sender never hears so

    server.before = kill
    for _ in range(len(fatal)):
        assert process.wait(WAIT_S) == -9
        process = town.start()
    try:
        wait_until(lambda: len({event["id"] for event in events(server)}) >= 30)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0
    ids = [event["id"] for event in events(server)]
    assert len(ids) == len(set(ids)) + len(fatal)
    assert list(dict.fromkeys(ids)) == sorted(set(ids), key=lambda each: int(each.rpartition(":")[2]))
    for hook in server.hooks:
        stamp, signature = hook.headers[TIMESTAMP_HEADER], hook.headers[SIGNATURE_HEADER]
        assert verify(SECRET.encode(), stamp, hook.body, signature, now_s=int(time.time()))
    assert {event["data"]["event"] for event in events(server)} == {"offer"}


@pytest.mark.timeout(120)
def test_how_it_stands_is_listed_and_what_was_given_up_goes_out_again(server: HookServer, tmp_path: Path):
    town = Town(tmp_path, server.url)
    SqliteLedger(town.ledger).close()
    assert "nothing has been sent" in town.call("webhooks").stderr
    town.report(0, 3)
    server.answers = [422]
    process = town.start()
    try:
        wait_until(lambda: len(server.hooks) == 3)
        wait_until(lambda: json.loads(town.call("webhooks", "--json").stdout)[0]["dead"] == 1)
        listed = json.loads(town.call("webhooks", "--json").stdout)
        assert (listed[0]["name"], listed[0]["topic"], listed[0]["waiting"]) == ("dep", "dept.dep", 0)
        assert "dept.dep" in town.call("webhooks", "--lang", "zh").stdout
        (letter,) = json.loads(town.call("webhooks", "dead", "dep", "--json").stdout)
        assert (letter["attempts"], letter["detail"]) == (1, "http 422")
        assert letter["incident_id"] in town.call("webhooks", "dead", "dep").stdout
        assert "1 record(s)" in town.call("webhooks", "retry", "dep").stdout
        wait_until(lambda: len(server.hooks) == 4)
        assert town.call("webhooks", "test", "dep").returncode == 0
        wait_until(lambda: events(server)[-1]["data"] is None)
        server.answers = [500]
        failed = town.call("webhooks", "test", "dep", "--json")
        assert (failed.returncode, json.loads(failed.stdout)["reason"]) == (1, "http 500")
        unknown = town.call("webhooks", "retry", "none")
        assert (unknown.returncode, "there are: dep" in unknown.stderr) == (2, True)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0
    assert "Traceback" not in town.log.read_text()


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ({"name": "x", "topic": "state", "url": "http://a.example", "secret_env": "S"}, "topic"),
        ({"name": "x", "topic": "reporters", "url": "http://a.example", "secret_env": "S"}, "topic"),
        ({"name": "x", "topic": "dept.*", "url": "http://a.example", "secret_env": "S"}, "topic"),
        ({"name": "x", "topic": "routed", "url": "file:///etc/passwd", "secret_env": "S"}, "http or https"),
        ({"name": "x", "topic": "routed", "url": "http://u:p@a.example", "secret_env": "S"}, "http or https"),
        ({"name": "x", "topic": "routed", "url": "http://a.example"}, "secret_env or secret_file"),
        ({"name": "x", "topic": "routed", "url": "http://a.example", "secret_env": "S"}, "has no S"),
    ],
)
def test_a_webhook_that_cannot_be_is_refused_at_the_start(tmp_path: Path, hook: dict[str, str], said: str):
    town = Town(tmp_path, "http://127.0.0.1:1")
    made = json.loads(town.config.read_text(encoding="utf-8")) | {"webhooks": [hook]}
    town.config.write_text(json.dumps(made), encoding="utf-8")
    done = town.call("run")
    assert done.returncode == 1
    assert said in done.stderr
