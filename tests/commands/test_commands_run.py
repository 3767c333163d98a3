"""`dispatcher run` in a process of its own: takes what others append, says how it is, stops cleanly, is alone."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dispatcher.gateway import Keys
from tests.acceptance.command_line import dispatcher, export

WAIT_S = 60.0


class Running:
    def __init__(self, config: Path, ledger: Path) -> None:
        command = [sys.executable, "-m", "dispatcher", "--config", str(config), "run", "--ledger", str(ledger)]
        keys = Keys(ledger.with_name(f"{ledger.name}.keys"))
        self._key = keys.add("whoever looks", ["monitor"])
        keys.close()
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env={**os.environ, "DISPATCHER__HTTP__PORT": "0"}
        )
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert found, line
        self.url = f"http://127.0.0.1:{found[1]}"

    def get(self, path: str) -> tuple[int, str]:
        try:
            asked = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self._key}"})
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""

    def stop(self, signum: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(signum)
        _, said = self.process.communicate(timeout=WAIT_S)
        return self.process.returncode, said


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


@pytest.fixture
def running(nyc: Path, tmp_path: Path) -> Iterator[Running]:
    made = Running(nyc / "config.yaml", tmp_path / "live.db")
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.communicate(timeout=WAIT_S)


def report(number: int, **fields: object) -> bytes:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    made = {"report_id": str(number), "source": "nyc-311", "reported_at": now, "category": "Illegal Parking", **fields}
    return json.dumps(made).encode()


def test_follows_what_others_append(nyc: Path, tmp_path: Path, running: Running) -> None:
    config, ledger = nyc / "config.yaml", tmp_path / "live.db"
    wait_until(lambda: running.get("/health/ready")[0] == 200)
    assert running.get("/health/live")[0] == 200
    assert running.get("/nothing")[0] == 404
    reports = [report(n) for n in range(50)]
    lines = b"\n".join([*reports, b"{broken", reports[7]])
    dispatcher("append", "reports", "--ledger", str(ledger), config=config, stdin=lines)
    wait_until(lambda: 'dispatch_records_total{outcome="accepted",topic="reports"} 50.0' in running.get("/metrics")[1])
    metrics = running.get("/metrics")[1]
    assert 'dispatch_records_total{outcome="repeated",topic="reports"} 1.0' in metrics
    assert 'dispatch_rejected_total{reason="not_json"} 1.0' in metrics
    assert "dispatch_policy_info" in metrics
    incident = export(config, ledger, "incidents")[0]
    now = "2026-01-01T00:00:00Z"
    update = {"update_id": "u1", "incident_id": incident["incident_id"], "action": "acknowledge", "at": now}
    department = incident["lead"]["department"]
    dispatcher(
        "append", f"updates.{department}", "--ledger", str(ledger), config=config, stdin=json.dumps(update).encode()
    )
    wait_until(lambda: 'outcome="accepted",topic="updates"} 1.0' in running.get("/metrics")[1])
    code, said = running.stop()
    assert code == 0
    assert "stopped" in said
    states = {made["incident_id"]: made["state"] for made in export(config, ledger, "incidents")}
    assert states[incident["incident_id"]] == "handling"
    assert dispatcher("audit", "--ledger", str(ledger), config=config).returncode == 0


def test_timers_fire_by_the_clock(nyc: Path, tmp_path: Path) -> None:
    """A second policy, whose acknowledgement is due within a second or so, fires without any further record."""
    import shutil

    shutil.copytree(nyc / "policy", tmp_path / "policy")
    sla = tmp_path / "policy" / "sla.yaml"
    text = sla.read_text(encoding="utf-8")
    quick = re.sub(r"(acknowledge: *\{ *within: *)[^,}]+", r"\g<1>0.02m", text)
    assert quick != text
    sla.write_text(quick, encoding="utf-8")
    config = tmp_path / "config.yaml"
    config.write_text(f"policy: policy\ngrid: {nyc / 'grid.geojson'}\n", encoding="utf-8")
    ledger = tmp_path / "live.db"
    running = Running(config, ledger)
    try:
        dispatcher("append", "reports", "--ledger", str(ledger), config=config, stdin=report(1))
        wait_until(lambda: 'dispatch_target_timers_total{what="breach"} 1.0' in running.get("/metrics")[1])
        assert running.stop()[0] == 0
    finally:
        running.process.kill()
    incident = export(config, ledger, "incidents")[0]
    acknowledge = next(target for target in incident["targets"] if target["name"] == "acknowledge")
    assert acknowledge["breached_at"] == acknowledge["due_at"]


def test_a_second_engine_is_refused(nyc: Path, tmp_path: Path, running: Running) -> None:
    config, ledger = nyc / "config.yaml", tmp_path / "live.db"
    wait_until(lambda: running.get("/health/ready")[0] == 200)
    second = dispatcher("run", "--ledger", str(ledger), config=config, check=False)
    assert second.returncode == 1
    assert str(running.process.pid) in second.stderr
    replay = dispatcher(
        "replay", str(nyc / "reports.csv"), "--mapping", str(nyc / "mapping.yaml"), "--ledger", str(ledger),
        config=config, check=False,
    )  # fmt: skip
    assert replay.returncode == 1
    assert running.stop(signal.SIGINT)[0] == 0


def test_reports_appended_before_the_first_start_are_taken(nyc: Path, tmp_path: Path) -> None:
    config, ledger = nyc / "config.yaml", tmp_path / "live.db"
    dispatcher("append", "reports", "--ledger", str(ledger), config=config, stdin=report(1))
    running = Running(config, ledger)
    try:
        wait_until(
            lambda: 'dispatch_records_total{outcome="accepted",topic="reports"} 1.0' in running.get("/metrics")[1]
        )
        assert running.stop()[0] == 0
    finally:
        running.process.kill()
