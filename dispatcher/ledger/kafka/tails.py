"""The newest values of a few keys, sought from where partitions end: whatever every commit writes is found at once.

Many partitions are read together by one client. What lies far back costs no more than reading the partition whole.
"""

import time
from collections.abc import Collection, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from dispatcher.ledger.kafka.reading import WAIT_MS

__all__ = ["newest_of"]

FIRST: Final = 16  # offsets looked at first: a commit writes some six values of `state`, and one is its mark
WIDER: Final = 16  # times as many each time after
MARKED_S: Final = 2.0  # a commit that has returned is seen by then; what is open for longer has not been committed

Values = dict[str, bytes | None]


async def newest_of(
    client: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], keys: Collection[str]
) -> dict[TopicPartition, dict[str, bytes]]:
    """The newest value of each of these keys in each partition, as far as it has one; committed records only.

    Args:
        client: one that reads committed records; what it is assigned to changes.
        ends: of compacted partitions, where to begin to look. Where it is the end of all records, commits under way are
            waited for, for a moment.
        keys: those that matter; one that a partition does not hold makes it be read whole.

    Raises:
        KafkaError: no broker answers.
    """
    begins = await client.beginning_offsets(list(ends))
    found: dict[TopicPartition, Values] = {partition: {} for partition in ends}
    wanted = {partition: end for partition, end in ends.items() if begins[partition] < end}
    width = FIRST
    while wanted:
        spans = {partition: (max(begins[partition], end - width), end) for partition, end in wanted.items()}
        for partition, values in (await _read(client, spans, keys)).items():
            found[partition] = values | found[partition]  # what was found further on is newer
        wanted = {
            partition: begin
            for partition, (begin, _) in spans.items()
            if begin > begins[partition] and not set(keys) <= set(found[partition])
        }
        width *= WIDER
    return {
        partition: {key: value for key, value in values.items() if value is not None}
        for partition, values in found.items()
    }


async def _read(
    client: AIOKafkaConsumer, spans: dict[TopicPartition, tuple[int, int]], keys: Collection[str]
) -> dict[TopicPartition, Values]:
    """The newest values within spans of offsets; an erased one is None."""
    names = {key.encode(): key for key in keys}
    found: dict[TopicPartition, Values] = {partition: {} for partition in spans}
    client.assign(list(spans))
    for partition, (begin, _) in spans.items():
        client.seek(partition, begin)
    left, until_s = dict(spans), time.monotonic() + MARKED_S
    while left and time.monotonic() < until_s:
        for partition, records in (await client.getmany(*left, timeout_ms=WAIT_MS)).items():
            until_s = time.monotonic() + MARKED_S
            for record in records:
                key = names.get(record.key)
                if key is not None and record.offset < spans[partition][1]:
                    found[partition][key] = record.value
        left = {partition: span for partition, span in left.items() if await client.position(partition) < span[1]}
    return found
