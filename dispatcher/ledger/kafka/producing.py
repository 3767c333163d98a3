"""Writing: whole batches of records, every one of which must be acknowledged, in transactions that end or are fatal.

Three things aiokafka leaves to its user, each of which has cost records in trials:
- A refused batch (too large, no rights) fails its own future only; `commit_transaction` returns all the same. Every
  future is awaited before the commit.
- `EndTxn` is sent again when no answer comes. If the first one was only slow, it can end the *next* transaction in the
  middle. So no answer is an error here, the producer is given up, and the ledger says what had become of it.
- An idempotent producer whose first batch to a partition is refused may have its second one accepted. So a batch to a
  partition is acknowledged before the next one to it is sent.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.client import CoordinationType
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, ProducerFenced
from aiokafka.producer.sender import EndTxnHandler, Sender

from dispatcher.ledger.interface import LedgerError
from dispatcher.ledger.kafka.connection import Connection
from dispatcher.ledger.kafka.topics import MESSAGE_BYTES

__all__ = ["Out", "Unanswered", "idempotent_producer", "transactional_producer", "write"]

RETRY_BACKOFF_MS = 5  # between the steps of a transaction; the library's 100 ms would be most of its time
TRANSACTION_TIMEOUT_MS = 20_000  # what a dead owner has left open holds readers up no longer
REQUEST_TIMEOUT_MS = 20_000

Headers = list[tuple[str, bytes]]
_NONE: Headers = []


class Out(NamedTuple):
    """One record to be written."""

    topic: str  # with the prefix
    partition: int
    key: bytes | None
    value: bytes | None
    time_ms: int | None = None
    headers: Headers = _NONE


class Unanswered(LedgerError):
    """The end of a transaction was not answered: it may or may not have happened; start over from the ledger."""


class _StrictEnd(EndTxnHandler):  # type: ignore[misc]
    async def do(self, node_id: int) -> bool:
        request = self.create_request()
        try:
            response = await self._sender.client.send(node_id, request, group=self.group)
        except KafkaError as error:
            raise Unanswered(f"the end of a transaction was not answered: {error!r}") from error
        backoff_s = self.handle_response(response)
        if backoff_s is None:
            return True
        await asyncio.sleep(backoff_s)  # answered: not now
        return False


class _StrictSender(Sender):  # type: ignore[misc]
    async def _do_txn_commit(self, commit_result: object) -> None:
        await self._message_accumulator.flush_for_commit()
        if self._txn_manager.is_empty_transaction():
            self._txn_manager.complete_transaction()
            return
        node_id = await self._find_coordinator(CoordinationType.TRANSACTION, self._txn_manager.transactional_id)
        await _StrictEnd(self, commit_result).do(node_id)


def idempotent_producer(connection: Connection, name: str) -> AIOKafkaProducer:
    """A producer without transactions, not started; batches to a partition arrive once and in order."""
    return AIOKafkaProducer(**_options(connection, name), enable_idempotence=True)


def transactional_producer(connection: Connection, transactional_id: str) -> AIOKafkaProducer:
    """A producer with transactions, not started; starting it ends what an earlier one of this id had open."""
    producer = AIOKafkaProducer(
        **_options(connection, transactional_id),
        transactional_id=transactional_id,
        transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
    )
    producer._sender.__class__ = _StrictSender
    return producer


def _options(connection: Connection, name: str) -> dict[str, Any]:
    return {
        **connection.options(),
        "client_id": name,
        "acks": "all",
        "linger_ms": 0,
        "max_batch_size": MESSAGE_BYTES,
        "max_request_size": 2 * MESSAGE_BYTES,
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        "retry_backoff_ms": RETRY_BACKOFF_MS,
    }


async def write(producer: AIOKafkaProducer, records: Iterable[Out]) -> dict[tuple[str, int], list[range]]:
    """Write records, in order within each partition; all are acknowledged when this returns.

    Returns:
        The offsets of the records of each partition, batch by batch.

    Raises:
        ProducerFenced: another producer of this transactional id has been started.
        LedgerError: a batch is larger than its topic takes.
        KafkaError: a batch was refused, or the producer is out of order; what was written may be any part.
    """
    batches: dict[tuple[str, int], list[Any]] = {}
    for topic, partition, key, value, time_ms, headers in records:
        of = batches.get((topic, partition))
        if of is None:
            of = batches[topic, partition] = [producer.create_batch()]
        if of[-1].append(timestamp=time_ms, key=key, value=value, headers=headers) is None:
            of.append(producer.create_batch())  # an empty batch takes a record of any size
            of[-1].append(timestamp=time_ms, key=key, value=value, headers=headers)
    # When the client learns of a topic it forgets those that it was not told to keep, though it may know them from its
    # start; batches on their way there would wait until they expire.
    unknown = {topic for topic, _ in batches} - producer.client._topics
    if unknown:
        await asyncio.wait([producer.client.add_topic(topic) for topic in unknown])
    tasks = [asyncio.ensure_future(_send(producer, of, topic, partition)) for (topic, partition), of in batches.items()]
    try:
        if tasks:
            await asyncio.wait(tasks)
    except asyncio.CancelledError:  # whoever wrote waits no longer, and neither do these
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
    failed = [error for task in tasks if (error := task.exception()) is not None]
    if failed:
        raise min(failed, key=_rank)
    return {lane: task.result() for lane, task in zip(batches, tasks, strict=True)}


def _rank(error: BaseException) -> int:
    """The error that says most comes first: what was a moment later only finds the transaction over."""
    if isinstance(error, ProducerFenced):
        return 0
    return 1 if isinstance(error, (KafkaError, LedgerError)) else 2


async def _send(producer: AIOKafkaProducer, batches: list[Any], topic: str, partition: int) -> list[range]:
    offsets: list[range] = []
    for batch in batches:
        try:
            written = await (await producer.send_batch(batch, topic, partition=partition))
        except MessageSizeTooLargeError as error:
            raise LedgerError(f"a batch of {batch.size()} bytes is more than {topic} takes") from error
        offsets.append(range(written.offset, written.offset + batch.record_count()))
    return offsets
