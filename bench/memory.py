"""What open incidents cost when nothing happens: bytes each, the time of a restart, the pause of a full collection.

Memory is what Python's allocator hands out (tracemalloc) between one half of a backlog of reports and the other, so
caches that fill once don't count: incidents with all their indexes, timers and ids against repeats. The restart reads
the newest values of the core run's own `incidents` and `state`; for the pause its incidents are multiplied by copies
under other ids.
"""

import gc
import tracemalloc
from collections.abc import Mapping
from time import perf_counter_ns, process_time_ns
from typing import NamedTuple

from bench.answers import Answers, WrongAnswer
from bench.core import CoreDriver, Setting
from bench.workload import as_backlog
from dispatcher.core import Outcome, PartitionState, Rulebook, wire

__all__ = ["Newest", "Pause", "bytes_per_incident", "pause_with", "restore_us"]

CHECKED = 500  # restored incidents that are written again and compared
PAUSES = 5

Newest = Mapping[str, Mapping[str, bytes]]
"""Of the topics `incidents` and `state`: the newest value of each key."""


class Pause(NamedTuple):
    """Full collections of what the incidents hold; everything loaded before them is frozen."""

    ms: list[float]
    incidents: int
    tracked_objects: float  # for each incident: what the collector has to look at


class _Discarded(Answers):
    def add(self, outcome: Outcome) -> None:
        """Keep nothing, so that nothing but the engine grows."""


def bytes_per_incident(setting: Setting) -> float:
    """Allocated bytes for each open incident more. Raises WrongAnswer."""
    reports, _ = as_backlog(setting.day)
    driver = CoreDriver(setting, _Discarded())
    state = driver.engine.state
    half = len(reports) // 2
    tracemalloc.start()
    try:
        driver.take(reports[:half])
        before = _allocated(), len(state.incidents)
        driver.take(reports[half:])
        after = _allocated(), len(state.incidents)
    finally:
        tracemalloc.stop()
    if after[1] != state.tally["reports_accepted"] - state.tally["reports_merged"]:
        raise WrongAnswer(f"memory: {after[1]} incidents from {state.tally['reports_accepted']} reports")
    return (after[0] - before[0]) / max(1, after[1] - before[1])


def _allocated() -> int:
    wire._places.clear()  # a cache of one batch's places: how full it happens to be says nothing
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def restore_us(setting: Setting, newest: Newest) -> float:
    """CPU microseconds per incident of a restart. Raises WrongAnswer."""
    gc.collect()
    state = PartitionState(0, {setting.policy.sha256: Rulebook(setting.policy)})
    start_ns = process_time_ns()
    state.restore(newest["state"].items(), newest["incidents"].items())
    took_us = (process_time_ns() - start_ns) / 1_000 / max(1, len(newest["incidents"]))
    if state.incidents.keys() != newest["incidents"].keys():
        raise WrongAnswer(f"restore: {len(state.incidents)} incidents of {len(newest['incidents'])}")
    for incident in list(state.incidents.values())[:: max(1, len(state.incidents) // CHECKED)]:
        if wire.incident_json(incident) != newest["incidents"][incident.incident_id]:
            raise WrongAnswer(f"restore: {incident.incident_id} is not what was written")
    return took_us


def pause_with(setting: Setting, newest: Newest, incidents: int) -> Pause:
    """Restore that many incidents, the run's own and copies under other ids, and collect. Raises WrongAnswer."""
    own = newest["incidents"]
    copies: list[tuple[str, bytes]] = []
    while len(copies) < incidents:
        number = len(copies) // max(1, len(own))
        for incident_id, value in list(own.items())[: incidents - len(copies)]:
            copy_id = f"{number}-{incident_id}"
            copies.append((copy_id, value.replace(incident_id.encode(), copy_id.encode(), 1)))
    book = Rulebook(setting.policy)
    gc.collect()
    gc.freeze()  # the city, its day and its policies: what the bench itself holds is not looked at
    try:
        state = PartitionState(0, {setting.policy.sha256: book})
        state.restore(newest["state"].items(), copies)
        copies.clear()
        gc.collect()
        tracked = len(gc.get_objects())
        took = []
        for _ in range(PAUSES):
            start_ns = perf_counter_ns()
            gc.collect()
            took.append((perf_counter_ns() - start_ns) / 1_000_000)
    finally:
        gc.unfreeze()
    if len(state.incidents) != incidents:
        raise WrongAnswer(f"pause: {len(state.incidents)} incidents, not {incidents}")
    return Pause(took, incidents, tracked / max(1, incidents))
