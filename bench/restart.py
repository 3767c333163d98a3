"""`python -m bench.restart`: how long a restart takes with many open incidents, beside only reading their bytes.

A core run's own `incidents` and `state` are multiplied by copies under other ids, reports against repeats and briefs
with them, and restored. What is timed has the bytes in memory: a ledger's own reading comes on top of either figure.
"""

import argparse
import gc
import sys
import zlib
from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import NamedTuple

from bench.answers import WrongAnswer
from bench.core import Setting, run_backlog
from bench.memory import Newest, multiplied
from bench.policy import policy_files
from bench.town import Town
from bench.workload import city_day
from dispatcher.commands.memory import settle_memory
from dispatcher.core import PartitionState, Rulebook
from dispatcher.core.wire import incident_json
from rules import load_policy

__all__ = ["Restart", "restart"]

CHECKED = 500  # incidents that are woken, written again and compared


class Restart(NamedTuple):
    """Wall seconds of one restart."""

    incidents: int
    bytes_read: int
    restore_s: float
    read_s: float  # going over the same bytes once


def restart(setting: Setting, newest: Newest, incidents: int) -> Restart:
    """Restore so many and wake some of them. Raises WrongAnswer."""
    state_records, incident_records = multiplied(newest, incidents)
    gc.collect()
    gc.freeze()
    try:
        started = perf_counter()
        bytes_read = _read(state_records) + _read(incident_records)
        read_s = perf_counter() - started
        state = PartitionState(0, {setting.policy.sha256: Rulebook(setting.policy)})
        started = perf_counter()
        state.restore(state_records, incident_records)
        restore_s = perf_counter() - started
    finally:
        gc.unfreeze()
    if len(state.incidents) != incidents:
        raise WrongAnswer(f"restart: {len(state.incidents)} incidents, not {incidents}")
    for incident_id, value in incident_records[:: max(1, incidents // CHECKED)]:
        if incident_json(state.incidents[incident_id]) != value:
            raise WrongAnswer(f"restart: {incident_id} is not what was written")
    return Restart(incidents, bytes_read, restore_s, read_s)


def _read(records: Iterable[tuple[str, bytes]]) -> int:
    size = checksum = 0
    for _, value in records:
        checksum = zlib.crc32(value, checksum)
        size += len(value)
    return size


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line for each round; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.restart", description=__doc__)
    parser.add_argument("--incidents", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reports", type=int, default=4_000, help="of the day that is multiplied")
    options = parser.parse_args(arguments)
    town = Town(1)
    setting = Setting(town, load_policy(policy_files(town.grid, 1_000, 1)), city_day(town, options.reports, 1))
    settle_memory()
    newest = run_backlog(setting).newest
    for _ in range(options.rounds):
        took = restart(setting, newest, options.incidents)
        print(
            f"restart of {took.incidents:,} open incidents: {took.restore_s:.2f} s "
            f"({took.incidents / took.restore_s:,.0f}/s); only reading their {took.bytes_read / 1e6:,.0f} MB: "
            f"{took.read_s:.2f} s",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
