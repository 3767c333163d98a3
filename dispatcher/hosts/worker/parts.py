"""What a worker works on: the partitions it owns, and its stage 1.

Faust takes all partitions away at every rebalance and gives most of them back a moment later. So an owner is paused
first: it goes on where it was if it is given back and nobody else has committed meanwhile, and ends if it is not.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalStateError

from dispatcher.config import Kafka
from dispatcher.core import Intake
from dispatcher.core.homes import Homes
from dispatcher.hosts.run import Health
from dispatcher.hosts.worker.books import PolicyShelf
from dispatcher.hosts.worker.order import Order, Part
from dispatcher.hosts.worker.owner import Owner
from dispatcher.hosts.worker.relay import Relay
from dispatcher.hosts.worker.settings import Settings, Watcher
from dispatcher.ledger import LedgerError
from dispatcher.ledger.kafka import WORK, Connection, Place, bounds, idempotent_producer

__all__ = ["REVOKE_S", "Parts", "Stalled", "Worker"]

log = logging.getLogger(__name__)
STALLED_S = 60.0  # a partition that has something to do and does nothing for so long: the process ends
RELAYED_MAX = 4_000  # records of stage 1 in one step
QUIET_S = 1.0  # after which it is asked whether something was dropped on the way
CHUNKS_MAX = 500  # of stage 1 that wait, most of them small; then the fetching waits
REVOKE_S = 8.0  # to finish the batch under way; after that, the next owner's fence ends it


class Stalled(LedgerError):
    """A partition has something to do and does nothing; only a new process helps."""


class Parts(NamedTuple):
    """What a worker is made of."""

    kafka: Kafka
    connection: Connection
    intake: Intake
    grid: str  # its content hash
    sources: Sequence[str]  # topics, with their prefix
    watcher: Watcher
    health: Health
    poll_s: float


class Worker:
    """The partitions this process owns, and its stage 1."""

    def __init__(
        self,
        parts: Parts,
        fail: Callable[[BaseException], None],
        rewind: Callable[[str, int, int], Awaitable[None]],
        order: Order,
    ) -> None:
        kafka = parts.kafka
        self._parts, self._fail, self._rewind, self._order = parts, fail, rewind, order
        self.place = Place.of(parts.connection, kafka)
        self.owners: dict[int, Owner] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._shelf = PolicyShelf(parts.connection, kafka.prefix)
        self._chunks: asyncio.Queue[Any] = asyncio.Queue(CHUNKS_MAX)
        self._relaying: asyncio.Task[None] | None = None
        self._producers: list[AIOKafkaProducer] = []
        self._settings: Settings | None = None
        self.assigned = self._stopping = False

    async def start(self) -> None:
        """Connect what all partitions share. Raises KafkaError, LedgerError."""
        parts, kafka = self._parts, self._parts.kafka
        carrying, ticking = (idempotent_producer(parts.connection, f"{kafka.application}-{n}") for n in ("1", "clock"))
        for producer in (carrying, ticking):
            self._producers.append(producer)
            await producer.start()
        homes = Homes(kafka.partitions, kafka.partition_level)
        relay = Relay(parts.intake, homes, carrying, kafka.prefix, parts.watcher.faulted, parts.watcher.carried)
        self._relaying = asyncio.create_task(self._guarded(self._carry_all(relay)), name="relay")
        self._settings = Settings(
            self.place, self._shelf, parts.grid, ticking, parts.watcher,
            partial(self._rewind, kafka.prefix + WORK), parts.poll_s,
        )  # fmt: skip

    async def stop(self) -> None:
        """Finish the batches under way and let go of everything."""
        self._stopping = True
        await self._let_go(list(self.owners))
        if self._relaying is not None:
            self._relaying.cancel()  # what is not acknowledged is read again
            await asyncio.wait([self._relaying])
        for producer in self._producers:
            await producer.stop()
        self._producers.clear()

    @property
    def ready(self) -> bool:
        """Whether every partition assigned here is restored."""
        return self.assigned and all(owner.ready.is_set() for owner in self.owners.values())

    async def look_at_ends(self, client: AIOKafkaConsumer) -> None:
        """Compare every partition with where its log ends, asked of the broker and not of what was fetched.

        Raises:
            Stalled: one has something to do and has done nothing for too long.
            LedgerError: no broker answers.
        """
        prefix = self._parts.kafka.prefix
        topic, behind = prefix + WORK, dict[tuple[str, int], int]()
        for partition, (_, end) in (await bounds(client, [TopicPartition(topic, n) for n in self.owners])).items():
            owner = self.owners.get(partition.partition)
            if owner is None:
                continue
            owner.progress(end)
            if owner.ready.is_set():  # before, it is not known from where on it will have to be read
                behind[WORK, partition.partition] = max(0, end - 1 - owner.offset)
            if time.monotonic() - owner.moved_s > STALLED_S:
                raise Stalled(
                    f"partition {owner.partition} stands at {owner.offset} of {end - 1} and has not moved for"
                    f" {STALLED_S:.0f} s"
                )
        carried = {TopicPartition(*part): at for part, at in self._order.carried().items()}
        for source, (_, end) in (await bounds(client, list(carried))).items():
            behind[source.topic.removeprefix(prefix), source.partition] = max(0, end - carried[source])
        self._parts.watcher.lags(behind)

    async def pause(self, partitions: Iterable[int]) -> None:
        """Stand still after the batch under way: these are no longer ours, or ours again in a moment."""
        owners = [self.owners[number] for number in partitions if number in self.owners]
        for owner in owners:
            owner.pause()
        working = [asyncio.ensure_future(owner.idle.wait()) for owner in owners if owner.ready.is_set()]
        if working:  # one that is being restored has nothing under way
            _, late = await asyncio.wait(working, timeout=REVOKE_S)
            for waiting in late:
                waiting.cancel()

    async def assign(self, partitions: Iterable[int]) -> None:
        """Own these and no others."""
        wanted = set(partitions)
        await self._let_go(set(self.owners) - wanted)
        assert self._settings is not None  # noqa: S101 - `start` has been called
        for partition in sorted(wanted):
            owner = self.owners.get(partition)
            if owner is not None:
                owner.go_on()
                continue
            owner = self.owners[partition] = Owner(self._settings, partition)
            self._tasks[partition] = asyncio.create_task(self._guarded(owner.run()), name=f"owner-{partition}")
        self.assigned = True

    async def _let_go(self, partitions: Iterable[int]) -> None:
        numbers = list(partitions)
        tasks = [self._tasks.pop(number) for number in numbers]
        for number, task in zip(numbers, tasks, strict=True):
            owner = self.owners.pop(number)
            owner.stop()
            if not owner.ready.is_set():  # it is being restored, and has nothing under way
                task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=REVOKE_S)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=1.0)
        for number in numbers:
            self._parts.watcher.released(number)

    async def carry(self, event: Any) -> None:  # noqa: ANN401 - Faust's event
        """A chunk for stage 1; waits while too many are waiting."""
        if not self._stopping:
            await self._chunks.put(event)

    async def _carry_all(self, relay: Relay) -> None:
        """Stage 1: everything that is queued in one step. Chunk by chunk, small ones come faster than a round trip.

        What has overtaken something is left, and both are fetched again.
        """
        while True:
            waiting = await self._waiting()
            events = [event for event in waiting if self._order.take(event.value)]
            await relay.carry([record for event in events for record in event.value])
            for event in events:
                event.ack()
            if len(events) < len(waiting) or not waiting:
                await self._fetch_again({Part(event.value.topic, event.value.partition) for event in waiting})

    async def _waiting(self) -> list[Any]:
        """The chunks that wait, up to a step of stage 1; none when for a moment nothing comes."""
        try:
            events = [await asyncio.wait_for(self._chunks.get(), QUIET_S)]
        except TimeoutError:
            return []
        count = len(events[0].value)
        while not self._chunks.empty() and count < RELAYED_MAX:
            events.append(self._chunks.get_nowait())
            count += len(events[-1].value)
        return events

    async def _fetch_again(self, parts: Collection[Part]) -> None:
        """Go back where something was dropped, in these partitions or, when nothing has come for a while, in all."""
        for (topic, partition), position in self._order.behind(parts):
            log.warning("%s/%d: something after %d was dropped; going back", topic, partition, position - 1)
            try:
                await self._rewind(topic, partition, position)
            except IllegalStateError:  # it is not ours any more, or not yet again
                log.info("%s/%d is not ours now", topic, partition)

    async def give(self, event: Any) -> None:  # noqa: ANN401 - Faust's event
        """A chunk of `work` for the owner of its partition; one that comes after the revocation is left."""
        owner = self.owners.get(event.message.partition)
        if owner is not None:
            await owner.put(event)

    async def _guarded(self, doing: Awaitable[None]) -> None:
        try:
            await doing
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - nothing may go on after it
            if not self._stopping:  # its producer was taken away: what it carried is read again
                self._fail(error)
