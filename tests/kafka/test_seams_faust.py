"""What is relied on of Faust, asked of our own application on a real broker: another version may do otherwise.

The application is the worker's; in the place of its two stages stands a recorder.
"""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.fetch import FetchRequest
from faust.types import TP
from kafka_records import topics

from dispatcher.config import Kafka
from dispatcher.hosts.worker import app as app_module
from dispatcher.hosts.worker.batches import FETCH_WAIT_MS, Batches, RecordBatch
from dispatcher.hosts.worker.order import Order, Part
from dispatcher.hosts.worker.parts import Parts
from dispatcher.ledger.kafka import Out, TopicSpec, create_topics, put_values
from dispatcher.ledger.kafka.producing import transactional_producer

WAIT_S = 30.0
PARTITIONS = 2  # of every topic
SOURCES = ("reports", "updates", "control")
pytestmark = pytest.mark.timeout(120)


class Recorder:
    """In the place of `Worker`: what Faust hands over, in order."""

    def __init__(self, parts: Parts, fail: object, rewind: object, order: Order) -> None:
        self.rewind, self.order = rewind, order
        self.carried: asyncio.Queue = asyncio.Queue()
        self.given: asyncio.Queue = asyncio.Queue()
        self.moves: asyncio.Queue = asyncio.Queue()

    async def carry(self, event):
        await self.carried.put(event)

    async def give(self, event):
        await self.given.put(event)

    async def pause(self, partitions):
        if partitions:  # before the first assignment nothing is taken away
            await self.moves.put(("revoked", sorted(partitions)))

    async def assign(self, partitions):
        await self.moves.put(("assigned", sorted(partitions)))


async def next_of(queue: asyncio.Queue):
    return await asyncio.wait_for(queue.get(), WAIT_S)


@pytest.fixture
async def kafka(broker, connection) -> Kafka:
    """The settings of a ledger whose topics are there."""
    prefix = f"faust-{uuid4().hex[:8]}."
    await create_topics(connection, [TopicSpec(prefix + name, PARTITIONS, 1, {}) for name in (*SOURCES, "work")])
    return Kafka(bootstrap=broker.bootstrap, prefix=prefix, application=f"{prefix}app", session_timeout_s=6)


@asynccontextmanager
async def running(kafka, connection, monkeypatch):
    """The worker's own application, started."""
    monkeypatch.setattr(app_module, "Worker", Recorder)
    sources = [kafka.prefix + name for name in SOURCES]
    parts = Parts(kafka, connection, None, "grid", sources, None, None, 0.02)
    app, recorder = app_module.build(parts, pytest.fail)
    app.in_worker = True
    await app.start()
    try:
        yield app, recorder
    finally:
        await app.stop()


async def put(kafka, connection, topic: str, *values: bytes, partition: int = 0) -> None:
    await put_values(connection, [Out(kafka.prefix + topic, partition, None, value) for value in values])


async def committed_offset(kafka, connection, topic: str) -> int:
    """The group's, of the topic's first partition; -1 when there is none."""
    admin = AIOKafkaAdminClient(**connection.options())
    try:
        await admin.start()
        found = await admin.list_consumer_group_offsets(kafka.application)
    finally:
        await admin.close()
    at = found.get(TopicPartition(kafka.prefix + topic, 0))
    return -1 if at is None else at.offset


def test_a_scheduler_gives_one_record_for_each_partitions_chunk():
    def message(partition: int, offset: int):
        return SimpleNamespace(topic="t", partition=partition, offset=offset, timestamp=offset, timestamp_type=1)

    chunks = {("t", 0): [message(0, 4), message(0, 5)], ("t", 1): [], ("t", 2): [message(2, 7)]}
    found = [(where, list(batch), batch.offset) for where, batch in Batches().iterate(chunks)]
    assert found == [(("t", 0), chunks["t", 0], 5), (("t", 2), chunks["t", 2], 7)]


async def test_a_chunk_is_one_event_and_its_value_is_the_batch_itself(kafka, connection, monkeypatch):
    await put(kafka, connection, "work", b"0", b"1", b"2")
    async with running(kafka, connection, monkeypatch) as (_, recorder):
        event = await next_of(recorder.given)
    assert type(event.value) is RecordBatch, "Faust no longer asks the scheduler for chunks, or `raw` copies values"
    assert [record.value for record in event.value] == [b"0", b"1", b"2"]
    assert (event.message.offset, event.message.partition) == (2, 0)


async def test_all_source_topics_come_to_one_agent_and_no_other(kafka, connection, monkeypatch):
    for topic in SOURCES:
        await put(kafka, connection, topic, topic.encode())
    async with running(kafka, connection, monkeypatch) as (_, recorder):
        events = [await next_of(recorder.carried) for _ in SOURCES]
    assert sorted(event.value[0].value.decode() for event in events) == sorted(SOURCES)
    assert recorder.given.empty()
    assert recorder.carried.empty()


async def test_a_fetch_waits_for_a_moment_only(kafka, connection, monkeypatch):
    """One fetch is under way at a time: as long as it waits, partitions that are not part of it are not read."""
    asked = []
    async with running(kafka, connection, monkeypatch) as (app, recorder):
        client = app.consumer._thread._consumer._client
        send = client.send

        async def watched(node, request, **options):
            if isinstance(request, FetchRequest):
                asked.append(request._max_wait_ms)
            return await send(node, request, **options)

        monkeypatch.setattr(client, "send", watched)
        await put(kafka, connection, "work", b"0")
        await next_of(recorder.given)
        await put(kafka, connection, "work", b"1")
        await next_of(recorder.given)
    assert set(asked) == {FETCH_WAIT_MS}, "Faust or the client no longer takes how long a fetch waits from here"


async def test_an_event_commits_its_last_offset_when_it_is_acknowledged_and_not_before(kafka, connection, monkeypatch):
    await put(kafka, connection, "work", b"0", b"1", b"2")
    async with running(kafka, connection, monkeypatch) as (app, recorder):
        first = await next_of(recorder.given)
        await app.consumer.commit()
        assert await committed_offset(kafka, connection, "work") == -1, "Faust acknowledges by itself: see `noack`"
        first.ack()
        await app.consumer.commit()
        assert await committed_offset(kafka, connection, "work") == 3
        await put(kafka, connection, "work", b"3", b"4")
        second = await next_of(recorder.given)
        await app.consumer.commit()
        assert await committed_offset(kafka, connection, "work") == 3
        while second.message.offset < 4:
            second.ack()
            second = await next_of(recorder.given)
        second.ack()
        await app.consumer.commit()
        assert await committed_offset(kafka, connection, "work") == 5


async def test_of_several_chunks_that_wait_only_those_acknowledged_are_committed(kafka, connection, monkeypatch):
    """Faust takes the offsets between two chunks for a gap, and gaps for acknowledged: the second one would be lost."""
    await put(kafka, connection, "work", b"0", b"1", b"2")
    async with running(kafka, connection, monkeypatch) as (app, recorder):
        waiting = [await next_of(recorder.given)]
        for values in ((b"3", b"4", b"5"), (b"6", b"7", b"8")):
            await put(kafka, connection, "work", *values)
            waiting.append(await next_of(recorder.given))
        for event in waiting:
            event.ack()
            await app.consumer.commit()
            assert await committed_offset(kafka, connection, "work") == event.message.offset + 1


async def test_a_chunk_says_from_which_position_it_reaches_to_which(kafka, connection, monkeypatch):
    """Without a hole from where reading began; markers of transactions lie in between; after going back, from there."""
    async with running(kafka, connection, monkeypatch) as (app, recorder):
        topic, part = f"{kafka.prefix}reports", Part(f"{kafka.prefix}reports", 0)
        await next_of(recorder.moves)
        chunks = []
        for n in range(6):
            if n % 2:
                await put(kafka, connection, "reports", b"%d" % n)
            else:
                producer = transactional_producer(connection, f"{kafka.prefix}t")
                await producer.start()
                async with producer.transaction():
                    await producer.send(topic, b"%d" % n, partition=0)
                await producer.stop()
            chunks.append((await next_of(recorder.carried)).value)
        assert chunks[0].start == 0
        assert [chunk.start for chunk in chunks[1:]] == [chunk.end for chunk in chunks[:-1]]
        assert all(chunk.start <= chunk[0].offset <= chunk[-1].offset < chunk.end for chunk in chunks)
        assert any(chunk.start < chunk[0].offset for chunk in chunks)
        assert recorder.order.handed[part] == chunks[-1].end
        assert all(recorder.order.take(chunk) for chunk in chunks)
        await app.consumer.seek(TP(topic, 0), chunks[2].start)
        again = (await next_of(recorder.carried)).value
        assert again.start == chunks[2].start
        assert again[0].offset == chunks[2][0].offset


async def test_partitions_are_told_of_when_they_come_and_go(kafka, connection, monkeypatch):
    async with running(kafka, connection, monkeypatch) as (_, one):
        assert await next_of(one.moves) == ("assigned", [0, 1])
        async with running(kafka, connection, monkeypatch) as (_, other):
            assert await next_of(one.moves) == ("revoked", [0, 1]), "everything is taken away first"
            kind, mine = await next_of(one.moves)
            assert kind == "assigned"
            kind, theirs = await next_of(other.moves)
            assert (kind, sorted(mine + theirs), len(mine)) == ("assigned", [0, 1], 1)
        assert [await next_of(one.moves), await next_of(one.moves)] == [("revoked", mine), ("assigned", [0, 1])]


async def test_after_a_rebalance_reading_goes_on_at_what_was_committed(kafka, connection, monkeypatch):
    async with running(kafka, connection, monkeypatch) as (_, one):
        await next_of(one.moves)
        await put(kafka, connection, "work", b"0", b"1")
        while (event := await next_of(one.given)).message.offset < 1:
            event.ack()
        event.ack()
        await put(kafka, connection, "work", b"2", b"3")
        read = []
        while not read or read[-1] < 3:
            read += [record.offset for record in (await next_of(one.given)).value]
        assert read == [2, 3]
        async with running(kafka, connection, monkeypatch) as (_, other):
            await next_of(other.moves)
            whose = [asyncio.create_task(next_of(each.given)) for each in (one, other)]
            done, waiting = await asyncio.wait(whose, timeout=WAIT_S, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
            (again,) = done
            assert again.result().value[0].offset == 2, "what was not acknowledged comes again, and nothing else"


async def test_no_topic_is_made(kafka, connection, broker, monkeypatch):
    async with running(kafka, connection, monkeypatch) as (app, recorder):
        await next_of(recorder.moves)
        await app.topic(f"{kafka.prefix}declared", internal=True).maybe_declare()
        await app.topic(f"{kafka.prefix}declared", partitions=1, replicas=1).declare()
    there = {name for name in await topics(broker.client()) if name.startswith(kafka.prefix)}
    assert there == {kafka.prefix + name for name in (*SOURCES, "work")}
