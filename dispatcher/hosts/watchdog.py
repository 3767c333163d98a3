"""The watchdog: no open incident is ever forgotten, and somebody checks that every minute.

An incident is watched when its next timer lies ahead, or when it has climbed its ladder to the end
(`core.waiting.unwatched`). A round asks a slice of them at each turn of the loop, those asleep without waking them.
What a record has just set into the past fires at the next turn, so only what is found twice, a turn apart, is told.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from dispatcher.core import NEVER_MS, PartitionState
from dispatcher.core.waiting import unwatched

__all__ = ["Unwatched", "Watchdog", "find_unwatched"]

log = logging.getLogger(__name__)
ROUND_EVERY_S = 60.0
SLICE_INCIDENTS = 1_000  # a millisecond where all are asleep, some 50 where all must be woken
TOLD_MAX = 10  # ids in a line of the log


class Unwatched(NamedTuple):
    """An open incident that nothing would move on, and why."""

    incident_id: str
    why: str


def find_unwatched(state: PartitionState, now_ms: int, among: Iterable[str] | None = None) -> Iterator[Unwatched]:
    """The unwatched of some incidents (not given: of all), as of an instant before which every timer has fired."""
    incidents = state.incidents
    for incident_id in incidents if among is None else among:
        if incident_id not in incidents or now_ms <= incidents.next_ms(incident_id) < NEVER_MS:
            continue
        why = unwatched(incidents.peek(incident_id), now_ms)
        if why is not None:
            yield Unwatched(incident_id, why)


class Watchdog:
    """Goes round all incidents about once a minute of real time, in slices.

    Args:
        told: how many a round has found.
        every_s: from the start of one round to the start of the next.
        slice_incidents: asked at each turn of the loop.
        clock_s: monotonic.
    """

    def __init__(
        self,
        told: Callable[[int], None],
        every_s: float = ROUND_EVERY_S,
        slice_incidents: int = SLICE_INCIDENTS,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._told, self._every_s, self._slice, self._clock_s = told, every_s, slice_incidents, clock_s
        self._next_round_s = clock_s()
        self._left: Iterator[str] | None = None  # of the round under way
        self._suspected: list[str] = []  # by the last turn
        self._found: list[Unwatched] = []

    def turn(self, state: PartitionState, now_ms: int) -> None:
        """Go on with the round under way, or begin one when it is time.

        Args:
            state: the engine's, between two steps.
            now_ms: the time of the last record; once nothing waits and no timer is due, the clock's.
        """
        if self._left is None:
            if self._clock_s() < self._next_round_s:
                return
            self._next_round_s = self._clock_s() + self._every_s
            self._left, self._found = iter(state.incidents), []
        self._found += find_unwatched(state, now_ms, self._suspected)
        asked = list(islice(self._left, self._slice))
        self._suspected = [found.incident_id for found in find_unwatched(state, now_ms, asked)]
        if not asked:
            self._end_round()

    def _end_round(self) -> None:
        self._left = None
        self._told(len(self._found))
        if self._found:
            told = ", ".join(f"{found.incident_id} ({found.why})" for found in self._found[:TOLD_MAX])
            said = {"event": "unwatched", "incidents": [found.incident_id for found in self._found[:TOLD_MAX]]}
            log.error("%d open incidents that nothing would move on: %s", len(self._found), told, extra=said)
