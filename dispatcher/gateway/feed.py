"""A topic as a stream for many readers: each goes at its own pace, none costs more than its place.

The newest records are kept here once for all; who is further behind reads them from the ledger. So a reader that stalls
holds nothing but a number, and one that was cut off goes on where its last event was, on any gateway.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from dispatcher.gateway.news import News
from dispatcher.ledger import Kept

__all__ = ["Feed", "Gap", "Place", "PlaceError"]

RECENT_MAX = 10_000  # records of all partitions together, kept for those who are nearly up to date: some 20 MB
READ_MAX = 500  # records read at once

Follow = Callable[[str, int, int, int], Awaitable[list[Kept]]]


class PlaceError(ValueError):
    """Not a place in a stream of ours; begin again without one."""


class Gap(Exception):
    """What comes after a reader's place is not kept any more: a partition begins further on."""

    def __init__(self, partition: int, begins: int) -> None:
        super().__init__(f"partition {partition} begins at {begins}")
        self.partition, self.begins = partition, begins


class Place(NamedTuple):
    """How far a reader has come: the last `seq` it has seen, by partition. As text: `12` or `12.40.7`."""

    seqs: tuple[int, ...]

    @classmethod
    def parsed(cls, text: str, partitions: int) -> "Place":
        """From the text of an event id. Raises PlaceError."""
        try:
            seqs = tuple(int(part) for part in text.split("."))
        except ValueError as error:
            raise PlaceError(f"not an event id of this stream: {text[:64]}") from error
        if len(seqs) != partitions or min(seqs) < -1 or max(seqs) >= 1 << 63:
            raise PlaceError(f"not an event id of this stream: {text[:64]}")
        return cls(seqs)

    def after(self, partition: int, seq: int) -> "Place":
        """With one partition further on."""
        return Place((*self.seqs[:partition], seq, *self.seqs[partition + 1 :]))

    def is_beyond(self, end: "Place") -> bool:
        """Whether it lies beyond an end in some partition."""
        return any(seq > last for seq, last in zip(self.seqs, end.seqs, strict=True))

    def __str__(self) -> str:
        return ".".join(map(str, self.seqs))


class _Lane:
    """One partition of the topic."""

    def __init__(self, last: int, recent_max: int) -> None:
        self.recent: deque[Kept] = deque(maxlen=recent_max)
        self.before = last  # everything after this is in `recent`
        self.last = last

    def add(self, kept: Sequence[Kept]) -> None:
        for record in kept:
            if len(self.recent) == self.recent.maxlen:
                self.before = self.recent[0].seq
            self.recent.append(record)
        self.last = kept[-1].seq


class Feed:
    """One topic, followed.

    Args:
        topic: as `Ledger.follow` takes it.
        ends: a place beyond all there is in each of its partitions.
        follow: reads the ledger: topic, after, limit, partition. Raises Gap.
    """

    def __init__(self, topic: str, ends: Sequence[int], follow: Follow) -> None:
        self.topic, self.partitions = topic, len(ends)
        self._follow = follow
        self._lanes = [_Lane(end, max(1, RECENT_MAX // len(ends))) for end in ends]
        self._news = News()
        self.closed = False

    @property
    def end(self) -> Place:
        """Where the topic ends, as far as it has been followed."""
        return Place(tuple(lane.last for lane in self._lanes))

    def add(self, partition: int, kept: Sequence[Kept]) -> None:
        """Take up what is new in a partition: all there is beyond what it was told of before."""
        self._lanes[partition].add(kept)
        self._news.tell()

    def close(self) -> None:
        """Nobody waits any more: the readers are to end."""
        self.closed = True
        self._news.tell()

    async def wait(self, place: Place, longest_s: float) -> bool:
        """Return when there is something beyond a place, or after that time; returns whether there is."""
        await self._news.wait(lambda: self.closed or self._beyond(place), longest_s)
        return self._beyond(place)

    async def read(self, place: Place) -> tuple[list[tuple[int, Kept]], Place]:
        """Some records beyond a place, by partition, in order within each; and the place behind them.

        The place goes on where there is nothing to read, too: the end of a topic that has been silent for long lies far
        beyond its last record.

        Raises:
            Gap: some of it is gone.
        """
        for partition, lane in enumerate(self._lanes):
            after, before = place.seqs[partition], lane.before  # which may move while the ledger is read
            if after >= lane.last:
                continue
            if after >= before:
                kept = _recent(lane.recent, after)
            else:
                kept = await self._follow(self.topic, after, READ_MAX, partition)
            reached = kept[-1].seq if kept else before
            return [(partition, record) for record in kept], place.after(partition, reached)
        return [], place

    def _beyond(self, place: Place) -> bool:
        return self.end.is_beyond(place)


def _recent(recent: deque[Kept], after: int) -> list[Kept]:
    found: list[Kept] = []
    for record in reversed(recent):
        if record.seq <= after:
            break
        found.append(record)
    found.reverse()
    return found[:READ_MAX]
