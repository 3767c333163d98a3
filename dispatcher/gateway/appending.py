"""Durable appends for many at once: what arrives while one commit is under way goes into the next.

A commit to the disk takes as long for one record as for a thousand, so those that wait share it. Whoever appends gets
an answer only when its records are durable.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from dispatcher.ledger import Entry, LedgerError, Offset

__all__ = ["Appender", "Full"]

WAITING_MAX = 50_000  # records; beyond them the answer is "try again later", at once
AT_ONCE_MAX = 5_000  # records in one commit


class Full(LedgerError):
    """More is coming than can be made durable; try again in a moment."""


class _Waiting(NamedTuple):
    entries: Sequence[Entry]
    done: asyncio.Future[list[Offset]]


class Appender:
    """Takes records from many tasks and appends them together, in the order they came.

    Args:
        append: to the ledger; one call at a time; says where each record lies.
    """

    def __init__(self, append: Callable[[Sequence[Entry]], Awaitable[list[Offset]]]) -> None:
        self._append = append
        self._waiting: list[_Waiting] = []
        self._count = 0
        self._news = asyncio.Event()
        self._closing = False

    async def append(self, entries: Sequence[Entry]) -> list[Offset]:
        """Return when the records are durable, with where each lies.

        Raises:
            Full: too many are waiting.
            InDoubt: it is not known what of them was written.
            LedgerError: they could not be written.
        """
        if self._closing:
            raise Full("shutting down; try again in a moment")
        if self._count + len(entries) > WAITING_MAX:
            raise Full(f"{self._count:,} records are waiting to be written; try again in a moment")
        done: asyncio.Future[list[Offset]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(entries, done))
        self._count += len(entries)
        self._news.set()
        return await done

    async def run(self) -> None:
        """Work until closed and everything that waits is written."""
        while not self._closing or self._waiting:
            if not self._waiting:
                self._news.clear()
                await self._news.wait()
                continue
            taken, entries = self._next()
            try:
                offsets = await self._append(entries)
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
                self._end(taken, error)
            else:
                self._end(taken, offsets)

    def close(self) -> None:
        """Take nothing more; `run` ends when what waits is written."""
        self._closing = True
        self._news.set()

    def _next(self) -> tuple[list[_Waiting], list[Entry]]:
        taken, entries = list[_Waiting](), list[Entry]()
        for waiting in self._waiting:
            if taken and len(entries) + len(waiting.entries) > AT_ONCE_MAX:
                break
            taken.append(waiting)
            entries.extend(waiting.entries)
        del self._waiting[: len(taken)]
        return taken, entries

    def _end(self, taken: list[_Waiting], said: list[Offset] | Exception) -> None:
        at = 0
        for waiting in taken:
            count = len(waiting.entries)
            self._count -= count
            at += count
            if waiting.done.done():  # whoever asked has gone; it is written all the same
                continue
            if isinstance(said, Exception):
                waiting.done.set_exception(said)
            else:
                waiting.done.set_result(said[at - count : at])
