"""What was taken before: reports by source and id, updates by incident and id; a repeat does nothing.

On `state`:
- `seen/<n>`: the n-th 256 accepted reports as [source, report_id, incident, digest, time]; after 31 days of record time
  only those whose incident is still held, by which an update may name it
- `taken/<incident>/<n>`: the n-th 200 updates of an incident that has had more, by id with the digest of each; the
  last ones are on the incident itself
"""

from collections.abc import Container, Iterable
from sys import intern

import msgspec
from msgspec import Struct
from msgspec.structs import force_setattr

from dispatcher.core.incident import Incident
from dispatcher.core.instants import DAY_MS
from dispatcher.core.publish import Publisher
from dispatcher.core.wire import encode

__all__ = ["SEEN_BUCKET", "SEEN_WINDOW_MS", "UPDATES_PAGE", "Repeats", "Seen"]

SEEN_BUCKET = 256  # reports per record of `state`: small enough to rewrite at every commit, large enough to be few
SEEN_WINDOW_MS = 31 * DAY_MS  # messages.md asks for 30 days at least
UPDATES_PAGE = 200  # update ids on an incident's own record; most incidents have six


class Seen(Struct, frozen=True, gc=False, array_like=True):
    """An accepted report: where it went, what it said (as a digest), and when."""

    source: str
    report_id: str
    incident_id: str
    digest: int
    time_ms: int


_seen_decoder = msgspec.json.Decoder(list[Seen])
_page_decoder = msgspec.json.Decoder(dict[str, int])


class Repeats:
    """The memory of one partition for what was taken.

    Args:
        held: the incidents held; a report is remembered for as long as its incident is.
        window_ms: how long reports are remembered otherwise.
    """

    def __init__(self, held: Container[str], window_ms: int) -> None:
        self._held = held
        self._window_ms = window_ms
        self.filling = 0  # the bucket that takes the next report; earlier ones may be gone altogether
        self._by_source: dict[str, dict[str, Seen]] = {}
        self._buckets: dict[int, list[Seen]] = {}
        self._fresh = 0  # the first whose youngest report may still be within the window
        self._aged: dict[str, list[tuple[int, Seen]]] = {}  # reports kept for the sake of an incident
        self._dirty: set[int] = set()
        self._pages: dict[str, list[dict[str, int]]] = {}  # earlier updates of the few incidents that have so many

    # --- reports ----------------------------------------------------------------------------------------------------

    def seen(self, source: str, report_id: str, now_ms: int) -> Seen | None:
        """What became of a report: known within the window, and as long as its incident is held."""
        seen = self._by_source.get(source, {}).get(report_id)
        if seen is None or (now_ms - seen.time_ms > self._window_ms and seen.incident_id not in self._held):
            return None
        return seen

    def remember(self, seen: Seen) -> None:
        """Enter an accepted report."""
        bucket = self._buckets.setdefault(self.filling, [])
        bucket.append(seen)
        self._by_source.setdefault(seen.source, {})[seen.report_id] = seen
        self._dirty.add(self.filling)
        if len(bucket) >= SEEN_BUCKET:
            self.filling += 1

    def age(self, now_ms: int, out: Publisher) -> None:
        """Of full buckets whose youngest report has left the window, keep only reports of incidents still held."""
        while self._fresh < self.filling:
            bucket = self._buckets.get(self._fresh, [])
            if bucket and now_ms - bucket[-1].time_ms <= self._window_ms:
                return
            gone = [seen for seen in bucket if seen.incident_id not in self._held]
            for seen in bucket:
                if seen.incident_id in self._held:
                    self._aged.setdefault(seen.incident_id, []).append((self._fresh, seen))
            self._forget(self._fresh, gone, out)
            self._fresh += 1

    def reports_of(self, incident_id: str) -> list[tuple[str, str]]:
        """Every report of an incident that is remembered, the first one first."""
        found = [
            (seen.time_ms, seen.source, seen.report_id)
            for of_source in self._by_source.values()
            for seen in of_source.values()
            if seen.incident_id == incident_id
        ]
        return [(source, report_id) for _, source, report_id in sorted(found)]

    def _forget(self, number: int, gone: list[Seen], out: Publisher) -> None:
        bucket = self._buckets.get(number)
        if bucket is None or not gone:
            return
        for seen in gone:
            bucket.remove(seen)
            of_source = self._by_source.get(seen.source, {})
            if of_source.get(seen.report_id) is seen:
                del of_source[seen.report_id]
                if not of_source:
                    del self._by_source[seen.source]
        if bucket:
            self._dirty.add(number)
        else:
            del self._buckets[number]
            self._dirty.discard(number)
            out.keep(f"seen/{number}", None)

    # --- updates ----------------------------------------------------------------------------------------------------

    def taken(self, incident: Incident, update_id: str) -> int | None:
        """The digest of an update that the incident has taken; None when it has not."""
        known = None if incident.updates is None else incident.updates.get(update_id)
        if known is None:
            for page in self._pages.get(incident.incident_id, ()):
                known = page.get(update_id, known)
        return known

    def take(self, incident: Incident, update_id: str, digest: int, out: Publisher) -> None:
        """Enter an update; a full page of them leaves the incident's own record."""
        page = incident.updates
        if page is not None and len(page) >= UPDATES_PAGE:
            pages = self._pages.setdefault(incident.incident_id, [])
            out.keep(f"taken/{incident.incident_id}/{len(pages)}", encode(page))
            pages.append(page)
            page = None
        incident.updates = {**(page or {}), update_id: digest}

    # --- the partition's part ---------------------------------------------------------------------------------------

    def drop(self, incident_id: str, out: Publisher) -> None:
        """An incident is no longer held, and with it goes what was kept for its sake."""
        for number, seen in self._aged.pop(incident_id, ()):
            self._forget(number, [seen], out)
        for number in range(len(self._pages.pop(incident_id, ()))):
            out.keep(f"taken/{incident_id}/{number}", None)

    def settle(self, out: Publisher) -> None:
        """Write the buckets that have changed."""
        for number in sorted(self._dirty):
            out.keep(f"seen/{number}", encode(self._buckets[number]))
        self._dirty.clear()

    def restore(self, values: Iterable[tuple[str, str, bytes]]) -> dict[str, str]:
        """Rebuild from values of `state` by kind and the rest of their key.

        Reports of one source or incident hold one and the same text. Gives the ids of incidents, to be held by these.
        """
        pages: dict[str, dict[int, dict[str, int]]] = {}
        for kind, rest, value in values:
            if kind == "seen":
                self._buckets[int(rest)] = _seen_decoder.decode(value)
            else:
                incident_id, _, number = rest.rpartition("/")
                pages.setdefault(incident_id, {})[int(number)] = _page_decoder.decode(value)
        self._pages = {incident_id: [page for _, page in sorted(of.items())] for incident_id, of in pages.items()}
        ids: dict[str, str] = {}
        for _, bucket in sorted(self._buckets.items()):  # one that was split off stands twice: the later one counts
            for seen in bucket:
                force_setattr(seen, "source", intern(seen.source))
                force_setattr(seen, "incident_id", ids.setdefault(seen.incident_id, seen.incident_id))
                of_source = self._by_source.setdefault(seen.source, {})
                known = of_source.get(seen.report_id)
                if known is None or known.time_ms <= seen.time_ms:
                    of_source[seen.report_id] = seen
        return ids
