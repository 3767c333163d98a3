"""Stage 1 is at least once: whichever of its writes fails, what is read again becomes the same again, and is known.

Each case carries a chunk of a source topic over while one request fails; if that raises, another producer carries the
same chunk, as a worker does after its restart. What `work` holds, less what lies at or below a mark, is the chunk.
"""

import asyncio
from types import SimpleNamespace
from uuid import uuid4

import pytest
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    NodeNotReadyError,
    NotLeaderForPartitionError,
    RequestTimedOutError,
    UnknownTopicOrPartitionError,
)
from kafka_faults import Fault, Wire
from kafka_lanes import committed, lay_lanes

from dispatcher.core import Reason, Taken
from dispatcher.core.carried import taken_up
from dispatcher.core.homes import Homes
from dispatcher.core.work import Rejected, Source
from dispatcher.hosts.worker.relay import Relay
from dispatcher.ledger import LedgerError
from dispatcher.ledger.kafka import idempotent_producer, producing

HOMES = 2
SOURCES = 2  # partitions of `reports`
RECORDS = 40  # of each
CASE_S = 20.0


class Intake:
    """Makes work of anything: what it says is the record's own bytes, where it goes is its key's hash."""

    def take(self, records):
        work = [
            Rejected(0, 0, Source(r.topic, r.partition, r.offset, r.time_ms), Reason.NOT_JSON, "", r.value.decode())
            for r in records
        ]
        return Taken(work, [], 0)


@pytest.fixture
async def place(broker):
    return await lay_lanes(broker.bootstrap, f"relay-{uuid4().hex[:8]}.", HOMES)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(producing, "MESSAGE_BYTES", 2_000)  # several for each home


def chunk(prefix: str, first: int) -> list[SimpleNamespace]:
    """Consecutive records of each source partition, as Faust hands them over."""
    return [
        SimpleNamespace(
            topic=f"{prefix}reports", partition=n, offset=first + at, timestamp=1, key=None, value=b"%d" % at
        )
        for n in range(SOURCES)
        for at in range(RECORDS)
    ]


async def carry(place, messages, *faults: Fault) -> Wire:
    producer = idempotent_producer(place.connection, "relay")
    wire = Wire(producer, *faults)
    try:
        await producer.start()
        relay = Relay(Intake(), Homes(HOMES, 1), producer, place.prefix, lambda fault: pytest.fail(str(fault)))
        async with asyncio.timeout(CASE_S):
            await relay.carry(messages)
    finally:
        await producer.stop()
    return wire


async def known(place, after: dict[int, int], marks: dict[int, int]) -> tuple[list[tuple[int, int]], int]:
    """Partitions and offsets of what an owner finds new on `work`, beyond the marks; and how many repeats it drops."""
    found, repeats = [], 0
    for home in range(HOMES):
        seen = dict(marks)
        for record in await committed(place, "work", home, after.get(home, -1)):
            after[home] = record.offset
            origin = taken_up(record.value, record.offset, record.timestamp).origin
            if origin.offset <= seen.get(origin.partition, -1):
                repeats += 1
                continue
            seen[origin.partition] = origin.offset
            found.append((origin.partition, origin.offset))
    return found, repeats


PRODUCES = 4  # the least number of requests that a chunk takes
ERRORS = (
    RequestTimedOutError,
    KafkaConnectionError,
    NodeNotReadyError,
    NotLeaderForPartitionError,
    UnknownTopicOrPartitionError,
    InvalidProducerEpoch,
    MessageSizeTooLargeError,
)
REFUSED = (InvalidProducerEpoch, MessageSizeTooLargeError)  # of no use to try again


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seen", [False, True], ids=["instead", "after"])
@pytest.mark.parametrize("error", ERRORS)
async def test_whatever_fails_every_record_is_on_work_and_known_when_it_comes_again(error, seen, place):
    after, first = {}, 0
    for nth in range(PRODUCES):
        fault = Fault("Produce", nth, error, seen)
        messages, raised = chunk(place.prefix, first), None
        try:
            wire = await carry(place, messages, fault)
        except (KafkaError, LedgerError) as failed:
            raised = failed
            await carry(place, messages)
        else:
            assert wire.hit == [fault], f"{fault} was not met: {wire.order}"
        found, repeats = await known(place, after, dict.fromkeys(range(SOURCES), first - 1))
        wanted = [(message.partition, message.offset) for message in messages]
        assert sorted(found) == wanted, f"{fault}, raised {raised!r}"
        assert raised or not repeats, f"{fault}: written twice by one producer"
        assert bool(raised) == (error in REFUSED), f"{fault}: raised {raised!r}"
        first += RECORDS
