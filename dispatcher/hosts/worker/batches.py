"""Faust hands over whole fetched chunks instead of single messages: a hundred microseconds a chunk, not a message.

Faust asks its scheduler to put fetched records into an order and sends each on as one event. This one gives, for each
chunk of a partition, one record that carries them all and says the last one's offset: to acknowledge it acknowledges
them all.

Its consumer must know of it too. Between the offsets of two such records Faust sees a gap, and it takes gaps for
acknowledged: with two chunks waiting and the first acknowledged, the group's offset went past the second, which nobody
had worked on yet. A worker that then died would have lost it. Here what is acknowledged is what was acknowledged.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from faust.transport.drivers.aiokafka import Consumer
from faust.transport.utils import DefaultSchedulingStrategy

__all__ = ["BatchConsumer", "Batches", "RecordBatch"]


class RecordBatch(list[Any]):
    """The records of one chunk, and what Faust reads of a record: the last one's."""

    __slots__ = (
        "checksum", "headers", "key", "offset", "partition", "serialized_key_size", "serialized_value_size",
        "timestamp", "timestamp_type", "topic", "value",
    )  # fmt: skip

    def __init__(self, records: Sequence[Any]) -> None:
        super().__init__(records)
        last = records[-1]
        self.topic, self.partition, self.offset = last.topic, last.partition, last.offset
        self.timestamp, self.timestamp_type = last.timestamp, last.timestamp_type
        self.headers: tuple[()] = ()
        self.key = self.checksum = None
        self.value = self  # with the codec `raw`, an event's value is what its record's value is
        self.serialized_key_size = self.serialized_value_size = 0


class Batches(DefaultSchedulingStrategy):
    """One event for each partition's chunk."""

    def iterate(self, records: Mapping[Any, Sequence[Any]]) -> Iterator[tuple[Any, RecordBatch]]:
        """The chunks of a fetch, each as one record."""
        for partition, chunk in records.items():
            if chunk:
                yield partition, RecordBatch(chunk)


class BatchConsumer(Consumer):
    """Commits what is acknowledged and nothing else; the chunks of a partition are acknowledged in their order."""

    async def perform_seek(self) -> None:
        """Go back to what was committed; and where nothing was, to the beginning.

        Faust leaves the latter where they are: what was fetched in the middle of a rebalance and thrown away would be
        passed over.
        """
        await super().perform_seek()
        fresh = [tp for tp in self.assignment() if not self._committed_offset.get(tp)]
        if fresh:
            await self._thread.seek_to_beginning(*(TopicPartition(tp.topic, tp.partition) for tp in fresh))
            self._read_offset.update(dict.fromkeys(fresh))

    async def _add_gap(self, tp: Any, offset_from: int, offset_to: int) -> None:  # noqa: ANN401
        """Offsets between the ends of two chunks are the second's, not missing."""

    def _new_offset(self, tp: Any) -> int | None:  # noqa: ANN401 - Faust's topic and partition
        """The offset to commit: behind the last chunk acknowledged since it was asked last."""
        acked = self._acked[tp]
        if not acked:
            return None
        last = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return int(last) + 1
