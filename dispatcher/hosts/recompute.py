"""A ledger worked through again: its inputs, at their own times, by a fresh engine on a ledger in memory."""

from collections.abc import Callable

from dispatcher.core import Intake
from dispatcher.hosts.embedded import IMPORTS, PARTITION, Embedded
from dispatcher.hosts.setup import Books
from dispatcher.ledger import EmbeddedLedger, Entry, MemoryLedger

__all__ = ["recompute"]

CHUNK_RECORDS = 1_000


def recompute(
    ledger: EmbeddedLedger, intake: Intake, grid: str, on_progress: Callable[[int], None] | None = None
) -> MemoryLedger:
    """Work through everything the ledger has committed, under the policies it keeps."""
    again = MemoryLedger()
    for topic in ("policies", IMPORTS):
        for kept in ledger.follow(topic, -1, 1 << 30):
            if kept.value is not None:
                again.put(topic, kept.key, kept.value)
    host = Embedded(again, intake, Books(again), grid=grid)
    after, until = -1, ledger.position(PARTITION).offset
    while after < until and (records := ledger.read(PARTITION, after, CHUNK_RECORDS)):
        taken = [record for record in records if record.seq <= until]
        again.append([Entry(record.topic, record.value, record.key, record.time_ms) for record in taken])
        host.catch_up()
        after = records[-1].seq
        if on_progress is not None:
            on_progress(len(taken))
    return again
