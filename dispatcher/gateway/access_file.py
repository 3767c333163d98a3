"""The file of who is let in: keys, sessions, looks at what is private, shifts handed over, policies handed in."""

import sqlite3
from pathlib import Path
from typing import Final

from dispatcher.sqlite_file import open_file, transaction

__all__ = ["KeyFileError", "open_access_file"]

APPLICATION_ID: Final = 0x6B657973  # "keys": another program's database is not overwritten by mistake
SCHEMA_VERSION: Final = 3

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS key (key_id TEXT PRIMARY KEY, hash BLOB NOT NULL, name TEXT NOT NULL,
  unit TEXT NOT NULL, roles TEXT NOT NULL, areas TEXT NOT NULL, sources TEXT NOT NULL, added_ms INTEGER NOT NULL,
  revoked_ms INTEGER) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS session (hash BLOB PRIMARY KEY, key_id TEXT NOT NULL, begun_ms INTEGER NOT NULL)
  WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS look (look_id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, key_id TEXT NOT NULL,
  name TEXT NOT NULL, incident_id TEXT NOT NULL, purpose TEXT NOT NULL, reports TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS look_incident ON look (incident_id, look_id)",
    """CREATE TABLE IF NOT EXISTS draft (sha256 TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, name TEXT NOT NULL,
  version TEXT NOT NULL, canonical BLOB NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS draft_by (sha256 TEXT, key_id TEXT, name TEXT NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY (sha256, key_id)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS handover (number INTEGER PRIMARY KEY, draft TEXT NOT NULL, areas TEXT NOT NULL,
  sheet BLOB NOT NULL, given_ms INTEGER NOT NULL, given_key TEXT NOT NULL, given_name TEXT NOT NULL,
  given_notes TEXT NOT NULL, taken_ms INTEGER, taken_key TEXT, taken_name TEXT, taken_notes TEXT,
  UNIQUE (given_key, draft))""",
)


class KeyFileError(Exception):
    """The file of keys cannot be used, or what is asked of it cannot be done; the message says what to do next."""


def open_access_file(path: Path) -> sqlite3.Connection:
    """The file, made when absent; only its owner may read it. Raises KeyFileError: it is something else, or damaged."""
    if not path.exists():
        path.touch(mode=0o600)

    def prepare(db: sqlite3.Connection) -> None:
        application_id = db.execute("PRAGMA application_id").fetchone()[0]
        tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application_id != APPLICATION_ID and (tables or application_id):
            raise KeyFileError(f"{path}: a database of another program; name another file")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # a key that was revoked stays so
        with transaction(db):
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise KeyFileError(f"{path}: format {version}, not {SCHEMA_VERSION}: a newer version made it")
            for statement in _TABLES:  # what an older version made lacks some
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    return open_file(path, prepare, KeyFileError, what="a file of keys", otherwise="name another file", statements=32)
