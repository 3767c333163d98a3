"""The incidents of a partition: those in use as objects, all others asleep as bytes.

Asleep is either packed (`packing`) or, after a restart, the record on `incidents` as it was published with the brief
behind it, which need not be read whole for that. A fixed head before either says without waking anybody when its next
timer is due, where it is, how old it and its last report are. Whoever is used wakes and stays awake at least until the
end of the call of `Engine.process`; `settle` then lets those that were not used for longest fall asleep.
"""

from collections import OrderedDict
from collections.abc import Callable, Container, ItemsView, Iterator, MutableMapping, ValuesView
from itertools import islice
from math import nan
from struct import Struct as Layout

import msgspec
from msgspec import Struct

from dispatcher.core.incident import NEVER_MS, Incident
from dispatcher.core.instants import text_to_ms
from dispatcher.core.lifecycle import IncidentState
from dispatcher.core.packing import Glance, Words, glance_packed, pack_incident, unpack_incident
from dispatcher.core.wire import encode, incident_json
from geo import Place

__all__ = ["AWAKE_MAX", "PACKED_IN_A_CALL", "Published", "Shelf", "Spot", "read_published"]

AWAKE_MAX = 4_096  # of some 4 KB; four batches' worth
PACKED_IN_A_CALL = 64  # of those a restart left as they were published: some 40 µs each

_HEAD = Layout("<qqqddI")  # next_ms, opened_ms, last_report_ms, lon, lat, where the brief begins (0: it is packed)

Spot = tuple[float, float, int, int]
"""lon and lat (NaN where there is none to be found by), opened_ms, last_report_ms."""


class _Under(Struct, gc=False):
    policy: str


class Published(Struct, gc=False):
    """As much of a record on `incidents` as is needed to put it on the shelf and find it again."""

    incident_id: str
    revision: int
    state: IncidentState
    place: Place
    opened_at: str
    last_report_at: str
    decision: _Under
    category: str | None = None
    asset: str | None = None
    next_at: str | None = None  # the earliest of its timers

    def glance(self) -> Glance:
        """Where to look for it."""
        return Glance(self.incident_id, self.state, self.category, self.place, self.asset)


read_published = msgspec.json.Decoder(Published).decode


class Shelf(MutableMapping[str, Incident]):
    """Incidents by id, in the order of their ids.

    `values` and `items` are for reading: they show those asleep one at a time without waking them for good. Whoever
    means to change an incident takes it by its id.

    Args:
        revive: makes an incident of its published record and its brief (None without one).
        awake_max: how many stay awake between two calls of `Engine.process`.
    """

    def __init__(self, revive: Callable[[bytes, bytes | None], Incident], awake_max: int = AWAKE_MAX) -> None:
        self._revive = revive
        self.awake_max = awake_max
        self._kept: dict[str, Incident | bytes] = {}
        self._awake: OrderedDict[str, None] = OrderedDict()  # the longest unused first
        self._unpacked: list[str] = []  # once put here as published; they may have been woken since
        self._words = Words()

    # --- a mapping --------------------------------------------------------------------------------------------------

    def __getitem__(self, incident_id: str) -> Incident:
        kept = self._kept[incident_id]
        if isinstance(kept, Incident):
            self._awake.move_to_end(incident_id)
            return kept
        incident = self._kept[incident_id] = self._wake(incident_id, kept)
        self._awake[incident_id] = None
        return incident

    def __setitem__(self, incident_id: str, incident: Incident) -> None:
        self._kept[incident_id] = incident
        self._awake[incident_id] = None
        self._awake.move_to_end(incident_id)

    def __delitem__(self, incident_id: str) -> None:
        del self._kept[incident_id]
        self._awake.pop(incident_id, None)

    def __contains__(self, incident_id: object) -> bool:
        return incident_id in self._kept

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._kept))  # as after a restart: what goes over all of them does so in one order

    def __len__(self) -> int:
        return len(self._kept)

    def values(self) -> ValuesView[Incident]:
        """Every incident, to be read."""
        return _Values(self)

    def items(self) -> ItemsView[str, Incident]:
        """Every id with its incident, to be read."""
        return _Items(self)

    # --- without waking anybody -------------------------------------------------------------------------------------

    def peek(self, incident_id: str) -> Incident:
        """An incident to be read: what is changed in one that was asleep is lost."""
        kept = self._kept[incident_id]
        return kept if isinstance(kept, Incident) else self._wake(incident_id, kept)

    def next_ms(self, incident_id: str) -> int:
        """When the next timer of an incident is due; `NEVER_MS` when none is or it is not held."""
        kept = self._kept.get(incident_id)
        if kept is None:
            return NEVER_MS
        return kept.next_ms if isinstance(kept, Incident) else _HEAD.unpack_from(kept)[0]

    def spot(self, incident_id: str) -> Spot:
        """Where an incident is and how old it and its last report are."""
        kept = self._kept[incident_id]
        if isinstance(kept, Incident):
            return _spot(kept.place, kept.opened_ms, kept.last_report_ms)
        _, opened_ms, last_report_ms, lon, lat, _ = _HEAD.unpack_from(kept)
        return lon, lat, opened_ms, last_report_ms

    def glances(self) -> Iterator[Incident | Glance]:
        """All of them, as far as an index needs to know."""
        for incident_id in self:
            kept = self._kept[incident_id]
            if isinstance(kept, Incident):
                yield kept
            elif brief_at := _HEAD.unpack_from(kept)[-1]:
                yield read_published(memoryview(kept)[_HEAD.size : brief_at]).glance()
            else:
                yield glance_packed(incident_id, memoryview(kept)[_HEAD.size :], self._words)

    # --- falling asleep ---------------------------------------------------------------------------------------------

    def settle(self, busy: Container[str]) -> None:
        """Let those fall asleep that are more than may be awake, the longest unused first, but none that is busy."""
        for incident_id in list(islice(self._awake, max(0, len(self._awake) - self.awake_max))):
            if incident_id not in busy:
                incident = self._kept[incident_id]
                assert isinstance(incident, Incident)  # noqa: S101 - as all that are listed as awake
                self._kept[incident_id] = self._asleep(incident)
                del self._awake[incident_id]
        for incident_id in self._unpacked[-PACKED_IN_A_CALL:]:
            kept = self._kept.get(incident_id)
            if isinstance(kept, bytes):
                self._kept[incident_id] = self._asleep(self._wake(incident_id, kept))
        del self._unpacked[-PACKED_IN_A_CALL:]

    def put(self, record: Published, value: bytes, brief: bytes | None) -> int:
        """Keep what was published, asleep; returns when its next timer is due.

        Raises:
            LookupError: it says no instant, and the policy whose clocks would give one is not known.
        """
        incident_id = record.incident_id
        if record.next_at is None:
            incident = self._revive(value, brief)
            self._kept[incident_id] = self._asleep(incident)
            return incident.next_ms
        next_ms = text_to_ms(record.next_at)
        spot = _spot(record.place, text_to_ms(record.opened_at), text_to_ms(record.last_report_at))
        self._kept[incident_id] = _as_published(value, brief, next_ms, spot)
        self._unpacked.append(incident_id)
        return next_ms

    def _asleep(self, incident: Incident) -> bytes:
        spot = _spot(incident.place, incident.opened_ms, incident.last_report_ms)
        try:
            packed = pack_incident(incident, self._words)
        except OverflowError:  # a report's attribute of more than 64 bits: JSON has room for it
            brief = None if incident.brief is None else encode(incident.brief)
            return _as_published(incident_json(incident), brief, incident.next_ms, spot)
        return _head(incident.next_ms, spot, 0) + packed

    def _wake(self, incident_id: str, kept: bytes) -> Incident:
        brief_at = _HEAD.unpack_from(kept)[-1]
        if brief_at == 0:
            return unpack_incident(incident_id, memoryview(kept)[_HEAD.size :], self._words)
        return self._revive(kept[_HEAD.size : brief_at], kept[brief_at:] or None)


class _Values(ValuesView[Incident]):
    _mapping: Shelf

    def __iter__(self) -> Iterator[Incident]:
        return (self._mapping.peek(incident_id) for incident_id in self._mapping)


class _Items(ItemsView[str, Incident]):
    _mapping: Shelf

    def __iter__(self) -> Iterator[tuple[str, Incident]]:
        return ((incident_id, self._mapping.peek(incident_id)) for incident_id in self._mapping)


def _spot(place: Place, opened_ms: int, last_report_ms: int) -> Spot:
    if place.lon is None or place.lat is None:
        return nan, nan, opened_ms, last_report_ms
    return place.lon, place.lat, opened_ms, last_report_ms


def _head(next_ms: int, spot: Spot, brief_at: int) -> bytes:
    lon, lat, opened_ms, last_report_ms = spot
    return _HEAD.pack(next_ms, opened_ms, last_report_ms, lon, lat, brief_at)


def _as_published(value: bytes, brief: bytes | None, next_ms: int, spot: Spot) -> bytes:
    return _head(next_ms, spot, _HEAD.size + len(value)) + value + (brief or b"")
