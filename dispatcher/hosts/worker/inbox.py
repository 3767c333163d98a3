"""Chunks of `work` that wait for their owner: as many as there is room for, then the fetching waits."""

import asyncio
from typing import Any

__all__ = ["Inbox"]

WAITING_MAX = 20_000  # records; then the fetching waits, for all partitions of this worker
BATCH_MAX = 4_000  # records taken out at once


class Inbox:
    """What Faust has handed over for one partition and its owner has not taken up."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        self._waiting = 0  # records in it
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    async def put(self, event: Any) -> None:  # noqa: ANN401 - Faust's event
        """Hand over a chunk; waits while too many records are waiting, but not for an owner that has let go."""
        await self._room.wait()
        if not self._closed:
            self._queue.put_nowait(event)
            self._waiting += len(event.value)
            if self._waiting > WAITING_MAX:
                self._room.clear()

    async def take(self, wait_s: float) -> list[Any] | None:
        """Everything that waits, up to a batch; none when somebody rang; None when nothing came in that time."""
        try:
            first = await asyncio.wait_for(self._queue.get(), wait_s)
        except TimeoutError:
            return None
        events, count = [first], self._count_out(first)
        while not self._queue.empty() and count < BATCH_MAX:
            events.append(self._queue.get_nowait())
            count += self._count_out(events[-1])
        return [event for event in events if event is not None]

    def clear(self) -> None:
        """Forget what waits: it will be read again."""
        while not self._queue.empty():
            self._count_out(self._queue.get_nowait())

    def ring(self) -> None:
        """Have whoever waits in `take` look what has changed."""
        if self._queue.empty():
            self._queue.put_nowait(None)

    def close(self) -> None:
        """Take nothing more, and let go of whoever waits to hand something over."""
        self._closed = True
        self._room.set()
        self.ring()

    def _count_out(self, event: Any) -> int:  # noqa: ANN401
        if event is None:
            return 0
        count = len(event.value)
        self._waiting -= count
        if self._waiting <= WAITING_MAX:
            self._room.set()
        return count
