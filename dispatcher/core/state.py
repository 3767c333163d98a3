"""The state of one partition: its incidents, what was seen, its serial, its tallies, the policy and mode in force.

All of it is on the compacted topics `incidents` and `state`, so a partition is rebuilt by reading them once. Keys of
`state` never depend on where batches were cut or where clock records stand:

- `seen/<n>`: the n-th 256 accepted reports as [source, report_id, incident, digest, time], against repeats; after 31
  days of record time only those whose incident is still held, by which an update may name it
- `brief/<incident>`: address, masked text and media for later orders
- `serial`, `tally`, `policy`: one value each; `serial` also names the `seen/<n>` being filled
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from dispatcher.core.incident import Brief, Incident
from dispatcher.core.instants import DAY_MS
from dispatcher.core.merge import MergeIndex
from dispatcher.core.publish import Publisher
from dispatcher.core.records import decode_incident, from_record
from dispatcher.core.route import Rulebook
from dispatcher.core.targets import refresh
from dispatcher.core.timers import Timers
from dispatcher.core.wire import encode

__all__ = ["SEEN_BUCKET", "SEEN_WINDOW_MS", "PartitionState", "Seen"]

SEEN_BUCKET = 256  # reports per record of `state`: small enough to rewrite at every commit, large enough to be few
SEEN_WINDOW_MS = 31 * DAY_MS  # messages.md asks for 30 days at least


class Seen(Struct, frozen=True, gc=False, array_like=True):
    """An accepted report: where it went, what it said (as a digest), and when."""

    source: str
    report_id: str
    incident_id: str
    digest: int
    time_ms: int


class _Serial(Struct):
    day: str = ""
    number: int = 0
    bucket: int = 0  # the one being filled; earlier ones may be gone altogether


_seen_decoder = msgspec.json.Decoder(list[Seen])
_brief_decoder = msgspec.json.Decoder(Brief)


class PartitionState:
    """Everything one engine knows. Rebuilt from records, never repaired."""

    def __init__(self, partition: int, books: Mapping[str, Rulebook], seen_window_ms: int | None = None) -> None:
        self.seen_window_ms = SEEN_WINDOW_MS if seen_window_ms is None else seen_window_ms
        self.partition = partition
        self.books = books
        self.incidents: dict[str, Incident] = {}
        self.timers = Timers(self.incidents)
        self.merges = MergeIndex()
        self.tally: Counter[str] = Counter()
        self.policy_sha: str | None = None
        self.serial = _Serial()
        self._seen: dict[tuple[str, str], Seen] = {}
        self._buckets: dict[int, list[Seen]] = {}
        self._fresh = 0  # the first whose youngest report may still be within the window
        self._aged: dict[str, list[tuple[int, Seen]]] = {}  # reports kept for the sake of an incident
        self._dirty_buckets: set[int] = set()

    @property
    def book(self) -> Rulebook:
        """The policy in force.

        Raises:
            LookupError: none was ever activated.
        """
        if self.policy_sha is None:
            raise LookupError("no policy has been activated in this ledger")
        return self.books[self.policy_sha]

    def book_of(self, incident: Incident) -> Rulebook:
        """The policy an incident was decided under."""
        return self.books[incident.decided.policy]

    def seen(self, source: str, report_id: str, now_ms: int) -> Seen | None:
        """What became of a report: known within the window, and as long as its incident is held."""
        seen = self._seen.get((source, report_id))
        if seen is None or (now_ms - seen.time_ms > self.seen_window_ms and seen.incident_id not in self.incidents):
            return None
        return seen

    def remember(self, seen: Seen) -> None:
        """Enter an accepted report."""
        bucket = self._buckets.setdefault(self.serial.bucket, [])
        bucket.append(seen)
        self._seen[seen.source, seen.report_id] = seen
        self._dirty_buckets.add(self.serial.bucket)
        if len(bucket) >= SEEN_BUCKET:
            self.serial.bucket += 1

    def age(self, now_ms: int, out: Publisher) -> None:
        """Of full buckets whose youngest report has left the window, keep only reports of incidents still held."""
        while self._fresh < self.serial.bucket:
            bucket = self._buckets.get(self._fresh, [])
            if bucket and now_ms - bucket[-1].time_ms <= self.seen_window_ms:
                return
            gone = [seen for seen in bucket if seen.incident_id not in self.incidents]
            for seen in bucket:
                if seen.incident_id in self.incidents:
                    self._aged.setdefault(seen.incident_id, []).append((self._fresh, seen))
            self._forget(self._fresh, gone, out)
            self._fresh += 1

    def drop(self, incident: Incident, out: Publisher) -> None:
        """An ended incident leaves memory and the compacted topics, and with it what was kept for its sake."""
        del self.incidents[incident.incident_id]
        out.drop(incident.incident_id)
        if incident.brief is not None:
            out.keep(f"brief/{incident.incident_id}", None)
        for number, seen in self._aged.pop(incident.incident_id, ()):
            self._forget(number, [seen], out)

    def _forget(self, number: int, gone: list[Seen], out: Publisher) -> None:
        bucket = self._buckets.get(number)
        if bucket is None or not gone:
            return
        for seen in gone:
            bucket.remove(seen)
            if self._seen.get((seen.source, seen.report_id)) is seen:
                del self._seen[seen.source, seen.report_id]
        if bucket:
            self._dirty_buckets.add(number)
        else:
            del self._buckets[number]
            self._dirty_buckets.discard(number)
            out.keep(f"seen/{number}", None)

    def next_id(self, day: str) -> str:
        """The next incident id: `YYYYMMDD-PPP-N…`; the day never goes back, whatever zone a new policy brings."""
        if day > self.serial.day:
            self.serial.day, self.serial.number = day, 0
        self.serial.number += 1
        return f"{self.serial.day}-{self.partition:03d}-{self.serial.number:05d}"

    def settle(self, out: Publisher) -> None:
        """Write what changed to `state`."""
        for number in sorted(self._dirty_buckets):
            out.keep(f"seen/{number}", encode(self._buckets[number]))
        self._dirty_buckets.clear()
        out.keep("serial", encode(self.serial))
        out.keep("tally", encode(dict(sorted(self.tally.items()))))
        if self.policy_sha is not None:
            out.keep("policy", encode(self.policy_sha))

    def reindex(self) -> None:
        """Enter every open incident into the merge index anew: after a restore, and when merge rules change."""
        self.merges = MergeIndex()
        if self.policy_sha is None:
            return
        policy = self.book.policy
        for incident in self.incidents.values():
            if incident.open and incident.category is not None:
                self.merges.add(incident, policy.merge_rule(incident.category))

    def restore(self, state: Iterable[tuple[str, bytes]], incidents: Iterable[tuple[str, bytes]]) -> None:
        """Rebuild from the newest values of the two compacted topics.

        Raises:
            LookupError: an incident was decided under a policy that is not in `books`.
        """
        share: dict[Any, Any] = {}
        briefs: dict[str, Brief] = {}
        for key, value in state:
            self._restore_value(key, value, briefs)
        for incident_id, value in sorted(incidents):
            incident = from_record(decode_incident(value), share)
            incident.brief = briefs.get(incident_id)
            book = self.books[incident.decided.policy]
            warn = book.warn(incident.decided.sla)
            for target in incident.targets:
                refresh(target, book.policy.clock(target.clock), warn)
            self.incidents[incident_id] = incident
            self.timers.set(incident)
        self.reindex()

    def _restore_value(self, key: str, value: bytes, briefs: dict[str, Brief]) -> None:
        kind, _, rest = key.partition("/")
        if kind == "seen":
            bucket = self._buckets[int(rest)] = _seen_decoder.decode(value)
            for seen in bucket:
                known = self._seen.get((seen.source, seen.report_id))
                if known is None or known.time_ms <= seen.time_ms:
                    self._seen[seen.source, seen.report_id] = seen
        elif kind == "brief":
            briefs[rest] = _brief_decoder.decode(value)
        elif kind == "serial":
            self.serial = msgspec.json.decode(value, type=_Serial)
        elif kind == "tally":
            self.tally = Counter(msgspec.json.decode(value, type=dict[str, int]))
        elif kind == "policy":
            self.policy_sha = msgspec.json.decode(value, type=str)
        else:
            raise ValueError(f"state holds a key this version does not know: {key}")
