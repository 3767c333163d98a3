"""What a ledger has put out, in a form that can be compared; and a program that prints its digest.

`python sim_outputs.py SEED RECORDS BATCH` runs a history and prints one line a topic: another process, with another
hash seed, must print the same.
"""

import sys
from hashlib import sha256
from typing import NamedTuple

from sim_city import start
from sim_history import History

from dispatcher.core import COMPACTED_TOPICS
from dispatcher.hosts.embedded import Embedded
from dispatcher.ledger import Entry, Ledger, MemoryLedger
from dispatcher.ledger.interface import is_input

ALL = 1 << 30


class Outputs(NamedTuple):
    """`appended`: every record of the append topics in their order. `newest`: the last value of each compacted key."""

    appended: list[tuple[str, str, int, bytes | None]]
    newest: dict[tuple[str, str], bytes]


def outputs(ledger: Ledger) -> Outputs:
    topics = [topic for topic in ledger.topics() if topic not in COMPACTED_TOPICS and not is_input(topic)]
    topic_of = {kept.seq: topic for topic in topics for kept in ledger.follow(topic, -1, ALL)}
    return Outputs(
        [(topic_of[kept.seq], kept.key, kept.time_ms, kept.value) for kept in ledger.follow("*", -1, ALL)],
        {
            (topic, kept.key): kept.value
            for topic in COMPACTED_TOPICS
            for kept in ledger.follow(topic, -1, ALL)
            if kept.value is not None
        },
    )


def no_clock() -> int:
    """Every record of a simulation brings its time; the first policy is stored and enacted before all of them."""
    return 0


def run(entries: list[Entry], batch_records: int = 1_000) -> tuple[MemoryLedger, Embedded]:
    """Undisturbed: everything is appended, then worked through."""
    ledger = MemoryLedger(no_clock)
    host = start(ledger, batch_records=batch_records)
    ledger.append(entries)
    host.catch_up()
    return ledger, host


def digests(found: Outputs) -> dict[str, str]:
    """One digest a topic."""
    by_topic: dict[str, list[object]] = {}
    for topic, *rest in found.appended:
        by_topic.setdefault(topic, []).append(rest)
    for (topic, key), value in sorted(found.newest.items()):
        by_topic.setdefault(topic, []).append((key, value))
    return {topic: sha256(repr(records).encode()).hexdigest() for topic, records in sorted(by_topic.items())}


if __name__ == "__main__":
    seed, records, batch = map(int, sys.argv[1:])
    for topic, digest in digests(outputs(run(History(seed).entries(records), batch)[0])).items():
        print(topic, digest)
