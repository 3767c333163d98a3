"""The ledger on Kafka as one object, for whoever is no worker: commands, followers, the gateway, tests.

The workers are asynchronous and hold partitions for as long as they are assigned; here the same pieces are called one
after the other, from any thread, on a loop in a thread of its own.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Final, TypeVar

import msgspec
from aiokafka import TopicPartition

from dispatcher.core import COMPACTED_TOPICS, CONTROL, Outcome, Position
from dispatcher.ledger.interface import Entry, Fenced, Kept, LedgerError, Offset, Owner
from dispatcher.ledger.kafka.admin import partition_counts, topic_names
from dispatcher.ledger.kafka.following import Lane, Readers
from dispatcher.ledger.kafka.holding import LOG, Holding, Place, Standing
from dispatcher.ledger.kafka.reading import bounds, consumer, newest_values, read_whole
from dispatcher.ledger.kafka.writing import Keyed, Writer

__all__ = ["KafkaLedger"]

T = TypeVar("T")
READERS: Final = 2  # of each kind, which stay connected


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
        self._readers = Readers(place.connection, place.prefix, READERS)
        self._ends = Readers(place.connection, place.prefix, READERS, committed=False)
        self._commands: list[Kept] = []  # `control` keeps everything: what was read is not read again

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
        return _standing_of(self._run(self._latest([("state", partition)], LOG))["state", partition])

    async def _latest(self, lanes: Sequence[Lane], key: str) -> dict[Lane, dict[str, bytes]]:
        """Of a key, with what was committed before this is asked."""
        return await self._readers.latest(lanes, [key], await self._ends.ends(lanes))

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
        return self._run(self._follow((topic, partition), after, limit))

    async def _follow(self, lane: Lane, after: int, limit: int) -> list[Kept]:
        if (await self._ends.ends([lane]))[lane] <= after:
            return []
        partition = self._topic(*lane)
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

    def ends(self, topic: str) -> tuple[int, ...]:
        """See the interface; of all records, also of commits under way."""
        return tuple(self._run(self._ends.ends(self._lanes(topic))).values())

    def commands(self) -> list[tuple[int, Kept]]:
        """See the interface."""
        known = self._commands
        found = self.follow(CONTROL, known[-1].seq if known else -1, 1 << 30)
        if found:
            self._commands = known = [*known, *found]  # another thread may have found the same meanwhile
        return [(kept.seq, kept) for kept in known]

    def commanded(self) -> tuple[int, ...]:
        """See the interface: the marks that stage 2 knows repeats by, as they were committed."""
        found = self._run(self._latest(self._lanes("state"), LOG)).values()
        return tuple(_standing_of(values).marks.get(CONTROL, {}).get(0, -1) for values in found)

    def partitions(self, topic: str) -> int:
        """See the interface."""
        return self._run(self._writer.count(topic))

    def newest(self, topic: str, key: str) -> bytes | None:
        """See the interface; of several partitions that hold the key, the first one's."""
        for values in self._run(self._latest(self._lanes(topic), key)).values():
            if key in values:
                return values[key]
        return None

    def topics(self) -> list[str]:
        """See the interface."""
        prefix, connection = self._place.prefix, self._place.connection
        names = [name for name in self._run(topic_names(connection)) if name.startswith(prefix)]
        counts = self._run(partition_counts(connection, names))
        ends = self._run(
            self._readers.ends([(name.removeprefix(prefix), n) for name in names for n in range(counts[name])])
        )
        return sorted({topic for (topic, _), end in ends.items() if end >= 0})

    def appended(self, topic: str) -> int:
        """See the interface."""
        if topic in COMPACTED_TOPICS:
            return 0
        return sum(end + 1 for end in self._run(self._readers.ends(self._lanes(topic))).values())

    def _lanes(self, topic: str) -> list[Lane]:
        return [(topic, partition) for partition in range(self.partitions(topic))]

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
        await self._readers.close()
        await self._ends.close()

    def _topic(self, topic: str, partition: int) -> TopicPartition:
        return TopicPartition(self._place.prefix + topic, partition)

    def _run(self, doing: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result()


def _standing_of(state: dict[str, bytes]) -> Standing:
    return msgspec.json.decode(state[LOG], type=Standing) if LOG in state else Standing()
