"""How far a run has come, looked at from outside: where `events` ends for those who read what is committed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.answers import WrongAnswer
from bench.kafka.ledgers import KafkaLedger
from bench.kafka.programs import Program
from bench.kafka.scene import INPUT_PARTITIONS
from dispatcher.config import load_config
from dispatcher.ledger.kafka import LOG, Standing, bounds, consumer, newest_values

__all__ = ["activated", "all_committed", "all_consumed", "all_sent", "all_taken", "quiet", "standings", "watch"]

LOOK_EVERY_S: Final = 0.025
QUIET_S: Final = 0.75  # nothing new for so long: time to look whether everything is done
GIVE_UP_S: Final = 240.0


async def activated(ledger: KafkaLedger, programs: Sequence[Program]) -> None:
    """Return when every partition has put the first policy in force, compiled and all. Raises as `watch` does."""
    watched = Watch(ledger, programs)
    async with consumer(ledger.place.connection) as client:
        while not all((await client.end_offsets(ledger.partitions("events"))).values()):
            await watched.wait()


async def watch(ledger: KafkaLedger, done: Callable[[], Awaitable[bool]], programs: Sequence[Program]) -> float:
    """Watch programs at work until everything sent has come through.

    Returns:
        When the last output was first seen (`time.perf_counter`), to within `LOOK_EVERY_S`.

    Raises:
        ProgramEnded: one has failed.
        WrongAnswer: not everything came through in time.
    """
    watched, last_s = Watch(ledger, programs), time.perf_counter()
    ends: dict[TopicPartition, int] = {}
    async with consumer(ledger.place.connection) as client:
        while True:
            found = await client.end_offsets(ledger.partitions("events"))
            now_s = time.perf_counter()
            if found != ends:
                ends, last_s = found, now_s
            elif now_s - last_s > QUIET_S and await done():
                return last_s
            await watched.wait()


class Watch:
    """How long one looks on, and at whom."""

    def __init__(self, ledger: KafkaLedger, programs: Sequence[Program]) -> None:
        self._name, self._programs = ledger.place.prefix, programs
        self._give_up_s = time.perf_counter() + GIVE_UP_S

    async def wait(self) -> None:
        """A moment, unless it has been too long or a program has failed."""
        for program in self._programs:
            program.check()
        if time.perf_counter() > self._give_up_s:
            raise WrongAnswer(f"{self._name}: not everything came through in {GIVE_UP_S:.0f} s")
        await asyncio.sleep(LOOK_EVERY_S)


async def all_taken(ledger: KafkaLedger) -> bool:
    """Every report has been relayed, and everything on `work` is committed."""
    prefix = ledger.place.prefix
    reports = [TopicPartition(f"{prefix}reports", n) for n in range(INPUT_PARTITIONS)]
    work = ledger.partitions("work")
    async with consumer(ledger.place.connection, isolation_level="read_uncommitted") as client:
        found = await bounds(client, [*reports, *work])
    now = await standings(ledger)
    seen = [max(of.marks.get("reports", {}).get(n, -1) for of in now.values()) + 1 for n in range(INPUT_PARTITIONS)]
    return seen == [found[partition][1] for partition in reports] and all(
        now[partition.partition].position.offset + 1 == found[partition][1] for partition in work
    )


async def all_committed(ledger: KafkaLedger, commits: Mapping[int, int]) -> bool:
    """Each partition has made its number of commits."""
    return {partition: of.commits for partition, of in (await standings(ledger)).items()} == dict(commits)


async def all_sent(ledger: KafkaLedger, events: int) -> bool:
    """Of an application without transactions: that many records are on `events`, or more."""
    async with consumer(ledger.place.connection) as client:
        ends: dict[TopicPartition, int] = await client.end_offsets(ledger.partitions("events"))
        return sum(ends.values()) >= events


async def all_consumed(ledger: KafkaLedger) -> bool:
    """Of an application whose offsets are in its transactions: it has committed every report.

    How much is on `events` says nothing exact there: the marks of transactions count as records.
    """
    reports = [TopicPartition(f"{ledger.place.prefix}reports", n) for n in range(INPUT_PARTITIONS)]
    group = load_config(ledger.config, {}).kafka.application
    async with AIOKafkaConsumer(
        **ledger.place.connection.options(), group_id=group, enable_auto_commit=False
    ) as client:
        client.assign(reports)
        ends = await client.end_offsets(reports)
        return all([(await client.committed(partition) or 0) == ends[partition] for partition in reports])


async def quiet() -> bool:
    """Nothing new for a while is enough: of a warm-up, after which everything is counted all the same."""
    return True


async def standings(ledger: KafkaLedger) -> dict[int, Standing]:
    """How far each partition says that it has come."""
    found: dict[int, Standing] = {}
    for partition in ledger.partitions("state"):
        log = (await newest_values(ledger.place.connection, partition)).get(LOG)
        found[partition.partition] = Standing() if log is None else msgspec.json.decode(log, type=Standing)
    return found
