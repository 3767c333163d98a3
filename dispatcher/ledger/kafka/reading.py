"""Reading a partition whole: from its beginning to where it ended when asked, committed records only.

A consumer that is assigned a partition without a group starts to look for *latest* on its own and races with
`seek_to_beginning`: a restore then reads nothing. So the beginning is asked for and gone to, nothing is ever reset, and
whoever restores checks what came against what was recorded.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from dispatcher.ledger.interface import LedgerError
from dispatcher.ledger.kafka.connection import Connection
from dispatcher.ledger.kafka.unreachable import why_unreachable

__all__ = ["Progress", "bounds", "consumer", "newest_values", "read_whole"]

FETCH_BYTES = 8 << 20  # of one partition at a time
WAIT_MS = (
    20  # a portion of nothing but the marks of transactions gives no records, and the wait for them is all it costs
)
STALLED_S = 60.0  # nothing comes for so long, although there is something to come


Progress = Callable[[int, int], None]


@asynccontextmanager
async def consumer(connection: Connection, **options: object) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of no group, which resets nothing by itself.

    Raises:
        LedgerError: no broker answers, or one refuses what is asked of it.
    """
    settings: dict[str, Any] = {
        "auto_offset_reset": "none",
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        "max_partition_fetch_bytes": FETCH_BYTES,
        "fetch_max_bytes": 4 * FETCH_BYTES,
        "retry_backoff_ms": 20,
    }
    client = AIOKafkaConsumer(**connection.options(), **settings | options)
    try:
        try:
            await client.start()
        except KafkaError as error:
            raise LedgerError(await why_unreachable(connection, error)) from error
        yield client
    except KafkaError as error:
        raise LedgerError(f"Kafka at {connection.bootstrap} does not answer as it should: {error!r}") from error
    finally:
        await client.stop()


async def bounds(
    client: AIOKafkaConsumer, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, tuple[int, int]]:
    """Where partitions begin and end; by a read-committed client: end for now."""
    first = await client.beginning_offsets(list(partitions))
    last = await client.end_offsets(list(partitions))
    return {partition: (first[partition], last[partition]) for partition in partitions}


async def read_whole(
    connection: Connection, partition: TopicPartition, after: int = -1, on_progress: Progress | None = None
) -> AsyncGenerator[list[ConsumerRecord], None]:
    """The committed records of a partition beyond an offset, in portions, up to where it ends when asked.

    The end is that of all records, also of transactions under way: it waits for these to end. `on_progress` is told how
    many offsets lie behind, and how many there are.

    Raises:
        LedgerError: no broker answers, or nothing comes although something is there.
    """
    async with consumer(connection, isolation_level="read_uncommitted") as client:
        begin, end = (await bounds(client, [partition]))[partition]
    start = max(begin, after + 1)
    if start >= end:
        return
    async with consumer(connection) as client:
        client.assign([partition])
        client.seek(partition, start)
        moved_s = time.monotonic()
        while (at := await client.position(partition)) < end:
            if on_progress is not None:
                on_progress(at - start, end - start)
            found = await client.getmany(partition, timeout_ms=WAIT_MS, max_records=20_000)
            records = [record for record in found.get(partition, ()) if record.offset < end]
            if records:
                moved_s = time.monotonic()
                yield records
            elif time.monotonic() - moved_s > STALLED_S:
                raise LedgerError(f"{partition.topic}/{partition.partition}: nothing comes before offset {end}")


async def newest_values(
    connection: Connection, partition: TopicPartition, on_progress: Progress | None = None
) -> dict[str, bytes]:
    """The newest value of each key of a compacted partition, without tombstones."""
    values: dict[str, bytes] = {}
    async for records in read_whole(connection, partition, -1, on_progress):
        for record in records:
            key = record.key.decode()
            if record.value is None:
                values.pop(key, None)
            else:
                values[key] = record.value
    return values
