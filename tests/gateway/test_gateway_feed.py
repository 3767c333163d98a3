"""A feed read by many: none misses a record or sees one twice, and none that has nothing to read is kept busy."""

import asyncio
import random

import pytest

from dispatcher.gateway import feed as feeds
from dispatcher.gateway import streaming
from dispatcher.gateway.feed import Feed, Gap, Place
from dispatcher.gateway.roles import Person
from dispatcher.ledger import Kept


class Log:
    """A ledger in which a topic has every so many of the records."""

    def __init__(self, partitions: int = 1) -> None:
        self.kept: list[list[Kept]] = [[] for _ in range(partitions)]
        self.ends = [-1] * partitions
        self.gone: dict[int, int] = {}  # where partitions begin that have not kept everything
        self.asked = 0

    def add(self, partition: int, count: int, others: int = 0) -> None:
        """So many records, and so many of other topics before each and after the last."""
        for _ in range(count):
            self.ends[partition] += others + 1
            self.kept[partition].append(Kept(self.ends[partition], "", 0, b"x"))
        self.ends[partition] += others

    async def follow(self, topic: str, after: int, limit: int, partition: int) -> list[Kept]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.gone.get(partition, 0) > after + 1:
            raise Gap(partition, self.gone[partition])
        return [record for record in self.kept[partition] if record.seq > after][:limit]

    def tell(self, feed: Feed) -> None:
        """What is new, as whoever follows the ledger does."""
        for partition, last in enumerate(feed.end.seqs):
            kept = [record for record in self.kept[partition] if record.seq > last]
            if kept:
                feed.add(partition, kept)

    def feed(self) -> Feed:
        return Feed("routed", self.ends, self.follow)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "RECENT_MAX", 5)
    monkeypatch.setattr(feeds, "READ_MAX", 3)


async def read_all(feed: Feed, place: Place) -> tuple[list[tuple[int, int]], Place]:
    found: list[tuple[int, int]] = []
    while True:
        records, reached = await feed.read(place)
        found += [(partition, record.seq) for partition, record in records]
        if reached == place:
            return found, place
        place = reached


async def test_a_reader_with_nothing_to_read_comes_to_the_end_and_waits():
    log = Log()
    log.add(0, 0, others=100)
    feed = log.feed()
    found, place = await read_all(feed, Place((-1,)))
    assert found == []
    assert place == feed.end
    assert not await feed.wait(place, 0.01)
    assert log.asked == 1


async def test_a_reader_beyond_the_last_record_waits_for_what_comes_after_it():
    log = Log()
    feed = log.feed()
    log.add(0, 3, others=10)
    log.tell(feed)
    ahead = Place((log.ends[0],))  # as another gateway said, which began later
    assert ahead.is_beyond(feed.end)
    assert not await feed.wait(ahead, 0.01)
    log.add(0, 1)
    log.tell(feed)
    assert await feed.wait(ahead, 0.01)
    assert (await read_all(feed, ahead))[0] == [(0, log.ends[0])]


@pytest.mark.parametrize("behind", range(14))
async def test_wherever_a_reader_is_it_reads_the_rest_once(behind: int):
    log = Log()
    log.add(0, 4, others=2)
    feed = log.feed()
    log.add(0, 9, others=1)
    log.tell(feed)
    seqs = [record.seq for record in log.kept[0]]
    place = Place((seqs[-1 - behind] if behind < len(seqs) else -1,))
    found, end = await read_all(feed, place)
    assert found == [(0, seq) for seq in seqs[len(seqs) - behind :]]
    assert end == feed.end


async def test_records_that_go_while_a_reader_reads_are_not_missed():
    """What is kept here moves on during every read from the ledger."""
    chance = random.Random(3)
    log = Log(3)
    feed = log.feed()

    async def write() -> None:
        for _ in range(60):
            log.add(chance.randrange(3), chance.randrange(4), others=chance.randrange(3))
            log.tell(feed)
            await asyncio.sleep(0)

    async def follow() -> list[tuple[int, int]]:
        found, place = list[tuple[int, int]](), Place((-1, -1, -1))
        while not (writing.done() and not feed.end.is_beyond(place)):
            records, place = await feed.read(place)
            found += [(partition, record.seq) for partition, record in records]
            await asyncio.sleep(0)
        return found

    writing = asyncio.create_task(write())
    for found in await asyncio.gather(follow(), follow()):
        for partition in range(3):
            seen = [seq for which, seq in found if which == partition]
            assert seen == [record.seq for record in log.kept[partition]]


async def test_what_a_reader_was_not_there_for_in_time_is_told_and_passed_over():
    log, person = Log(2), Person("k", "somebody", "", ("dispatcher",))
    log.add(0, 2)
    log.add(1, 9)
    feed = log.feed()
    log.gone = {1: 5}

    async def told(last: str) -> list[bytes]:
        events = streaming._events(Connected(), feed, Place.parsed(last, 2), Open(), person, lambda _: True)
        found: list[bytes] = []
        while not found or b"id: 1.8\n" not in found[-1]:
            found.append(await anext(events))
        await events.aclose()
        return [line for event in found[1:] for line in event.splitlines() if line]

    gap = [b"event: gap", b"id: 1.4", b'data: {"partition":1,"goes_on_at":5}']
    rest = [line for n in range(5, 9) for line in (b"id: 1.%d" % n, b"data: x")]
    assert await told("1.2") == gap + rest
    assert await told("1.4") == rest
    first = [b"id: 0.-1", b"data: x", b"id: 1.-1", b"data: x"]
    assert await told("-1.-1") == first + rest  # all there is: nothing of it is missing
    assert await told("0.-1") == first[2:] + gap + rest


async def test_closed_it_keeps_nobody_waiting():
    feed = Log().feed()
    waiting = asyncio.create_task(feed.wait(feed.end, 60))
    await asyncio.sleep(0)
    feed.close()
    assert not await asyncio.wait_for(waiting, 1)


class Connected:
    """A request whose reader stays."""

    async def is_disconnected(self) -> bool:
        return False


class Open:
    """A gate that goes on letting in whoever is in."""

    def still(self, _request: object, _person: Person) -> bool:
        return True


async def test_a_line_is_kept_open_however_much_comes_that_is_not_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(streaming, "HEARTBEAT_S", 0.05)
    log, person = Log(), Person("k", "somebody", "", ("dispatcher",))
    feed = log.feed()

    async def write() -> None:
        while True:
            log.add(0, 1)
            log.tell(feed)
            await asyncio.sleep(0.002)

    events = streaming._events(Connected(), feed, feed.end, Open(), person, lambda _: False)
    assert (await anext(events)).startswith(b"retry:")
    writing = asyncio.create_task(write())
    async with asyncio.timeout(5):
        first, second = [await anext(events) for _ in range(2)]
    writing.cancel()
    assert first.startswith(b": still here\nid: ")
    assert first != second
    feed.close()
    assert [event async for event in events] == []
