"""What the gateway reads and writes of a city: its ledger, the projection of it, and its topics as feeds.

SQLite connections are for one thread at a time: one thread writes the ledger, one follows it, and each of those that
read has connections of its own. Nothing here decides anything: what is appended is the engine's to take or refuse.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

from dispatcher.gateway.appending import Appender
from dispatcher.gateway.feed import Feed, Place
from dispatcher.hosts.setup import policy_in_force
from dispatcher.ledger import Entry, Kept, LedgerError, SqliteLedger
from dispatcher.views import Projection, view_path
from rules import Policy

__all__ = ["City"]

T = TypeVar("T")
LOOK_EVERY_S: Final = 0.05  # for what is new in the ledger
READERS: Final = 4
RESTART_S: Final = 5.0  # after a fault of our own, a full disk for one
log = logging.getLogger(__name__)


class _Connections(threading.local):
    """A thread's own connections to read by, made on first use."""

    ledger: SqliteLedger | None = None
    view: Projection | None = None


class City:
    """A ledger in one file, beside the engine that works on it.

    Args:
        path: of the ledger, which is there.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._view_path = path, view_path(path)
        self._own = _Connections()
        self._readers = ThreadPoolExecutor(READERS, "gateway-read")
        self._follower = ThreadPoolExecutor(1, "gateway-follow")
        self._writer = ThreadPoolExecutor(1, "gateway-append")
        self._followed: Projection | None = None
        self._written: SqliteLedger | None = None
        self._appender = Appender(self._write)
        self._policy: Policy | None = None
        self._feeds: dict[str, Feed] = {}
        self._news = asyncio.Condition()
        self.stopping = False  # whoever waits for something is to end
        self.version = 0  # raised whenever the projection has taken up something new

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Follow the ledger and take appends until the block is left; what was taken by then is durable."""
        await self._in(self._follower, self._catch_up)
        async with asyncio.TaskGroup() as group:
            appending = group.create_task(self._appender.run(), name="appending")
            following = group.create_task(self._follow(), name="following")
            try:
                yield
            finally:
                self._appender.close()
                await asyncio.wait([appending])
                following.cancel()
        for pool in (self._readers, self._follower, self._writer):
            await asyncio.to_thread(pool.shutdown)  # it waits for what is under way

    async def append(self, entries: Sequence[Entry]) -> None:
        """Return when the records are durable. Raises Full, LedgerError."""
        await self._appender.append(entries)

    async def read(self, query: Callable[[Projection], T]) -> T:
        """Ask the projection; however much is asked, it is of one moment."""
        return await self._in(self._readers, lambda: self._at_once(query))

    async def policy(self) -> Policy:
        """The one in force. Raises LedgerError: nothing has been worked through yet."""
        return await self._in(self._readers, self._in_force)

    async def appended(self, topic: str) -> int:
        """How many records an input topic holds: what is appended from now on has this offset or a later one."""
        return await self._in(self._readers, lambda: self._ledger().appended(topic))

    async def feed(self, topic: str) -> Feed:
        """A topic to be streamed; followed from the first time somebody asks for it."""
        feed = self._feeds.get(topic)
        if feed is None:
            feed = self._feeds.setdefault(topic, Feed(topic, (await self.end(topic)).seqs, self._read_on))
        if self.stopping:
            await feed.close()
        return feed

    async def end(self, topic: str) -> Place:
        """A place beyond all that the ledger holds of a topic now."""
        return Place((await self._in(self._readers, lambda: self._ledger().end(topic)),))

    async def release(self) -> None:
        """Whoever waits for something, a stream or an outcome, need wait no more: the server stops."""
        self.stopping = True
        for feed in list(self._feeds.values()):
            await feed.close()
        async with self._news:
            self._news.notify_all()

    async def changed(self, version: int, longest_s: float) -> None:
        """Return when the projection has another version, or the server stops, or after that time."""
        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(lambda: self.stopping or self.version != version), longest_s)
            except TimeoutError:
                return

    async def _follow(self) -> None:
        while True:
            try:
                await self._turn()
            except Exception:
                log.exception("following the ledger has stopped; it starts again in %g s", RESTART_S)
                await asyncio.sleep(RESTART_S)

    async def _turn(self) -> None:
        for feed in list(self._feeds.values()):
            await feed.turn()
        if await self._in(self._follower, self._catch_up):
            async with self._news:
                self.version += 1
                self._news.notify_all()
        else:
            await asyncio.sleep(LOOK_EVERY_S)

    async def _read_on(self, topic: str, after: int, limit: int, partition: int) -> list[Kept]:
        return await self._in(self._readers, lambda: self._ledger().follow(topic, after, limit, partition))

    async def _write(self, entries: Sequence[Entry]) -> None:
        await self._in(self._writer, lambda: self._append(entries))

    @staticmethod
    async def _in(pool: ThreadPoolExecutor, doing: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, doing)

    # --- in threads -------------------------------------------------------------------------------------------------

    def _in_force(self) -> Policy:
        self._policy = policy_in_force(self._ledger(), self._policy)
        if self._policy is None:
            raise LedgerError("no policy is in force yet; try again in a moment")
        return self._policy

    def _append(self, entries: Sequence[Entry]) -> None:
        if self._written is None:
            self._written = SqliteLedger(self._path)
        self._written.append(entries)

    def _catch_up(self) -> int:
        if self._followed is None:
            self._followed = Projection(self._view_path)
        try:
            return self._followed.catch_up(self._ledger())
        except Exception:
            self._followed.close()  # whatever became of the file, the next try opens it anew
            self._followed = None
            raise

    def _at_once(self, query: Callable[[Projection], T]) -> T:
        view = self._view()
        view.db.execute("BEGIN")
        try:
            return query(view)
        finally:
            view.db.execute("ROLLBACK")  # nothing was written

    def _ledger(self) -> SqliteLedger:
        if self._own.ledger is None:
            self._own.ledger = SqliteLedger(self._path, read_only=True)
        return self._own.ledger

    def _view(self) -> Projection:
        if self._own.view is None:
            self._own.view = Projection(self._view_path, read_only=True)
        return self._own.view
