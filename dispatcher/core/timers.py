"""Timers: what wants attention next, an incident or an alarm of the partition's own.

Most timers lie far ahead, so they are only noted by the minute they are due in; the earliest minute's are in a heap of
(instant, key). Either may hold stale entries: one counts only while it equals what the incident, asleep or awake, or
the alarm itself says. Ties go by key, so the order of firing is a function of incidents and alarms alone.
"""

from heapq import heapify, heappop, heappush
from typing import NamedTuple

from dispatcher.core.incident import NEVER_MS, Incident
from dispatcher.core.instants import MINUTE_MS
from dispatcher.core.shelf import Shelf
from dispatcher.core.wakeups import next_due_ms

__all__ = ["Due", "Timers"]


class Due(NamedTuple):
    """A timer that is due: of an incident, or the alarm of that key."""

    due_ms: int
    key: str
    incident: Incident | None


class Timers:
    """The timers of one partition."""

    def __init__(self, incidents: Shelf) -> None:
        self._incidents = incidents
        self._alarms: dict[str, int] = {}
        self._later: dict[int, list[str]] = {}  # by minute: keys with something due in it
        self._minutes: list[int] = []  # a heap of those minutes
        self._heap: list[tuple[int, str]] = []  # what is due up to the end of `_minute`
        self._minute = -1

    def set(self, incident: Incident) -> None:
        """Work out the incident's next instant anew, and remember it."""
        next_ms = next_due_ms(incident)
        if next_ms != incident.next_ms:
            incident.next_ms = next_ms
            self.enter(incident.incident_id, next_ms)

    def alarm(self, key: str, due_ms: int | None) -> None:
        """Set the alarm of a key, which no incident may have as its id, to another instant; None takes it away."""
        self._alarms.pop(key, None)
        if due_ms is not None:
            self._alarms[key] = due_ms
            self.enter(key, due_ms)

    def enter(self, key: str, due_ms: int) -> None:
        """Note that something is due then, as the incident or the alarm itself has it."""
        if due_ms >= NEVER_MS:
            return
        minute = due_ms // MINUTE_MS
        if minute <= self._minute:
            heappush(self._heap, (due_ms, key))
        elif minute in self._later:
            self._later[minute].append(key)
        else:
            self._later[minute] = [key]
            heappush(self._minutes, minute)

    @property
    def next_due_ms(self) -> int:
        """The earliest instant at which something is due; `NEVER_MS` when nothing is."""
        heap = self._heap
        while True:
            while heap:
                due_ms, key = heap[0]
                if self._due_ms(key) == due_ms:
                    return due_ms
                heappop(heap)
            if not self._minutes:
                return NEVER_MS
            self._minute = heappop(self._minutes)
            for key in self._later.pop(self._minute):
                due_ms = self._due_ms(key)
                if due_ms // MINUTE_MS == self._minute:
                    heap.append((due_ms, key))
            heapify(heap)

    def pop_before(self, now_ms: int) -> Due | None:
        """What is due next, strictly before `now_ms`: taken away; the caller fires it and sets it again."""
        due_ms = self.next_due_ms
        if due_ms >= now_ms:
            return None
        _, key = heappop(self._heap)
        if self._alarms.pop(key, None) is not None:
            return Due(due_ms, key, None)
        incident = self._incidents[key]
        incident.next_ms = NEVER_MS
        return Due(due_ms, key, incident)

    def _due_ms(self, key: str) -> int:
        due_ms = self._alarms.get(key)
        return self._incidents.next_ms(key) if due_ms is None else due_ms
