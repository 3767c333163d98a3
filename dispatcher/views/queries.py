"""Reads about one incident or one report, and the sums over states."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from dispatcher.core import IncidentRecord, decode_incident
from dispatcher.core.messages import Private
from dispatcher.ledger import Kept, Ledger
from dispatcher.views.projection import Projection, history_of

__all__ = [
    "History",
    "doubled_reports",
    "event_places",
    "events_of",
    "history",
    "incident",
    "incident_json",
    "incidents_of_report",
    "private_of_report",
    "reached",
    "reports_of",
    "states",
]

_private = msgspec.json.Decoder(Private)
# A report that was split off is its new incident's; that it was with the old one once is no second taking.
_STAYS = (
    "NOT EXISTS (SELECT 1 FROM split_off AS s WHERE s.incident_id = report.incident_id"
    " AND s.source = report.source AND s.report_id = report.report_id)"
)


class History(NamedTuple):
    """What happened to an incident, oldest first; `complete` is False while a page has still to be followed."""

    entries: list[dict[str, Any]]
    complete: bool


def incident_json(view: Projection, incident_id: str) -> bytes | None:
    """The incident's newest record as published; an ended one is kept for good."""
    row = view.db.execute("SELECT value FROM record WHERE incident_id = ?", (incident_id,)).fetchone()
    return None if row is None else bytes(row[0])


def incident(view: Projection, incident_id: str) -> IncidentRecord | None:
    """The incident's newest record."""
    value = incident_json(view, incident_id)
    return None if value is None else decode_incident(value)


def incidents_of_report(view: Projection, source: str, report_id: str) -> list[str]:
    """The incidents a report went to, newest first: one, unless the same id was taken in two homes."""
    rows = view.db.execute(
        "SELECT incident_id FROM report LEFT JOIN incident USING (incident_id)"  # noqa: S608 - our own words
        f" WHERE report.source = ? AND report_id = ? AND {_STAYS} ORDER BY opened_ms DESC, incident_id DESC",
        (source, report_id),
    )
    return [incident_id for (incident_id,) in rows]


def reports_of(view: Projection, record: IncidentRecord) -> list[tuple[str, str]]:
    """Every report (source, report_id) of an incident; its record lists the first twenty, these come first."""
    rows = view.db.execute(
        f"SELECT source, report_id FROM report WHERE incident_id = ? AND {_STAYS} ORDER BY source, report_id",  # noqa: S608
        (record.incident_id,),
    )
    return list(dict.fromkeys([*record.reports, *rows.fetchall()]))


def private_of_report(view: Projection, source: str, report_id: str) -> Private | None:
    """What only some may read of a report; None when nothing is kept of it, or it was erased."""
    row = view.db.execute("SELECT value FROM private WHERE key = ?", (f"{source}/{report_id}",)).fetchone()
    return None if row is None else _private.decode(row[0])


def doubled_reports(view: Projection, limit: int = 100) -> list[tuple[str, str, list[str]]]:
    """Reports (source, report_id) that were taken more than once, with their incidents: for an operator to look at.

    Within one home an id is taken once in 31 days; two homes, or the same id much later, show here.
    """
    rows = view.db.execute(
        f"SELECT source, report_id FROM report WHERE {_STAYS} GROUP BY source, report_id HAVING count(*) > 1"  # noqa: S608
        " ORDER BY source, report_id LIMIT ?",
        (limit,),
    ).fetchall()
    return [(source, report_id, incidents_of_report(view, source, report_id)) for source, report_id in rows]


def event_places(view: Projection, key: str) -> list[tuple[int, int]]:
    """Where the events of an incident, or of `control`, lie (partition, seq), in order, as far as they are followed.

    What a command did is told in every partition; of that, those of the first are listed.
    """
    where = "SELECT partition, seq FROM event WHERE key = ? ORDER BY partition, seq"
    places = view.db.execute(where, (key,)).fetchall()
    return [(partition, seq) for partition, seq in places if partition == places[0][0]]


def events_of(view: Projection, ledger: Ledger, key: str) -> Iterator[Kept]:
    """The same events, read at their places in the ledger."""
    for partition, seq in event_places(view, key):
        yield from ledger.follow("events", seq - 1, 1, partition)


def reached(view: Projection, topic: str, partition: int, seq: int) -> bool:
    """Whether a record of a partition of a topic is followed yet."""
    where = "SELECT seq FROM position WHERE topic = ? AND partition = ?"
    row = view.db.execute(where, (topic, partition)).fetchone()
    return row is not None and row[0] >= seq


def states(view: Projection) -> dict[str, int]:
    """How many incidents are in each state now; the sum is all that were ever opened."""
    return dict(view.db.execute("SELECT state, count(*) FROM incident GROUP BY state ORDER BY state").fetchall())


def history(view: Projection, incident_id: str) -> History | None:
    """The whole history, across the pages in `archive`; None for an unknown incident."""
    record = incident(view, incident_id)
    if record is None:
        return None
    pages = view.db.execute("SELECT count(*) FROM page WHERE incident_id = ?", (incident_id,)).fetchone()[0]
    entries = [msgspec.json.decode(entry) for entry in history_of(view.db, incident_id)]
    return History(entries, pages >= record.history_pages)
