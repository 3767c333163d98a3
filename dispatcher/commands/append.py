"""`dispatcher append`: put records on an input topic, beside a running engine or before it starts."""

import sys
from collections.abc import Iterable
from pathlib import Path

from dispatcher.commands.opening import config_of, open_ledger
from dispatcher.commands.talk import fail, say
from dispatcher.core import CONTROL, REPORTS, UPDATES
from dispatcher.hosts.embedded import enact_first_policy
from dispatcher.hosts.replay import refuse_unfinished_replay
from dispatcher.hosts.setup import read_policy
from dispatcher.ledger import Entry

__all__ = ["append_command"]

CHUNK_RECORDS = 1_000  # durable together


def append_command(config_path: Path, ledger_path: Path | None, topic: str, file: Path) -> None:
    """Append JSON Lines; what each line holds is judged by the engine, not here."""
    if topic not in (REPORTS, UPDATES) and not topic.startswith(f"{UPDATES}."):
        fail(f"{topic} is not an input topic: reports, updates or updates.<department>", 2)
    ledger = open_ledger(config_path, ledger_path, read_only=False)
    try:
        refuse_unfinished_replay(ledger)
        if not ledger.appended(CONTROL):  # what comes before the first policy could not be decided on
            enact_first_policy(ledger, read_policy(config_of(config_path).policy))
        lines: Iterable[bytes] = sys.stdin.buffer if str(file) == "-" else file.read_bytes().splitlines()
        total, chunk = 0, []
        for line in lines:
            if line.strip():
                chunk.append(Entry(topic, line.strip()))
            if len(chunk) >= CHUNK_RECORDS:
                ledger.append(chunk)
                total, chunk = total + len(chunk), []
        if chunk:
            ledger.append(chunk)
        say(f"{total + len(chunk)} record(s) on {topic}")
    finally:
        ledger.close()
