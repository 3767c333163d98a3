"""kill -9 between a delivery and its commit, on real files and a real web server: told again, and nothing lost."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from notices_cases import City, record
from notices_servers import Hook, hook_server

from dispatcher.ledger import SqliteLedger

PROCESS = Path(__file__).with_name("notices_process.py")
ROOT = PROCESS.parent.parent.parent
TIMEOUT_S = 60


@pytest.mark.parametrize("seed", range(3))
def test_killed_between_delivery_and_commit(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    ledger = SqliteLedger(tmp_path / "city.db")
    recipients = [f"unit-{n}" for n in range(12)]
    rows = [record(n, random.choice(recipients), severity=1) for n in range(60)]
    City(ledger).put_out(rows)
    ledger.close()
    fatal = sorted(random.sample(range(len(recipients)), 3))  # of the requests, counted over all lives
    with hook_server() as server:
        process: subprocess.Popen[bytes] | None = None

        def kill(_hook: Hook) -> None:
            if len(server.hooks) - 1 in fatal and process is not None:
                process.kill()  # what was sent has arrived; the sender never hears so

        server.before = kill
        for _life in range(len(fatal) + 1):
            environment = {**os.environ, "HOOK_SECRET": "s", "PYTHONPATH": f"{PROCESS.parent}:{ROOT}"}
            command = [sys.executable, str(PROCESS), str(tmp_path / "city.db"), server.url]
            process = subprocess.Popen(command, env=environment)
            code = process.wait(TIMEOUT_S)
            if code == 0:
                break
            assert code == -9
        assert code == 0
    told = [(body["to"], [n["notice_id"] for n in body["notices"]]) for hook in server.hooks
            for body in [json.loads(hook.body)]]  # fmt: skip
    counts = Counter(notice_id for _, ids in told for notice_id in ids)
    assert set(counts) == {row["notice_id"] for row in rows}  # nothing lost
    repeats = sum(times - 1 for times in Counter((to, tuple(ids)) for to, ids in told).values())
    assert repeats == len(fatal)  # each death told one message again, and no other was
    for to in recipients:
        firsts = list(dict.fromkeys(n for whom, ids in told if whom == to for n in ids))
        assert firsts == [row["notice_id"] for row in rows if row["to"] == to]
