"""One partition of `work`, held by this process: fenced, restored, checked, and committed to.

What lies under the key `log` on `state` is the truth about how far the partition has come: its position, and for each
partition of each source the offset up to which its records have been seen (**marks**; stage 1 writes in order, so what
is at or below a mark is a repeat). It is written in the same transaction as everything else, with the number of the
commit, how many incidents are held then and their revisions added up: what a restore must find again.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, NamedTuple, Self

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced
from msgspec import Struct

from dispatcher.config import Kafka
from dispatcher.core import Outcome, Position
from dispatcher.core.wire import encode
from dispatcher.ledger.interface import Fenced, LedgerError
from dispatcher.ledger.kafka.connection import Connection
from dispatcher.ledger.kafka.producing import Headers, Out, transactional_producer, write
from dispatcher.ledger.kafka.reading import Progress, bounds, consumer, newest_values
from dispatcher.ledger.kafka.topics import DEPARTMENT, WORK

__all__ = ["LOG", "Holding", "Marks", "Place", "Standing"]

LOG: Final = "log"
Marks = dict[tuple[str, int], int]


class Place(NamedTuple):
    """Where a partition lies: the cluster, and the names and numbers the topics were made with."""

    connection: Connection
    prefix: str
    application: str
    partitions: int
    department_partitions: int

    @classmethod
    def of(cls, connection: Connection, kafka: Kafka) -> Self:
        """As a configuration names and numbers them."""
        return cls(connection, kafka.prefix, kafka.application, kafka.partitions, kafka.department_partitions)

    def output(self, topic: str, partition: int) -> int:
        """The partition of an output topic that the outputs of a partition of `work` go to."""
        if topic.startswith(DEPARTMENT):
            return partition % self.department_partitions
        return 0 if topic in ("policies", "imports") else partition


class Standing(Struct, frozen=True):
    """How far a partition has come, as it lies under `log`."""

    position: Position = Position()
    marks: dict[str, dict[int, int]] = {}
    commits: int = 0
    incidents: int = 0
    revisions: int = 0


_decode = msgspec.json.Decoder(Standing).decode


class Holding:
    """A partition that nobody else can commit to until somebody else opens it."""

    def __init__(self, place: Place, partition: int, producer: AIOKafkaProducer, standing: Standing) -> None:
        self.partition = partition
        self.position = standing.position
        self.marks: Marks = {(topic, n): at for topic, of in standing.marks.items() for n, at in of.items()}
        self.commits = standing.commits
        self._place, self._producer = place, producer
        self._fixed: dict[str, Headers] = {}

    @classmethod
    @asynccontextmanager
    async def open(
        cls, place: Place, partition: int, on_progress: Progress | None = None
    ) -> AsyncIterator[tuple[Self, dict[str, bytes], dict[str, bytes], Standing]]:
        """Hold a partition; gives it with the newest values of `state` and `incidents`, and what these must amount to.

        Whoever held it before is fenced, and what it had under way has ended, before anything is read. `on_progress` is
        told of the offsets of `incidents` read, and of how many there are.

        Raises:
            LedgerError: what is there does not fit together; nothing may be guessed.
        """
        producer = transactional_producer(place.connection, f"{place.application}-{WORK}-{partition}")
        try:
            try:
                await producer.start()
            except KafkaError as error:
                raise LedgerError(f"partition {partition} cannot be taken over: {error!r}") from error
            state = await newest_values(place.connection, TopicPartition(f"{place.prefix}state", partition))
            standing = _decode(state.pop(LOG)) if LOG in state else Standing()
            await _check_sources(place, partition, standing)
            topic = TopicPartition(f"{place.prefix}incidents", partition)
            incidents = await newest_values(place.connection, topic, on_progress)
            if len(incidents) != standing.incidents:
                raise LedgerError(
                    f"partition {partition}: {len(incidents)} incidents are on the topic, {standing.incidents} were"
                    " recorded; something is missing, so nothing is taken up"
                )
            yield cls(place, partition, producer, standing), state, incidents, standing
        finally:
            await producer.stop()

    @property
    def epoch(self) -> int:
        """Greater with every process that holds the partition."""
        manager = self._producer._txn_manager
        return int(manager.producer_id << 16 | manager.producer_epoch)

    async def end(self) -> int:
        """Where the partition of `state` ends now: another number means that somebody has committed."""
        state = TopicPartition(f"{self._place.prefix}state", self.partition)
        async with consumer(self._place.connection, isolation_level="read_uncommitted") as client:
            return (await bounds(client, [state]))[state][1]

    async def commit(
        self,
        outcome: Outcome,
        expected: Position,
        *,
        marks: Marks | None = None,
        also: Mapping[tuple[str, str], bytes] | None = None,
    ) -> None:
        """Write an outcome whole or not at all; after an error this object is of no further use.

        Args:
            outcome: what the engine has made of the work.
            expected: the position it was made from.
            marks: how far the sources have been seen now; as before when not given.
            also: compacted values made beside it.

        Raises:
            Fenced: another process holds the partition, or the position is another one.
            LedgerError: it is not known whether it was written; the ledger says, when it is opened again.
        """
        if expected != self.position:
            raise Fenced(f"partition {self.partition} is at {self.position}, not at {expected}")
        marks = self.marks if marks is None else marks
        standing = Standing(outcome.position, _nested(marks), self.commits + 1, outcome.incidents, outcome.revisions)
        try:
            await self._producer.begin_transaction()
            await write(self._producer, self._outputs(outcome, also or {}, encode(standing)))
            await self._producer.commit_transaction()
        except ProducerFenced as error:
            raise Fenced(f"partition {self.partition} is held by another process; this one lets go of it") from error
        except KafkaError as error:
            raise LedgerError(f"partition {self.partition}: the commit failed: {error!r}") from error
        self.position, self.marks, self.commits = outcome.position, marks, self.commits + 1

    def _outputs(self, outcome: Outcome, also: Mapping[tuple[str, str], bytes], log: bytes) -> Iterator[Out]:
        place, partition, prefix = self._place, self.partition, self._place.prefix
        for n, (topic, key, time_ms, value) in enumerate(outcome.records):
            name, at = prefix + topic, place.output(topic, partition)
            yield Out(name, at, key.encode(), value, time_ms, self._headers(topic, n))
        now_ms = outcome.position.time_ms
        for (topic, key), kept in {**outcome.compacted, **also, ("state", LOG): log}.items():
            yield Out(prefix + topic, place.output(topic, partition), key.encode(), kept, now_ms)

    def _headers(self, topic: str, n: int) -> Headers:
        """CloudEvents 1.0, binary mode; the id is the record's own, since a commit happens once, in one order."""
        fixed = self._fixed.get(topic)
        if fixed is None:
            fixed = self._fixed[topic] = [
                ("ce_specversion", b"1.0"),
                ("ce_type", f"dispatcher.{topic.partition('.')[0]}".encode()),
                ("ce_source", f"/{self._place.application}/{WORK}/{self.partition}".encode()),
                ("content-type", b"application/json"),
            ]
        return [("ce_id", b"%b:%d:%d:%d" % (topic.encode(), self.partition, self.commits + 1, n)), *fixed]


def _nested(marks: Marks) -> dict[str, dict[int, int]]:
    nested: dict[str, dict[int, int]] = {}
    for (topic, partition), offset in sorted(marks.items()):
        nested.setdefault(topic, {})[partition] = offset
    return nested


async def _check_sources(place: Place, partition: int, standing: Standing) -> None:
    """Whatever was seen must lie within what is there: topics that were emptied or made anew have other offsets."""
    work = TopicPartition(place.prefix + WORK, partition)
    marked = {
        TopicPartition(place.prefix + topic, n): offset
        for topic, of in standing.marks.items()
        for n, offset in of.items()
    }
    async with consumer(place.connection, isolation_level="read_uncommitted") as client:
        missing = {source.topic for source in marked} - await client.topics()
        if missing:
            raise LedgerError(
                f"partition {partition} has read {', '.join(sorted(missing))}: there is no such topic now"
            )
        found = await bounds(client, [work, *marked])
    first, last = found[work]
    if not first <= standing.position.offset + 1 <= last:
        raise LedgerError(
            f"partition {partition} stands at {standing.position.offset}, but {work.topic} holds {first} to {last - 1};"
            " it was emptied, made anew, or not kept long enough"
        )
    for source, offset in marked.items():
        if found[source][1] <= offset:
            raise LedgerError(
                f"{source.topic}/{source.partition} was seen up to {offset}, but ends at {found[source][1] - 1};"
                " it was made anew, so what comes next would be taken for repeats"
            )
