"""Reports onto `reports`: all at once, or each at its own time whatever becomes of those before it."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from bench.kafka.ledgers import KafkaLedger
from bench.kafka.scene import Message

__all__ = ["offer", "put"]

BATCH_BYTES: Final = 900_000
TURN_S: Final = 0.005  # of the open loop: what is due is sent together


async def put(ledger: KafkaLedger, messages: Sequence[Message]) -> float:
    """Put everything there as fast as it goes; all of it is durable when this returns.

    Returns:
        When the first of it was sent (`time.perf_counter`): everything has been packed before.
    """
    producer = _producer(ledger)
    await producer.start()
    topic = f"{ledger.place.prefix}reports"
    try:
        packed = [(partition, _packed(producer, values)) for partition, values in _parted(messages)]
        begin_s = time.perf_counter()
        await asyncio.gather(*(_send(producer, topic, partition, batches) for partition, batches in packed))
    finally:
        await producer.stop()
    return begin_s


async def offer(ledger: KafkaLedger, messages: Sequence[Message], rate: float, begin_s: float) -> float:
    """An open loop: the n-th message is due `n / rate` seconds after `begin_s` (`time.perf_counter`).

    Returns:
        The most that sending fell behind, in seconds. Latencies count from when a message was due, so it is in them.
    """
    producer = _producer(ledger)
    await producer.start()
    topic, sent, late_s = f"{ledger.place.prefix}reports", 0, 0.0
    waiting: list[asyncio.Future[object]] = []
    try:
        while sent < len(messages):
            elapsed_s = time.perf_counter() - begin_s
            due = min(len(messages), int(elapsed_s * rate) + 1) if elapsed_s >= 0 else 0
            if due > sent:
                late_s = max(late_s, elapsed_s - sent / rate)
            for partition, value in messages[sent:due]:  # the client packs what comes while it waits for the broker
                waiting.append(await producer.send(topic, value, partition=partition))
            sent = max(sent, due)
            await asyncio.sleep(TURN_S)
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()
    return late_s


def _producer(ledger: KafkaLedger) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        **ledger.place.connection.options(), enable_idempotence=True, max_batch_size=BATCH_BYTES, linger_ms=0
    )


def _parted(messages: Sequence[Message]) -> list[tuple[int, list[bytes]]]:
    parts: dict[int, list[bytes]] = {}
    for partition, value in messages:
        parts.setdefault(partition, []).append(value)
    return list(parts.items())


def _packed(producer: AIOKafkaProducer, values: Sequence[bytes]) -> list[Any]:
    """Batches of the client's."""
    batches = [producer.create_batch()]
    for value in values:
        if batches[-1].append(key=None, value=value, timestamp=None) is None:
            batches.append(producer.create_batch())
            batches[-1].append(key=None, value=value, timestamp=None)
    return batches


async def _send(producer: AIOKafkaProducer, topic: str, partition: int, batches: Sequence[Any]) -> None:
    for batch in batches:
        await (await producer.send_batch(batch, topic, partition=partition))
