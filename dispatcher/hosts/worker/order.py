"""In what order chunks of the source topics may be carried: none before everything that comes before it.

Stage 2 knows repeats by the greatest offset it has seen of a source's partition, so a chunk that was carried too early
makes repeats of all that it has overtaken. Faust keeps no such order: at a rebalance it drops chunks that it has
fetched, and may hand over what comes after them before it goes back. Here every chunk says from where to where it
reaches, in positions of the consumer and not in offsets of records, since markers of transactions have offsets too.
"""

import time
from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol

__all__ = ["Chunk", "Order", "Part"]

BACK_EVERY_S = 1.0  # what was fetched before the going back still comes for a while


class Part(NamedTuple):
    """A partition of a source."""

    topic: str
    partition: int


class Chunk(Protocol):
    """As much of a chunk as its place says: records from one position up to another."""

    topic: str
    partition: int
    start: int | None  # None: fetched before it was known from where
    end: int


class Order:
    """How far each partition of a source has been handed out by the consumer, and carried by us."""

    def __init__(self) -> None:
        self.handed: dict[Part, int] = {}  # written where the consumer lives, in its thread
        self._next: dict[Part, int] = {}  # everything before it is carried
        self._back_s: dict[Part, float] = {}

    def began(self, positions: Mapping[Part, int]) -> None:
        """These partitions are ours, and no others, from where they are committed: all before it has been carried."""
        self._next = dict(positions)
        self._back_s.clear()

    def take(self, chunk: Chunk) -> bool:
        """Whether a chunk may be carried now; it must be then, before the next one is asked for."""
        part = Part(chunk.topic, chunk.partition)
        at = self._next.get(part)
        if at is None or chunk.start is None or chunk.start > at:
            return False
        self._next[part] = max(at, chunk.end)
        return True

    def carried(self) -> dict[Part, int]:
        """Up to where each partition that is ours has been carried."""
        return dict(self._next)

    def behind(self, parts: Collection[Part]) -> list[tuple[Part, int]]:
        """Where something handed out has been dropped, and from where it must come again.

        Args:
            parts: of which a chunk was not taken; none when nothing has come for a while, so that nothing is on its
                way either and all are looked at. Each is named again only after a while.
        """
        now_s = time.monotonic()
        found = [
            (part, at)
            for part, at in self._next.items()
            if (not parts or part in parts)
            and self.handed.get(part, at) > at
            and now_s - self._back_s.get(part, float("-inf")) > BACK_EVERY_S
        ]
        self._back_s.update((part, now_s) for part, _ in found)
        return found
