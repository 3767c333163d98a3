"""What open incidents cost when nothing happens: bytes each, the time of a restart, the pause of a full collection.

Memory is what Python's allocator hands out (tracemalloc) for a restored partition: incidents with all their indexes,
timers, briefs and ids against repeats, but no caches, which fill once. All are asleep and packed: it says nothing of
the few thousand that are awake in a running engine. A restart reads the newest values of the core run's own `incidents`
and `state`; where more are wanted than the run has, its own are multiplied by copies under other ids.
"""

import gc
import re
import tracemalloc
from collections.abc import Mapping
from time import perf_counter_ns, process_time_ns
from typing import NamedTuple

from bench.answers import WrongAnswer
from bench.core import CoreDriver, Setting
from bench.workload import as_backlog
from dispatcher.core import PartitionState, Rulebook, wire
from dispatcher.core.shelf import PACKED_IN_A_CALL

__all__ = ["Newest", "Pause", "bytes_per_incident", "multiplied", "pause_with", "restore_us"]

CHECKED = 500  # restored incidents that are written again and compared
PAUSES = 5
WEIGHED = 50_000  # incidents: enough that what they share counts little

Pairs = list[tuple[str, bytes]]
Newest = Mapping[str, Mapping[str, bytes]]
"""Of the topics `incidents` and `state`: the newest value of each key."""


class Pause(NamedTuple):
    """Full collections of what the incidents hold; everything loaded before them is frozen."""

    ms: list[float]
    incidents: int
    tracked_objects: float  # for each incident: what the collector has to look at


def bytes_per_incident(setting: Setting) -> float:
    """Allocated bytes for each open incident: the reports of a day, nothing answered yet. Raises WrongAnswer."""
    driver = CoreDriver(setting)
    driver.take(as_backlog(setting.day)[0])
    state_records, incident_records = multiplied(
        {topic: driver.answers.compacted(topic) for topic in ("incidents", "state")}, WEIGHED
    )
    state = PartitionState(0, {setting.policy.sha256: Rulebook(setting.policy)})
    gc.collect()
    tracemalloc.start()
    try:
        state.restore(state_records, ((key, value) for key, value in incident_records))
        del state_records, incident_records
        for _ in range(WEIGHED // PACKED_IN_A_CALL + 1):  # as the calls after a restart do
            state.incidents.settle(())
        gc.collect()
        allocated = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    if len(state.incidents) != WEIGHED:
        raise WrongAnswer(f"memory: {len(state.incidents)} incidents, not {WEIGHED}")
    return allocated / WEIGHED


def multiplied(newest: Newest, incidents: int) -> tuple[Pairs, Pairs]:
    """The `state` and `incidents` of that many incidents: the run's own again and again, under other ids."""
    own = list(newest["incidents"].items())
    buckets = sum(key.startswith("seen/") for key in newest["state"])
    state, copies = list(newest["state"].items()), own[:incidents]
    number = 0
    while len(copies) < incidents:
        number += 1
        some = own[: incidents - len(copies)]
        copies += [
            (f"{number}-{key}", value.replace(key.encode(), f"{number}-{key}".encode(), 1)) for key, value in some
        ]
        state += [
            (f"brief/{number}-{key}", newest["state"][f"brief/{key}"])
            for key, _ in some
            if f"brief/{key}" in newest["state"]
        ]
        for n in range(buckets):
            value = re.sub(
                rb'\["([^"]*)","([^"]*)","', rb'["\1","%d-\2","%d-' % (number, number), newest["state"][f"seen/{n}"]
            )
            state.append((f"seen/{number * buckets + n}", value))
    return state, copies


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
    state_records, incident_records = multiplied(newest, incidents)
    book = Rulebook(setting.policy)
    gc.collect()
    gc.freeze()  # the city, its day and its policies: what the bench itself holds is not looked at
    try:
        state = PartitionState(0, {setting.policy.sha256: book})
        state.restore(state_records, incident_records)
        del state_records, incident_records
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
