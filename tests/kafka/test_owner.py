"""The owner of a partition: what it refuses to start on, what it keeps over a pause, what becomes of what breaks it."""

import asyncio
import time
from collections import Counter
from contextlib import asynccontextmanager
from types import SimpleNamespace
from uuid import uuid4

import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from kafka_lanes import committed, lay_lanes

from dispatcher.core import Outcome, Position, Reason
from dispatcher.core import engine as engine_module
from dispatcher.core.carried import carried
from dispatcher.core.control import SetMode
from dispatcher.core.work import CommandWork, Rejected, Source
from dispatcher.hosts.worker import owner as owner_module
from dispatcher.hosts.worker import ticking as ticking_module
from dispatcher.hosts.worker.batches import RecordBatch
from dispatcher.hosts.worker.books import PolicyShelf
from dispatcher.hosts.worker.owner import Owner, Settings
from dispatcher.ledger import Fenced, LedgerError
from dispatcher.ledger.kafka import Holding, Out, Place, idempotent_producer, put_values

WAIT_S = 20.0
RECORDS = 5
pytestmark = pytest.mark.timeout(90)


def rejection(offset: int) -> Rejected:
    """Work that needs no policy."""
    return Rejected(0, 0, Source("reports", 0, offset, 1), Reason.NOT_JSON, "", "")


def command(offset: int) -> CommandWork:
    said = SetMode(command_id=f"c{offset}", mode="normal", until="2026-12-01T00:00:00+08:00")
    return CommandWork(0, 0, Source("control", 0, offset, 1), said)


@pytest.fixture
async def place(broker) -> Place:
    """Five records on each source, and on `work` what stage 1 made of those on `reports`."""
    place = await lay_lanes(broker.bootstrap, f"owner-{uuid4().hex[:8]}.", 1)
    sources = [Out(place.prefix + topic, 0, None, b"?") for topic in ("reports", "control") for _ in range(RECORDS)]
    await put_values(place.connection, sources)
    await append(place, *map(rejection, range(RECORDS)))
    return place


async def append(place: Place, *work) -> None:
    await put_values(place.connection, [Out(f"{place.prefix}work", 0, None, carried(item)) for item in work])


async def record(place: Place, position: int, *, marks=None, incidents=0, revisions=0, values=0) -> None:
    """Commit that a partition has come so far, as somebody else."""
    async with Holding.open(place, 0) as (held, _, _, standing):
        compacted = {("incidents", f"i{n}"): b"{}" for n in range(values)}
        outcome = Outcome(
            Position(position, 1), 1, [], compacted, Counter(), 0, incidents=incidents, revisions=revisions
        )
        await held.commit(outcome, standing.position, marks=marks)


async def rejected(place: Place) -> list[tuple[str, int, str]]:
    """What was committed of rejections, in order: where each came from, and why."""
    found = [orjson.loads(each.value) for each in await committed(place, "rejected", 0)]
    return [(each["topic"], each["offset"], each["reason"]) for each in found]


class Watcher:
    """Remembers what it was told; `told` is set at every commit."""

    def __init__(self) -> None:
        self.restored_times, self.position, self.faults = 0, -1, []
        self.told = asyncio.Event()

    def restoring(self, partition, done, total):
        pass

    def restored(self, partition, incidents, seconds):
        self.restored_times += 1

    def committed(self, partition, outcome, engine, batch):
        self.position = outcome.position.offset
        self.told.set()

    def idles(self, partition, engine):
        pass

    def carried(self, unknown_fields, seconds):
        pass

    def released(self, partition):
        pass

    def lags(self, behind):
        pass

    def waits_for_policy(self):
        pass

    def faulted(self, fault):
        self.faults.append(fault.poison)


class AtWork:
    """An owner at work, and the part of Faust: chunks of `work`, acknowledged or not."""

    def __init__(self, place: Place, owner: Owner, watcher: Watcher, running: asyncio.Task) -> None:
        self.place, self.owner, self.watcher, self.running = place, owner, watcher, running
        self.acknowledged: list[int] = []
        self.failed = False

    async def give(self, *offsets: int) -> None:
        """One chunk of these."""
        found = [each for each in await committed(self.place, "work", 0) if each.offset in offsets]
        last = found[-1].offset
        event = SimpleNamespace(value=RecordBatch(found), ack=lambda: self.acknowledged.append(last))
        await self.owner.put(event)

    async def first(self, event: asyncio.Event) -> None:
        """Wait for an event; if the owner fails before it, that is raised."""
        waiting = asyncio.create_task(event.wait())
        done, _ = await asyncio.wait([waiting, self.running], timeout=WAIT_S, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        assert done, "nothing has happened"
        if self.running in done:
            self.running.result()

    async def reaches(self, position: int) -> None:
        """Wait until it has committed so far."""
        while self.watcher.position < position:
            self.watcher.told.clear()
            await self.first(self.watcher.told)

    async def fails(self, kind: type[Exception], said: str) -> None:
        """Wait until it does."""
        with pytest.raises(kind, match=said):
            await asyncio.wait_for(self.running, WAIT_S)
        self.failed = True

    async def pause(self) -> None:
        self.owner.pause()
        await asyncio.wait_for(self.owner.idle.wait(), WAIT_S)


@asynccontextmanager
async def at_work(place: Place):
    """An owner, ready; what it fails of is raised here, unless the test has seen it."""
    producer, watcher = idempotent_producer(place.connection, "clock"), Watcher()
    running = None
    try:
        await producer.start()
        shelf = PolicyShelf(place.connection, place.prefix)
        went_back: asyncio.Queue = asyncio.Queue()

        async def rewind(partition, offset):
            await went_back.put((partition, offset))

        owner = Owner(Settings(place, shelf, "grid", producer, watcher, rewind, 0.02), 0)
        running = asyncio.create_task(owner.run())
        work = AtWork(place, owner, watcher, running)
        work.went_back = went_back
        await work.first(owner.ready)
        yield work
        owner.stop()
        if not work.failed:
            await asyncio.wait_for(running, WAIT_S)
    finally:
        if running is not None:
            running.cancel()
            await asyncio.wait([running])
        await producer.stop()


async def start(place: Place) -> None:
    """Take a partition up and let go of it."""
    async with at_work(place):
        pass


# what is read


async def test_a_chunk_is_acknowledged_when_it_is_committed_and_its_repeats_are_dropped(place):
    await append(place, rejection(3), rejection(4), rejection(5))  # offsets 5 to 7: two of them again
    async with at_work(place) as work:
        await work.give(*range(5))
        await work.reaches(4)
        await work.give(5, 6, 7)
        await work.reaches(7)
    assert work.acknowledged == [4, 7]
    assert await rejected(place) == [("reports", n, "not_json") for n in range(6)]


async def test_where_something_is_skipped_the_owner_goes_back_to_where_its_ledger_ends(place):
    """The group's offset may be ahead of the truth, whoever put it there."""
    async with at_work(place) as work:
        await work.give(0, 1)
        await work.reaches(1)
        await work.give(3, 4)
        assert await asyncio.wait_for(work.went_back.get(), WAIT_S) == (0, 2)
        await work.give(2, 3, 4)
        await work.reaches(4)
    assert work.acknowledged == [1, 4]
    assert await rejected(place) == [("reports", n, "not_json") for n in range(5)]


async def test_what_cannot_be_had_is_refused(place, monkeypatch):
    monkeypatch.setattr(owner_module, "SKIPPED_MAX_S", 0.1)
    async with at_work(place) as work:
        await work.give(0, 1)
        await work.reaches(1)
        await work.give(3, 4)
        await asyncio.wait_for(work.went_back.get(), WAIT_S)
        await asyncio.sleep(0.15)
        await work.give(3, 4)
        await work.fails(LedgerError, "after 1 comes 3; what lies between is missing")
    assert work.acknowledged == [1]


# what it refuses to start on


@pytest.mark.parametrize(("kept_from", "refused"), [(3, False), (4, True)])
async def test_a_log_emptied_beyond_the_position_is_refused(kept_from, refused, place, broker):
    await record(place, 2)
    admin = AIOKafkaAdminClient(**broker.client())
    try:
        await admin.start()
        await admin.delete_records({TopicPartition(f"{place.prefix}work", 0): RecordsToDelete(before_offset=kept_from)})
    finally:
        await admin.close()
    if not refused:
        await start(place)
        return
    with pytest.raises(LedgerError, match=r"stands at 2, but .*work holds 4 to 4; it was emptied, made anew"):
        await start(place)


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        ({"position": 4}, None),
        ({"position": 5}, r"stands at 5, but .*work holds 0 to 4; it was emptied, made anew"),
        ({"position": 0, "marks": {("reports", 0): 4}}, None),
        ({"position": 0, "marks": {("reports", 0): 5}}, r"reports/0 was seen up to 5, but ends at 4; it was made anew"),
        ({"position": 0, "values": 1, "incidents": 2}, "1 incidents are on the topic, 2 were recorded"),
        ({"position": 0, "values": 2, "incidents": 1}, "2 incidents are on the topic, 1 were recorded"),
        ({"position": 0, "revisions": 7}, "the incidents on the topic have 0 revisions, 7 were recorded"),
    ],
)
async def test_what_does_not_fit_together_is_refused(recorded, said, place):
    await record(place, **recorded)
    if said is None:
        await start(place)
        return
    with pytest.raises(LedgerError, match=said):
        await start(place)


@pytest.mark.parametrize(("skew_s", "refused"), [(-61, True), (-50, False), (50, False), (61, True)])
async def test_clocks_that_differ_by_more_than_a_minute_are_refused(skew_s, refused, place, monkeypatch):
    ours = SimpleNamespace(time_ns=lambda: time.time_ns() + skew_s * 10**9, monotonic=time.monotonic)
    monkeypatch.setattr(ticking_module, "time", ours)
    if not refused:
        await start(place)
        return
    with pytest.raises(LedgerError, match=r"the broker's clock says .* set right which is wrong"):
        await start(place)


# pauses


async def test_after_a_pause_in_which_nobody_committed_the_same_engine_goes_on(place):
    async with at_work(place) as work:
        await work.give(0, 1)
        await work.reaches(1)
        await work.pause()
        await work.give(2, 3)  # what was on its way when the partition was taken away is read again
        work.owner.go_on()
        await work.give(2, 3, 4)
        await work.reaches(4)
    assert work.watcher.restored_times == 1
    assert await rejected(place) == [("reports", n, "not_json") for n in range(5)]


async def test_after_a_pause_in_which_somebody_committed_the_partition_is_opened_anew(place):
    async with at_work(place) as work:
        await work.give(0, 1)
        await work.reaches(1)
        await work.pause()
        await record(place, 3, marks={("reports", 0): 3})
        work.owner.go_on()
        await work.give(2, 3, 4)
        await work.reaches(4)
    assert work.watcher.restored_times == 2
    assert await rejected(place) == [("reports", n, "not_json") for n in (0, 1, 4)]


async def test_after_a_pause_in_which_somebody_only_opened_the_partition_it_ends_at_its_next_commit(place):
    async with at_work(place) as work:
        await work.pause()
        async with Holding.open(place, 0):
            pass
        work.owner.go_on()
        await work.give(0)
        await work.fails(Fenced, "held by another process")
    assert await rejected(place) == []


# faults


@pytest.mark.parametrize("together", [True, False])
async def test_a_record_that_breaks_the_engine_ends_as_engine_error_and_the_stream_goes_on(
    together, place, monkeypatch
):
    take = engine_module._take
    broken = (1, 2)  # of `control`, in a row

    def breaks(turn, item, now_ms):
        if isinstance(item, CommandWork):
            raise ZeroDivisionError("planted")
        take(turn, item, now_ms)

    monkeypatch.setattr(engine_module, "_take", breaks)
    await append(place, *map(command, broken), rejection(5))  # offsets 5 to 7
    async with at_work(place) as work:
        chunks = [range(8)] if together else [(n,) for n in range(8)]
        for chunk in chunks:
            await work.give(*chunk)
        await work.reaches(7)
    good = [("reports", n, "not_json") for n in range(6)]
    bad = [("control", n, "engine_error") for n in broken]
    assert await rejected(place) == [*good[:5], *bad, good[5]]
    assert work.watcher.faults == [f"control/0/{n}" for n in broken]
    assert work.watcher.restored_times == 3
    assert sorted(work.acknowledged) == [chunk[-1] for chunk in chunks]


async def test_a_tail_of_repeats_is_no_standstill(place):
    """Repeats are dropped and nothing is committed for them: the owner has come to the end all the same."""
    await append(place, rejection(3), rejection(4))  # offsets 5 and 6
    async with at_work(place) as work:
        await work.give(*range(5))
        await work.reaches(4)
        await work.give(5, 6)
        async with asyncio.timeout(WAIT_S):
            while work.owner._read < 6:
                await asyncio.sleep(0.01)
        work.owner.moved_s = 0.0
        work.owner.progress(7)
        assert work.owner.moved_s > 0.0
        work.owner.moved_s = 0.0
        work.owner.progress(8)
        assert work.owner.moved_s == 0.0
