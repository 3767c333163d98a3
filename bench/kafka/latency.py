"""From the moment a report should have been sent to the moment a reader of `events` sees what became of it.

An open loop: reports are due at a steady rate whatever becomes of those before them, so a worker that stands still for
a second is charged with everything that was due in it. The reader takes committed records only, as departments do.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from aiokafka import AIOKafkaConsumer

from bench.kafka.ledgers import KafkaLedger
from bench.kafka.load import offer
from bench.kafka.programs import Program
from bench.kafka.scene import Message
from dispatcher.ledger.kafka import consumer

__all__ = ["Latency", "judged", "latency_at"]

WARM_UP: Final = 0.25  # of the time at each rate: offered, not counted
KEPT_UP_S: Final = 1.0  # what was due in the last quarter is seen within it, 99 of 100: otherwise it did not keep up
DRAIN_S: Final = 60.0  # for what is left after the last report
_REPORT_ID: Final = re.compile(rb'"report_id":"([^"]*)"')
_TOLD: Final = re.compile(rb'"event":"(?:reported|merged)","source":"[^"]*","report_id":"([^"]*)"')


class Latency(NamedTuple):
    """At one rate; times in milliseconds, of what was seen after the warm-up."""

    rate: float
    p50_ms: float | None  # None: not offered, or nothing was seen
    p99_ms: float | None
    kept_up: bool
    late_ms: float  # the most that sending fell behind; it is in the latencies


async def latency_at(ledger: KafkaLedger, messages: Sequence[Message], rate: float, program: Program) -> Latency:
    """Offer messages at a rate. Everything is through when this returns, or a minute has passed.

    Raises:
        ProgramEnded: the worker has failed.
    """
    due = {found[1]: n / rate for n, (_, value) in reversed(list(enumerate(messages))) if (found := _id(value))}
    seen: dict[bytes, float] = {}
    async with consumer(ledger.place.connection) as client:
        partitions = ledger.partitions("events")
        client.assign(partitions)
        for partition, end in (await client.end_offsets(partitions)).items():
            client.seek(partition, end)
        begin_s = time.perf_counter() + 0.2
        offering = asyncio.create_task(offer(ledger, messages, rate, begin_s))
        until_s = begin_s + len(messages) / rate + DRAIN_S
        quiet_s = time.perf_counter()
        while time.perf_counter() < until_s:
            program.check()
            if await _take(client, seen, begin_s):
                quiet_s = time.perf_counter()
            elif offering.done() and time.perf_counter() - quiet_s > 2 * KEPT_UP_S:
                break
        late_s = await offering
    return judged(due, seen, rate, len(messages) / rate, late_s)


async def _take(client: AIOKafkaConsumer, seen: dict[bytes, float], begin_s: float) -> int:
    """Note what has come; only its bytes are searched: whoever measures shares the machine with what is measured."""
    found = await client.getmany(timeout_ms=100)
    at_s = time.perf_counter() - begin_s
    for records in found.values():
        for record in records:
            for report_id in _TOLD.findall(record.value):
                seen.setdefault(report_id, at_s)
    return len(found)


def judged(due: dict[bytes, float], seen: dict[bytes, float], rate: float, length_s: float, late_s: float) -> Latency:
    """Over what was seen: a report that was rejected or repeated is not on `events` a second time."""
    took = sorted(at_s - due[key] for key, at_s in seen.items() if key in due and due[key] >= WARM_UP * length_s)
    last = sorted(at_s - due[key] for key, at_s in seen.items() if key in due and due[key] >= 0.75 * length_s)
    if not took or not last:
        return Latency(rate, None, None, False, late_s * 1_000)
    kept_up = _share(last, 0.99) <= KEPT_UP_S
    return Latency(rate, _share(took, 0.5) * 1_000, _share(took, 0.99) * 1_000, kept_up, late_s * 1_000)


def _share(values: Sequence[float], share: float) -> float:
    """The value that this share of the sorted ones does not exceed."""
    return values[min(len(values) - 1, int(share * len(values)))]


def _id(value: bytes) -> re.Match[bytes] | None:
    return _REPORT_ID.search(value)
