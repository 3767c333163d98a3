"""Sessions: a browser that has shown a key once carries a random token in a cookie instead, until it signs out.

The token is 256 random bits, kept hashed: whoever reads the file signs in as nobody. A session is a row, so it ends
for good, on every gateway that shares the file, when its person signs out, the key is taken back or a shift is over.
"""

import hashlib
import hmac
import secrets
import sqlite3
import time
from collections.abc import Callable
from typing import Final

from dispatcher.sqlite_file import transaction

__all__ = ["SESSION_S", "Sessions", "csrf_of"]

SESSION_S: Final = 12 * 3_600  # a long shift
OF_ONE_KEY_MAX: Final = 50  # browsers at once; the oldest has to sign in again


class Sessions:
    """The sessions of one city.

    Args:
        db: the access file.
        clock_ms: wall clock, epoch milliseconds.
    """

    def __init__(
        self, db: sqlite3.Connection, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._db, self._clock_ms = db, clock_ms

    def begin(self, key_id: str) -> str:
        """A token for whoever has shown this key."""
        token, now_ms = secrets.token_urlsafe(32), self._clock_ms()
        with transaction(self._db):
            self._db.execute("DELETE FROM session WHERE begun_ms <= ?", (now_ms - SESSION_S * 1_000,))
            self._db.execute("INSERT INTO session VALUES (?, ?, ?)", (_hash(token), key_id, now_ms))
            self._db.execute(
                "DELETE FROM session WHERE hash IN (SELECT hash FROM session WHERE key_id = ?"
                " ORDER BY begun_ms DESC, hash LIMIT -1 OFFSET ?)",
                (key_id, OF_ONE_KEY_MAX),
            )
        return token

    def key_id(self, token: str) -> str | None:
        """Of the key a session was begun with; None when there is no such session, or it is over."""
        row = self._db.execute(
            "SELECT key_id FROM session WHERE hash = ? AND begun_ms > ?",
            (_hash(token), self._clock_ms() - SESSION_S * 1_000),
        ).fetchone()
        return None if row is None else str(row[0])

    def end(self, token: str) -> None:
        """Sign out."""
        with transaction(self._db):
            self._db.execute("DELETE FROM session WHERE hash = ?", (_hash(token),))


def csrf_of(token: str) -> str:
    """What a page of this session says with everything it changes, and another site's page cannot know."""
    return hmac.digest(token.encode(), b"csrf", "sha256").hex()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
