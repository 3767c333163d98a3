"""`python -m bench.gateway`: reports over HTTP into one `dispatcher run`, each durable when it is answered.

Singly as fast as they are answered, singly at a rate, and in batches; a round of each after the other. At the end
every report that was acknowledged is looked for in the ledger: there, and once.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import orjson

from bench.answers import WrongAnswer
from bench.day.town import SmallTown
from bench.machine import commit, machine, versions
from bench.options import bench_parser, keep, positive
from bench.posting import Posted, post_all
from bench.table import Row, format_table, row_json
from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import say
from dispatcher.core import ms_to_text
from dispatcher.gateway import Keys
from dispatcher.hosts.setup import load_setup
from dispatcher.ledger import SqliteLedger
from dispatcher.views import Projection, view_path

CONFIG: Final = Path(__file__).parents[1] / "examples" / "city" / "config.yaml"
CONNECTIONS, BATCH, RATE_PER_S = 64, 500, 1_000
DEFAULT, QUICK = (5, 6_000, 60_000), (1, 300, 2_000)  # rounds, reports one by one (twice a round), reports in batches
START_S: Final = 60.0
CATEGORIES: Final = ("02.02.01", "02.01.01", "05.01.01", "02.03.01")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; returns the exit code: 1 when an answer was wrong."""
    parser = bench_parser(
        "python -m bench.gateway", __doc__, DEFAULT[0], DEFAULT[1], "for the ledger: the disk to measure"
    )
    parser.add_argument(
        "--batched", type=positive, help=f"reports in batches of {BATCH} in a round, default {DEFAULT[2]:,}"
    )
    options = parser.parse_args(arguments)
    few = QUICK if options.quick else DEFAULT
    rounds, singly, batched = options.rounds or few[0], options.reports or few[1], options.batched or few[2]
    before = {"commit": commit(), "versions": versions(), "machine": machine()}
    started = time.monotonic()
    options.directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="bench-gateway-", dir=options.directory) as directory:
        try:
            found = _measure(Path(directory), rounds, singly, batched)
        except WrongAnswer as wrong:
            say(f"wrong answer: {wrong}")
            return 1
    rows = _rows(found)
    print(format_table(rows))
    size = {"rounds": rounds, "singly": singly, "batched": batched}
    run = {"bench": "gateway", **before, "size": size, "seconds": round(time.monotonic() - started, 1)}
    keep(options.json, run | {"rows": [row_json(row) for row in rows]})
    return 0


def _rows(found: dict[str, list[tuple[int, Posted]]]) -> list[Row]:
    """Reports a second, and latencies of each round."""
    rows = []
    for name, rounds in found.items():
        rows.append(Row(f"{name}: reports a second", "1/s", [count / posted.seconds for count, posted in rounds]))
        rows.append(Row(f"{name}: p50", "ms", [median(posted.late_ms) for _, posted in rounds]))
        rows.append(Row(f"{name}: p99", "ms", [quantiles(posted.late_ms, n=100)[98] for _, posted in rounds]))
    return rows


def _measure(directory: Path, rounds: int, singly: int, batched: int) -> dict[str, list[tuple[int, Posted]]]:
    path = directory / "city.db"
    keys = Keys(path.with_name("city.db.keys"))
    key = keys.add("bench", ["reporter"], sources=["*"])
    keys.close()
    made = _reports()
    environment = os.environ | {"DISPATCHER__HTTP__PORT": "0", "DISPATCHER__GATEWAY__RATE_PER_S": "1000000",
                                "DISPATCHER__GATEWAY__BURST": "1000000"}  # fmt: skip
    command = [sys.executable, "-m", "dispatcher", "-c", str(CONFIG), "run", "--ledger", str(path)]
    log = directory / "log"
    with log.open("wb") as told:
        running = subprocess.Popen(command, stderr=told, env=environment)  # noqa: S603 - our own program
    rows: dict[str, list[tuple[int, Posted]]] = {}
    sent = 0
    try:
        url = _address(running, log)
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            for name, count, together, connections, per_s in (
                (f"one by one, {CONNECTIONS} connections", singly, 1, CONNECTIONS, None),
                (f"one by one at {RATE_PER_S:,}/s", singly, 1, CONNECTIONS, RATE_PER_S),
                (f"{BATCH} at once, 4 connections", batched, BATCH, 4, None),
            ):
                bodies = _bodies(made, count, together)
                posted = asyncio.run(post_all(url, "/v1/reports", key, bodies, connections, per_s))
                rows.setdefault(name, []).append((count, posted))
                sent += count
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait()
    _check(path, sent)
    return rows


def _address(running: "subprocess.Popen[bytes]", log: Path) -> str:
    until_s = time.monotonic() + START_S
    while running.poll() is None and time.monotonic() < until_s:
        if found := re.search(r"http://[\w.:]+", log.read_text()):
            return found.group()
        time.sleep(0.05)
    raise WrongAnswer(f"`dispatcher run` does not serve: {log.read_text()[-2_000:]}")


def _reports() -> Iterator[bytes]:
    """Reports without end, of places all over the town."""
    rng = np.random.Generator(np.random.PCG64(1))
    town, number, at = SmallTown(load_setup(config_of(CONFIG)), ()), 0, ms_to_text(time.time_ns() // 1_000_000)
    while True:
        lon, lat, _ = town.positions(rng, 10_000)
        for x, y in zip(lon.tolist(), lat.tolist(), strict=True):
            number += 1
            yield orjson.dumps({
                "source": "app", "report_id": f"b{number}", "reported_at": at, "text": "门口堆了垃圾，请尽快处理",
                "category": CATEGORIES[number % len(CATEGORIES)], "location": {"lon": x, "lat": y},
                "reporter": {"name": "市民", "phone": f"1{number:010d}"},
            })  # fmt: skip


def _bodies(made: Iterator[bytes], count: int, together: int) -> list[bytes]:
    parts = [next(made) for _ in range(count)]
    if together == 1:
        return parts
    return [b"[" + b",".join(parts[at : at + together]) + b"]" for at in range(0, count, together)]


def _check(path: Path, sent: int) -> None:
    """All that was acknowledged is in the ledger once, and as far as the engine has come, in one incident."""
    ledger = SqliteLedger(path, read_only=True)
    if ledger.appended("reports") != sent:
        raise WrongAnswer(f"{sent:,} reports were acknowledged, {ledger.appended('reports'):,} are in the ledger")
    view = Projection(view_path(path))
    view.catch_up(ledger)
    taken, doubled = view.db.execute("SELECT count(*), count(*) - count(DISTINCT report_id) FROM report").fetchone()
    if doubled:
        raise WrongAnswer(f"{doubled:,} reports are in two incidents")
    say(f"{sent:,} acknowledged, all in the ledger; the engine had worked {taken:,} of them through, none twice")
    view.close()
    ledger.close()


if __name__ == "__main__":
    sys.exit(main())
