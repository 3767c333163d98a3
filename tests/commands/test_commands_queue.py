"""The queue in a terminal: the lines of the queue in their order, and kept current."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.command_line import dispatcher, replay

WAIT_S = 60.0


@pytest.fixture(scope="module")
def where(nyc: Path, tmp_path_factory) -> tuple[Path, Path]:
    from tests.acceptance.city_files import shipped_rows, write_csv

    folder = tmp_path_factory.mktemp("queue")
    write_csv(list(shipped_rows(nyc))[:200], folder / "rows.csv")
    replay(nyc / "config.yaml", folder / "l.db", folder / "rows.csv", mapping=nyc / "mapping.yaml")
    return nyc / "config.yaml", folder / "l.db"


def shown(where: tuple[Path, Path], *words: str) -> str:
    config, ledger = where
    return dispatcher("queue", "--ledger", str(ledger), *words, config=config).stdout


def test_the_lines_stand_in_the_order_of_the_queue(where):
    lines = json.loads(shown(where, "--json", "--limit", "8"))
    table = shown(where, "--limit", "8")
    assert 0 < len(lines) <= 8
    places = [table.index(line["incident_id"]) for line in lines]
    assert places == sorted(places)
    worst = json.loads(shown(where, "--json", "--severity", str(lines[0]["severity"])))
    assert {line["severity"] for line in worst} == {lines[0]["severity"]}


def test_in_chinese_and_when_nothing_fits(where):
    assert "没有符合条件的在办案件" in shown(where, "--lang", "zh", "--cell", "nowhere")
    assert "等级" in shown(where, "--lang", "zh", "--limit", "1")


def test_on_a_terminal_it_is_kept_current_until_it_is_ended(nyc: Path, tmp_path: Path):
    path = tmp_path / "city.db"

    def append(*reports: dict) -> None:
        (tmp_path / "reports").write_text("".join(map(json.dumps, reports)))
        dispatcher("append", "reports", str(tmp_path / "reports"), "--ledger", str(path), config=nyc / "config.yaml")

    append()  # the ledger is there, and nothing in it
    report = {"source": "nyc-311", "reported_at": "2026-11-30T02:00:00Z", "category": "noise", "severity": 1}
    environment = {**os.environ, "DISPATCHER__HTTP__PORT": "0", "TERM": "xterm", "COLUMNS": "160", "LINES": "40"}
    command = [sys.executable, "-m", "dispatcher", "-c", str(nyc / "config.yaml")]
    with (tmp_path / "log").open("wb") as log:
        engine = subprocess.Popen([*command, "run", "--ledger", str(path)], stderr=log, env=environment)
    master, slave = pty.openpty()
    looking = subprocess.Popen(
        [*command, "queue", "--ledger", str(path)], stdin=slave, stdout=slave, stderr=slave, env=environment
    )
    os.close(slave)
    try:
        _read_until(master, b"Nothing open")
        append(report | {"report_id": "R-1"})
        _read_until(master, b"1 critical")
        looking.send_signal(signal.SIGINT)  # as Ctrl-C does
        assert looking.wait(WAIT_S) == 0
    finally:
        for process in (looking, engine):
            process.kill()
            process.wait(WAIT_S)
        os.close(master)


def _read_until(master: int, wanted: bytes) -> None:
    """What comes out of the terminal, up to some words."""
    told, until_s = b"", time.monotonic() + WAIT_S
    while wanted not in told:
        assert time.monotonic() < until_s, told[-2_000:].decode(errors="replace")
        if select.select([master], [], [], 0.5)[0]:
            told += os.read(master, 65_536)
