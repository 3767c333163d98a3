"""Replay: history at its own time.

Every row becomes a report and, when it was closed, three updates: acknowledge and done by the lead, and the check. All
of them, of all files, are sorted by (time, kind, id) and appended with their own times as record times, so the clock
is virtual and the run is a function of the files. The ledger remembers which files it replays; an interrupted replay
goes on where it stopped.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import orjson

from dispatcher.core import REPORTS, UPDATES, ms_to_text
from dispatcher.core.intake import is_report
from dispatcher.core.wire import encode
from dispatcher.hosts.embedded import IMPORTS, REPLAY_KEY, Embedded
from dispatcher.hosts.files import read_rows
from dispatcher.hosts.mapping import FieldMapping, Mapped
from dispatcher.ledger import Entry, Ledger, LedgerError

__all__ = ["History", "read_history", "refuse_unfinished_replay", "replay"]

CHUNK_RECORDS = 1_000  # appended and worked through at a time
ACTOR = {"role": "system", "person": "replay"}
_KINDS = ("acknowledge", "done", "check")


class History(NamedTuple):
    """The events of some files in the order in which they happened."""

    identity: str  # sha256 over the files and the mapping
    rows: int
    entries: list[Entry]


class _Event(NamedTuple):
    time_ms: int
    kind: int  # 0 the report, then acknowledge, done, check
    id: str
    row: int
    entry: Entry


def read_history(files: Iterable[tuple[str, bytes]], mapping: FieldMapping, mapping_data: bytes) -> History:
    """Read files into events. A row without a readable time comes last, to be rejected in its turn."""
    identity = hashlib.sha256(mapping_data)
    rows: list[Mapped | bytes] = []
    for name, data in files:
        identity.update(len(data).to_bytes(8, "big") + data)
        rows.extend(row if isinstance(row, bytes) else mapping.map(row) for row in read_rows(data, name))
    last_ms = max(
        (row.reported_ms for row in rows if isinstance(row, Mapped) and row.reported_ms is not None), default=0
    )
    reports = sorted(_report_event(number, row, last_ms) for number, row in enumerate(rows))
    events: list[_Event] = list(reports)
    taken: dict[tuple[str, str], tuple[_Event, Mapped]] = {}  # by id: the row that the engine will take
    closed: set[tuple[str, str]] = set()
    for report in reports:
        row = rows[report.row]
        if not isinstance(row, Mapped) or row.key is None or not is_report(report.entry.value, report.time_ms):
            continue
        first, accepted = taken.setdefault(row.key, (report, row))
        if row.closed_ms is not None and row.key not in closed and row.report == accepted.report:
            closed.add(row.key)  # its own close, or that of a later row which says the same of it
            events.extend(_closing(first, row, row.key))
    events.sort()
    return History(identity.hexdigest(), len(rows), [event.entry for event in events])


def replay(ledger: Ledger, host: Embedded, history: History, on_progress: Callable[[int], None] | None = None) -> None:
    """Append what is still missing, chunk by chunk, and work through it.

    Raises:
        LedgerError: the ledger holds something else.
    """
    done = ledger.appended(REPORTS) + ledger.appended(UPDATES)
    known = ledger.newest(IMPORTS, REPLAY_KEY)
    if known is None:
        if done:
            raise LedgerError("the ledger holds live records; replay into a new file")
        ledger.put(IMPORTS, REPLAY_KEY, encode({"sha256": history.identity, "records": len(history.entries)}))
        host.rebuild()  # from now on an id is remembered for as long as the replay goes
    elif orjson.loads(known)["sha256"] != history.identity:
        raise LedgerError("the ledger holds the replay of other files or of another mapping; replay into a new file")
    if on_progress is not None:
        on_progress(done)
    host.catch_up()
    for chunk in _chunks(history.entries[done:]):
        ledger.append(chunk)
        host.catch_up(on_progress)


def refuse_unfinished_replay(ledger: Ledger) -> None:
    """A replay that was interrupted is finished first: live records would date the rest of it today.

    Raises:
        LedgerError: the ledger holds such a replay.
    """
    known = ledger.newest(IMPORTS, REPLAY_KEY)
    if known is not None and ledger.appended(REPORTS) + ledger.appended(UPDATES) < orjson.loads(known)["records"]:
        raise LedgerError("the ledger holds an interrupted replay; finish it with `dispatcher replay`, or name another")


def _report_event(number: int, row: Mapped | bytes, last_ms: int) -> _Event:
    if isinstance(row, bytes):
        return _Event(last_ms, 0, "", number, Entry(REPORTS, row, None, last_ms))
    time_ms = last_ms if row.reported_ms is None else max(0, row.reported_ms)
    try:
        value = orjson.dumps(row.report)
    except (orjson.JSONEncodeError, TypeError):
        value = repr(row.report).encode("utf-8", "replace")  # to be rejected as what it is: not JSON
    report_id = row.key[1] if row.key else ""
    return _Event(time_ms, 0, report_id, number, Entry(REPORTS, value, None, time_ms))


def _closing(report: _Event, row: Mapped, key: tuple[str, str]) -> Iterator[_Event]:
    """A close time closes, whatever a status says; dated before its report, it is dated as the report and flagged."""
    source, report_id = key
    skewed = (row.closed_ms or 0) < report.time_ms
    time_ms = max(row.closed_ms or 0, report.time_ms)
    for kind, action in enumerate(_KINDS, start=1):
        update = {
            "update_id": f"replay:{action}",
            "report": {"source": source, "report_id": report_id},
            "action": action,
            "at": ms_to_text(time_ms),
            "actor": ACTOR,
        }
        if action == "check":
            update["result"] = "pass"
        if skewed:
            update["flags"] = ["clock_skew"]
        yield _Event(time_ms, kind, report_id, report.row, Entry(UPDATES, encode(update), None, time_ms))


def _chunks(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    for start in range(0, len(entries), CHUNK_RECORDS):
        yield entries[start : start + CHUNK_RECORDS]
