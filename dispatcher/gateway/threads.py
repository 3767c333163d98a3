"""Work that waits for a disk, kept off the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

__all__ = ["in_thread"]

T = TypeVar("T")


async def in_thread(pool: Executor, doing: Callable[[], T]) -> T:
    """Do something in a thread of a pool."""
    return await asyncio.get_running_loop().run_in_executor(pool, doing)
