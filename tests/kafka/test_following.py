"""Appending, following and reading as a gateway does: each record where it is said to lie, once, when committed."""

import asyncio
from itertools import islice
from random import Random
from uuid import uuid4

import anyio
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from kafka_lanes import RECORDS, commit, committed, lay_lanes, values

from bench.broker import Broker
from dispatcher.ledger import Kept, LedgerError
from dispatcher.ledger.kafka import Connection, Holding, Keyed, Place, Readers, Writer, follow
from dispatcher.ledger.kafka import following as following_module

LANES, COMMITS = 3, 12
WAIT_S = 30.0
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def place(broker: Broker) -> Place:
    """Three partitions, and on each one's `work` what is needed to commit."""
    return await lay_lanes(broker.bootstrap, f"follow-{uuid4().hex[:8]}.", LANES, work=COMMITS + 1)


async def test_each_record_lies_where_it_is_said_to(place: Place):
    """Those of one key in one partition and in their order, however they are put together."""
    writer, random = Writer(place.connection, place.prefix, "test"), Random(3)
    made = [Keyed("events", random.choice(("a", "b", "c", "d", None)), b"%d" % n + b"." * 400) for n in range(4_000)]
    offsets = []
    try:
        rest = iter(made)
        while some := list(islice(rest, random.randrange(1, 2_500))):
            offsets += await writer.append(some)
        assert await writer.append([]) == []
        with pytest.raises(LedgerError, match="there is no topic"):
            await writer.append([Keyed("nowhere", None, b"")])
    finally:
        await writer.close()
    assert len({offset.partition for offset in offsets}) > 1
    lanes = [await committed(place, "events", n) for n in range(LANES)]
    found = {(record.partition, record.offset): record.value for records in lanes for record in records}
    assert len(found) == len(made)
    assert [found[offset] for offset in offsets] == [record.value for record in made]
    for key in "abcd":
        lie = [offset for offset, record in zip(offsets, made, strict=True) if record.key == key]
        assert len({offset.partition for offset in lie}) == 1
        assert lie == sorted(lie)


async def test_a_follower_gets_what_is_committed_once_and_in_order_from_wherever_it_begins(place: Place):
    seen: dict[int, list[Kept]] = {n: [] for n in range(LANES)}
    done = 0

    async def take(follower, wanted: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while sum(map(len, seen.values())) < wanted:
                for (topic, partition), kept in (await follower.next(7, 0.5)).items():
                    assert topic == "events"
                    seen[partition] += kept

    async with Holding.open(place, 0) as (first, *_), Holding.open(place, 1) as (second, *_):
        for until in (4, 8, COMMITS):  # each time as a process that was started again
            places = {("events", n): kept[-1].seq if kept else -1 for n, kept in seen.items()}
            for number in range(done, until - 1):
                await commit(first, number)
                await commit(second, number)
            async with follow(place.connection, place.prefix, places) as follower:
                assert await follower.caught_up() is (done == until - 1)
                await take(follower, 2 * RECORDS * (until - 1))
                async with asyncio.timeout(WAIT_S):
                    while not await follower.caught_up():  # behind the last mark of a transaction
                        assert await follower.next(7, 0.05) == {}
                await commit(first, until - 1)  # what comes later comes by itself
                await commit(second, until - 1)
                await take(follower, 2 * RECORDS * until)
            done = until
    wanted = [value for number in range(COMMITS) for value in values(number)]
    assert [[kept.value for kept in seen[n]] for n in range(LANES)] == [wanted, wanted, []]
    assert {kept.key for kept in seen[0]} == {"key0", "key1"}


async def test_whoever_reads_here_and_there_misses_nothing_between_two_places(place: Place):
    readers = Readers(place.connection, place.prefix, 2)
    random = Random(5)
    try:
        assert await readers.read(("events", 2), -1, 5) == (0, [])
        async with Holding.open(place, 0) as (held, *_):
            for number in range(COMMITS):
                await commit(held, number)
        wanted = [value for number in range(COMMITS) for value in values(number)]

        async def whole() -> list[bytes | None]:
            after, found = -1, []
            while len(found) < len(wanted):  # the last commit may show a moment later
                _, kept = await readers.read(("events", 0), after, random.randrange(1, 9))
                found += [record.value for record in kept]
                after = kept[-1].seq if kept else after
            return found

        async with asyncio.timeout(WAIT_S):
            assert await asyncio.gather(*(whole() for _ in range(8))) == [wanted] * 8
        ends = await readers.ends([("events", n) for n in range(LANES)])
        assert ends["events", 2] == -1
        assert await readers.read(("events", 0), ends["events", 0], 9) == (0, [])
        await _delete(place, 10)
        begins, kept = await readers.read(("events", 0), -1, 1)
        assert begins == 10
        assert kept[0].seq >= 10
    finally:
        await readers.close()


async def test_a_reader_that_got_no_answer_is_replaced(place: Place, monkeypatch: pytest.MonkeyPatch):
    readers = Readers(place.connection, place.prefix, 1)
    try:
        assert await readers.ends([("events", 0)]) == {("events", 0): -1}
        before = readers._idle[0][0]
        monkeypatch.setattr(following_module, "READ_S", 0.3)
        with pytest.raises(LedgerError, match="does not answer"):
            await readers.ends([("nowhere", 0)])  # of which the brokers know nothing, for as long as one waits
        monkeypatch.undo()
        assert readers._idle == []
        assert await readers.ends([("events", 0)]) == {("events", 0): -1}
        assert readers._idle[0][0] is not before
    finally:
        await readers.close()


async def test_whoever_is_cut_off_while_reading_leaves_no_client_behind(place: Place):
    """As streams are whose reader has gone: cancelled again and again until it has ended."""
    readers, before = Readers(place.connection, place.prefix, 2), asyncio.all_tasks()
    for turns in range(30):
        with anyio.CancelScope() as scope:
            asyncio.get_running_loop().call_later(turns / 1_000, scope.cancel)
            while True:
                await readers.read(("events", 0), -1, 1)
    async with asyncio.timeout(WAIT_S):
        assert await readers.ends([("events", 0)]) == {("events", 0): -1}
        await readers.close()
        while asyncio.all_tasks() != before:
            await asyncio.sleep(0.05)


async def test_where_there_is_no_broker_that_is_said():
    nowhere = Connection("127.0.0.1:1")
    with pytest.raises(LedgerError, match="does not answer"):
        await Writer(nowhere, "", "test").append([Keyed("events", None, b"")])
    with pytest.raises(LedgerError, match="does not answer"):
        await Readers(nowhere, "", 1).ends([("events", 0)])


async def _delete(place: Place, before: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=place.connection.bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(f"{place.prefix}events", 0): RecordsToDelete(before)})
    finally:
        await admin.close()
