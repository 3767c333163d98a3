"""Lists: incidents with filters, the operators' queue, what was rejected; each with a cursor.

A cursor names the last line shown, so a page neither repeats nor skips a line because others came in (in the queue a
line whose own place changes meanwhile may). It is opaque text of the list that gave it.
"""

import base64
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from dispatcher.views.projection import Projection
from dispatcher.views.rows import IncidentRow

__all__ = [
    "BadCursor",
    "Bounds",
    "Filter",
    "Listed",
    "Reach",
    "RejectedRow",
    "incidents",
    "queue",
    "rejected",
    "within",
]

LIMIT_MAX = 1_000  # lines in one page: what a person can scroll and a response can hold
_COLUMNS = ", ".join(IncidentRow._fields)

T = TypeVar("T")


class BadCursor(ValueError):
    """The cursor is not one this list gave out; begin again without it."""


class Listed(NamedTuple, Generic[T]):
    """A page of a list; `next` is the cursor of the page after it, None at the end."""

    lines: list[T]
    next: str | None


class Bounds(NamedTuple):
    """A box in degrees (WGS 84), its edges included."""

    west: float
    south: float
    east: float
    north: float


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody may see at all: within some areas, what lies in some cells or is in the hands of some parties.

    `areas` None is the whole city; `cells` and `parties` None (both or neither) is whatever lies within the areas. A
    party is a department, or a unit of one as `department@unit`.
    """

    areas: tuple[str, ...] | None = None
    cells: tuple[str, ...] | None = None
    parties: tuple[str, ...] | None = None


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What a list is narrowed to; all conditions must hold, absent ones always do.

    `category` takes the categories below it too, `cell` everything inside it, `asset` is a registered thing's id,
    `department` the lead, `involved` any department with a part now, `ids` these incidents only. Opened in
    [`opened_from_ms`, `opened_to_ms`), epoch milliseconds.
    """

    ids: tuple[str, ...] = ()
    open: bool | None = None
    states: tuple[str, ...] = ()
    severities: tuple[int, ...] = ()
    category: str | None = None
    source: str | None = None
    department: str | None = None
    involved: str | None = None
    cell: str | None = None
    asset: str | None = None
    on_time: bool | None = None
    opened_from_ms: int | None = None
    opened_to_ms: int | None = None
    bounds: Bounds | None = None
    reach: Reach | None = None


class RejectedRow(NamedTuple):
    """A record that was refused: why, where it came from, and what it said, masked."""

    time_ms: int
    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    received_at: str
    original: str


def incidents(
    view: Projection, where: Filter | None = None, cursor: str | None = None, limit: int = 100
) -> Listed[IncidentRow]:
    """Incidents, the last opened first.

    Raises:
        BadCursor: see there.
    """
    conditions, values = _conditions(where or Filter())
    if cursor is not None:
        conditions.append("(opened_ms, incident_id) < (?, ?)")
        values += _opened(cursor, tuple[int, str])
    rows = _rows(view.db, conditions, values, "opened_ms DESC, incident_id DESC", limit)
    return _page(rows, limit, lambda row: (row.opened_ms, row.incident_id))


def queue(
    view: Projection, where: Filter | None = None, cursor: str | None = None, limit: int = 100
) -> Listed[IncidentRow]:
    """Open incidents in the order to work on them.

    First what nobody has acknowledged and is of severity 1 or 2, the worst first; then what has breached, the worst
    first; then by the time left. Equals go by their earliest running deadline, then by id; what has no clock running
    (held, waiting for a decision) comes last in its group. Breached is what the engine has recorded as such.

    Raises:
        BadCursor: see there.
    """
    conditions, values = _conditions(where or Filter())
    conditions.append("queue_rank IS NOT NULL")
    if cursor is not None:
        conditions.append("(queue_rank, queue_severity, queue_due_ms, incident_id) > (?, ?, ?, ?)")
        values += _opened(cursor, tuple[int, int, int, str])
    rows = _rows(view.db, conditions, values, "queue_rank, queue_severity, queue_due_ms, incident_id", limit)
    return _page(rows, limit, lambda row: (row.queue_rank, row.queue_severity, row.queue_due_ms, row.incident_id))


def within(view: Projection, ids: Sequence[str], reach: Reach) -> list[str]:
    """Those of some incidents that are within somebody's reach, in the order given."""
    seen: set[str] = set()
    for at in range(0, len(ids), LIMIT_MAX):
        conditions, values = _conditions(Filter(ids=tuple(ids[at : at + LIMIT_MAX]), reach=reach))
        rows = view.db.execute(f"SELECT incident_id FROM incident WHERE {' AND '.join(conditions)}", values)  # noqa: S608
        seen.update(incident_id for (incident_id,) in rows)
    return [incident_id for incident_id in ids if incident_id in seen]


def rejected(
    view: Projection, reason: str | None = None, cursor: str | None = None, limit: int = 100
) -> Listed[RejectedRow]:
    """Refused records, the newest first.

    Raises:
        BadCursor: see there.
    """
    conditions, values = list[str](), list[Any]()
    if reason is not None:
        conditions.append("reason = ?")
        values.append(reason)
    if cursor is not None:
        conditions.append("(time_ms, topic, partition, offset) < (?, ?, ?, ?)")
        values += _opened(cursor, tuple[int, str, int, int])
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = view.db.execute(
        f"SELECT {', '.join(RejectedRow._fields)} FROM rejected{where}"  # noqa: S608 - our own words
        " ORDER BY time_ms DESC, topic DESC, partition DESC, offset DESC LIMIT ?",
        (*values, _limited(limit) + 1),
    )
    return _page(
        [RejectedRow(*row) for row in rows], limit, lambda row: (row.time_ms, row.topic, row.partition, row.offset)
    )


def _conditions(where: Filter) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []

    def add(condition: str, *given: object) -> None:
        conditions.append(condition)
        values.extend(given)

    if where.ids:
        add(f"incident_id IN ({_marks(where.ids)})", *where.ids)
    if where.open is not None:
        add("queue_rank IS NOT NULL" if where.open else "queue_rank IS NULL")
    if where.states:
        add(f"state IN ({_marks(where.states)})", *where.states)
    if where.severities:
        add(f"severity IN ({_marks(where.severities)})", *where.severities)
    if where.category is not None:
        add(
            "(category = ? OR substr(category, 1, ?) = ?)",
            where.category,
            len(where.category) + 1,
            f"{where.category}.",
        )
    for column, value in _equal(where):
        if value is not None:
            add(f"{column} = ?", value)
    if where.involved is not None:
        add("instr(parties, ?) > 0", f"/{where.involved}/")
    if where.cell is not None:
        add("instr(path, ?) > 0", f"/{where.cell}/")
    if where.opened_from_ms is not None:
        add("opened_ms >= ?", where.opened_from_ms)
    if where.opened_to_ms is not None:
        add("opened_ms < ?", where.opened_to_ms)
    if where.reach is not None:
        _reach(where.reach, add)
    if where.bounds is not None:
        add("lon BETWEEN ? AND ? AND lat BETWEEN ? AND ?", *_sides(where.bounds))
    return conditions, values


def _reach(reach: Reach, add: Callable[..., None]) -> None:
    if reach.areas is not None:
        add(*_any_of(("path", reach.areas)))
    if reach.cells is not None or reach.parties is not None:
        add(*_any_of(("path", reach.cells or ()), ("parties", reach.parties or ())))


def _any_of(*wanted: tuple[str, tuple[str, ...]]) -> tuple[str, ...]:
    """A condition that one of the words is in its column, and the words."""
    words = [(column, f"/{word}/") for column, of in wanted for word in of]
    if not words:
        return ("0",)
    return f"({' OR '.join(f'instr({column}, ?) > 0' for column, _ in words)})", *[word for _, word in words]


def _equal(where: Filter) -> tuple[tuple[str, object], ...]:
    return (
        ("source", where.source),
        ("lead", where.department),
        ("asset", where.asset),
        ("on_time", where.on_time),
    )


def _sides(bounds: Bounds) -> tuple[float, float, float, float]:
    return bounds.west, bounds.east, bounds.south, bounds.north


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _rows(
    db: sqlite3.Connection, conditions: list[str], values: list[Any], order: str, limit: int
) -> list[IncidentRow]:
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM incident {where} ORDER BY {order} LIMIT ?",  # noqa: S608 - our own words; values are bound
        (*values, _limited(limit) + 1),
    )
    return [IncidentRow(*row) for row in rows]


def _limited(limit: int) -> int:
    return max(1, min(limit, LIMIT_MAX))


def _page(rows: list[T], limit: int, key: Callable[[T], tuple[object, ...]]) -> Listed[T]:
    """One line more was read than is shown: it tells whether there is a next page."""
    limit = _limited(limit)
    if len(rows) <= limit:
        return Listed(rows, None)
    text = msgspec.json.encode(key(rows[limit - 1]))
    return Listed(rows[:limit], base64.urlsafe_b64encode(text).decode().rstrip("="))


def _opened(cursor: str, kind: type[tuple[Any, ...]]) -> list[Any]:
    try:
        values = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadCursor(f"not a cursor of this list: {cursor[:64]}") from error
    if not all(isinstance(value, str) or -(1 << 63) <= value < 1 << 63 for value in values):  # SQLite has no others
        raise BadCursor(f"not a cursor of this list: {cursor[:64]}")
    return list(values)
