"""Partitions of a ledger without an engine: outcomes that can be told apart, committed one after the other."""

from collections import Counter
from typing import Any

from aiokafka import TopicPartition

from dispatcher.config import Kafka
from dispatcher.core import Outcome, Position
from dispatcher.ledger.kafka import (
    Connection,
    Holding,
    Out,
    Place,
    create_topics,
    put_values,
    read_whole,
    topic_specs,
)

RECORDS = 2  # of `events` in one commit
PADDING = b"." * 900  # so that each is a batch of its own, of the size the tests set
NEEDED = ("reports", "control", "work", "state", "incidents", "events", "rejected", "policies")


async def lay_lanes(bootstrap: str, prefix: str, lanes: int, work: int = 0) -> Place:
    """The topics that a holding needs, with this many partitions, and records on each one's `work`."""
    connection = Connection(bootstrap)
    kafka = Kafka(
        prefix=prefix,
        application=f"{prefix}app",
        partitions=lanes,
        input_partitions=1,
        department_partitions=1,
        replication=1,
    )
    specs = [spec for spec in topic_specs(kafka, ()) if spec.name.removeprefix(prefix) in NEEDED]
    await create_topics(connection, specs)
    if work:
        await put_values(connection, [Out(f"{prefix}work", n, None, b"w") for n in range(lanes) for _ in range(work)])
    return Place(connection, prefix, kafka.application, lanes, 1)


def outcome(number: int, records: int = RECORDS) -> Outcome:
    """Of the record of `work` at this offset."""
    position = Position(number, 1_000 + number)
    appended = [("events", f"key{n}", position.time_ms, value) for n, value in enumerate(values(number, records))]
    return Outcome(
        position, 1, appended, {("incidents", "one"): b"%d" % number}, Counter(), 0, incidents=1, revisions=number + 1
    )


def values(number: int, records: int = RECORDS) -> list[bytes]:
    """What an outcome puts on `events`."""
    return [b"%d.%d%b" % (number, n, PADDING) for n in range(records)]


async def commit(holding: Holding, number: int) -> None:
    """The outcome of this number, made from the one before it."""
    expected = Position(number - 1, 999 + number) if number else Position()
    await holding.commit(outcome(number), expected)


async def committed(place: Place, topic: str, partition: int, after: int = -1) -> list[Any]:
    """Every committed record beyond an offset."""
    where = TopicPartition(place.prefix + topic, partition)
    return [record async for records in read_whole(place.connection, where, after) for record in records]


async def read_values(connection: Connection, topic: str) -> list[bytes]:
    """The values of all committed records of a topic's first partition."""
    return [r.value async for records in read_whole(connection, TopicPartition(topic, 0)) for r in records]
