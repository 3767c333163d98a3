"""Stage 1 on Kafka: chunks of the source topics in, located work on `work` out.

At least once: a chunk is acknowledged when all that came of it is durable on `work`, so after a crash it is read again
and becomes the same records again, in the same order, which stage 2 knows by their source's offset. It holds because a
batch to a partition is acknowledged before the next one is sent, and because any failure ends the process.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from zlib import crc32

from aiokafka import AIOKafkaProducer

from dispatcher.core import EngineFault, Intake, Record
from dispatcher.core.carried import carried
from dispatcher.core.homes import EVERY, Homes
from dispatcher.core.work import Work
from dispatcher.hosts.taking import take
from dispatcher.ledger.kafka import WORK, Out, write

__all__ = ["Relay"]

SENT_AT_ONCE = 2_000  # records of a chunk: a failure costs no more than these, and memory stays small


class Relay:
    """Takes chunks of source topics to the partitions where they belong.

    Args:
        intake: stage 1.
        homes: the partitioner.
        producer: idempotent, started, and nobody else's for `work`.
        prefix: of the topics' names.
        on_fault: told of each record on which stage 1 itself failed.
        on_carried: told of what has become durable at once: messages with fields this version ignores, seconds.
    """

    def __init__(
        self,
        intake: Intake,
        homes: Homes,
        producer: AIOKafkaProducer,
        prefix: str,
        on_fault: Callable[[EngineFault], None],
        on_carried: Callable[[int, float], None] = lambda _unknown_fields, _seconds: None,
    ) -> None:
        self._intake, self._homes, self._producer, self._prefix = intake, homes, producer, prefix
        self._on_fault, self._on_carried = on_fault, on_carried

    async def carry(self, chunk: Sequence[Any]) -> None:
        """Take the records of one chunk over; all of it is durable when this returns.

        Raises:
            KafkaError: something is not; the process must end.
        """
        for start in range(0, len(chunk), SENT_AT_ONCE):
            begun_s = time.perf_counter()
            records = [self._record(message) for message in chunk[start : start + SENT_AT_ONCE]]
            taken = take(self._intake, records, self._on_fault)
            reporters = [
                Out(self._prefix + "reporters", crc32(key.encode()) % self._homes.partitions, key.encode(), value)
                for key, value in taken.reporters
            ]
            await write(self._producer, [*reporters, *self._sent(taken.work)])
            self._on_carried(taken.unknown_fields, time.perf_counter() - begun_s)

    def _record(self, message: Any) -> Record:  # noqa: ANN401 - aiokafka's consumer record
        key = None if message.key is None else message.key.decode("utf-8", "replace")
        topic = message.topic.removeprefix(self._prefix)
        return Record(0, topic, message.partition, message.offset, message.timestamp, key, message.value or b"")

    def _sent(self, work: Sequence[Work]) -> Iterator[Out]:
        topic, homes = self._prefix + WORK, self._homes
        for item in map(homes.addressed, work):
            value, home = carried(item), homes.of(item)
            for partition in range(homes.partitions) if home == EVERY else (home,):
                yield Out(topic, partition, None, value)
