"""Following partitions for as long as one likes, and reading here and there in them: committed records only.

A follower has one client for all its partitions, which fetches ahead: what is committed comes at once, and whoever has
nothing to read costs nothing. Those that are behind read through a few clients that stay connected, since a new one
costs as much as a hundred reads.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from dispatcher.ledger.interface import Kept, LedgerError
from dispatcher.ledger.kafka.connection import Connection
from dispatcher.ledger.kafka.reading import WAIT_MS, bounds, consumer, newest_values
from dispatcher.ledger.kafka.tails import newest_of

__all__ = ["Follower", "Lane", "Readers", "follow"]

T = TypeVar("T")
Lane = tuple[str, int]  # a topic, named without the prefix, and one of its partitions
AHEAD_BYTES: Final = 256 << 10  # of one partition, fetched before they are asked for; a projection follows 128
FETCH_BYTES: Final = 16 << 20  # of all together
RETRY_MS: Final = 250  # while brokers are away; the library says so in the log each time
READ_BYTES: Final = 512 << 10
READ_S: Final = 20.0  # longer than it takes brokers to agree on another leader


class Follower:
    """Goes on from place to place; see `follow`."""

    def __init__(self, client: AIOKafkaConsumer, prefix: str, ends: Mapping[TopicPartition, int]) -> None:
        self._client, self._prefix = client, prefix
        self._ends = dict(ends)

    async def next(self, count_max: int, longest_s: float) -> dict[Lane, list[Kept]]:
        """What has come, in order within each partition; empty when nothing does within that time.

        Raises:
            LedgerError: a partition does not hold any more what comes next, or may not be read.
        """
        try:
            found = await self._client.getmany(timeout_ms=int(longest_s * 1000), max_records=count_max)
        except KafkaError as error:
            raise LedgerError(f"the ledger cannot be followed: {error!r}") from error
        return {
            (partition.topic.removeprefix(self._prefix), partition.partition): list(map(_kept, records))
            for partition, records in found.items()
            if records
        }

    async def caught_up(self) -> bool:
        """Whether everything there was when it began has been given out."""
        for partition, end in list(self._ends.items()):
            if await self._client.position(partition) < end:
                return False
            del self._ends[partition]
        return True


@asynccontextmanager
async def follow(connection: Connection, prefix: str, places: Mapping[Lane, int]) -> AsyncIterator[Follower]:
    """Follow partitions, each from behind an offset on (-1: from its beginning).

    What is not kept any more is passed over.

    Raises:
        LedgerError: no broker answers, or one refuses.
    """
    options = {
        "max_partition_fetch_bytes": AHEAD_BYTES,
        "fetch_max_bytes": FETCH_BYTES,
        "retry_backoff_ms": RETRY_MS,
    }
    async with consumer(connection, **options) as client:
        after = {TopicPartition(prefix + topic, number): place for (topic, number), place in places.items()}
        limits = await bounds(client, list(after))
        client.assign(list(after))
        for partition, place in after.items():
            client.seek(partition, max(limits[partition][0], place + 1))
        yield Follower(client, prefix, {partition: end for partition, (_, end) in limits.items()})


class Readers:
    """A few clients that read wherever they are asked to.

    Args:
        connection: to the cluster.
        prefix: of the topics' names.
        count_max: how many read at a time; whoever comes then waits.
        committed: whether they see committed records only, and ends of these.
    """

    def __init__(self, connection: Connection, prefix: str, count_max: int, *, committed: bool = True) -> None:
        self._connection, self._prefix = connection, prefix
        self._isolation = "read_committed" if committed else "read_uncommitted"
        self._free = asyncio.Semaphore(count_max)
        self._idle: list[tuple[AIOKafkaConsumer, AsyncExitStack]] = []
        self._under_way: set[asyncio.Task[Any]] = set()

    async def read(self, lane: Lane, after: int, count_max: int) -> tuple[int, list[Kept]]:
        """Where a partition begins, and records beyond an offset, in order; none only when nothing lies beyond it.

        Raises:
            LedgerError: no broker answers.
        """
        partition = self._partition(lane)

        async def some(client: AIOKafkaConsumer) -> tuple[int, list[Kept]]:
            begin, end = (await bounds(client, [partition]))[partition]
            at = max(begin, after + 1)
            if at >= end:
                return begin, []
            client.assign([partition])
            client.seek(partition, at)
            while await client.position(partition) < end:
                found = await client.getmany(partition, timeout_ms=WAIT_MS, max_records=count_max)
                if records := found.get(partition):
                    return begin, list(map(_kept, records))
            return begin, []

        return await self._by_one(some)

    async def ends(self, lanes: Sequence[Lane]) -> dict[Lane, int]:
        """A place beyond all there is in each partition: what comes later lies behind it. Raises LedgerError."""
        limits = await self._by_one(lambda client: bounds(client, [self._partition(lane) for lane in lanes]))
        return {lane: limits[self._partition(lane)][1] - 1 for lane in lanes}

    async def newest(self, lane: Lane) -> dict[str, bytes]:
        """The newest value of each key of a compacted partition, which is read whole. Raises LedgerError."""
        return await newest_values(self._connection, self._partition(lane))

    async def latest(
        self, lanes: Sequence[Lane], keys: Collection[str], places: Mapping[Lane, int] | None = None
    ) -> dict[Lane, dict[str, bytes]]:
        """The newest values of these keys in compacted partitions, sought from their ends.

        Args:
            lanes: the partitions.
            keys: those that matter.
            places: the last of all records, if commits that are about to be seen are to be waited for.

        Raises:
            LedgerError: no broker answers.
        """

        async def sought(client: AIOKafkaConsumer) -> dict[TopicPartition, dict[str, bytes]]:
            ends = await client.end_offsets([self._partition(lane) for lane in lanes])
            if places is not None:
                ends = {self._partition(lane): places[lane] + 1 for lane in lanes}
            return await newest_of(client, ends, keys)

        found = await self._by_one(sought)
        return {lane: found[self._partition(lane)] for lane in lanes}

    async def close(self) -> None:
        """Disconnect; what is still under way is given up."""
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)
        while self._idle:
            await self._idle.pop()[1].aclose()

    async def _by_one(self, doing: Callable[[AIOKafkaConsumer], Coroutine[Any, Any, T]]) -> T:
        """To its end once it has begun: the reader of a stream may go at any moment, and take a client with it."""
        await self._free.acquire()
        task = asyncio.create_task(self._do(doing))
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        self._free.release()

    async def _do(self, doing: Callable[[AIOKafkaConsumer], Coroutine[Any, Any, T]]) -> T:
        async with self._one() as client:
            return await doing(client)

    @asynccontextmanager
    async def _one(self) -> AsyncIterator[AIOKafkaConsumer]:
        if self._idle:
            client, stack = self._idle.pop()
        else:
            stack = AsyncExitStack()
            options = {
                "max_partition_fetch_bytes": READ_BYTES,
                "fetch_max_bytes": READ_BYTES,
                "fetch_max_wait_ms": WAIT_MS,
                "isolation_level": self._isolation,
            }
            client = await stack.enter_async_context(consumer(self._connection, **options))
        try:
            async with asyncio.timeout(READ_S):
                yield client
        except BaseException as error:  # what state it is in is not known: the next one begins anew
            await stack.aclose()
            if isinstance(error, KafkaError | TimeoutError):
                raise LedgerError(f"Kafka at {self._connection.bootstrap} does not answer: {error!r}") from error
            raise
        client.unsubscribe()  # what is assigned is asked for on and on, and the next one waits for the answer
        self._idle.append((client, stack))

    def _partition(self, lane: Lane) -> TopicPartition:
        return TopicPartition(self._prefix + lane[0], lane[1])


def _kept(record: ConsumerRecord) -> Kept:
    return Kept(record.offset, "" if record.key is None else record.key.decode(), record.timestamp, record.value)
