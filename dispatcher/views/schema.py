"""The tables of the projection. Raise `SCHEMA_VERSION` with any change here or in how a row is made."""

from types import UnionType
from typing import NamedTuple, get_args, get_type_hints

from dispatcher.views.parts import AttendanceRow, CallbackRow, FormerClock, LeadTurn, RequestRow
from dispatcher.views.rows import IncidentRow
from dispatcher.views.spells import Spell

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "TABLES", "insert", "insert_new", "upsert"]

APPLICATION_ID = 0x76696577  # "view": another program's database is not overwritten by mistake
SCHEMA_VERSION = 9

_SQL_TYPES: dict[object, str] = {int: "INTEGER", str: "TEXT", float: "REAL"}


def _columns(row: type[NamedTuple]) -> str:
    return ", ".join(f"{name} {_sql_type(hint)}" for name, hint in get_type_hints(row).items())


def _sql_type(hint: object) -> str:
    if not isinstance(hint, UnionType):
        return f"{_SQL_TYPES[hint]} NOT NULL"
    return next(_SQL_TYPES[kind] for kind in get_args(hint) if kind is not type(None))


# `record` holds the whole JSON apart from the narrow rows that lists and measures scan. `event` says where on the topic
# `events` those of an incident (or of `control`) lie: they are read there, and not kept twice.
_DDL = f"""
CREATE TABLE incident ({_columns(IncidentRow)}, PRIMARY KEY (incident_id)) WITHOUT ROWID;
CREATE INDEX incident_opened ON incident (opened_ms, incident_id);
CREATE INDEX incident_queue ON incident (queue_rank, queue_severity, queue_due_ms, incident_id)
  WHERE queue_rank IS NOT NULL;
CREATE INDEX incident_again ON incident (category, cell, opened_ms) WHERE cell IS NOT NULL;
CREATE INDEX incident_asset ON incident (asset, opened_ms) WHERE asset IS NOT NULL;
CREATE INDEX incident_reported ON incident (reported_ms, incident_id, category, source, state, queue_rank, parent);
CREATE INDEX incident_parent ON incident (parent) WHERE parent IS NOT NULL;
CREATE TABLE record (incident_id TEXT PRIMARY KEY, revision INTEGER NOT NULL, value BLOB NOT NULL);
CREATE TABLE page (incident_id TEXT, page INTEGER, value BLOB NOT NULL, PRIMARY KEY (incident_id, page));
CREATE TABLE lead_turn ({_columns(LeadTurn)}, PRIMARY KEY (incident_id, n)) WITHOUT ROWID;
CREATE TABLE spell ({_columns(Spell)}, PRIMARY KEY (incident_id, revision)) WITHOUT ROWID;
CREATE INDEX spell_at ON spell (at_ms, incident_id, revision, state);
CREATE TABLE attendance ({_columns(AttendanceRow)}, PRIMARY KEY (incident_id, n)) WITHOUT ROWID;
CREATE TABLE request ({_columns(RequestRow)}, PRIMARY KEY (incident_id, number)) WITHOUT ROWID;
CREATE TABLE callback ({_columns(CallbackRow)}, PRIMARY KEY (incident_id, source, report_id, round)) WITHOUT ROWID;
CREATE TABLE former_clock ({_columns(FormerClock)}, PRIMARY KEY (incident_id, n)) WITHOUT ROWID;
CREATE TABLE proof (incident_id TEXT, revision INTEGER, at_ms INTEGER NOT NULL, party TEXT NOT NULL,
  media INTEGER NOT NULL, PRIMARY KEY (incident_id, revision)) WITHOUT ROWID;
CREATE TABLE rating (incident_id TEXT, revision INTEGER, at_ms INTEGER NOT NULL, party TEXT NOT NULL,
  score INTEGER NOT NULL, PRIMARY KEY (incident_id, revision)) WITHOUT ROWID;
CREATE TABLE event (key TEXT, partition INTEGER, seq INTEGER, PRIMARY KEY (key, partition, seq)) WITHOUT ROWID;
CREATE TABLE outage (since_ms INTEGER, until_ms INTEGER, told_ms INTEGER NOT NULL, PRIMARY KEY (since_ms, until_ms))
  WITHOUT ROWID;
CREATE TABLE report (source TEXT, report_id TEXT, incident_id TEXT, at_ms INTEGER,
  PRIMARY KEY (source, report_id, incident_id)) WITHOUT ROWID;
CREATE INDEX report_incident ON report (incident_id);
CREATE TABLE private (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE split_off (incident_id TEXT, source TEXT, report_id TEXT, PRIMARY KEY (incident_id, source, report_id))
  WITHOUT ROWID;
CREATE TABLE rejected (time_ms INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, topic TEXT,
  partition INTEGER, offset INTEGER, received_at TEXT NOT NULL, original TEXT NOT NULL,
  PRIMARY KEY (topic, partition, offset));
CREATE INDEX rejected_latest ON rejected (time_ms, topic, partition, offset);
CREATE TABLE ledger (mark TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE position (topic TEXT, partition INTEGER, seq INTEGER NOT NULL, time_ms INTEGER NOT NULL,
  mark INTEGER NOT NULL, PRIMARY KEY (topic, partition)) WITHOUT ROWID;
"""
TABLES = tuple(_DDL.strip().removesuffix(";").split(";\n"))


def insert(table: str, columns: tuple[str, ...]) -> str:
    """A statement that writes whole rows, in place of the rows with their keys."""
    return f"INSERT OR REPLACE {_into(table, columns)}"


def insert_new(table: str, columns: tuple[str, ...]) -> str:
    """A statement that writes rows that never change: one that is there stays."""
    return f"INSERT OR IGNORE {_into(table, columns)}"


def upsert(table: str, columns: tuple[str, ...], keys: tuple[str, ...] = ("incident_id",)) -> str:
    """A statement that writes a row unless one of this revision, or a later one, is there."""
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in keys)
    conflict = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes} WHERE excluded.revision > revision"
    return f"INSERT {_into(table, columns)} {conflict}"


def _into(table: str, columns: tuple[str, ...]) -> str:
    return f"INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
