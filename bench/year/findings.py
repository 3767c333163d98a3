"""What came of the days: the measures for the record, the export, and what the incidents held cost in memory."""

import gc
import resource
import tracemalloc
from pathlib import Path
from time import perf_counter
from typing import Any, Final, NamedTuple

import orjson

from bench.year.simulate import Simulation
from dispatcher.core import PartitionState
from dispatcher.core.shelf import PACKED_IN_A_CALL
from dispatcher.hosts.setup import Books
from dispatcher.views import Cohort, Group, Grouping, Measures, measure

__all__ = ["GROUPINGS", "Memory", "cohorts", "export", "memory"]

GROUPINGS: Final = (Grouping(), Grouping("area"), Grouping("department"))


class Memory(NamedTuple):
    """What a restart at the end costs: of all incidents held, open ones and those that can still be reopened."""

    held: int
    open: int
    bytes_each: float  # allocated for the partition, everything of it, by incident held
    restart_s: float
    peak_bytes: int  # of the whole process, simulation and projection included


def cohorts(simulation: Simulation) -> list[Cohort]:
    """What is measured, as of the end of the last day: what was received, what was filed, what was due in the days."""
    span = simulation.span
    return [Cohort(span.end_ms, basis, span.start_ms, span.end_ms) for basis in ("received", "filed", "due")]


def export(simulation: Simulation, directory: Path) -> list[Measures]:
    """Write `incidents.jsonl` beside the archive, and `measures.json`; returns the totals of each cohort."""
    with (directory / "incidents.jsonl").open("wb") as lines:
        _, incidents = simulation.ledger.restore(0)
        for _, value in incidents:
            lines.write(value + b"\n")
    simulation.ledger.flush()
    totals, saved = [], []
    for cohort in cohorts(simulation):
        found = [measure(simulation.view, cohort, grouping) for grouping in GROUPINGS]
        totals.append(found[0])
        groups = {
            grouping.by or "total": [_line(group) for group in (measures.groups or [measures.total])]
            for grouping, measures in zip(GROUPINGS, found, strict=True)
        }
        saved.append({"basis": cohort.basis, "from_ms": cohort.from_ms, "to_ms": cohort.to_ms, "groups": groups})
    document = {"as_of_ms": simulation.span.end_ms, "cohorts": saved}
    (directory / "measures.json").write_bytes(orjson.dumps(document))
    return totals


def _line(group: Group) -> dict[str, Any]:
    return {"code": group.code, "terms": dict(group.terms)}


def memory(simulation: Simulation) -> Memory:
    """Restore the engine's state once more, and again counting what Python's allocator hands out for it."""
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    state_values, incident_values = simulation.ledger.restore(0)
    kept, incidents = list(state_values), list(incident_values)
    books = Books(simulation.ledger, simulation.policy)
    _ = books[simulation.policy.sha256]
    started = perf_counter()
    PartitionState(0, books).restore(kept, incidents)
    took_s = perf_counter() - started
    gc.collect()
    tracemalloc.start()
    try:
        state = PartitionState(0, books)
        # Copies of the values, made while counting: what a restart reads into memory stays there until it is packed.
        state.restore(kept, ((key, bytes(bytearray(value))) for key, value in incidents))
        for _ in range(len(incidents) // PACKED_IN_A_CALL + 1):  # as the calls after a restart do
            state.incidents.settle(())
        gc.collect()
        allocated = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    still_open = sum(incident.open for incident in state.incidents.values())
    return Memory(len(incidents), still_open, allocated / max(1, len(incidents)), took_s, peak_bytes)
