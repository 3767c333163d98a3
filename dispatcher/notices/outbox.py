"""The outbox: what was taken from the topic `notices` and what became of it, in a SQLite file beside the ledger.

The rows of a batch and the position behind it are one transaction, so nothing is taken twice or left out, wherever the
process dies. What became of a message is written after it was delivered: dying between the two delivers it again. No
contact and no address is ever written here.
"""

import sqlite3
from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import msgspec

from dispatcher.core.instants import DAY_MS
from dispatcher.ledger import LedgerError
from dispatcher.notices.notice import Notice, decode_notice, encode_notice, is_urgent
from dispatcher.notices.plan import Waiting
from dispatcher.sqlite_file import open_file, transaction

__all__ = ["OUTBOX_SUFFIX", "Mark", "Outbox", "OutboxError", "Row", "Status"]

OUTBOX_SUFFIX = ".notices"
KEPT_DAYS = 30  # what is settled is listed for so long; failed ones until they are retried

APPLICATION_ID = 0x6E6F7469  # "noti": another program's database is not overwritten by mistake
SCHEMA_VERSION = 1
_DDL = """
CREATE TABLE notice (notice_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, recipient TEXT NOT NULL,
  at_ms INTEGER NOT NULL, taken_ms INTEGER NOT NULL, urgent INTEGER NOT NULL, status TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, next_ms INTEGER NOT NULL DEFAULT 0, settled_ms INTEGER, channel TEXT,
  detail TEXT, value BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX notice_open ON notice (seq) WHERE status IN ('waiting', 'held');
CREATE INDEX notice_settled ON notice (settled_ms) WHERE settled_ms IS NOT NULL;
CREATE TABLE position (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, checksum INTEGER NOT NULL)
"""
_TABLES = tuple(_DDL.strip().split(";\n"))
_NEW = "CREATE INDEX IF NOT EXISTS notice_new ON notice (seq) WHERE status = 'waiting'"  # older files are given it
_OPEN, _UNHELD = "status IN ('waiting', 'held')", "status = 'waiting'"  # as the indexes have them, to be used
_BY_IDS = "notice_id IN (SELECT value FROM json_each(?))"


class OutboxError(LedgerError):
    """The outbox cannot be used; the message says what to do next."""


class Status(StrEnum):
    """What became of a notice."""

    WAITING = "waiting"
    HELD = "held"  # by quiet hours
    DELIVERED = "delivered"
    FAILED = "failed"  # refused, or tried often enough
    UNREACHABLE = "unreachable"  # a reporter who left no address
    EXPIRED = "expired"  # too old when it was first seen


class Mark(NamedTuple):
    """How far the ledger has been followed: the last record's `seq`, and its checksum to know that ledger again by."""

    seq: int = -1
    checksum: int = 0


class Row(NamedTuple):
    """A notice as it is listed."""

    notice: Notice
    status: Status
    attempts: int
    next_ms: int
    channel: str | None
    detail: str | None


class Outbox:
    """The file. One thread at a time; others look or retry through an `Outbox` of their own.

    Args:
        path: made when absent, unless `must_exist`.
        must_exist: for commands, which look at what a running engine has made.

    Raises:
        OutboxError: not an outbox, of another version, locked or read-only, or absent with `must_exist`.
    """

    def __init__(self, path: Path, *, must_exist: bool = False) -> None:
        self._path = path
        if must_exist and not path.exists():
            raise OutboxError(f"{path}: no notice has been taken in yet; `dispatcher run` does")
        self._db = open_file(
            path,
            self._prepare,
            OutboxError,
            what="an outbox",
            otherwise="move it away or name another ledger",
            statements=64,
        )

    def _prepare(self, db: sqlite3.Connection) -> None:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last steps, which are then redone
        with transaction(db):
            application_id, version = (
                db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
            )
            if (application_id, version) == (APPLICATION_ID, SCHEMA_VERSION):
                db.execute(_NEW)
                return
            if application_id or version or db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise OutboxError(f"{self._path}: not an outbox of this version; move it away or name another ledger")
            for statement in (*_TABLES, _NEW):
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def mark(self) -> Mark:
        """How far the ledger has been followed."""
        row = self._db.execute("SELECT seq, checksum FROM position").fetchone()
        return Mark() if row is None else Mark(*row)

    def take(self, notices: Sequence[tuple[int, Notice]], mark: Mark, now_ms: int, expired_before_ms: int) -> int:
        """Add notices with their `seq`, and move the mark; returns how many are too old to be sent.

        A notice with a known id is the same one and changes nothing.
        """
        expired = 0
        with transaction(self._db) as db:
            for seq, notice in notices:
                old = notice.at_ms < expired_before_ms
                status, settled_ms = (Status.EXPIRED, now_ms) if old else (Status.WAITING, None)
                added = db.execute(
                    "INSERT OR IGNORE INTO notice (notice_id, seq, recipient, at_ms, taken_ms, urgent, status,"
                    " settled_ms, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (notice.notice_id, seq, notice.to, notice.at_ms, now_ms, is_urgent(notice), status, settled_ms,
                     encode_notice(notice)),
                )  # fmt: skip
                expired += old and added.rowcount == 1
            db.execute("INSERT OR REPLACE INTO position (one, seq, checksum) VALUES (1, ?, ?)", mark)
            db.execute(
                "DELETE FROM notice WHERE settled_ms < ? AND status <> ?", (now_ms - KEPT_DAYS * DAY_MS, Status.FAILED)
            )
        return expired

    def waiting(self, *, held: bool = True) -> list[Waiting]:
        """Everything that has not gone out, in the order of the ledger; without `held` only what is not held yet."""
        rows = self._db.execute(
            "SELECT notice_id, seq, recipient, at_ms, taken_ms, urgent, attempts, next_ms FROM notice"  # noqa: S608
            f" WHERE {_OPEN if held else _UNHELD} ORDER BY seq"
        )
        return [Waiting._make(row) for row in rows]

    def waiting_count(self) -> int:
        """How many have not gone out, held ones too."""
        count: int = self._db.execute(f"SELECT count(*) FROM notice WHERE {_OPEN}").fetchone()[0]  # noqa: S608
        return count

    def notices(self, ids: Collection[str]) -> list[Notice]:
        """Those notices, in the order of the ledger."""
        rows = self._db.execute(f"SELECT value FROM notice WHERE {_BY_IDS} ORDER BY seq", (_list(ids),))  # noqa: S608
        return [decode_notice(value) for (value,) in rows]

    def hold(self, ids: Collection[str]) -> int:
        """Mark those that quiet hours hold; returns how many were not marked so before."""
        if not ids:
            return 0
        query = f"UPDATE notice SET status = 'held' WHERE status = 'waiting' AND {_BY_IDS}"  # noqa: S608
        with transaction(self._db) as db:
            return db.execute(query, (_list(ids),)).rowcount

    def settle(
        self, ids: Collection[str], status: Status, now_ms: int, channel: str, detail: str | None = None
    ) -> None:
        """Write what became of them for good; a delivery counts as an attempt."""
        query = (
            "UPDATE notice SET status = ?, settled_ms = ?, channel = ?, detail = ?, next_ms = 0,"  # noqa: S608
            f" attempts = attempts + 1 WHERE {_BY_IDS}"
        )
        with transaction(self._db) as db:
            db.execute(query, (status, now_ms, channel, detail, _list(ids)))

    def postpone(
        self, ids: Collection[str], attempts_max: int, now_ms: int, next_ms: int, channel: str, detail: str
    ) -> set[str]:
        """Write a failed attempt: those tried often enough have failed (their ids are returned), the others wait."""
        query = (
            "UPDATE notice SET attempts = attempts + 1, channel = ?, detail = ?,"  # noqa: S608
            " status = iif(attempts + 1 >= ?, 'failed', 'waiting'), next_ms = iif(attempts + 1 >= ?, 0, ?),"
            f" settled_ms = iif(attempts + 1 >= ?, ?, NULL) WHERE {_BY_IDS} RETURNING notice_id, status"
        )
        limit = attempts_max
        with transaction(self._db) as db:
            rows = db.execute(query, (channel, detail, limit, limit, next_ms, limit, now_ms, _list(ids))).fetchall()
        return {notice_id for notice_id, status in rows if status == Status.FAILED}

    def retry(self, to: str | None = None) -> int:
        """Let those that failed (all, or of one recipient) wait again as if never tried; returns how many."""
        with transaction(self._db) as db:
            return db.execute(
                "UPDATE notice SET status = 'waiting', attempts = 0, next_ms = 0, settled_ms = NULL, detail = NULL"
                " WHERE status = 'failed' AND recipient = coalesce(?, recipient)",
                (to,),
            ).rowcount

    def listed(self, statuses: Collection[Status] = (), to: str | None = None) -> list[Row]:
        """Notices of these statuses (none given: all) and this recipient, in the order of the ledger."""
        rows = self._db.execute(
            "SELECT value, status, attempts, next_ms, channel, detail FROM notice WHERE"
            " status IN (SELECT value FROM json_each(?)) AND recipient = coalesce(?, recipient) ORDER BY seq",
            (_list([*(statuses or Status)]), to),
        )
        return [Row(decode_notice(value), Status(status), *rest) for value, status, *rest in rows]

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def _list(ids: Collection[str]) -> str:
    return msgspec.json.encode(list(ids)).decode()
