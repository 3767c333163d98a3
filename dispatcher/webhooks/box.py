"""The letter box: how far each webhook has come, what waits to be tried again, what was given up.

The cursor of a webhook moves past a record when it was delivered, or when it lies in the box, in one transaction with
its lying there; so nothing is left out wherever the process dies, and what was delivered and not noted goes out again.
"""

import sqlite3
import zlib
from pathlib import Path
from typing import Final, NamedTuple

from dispatcher.ledger import Kept, LedgerError
from dispatcher.sqlite_file import open_file, transaction

__all__ = ["BOX_SUFFIX", "Box", "BoxError", "Cursor", "Letter"]

BOX_SUFFIX: Final = ".webhooks"
APPLICATION_ID: Final = 0x6C657474  # "lett": another program's database is not overwritten by mistake
SCHEMA_VERSION: Final = 1
_DDL: Final = """
CREATE TABLE cursor (name TEXT PRIMARY KEY, topic TEXT NOT NULL, seq INTEGER NOT NULL, checksum INTEGER)
  WITHOUT ROWID;
CREATE TABLE letter (name TEXT, seq INTEGER, key TEXT NOT NULL, time_ms INTEGER NOT NULL, value BLOB NOT NULL,
  attempts INTEGER NOT NULL, next_ms INTEGER NOT NULL, detail TEXT NOT NULL, dead_ms INTEGER, PRIMARY KEY (name, seq))
  WITHOUT ROWID;
CREATE INDEX letter_waiting ON letter (name, key, seq, next_ms) WHERE dead_ms IS NULL
"""
_TABLES: Final = tuple(_DDL.strip().split(";\n"))
_LETTER: Final = "seq, key, time_ms, value, attempts, next_ms, detail, dead_ms"


class BoxError(LedgerError):
    """The letter box cannot be used; the message says what to do next."""


class Cursor(NamedTuple):
    """How far a webhook has come: the last record's `seq`, and its checksum to know that ledger again by.

    Without a checksum no record was there: it began where the topic ended.
    """

    topic: str
    seq: int
    checksum: int | None


class Letter(NamedTuple):
    """A record on its way: how often it was tried, when it is tried again, what the last try said."""

    seq: int
    key: str
    time_ms: int
    value: bytes
    attempts: int = 0
    next_ms: int = 0
    detail: str = ""
    dead_ms: int | None = None


class Box:
    """The file. One thread at a time; every webhook's thread, and every command, has an object of its own.

    Args:
        path: made when absent, unless `must_exist`.
        must_exist: for commands, which look at what a running engine has made.

    Raises:
        BoxError: not a letter box, of another version, locked or read-only, or absent with `must_exist`.
    """

    def __init__(self, path: Path, *, must_exist: bool = False) -> None:
        self._path = path
        if must_exist and not path.exists():
            raise BoxError(f"{path}: nothing has been sent yet; `dispatcher run` does, where webhooks are configured")
        self._db = open_file(
            path, self._prepare, BoxError, what="a letter box", otherwise="move it away or name another ledger",
            statements=32,
        )  # fmt: skip

    def cursor(self, name: str) -> Cursor | None:
        """How far a webhook has come; None for one that has not begun."""
        row = self._db.execute("SELECT topic, seq, checksum FROM cursor WHERE name = ?", (name,)).fetchone()
        return None if row is None else Cursor(*row)

    def begin(self, name: str, topic: str, seq: int) -> None:
        """Where a webhook begins: after this place."""
        with transaction(self._db) as db:
            db.execute("INSERT INTO cursor VALUES (?, ?, ?, NULL)", (name, topic, seq))

    def advance(self, name: str, record: Kept, letter: Letter | None = None) -> None:
        """Move past a record: it was delivered, or it lies in the box from now on."""
        with transaction(self._db) as db:
            if letter is not None:
                db.execute(f"INSERT INTO letter (name, {_LETTER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (name, *letter))  # noqa: S608 - our words
            db.execute("UPDATE cursor SET seq = ?, checksum = ? WHERE name = ?", (record.seq, checksum(record), name))

    def delivered(self, name: str, seq: int) -> None:
        """A letter has gone out."""
        with transaction(self._db) as db:
            db.execute("DELETE FROM letter WHERE name = ? AND seq = ?", (name, seq))

    def keep(self, name: str, letter: Letter) -> None:
        """A letter has been tried again in vain."""
        with transaction(self._db) as db:
            db.execute(
                "UPDATE letter SET attempts = ?, next_ms = ?, detail = ?, dead_ms = ? WHERE name = ? AND seq = ?",
                (letter.attempts, letter.next_ms, letter.detail, letter.dead_ms, name, letter.seq),
            )

    def due(self, name: str, now_ms: int) -> Letter | None:
        """The oldest letter that may be tried now: the first of its incident that waits."""
        row = self._db.execute(
            f"SELECT {_LETTER} FROM letter WHERE name = ? AND dead_ms IS NULL AND next_ms <= ? AND NOT EXISTS ("  # noqa: S608 - our words
            " SELECT 1 FROM letter AS before WHERE before.name = letter.name AND before.key = letter.key"
            " AND before.seq < letter.seq AND before.dead_ms IS NULL) ORDER BY seq LIMIT 1",
            (name, now_ms),
        ).fetchone()
        return None if row is None else Letter(*row)

    def holds(self, name: str, key: str) -> bool:
        """Whether a letter about an incident waits, behind which others have to."""
        row = self._db.execute(
            "SELECT 1 FROM letter WHERE name = ? AND key = ? AND dead_ms IS NULL LIMIT 1", (name, key)
        ).fetchone()
        return row is not None

    def counts(self, name: str) -> tuple[int, int]:
        """How many letters wait, and how many were given up."""
        row = self._db.execute(
            "SELECT coalesce(sum(dead_ms IS NULL), 0), coalesce(sum(dead_ms IS NOT NULL), 0) FROM letter"
            " WHERE name = ?",
            (name,),
        ).fetchone()
        return int(row[0]), int(row[1])

    def dead(self, name: str) -> list[Letter]:
        """What was given up, oldest first."""
        rows = self._db.execute(
            f"SELECT {_LETTER} FROM letter WHERE name = ? AND dead_ms IS NOT NULL ORDER BY seq",  # noqa: S608 - our words
            (name,),
        )
        return [Letter(*row) for row in rows]

    def retry(self, name: str) -> int:
        """Let what was given up be tried again; returns how many that are."""
        with transaction(self._db) as db:
            return db.execute(
                "UPDATE letter SET dead_ms = NULL, attempts = 0, next_ms = 0 WHERE name = ? AND dead_ms IS NOT NULL",
                (name,),
            ).rowcount

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _prepare(self, db: sqlite3.Connection) -> None:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last steps, which are then redone
        with transaction(db):
            application_id, version = (
                db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
            )
            if (application_id, version) == (APPLICATION_ID, SCHEMA_VERSION):
                return
            if application_id or version or db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise BoxError(f"{self._path}: not a letter box of this version; move it away or name another ledger")
            for statement in _TABLES:
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def checksum(record: Kept) -> int:
    """What tells a record of one ledger from one of another."""
    return zlib.crc32(record.value or b"", zlib.crc32(record.key.encode()))
