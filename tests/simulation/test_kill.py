"""`dispatcher replay` on SQLite, killed with SIGKILL at random moments a hundred times and resumed each time.

A real process, a real file, the New York example. When a ledger is through, all that lies in it equals the
undisturbed run's, record for record, and so does what the command prints.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from threading import Lock
from typing import NamedTuple

import pytest
from sim_outputs import Outputs, outputs

from dispatcher.ledger import LedgerError, SqliteLedger

KILLS = 100
BATCH_RECORDS = 10  # small, so that a run is four hundred commits rather than four
EARLY_SHARE = 0.15  # of the kills come before the process owns the ledger
REACH = 0.3  # the others within this share of an undisturbed run's work, so that a ledger takes several lives
AT_ONCE = 2
ROOT = Path(__file__).parents[2]
NYC = ROOT / "examples" / "nyc"


def replaying(ledger: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "dispatcher", "--config", NYC / "config.yaml", "replay", NYC / "reports.csv"]
    return subprocess.Popen(
        [*command, "--mapping", NYC / "mapping.yaml", "--ledger", ledger, "--json"],
        cwd=ROOT,
        env={**os.environ, "DISPATCHER__ENGINE__BATCH_RECORDS": str(BATCH_RECORDS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def owns(process: subprocess.Popen, ledger: Path) -> bool:
    """Whether this very process has become the ledger's owner: it has written its id into the lock."""
    try:
        return ledger.with_name(ledger.name + ".lock").read_text() == str(process.pid)
    except FileNotFoundError:
        return False


def wait_until_it_owns(process: subprocess.Popen, ledger: Path) -> None:
    while process.poll() is None and not owns(process, ledger):
        time.sleep(0.002)


def summary(process: subprocess.Popen) -> dict:
    """What a process that ended by itself has printed, but for the time it took."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err.decode()
    said = json.loads(out)
    del said["seconds"]
    return said


def everything(path: Path) -> tuple[list, Outputs]:
    ledger = SqliteLedger(path, read_only=True)
    try:
        inputs = [(r.topic, r.offset, r.time_ms, r.key, r.value) for r in ledger.read(0, -1, 1 << 30)]
        return inputs, outputs(ledger)
    finally:
        ledger.close()


class Undisturbed(NamedTuple):
    start_s: float  # until it owned the ledger
    work_s: float  # from then to its end
    said: dict
    inputs: list
    outputs: Outputs


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Undisturbed:
    path = tmp_path_factory.mktemp("undisturbed") / "city.db"
    started_s = time.monotonic()
    process = replaying(path)
    wait_until_it_owns(process, path)
    owned_s = time.monotonic()
    said = summary(process)
    return Undisturbed(owned_s - started_s, time.monotonic() - owned_s, said, *everything(path))


class Tally:
    """Kills that hit a living process, and how far it had come."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.hits: list[tuple[int, int, bool]] = []  # records appended, records committed, whether it owned the ledger
        self.ledgers = 0

    @property
    def enough(self) -> bool:
        return len(self.hits) >= KILLS

    def hit(self, path: Path, owned: bool) -> None:
        appended = committed = 0
        if path.exists():
            try:
                ledger = SqliteLedger(path, read_only=True)
            except LedgerError:
                pass  # killed before there was anything in the file
            else:
                appended = sum(ledger.appended(topic) for topic in ("reports", "updates", "control"))
                committed = max(0, ledger.position(0).offset)
                ledger.close()
        with self._lock:
            self.hits.append((appended, committed, owned))


def kill_until_it_is_through(path: Path, random: Random, base: Undisturbed, tally: Tally) -> dict:
    """Start, kill, start again, until a process ends by itself; returns what that one said."""
    while True:
        process = replaying(path)
        try:
            if tally.enough:
                return summary(process)
            if random.random() < EARLY_SHARE:
                time.sleep(random.uniform(0, base.start_s))
            else:
                wait_until_it_owns(process, path)
                time.sleep(random.uniform(0, REACH * base.work_s))
            if process.poll() is not None:
                return summary(process)
            owned = owns(process, path)
            process.kill()
            process.communicate(timeout=60)
            if process.returncode == -signal.SIGKILL:
                tally.hit(path, owned)
        finally:
            process.kill()
            process.communicate()


@pytest.mark.slow
def test_a_hundred_kills_leave_no_trace(undisturbed, tmp_path, capsys):
    tally = Tally()

    def worker(number: int) -> None:
        turn = 0
        while not tally.enough:
            seed = 100 * number + turn
            path = tmp_path / f"{seed}.db"
            said = kill_until_it_is_through(path, Random(seed), undisturbed, tally)
            inputs, found = everything(path)
            where = f"ledger {seed}"
            assert said == undisturbed.said, where
            assert inputs == undisturbed.inputs, where
            assert found.appended == undisturbed.outputs.appended, where
            assert found.newest == undisturbed.outputs.newest, where
            for file in tmp_path.glob(f"{seed}.db*"):
                file.unlink()
            tally.ledgers += 1
            turn += 1

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for ended in [pool.submit(worker, number) for number in range(AT_ONCE)]:
            ended.result()
    quarters = Counter(4 * committed // len(undisturbed.inputs) for _, committed, _ in tally.hits)
    owned = sum(owned for *_, owned in tally.hits)
    behind = sum(appended > committed for appended, committed, _ in tally.hits)
    with capsys.disabled():
        print(
            f"\n{len(tally.hits)} kills over {tally.ledgers} ledgers of {len(undisturbed.inputs)} records each:"
            f" {len(tally.hits) - owned} before the process owned the ledger, {owned} after;"
            f" {behind} with records appended and not committed"
        )
        print("  by quarter of the records committed:", [quarters[n] for n in range(5)])
        print("  appended/committed at the kills:", " ".join(f"{a}/{c}" for a, c, _ in tally.hits))
    assert len(tally.hits) >= KILLS
    assert all(quarters[n] for n in range(4))
    assert behind > KILLS // 4
