"""Writing: all of it is acknowledged or an error is raised, the one that says what to do; nothing waits in vain."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import InvalidProducerEpoch
from kafka_faults import Fault, Wire
from kafka_lanes import commit, read_values
from kafka_records import create_topic

from dispatcher.ledger import Fenced, LedgerError
from dispatcher.ledger.kafka import Holding, Out, consumer, idempotent_producer, producing, write
from dispatcher.ledger.kafka.producing import transactional_producer

WAIT_S = 10.0
TOO_LARGE = b"x" * 2_000
pytestmark = pytest.mark.timeout(60)


@pytest.mark.parametrize("kind", [idempotent_producer, transactional_producer])
async def test_write_raises_when_a_batch_is_refused_and_sends_nothing_after_it(
    kind, connection, topic, producers, monkeypatch
):
    monkeypatch.setattr(producing, "MESSAGE_BYTES", 200)
    producer = await producers(kind)
    if kind is transactional_producer:
        await producer.begin_transaction()
    wire = Wire(producer)
    with pytest.raises(LedgerError, match=rf"a batch of \d+ bytes is more than {topic} takes"):
        await write(producer, [Out(topic, 0, None, TOO_LARGE), Out(topic, 0, None, b"after it")])
    assert wire.sent["Produce"] == 1
    async with consumer(connection, isolation_level="read_uncommitted") as client:
        assert (await client.end_offsets([TopicPartition(topic, 0)])) == {TopicPartition(topic, 0): 0}


async def test_a_topic_that_was_made_later_holds_up_no_other(connection, broker, topic, producers):
    """A producer that had to ask twice for its id knows all topics, and keeps only those that it was told to."""
    producer = await producers()
    await producer.client.force_metadata_update()
    later = f"{topic}-later"
    await create_topic(broker.client(), later)
    await producer.begin_transaction()
    async with asyncio.timeout(WAIT_S):
        await write(producer, [Out(name, 0, None, name.encode()) for name in (topic, later)])
        await producer.commit_transaction()
    for name in (topic, later):
        assert await read_values(connection, name) == [name.encode()]


async def test_a_fence_is_told_of_whatever_else_fails_beside_it(lane):
    """Tasks that were a moment later find the transaction over, which the library has no Kafka error for."""
    async with Holding.open(lane, 0) as (held, *_):
        producer = held._producer
        Wire(producer, Fault("AddPartitionsToTxn", 0, InvalidProducerEpoch))
        wait = producer.client._wait_on_metadata

        async def late(topic):
            if topic != f"{lane.prefix}state":
                await asyncio.wait([producer._sender.sender_task])
            return await wait(topic)

        producer.client._wait_on_metadata = late
        with pytest.raises(Fenced):
            await commit(held, 0)
