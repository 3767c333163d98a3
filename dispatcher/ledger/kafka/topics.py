"""The topics: which there are, how many partitions each has, and what its settings must be."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from dispatcher.config import Kafka
from dispatcher.core import COMPACTED_TOPICS, CONTROL, REPORTS, UPDATES

__all__ = ["DEPARTMENT", "DEPARTMENT_UPDATES", "ERASED_MS", "MESSAGE_BYTES", "WORK", "TopicSpec", "topic_specs"]

WORK: Final = "work"
DEPARTMENT, DEPARTMENT_UPDATES = "dept.", "updates."

DAY_MS = 86_400_000
MESSAGE_BYTES = 1_000_000  # of a batch; what the core puts out stays below 900 KB a record
FOREVER = "-1"
ERASED_MS: Final = DAY_MS  # for so long a compacted topic says that a key's value is erased; then it says nothing

# A compacted topic is read whole at every restart: small segments are compacted soon, tombstones need not last long.
_COMPACTED: Final = {
    "cleanup.policy": "compact",
    "segment.bytes": "16777216",
    "segment.ms": "600000",
    "min.cleanable.dirty.ratio": "0.1",
    "max.compaction.lag.ms": "3600000",
    "delete.retention.ms": str(ERASED_MS),
}


class TopicSpec(NamedTuple):
    """One topic as it must be; `settings` are Kafka's own names and values."""

    name: str  # with the prefix
    partitions: int
    replication: int
    settings: Mapping[str, str]


def topic_specs(kafka: Kafka, departments: Iterable[str]) -> list[TopicSpec]:
    """Every topic of a ledger whose policy has these departments."""
    # what the engine is dated by: the broker's clock, never a producer's
    dated = {"message.timestamp.type": "LogAppendTime"}
    kinds: list[tuple[str, int, Mapping[str, str]]] = [
        (REPORTS, kafka.input_partitions, {**_kept(7), **dated}),
        (UPDATES, kafka.input_partitions, {**_kept(7), **dated}),
        (CONTROL, 1, {**_kept(None), **dated}),
        (WORK, kafka.partitions, {**_kept(8), **dated}),  # longer than what it was made from
        ("routed", kafka.partitions, _kept(30)),
        ("events", kafka.partitions, _kept(90)),
        ("rejected", kafka.partitions, _kept(30)),
        ("notices", kafka.partitions, _kept(7)),
        ("archive", kafka.partitions, _kept(None)),
    ]
    for code in sorted(departments):
        kinds.append((DEPARTMENT_UPDATES + code, 1, {**_kept(7), **dated}))
        kinds.append((DEPARTMENT + code, kafka.department_partitions, _kept(30)))
    for name in sorted(COMPACTED_TOPICS):
        partitions = 1 if name in ("policies", "imports") else kafka.partitions
        kinds.append((name, partitions, _COMPACTED))
    durable = {"min.insync.replicas": str(max(1, kafka.replication - 1)), "unclean.leader.election.enable": "false"}
    common = {"max.message.bytes": str(MESSAGE_BYTES + 48_576), **durable}
    return [
        TopicSpec(kafka.prefix + name, partitions, kafka.replication, {**settings, **common})
        for name, partitions, settings in kinds
    ]


def _kept(days: int | None) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": FOREVER if days is None else str(days * DAY_MS)}
