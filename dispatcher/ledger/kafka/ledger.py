"""The ledger on Kafka as one object, for whoever is no worker: commands, followers, the gateway, tests.

The workers are asynchronous and hold partitions for as long as they are assigned; here the same pieces are called one
after the other, from any thread, on a loop in a thread of its own.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import TypeVar

import msgspec
from aiokafka import TopicPartition

from dispatcher.core import COMPACTED_TOPICS, Outcome, Position
from dispatcher.ledger.interface import Entry, Fenced, Kept, LedgerError, Offset, Owner
from dispatcher.ledger.kafka.admin import partition_counts, topic_names
from dispatcher.ledger.kafka.holding import LOG, Holding, Place, Standing
from dispatcher.ledger.kafka.reading import bounds, consumer, newest_values, read_whole
from dispatcher.ledger.kafka.writing import Keyed, Writer

__all__ = ["KafkaLedger"]

T = TypeVar("T")


class KafkaLedger:
    """See `interface.Ledger`. Topics are named without the prefix.

    Args:
        place: the cluster, and the numbers the topics were made with.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kafka-ledger", daemon=True)
        self._thread.start()
        self._held: dict[int, tuple[Owner, Holding, AsyncExitStack]] = {}
        self._writer = Writer(place.connection, place.prefix, "dispatcher-ledger")

    def append(self, entries: Sequence[Entry]) -> list[Offset]:
        """See the interface; the broker dates the records, and those of one key go to one partition."""
        for entry in entries:
            if entry.time_ms is not None and not isinstance(entry.time_ms, int):
                raise TypeError(f"time_ms is {entry.time_ms!r}, not a number of milliseconds")
        return self._run(self._writer.append([Keyed(entry.topic, entry.key, entry.value) for entry in entries]))

    def put(self, topic: str, key: str, value: bytes) -> None:
        """See the interface."""
        self._run(self._writer.append([Keyed(topic, key, value)]))

    def own(self, partition: int) -> Owner:
        """See the interface; whoever held the partition before is fenced."""
        return self._run(self._own(partition))

    async def _own(self, partition: int) -> Owner:
        held = self._held.pop(partition, None)
        if held is not None:
            await held[2].aclose()
        stack = AsyncExitStack()
        holding, *_ = await stack.enter_async_context(Holding.open(self._place, partition))
        owner = Owner(partition, holding.epoch)
        self._held[partition] = owner, holding, stack
        return owner

    def position(self, partition: int) -> Position:
        """See the interface."""
        return self._standing(partition).position

    def _standing(self, partition: int) -> Standing:
        if partition >= self._place.partitions:
            return Standing()
        value = self._run(newest_values(self._place.connection, self._topic("state", partition))).get(LOG)
        return Standing() if value is None else msgspec.json.decode(value, type=Standing)

    def restore(self, partition: int) -> tuple[Iterable[tuple[str, bytes]], Iterable[tuple[str, bytes]]]:
        """See the interface."""
        state, incidents = (
            self._run(newest_values(self._place.connection, self._topic(topic, partition)))
            for topic in ("state", "incidents")
        )
        return [(key, value) for key, value in state.items() if key != LOG], incidents.items()

    def commit(
        self, owner: Owner, outcome: Outcome, expected: Position, also: Mapping[tuple[str, str], bytes] | None = None
    ) -> None:
        """See the interface."""
        held = self._held.get(owner.partition)
        if held is None or held[0] != owner:
            raise Fenced(f"partition {owner.partition} has another owner")
        self._run(held[1].commit(outcome, expected, also=also))

    def follow(self, topic: str, after: int, limit: int, partition: int = 0) -> list[Kept]:
        """See the interface; of a compacted topic what compaction has left, the newest value of each key at least once.

        Raises:
            LedgerError: a topic is named by its beginning, or there is none of that name.
        """
        if topic.endswith("*"):
            raise LedgerError(f"{topic}: on Kafka one topic is followed at a time; `topics` names them")
        return self._run(self._follow(self._topic(topic, partition), after, limit))

    async def _follow(self, partition: TopicPartition, after: int, limit: int) -> list[Kept]:
        hidden = LOG.encode() if partition.topic == f"{self._place.prefix}state" else None
        found: list[Kept] = []
        async with aclosing(read_whole(self._place.connection, partition, after)) as portions:
            async for records in portions:
                for record in records:
                    if hidden is None or record.key != hidden:
                        key = "" if record.key is None else record.key.decode()
                        found.append(Kept(record.offset, key, record.timestamp, record.value))
                if len(found) >= limit:
                    break
        return found[:limit]

    def end(self, topic: str, partition: int = 0) -> int:
        """See the interface."""
        return self._run(self._end(self._topic(topic, partition)))

    async def _end(self, partition: TopicPartition) -> int:
        async with consumer(self._place.connection) as client:
            return (await bounds(client, [partition]))[partition][1] - 1

    def partitions(self, topic: str) -> int:
        """See the interface. Raises LedgerError: there is no such topic."""
        return self._run(self._writer.count(topic))

    def newest(self, topic: str, key: str) -> bytes | None:
        """See the interface; the whole topic is read for it."""
        for partition in range(self.partitions(topic)):
            value = self._run(newest_values(self._place.connection, self._topic(topic, partition))).get(key)
            if value is not None:
                return value
        return None

    def topics(self) -> list[str]:
        """See the interface."""
        prefix = self._place.prefix
        names = [name for name in self._run(topic_names(self._place.connection)) if name.startswith(prefix)]
        return [name.removeprefix(prefix) for name in names if self._run(self._ends(name))]

    def appended(self, topic: str) -> int:
        """See the interface."""
        return 0 if topic in COMPACTED_TOPICS else self._run(self._ends(self._place.prefix + topic))

    async def _ends(self, name: str) -> int:
        counts = await partition_counts(self._place.connection, [name])
        parts = [TopicPartition(name, number) for number in range(counts[name])]
        async with consumer(self._place.connection) as client:
            return sum(last for _, last in (await bounds(client, parts)).values())

    def close(self) -> None:
        """See the interface."""
        if self._thread.is_alive():
            self._run(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _close(self) -> None:
        for _, _, stack in self._held.values():
            await stack.aclose()
        self._held.clear()
        await self._writer.close()

    def _topic(self, topic: str, partition: int) -> TopicPartition:
        return TopicPartition(self._place.prefix + topic, partition)

    def _run(self, doing: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result()
