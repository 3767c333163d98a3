"""Writing: all of it is acknowledged or an error is raised, the one that says what to do; nothing waits in vain."""

import asyncio

import pytest
from aiokafka.errors import InvalidProducerEpoch
from kafka_faults import Fault, Wire
from kafka_lanes import commit

from dispatcher.ledger import Fenced
from dispatcher.ledger.kafka import Holding

WAIT_S = 10.0
TOO_LARGE = b"x" * 2_000
pytestmark = pytest.mark.timeout(60)


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
