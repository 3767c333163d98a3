"""Where pictures lie: files named by the SHA-256 of what is in them, and a SQLite file that says whose they are.

A file is on the disk before the index names it, and the index before anybody hears of it. What is attached to a report
or an incident is noted here when it is handed in, because no topic tells it.
"""

import hashlib
import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from dispatcher.gateway.media.pictures import Picture
from dispatcher.sqlite_file import open_file, transaction

__all__ = ["Kept", "MediaError", "MediaStore", "StoreFull", "Use", "is_sha256"]

APPLICATION_ID: Final = 0x6D656469  # "medi": another program's database is not overwritten by mistake
SCHEMA_VERSION: Final = 1
_DDL: Final = """
CREATE TABLE picture (sha256 TEXT PRIMARY KEY, type TEXT NOT NULL, bytes INTEGER NOT NULL, added_ms INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE TABLE uploader (sha256 TEXT, key_id TEXT, PRIMARY KEY (sha256, key_id)) WITHOUT ROWID;
CREATE TABLE use (sha256 TEXT, incident_id TEXT, source TEXT, report_id TEXT,
  PRIMARY KEY (sha256, incident_id, source, report_id)) WITHOUT ROWID;
CREATE INDEX use_of ON use (incident_id, source, report_id)
"""
_TABLES: Final = tuple(_DDL.strip().split(";\n"))
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class MediaError(Exception):
    """The store cannot be used; the message says what to do next."""


class StoreFull(MediaError):
    """It holds as much as it may."""


class Kept(NamedTuple):
    """A picture in the store."""

    sha256: str
    media_type: str
    size: int


class Use(NamedTuple):
    """What a picture was attached to: an incident, or a report (whose incident was not known yet)."""

    incident_id: str = ""
    source: str = ""
    report_id: str = ""


def is_sha256(text: str) -> bool:
    """Whether it looks like a picture's name."""
    return _SHA256.fullmatch(text) is not None


class MediaStore:
    """The store; may be used by several threads.

    Args:
        directory: made when absent; only its owner may read it.
        bytes_max: of all pictures together.

    Raises:
        MediaError: its index is something else, or damaged.
    """

    def __init__(self, directory: Path, bytes_max: int) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory, self._bytes_max = directory, bytes_max
        self._one = threading.Lock()
        self._db = open_file(
            directory / "index.db", _prepare, MediaError, what="an index of media", otherwise="move it away",
            statements=32,
        )  # fmt: skip
        self._bytes: int = self._db.execute("SELECT coalesce(sum(bytes), 0) FROM picture").fetchone()[0]

    def add(self, picture: Picture, key_id: str) -> Kept:
        """Keep a picture that somebody hands in; it is durable when this returns. Raises StoreFull, OSError."""
        sha256 = hashlib.sha256(picture.data).hexdigest()
        with self._one:
            known = self._kept(sha256)
            if known is None and self._bytes + len(picture.data) > self._bytes_max:
                raise StoreFull(f"the store holds {self._bytes:,} bytes, at most {self._bytes_max:,}")
            if known is None:
                self._write(self._path(sha256), picture.data)
            with transaction(self._db):
                row = (sha256, picture.media_type, len(picture.data), time.time_ns() // 1_000_000)
                self._db.execute("INSERT OR IGNORE INTO picture VALUES (?, ?, ?, ?)", row)
                self._db.execute("INSERT OR IGNORE INTO uploader VALUES (?, ?)", (sha256, key_id))
            if known is None:
                self._bytes += len(picture.data)
        return Kept(sha256, picture.media_type, len(picture.data))

    def kept(self, sha256: str) -> Kept | None:
        """A picture by its name; None when there is none."""
        with self._one:
            return self._kept(sha256)

    def read(self, sha256: str) -> bytes:
        """What is in it. Raises OSError."""
        return self._path(sha256).read_bytes()

    def is_uploader(self, sha256: str, key_id: str) -> bool:
        """Whether a key has handed it in."""
        with self._one:
            found = self._db.execute("SELECT 1 FROM uploader WHERE sha256 = ? AND key_id = ?", (sha256, key_id))
            return found.fetchone() is not None

    def attach(self, uses: Iterable[tuple[str, Use]]) -> None:
        """Note what pictures are attached to; durable when this returns."""
        with self._one, transaction(self._db):
            self._db.executemany(
                "INSERT OR IGNORE INTO use VALUES (?, ?, ?, ?)", [(sha256, *use) for sha256, use in uses]
            )

    def uses(self, sha256: str) -> list[Use]:
        """What a picture is attached to."""
        with self._one:
            rows = self._db.execute("SELECT incident_id, source, report_id FROM use WHERE sha256 = ?", (sha256,))
            return [Use(*row) for row in rows]

    def attached(self, uses: Iterable[Use]) -> list[Kept]:
        """The pictures attached to any of these, in the order in which they were handed in."""
        with self._one:
            rows = self._db.execute(
                "SELECT DISTINCT sha256, picture.type, bytes, added_ms FROM json_each(?) AS wanted"
                " JOIN use ON incident_id = json_extract(wanted.value, '$[0]')"
                " AND source = json_extract(wanted.value, '$[1]') AND report_id = json_extract(wanted.value, '$[2]')"
                " JOIN picture USING (sha256) ORDER BY added_ms, sha256",
                (msgspec.json.encode(list(uses)).decode(),),
            )
            return [Kept(sha256, media_type, size) for sha256, media_type, size, _ in rows]

    def close(self) -> None:
        """Let go of the index."""
        self._db.close()

    def _kept(self, sha256: str) -> Kept | None:
        row = self._db.execute("SELECT sha256, type, bytes FROM picture WHERE sha256 = ?", (sha256,)).fetchone()
        return None if row is None else Kept(*row)

    def _path(self, sha256: str) -> Path:
        return self._directory / sha256[:2] / sha256

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        making = path.with_suffix(".new")
        with making.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        making.replace(path)
        for directory in (path.parent, self._directory):  # the names must survive, too
            number = os.open(directory, os.O_RDONLY)
            try:
                os.fsync(number)
            finally:
                os.close(number)


def _prepare(db: sqlite3.Connection) -> None:
    application_id = db.execute("PRAGMA application_id").fetchone()[0]
    tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application_id != APPLICATION_ID and (tables or application_id):
        raise MediaError("the index of media is a database of another program; move it away")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    with transaction(db):
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA_VERSION):
            raise MediaError(f"the index of media has format {version}, not {SCHEMA_VERSION}: a newer version made it")
        if not version:
            for statement in _TABLES:
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
