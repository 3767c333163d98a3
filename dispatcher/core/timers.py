"""Timers: which incident wants attention next.

A heap of (instant, incident id) that may hold stale entries; an entry counts only while it equals the incident's own
`next_ms`. Ties go by incident id, so the order of firing is a function of the incidents alone.
"""

from heapq import heapify, heappop, heappush

from dispatcher.core.incident import NEVER_MS, Incident

__all__ = ["Timers"]


class Timers:
    """The timers of one partition."""

    def __init__(self, incidents: dict[str, Incident]) -> None:
        self._incidents = incidents
        self._heap: list[tuple[int, str]] = [
            (incident.next_ms, incident.incident_id) for incident in incidents.values() if incident.next_ms < NEVER_MS
        ]
        heapify(self._heap)

    def set(self, incident: Incident) -> None:
        """Work out the incident's next instant from its targets and its own timers, and remember it."""
        next_ms = NEVER_MS
        for target in incident.targets:
            next_ms = min(next_ms, target.next_ms)
        if incident.verify_ms is not None and incident.verify_ms < next_ms:
            next_ms = incident.verify_ms
        if incident.drop_ms is not None and incident.drop_ms < next_ms:
            next_ms = incident.drop_ms
        if next_ms != incident.next_ms:
            incident.next_ms = next_ms
            if next_ms < NEVER_MS:
                heappush(self._heap, (next_ms, incident.incident_id))

    @property
    def next_due_ms(self) -> int:
        """The earliest instant at which something is due; `NEVER_MS` when nothing is."""
        heap = self._heap
        while heap:
            due_ms, incident_id = heap[0]
            incident = self._incidents.get(incident_id)
            if incident is not None and incident.next_ms == due_ms:
                return due_ms
            heappop(heap)
        return NEVER_MS

    def pop_before(self, now_ms: int) -> tuple[int, Incident] | None:
        """The next incident due strictly before `now_ms`, taken off the heap; the caller fires it and sets it again."""
        due_ms = self.next_due_ms
        if due_ms >= now_ms:
            return None
        _, incident_id = heappop(self._heap)
        incident = self._incidents[incident_id]
        incident.next_ms = NEVER_MS
        return due_ms, incident
