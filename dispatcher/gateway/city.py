"""What the gateway reads and writes of a city: its ledger, the projection of it, and its topics as feeds.

Nothing here decides anything: what is appended is the engine's to take or refuse.
"""

import asyncio
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from typing import Final, TypeVar

from dispatcher.core.modes import ModeSpan
from dispatcher.gateway.appending import Appender
from dispatcher.gateway.feed import Feed, Gap, Place
from dispatcher.gateway.link import Link
from dispatcher.gateway.news import News
from dispatcher.gateway.threads import in_thread
from dispatcher.ledger import Entry, Kept, Ledger, LedgerError, Offset
from dispatcher.views import Projection, event_places
from dispatcher.views.figures import Figures, figures
from rules import Policy, load_canonical

__all__ = ["City"]

T = TypeVar("T")
READERS: Final = 4
POLICIES_MAX: Final = 8  # kept read, 5 MB each
EVENTS: Final = "events"
POLICY_WAIT_S: Final = 10.0  # of a thread, for a policy
RESTART_S: Final = 5.0  # after a fault of our own, a full disk for one
log = logging.getLogger(__name__)


class _Connection(threading.local):
    """A thread's own connection to read the projection by, made on first use."""

    view: Projection | None = None


class City:
    """A ledger and the projection of it.

    Args:
        link: to the ledger.
        appended: told of each commit: how many records, how many seconds.
    """

    def __init__(self, link: Link, appended: Callable[[int, float], None] = lambda _records, _seconds: None) -> None:
        self._link, self._appended = link, appended
        self._own = _Connection()
        self._readers = ThreadPoolExecutor(READERS, "gateway-read")
        self._appender = Appender(self._write)
        self._policy: Policy | None = None
        self._policies: OrderedDict[str, Policy] = OrderedDict()  # that were looked at of late
        self._modes: tuple[int, list[ModeSpan]] | None = None  # as of a version
        self._recalled: dict[str, str] = {}
        self._feeds: dict[str, Feed] = {}
        self._following: list[asyncio.Task[None]] = []
        self._begun: asyncio.Future[None] | None = None  # it has caught up with the ledger, or could not
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = News()
        self.trying = asyncio.Lock()  # what takes a moment and much memory, a copy of all that is open: one at a time
        self.stopping = False  # whoever waits for something is to end
        self.followed_s = 0.0  # when the projection was last known to hold everything, by the clock
        self.version = 0  # raised whenever the projection has taken up something new

    @asynccontextmanager
    async def open(self, *, wait: bool = True) -> AsyncIterator[None]:
        """Follow the ledger and take appends until the block is left; what was taken by then is durable.

        Args:
            wait: begin the block when the projection has caught up with the ledger; otherwise reads are refused until
                it has.
        """
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.create_future()
        async with self._link.open():
            appending = asyncio.create_task(self._appender.run(), name="appending")
            self._follow(self._project)
            try:
                if wait:
                    await self.caught_up()
                yield
            finally:
                self._appender.close()
                await asyncio.wait([appending])
                for following in self._following:
                    following.cancel()
                await asyncio.wait(self._following)
                await asyncio.to_thread(self._readers.shutdown)  # it waits for what is under way

    async def caught_up(self) -> None:
        """Return when the projection has everything that was there when the city was opened; raise what prevents it."""
        assert self._begun is not None  # noqa: S101 - it is open
        await asyncio.shield(self._begun)

    async def append(self, entries: Sequence[Entry]) -> list[Offset]:
        """Return when the records are durable, with where each lies. Raises Full, InDoubt, LedgerError."""
        return await self._appender.append(entries)

    async def read(self, query: Callable[[Projection], T]) -> T:
        """Ask the projection; however much is asked, it is of one moment. Raises LedgerError: it is catching up."""
        if self._begun is None or not self._begun.done():
            raise LedgerError("the gateway has just started and is catching up with the ledger; try again in a moment")
        return await in_thread(self._readers, lambda: self._at_once(query))

    async def policy(self) -> Policy:
        """The one in force. Raises LedgerError: nothing has been worked through yet."""
        self._policy = await self._link.in_force(self._policy)
        if self._policy is None:
            raise LedgerError("no policy is in force yet; try again in a moment")
        return self._policy

    async def policy_of(self, sha256: str) -> Policy | None:
        """One that the ledger keeps, whether it is in force or not. Raises LedgerError."""
        if sha256 not in self._policies:
            document = await self._link.stored(sha256)
            if document is None:
                return None
            self._policies[sha256] = await asyncio.to_thread(load_canonical, document)
            while len(self._policies) > POLICIES_MAX:
                self._policies.popitem(last=False)
        self._policies.move_to_end(sha256)
        return self._policies[sha256]

    def policy_kept(self, sha256: str) -> Policy:
        """The same to what `read` runs, in its own thread. Raises KeyError: it is not kept; LedgerError."""
        assert self._loop is not None  # noqa: S101 - something is being read
        known = self._policies.get(sha256)
        if known is not None:  # of thousands of incidents most were decided under a few
            return known
        try:
            policy = asyncio.run_coroutine_threadsafe(self.policy_of(sha256), self._loop).result(POLICY_WAIT_S)
        except TimeoutError as error:
            raise LedgerError(f"policy {sha256[:12]} could not be read in {POLICY_WAIT_S:g} s; try again") from error
        if policy is None:
            raise KeyError(sha256)
        return policy

    async def document_of(self, sha256: str) -> bytes | None:
        """Its canonical form. Raises LedgerError."""
        return await self._link.stored(sha256)

    async def modes(self) -> list[ModeSpan]:
        """The modes that hold, in the order in which they were set; looked up once for all until something happens."""
        version = self.version
        if self._modes is None or self._modes[0] != version:
            self._modes = version, await self._link.modes(anew=self._modes is None)
        return self._modes[1]

    def forget_modes(self) -> None:
        """Something was done about modes: they are looked up anew."""
        self._modes = None

    async def recalled(self, names: Sequence[str], look: Callable[[Ledger], dict[str, str]]) -> dict[str, str]:
        """What is said once of each name and never changes, asked of the ledger for names not met before.

        Raises:
            LedgerError: it cannot be asked.
        """
        if not self._recalled.keys() >= set(names):
            self._recalled = dict.fromkeys(names, "") | await self.consult(look)
        return {name: self._recalled[name] for name in names}

    async def events_of(self, key: str) -> list[Kept]:
        """The events of an incident, or of `control` (as one partition tells them), in order, while they are kept."""
        places = await self.read(lambda view: event_places(view, key))
        found = list[Kept]()
        for partition, seq in places:
            try:
                found += await self._link.read(EVENTS, seq - 1, 1, partition)
            except Gap:  # the topic does not keep it any more
                continue
        return found

    async def work(self, doing: Callable[[], T]) -> T:
        """Compute something that takes a moment, off the event loop."""
        return await in_thread(self._readers, doing)

    async def consult(self, query: Callable[[Ledger], T]) -> T:
        """Ask the ledger itself what no projection tells: read only. Raises LedgerError."""
        return await self._link.consult(query)

    async def order(self, doing: Callable[[Ledger], T]) -> T:
        """Do what is more than an append (`control`, `policies`). Raises InDoubt, LedgerError."""
        return await self._link.order(doing)

    async def feed(self, topic: str) -> Feed:
        """A topic to be streamed; followed from the first time somebody asks for it."""
        feed = self._feeds.get(topic)
        if feed is None:
            made = Feed(topic, (await self.end(topic)).seqs, self._link.read)
            feed = self._feeds.setdefault(topic, made)
            if feed is made:
                self._follow(lambda: self._fill(made))
        if self.stopping:
            feed.close()
        return feed

    async def end(self, topic: str) -> Place:
        """A place beyond all that the ledger holds of a topic now."""
        return await self._link.end(topic)

    async def release(self) -> None:
        """Whoever waits for something, a stream or an outcome, need wait no more: the server stops."""
        self.stopping = True
        for feed in self._feeds.values():
            feed.close()
        self._news.tell()

    async def changed(self, version: int, longest_s: float) -> None:
        """Return when the projection has another version, or the server stops, or after that time."""
        await self._news.wait(lambda: self.stopping or self.version != version, longest_s)

    def _follow(self, doing: Callable[[], Awaitable[None]]) -> None:
        self._following.append(asyncio.create_task(_again_and_again(doing), name="following"))

    async def _project(self) -> None:
        assert self._begun is not None  # noqa: S101 - it is open
        try:
            async with aclosing(self._link.project()) as turns:
                async for new in turns:
                    self.followed_s = time.time()
                    if not self._begun.done():
                        self._begun.set_result(None)
                    if not new:
                        continue
                    self.version += 1
                    self._news.tell()
        except Exception as error:
            if self._begun.done():
                raise
            self._begun.set_exception(error)  # whoever opened it is told

    async def _fill(self, feed: Feed) -> None:
        async with aclosing(self._link.news(feed.topic, feed.end)) as portions:
            async for partition, kept in portions:
                feed.add(partition, kept)

    async def _write(self, entries: Sequence[Entry]) -> list[Offset]:
        begun_s = time.perf_counter()
        lie = await self._link.append(entries)
        self._appended(len(entries), time.perf_counter() - begun_s)
        return lie

    # --- in threads -------------------------------------------------------------------------------------------------

    def figures(self) -> Figures:
        """What is monitored, asked in the thread of whoever calls. Raises LedgerError, ProjectionError."""
        if self._loop is None:
            raise LedgerError("the gateway has just started; try again in a moment")
        zone = asyncio.run_coroutine_threadsafe(self.policy(), self._loop).result(POLICY_WAIT_S).timezone
        return self._at_once(lambda view: figures(view, time.time_ns() // 1_000_000, zone))

    def _at_once(self, query: Callable[[Projection], T]) -> T:
        if self._own.view is None:
            self._own.view = Projection(self._link.view_path, read_only=True)
        view = self._own.view
        view.db.execute("BEGIN")
        try:
            return query(view)
        finally:
            view.db.execute("ROLLBACK")  # nothing was written


async def _again_and_again(doing: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await doing()
        except Exception:
            log.exception(
                "following the ledger has stopped; it starts again in %g s",
                RESTART_S,
                extra={"event": "following_stopped"},
            )
        await asyncio.sleep(RESTART_S)
