"""The newest values of a few keys, found from where partitions end: the same as by reading them whole."""

import asyncio
from random import Random
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from kafka_lanes import lay_lanes, outcome

from bench.broker import Broker
from dispatcher.core import Position
from dispatcher.ledger.kafka import Holding, KafkaLedger, Out, Place, Readers, newest_values, put_values

LANES, KEYS = 3, ("a", "b", "c", "d")
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def place(broker: Broker) -> Place:
    return await lay_lanes(broker.bootstrap, f"tails-{uuid4().hex[:8]}.", LANES, work=4)


async def test_wherever_a_key_was_written_last_its_newest_value_is_found(place: Place):
    """Often and seldom written keys, erased ones, a partition without any, and others in between."""
    random, state = Random(7), f"{place.prefix}state"
    written = [
        Out(state, random.randrange(LANES - 1), random.choices(("a", "b", "x"), (1, 3, 300))[0].encode(), b"%d" % n)
        for n in range(3_000)
    ]
    written[5:5] = [Out(state, 0, b"c", b"once"), Out(state, 1, b"d", b"gone")]
    written += [Out(state, 1, b"d", None), *(Out(state, 1, b"x", b"more") for _ in range(300))]
    await put_values(place.connection, written)
    readers = Readers(place.connection, place.prefix, 2)
    lanes = [("state", n) for n in range(LANES)]
    try:
        for keys in (KEYS, ("a",), ("c", "d"), ("nowhere",), ()):
            found = await readers.latest(lanes, keys)
            assert list(found) == lanes
            for lane, values in found.items():
                whole = await newest_values(place.connection, TopicPartition(state, lane[1]))
                assert values == {key: whole[key] for key in keys if key in whole}
    finally:
        await readers.close()


async def test_each_partition_says_how_far_it_has_come_with_the_commands(place: Place):
    ledger = KafkaLedger(place)
    try:
        assert await asyncio.to_thread(ledger.commanded) == (-1, -1, -1)
        async with Holding.open(place, 0) as (first, *_), Holding.open(place, 2) as (third, *_):
            await first.commit(outcome(0), Position(), marks={("control", 0): 4, ("reports", 0): 9})
            await third.commit(outcome(0), Position(), marks={("reports", 0): 9})
            assert await asyncio.to_thread(ledger.commanded) == (4, -1, -1)
            await third.commit(outcome(1), Position(0, 1_000), marks={("control", 0): 3, ("reports", 0): 9})
            assert await asyncio.to_thread(ledger.commanded) == (4, -1, 3)
            await first.commit(outcome(1), Position(0, 1_000))
            assert await asyncio.to_thread(ledger.commanded) == (4, -1, 3)
    finally:
        ledger.close()
