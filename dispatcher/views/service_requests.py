"""Incidents as those see them who asked for a service: by when they were asked for, open until the matter itself ends.

What was merged into another incident is open as long as that is. Lists are paged by number and bounded, so that none
reads more than an index's span of time.
"""

from typing import Any, NamedTuple

import msgspec

from dispatcher.core import IncidentState
from dispatcher.views.projection import Projection
from dispatcher.views.rows import IncidentRow

__all__ = [
    "PAGED_MAX",
    "Asked",
    "Said",
    "Told",
    "asked_of",
    "followed",
    "joined_reports",
    "requested",
    "said_of",
    "told",
    "whole_rows",
]

PAGED_MAX = 100_000  # rows that may lie before a page: whoever wants more narrows the time
MERGED_DEEP_MAX = 50  # into one another; a chain longer than that is taken as open
_COLUMNS = ", ".join(IncidentRow._fields)
_TOLD = (
    "change.incident_id AS incident_id, change.revision AS revision, at_ms, change.state AS state,"
    " mine.incident_id AS of"
)

# Whether the matter goes on: of what was merged, whether that goes on into which it was merged at last.
_OPEN = f"""(CASE WHEN incident.state <> 'merged' THEN incident.queue_rank IS NOT NULL ELSE coalesce((
  WITH RECURSIVE above (incident_id, deep) AS (
    SELECT incident.parent, 1
    UNION ALL
    SELECT i.parent, deep + 1 FROM above JOIN incident AS i USING (incident_id)
      WHERE i.state = 'merged' AND deep < {MERGED_DEEP_MAX})
  SELECT i.queue_rank IS NOT NULL FROM above JOIN incident AS i USING (incident_id) WHERE i.state <> 'merged'), 1)
END)"""  # noqa: S608 - our words


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a list is narrowed to: asked for in [`from_ms`, `to_ms`], of public categories or of one's own sources.

    `categories`, where given, are those wanted, each exactly; `open` is of the matter itself.
    """

    from_ms: int
    to_ms: int
    public: tuple[str, ...]
    own_sources: tuple[str, ...] = ()
    categories: tuple[str, ...] | None = None
    open: bool | None = None


class Said(msgspec.Struct, frozen=True, gc=False):
    """What an incident's record says that its row does not: its reports, and what anybody may read of it."""

    reports: list[tuple[str, str]]
    text: str | None = None


_said = msgspec.json.Decoder(Said).decode


class Told(NamedTuple):
    """A change of state of an incident, as one asked for a service hears of it: `of` is the incident asked for."""

    incident_id: str
    revision: int
    at_ms: int
    state: str
    of: str


def requested(view: Projection, asked: Asked, offset: int, limit: int) -> list[IncidentRow]:
    """A page of incidents, the last asked for first. At most `PAGED_MAX` rows may lie before it."""
    conditions, values = _conditions(asked, "incident")
    if asked.open is not None:
        conditions.append(f"{_OPEN} = ?")
        values.append(int(asked.open))
    found = view.db.execute(
        f"SELECT incident_id FROM incident WHERE reported_ms BETWEEN ? AND ? AND {' AND '.join(conditions)}"  # noqa: S608 - our words
        " ORDER BY reported_ms DESC, incident_id DESC LIMIT ? OFFSET ?",
        (asked.from_ms, asked.to_ms, *values, limit, min(offset, PAGED_MAX)),
    )
    return whole_rows(view, [incident_id for (incident_id,) in found])


def told(view: Projection, asked: Asked, offset: int, limit: int) -> list[Told]:
    """Changes of state in a span of time, the oldest first, of what is asked for and of what that was merged into."""
    conditions, values = _conditions(asked, "mine")
    narrowed = " AND ".join(conditions)
    rows = view.db.execute(
        "WITH change AS (SELECT incident_id, revision, at_ms, state FROM spell WHERE at_ms BETWEEN ? AND ?)"  # noqa: S608 - our words
        f" SELECT {_TOLD} FROM change JOIN incident AS mine ON mine.incident_id = change.incident_id WHERE {narrowed}"
        f" UNION ALL SELECT {_TOLD} FROM change JOIN incident AS mine ON mine.parent = change.incident_id"
        f" AND mine.state = 'merged' AND mine.ended_ms <= change.at_ms WHERE {narrowed}"
        " ORDER BY at_ms, incident_id, revision, of LIMIT ? OFFSET ?",
        (asked.from_ms, asked.to_ms, *values, *values, limit, min(offset, PAGED_MAX)),
    )
    return [Told(*row) for row in rows]


def whole_rows(view: Projection, incident_ids: list[str]) -> list[IncidentRow]:
    """The rows of incidents, in this order; of those there are."""
    wanted = msgspec.json.encode(incident_ids).decode()
    rows = view.db.execute(
        f"SELECT {_COLUMNS} FROM incident WHERE incident_id IN (SELECT value FROM json_each(?))",  # noqa: S608 - our words
        (wanted,),
    )
    by_id = {row[0]: IncidentRow(*row) for row in rows}
    return [by_id[incident_id] for incident_id in incident_ids if incident_id in by_id]


def said_of(view: Projection, incident_ids: list[str]) -> dict[str, Said]:
    """What the records of incidents say besides, of those there are; the first report is the one that opened it."""
    rows = view.db.execute(
        "SELECT incident_id, value FROM record WHERE incident_id IN (SELECT value FROM json_each(?))",
        (msgspec.json.encode(incident_ids).decode(),),
    )
    return {incident_id: _said(value) for incident_id, value in rows}


def followed(view: Projection, row: IncidentRow) -> IncidentRow:
    """Where the matter goes on: the incident this one was merged into at last, as far as it is known; else itself."""
    seen = {row.incident_id}
    while row.state == IncidentState.MERGED and row.parent is not None and row.parent not in seen:
        above = whole_rows(view, [row.parent])
        if not above:
            break
        row = above[0]
        seen.add(row.incident_id)
    return row


def asked_of(view: Projection, incident_id: str, source: str, report_id: str) -> int | None:
    """When a report of an incident was made, or merged into it; None where that is not known."""
    row = view.db.execute(
        "SELECT at_ms FROM report WHERE source = ? AND report_id = ? AND incident_id = ?",
        (source, report_id, incident_id),
    ).fetchone()
    return None if row is None else row[0]


def joined_reports(view: Projection, incident_id: str, pattern: str) -> list[tuple[str, str, int]]:
    """Reports (source, report_id, at_ms) merged into an incident whose id, after its source, is like a GLOB pattern."""
    return view.db.execute(
        "SELECT source, report_id, coalesce(at_ms, 0) FROM report WHERE incident_id = ? AND report_id GLOB source || ?"
        " AND NOT EXISTS (SELECT 1 FROM split_off AS s WHERE s.incident_id = report.incident_id"
        " AND s.source = report.source AND s.report_id = report.report_id) ORDER BY at_ms, report_id",
        (incident_id, pattern),
    ).fetchall()


def _conditions(asked: Asked, table: str) -> tuple[list[str], list[Any]]:
    """Of one's business, and of the kinds wanted."""
    members = "IN (SELECT value FROM json_each(?))"
    conditions = [f"({table}.category {members} OR {table}.source {members})"]
    values: list[Any] = [_json(asked.public), _json(asked.own_sources)]
    if asked.categories is not None:
        conditions.append(f"{table}.category {members}")
        values.append(_json(asked.categories))
    return conditions, values


def _json(words: tuple[str, ...]) -> str:
    return msgspec.json.encode(words).decode()
