"""What is relied on of aiokafka, each on a real broker: where another version does otherwise, one of these says so."""

import asyncio
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    KafkaConnectionError,
    MessageSizeTooLargeError,
    OffsetOutOfRangeError,
    ProducerFenced,
)
from kafka_faults import Fault, Wire
from kafka_lanes import commit, committed, read_values
from kafka_records import create_topic, read

from dispatcher.ledger import Fenced, LedgerError
from dispatcher.ledger.kafka import (
    Holding,
    Out,
    bounds,
    consumer,
    idempotent_producer,
    producing,
    write,
)

WAIT_S = 20.0
SMALL = 1_000  # bytes that the topics take in one batch
TOO_LARGE = b"x" * 2 * SMALL
pytestmark = pytest.mark.timeout(60)


async def sent(producer, topic, value):
    """The future of a batch of one record, on its way."""
    batch = producer.create_batch()
    batch.append(timestamp=None, key=None, value=value)
    return await producer.send_batch(batch, topic, partition=0)


# batches


async def test_a_full_batch_takes_no_more_and_says_so(producers, monkeypatch):
    monkeypatch.setattr(producing, "MESSAGE_BYTES", 3_000)
    batch = (await producers(idempotent_producer)).create_batch()
    taken = [batch.append(timestamp=1, key=None, value=b"x" * SMALL, headers=[]) is not None for _ in range(4)]
    assert taken == [True, True, False, False], "`append` no longer answers None when a batch is full: see `write`"
    assert batch.record_count() == 2


async def test_an_empty_batch_takes_a_record_of_any_size(producers, monkeypatch):
    monkeypatch.setattr(producing, "MESSAGE_BYTES", SMALL)
    batch = (await producers(idempotent_producer)).create_batch()
    assert batch.append(timestamp=1, key=None, value=TOO_LARGE, headers=[]) is not None, "`write` would lose it"


async def test_a_batch_keeps_keys_milliseconds_headers_and_tombstones(broker, topic, producers):
    out = [
        Out(topic, 0, b"key", b"value", 1_234_567_890_123, [("ce_id", b"1"), ("ce_id", b"")]),
        Out(topic, 0, b"key", None, 1_234_567_890_124),
    ]
    await write(await producers(idempotent_producer), out)
    found = [
        Out(r.topic, r.partition, r.key, r.value, r.timestamp, list(r.headers))
        for r in await read(broker.client(), topic)
    ]
    assert found == out


async def test_the_answer_to_a_record_has_the_brokers_time_where_the_topic_is_dated_by_it(broker, producers):
    topic = f"seam-{uuid4().hex[:8]}"
    await create_topic(broker.client(), topic, message_timestamp_type="LogAppendTime")
    sent = await (await producers(idempotent_producer)).send_and_wait(topic, b"x", timestamp_ms=1, partition=0)
    (record,) = await read(broker.client(), topic)
    assert sent.timestamp == record.timestamp > 1, "the skew of the clocks is told from this"


# refused batches


async def test_trap_a_transaction_is_committed_although_a_batch_of_it_was_refused(connection, broker, topic, producers):
    other = f"{topic}-other"
    await create_topic(broker.client(), other)
    producer = await producers()
    for each in (topic, other):
        await producer.client.add_topic(each)
    await producer.begin_transaction()
    refused, taken = await sent(producer, topic, TOO_LARGE), await sent(producer, other, b"taken")
    await asyncio.wait([refused, taken], timeout=WAIT_S)
    assert isinstance(refused.exception(), MessageSizeTooLargeError), "`write` awaits this future to learn of it"
    await producer.commit_transaction()  # does not raise
    assert (await read_values(connection, topic), await read_values(connection, other)) == ([], [b"taken"])


async def test_trap_a_new_producers_second_batch_is_taken_although_its_first_was_refused(connection, topic, producers):
    producer = await producers(idempotent_producer)
    refused = await sent(producer, topic, TOO_LARGE)
    taken = await sent(producer, topic, b"taken")
    await asyncio.wait([refused, taken], timeout=WAIT_S)
    assert isinstance(refused.exception(), MessageSizeTooLargeError)
    assert await read_values(connection, topic) == [b"taken"], "a mark would have jumped: `write` sends them one by one"


# fences


@pytest.mark.parametrize("written", ["nothing", "a batch to the same partition", "everything"])
async def test_an_older_producer_of_the_same_id_is_fenced_at_its_next_step(written, connection, topic, producers):
    """Whichever step that is: adding a partition, sending to one that was added, ending."""
    older = await producers()
    await older.begin_transaction()
    if written != "nothing":
        await write(older, [Out(topic, 0, None, b"older")])
    newer = await producers()
    if written != "everything":
        with pytest.raises(ProducerFenced):
            await write(older, [Out(topic, 0, None, b"late")])
    else:
        with pytest.raises(ProducerFenced):
            await older.commit_transaction()
    await newer.begin_transaction()
    await write(newer, [Out(topic, 0, None, b"newer")])
    await newer.commit_transaction()
    assert await read_values(connection, topic) == [b"newer"]


async def test_a_holding_is_fenced_by_whoever_opens_the_partition_after_it(lane):
    async with Holding.open(lane, 0) as (older, _, _, _):
        await commit(older, 0)
        async with Holding.open(lane, 0) as (newer, _, _, _):
            with pytest.raises(Fenced, match="partition 0 is held by another process"):
                await commit(older, 1)
            await commit(newer, 1)
    assert [record.value for record in await committed(lane, "incidents", 0)] == [b"0", b"1"]


async def test_starting_a_producer_ends_what_the_one_before_it_had_open_before_anything_is_read(
    connection, topic, producers
):
    partition = TopicPartition(topic, 0)
    older = await producers()
    await older.begin_transaction()
    await write(older, [Out(topic, 0, None, b"open")])
    ends = []
    for newer in (False, True):
        if newer:
            await producers()
        for isolation in ("read_committed", "read_uncommitted"):
            async with consumer(connection, isolation_level=isolation) as client:
                ends.append((await bounds(client, [partition]))[partition][1])
    assert ends == [0, 1, 2, 2], "committed and all: 0 and 1 while it is open, then both beyond the marker"


# the end of a transaction


@pytest.mark.parametrize("seen", [False, True], ids=["lost on the way there", "lost on the way back"])
async def test_an_end_without_an_answer_is_not_sent_twice_and_the_ledger_tells_what_became_of_it(seen, lane):
    async with Holding.open(lane, 0) as (held, *_):
        await commit(held, 0)
        wire = Wire(held._producer, Fault("EndTxn", 0, KafkaConnectionError, seen))
        with pytest.raises(LedgerError, match="the commit failed"):
            await commit(held, 1)
        with pytest.raises(AssertionError, match="Invalid state transition"):
            await held._producer.begin_transaction()
    assert wire.sent["EndTxn"] == 1, "an EndTxn that was not answered has been sent again: it may end the next one"
    async with Holding.open(lane, 0) as (again, _, incidents, standing):
        assert (standing.commits, incidents) == ((2, {"one": b"1"}) if seen else (1, {"one": b"0"}))
        await commit(again, standing.commits)


# reading


@pytest.mark.parametrize(("ending", "wanted"), [("commit", [b"1", b"2"]), ("abort", [b"1"])])
async def test_reading_whole_ends_although_markers_and_aborted_records_stand_last(
    ending, wanted, connection, topic, producers
):
    producer = await producers()
    for value, end in ((b"1", producer.commit_transaction), (b"2", getattr(producer, f"{ending}_transaction"))):
        await producer.begin_transaction()
        await write(producer, [Out(topic, 0, None, value)])
        await end()
    async with asyncio.timeout(WAIT_S):
        assert await read_values(connection, topic) == wanted


async def test_reading_whole_waits_for_a_transaction_under_way(connection, topic, producers):
    producer = await producers()
    await producer.begin_transaction()
    await write(producer, [Out(topic, 0, None, b"open")])
    reading = asyncio.create_task(read_values(connection, topic))
    assert await asyncio.wait([reading], timeout=1.0) == (set(), {reading})
    await producer.commit_transaction()
    assert await asyncio.wait_for(reading, WAIT_S) == [b"open"]


async def test_nothing_is_reset_to_latest_when_a_partition_is_assigned_without_a_group(connection, topic, producers):
    await write(await producers(idempotent_producer), [Out(topic, 0, None, b"%d" % n) for n in range(5)])
    partition = TopicPartition(topic, 0)
    async with consumer(connection) as client:
        asked, send = [], client._client.send

        async def counting(node, request, **options):
            asked.append(type(request).__name__)
            return await send(node, request, **options)

        client._client.send = counting
        client.assign([partition])
        client.seek(partition, 1)
        found = []
        async with asyncio.timeout(WAIT_S):
            while await client.position(partition) < 5:
                found += (await client.getmany(partition, timeout_ms=500)).get(partition, ())
    assert [record.value for record in found] == [b"1", b"2", b"3", b"4"]
    assert not [name for name in asked if name.startswith(("Offset", "ListOffset"))], (
        "it has looked for an offset itself"
    )


async def test_an_offset_that_is_not_there_is_an_error_and_not_a_reset(connection, topic, producers):
    await write(await producers(idempotent_producer), [Out(topic, 0, None, b"only")])
    partition = TopicPartition(topic, 0)
    async with consumer(connection) as client:
        client.assign([partition])
        client.seek(partition, 7)
        with pytest.raises(OffsetOutOfRangeError):
            await client.getmany(partition, timeout_ms=int(WAIT_S * 1_000))
