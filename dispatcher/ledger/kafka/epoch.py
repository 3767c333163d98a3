"""The intake epoch: grid, partitions and partition level, the same for whoever writes to `work`, for good.

It lies under `epoch` on the topic `imports`. With another one, a report sent again would go to another home and be
taken twice, so a worker that has another one does not join.
"""

from typing import Final

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from msgspec import Struct

from dispatcher.core.wire import encode
from dispatcher.ledger.interface import LedgerError
from dispatcher.ledger.kafka.connection import Connection
from dispatcher.ledger.kafka.producing import Out, idempotent_producer, write
from dispatcher.ledger.kafka.reading import newest_values, read_whole

__all__ = ["Epoch", "begin_epoch", "begun", "ledger_mark", "put_values", "require_epoch"]

EPOCH: Final = "epoch"
NOT_BEGUN: Final = "this ledger has not been begun; run `dispatcher topics create`"


class Epoch(Struct, frozen=True):
    """What decides where a record goes."""

    grid: str  # its content hash
    partitions: int
    level: int


async def put_values(connection: Connection, values: list[Out]) -> None:
    """Write records outside of any partition's transactions; all are durable when this returns.

    Raises:
        LedgerError: they are not, or not all.
    """
    producer = idempotent_producer(connection, "dispatcher-put")
    try:
        await producer.start()
        await write(producer, values)
    except KafkaError as error:
        raise LedgerError(f"Kafka at {connection.bootstrap} did not take it: {error!r}") from error
    finally:
        await producer.stop()


async def begun(connection: Connection, prefix: str) -> bool:
    """Whether the ledger has an epoch. Raises LedgerError when no broker answers."""
    return EPOCH in await newest_values(connection, _topic(prefix))


async def begin_epoch(connection: Connection, prefix: str, epoch: Epoch) -> None:
    """Write the epoch of a ledger that has none. Raises LedgerError when it cannot be."""
    await put_values(connection, [Out(_topic(prefix).topic, 0, EPOCH.encode(), encode(epoch))])


async def require_epoch(connection: Connection, prefix: str, epoch: Epoch) -> None:
    """See that the ledger is of this epoch.

    Raises:
        LedgerError: it has none, or another one.
    """
    known = (await newest_values(connection, _topic(prefix))).get(EPOCH)
    if known is None:
        raise LedgerError(NOT_BEGUN)
    found = msgspec.json.decode(known, type=Epoch)
    if found != epoch:
        raise LedgerError(
            f"the ledger was begun on the grid {found.grid[:12]} with {found.partitions} partitions of level"
            f" {found.level}; the configuration says {epoch.grid[:12]}, {epoch.partitions} and {epoch.level}. Set them"
            " as they were, or drain this ledger and begin another (docs/operating.md)"
        )


async def ledger_mark(connection: Connection, prefix: str) -> str:
    """What tells a ledger from any other, also from one that was begun anew under its name: when its epoch was written.

    Raises:
        LedgerError: it has not been begun, or no broker answers.
    """
    written = [
        record.timestamp
        async for records in read_whole(connection, _topic(prefix))
        for record in records
        if record.key == EPOCH.encode()
    ]
    if not written:
        raise LedgerError(NOT_BEGUN)
    return f"{prefix}@{written[-1]}"


def _topic(prefix: str) -> TopicPartition:
    return TopicPartition(f"{prefix}imports", 0)
