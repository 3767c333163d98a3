"""A ledger in one file, beside the engine that works on it.

SQLite connections are for one thread at a time: one thread writes the ledger, one follows it, and each of those that
read has a connection of its own.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

from dispatcher.core.modes import ModeSpan
from dispatcher.gateway.feed import Place
from dispatcher.gateway.threads import in_thread
from dispatcher.hosts.setup import policy_in_force
from dispatcher.ledger import Entry, Kept, Ledger, Offset, SqliteLedger
from dispatcher.policies.control import modes_held
from dispatcher.views import Projection, view_path
from rules import Policy

__all__ = ["FileLink"]

T = TypeVar("T")
LOOK_EVERY_S: Final = 0.05  # for what is new in the ledger
READ_MAX: Final = 500  # records of a topic taken up at once
READERS: Final = 4


class _Connection(threading.local):
    """A thread's own connection to read by, made on first use."""

    ledger: SqliteLedger | None = None


class FileLink:
    """See `link.Link`.

    Args:
        path: of the ledger, which is there.
    """

    def __init__(self, path: Path) -> None:
        self._path, self.view_path = path, view_path(path)
        self._own = _Connection()
        self._readers = ThreadPoolExecutor(READERS, "ledger-read")
        self._follower = ThreadPoolExecutor(1, "ledger-follow")
        self._writer = ThreadPoolExecutor(1, "ledger-append")
        self._written: SqliteLedger | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """See there; everything is opened on first use."""
        try:
            yield
        finally:
            for pool in (self._readers, self._follower, self._writer):
                await asyncio.to_thread(pool.shutdown)  # it waits for what is under way

    async def append(self, entries: Sequence[Entry]) -> list[Offset]:
        """See there."""
        return await in_thread(self._writer, lambda: self._append(entries))

    async def project(self) -> AsyncGenerator[bool]:
        """See there."""
        view = await in_thread(self._follower, lambda: Projection(self.view_path))
        try:
            await in_thread(self._follower, lambda: view.catch_up(self._ledger()))
            yield True
            while True:
                new = await in_thread(self._follower, lambda: view.catch_up(self._ledger())) > 0
                yield new
                if not new:
                    await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await in_thread(self._follower, view.close)  # what is under way there comes first

    async def news(self, topic: str, after: Place) -> AsyncGenerator[tuple[int, list[Kept]]]:
        """See there."""
        (last,) = after.seqs
        while True:
            kept = await self.read(topic, last, READ_MAX, 0)
            if kept:
                last = kept[-1].seq
                yield 0, kept
            else:
                await asyncio.sleep(LOOK_EVERY_S)

    async def read(self, topic: str, after: int, limit: int, partition: int) -> list[Kept]:
        """See there; a file keeps everything."""
        return await in_thread(self._readers, lambda: self._ledger().follow(topic, after, limit, partition))

    async def end(self, topic: str) -> Place:
        """See there."""
        return Place((await in_thread(self._readers, lambda: self._ledger().end(topic)),))

    async def in_force(self, known: Policy | None) -> Policy | None:
        """See there."""
        return await in_thread(self._readers, lambda: policy_in_force(self._ledger(), known))

    async def stored(self, sha256: str) -> bytes | None:
        """See there."""
        return await self.consult(lambda ledger: ledger.newest("policies", sha256))

    async def modes(self, *, anew: bool) -> list[ModeSpan]:  # noqa: ARG002 - a file is looked at each time
        """See there."""
        return await self.consult(modes_held)

    async def consult(self, query: Callable[[Ledger], T]) -> T:
        """See there."""
        return await in_thread(self._readers, lambda: query(self._ledger()))

    async def order(self, doing: Callable[[Ledger], T]) -> T:
        """See there."""
        return await in_thread(self._writer, lambda: doing(self._writing()))

    # --- in threads -------------------------------------------------------------------------------------------------

    def _append(self, entries: Sequence[Entry]) -> list[Offset]:
        return self._writing().append(entries)

    def _writing(self) -> SqliteLedger:
        if self._written is None:
            self._written = SqliteLedger(self._path)
        return self._written

    def _ledger(self) -> SqliteLedger:
        if self._own.ledger is None:
            self._own.ledger = SqliteLedger(self._path, read_only=True)
        return self._own.ledger
