"""A ledger on a cluster: any number of gateways beside each other, each with a projection of its own.

Records are appended by one idempotent producer, followed by clients that read committed records only, and read again
through a few that stay connected. What is asked of the ledger itself, and ordered, is asked in threads.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from dispatcher.core.modes import Modes, ModeSpan
from dispatcher.gateway.feed import Gap, Place
from dispatcher.gateway.threads import in_thread
from dispatcher.hosts.setup import policy_in_force
from dispatcher.ledger import Entry, Kept, Ledger, Offset
from dispatcher.ledger.kafka import (
    ERASED_MS,
    KafkaLedger,
    Keyed,
    Lane,
    Readers,
    Writer,
    follow,
    ledger_mark,
)
from dispatcher.ledger.kafka import Place as LedgerPlace
from dispatcher.sqlite_file import sole_use
from dispatcher.views import BATCH, FOLLOWED, Portion, Projection, ProjectionError
from rules import Policy

__all__ = ["KafkaLink"]

T = TypeVar("T")
READERS: Final = 4
WAIT_S: Final = 1.0  # what is new comes as soon as it is there
READ_MAX: Final = 500  # records of a topic taken up at once
BEHIND_WAIT_S: Final = 0.05  # behind the last record there are marks of transactions, which are none
ELECTION_S: Final = 20.0
TELL_EVERY_S: Final = 5.0  # of a projection that is behind
log = logging.getLogger(__name__)


class _Enacted(msgspec.Struct):
    """What an event of `control` says; of all of them, the one by which a policy is in force."""

    event: str = ""
    sha256: str = ""


_enacted: Final = msgspec.json.Decoder(_Enacted).decode


class KafkaLink:
    """See `link.Link`.

    Args:
        place: the cluster, and the numbers the topics were made with.
        view_path: where this gateway's projection lies; no other's.
    """

    def __init__(self, place: LedgerPlace, view_path: Path) -> None:
        self._place, self.view_path = place, view_path
        self._connection, self._prefix = place.connection, place.prefix
        self._writer = Writer(place.connection, place.prefix, "dispatcher-gateway")
        self._readers = Readers(place.connection, place.prefix, READERS)
        self._follower = ThreadPoolExecutor(1, "gateway-follow")
        self._consulting = ThreadPoolExecutor(READERS, "gateway-consult")
        self._ordering = ThreadPoolExecutor(1, "gateway-order")
        self._ledger: KafkaLedger | None = None
        self._in_force: str | None = None
        self._policies: dict[str, bytes] = {}
        self._modes: list[ModeSpan] | None = None
        self._commands = 0  # on `control` that have been told of

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """See there; two gateways with one projection would each do what the other has done."""
        self.view_path.parent.mkdir(parents=True, exist_ok=True)
        with sole_use(self.view_path, ProjectionError, "give each gateway its own: gateway.projection"):
            try:
                yield
            finally:
                for pool in (self._follower, self._consulting, self._ordering):
                    await asyncio.to_thread(pool.shutdown)  # it waits for what is under way
                if self._ledger is not None:
                    await asyncio.to_thread(self._ledger.close)
                await self._writer.close()
                await self._readers.close()

    async def append(self, entries: Sequence[Entry]) -> list[Offset]:
        """See there."""
        return await self._writer.append([Keyed(entry.topic, entry.key, entry.value) for entry in entries])

    async def project(self) -> AsyncGenerator[bool]:
        """See there."""
        await self._note_state()
        mark = await ledger_mark(self._connection, self._prefix)
        lanes = [lane for topic in FOLLOWED for lane in await self._lanes(topic)]
        view = await in_thread(self._follower, lambda: Projection(self.view_path))
        try:
            places = await in_thread(self._follower, lambda: self._begun(view, mark))
            if await self._lost(places):
                log.warning(
                    "%s is further on than the topics, which have lost records: it is made again", self.view_path
                )
                places = await in_thread(self._follower, lambda: view.begin(mark, anew=True))
            places = {lane: places.get(lane, -1) for lane in lanes}
            new = True
            async with aclosing(self._portions(places)) as coming:
                async for portions in coming:
                    if not portions:  # it has caught up
                        yield new
                        new = False
                        continue
                    new = True
                    applied = await in_thread(self._follower, partial(view.apply, portions))
                    if applied != sum(len(portion.kept) for portion in portions):
                        raise ProjectionError(f"{self.view_path} was written by another process")
        finally:
            await in_thread(self._follower, view.close)  # what is under way there comes first

    @staticmethod
    def _begun(view: Projection, mark: str) -> dict[Lane, int]:
        """Where the projection goes on; what may have been erased unseen since it was written last is read again."""
        places = view.begin(mark)
        if time.time_ns() // 1_000_000 - view.latest_ms < ERASED_MS // 2:
            return places
        view.forget_private()
        return view.begin(mark)

    async def _lost(self, places: dict[Lane, int]) -> bool:
        """Whether the topics end before what was followed; a leader elected a moment ago does not know its end yet."""
        until_s = time.monotonic() + ELECTION_S
        while places:
            ends = await self._readers.ends(list(places))
            if all(seq <= ends[lane] for lane, seq in places.items()):
                break
            if time.monotonic() > until_s:
                return True
            await asyncio.sleep(WAIT_S)
        return False

    async def _portions(self, places: dict[Lane, int]) -> AsyncGenerator[list[Portion]]:
        """What comes to the followed topics; an empty list after each, once everything that was there is given out."""
        caught_up, count, told_s = False, 0, time.monotonic()
        async with follow(self._connection, self._prefix, places) as follower:
            while True:
                found = await follower.next(BATCH, WAIT_S if caught_up else BEHIND_WAIT_S)
                if caught_up:  # before, what is told of was in force once
                    self._note_policy(found.get(("events", 0), ()))
                portions = [Portion(*lane, places[lane], kept) for lane, kept in found.items()]
                if portions:
                    yield portions
                    places |= {lane: kept[-1].seq for lane, kept in found.items()}
                if not caught_up and await follower.caught_up():
                    caught_up = True
                    await self._note_state()  # what was put in force while it was catching up
                if caught_up:
                    yield []
                count += sum(map(len, found.values()))
                if not caught_up and time.monotonic() - told_s > TELL_EVERY_S:
                    log.info("the projection is behind; it has taken up %d records since the start", count)
                    told_s = time.monotonic()

    async def news(self, topic: str, after: Place) -> AsyncGenerator[tuple[int, list[Kept]]]:
        """See there."""
        places = {(topic, partition): seq for partition, seq in enumerate(after.seqs)}
        async with follow(self._connection, self._prefix, places) as follower:
            while True:
                for (_, partition), kept in (await follower.next(READ_MAX, WAIT_S)).items():
                    yield partition, kept

    async def read(self, topic: str, after: int, limit: int, partition: int) -> list[Kept]:
        """See there."""
        begins, kept = await self._readers.read((topic, partition), after, limit)
        if begins > after + 1:
            raise Gap(partition, begins)
        return kept

    async def end(self, topic: str) -> Place:
        """See there."""
        ends = await self._readers.ends(await self._lanes(topic))
        return Place(tuple(ends.values()))

    async def in_force(self, known: Policy | None) -> Policy | None:
        """See there; a policy's document is there before it is in force."""
        if known is not None and known.sha256 == self._in_force:
            return known
        if self._in_force is not None and self._in_force not in self._policies:
            self._policies = await self._readers.newest(("policies", 0))
        return await in_thread(self._follower, lambda: policy_in_force(self, known))

    async def stored(self, sha256: str) -> bytes | None:
        """See there."""
        if sha256 not in self._policies:
            self._policies = await self._readers.newest(("policies", 0))
        return self._policies.get(sha256)

    async def modes(self, *, anew: bool) -> list[ModeSpan]:
        """See there; every partition holds the same, one is enough."""
        if anew:
            self._modes, self._commands = None, self._commands + 1
        while self._modes is None:
            commands = self._commands
            value = (await self._readers.newest(("state", 0))).get("modes")
            if commands == self._commands:  # else something was done about them meanwhile
                self._modes = [] if value is None else list(Modes.decode(value).spans.values())
        return self._modes

    async def consult(self, query: Callable[[Ledger], T]) -> T:
        """See there."""
        ledger = self._asked()
        return await in_thread(self._consulting, lambda: query(ledger))

    async def order(self, doing: Callable[[Ledger], T]) -> T:
        """See there; other gateways may order at the same time, of which the engine takes one after the other."""
        ledger = self._asked()
        return await in_thread(self._ordering, lambda: doing(ledger))

    def _asked(self) -> KafkaLedger:
        """The ledger for those who wait for it in threads, made when somebody first does."""
        if self._ledger is None:
            self._ledger = KafkaLedger(self._place)
        return self._ledger

    def newest(self, topic: str, key: str) -> bytes | None:
        """As `in_force` has it looked up."""
        if topic == "policies":
            return self._policies.get(key)
        return None if self._in_force is None else msgspec.json.encode(self._in_force)

    async def _lanes(self, topic: str) -> list[Lane]:
        return [(topic, partition) for partition in range(await self._writer.count(topic))]

    async def _note_state(self) -> None:
        """The policy in force, as the first partition holds it."""
        state = await self._readers.newest(("state", 0))
        if "policy" in state:
            self._in_force = msgspec.json.decode(state["policy"], type=str)
        self._modes, self._commands = None, self._commands + 1

    def _note_policy(self, events: Sequence[Kept]) -> None:
        """Every partition tells of what a command did; one is enough."""
        for event in events:
            if event.key == "control" and event.value is not None:
                said = _enacted(event.value)
                self._modes, self._commands = None, self._commands + 1  # looked up again when somebody asks
                if said.event == "policy_activated":
                    self._in_force = said.sha256
