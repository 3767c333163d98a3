"""What the records of each topic write into the projection. Pure: records in, statements with their rows out."""

from collections.abc import Callable, Sequence

import msgspec

from dispatcher.core import decode_incident
from dispatcher.ledger import Kept
from dispatcher.views.rows import IncidentRow, LeadTurn, lead_turns, row_of
from dispatcher.views.schema import insert, upsert

__all__ = ["Write", "writes_of"]

_INCIDENT = upsert("incident", IncidentRow._fields)
_RECORD = upsert("record", ("incident_id", "revision", "value"))
_LEAD_TURN = insert("lead_turn", LeadTurn._fields)
_REPORT = insert("report", ("source", "report_id", "incident_id"))
_PAGE = insert("page", ("incident_id", "page", "value"))
_REJECTED = insert(
    "rejected", ("seq", "time_ms", "reason", "detail", "topic", "partition", "offset", "received_at", "original")
)


class _Page(msgspec.Struct, frozen=True, gc=False):
    """An earlier page of an incident's history on `archive`; a final record has no page."""

    incident_id: str
    page: int = 0


class _Event(msgspec.Struct, frozen=True, gc=False):
    """What the projection reads of an event; events of `control` have neither field."""

    what: str = ""
    changes: msgspec.Raw = msgspec.Raw(b"[]")


class _Change(msgspec.Struct, frozen=True, gc=False):
    event: str
    source: str = ""
    report_id: str = ""


class _Rejection(msgspec.Struct, frozen=True, gc=False):
    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    received_at: str
    original: str


_page = msgspec.json.Decoder(_Page)
_event = msgspec.json.Decoder(_Event)
_changes = msgspec.json.Decoder(list[_Change])
_rejection = msgspec.json.Decoder(_Rejection)

Write = tuple[str, list[Sequence[object]]]  # a statement and its rows


def writes_of(topic: str, kept: Sequence[Kept]) -> list[Write]:
    """The statements that a batch of one topic comes to.

    Raises:
        msgspec.MsgspecError, ValueError: a record is not what this version of the program writes.
    """
    return _WRITES[topic](kept)


def _incident_writes(kept: Sequence[Kept]) -> list[Write]:
    incidents: list[Sequence[object]] = []
    records: list[Sequence[object]] = []
    reports: list[Sequence[object]] = []
    turns: list[Sequence[object]] = []
    for entry in kept:
        if entry.value is None:
            continue
        record = decode_incident(entry.value)
        incidents.append(tuple(row_of(record)))  # sqlite3 binds a plain tuple in two thirds of the time
        records.append((record.incident_id, record.revision, entry.value))
        reports.extend([(source, report_id, record.incident_id) for source, report_id in record.reports])
        turns.extend(lead_turns(record))
    return [(_INCIDENT, incidents), (_RECORD, records), (_REPORT, reports), (_LEAD_TURN, turns)]


def _archive_writes(kept: Sequence[Kept]) -> list[Write]:
    final: list[Kept] = []
    pages: list[Sequence[object]] = []
    for entry in kept:
        page = _page.decode(entry.value or b"")
        if page.page:
            pages.append((page.incident_id, page.page, entry.value))
        else:
            final.append(entry)
    return [*_incident_writes(final), (_PAGE, pages)]


def _event_writes(kept: Sequence[Kept]) -> list[Write]:
    """Reports merged into an incident: its record lists the first twenty only."""
    reports: list[Sequence[object]] = []
    for entry in kept:
        event = _event.decode(entry.value or b"{}")
        if event.what == "merge":
            reports.extend(
                (change.source, change.report_id, entry.key)
                for change in _changes.decode(event.changes)
                if change.event == "merged"
            )
    return [(_REPORT, reports)]


def _rejected_writes(kept: Sequence[Kept]) -> list[Write]:
    rows: list[Sequence[object]] = []
    for entry in kept:
        said = _rejection.decode(entry.value or b"")
        rows.append((entry.seq, entry.time_ms, *msgspec.structs.astuple(said)))
    return [(_REJECTED, rows)]


_WRITES: dict[str, Callable[[Sequence[Kept]], list[Write]]] = {
    "archive": _archive_writes,
    "incidents": _incident_writes,
    "events": _event_writes,
    "rejected": _rejected_writes,
}
