"""The ledger in memory, with a place to crash before and after every step.

It ships with the product: simulations, policy timelines and the tests of exactly-once run on it. `MemoryLedger` lives
as long as the object; `on_step` is called with the name of each step and may raise, as a process may die there. What
was durable before the call is durable after it; a commit is visible whole or not at all.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

from dispatcher.core import COMPACTED_TOPICS, CONTROL, Outcome, Position, Record
from dispatcher.ledger.interface import Entry, Fenced, Kept, Offset, Owner, is_input

__all__ = ["STEPS", "MemoryLedger"]

STEPS = (
    "append:before", "append:after", "put:before", "put:after", "own:before", "own:after", "read:before", "read:after",
    "restore:before", "restore:after", "commit:before", "commit:records", "commit:compacted", "commit:after",
)  # fmt: skip


def wall_clock_ms() -> int:
    """The host's clock."""
    return time.time_ns() // 1_000_000


class MemoryLedger:
    """See `interface.Ledger`.

    Args:
        clock: dates records that come without a time.
        on_step: called with each of `STEPS`; raising simulates a crash at that point.
    """

    def __init__(self, clock: Callable[[], int] = wall_clock_ms, on_step: Callable[[str], None] | None = None) -> None:
        self._clock = clock
        self._step = on_step or (lambda _: None)
        self._inputs: list[Record] = []
        self._offsets: dict[str, int] = {}
        self._last_ms = 0
        self._outputs: list[tuple[str, Kept]] = []
        self._compacted: dict[tuple[str, str], Kept] = {}
        self._compacted_seq = 0
        self._positions: dict[int, Position] = {}
        self._epochs: dict[int, int] = {}

    def append(self, entries: Sequence[Entry]) -> list[Offset]:
        """See the interface."""
        self._step("append:before")
        records: list[Record] = []
        offsets, last_ms = dict(self._offsets), self._last_ms
        for entry in entries:
            last_ms = max(last_ms, self._clock() if entry.time_ms is None else entry.time_ms)
            offset = offsets.get(entry.topic, 0)
            seq = len(self._inputs) + len(records)
            records.append(Record(seq, entry.topic, 0, offset, last_ms, entry.key, entry.value))
            offsets[entry.topic] = offset + 1
        self._inputs.extend(records)
        self._offsets, self._last_ms = offsets, last_ms
        self._step("append:after")
        return [Offset(0, record.offset) for record in records]

    def put(self, topic: str, key: str, value: bytes) -> None:
        """See the interface."""
        self._step("put:before")
        self._keep(topic, key, self._clock(), value)
        self._step("put:after")

    def own(self, partition: int) -> Owner:
        """See the interface; in memory nobody else can be alive."""
        self._step("own:before")
        self._epochs[partition] = self._epochs.get(partition, 0) + 1
        self._step("own:after")
        return Owner(partition, self._epochs[partition])

    def position(self, partition: int) -> Position:
        """See the interface."""
        return self._positions.get(partition, Position())

    def read(self, partition: int, after: int, limit: int) -> list[Record]:
        """See the interface."""
        self._step("read:before")
        records = self._inputs[after + 1 : after + 1 + limit]
        self._step("read:after")
        return records

    def restore(self, partition: int) -> tuple[Iterable[tuple[str, bytes]], Iterable[tuple[str, bytes]]]:
        """See the interface."""
        self._step("restore:before")
        found = {
            topic: [
                (key, kept.value)
                for (name, key), kept in self._compacted.items()
                if name == topic and kept.value is not None
            ]
            for topic in ("state", "incidents")
        }
        self._step("restore:after")
        return found["state"], found["incidents"]

    def commit(
        self, owner: Owner, outcome: Outcome, expected: Position, also: Mapping[tuple[str, str], bytes] | None = None
    ) -> None:
        """See the interface."""
        self._step("commit:before")
        if self._epochs.get(owner.partition) != owner.epoch:
            raise Fenced(f"partition {owner.partition} has another owner")
        if self.position(owner.partition) != expected:
            raise Fenced(f"partition {owner.partition} is at {self.position(owner.partition)}, not at {expected}")
        seq = len(self._outputs)
        outputs = [
            (topic, Kept(seq + n, key, time_ms, value))
            for n, (topic, key, time_ms, value) in enumerate(outcome.records)
        ]
        self._step("commit:records")
        compacted = {**outcome.compacted, **(also or {})}
        self._step("commit:compacted")
        # from here to the next step nothing can fail: the commit is seen whole or not at all
        self._outputs.extend(outputs)
        for (topic, key), value in compacted.items():
            self._keep(topic, key, outcome.position.time_ms, value)
        self._positions[owner.partition] = outcome.position
        self._step("commit:after")

    def follow(self, topic: str, after: int, limit: int, partition: int = 0) -> list[Kept]:
        """See the interface."""
        if partition:
            return []
        if topic in COMPACTED_TOPICS:
            rows: Iterable[tuple[str, Kept]] = ((name, kept) for (name, _), kept in self._compacted.items())
        elif is_input(topic):
            rows = ((r.topic, Kept(r.seq, r.key or "", r.time_ms, r.value)) for r in self._inputs)
        else:
            rows = self._outputs
        wanted = (kept for name, kept in rows if kept.seq > after and _named(name, topic))
        return list(islice(wanted, limit))

    def end(self, topic: str, partition: int = 0) -> int:
        """See the interface."""
        if topic in COMPACTED_TOPICS:
            return self._compacted_seq
        if is_input(topic):
            return self._inputs[-1].seq if self._inputs else -1
        return len(self._outputs) - 1

    def ends(self, topic: str) -> tuple[int, ...]:
        """See the interface."""
        return (self.end(topic),)

    def commands(self) -> list[tuple[int, Kept]]:
        """See the interface."""
        return [(r.offset, Kept(r.seq, r.key or "", r.time_ms, r.value)) for r in self._inputs if r.topic == CONTROL]

    def commanded(self) -> tuple[int, ...]:
        """See the interface; all inputs lie in one order."""
        return (self.position(0).offset,)

    def partitions(self, topic: str) -> int:
        """See the interface."""
        return 1

    def newest(self, topic: str, key: str) -> bytes | None:
        """See the interface."""
        kept = self._compacted.get((topic, key))
        return None if kept is None else kept.value

    def topics(self) -> list[str]:
        """See the interface."""
        names = {name for name, _ in self._outputs} | {name for name, _ in self._compacted} | set(self._offsets)
        return sorted(names)

    def appended(self, topic: str) -> int:
        """See the interface."""
        return self._offsets.get(topic, 0)

    def close(self) -> None:
        """See the interface."""

    def _keep(self, topic: str, key: str, time_ms: int, value: bytes | None) -> None:
        self._compacted_seq += 1
        self._compacted.pop((topic, key), None)
        self._compacted[topic, key] = Kept(self._compacted_seq, key, time_ms, value)


def _named(name: str, topic: str) -> bool:
    return name.startswith(topic[:-1]) if topic.endswith("*") else name == topic
