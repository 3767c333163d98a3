"""Waiting for what is new, together with many others."""

import asyncio
from collections.abc import Callable

__all__ = ["News"]


class News:
    """Wakes those who wait when there is something new.

    There is no lock in it, unlike in `asyncio.Condition`, which whoever leaves it takes once more: of readers that are
    cut off while many wake, one then lets go of the lock of another, or keeps it for good.
    """

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def tell(self) -> None:
        """There is something new: whoever waits looks."""
        told, self._next = self._next, asyncio.Event()
        told.set()

    async def wait(self, is_so: Callable[[], bool], longest_s: float) -> bool:
        """Return when something is so, which is looked at whenever there is news, or after that time; is it so?"""
        try:
            async with asyncio.timeout(longest_s):
                while not is_so():
                    await self._next.wait()
        except TimeoutError:
            return is_so()
        return True
