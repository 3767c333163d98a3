"""What the records of each topic write into the projection. Pure: records in, statements with their rows out."""

from collections.abc import Callable, Sequence

import msgspec

from dispatcher.core import IncidentRecord, decode_incident
from dispatcher.ledger import Kept
from dispatcher.views import parts
from dispatcher.views.rows import IncidentRow, ms_of, row_of
from dispatcher.views.schema import insert, insert_new, upsert
from dispatcher.views.spells import Spell, spells

__all__ = ["Write", "writes_of"]

_INCIDENT = upsert("incident", IncidentRow._fields)
_RECORD = upsert("record", ("incident_id", "revision", "value"))
_SPELL = insert_new("spell", Spell._fields)
_LEAD_TURN = insert("lead_turn", parts.LeadTurn._fields)
_NUMBERED = ("incident_id", "n")
# What only some incidents have: a statement, and the rows of a record.
_PARTS: tuple[tuple[str, Callable[[IncidentRecord], Sequence[Sequence[object]]]], ...] = (
    (_LEAD_TURN, parts.lead_turns),
    (upsert("attendance", parts.AttendanceRow._fields, _NUMBERED), parts.attendances),
    (upsert("request", parts.RequestRow._fields, ("incident_id", "number")), parts.requests),
    (upsert("callback", parts.CallbackRow._fields, ("incident_id", "source", "report_id", "round")), parts.callbacks),
    (upsert("former_clock", parts.FormerClock._fields, _NUMBERED), parts.former_clocks),
)
_PROOF = insert("proof", ("incident_id", "revision", "at_ms", "party", "media"))
_RATING = insert_new("rating", ("incident_id", "revision", "at_ms", "party", "score"))
_EVENT = insert_new("event", ("key", "partition", "seq"))
_OUTAGE = insert_new("outage", ("since_ms", "until_ms", "told_ms"))
_REPORT = (  # a record says when its first report was made, an event when another was merged; the others' time is none
    "INSERT INTO report (source, report_id, incident_id, at_ms) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (source, report_id, incident_id) DO UPDATE SET at_ms = coalesce(at_ms, excluded.at_ms)"
)
_SPLIT_OFF = insert_new("split_off", ("incident_id", "source", "report_id"))
_PRIVATE = insert("private", ("key", "value"))
_PAGE = insert("page", ("incident_id", "page", "value"))
_REJECTED = insert(
    "rejected", ("time_ms", "reason", "detail", "topic", "partition", "offset", "received_at", "original")
)


class _Page(msgspec.Struct, frozen=True, gc=False):
    """An earlier page of an incident's history on `archive`; a final record has no page."""

    incident_id: str
    page: int = 0


class _Event(msgspec.Struct, frozen=True, gc=False):
    """What the projection reads of an event; those of `control` have an `event` of their own and no changes."""

    what: str = ""
    at: str = ""
    revision: int = 0
    changes: msgspec.Raw = msgspec.Raw(b"[]")
    event: str = ""
    since: str = ""
    until: str = ""


class _Change(msgspec.Struct, frozen=True, gc=False):
    event: str
    source: str = ""
    report_id: str = ""
    party: str = ""
    media: int = 0
    score: int = 0


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


def writes_of(topic: str, kept: Sequence[Kept], partition: int = 0) -> list[Write]:
    """The statements that a batch of one partition of a topic comes to.

    Raises:
        msgspec.MsgspecError, ValueError: a record is not what this version of the program writes.
    """
    writes = _WRITES[topic](kept)
    if topic == "events":
        writes.append((_EVENT, [(entry.key, partition, entry.seq) for entry in kept]))
    return writes


def _incident_writes(kept: Sequence[Kept]) -> list[Write]:
    incidents: list[Sequence[object]] = []
    values: list[Sequence[object]] = []
    reports: list[Sequence[object]] = []
    told: list[Sequence[object]] = []
    beside: list[list[Sequence[object]]] = [[] for _ in _PARTS]
    for entry in kept:
        if entry.value is None:
            continue
        record = decode_incident(entry.value)
        incidents.append(tuple(row_of(record)))  # sqlite3 binds a plain tuple in two thirds of the time
        values.append((record.incident_id, record.revision, entry.value))
        made_ms = [ms_of(record.reported_at), *[None] * len(record.reports)]
        reports.extend(
            [(*report, record.incident_id, at_ms) for report, at_ms in zip(record.reports, made_ms, strict=False)]
        )
        if not record.history_pages:  # with pages, the history is put together when all of it is there
            told.extend(map(tuple, spells(record.incident_id, record.history)))
        for rows, (_, of_record) in zip(beside, _PARTS, strict=True):
            rows.extend(of_record(record))
    some = [(statement, rows) for rows, (statement, _) in zip(beside, _PARTS, strict=True) if rows]
    return [(_INCIDENT, incidents), (_RECORD, values), (_REPORT, reports), (_SPELL, told), *some]


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
    """What no record tells: all reports (it lists 20), what proved a `done`, ratings, outages."""
    reports: list[Sequence[object]] = []
    lost: list[Sequence[object]] = []
    proofs: list[Sequence[object]] = []
    rated: list[Sequence[object]] = []
    outages: list[Sequence[object]] = []
    for entry in kept:
        event = _event.decode(entry.value or b"{}")
        if event.event == "outage":
            outages.append((ms_of(event.since), ms_of(event.until), entry.time_ms))
        elif event.what == "merge":
            reports.extend(
                (change.source, change.report_id, entry.key, entry.time_ms)
                for change in _changes.decode(event.changes)
                if change.event == "merged"
            )
        elif event.what == "split":
            lost.extend(
                (entry.key, change.source, change.report_id)
                for change in _changes.decode(event.changes)
                if change.event == "split_off"
            )
        elif event.what == "done":
            proofs.extend(
                (entry.key, event.revision, entry.time_ms, change.party, change.media)
                for change in _changes.decode(event.changes)
                if change.event == "done"
            )
        elif event.what == "rate":
            rated.extend(
                (entry.key, event.revision, entry.time_ms, change.party, change.score)
                for change in _changes.decode(event.changes)
                if change.event == "rated"
            )
    return [(_REPORT, reports), (_SPLIT_OFF, lost), (_PROOF, proofs), (_RATING, rated), (_OUTAGE, outages)]


def _rejected_writes(kept: Sequence[Kept]) -> list[Write]:
    rows: list[Sequence[object]] = []
    for entry in kept:
        said = _rejection.decode(entry.value or b"")
        rows.append((entry.time_ms, *msgspec.structs.astuple(said)))
    return [(_REJECTED, rows)]


def _private_writes(kept: Sequence[Kept]) -> list[Write]:
    newest = {entry.key: entry.value for entry in kept}
    there: list[Sequence[object]] = [(key, value) for key, value in newest.items() if value is not None]
    erased: list[Sequence[object]] = [(key,) for key, value in newest.items() if value is None]
    return [(_PRIVATE, there), ("DELETE FROM private WHERE key = ?", erased)]


_WRITES: dict[str, Callable[[Sequence[Kept]], list[Write]]] = {
    "archive": _archive_writes,
    "incidents": _incident_writes,
    "events": _event_writes,
    "rejected": _rejected_writes,
    "reporters": _private_writes,
}
