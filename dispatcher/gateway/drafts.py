"""Drafts: policies that were handed in to be put in force, and by whom.

A draft lies beside the keys, not in the ledger: what nobody approves of leaves no trace there. Whoever handed one in is
remembered with it, each of several: nobody of them is the other pair of eyes.
"""

import sqlite3
import time
from typing import Final, NamedTuple

from dispatcher.gateway.roles import Person
from dispatcher.sqlite_file import transaction
from rules import Policy

__all__ = ["Draft", "Drafts"]

KEPT_MAX: Final = 20  # of the size of a policy each: the newest


class Draft(NamedTuple):
    """A draft; `by` are the names of those who handed it in, the first first."""

    sha256: str
    at_ms: int
    name: str
    version: str
    by: tuple[str, ...]


class Drafts:
    """The drafts of one city.

    Args:
        db: the access file.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def keep(self, policy: Policy, person: Person) -> None:
        """Return when it is durable; the oldest make room."""
        now_ms = time.time_ns() // 1_000_000
        given = (policy.sha256, now_ms, policy.name, policy.version, policy.canonical)
        with transaction(self._db):
            self._db.execute("INSERT OR REPLACE INTO draft VALUES (?, ?, ?, ?, ?)", given)
            self._db.execute(
                "INSERT OR IGNORE INTO draft_by VALUES (?, ?, ?, ?)",
                (policy.sha256, person.key_id, person.name, now_ms),
            )
            self._db.execute(
                "DELETE FROM draft WHERE sha256 IN"
                " (SELECT sha256 FROM draft ORDER BY at_ms DESC, sha256 LIMIT -1 OFFSET ?)",
                (KEPT_MAX,),
            )
            self._db.execute("DELETE FROM draft_by WHERE sha256 NOT IN (SELECT sha256 FROM draft)")

    def all(self) -> list[Draft]:
        """The newest first."""
        rows = self._db.execute("SELECT sha256, at_ms, name, version FROM draft ORDER BY at_ms DESC, sha256").fetchall()
        return [Draft(sha256, at_ms, name, version, self._by(sha256)) for sha256, at_ms, name, version in rows]

    def canonical(self, sha256: str) -> bytes | None:
        """A draft's canonical form."""
        row = self._db.execute("SELECT canonical FROM draft WHERE sha256 = ?", (sha256,)).fetchone()
        return None if row is None else bytes(row[0])

    def is_of(self, sha256: str, person: Person) -> bool:
        """Whether this person handed it in, with this key or with another of theirs."""
        found = self._db.execute(
            "SELECT count(*) FROM draft_by WHERE sha256 = ? AND (key_id = ? OR name = ?)",
            (sha256, person.key_id, person.name),
        ).fetchone()
        return bool(found[0])

    def _by(self, sha256: str) -> tuple[str, ...]:
        rows = self._db.execute("SELECT name FROM draft_by WHERE sha256 = ? ORDER BY at_ms, key_id", (sha256,))
        return tuple(dict.fromkeys(name for (name,) in rows))
