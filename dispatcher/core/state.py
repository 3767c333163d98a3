"""The state of one partition: its incidents, what was seen, its serial, its tallies, the policy and mode in force.

All of it is on the compacted topics `incidents` and `state`, so a partition is rebuilt by reading them once. Keys of
`state` never depend on where batches were cut or where clock records stand:

- `seen/<n>`: the n-th 256 accepted reports as [source, report_id, incident, digest, time], against repeats; after 31
  days of record time only those whose incident is still held, by which an update may name it
- `brief/<incident>`: address, masked text and media for later orders
- `serial`, `tally`, `policy`, and while there are any `modes` and a `job`: one value each; `serial` also names the
  `seen/<n>` being filled
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from sys import intern
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import force_setattr

from dispatcher.core.incident import Brief, Incident
from dispatcher.core.instants import DAY_MS
from dispatcher.core.job import Job
from dispatcher.core.merge import MergeIndex
from dispatcher.core.modes import Modes, ModeSpan
from dispatcher.core.packing import Glance
from dispatcher.core.publish import Publisher
from dispatcher.core.records import decode_incident, from_record
from dispatcher.core.rulebook import Rulebook
from dispatcher.core.shelf import AWAKE_MAX, Shelf, read_published
from dispatcher.core.targets import refresh
from dispatcher.core.timers import Timers
from dispatcher.core.wakeups import next_due_ms
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
    """Everything one engine knows. Rebuilt from records, never repaired.

    Args:
        partition: its number.
        books: every policy that may be met, by sha256.
        seen_window_ms: how long reports are remembered against repeats; `SEEN_WINDOW_MS` when not given.
        awake_max: how many incidents stay objects between two calls of `Engine.process`.
    """

    def __init__(
        self,
        partition: int,
        books: Mapping[str, Rulebook],
        seen_window_ms: int | None = None,
        awake_max: int = AWAKE_MAX,
    ) -> None:
        self.seen_window_ms = SEEN_WINDOW_MS if seen_window_ms is None else seen_window_ms
        self.partition = partition
        self.books = books
        self.incidents = Shelf(self._revive, awake_max)
        self.timers = Timers(self.incidents)
        self.merges = MergeIndex(self.incidents)
        self.tally: Counter[str] = Counter()
        self.policy_sha: str | None = None
        self.modes = Modes()
        self.job: Job | None = None
        self.serial = _Serial()
        self._kept: frozenset[str] = frozenset()  # values of `state` that come and go, and are there now
        self._seen: dict[str, dict[str, Seen]] = {}  # by source, then by report
        self._buckets: dict[int, list[Seen]] = {}
        self._fresh = 0  # the first whose youngest report may still be within the window
        self._aged: dict[str, list[tuple[int, Seen]]] = {}  # reports kept for the sake of an incident
        self._dirty_buckets: set[int] = set()
        self._decisions: dict[Any, Any] = {}  # of revived incidents: equal ones are one object

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
        seen = self._seen.get(source, {}).get(report_id)
        if seen is None or (now_ms - seen.time_ms > self.seen_window_ms and seen.incident_id not in self.incidents):
            return None
        return seen

    def remember(self, seen: Seen) -> None:
        """Enter an accepted report."""
        bucket = self._buckets.setdefault(self.serial.bucket, [])
        bucket.append(seen)
        self._seen.setdefault(seen.source, {})[seen.report_id] = seen
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
            of_source = self._seen.get(seen.source, {})
            if of_source.get(seen.report_id) is seen:
                del of_source[seen.report_id]
                if not of_source:
                    del self._seen[seen.source]
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
        """End of a call: write what changed to `state`, and let incidents fall asleep."""
        for number in sorted(self._dirty_buckets):
            out.keep(f"seen/{number}", encode(self._buckets[number]))
        self._dirty_buckets.clear()
        out.keep("serial", encode(self.serial))
        out.keep("tally", encode(dict(sorted(self.tally.items()))))
        if self.policy_sha is not None:
            out.keep("policy", encode(self.policy_sha))
        for key, value in (("modes", list(self.modes.spans.values())), ("job", self.job)):
            if value:
                out.keep(key, encode(value))
                self._kept |= {key}
            elif key in self._kept:
                out.keep(key, None)
                self._kept -= {key}
        self.incidents.settle(out.dirty)

    def mode_at(self, path: Sequence[str]) -> str:
        """The mode in force at a place."""
        return self.modes.at(self.book.policy.modes, path)

    def set_mode(self, span: ModeSpan) -> None:
        """A mode holds from now on."""
        self.modes.spans[span.mode_id] = span
        self._kept |= {"modes"}
        self.timers.alarm(f"mode/{span.mode_id}", span.until_ms)

    def end_mode(self, mode_id: str) -> None:
        """A mode holds no longer."""
        del self.modes.spans[mode_id]
        self.timers.alarm(f"mode/{mode_id}", None)

    def begin(self, job: Job) -> None:
        """A command that takes many incidents is under way."""
        self.job = job
        self._kept |= {"job"}

    def reports_of(self, incident_id: str) -> list[tuple[str, str]]:
        """Every report of an incident that is remembered against repeats, the first one first."""
        found = [
            (seen.time_ms, seen.source, seen.report_id)
            for of_source in self._seen.values()
            for seen in of_source.values()
            if seen.incident_id == incident_id
        ]
        return [(source, report_id) for _, source, report_id in sorted(found)]

    def reindex(self) -> None:
        """Enter every open incident into the merge index anew, when merge rules change."""
        self.merges = MergeIndex(self.incidents)
        for incident in self.incidents.glances():
            self._index(incident)

    def _index(self, incident: Incident | Glance) -> None:
        if incident.open and incident.category is not None and self.policy_sha is not None:
            self.merges.add(incident, self.book.policy.merge_rule(incident.category))

    def restore(self, state: Iterable[tuple[str, bytes]], incidents: Iterable[tuple[str, bytes]]) -> None:
        """Rebuild from the newest values of the two compacted topics; the incidents stay asleep.

        Raises:
            LookupError: an incident was decided under a policy that is not in `books`.
        """
        briefs: dict[str, bytes] = {}
        for key, value in state:
            self._restore_value(key, value, briefs)
        for number in sorted(self._buckets):  # a report that was split off stands twice: the later one counts
            for seen in self._buckets[number]:
                of_source = self._seen.setdefault(seen.source, {})
                known = of_source.get(seen.report_id)
                if known is None or known.time_ms <= seen.time_ms:
                    of_source[seen.report_id] = seen
        ids = self._share_words()
        for incident_id, value in sorted(incidents):
            record = read_published(value)
            record.incident_id = ids.get(incident_id, incident_id)
            if record.decision.policy not in self.books:
                raise LookupError(
                    f"{incident_id} was decided under policy {record.decision.policy}, which is not stored"
                )
            self.timers.enter(incident_id, self.incidents.put(record, value, briefs.get(incident_id)))
            self._index(record.glance())

    def _share_words(self) -> dict[str, str]:
        """Reports of one source or incident hold one and the same text; gives the ids, to be held by incidents too."""
        ids: dict[str, str] = {}
        for bucket in self._buckets.values():
            for seen in bucket:
                force_setattr(seen, "source", intern(seen.source))
                force_setattr(seen, "incident_id", ids.setdefault(seen.incident_id, seen.incident_id))
        return ids

    def _revive(self, value: bytes, brief: bytes | None) -> Incident:
        """An incident as it was when this was published."""
        incident = from_record(decode_incident(value), self._decisions)
        incident.brief = None if brief is None else _brief_decoder.decode(brief)
        book = self.book_of(incident)
        for target in incident.targets:
            if target.active:  # the others may have run on a calendar that the policy it is now under does not have
                refresh(target, book.policy.clock(target.clock), book.pace(incident.decided, target.name))
        incident.next_ms = next_due_ms(incident)
        return incident

    def _restore_value(self, key: str, value: bytes, briefs: dict[str, bytes]) -> None:
        kind, _, rest = key.partition("/")
        if kind == "seen":
            self._buckets[int(rest)] = _seen_decoder.decode(value)
        elif kind == "brief":
            briefs[rest] = value
        elif kind == "serial":
            self.serial = msgspec.json.decode(value, type=_Serial)
        elif kind == "tally":
            self.tally = Counter(msgspec.json.decode(value, type=dict[str, int]))
        elif kind == "policy":
            self.policy_sha = msgspec.json.decode(value, type=str)
        elif kind == "modes":
            for span in Modes.decode(value).spans.values():
                self.set_mode(span)
        elif kind == "job":
            self.begin(msgspec.json.decode(value, type=Job))
        else:
            raise ValueError(f"state holds a key this version does not know: {key}")
