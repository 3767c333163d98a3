"""A ledger in memory that keeps what is still needed, as a broker with short retention does.

A year puts out some fourteen gigabytes; nobody reads most of it twice. Inputs are forgotten once they are committed,
orders and queue events once their readers were told (`simulate` hands them on), and what a projection follows once it
was followed. What ends is written to `archive.jsonl` as it is archived: the export.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from dispatcher.core import COMPACTED_TOPICS, CONTROL, Outcome, Position, Record
from dispatcher.ledger import Entry, Fenced, Kept, Offset, Owner

__all__ = ["ShortLedger"]

FOLLOWED: Final = ("archive", "events", "rejected")


class ShortLedger:
    """See `dispatcher.ledger.Ledger`; of one partition.

    Args:
        archive: the file archived records are added to, one a line.
    """

    def __init__(self, archive: Path) -> None:
        self._archive = archive.open("wb")
        self._inputs: list[Record] = []
        self._first = 0  # the place in the log of the first input still kept
        self._offsets: dict[str, int] = {}
        self._last_ms = 0
        self._outputs: dict[str, list[Kept]] = {topic: [] for topic in FOLLOWED}
        self._seq = 0
        self._compacted: dict[tuple[str, str], Kept] = {}
        self._position = Position()
        self._epoch = 0

    def append(self, entries: Sequence[Entry]) -> list[Offset]:
        """See the interface."""
        lie: list[Offset] = []
        for entry in entries:
            self._last_ms = max(self._last_ms, entry.time_ms or 0)
            offset = self._offsets.get(entry.topic, 0)
            seq = self._first + len(self._inputs)
            self._inputs.append(Record(seq, entry.topic, 0, offset, self._last_ms, entry.key, entry.value))
            self._offsets[entry.topic] = offset + 1
            lie.append(Offset(0, offset))
        return lie

    def put(self, topic: str, key: str, value: bytes) -> None:
        """See the interface."""
        self._keep(topic, key, self._last_ms, value)

    def own(self, partition: int) -> Owner:
        """See the interface."""
        self._epoch += 1
        return Owner(partition, self._epoch)

    def position(self, partition: int) -> Position:  # noqa: ARG002 - there is one
        """See the interface."""
        return self._position

    def read(self, partition: int, after: int, limit: int) -> list[Record]:  # noqa: ARG002
        """See the interface; what was committed is gone."""
        start = after + 1 - self._first
        return self._inputs[start : start + limit]

    def restore(self, partition: int) -> tuple[Iterable[tuple[str, bytes]], Iterable[tuple[str, bytes]]]:  # noqa: ARG002
        """See the interface."""
        found = {
            topic: [
                (key, k.value) for (name, key), k in self._compacted.items() if name == topic and k.value is not None
            ]
            for topic in ("state", "incidents")
        }
        return found["state"], found["incidents"]

    def commit(
        self,
        owner: Owner,
        outcome: Outcome,
        expected: Position,
        also: Mapping[tuple[str, str], bytes] | None = None,  # noqa: ARG002
    ) -> None:
        """See the interface; personal data (`also`) are retained by nobody here."""
        if owner.epoch != self._epoch or self._position != expected:
            raise Fenced(f"at {self._position}, epoch {self._epoch}; not {expected}, {owner.epoch}")
        for topic, key, time_ms, value in outcome.records:
            kept = self._outputs.get(topic)
            if kept is not None:
                kept.append(Kept(self._seq, key, time_ms, value))
                self._seq += 1
                if topic == "archive":
                    self._archive.write(value + b"\n")
        for (topic, key), newest in outcome.compacted.items():
            self._keep(topic, key, outcome.position.time_ms, newest)
        self._position = outcome.position
        del self._inputs[: outcome.position.offset + 1 - self._first]
        self._first = outcome.position.offset + 1

    def follow(self, topic: str, after: int, limit: int, partition: int = 0) -> list[Kept]:  # noqa: ARG002 - it has one
        """See the interface; of `FOLLOWED` and the compacted topics."""
        if topic in COMPACTED_TOPICS:
            newest = (kept for (name, _), kept in self._compacted.items() if name == topic)
            return list(islice((kept for kept in newest if kept.seq > after), limit))
        return list(islice((kept for kept in self._outputs[topic] if kept.seq > after), limit))

    def end(self, topic: str, partition: int = 0) -> int:  # noqa: ARG002 - it has one
        """See the interface; inputs are followed by nobody here."""
        return self._seq if topic in COMPACTED_TOPICS else self._seq - 1

    def ends(self, topic: str) -> tuple[int, ...]:
        """See the interface."""
        return (self.end(topic),)

    def commands(self) -> list[tuple[int, Kept]]:
        """See the interface; what was committed is gone."""
        return [(r.offset, Kept(r.seq, r.key or "", r.time_ms, r.value)) for r in self._inputs if r.topic == CONTROL]

    def commanded(self) -> tuple[int, ...]:
        """See the interface."""
        return (self._position.offset,)

    def partitions(self, topic: str) -> int:  # noqa: ARG002 - the interface's
        """One, as of every embedded ledger."""
        return 1

    def newest(self, topic: str, key: str) -> bytes | None:
        """See the interface."""
        kept = self._compacted.get((topic, key))
        return None if kept is None else kept.value

    def topics(self) -> list[str]:
        """See the interface."""
        return sorted({*self._offsets, *self._outputs, *(name for name, _ in self._compacted)})

    def appended(self, topic: str) -> int:
        """See the interface."""
        return self._offsets.get(topic, 0)

    def forget(self) -> None:
        """Whoever follows has caught up: all but the last record of each topic, and tombstones, may go."""
        for topic, kept in self._outputs.items():
            self._outputs[topic] = kept[-1:]
        for name in [name for name, kept in self._compacted.items() if kept.value is None]:
            del self._compacted[name]

    def flush(self) -> None:
        """The archive's file holds all that was archived."""
        self._archive.flush()

    def close(self) -> None:
        """See the interface."""
        self._archive.close()

    def _keep(self, topic: str, key: str, time_ms: int, value: bytes | None) -> None:
        self._seq += 1
        self._compacted.pop((topic, key), None)  # the newest come last, so that `follow` gives them in order
        self._compacted[topic, key] = Kept(self._seq, key, time_ms, value)
