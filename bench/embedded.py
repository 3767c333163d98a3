"""The embedded driver: the same messages through a ledger on a real file, every commit durable.

For each batch: append (one transaction), read, both stages, commit (one transaction), with `synchronous=FULL`. Here
wall time counts, since waiting for the disk is part of it. What is checked is what the file says when opened again.
"""

import gc
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter_ns, process_time_ns
from types import MappingProxyType
from typing import Final, NamedTuple

from bench.answers import Answers, WrongAnswer, check, check_topics
from bench.core import BATCH_RECORDS, Setting
from bench.stopwatch import Stopwatch
from bench.workload import Sent, as_backlog, as_day, entries
from dispatcher.core import EngineFault, Outcome
from dispatcher.hosts.embedded import Embedded
from dispatcher.hosts.setup import Setup
from dispatcher.hosts.start import start
from dispatcher.ledger import EmbeddedLedger
from dispatcher.ledger.sqlite import SqliteLedger
from dispatcher.metrics import Batch

__all__ = ["PHASES", "EmbeddedRun", "fsync_us", "run_backlog_durably", "run_day_durably"]

PHASES: Final = MappingProxyType(
    {
        "dispatcher.ledger.sqlite:SqliteLedger.append": "append",
        "dispatcher.ledger.sqlite:SqliteLedger.read": "read",
        "dispatcher.core.intake:Intake.take": "stage 1",
        "dispatcher.core.engine:Engine.process": "stage 2",
        "dispatcher.ledger.sqlite:SqliteLedger.commit": "commit",
    }
)


class EmbeddedRun(NamedTuple):
    """One stream taken through."""

    wall_ns: int
    cpu_ns: int
    records: int
    outputs: int  # records committed, each write of a compacted key counted
    bytes_out: int
    file_bytes: int  # of the ledger, inputs included
    phase_us: dict[str, float]  # wall time per record
    digest: str


class _Outcomes:
    """The host's observer: keeps outcomes until they are counted, outside the timed stretch."""

    def __init__(self) -> None:
        self.kept: list[Outcome] = []

    def committed(self, outcome: Outcome, batch: Batch) -> None:
        """An outcome is durable."""
        if batch.unknown_fields:
            raise WrongAnswer(f"{batch.unknown_fields} messages with fields nobody wrote")
        self.kept.append(outcome)

    def faulted(self, fault: EngineFault) -> None:
        """Our own code failed on a record."""
        raise WrongAnswer(f"the engine failed: {fault}")


def run_backlog_durably(setting: Setting, directory: Path) -> EmbeddedRun:
    """The reports of the backlog. Raises WrongAnswer."""
    return _run(setting, as_backlog(setting.day)[0], directory, updated=False)


def run_day_durably(setting: Setting, directory: Path) -> EmbeddedRun:
    """Reports and updates at their own times. Raises WrongAnswer."""
    return _run(setting, as_day(setting.day), directory, updated=True)


def _run(setting: Setting, sent: Sequence[Sent], directory: Path, *, updated: bool) -> EmbeddedRun:
    with TemporaryDirectory(dir=directory, prefix="bench-") as scratch:
        path = Path(scratch) / "bench.db"
        ledger = SqliteLedger(path, synchronous="FULL")
        observer = _Outcomes()
        host = _open(setting, ledger, observer)
        committed = Answers()
        gc.collect()
        watch = Stopwatch()
        wall_ns = cpu_ns = 0
        with watch.around(PHASES):
            for start in range(0, len(sent), BATCH_RECORDS):
                batch = entries(sent[start : start + BATCH_RECORDS])
                started = perf_counter_ns(), process_time_ns()
                ledger.append(batch)
                host.catch_up()
                wall_ns += perf_counter_ns() - started[0]
                cpu_ns += process_time_ns() - started[1]
                for outcome in observer.kept:
                    committed.add(outcome)
                observer.kept.clear()
        ledger.close()
        file_bytes = path.stat().st_size
        answers = _read_back(path)
    check(answers, host.engine, setting.day.expected, updated=updated)
    check_topics("the file does not hold what was committed", answers, committed)
    return EmbeddedRun(
        wall_ns,
        cpu_ns,
        len(sent),
        sum(committed.topics.values()),
        committed.bytes_out,
        file_bytes,
        {phase: ns / 1_000 / len(sent) for phase, ns in watch.ns.items()},
        answers.digest(),
    )


def _open(setting: Setting, ledger: EmbeddedLedger, observer: _Outcomes) -> Embedded:
    """A host with the policy in force, as `dispatcher run` opens it."""
    town = setting.town
    setup = Setup(town.grid, town.placer, town.intake, setting.policy)
    host = start(ledger, setup, batch_records=BATCH_RECORDS, observer=observer)
    host.catch_up()
    return host


def _read_back(path: Path) -> Answers:
    ledger = SqliteLedger(path, read_only=True)
    try:
        return Answers.of_ledger(ledger)
    finally:
        ledger.close()


def fsync_us(directory: Path, times: int = 20) -> list[float]:
    """How long this disk takes to make 4 KB durable: what no commit can be faster than."""
    took: list[float] = []
    with TemporaryDirectory(dir=directory, prefix="bench-") as scratch, (Path(scratch) / "probe").open("wb") as file:
        for _ in range(times):
            file.write(os.urandom(4096))
            file.flush()
            start_ns = perf_counter_ns()
            os.fsync(file.fileno())
            took.append((perf_counter_ns() - start_ns) / 1_000)
    return took
