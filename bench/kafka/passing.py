"""`python -m bench.kafka.passing FILE BOOTSTRAP PREFIX`: a recorded run once more, without reading what it carries.

The ceiling of a worker: one process that reads the same `reports`, relays to `work` what stage 1 made of them, reads
that back and writes the same records in the same transactions, by the worker's own producers and `write`. It decodes,
places, decides and encodes nothing, and no Faust is between it and the broker.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from aiokafka import TopicPartition

from bench.kafka.programs import READY
from bench.kafka.recording import Commit, Recording
from dispatcher.commands.memory import settle_memory
from dispatcher.ledger.kafka import Connection, Out, bounds, consumer, idempotent_producer, write
from dispatcher.ledger.kafka.producing import transactional_producer

FETCHED: Final = 4_000  # records at a time, as the worker
SENT_AT_ONCE: Final = 2_000


class _Passing:
    def __init__(self, recording: Recording, connection: Connection, prefix: str) -> None:
        self._connection, self._prefix = connection, prefix
        self._relayed = [{at: [self._named(out) for out in outs] for at, outs in of.items()}
                         for of in recording.relayed]  # fmt: skip
        self._commits = [
            [Commit(commit.reports, [self._named(out) for out in commit.outs]) for commit in of]
            for of in recording.commits
        ]
        self._come = [0] * len(recording.commits)
        self._news = asyncio.Condition()

    def _named(self, out: Out) -> Out:
        return out._replace(topic=self._prefix + out.topic)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._read_back())
            relaying = group.create_task(self._relay())
            writing = [group.create_task(self._write(n, commits)) for n, commits in enumerate(self._commits)]
            sys.stdout.write(READY + "\n")
            sys.stdout.flush()
            await asyncio.wait([relaying, *writing])
            reading.cancel()

    async def _relay(self) -> None:
        producer = idempotent_producer(self._connection, "passing-1")
        await producer.start()
        left = sum(map(len, self._relayed))
        partitions = [TopicPartition(f"{self._prefix}reports", n) for n in range(len(self._relayed))]
        async with consumer(self._connection, isolation_level="read_uncommitted") as client:
            client.assign(partitions)
            for partition, (first, _) in (await bounds(client, partitions)).items():
                client.seek(partition, first)
            while left:
                for partition, records in (await client.getmany(timeout_ms=500, max_records=FETCHED)).items():
                    of = self._relayed[partition.partition]
                    for start in range(0, len(records), SENT_AT_ONCE):
                        some = records[start : start + SENT_AT_ONCE]
                        await write(producer, [out for record in some for out in of[record.offset]])
                    left -= len(records)
        await producer.stop()

    async def _read_back(self) -> None:
        partitions = [TopicPartition(f"{self._prefix}work", n) for n in range(len(self._commits))]
        async with consumer(self._connection, isolation_level="read_uncommitted") as client:
            client.assign(partitions)
            for partition in partitions:
                client.seek(partition, 0)
            while True:
                found = await client.getmany(timeout_ms=500, max_records=FETCHED)
                async with self._news:
                    for partition, records in found.items():
                        self._come[partition.partition] += len(records)
                    self._news.notify_all()

    async def _write(self, partition: int, commits: Sequence[Commit]) -> None:
        producer = transactional_producer(self._connection, f"{self._prefix}passing-{partition}")
        await producer.start()
        needed = 0
        for commit in commits:
            needed += commit.reports
            async with self._news:
                while self._come[partition] < needed:
                    await self._news.wait()
            await producer.begin_transaction()
            await write(producer, commit.outs)
            await producer.commit_transaction()
        await producer.stop()


def main(arguments: Sequence[str]) -> None:
    """Write everything that was recorded."""
    file, bootstrap, prefix = arguments
    recording = msgspec.msgpack.decode(Path(file).read_bytes(), type=Recording)
    settle_memory()
    asyncio.run(_run(recording, Connection(bootstrap), prefix))


async def _run(recording: Recording, connection: Connection, prefix: str) -> None:
    await _Passing(recording, connection, prefix).run()


if __name__ == "__main__":
    main(sys.argv[1:])
