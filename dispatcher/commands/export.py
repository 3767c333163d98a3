"""`dispatcher export`: a topic as JSON Lines."""

import sys
from pathlib import Path

from dispatcher.commands.opening import open_ledger
from dispatcher.commands.talk import fail
from dispatcher.core import APPEND_TOPICS, COMPACTED_TOPICS

__all__ = ["export_command"]

CHUNK_RECORDS = 1_000


def export_command(config_path: Path, ledger_path: Path | None, topic: str) -> None:
    """Print every record's value; tombstones are not printed."""
    ledger = open_ledger(config_path, ledger_path)
    try:
        known = ledger.topics()
        named = (*APPEND_TOPICS, *COMPACTED_TOPICS, *known)  # a topic that may well be empty is no mistake
        if not any(name == topic or (topic.endswith("*") and name.startswith(topic[:-1])) for name in named):
            fail(f"no records on {topic}; this ledger has {', '.join(known)}")
        after = -1
        while batch := ledger.follow(topic, after, CHUNK_RECORDS):
            for kept in batch:
                if kept.value is not None:
                    sys.stdout.buffer.write(kept.value + b"\n")
            after = batch[-1].seq
        sys.stdout.buffer.flush()
    finally:
        ledger.close()
