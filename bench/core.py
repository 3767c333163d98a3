"""The core driver: records straight into stage 1 and the engine, outputs summed up and thrown away.

Only `Intake.take` and `Engine.process` are timed, batch by batch, with the garbage collector set as in production. This
is pure computation on one thread, so its time is CPU time: what other programs on the machine do is not counted.
Stages are sampled in a run of their own: shares of the time that the plain run of the same round has taken.
"""

import gc
from collections import Counter
from collections.abc import Sequence
from time import perf_counter_ns, process_time_ns
from typing import NamedTuple

from bench.answers import Answers, check
from bench.sampling import sampled
from bench.town import Town
from bench.workload import Day, Sent, as_backlog, as_day
from dispatcher.core import CLOCK, CONTROL, DAY_MS, Engine, PartitionState, Position, Record, Rulebook
from dispatcher.core.control import Activate
from dispatcher.core.wire import encode
from rules import Policy

__all__ = [
    "BATCH_RECORDS",
    "Backlog",
    "CoreDriver",
    "Setting",
    "Stretch",
    "run_backlog",
    "run_day",
    "run_stages",
]

BATCH_RECORDS = 1_000


class Setting(NamedTuple):
    """What a run is about."""

    town: Town
    policy: Policy
    day: Day


class Stretch(NamedTuple):
    """A timed stretch of work: CPU time by batch, wall time in all, and the records in all of them."""

    batch_ns: list[int]
    wall_ns: int
    records: int

    @property
    def us_per_record(self) -> float:
        """CPU time over the whole stretch."""
        return sum(self.batch_ns) / 1_000 / max(1, self.records)

    @property
    def us_steady(self) -> float:
        """CPU time of the median whole batch of the second half: caches warm, without the rare long pause."""
        whole = self.batch_ns[: self.records // BATCH_RECORDS]
        late = sorted(whole[len(whole) // 2 :])
        return late[len(late) // 2] / 1_000 / BATCH_RECORDS if late else self.us_per_record

    @property
    def slowed(self) -> float:
        """Wall time over CPU time: 1.0 on a machine with nothing else to do."""
        return self.wall_ns / max(1, sum(self.batch_ns))


class Backlog(NamedTuple):
    """One backlog taken through."""

    reports: Stretch
    updates: Stretch
    timers: Stretch
    engine: Engine
    digests: tuple[str, str]  # after the reports; after everything
    newest: dict[str, dict[str, bytes]]  # `incidents` and `state` before the timers: what a restart would read


class CoreDriver:
    """One engine with an empty partition and the policy in force."""

    def __init__(self, setting: Setting, answers: Answers | None = None) -> None:
        policy = setting.policy
        self._intake = setting.town.intake
        state = PartitionState(0, {policy.sha256: Rulebook(policy)})
        self.engine = Engine(state, Position(), setting.town.grid.sha256)
        self.answers = Answers() if answers is None else answers
        self.counts: Counter[str] = Counter()
        self._offsets: Counter[str] = Counter()
        self._seq = 0
        first = Activate(command_id=f"first-{policy.sha256[:12]}", sha256=policy.sha256)
        self.take([Sent(0, CONTROL, encode(first))])

    def take(self, sent: Sequence[Sent]) -> Stretch:
        """Take messages through in batches, timing them."""
        records = [self._record(message) for message in sent]
        gc.collect()
        spent = [self._batch(records[start : start + BATCH_RECORDS]) for start in range(0, len(records), BATCH_RECORDS)]
        return Stretch([cpu_ns for cpu_ns, _ in spent], sum(wall_ns for _, wall_ns in spent), len(records))

    def _record(self, sent: Sent) -> Record:
        self._seq += 1
        offset = self._offsets[sent.topic]
        self._offsets[sent.topic] += 1
        return Record(self._seq, sent.topic, 0, offset, sent.time_ms, None, sent.value)

    def _batch(self, records: Sequence[Record]) -> tuple[int, int]:
        clock = _Clock()
        work = self._intake.take(records).work
        while work:
            outcome = self.engine.process(work)
            clock.stop()
            self.answers.add(outcome)
            self.counts.update(outcome.counts)
            work = work[outcome.consumed :]
            clock.start()
        return clock.cpu_ns, clock.wall_ns


class _Clock:
    """CPU and wall time while it runs; it starts running."""

    def __init__(self) -> None:
        self.cpu_ns = self.wall_ns = 0
        self.start()

    def start(self) -> None:
        self._wall_ns, self._cpu_ns = perf_counter_ns(), process_time_ns()

    def stop(self) -> None:
        self.cpu_ns += process_time_ns() - self._cpu_ns
        self.wall_ns += perf_counter_ns() - self._wall_ns


def run_backlog(setting: Setting) -> Backlog:
    """All reports, then all updates, then a clock record two days later that makes every timer until then fire.

    Raises:
        WrongAnswer: something came out that must not.
    """
    driver = CoreDriver(setting)
    reports, updates = as_backlog(setting.day)
    expected, answers = setting.day.expected, driver.answers
    taken = driver.take(reports)
    check(answers, driver.engine, expected, updated=False)
    digest = answers.digest()
    tracked = driver.take(updates)
    check(answers, driver.engine, expected, updated=True)
    newest = {topic: answers.compacted(topic) for topic in ("incidents", "state")}
    fired = driver.take([Sent(reports[-1].time_ms + 2 * DAY_MS, CLOCK, b"")])
    check(answers, driver.engine, expected, updated=True)
    timers = sum(count for name, count in driver.counts.items() if name.startswith("target:"))
    return Backlog(taken, tracked, fired._replace(records=timers), driver.engine, (digest, answers.digest()), newest)


def run_stages(setting: Setting) -> tuple[dict[str, float], dict[str, float]]:
    """Share of each stage in the time of the reports and in that of the updates of a backlog. Raises WrongAnswer."""
    driver = CoreDriver(setting)
    shares: list[dict[str, float]] = []
    for sent in as_backlog(setting.day):
        with sampled() as spent_ns:
            driver.take(sent)
        del spent_ns["bench"]
        shares.append({stage: ns / spent_ns.total() for stage, ns in spent_ns.most_common()})
    check(driver.answers, driver.engine, setting.day.expected, updated=True)
    return shares[0], shares[1]


def run_day(setting: Setting) -> str:
    """The day at its own times, timers firing between the records; returns the digest of what came out.

    Raises:
        WrongAnswer: something came out that must not.
    """
    driver = CoreDriver(setting)
    driver.take(as_day(setting.day))
    check(driver.answers, driver.engine, setting.day.expected, updated=True)
    return driver.answers.digest()
