"""The state of one partition: its incidents, what was seen, its serial, its tallies, the policy and mode in force.

All of it is on the compacted topics `incidents` and `state`, so a partition is rebuilt by reading them once. Keys of
`state` never depend on where batches were cut or where clock records stand:

- `seen/<n>`, `taken/<incident>/<n>`: against repeats (`repeats`)
- `brief/<incident>`: address, masked text and media for later orders
- `serial`, `tally`, `policy`, and while there are any `modes` and a `job`: one value each; `serial` also names the
  `seen/<n>` being filled
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from dispatcher.core.incident import Brief, Incident
from dispatcher.core.job import Job
from dispatcher.core.merge import MergeIndex
from dispatcher.core.modes import Modes, ModeSpan
from dispatcher.core.packing import Glance
from dispatcher.core.publish import Publisher
from dispatcher.core.records import decode_incident, from_record
from dispatcher.core.repeats import SEEN_WINDOW_MS, Repeats
from dispatcher.core.rulebook import Rulebook
from dispatcher.core.shelf import AWAKE_MAX, Shelf, read_published
from dispatcher.core.targets import refresh
from dispatcher.core.timers import Timers
from dispatcher.core.wakeups import next_due_ms
from dispatcher.core.wire import encode

__all__ = ["PartitionState"]


class _Serial(Struct):
    day: str = ""
    number: int = 0
    bucket: int = 0  # of seen reports, the one being filled


_brief_decoder = msgspec.json.Decoder(Brief)


class PartitionState:
    """Everything one engine knows. Rebuilt from records, never repaired.

    Args:
        partition: its number.
        books: every policy that may be met, by sha256.
        partitions: how many there are; an id that names another one beyond them is nobody's.
        seen_window_ms: how long reports are remembered against repeats.
        awake_max: how many incidents stay objects between two calls of `Engine.process`.
    """

    def __init__(
        self,
        partition: int,
        books: Mapping[str, Rulebook],
        *,
        partitions: int = 1,
        seen_window_ms: int = SEEN_WINDOW_MS,
        awake_max: int = AWAKE_MAX,
    ) -> None:
        self.partition, self.partitions = partition, partitions
        self.books = books
        self.incidents = Shelf(self._revive, awake_max)
        self.timers = Timers(self.incidents)
        self.merges = MergeIndex(self.incidents)
        self.tally: Counter[str] = Counter()
        self.policy_sha: str | None = None
        self.modes = Modes()
        self.job: Job | None = None
        self.repeats = Repeats(self.incidents, seen_window_ms)
        self.revisions = 0  # of all incidents held, added up: what was restored is compared with what was recorded
        self._day, self._number = "", 0  # of the last incident opened
        self._kept: frozenset[str] = frozenset()  # values of `state` that come and go, and are there now
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

    def drop(self, incident: Incident, out: Publisher) -> None:
        """An ended incident leaves memory and the compacted topics, and with it what was kept for its sake."""
        del self.incidents[incident.incident_id]
        self.revisions -= incident.revision
        out.drop(incident.incident_id)
        if incident.brief is not None:
            out.keep(f"brief/{incident.incident_id}", None)
        self.repeats.drop(incident.incident_id, out)

    @property
    def serial(self) -> _Serial:
        """What the next incident and the next remembered report are numbered after."""
        return _Serial(self._day, self._number, self.repeats.filling)

    def next_id(self, day: str) -> str:
        """The next incident id: `YYYYMMDD-PPP-N…`; the day never goes back, whatever zone a new policy brings."""
        if day > self._day:
            self._day, self._number = day, 0
        self._number += 1
        return f"{self._day}-{self.partition:03d}-{self._number:05d}"

    def settle(self, out: Publisher) -> None:
        """End of a call: write what changed to `state`, and let incidents fall asleep."""
        self.repeats.settle(out)
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
        repeats: list[tuple[str, str, bytes]] = []
        for key, value in state:
            kind, _, rest = key.partition("/")
            if kind in ("seen", "taken"):
                repeats.append((kind, rest, value))
            else:
                self._restore_value(kind, rest, value, briefs)
        ids = self.repeats.restore(repeats)
        for incident_id, value in sorted(incidents):
            record = read_published(value)
            self.revisions += record.revision
            record.incident_id = ids.get(incident_id, incident_id)
            if record.decision.policy not in self.books:
                raise LookupError(
                    f"{incident_id} was decided under policy {record.decision.policy}, which is not stored"
                )
            self.timers.enter(incident_id, self.incidents.put(record, value, briefs.get(incident_id)))
            self._index(record.glance())

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

    def _restore_value(self, kind: str, rest: str, value: bytes, briefs: dict[str, bytes]) -> None:
        if kind == "brief":
            briefs[rest] = value
        elif kind == "serial":
            serial = msgspec.json.decode(value, type=_Serial)
            self._day, self._number, self.repeats.filling = serial.day, serial.number, serial.bucket
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
            raise ValueError(f"state holds a key this version does not know: {kind}/{rest}")
