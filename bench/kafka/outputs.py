"""Everything a run has put out, read back as anybody would: what is committed, partition by partition."""

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from bench.answers import WrongAnswer
from bench.kafka.ledgers import PARTITIONS, KafkaLedger
from dispatcher.ledger.kafka import DEPARTMENT, bounds, consumer
from dispatcher.ledger.kafka.producing import Headers

__all__ = ["COMPACTED", "OutputRecord", "Outputs", "flat", "newest", "read_input", "read_outputs"]

APPENDED: Final = ("events", "routed", "rejected", "notices", "archive")
COMPACTED: Final = ("incidents", "state")
GIVE_UP_S: Final = 120.0


class OutputRecord(NamedTuple):
    """One record as it lies on its topic; `topic` without the prefix."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    time_ms: int
    headers: Headers


Outputs = dict[tuple[str, int], list[OutputRecord]]
"""By topic and partition, in the order of the log."""


async def read_outputs(ledger: KafkaLedger) -> Outputs:
    """Read them all. Raises WrongAnswer if something has been compacted away meanwhile, or does not come."""
    return await _read(
        ledger, [*APPENDED, *COMPACTED, *(name for name in ledger.topics if name.startswith(DEPARTMENT))]
    )


async def read_input(ledger: KafkaLedger, name: str) -> list[OutputRecord]:
    """A topic with a partition for each of `work`, read whole."""
    return [record for of in (await _read(ledger, [name])).values() for record in of]


async def _read(ledger: KafkaLedger, names: Sequence[str]) -> Outputs:
    """By one client: there are a hundred partitions, and most of them are short."""
    prefix, outputs = ledger.place.prefix, Outputs()
    async with consumer(ledger.place.connection) as client:
        ends = {place: end for place, (_, end) in (await bounds(client, ledger.partitions(*names))).items()}
        for place in ends:
            outputs[place.topic.removeprefix(prefix), place.partition] = []
        left = {place for place, end in ends.items() if end}
        client.assign(list(left))
        for place in left:
            client.seek(place, 0)
        give_up_s = time.monotonic() + GIVE_UP_S
        while left:
            for place, records in (await client.getmany(*left, timeout_ms=200, max_records=20_000)).items():
                name = place.topic.removeprefix(prefix)
                outputs[name, place.partition] += [_record(name, record) for record in records]
            left = {place for place in left if await client.position(place) < ends[place]}
            if time.monotonic() > give_up_s:
                raise WrongAnswer(f"{prefix}: {len(left)} partitions cannot be read to their ends")
    for (name, partition), found in outputs.items():
        if found and found[0].offset != 0:
            raise WrongAnswer(f"{name}/{partition} begins at {found[0].offset}: compacted already, take fewer reports")
    return outputs


def _record(name: str, record: Any) -> OutputRecord:  # noqa: ANN401 - aiokafka's consumer record
    return OutputRecord(
        name, record.partition, record.offset, record.key, record.value, record.timestamp, list(record.headers)
    )


def newest(outputs: Outputs, topic: str) -> list[dict[str, bytes]]:
    """Of a compacted topic, partition by partition: the newest value of each key."""
    parts: list[dict[str, bytes]] = []
    for partition in range(PARTITIONS):
        values: dict[str, bytes] = {}
        for record in outputs[topic, partition]:
            if record.value is None:
                values.pop(record.key.decode(), None)
            else:
                values[record.key.decode()] = record.value
        parts.append(values)
    return parts


def flat(outputs: Outputs, topic: str) -> Sequence[OutputRecord]:
    """All partitions of a topic."""
    return [record for (name, _), records in outputs.items() if name == topic for record in records]
