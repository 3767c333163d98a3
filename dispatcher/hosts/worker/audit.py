"""The audit of a ledger on Kafka: what it holds against what its `work` log makes, read committed, by fresh engines.

Of each partition the log is worked through again from its beginning, at its own times: every append topic must be equal
record for record, every compacted one in the newest value of each key, and what is recorded under `log` must be so. Of
the sources every record up to the last one seen must be on `work`, once in its home or, if it is a command, everywhere.

Where `work` no longer begins at its first record the past cannot be worked through again. Then only what a restart
would find is checked, and the findings say so.
"""

from __future__ import annotations  # of arrays: at run time they take no type

from array import array
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import msgspec
from aiokafka import TopicPartition

from dispatcher.audit import Finding
from dispatcher.core import CLOCK, CONTROL, Engine, EngineFault, Outcome, PartitionState, Position, decode_incident
from dispatcher.core.carried import taken_up
from dispatcher.core.wire import incident_json
from dispatcher.core.work import Work
from dispatcher.hosts.faults import Faults
from dispatcher.hosts.worker.books import PolicyShelf
from dispatcher.ledger.kafka import DEPARTMENT, LOG, WORK, Place, Standing, newest_values, read_whole, topic_names

__all__ = ["audit_kafka"]

BATCH_RECORDS = 1_000
SHOWN = 5
Seen = dict[tuple[str, int], list[int]]  # offsets of a source partition, as they came to one partition of `work`


async def audit_kafka(place: Place, grid: str, on_progress: Callable[[int], None] | None = None) -> list[Finding]:
    """Check every partition and every source of a ledger; it may be at work meanwhile, what comes later is left out.

    Raises:
        LedgerError: no broker answers.
    """
    shelf = PolicyShelf(place.connection, place.prefix)
    await shelf.read()
    names = await topic_names(place.connection)
    departments = [name.removeprefix(place.prefix) for name in names if name.startswith(place.prefix + DEPARTMENT)]
    orders = await _orders(place, departments)
    findings: list[Finding] = []
    relayed: dict[int, Seen] = {}
    for partition in range(place.partitions):
        again = _Again(place, partition, shelf, grid)
        findings += await again.check(orders[partition], on_progress)
        relayed[partition] = again.seen
    return [*findings, *_accounted(relayed)]


class _Again:
    """One partition worked through again."""

    def __init__(self, place: Place, partition: int, shelf: PolicyShelf, grid: str) -> None:
        self._place, self._partition, self._shelf, self._grid = place, partition, shelf, grid
        self.seen: Seen = defaultdict(list)
        self._marks: dict[str, dict[int, int]] = defaultdict(dict)
        self._kept: dict[tuple[str, str], bytes] = {}
        self._appended: dict[str, array[int]] = defaultdict(lambda: array("Q"))
        self._faults = Faults(lambda _: None)
        self._engine = Engine(self._state(), Position(), grid)
        self._position = Position()  # of what was kept last

    def _state(self) -> PartitionState:
        return PartitionState(self._partition, self._shelf.books, partitions=self._place.partitions)

    def _topic(self, name: str) -> TopicPartition:
        return TopicPartition(self._place.prefix + name, self._partition)

    async def check(self, orders: dict[str, array[int]], on_progress: Callable[[int], None] | None) -> list[Finding]:
        state = await newest_values(self._place.connection, self._topic("state"))
        standing = msgspec.json.decode(state.pop(LOG), type=Standing) if LOG in state else Standing()
        first, holes, taken = -1, [], 0
        async for records in self._until(standing.position.offset):
            if first < 0:
                first = records[0].offset
                if first > 0:
                    break
            holes += [str(record.offset) for n, record in enumerate(records) if record.offset != taken + n]
            taken += len(records)
            self._work_through([taken_up(r.value, r.offset, r.timestamp) for r in records])
            if on_progress is not None:
                on_progress(len(records))
        name = f"partition {self._partition}"
        if first > 0:
            said = f"{name}: `work` begins at {first}, so nothing was worked through again; restored and written again"
            incidents = await newest_values(self._place.connection, self._topic("incidents"))
            return [_finding(said, len(incidents), self._restored(state, incidents))]
        return [
            _finding(f"{name}: offsets of `work` without holes", taken, holes),
            *[found async for found in self._compare(name, orders)],
            *self._compare_standing(name, standing),
            self._compare_kept(f"{name}: state", "state", state),
            self._compare_kept(
                f"{name}: incidents", "incidents", await newest_values(self._place.connection, self._topic("incidents"))
            ),
        ]

    async def _until(self, last: int) -> AsyncIterator[list[Any]]:
        async for records in read_whole(self._place.connection, self._topic(WORK)):
            found = [record for record in records if record.offset <= last]
            if not found:
                return
            for start in range(0, len(found), BATCH_RECORDS):
                yield found[start : start + BATCH_RECORDS]

    def _work_through(self, items: Sequence[Work]) -> None:
        work = list(self._new(items))
        self._faults.go_on()
        while work or self._engine.pending:
            try:
                outcome = self._faults.process(self._engine, work)
            except EngineFault as fault:
                self._faults.learn(fault)
                position = self._position
                state = self._state()
                state.restore(
                    [(key, value) for (topic, key), value in self._kept.items() if topic == "state"],
                    [(key, value) for (topic, key), value in self._kept.items() if topic == "incidents"],
                )
                self._engine = Engine(state, position, self._grid)
                work = [item for item in work if item.seq > position.offset]
                continue
            self._keep(outcome)
            work = work[outcome.consumed :]

    def _new(self, items: Sequence[Work]) -> Iterator[Work]:
        for item in items:
            origin = item.origin
            if origin.topic != CLOCK:
                if origin.offset <= self._marks[origin.topic].get(origin.partition, -1):
                    continue
                self._marks[origin.topic][origin.partition] = origin.offset
                self.seen[origin.topic, origin.partition].append(origin.offset)
            yield item

    def _keep(self, outcome: Outcome) -> None:
        self._position = outcome.position
        for topic, key, time_ms, value in outcome.records:
            self._appended[topic].append(_hashed(key, time_ms, value))
        for place, kept in outcome.compacted.items():
            if kept is None:
                self._kept.pop(place, None)
            else:
                self._kept[place] = kept

    async def _compare(self, name: str, orders: dict[str, array[int]]) -> AsyncIterator[Finding]:
        for topic in ("routed", "events", "rejected", "notices", "archive"):
            found: array[int] = array("Q")
            async for records in read_whole(self._place.connection, self._topic(topic)):
                found.extend(_hashed(record.key.decode(), record.timestamp, record.value) for record in records)
            yield _differing(f"{name}: {topic}", found, self._appended[topic])
        for topic in sorted({*orders, *(topic for topic in self._appended if topic.startswith(DEPARTMENT))}):
            yield _differing(f"{name}: {topic}", orders.get(topic, array("Q")), self._appended[topic])

    def _compare_standing(self, name: str, standing: Standing) -> Iterator[Finding]:
        state = self._engine.state
        is_so = {
            "marks": {topic: dict(sorted(of.items())) for topic, of in sorted(self._marks.items())},
            "incidents": len(state.incidents),
            "revisions": state.revisions,
        }
        wrong = [
            f"{what} is {getattr(standing, what)!r}, worked through again {found!r}"
            for what, found in is_so.items()
            if getattr(standing, what) != found
        ]
        yield _finding(f"{name}: what is recorded of the log", len(is_so), wrong)

    def _compare_kept(self, name: str, topic: str, found: dict[str, bytes]) -> Finding:
        wanted = {key: value for (kept, key), value in self._kept.items() if kept == topic}
        wrong = sorted(key for key in {*found, *wanted} if found.get(key) != wanted.get(key))
        return _finding(f"{name}: newest values", len({*found, *wanted}), wrong)

    def _restored(self, state: dict[str, bytes], incidents: dict[str, bytes]) -> list[str]:
        restored = self._state()
        restored.restore(state.items(), incidents.items())
        return [
            incident_id
            for incident_id, value in incidents.items()
            if incident_json(restored.incidents.peek(incident_id)) != value
            or decode_incident(value).incident_id != incident_id
        ]


async def _orders(place: Place, departments: Sequence[str]) -> list[dict[str, array[int]]]:
    """The orders of every partition of `work` by topic: partitions share those of a department's topic."""
    orders: list[dict[str, array[int]]] = [defaultdict(lambda: array("Q")) for _ in range(place.partitions)]
    for topic in departments:
        for partition in range(place.department_partitions):
            async for records in read_whole(place.connection, TopicPartition(place.prefix + topic, partition)):
                for record in records:
                    home = int(record.key.split(b"-")[1])
                    orders[home][topic].append(_hashed(record.key.decode(), record.timestamp, record.value))
    return orders


def _accounted(relayed: dict[int, Seen]) -> Iterator[Finding]:
    """Every record of a source, up to the last one seen, has come to its home once; commands have come everywhere."""
    for source in sorted({source for seen in relayed.values() for source in seen}):
        topic, partition = source
        lists = [seen.get(source, []) for seen in relayed.values()]
        if topic == CONTROL:
            wrong = [f"partition {n} has other commands" for n, offsets in enumerate(lists) if offsets != lists[0]]
            yield _finding(f"{topic}: every command everywhere, in one order", len(lists[0]), wrong)
            continue
        offsets = sorted(offset for offsets in lists for offset in offsets)
        wrong = [f"{b} is twice" for a, b in pairwise(offsets) if a == b]
        wrong += [f"{a + 1} is missing" for a, b in pairwise(offsets) if b > a + 1]
        yield _finding(f"{topic}/{partition}: every record in one home, once", len(offsets), wrong)


def _hashed(key: str, time_ms: int, value: bytes) -> int:
    return int.from_bytes(blake2b(b"%b\0%d\0%b" % (key.encode(), time_ms, value), digest_size=8).digest(), "big")


def _differing(check: str, found: array[int], wanted: array[int]) -> Finding:
    wrong = [f"record {n}" for n, (a, b) in enumerate(zip(found, wanted, strict=False)) if a != b]
    if len(found) != len(wanted):
        wrong.append(f"{len(found)} records on the topic, {len(wanted)} when worked through again")
    return _finding(f"{check}: records", max(len(found), len(wanted)), wrong)


def _finding(check: str, looked_at: int, wrong: Sequence[str]) -> Finding:
    return Finding(check, looked_at, len(wrong), tuple(wrong[:SHOWN]))
