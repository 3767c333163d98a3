"""Appending outside of the partitions' transactions: whole batches, acknowledged by every replica that must have them.

An idempotent producer tries for as long as it lives, and nobody waits for so long. When the time is up, or a batch was
refused, the producer is given up together with whatever it had under way: that may still arrive or not, which is what
whoever appended is told.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple
from zlib import crc32

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from dispatcher.ledger.interface import InDoubt, LedgerError, Offset
from dispatcher.ledger.kafka.admin import partition_counts
from dispatcher.ledger.kafka.connection import Connection
from dispatcher.ledger.kafka.producing import Out, idempotent_producer, write
from dispatcher.ledger.kafka.unreachable import why_unreachable

__all__ = ["Keyed", "Writer"]

ANSWER_S: Final = 10.0  # a broker that restarts is back by then; people who wait are not, after it
GIVE_UP_S: Final = 0.2


class Keyed(NamedTuple):
    """A record for a topic, named without the prefix; those of one key go to one partition, others to the first."""

    topic: str
    key: str | None
    value: bytes


class Writer:
    """Appends to topics, one call at a time.

    Args:
        connection: to the cluster.
        prefix: of the topics' names.
        name: of the client, as the brokers' logs show it.
    """

    def __init__(self, connection: Connection, prefix: str, name: str) -> None:
        self._connection, self._prefix, self._name = connection, prefix, name
        self._producer: AIOKafkaProducer | None = None
        self._counts: dict[str, int] = {}

    async def append(self, records: Sequence[Keyed]) -> list[Offset]:
        """Return when all records are durable, with where each lies.

        Raises:
            InDoubt: they, or some of them, may or may not be.
            LedgerError: none is; no broker answers, or there is no such topic.
        """
        outs = [await self._placed(record) for record in records]
        producer = await self._started()
        try:
            async with asyncio.timeout(ANSWER_S):
                written = await write(producer, outs)
        except (KafkaError, LedgerError, TimeoutError) as error:
            await self._give_up(producer)
            why = f"no answer within {ANSWER_S:g} s" if isinstance(error, TimeoutError) else repr(error)
            raise InDoubt(f"Kafka at {self._connection.bootstrap} did not take all of it: {why}") from error
        offsets = {lane: (_known(of, n) for of in ranges for n in of) for lane, ranges in written.items()}
        return [Offset(out.partition, next(offsets[out.topic, out.partition])) for out in outs]

    async def count(self, topic: str) -> int:
        """How many partitions a topic has. Raises LedgerError: no broker answers, or there is no such topic."""
        if topic not in self._counts:
            name = self._prefix + topic
            self._counts[topic] = (await partition_counts(self._connection, [name]))[name]
        return self._counts[topic]

    async def close(self) -> None:
        """Let go of the producer; nothing is under way any more."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def _placed(self, record: Keyed) -> Out:
        count = await self.count(record.topic)
        key = None if record.key is None else record.key.encode()
        return Out(self._prefix + record.topic, 0 if key is None else crc32(key) % count, key, record.value)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = idempotent_producer(self._connection, self._name)
            try:
                async with asyncio.timeout(ANSWER_S):
                    await producer.start()
            except (KafkaError, TimeoutError) as error:
                await producer.stop()
                raise LedgerError(await why_unreachable(self._connection, error)) from error
            self._producer = producer
        return self._producer

    async def _give_up(self, producer: AIOKafkaProducer) -> None:
        """End a producer without waiting for what it has under way: its own `stop` waits for that, for ever."""
        self._producer = None
        sending = producer._sender.sender_task
        while not sending.done():  # each time it is asked, it gives up the next request that it waits for
            sending.cancel()
            await asyncio.wait([sending], timeout=GIVE_UP_S)
        producer._closed = True
        await producer.client.close()


def _known(of: range, offset: int) -> int:
    """An offset; -1 where the broker knew the batch for one it had and no longer where it lies."""
    return offset if of.start >= 0 else -1
