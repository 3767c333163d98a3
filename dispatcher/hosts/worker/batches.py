"""Faust hands over whole fetched chunks instead of single messages: a hundred microseconds a chunk, not a message.

Faust asks its scheduler to put fetched records into an order and sends each on as one event. This one gives, for each
chunk of a partition, one record that carries them all and says the last one's offset: to acknowledge it acknowledges
them all.

Its consumer must know of it too. Between the offsets of two such records Faust sees a gap, and it takes gaps for
acknowledged: with two chunks waiting and the first acknowledged, the group's offset went past the second, which nobody
had worked on yet. A worker that then died would have lost it. Here what is acknowledged is what was acknowledged.

Its fetches wait for a moment only. The client has one fetch under way for all partitions of a broker, and what was
being read when it began is not part of it: with Faust's second and a half, a partition that was read to its end then
had to wait until others had something, or until that was over, while its next records lay ready.

And each chunk says from which position of the consumer it reaches to which (`order`). Positions are written down where
they change, in the consumer's own thread and without a step of its loop in between: what was handed out since the last
going back has no hole that is not told.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer
from faust.transport.utils import DefaultSchedulingStrategy

from dispatcher.hosts.worker.order import Order, Part

__all__ = ["FETCH_WAIT_MS", "BatchConsumer", "Batches", "Placed", "RecordBatch"]

FETCH_WAIT_MS = 20  # of a broker with nothing new; an idle worker asks so often, which costs 5 % of a core


class Placed(list[Any]):
    """Records as they were fetched, from one position up to another."""

    __slots__ = ("end", "start")

    def __init__(self, records: Iterable[Any], start: int | None, end: int) -> None:
        super().__init__(records)
        self.start, self.end = start, end


class RecordBatch(list[Any]):
    """The records of one chunk, and what Faust reads of a record: the last one's."""

    __slots__ = (
        "checksum", "end", "headers", "key", "offset", "partition", "serialized_key_size", "serialized_value_size",
        "start", "timestamp", "timestamp_type", "topic", "value",
    )  # fmt: skip

    def __init__(self, records: Sequence[Any]) -> None:
        super().__init__(records)
        last = records[-1]
        self.start: int | None = getattr(records, "start", None)
        self.end: int = getattr(records, "end", last.offset + 1)
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


class _Thread(AIOKafkaConsumerThread):
    """Fetches and goes back, and writes down both."""

    order: Order

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:  # noqa: ANN401 - Faust's transport
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # Faust has no setting for it
        return consumer

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: Any,  # noqa: ANN401 - Faust's partitions
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> dict[Any, Placed]:
        records = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        return {tp: self._placed(consumer, tp, chunk) for tp, chunk in records.items()}

    def _placed(self, consumer: AIOKafkaConsumer, tp: Any, chunk: Sequence[Any]) -> Placed:  # noqa: ANN401
        part, handed = Part(tp.topic, tp.partition), self.order.handed
        end: int = consumer._subscription.subscription.assignment.state_value(tp).position
        placed = Placed(chunk, handed.get(part), end)
        handed[part] = end
        return placed

    async def go_back(self, positions: Mapping[Any, int]) -> None:
        """Fetch from these positions on. Raises IllegalStateError: a partition is not ours."""
        await self.call_thread(self._go_back, positions)

    async def _go_back(self, positions: Mapping[Any, int]) -> None:
        for tp, position in positions.items():
            self._ensure_consumer().seek(TopicPartition(tp.topic, tp.partition), position)
            self.order.handed[Part(tp.topic, tp.partition)] = position

    async def go_back_to_committed(self, partitions: Collection[Any]) -> dict[Any, int]:
        """Fetch from where each was committed, or from its beginning; returns from where that is."""
        found: dict[Any, int] = await self.call_thread(self._go_back_to_committed, partitions)
        return found

    async def _go_back_to_committed(self, partitions: Collection[Any]) -> dict[Any, int]:
        consumer, positions = self._ensure_consumer(), dict[Any, int]()
        for tp in partitions:
            committed = await consumer.committed(TopicPartition(tp.topic, tp.partition))
            if committed is None:
                known = TopicPartition(tp.topic, tp.partition)
                committed = (await consumer.beginning_offsets([known]))[known]
            positions[tp] = committed
            await self._go_back({tp: committed})
        return positions


class BatchConsumer(Consumer):
    """Commits what is acknowledged and nothing else; the chunks of a partition are acknowledged in their order.

    Args:
        order: of the sources.
        sources: their topics; the owners of `work` keep its order themselves.
    """

    _thread: _Thread

    def __init__(self, *args: Any, order: Order, sources: Collection[str], **given: Any) -> None:  # noqa: ANN401
        self._order, self._sources = order, frozenset(sources)
        super().__init__(*args, **given)

    def _new_consumer_thread(self) -> _Thread:
        thread = _Thread(self, loop=self.loop, beacon=self.beacon)
        thread.order = self._order
        return thread

    async def perform_seek(self) -> None:
        """Go back to what was committed; and where nothing was, to the beginning.

        Faust leaves the latter where they are: what was fetched in the middle of a rebalance and thrown away would be
        passed over.
        """
        positions = await self._thread.go_back_to_committed(self.assignment())
        self._read_offset.update({tp: position or None for tp, position in positions.items()})
        self._committed_offset.update({tp: position or None for tp, position in positions.items()})
        self._order.began(
            {Part(tp.topic, tp.partition): at for tp, at in positions.items() if tp.topic in self._sources}
        )

    async def verify_all_partitions_active(self) -> None:
        """Nothing: whether partitions move is watched over by `parts`, and by offsets that the broker gives.

        Faust's own watch fails on a partition whose position is not known yet, and with it the process.
        """

    async def _seek(self, partition: Any, offset: int) -> None:  # noqa: ANN401 - Faust's partition
        await self._thread.go_back({partition: offset})

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
