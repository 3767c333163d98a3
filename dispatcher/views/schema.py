"""The tables of the projection. Raise `SCHEMA_VERSION` with any change here or in how a row is made."""

from types import UnionType
from typing import NamedTuple, get_args, get_type_hints

from dispatcher.views.rows import IncidentRow, LeadTurn, Setback

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "TABLES", "insert", "upsert"]

APPLICATION_ID = 0x76696577  # "view": another program's database is not overwritten by mistake
SCHEMA_VERSION = 1

_SQL_TYPES: dict[object, str] = {int: "INTEGER", str: "TEXT", float: "REAL"}


def _columns(row: type[NamedTuple]) -> str:
    return ", ".join(f"{name} {_sql_type(hint)}" for name, hint in get_type_hints(row).items())


def _sql_type(hint: object) -> str:
    if not isinstance(hint, UnionType):
        return f"{_SQL_TYPES[hint]} NOT NULL"
    return next(_SQL_TYPES[kind] for kind in get_args(hint) if kind is not type(None))


# `record` holds the whole JSON apart from the narrow rows that lists and measures scan.
_DDL = f"""
CREATE TABLE incident ({_columns(IncidentRow)}, PRIMARY KEY (incident_id)) WITHOUT ROWID;
CREATE INDEX incident_opened ON incident (opened_ms, incident_id);
CREATE INDEX incident_queue ON incident (queue_rank, queue_severity, queue_due_ms, incident_id)
  WHERE queue_rank IS NOT NULL;
CREATE TABLE record (incident_id TEXT PRIMARY KEY, revision INTEGER NOT NULL, value BLOB NOT NULL);
CREATE TABLE page (incident_id TEXT, page INTEGER, value BLOB NOT NULL, PRIMARY KEY (incident_id, page));
CREATE TABLE lead_turn ({_columns(LeadTurn)}, PRIMARY KEY (incident_id, n)) WITHOUT ROWID;
CREATE TABLE setback ({_columns(Setback)}, PRIMARY KEY (incident_id, revision)) WITHOUT ROWID;
CREATE TABLE report (source TEXT, report_id TEXT, incident_id TEXT, PRIMARY KEY (source, report_id, incident_id))
  WITHOUT ROWID;
CREATE TABLE rejected (seq INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
  topic TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL, received_at TEXT NOT NULL,
  original TEXT NOT NULL);
CREATE TABLE position (topic TEXT PRIMARY KEY, seq INTEGER NOT NULL, time_ms INTEGER NOT NULL, mark INTEGER NOT NULL)
  WITHOUT ROWID;
"""
TABLES = tuple(_DDL.strip().removesuffix(";").split(";\n"))


def insert(table: str, columns: tuple[str, ...]) -> str:
    """A statement that writes whole rows, in place of the rows with their keys."""
    return f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608


def upsert(table: str, columns: tuple[str, ...]) -> str:
    """A statement that writes an incident's row unless this revision of it, or a later one, is there."""
    values = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns if name != "incident_id")
    return f"{values} ON CONFLICT (incident_id) DO UPDATE SET {changes} WHERE excluded.revision > revision"
