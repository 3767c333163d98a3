"""Keys: what a person or system shows to be let in. Kept in the access file beside the ledger, hashed, shown once.

A key is `dk.<id>.<secret>`. The secret is 256 random bits, so its plain SHA-256 is as hard to undo as any slower hash
would be; it is compared in constant time, and an unknown id costs the same comparison as a known one.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from dispatcher.gateway.access_file import KeyFileError, open_access_file
from dispatcher.gateway.roles import Person, parse_role
from dispatcher.sqlite_file import transaction

__all__ = ["KeyFileError", "KeyRow", "Keys"]

PREFIX: Final = "dk"
NAME_CHARS_MAX: Final = 100

_COLUMNS = "key_id, name, unit, roles, areas, sources, added_ms, revoked_ms"
_words = msgspec.json.Decoder(tuple[str, ...]).decode
_NOBODY = hashlib.sha256(b"").digest()


class KeyRow(NamedTuple):
    """A key as it is listed: whose it is, never the secret."""

    person: Person
    added_ms: int
    revoked_ms: int | None


class Keys:
    """The keys of one city.

    Args:
        path: the file, made when absent; only its owner may read it.

    Raises:
        KeyFileError: it is something else, or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.db = open_access_file(path)

    def add(
        self, name: str, roles: Sequence[str], *, unit: str = "", areas: Sequence[str] = (), sources: Sequence[str] = ()
    ) -> str:
        """Give somebody a key; returns it, for the only time.

        Raises:
            RoleError: there is no such role.
            KeyFileError: nobody is named, or nothing is given.
        """
        if not name.strip() or len(name) > NAME_CHARS_MAX:
            raise KeyFileError(f"a key belongs to somebody: give a name of 1 to {NAME_CHARS_MAX} characters")
        if not roles:
            raise KeyFileError("a key without a role opens nothing: give at least one")
        for role in roles:
            parse_role(role)
        key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        lists = [msgspec.json.encode(tuple(words)).decode() for words in (roles, areas, sources)]
        with transaction(self.db):
            self.db.execute(
                f"INSERT INTO key (hash, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",  # noqa: S608 - our words
                (_hash(secret), key_id, name.strip(), unit, *lists, time.time_ns() // 1_000_000),
            )
        return f"{PREFIX}.{key_id}.{secret}"

    def person(self, key: str) -> Person | None:
        """Whose key it is; None when it is nobody's, or revoked."""
        prefix, _, rest = key.partition(".")
        key_id, _, secret = rest.partition(".")
        row = self.db.execute(
            f"SELECT hash, {_COLUMNS} FROM key WHERE key_id = ? AND revoked_ms IS NULL",  # noqa: S608 - our words
            (key_id,),
        ).fetchone()
        same = hmac.compare_digest(_NOBODY if row is None else bytes(row[0]), _hash(secret))
        return _row(row[1:]).person if row is not None and same and prefix == PREFIX else None

    def of(self, key_id: str) -> Person | None:
        """Whose key has this id; None when nobody's has, or it is revoked."""
        row = self.db.execute(
            f"SELECT {_COLUMNS} FROM key WHERE key_id = ? AND revoked_ms IS NULL",  # noqa: S608 - our words
            (key_id,),
        ).fetchone()
        return None if row is None else _row(row).person

    def rows(self) -> list[KeyRow]:
        """All keys, revoked ones too, in the order they were given."""
        rows = self.db.execute(f"SELECT {_COLUMNS} FROM key ORDER BY added_ms, key_id")  # noqa: S608 - our words
        return [_row(row) for row in rows]

    def revoke(self, key_id: str) -> None:
        """Let nobody in with this key any more. Raises KeyFileError when there is no such key."""
        with transaction(self.db):
            changed = self.db.execute(
                "UPDATE key SET revoked_ms = ? WHERE key_id = ? AND revoked_ms IS NULL",
                (time.time_ns() // 1_000_000, key_id),
            ).rowcount
        if not changed:
            raise KeyFileError(f"no key {key_id} is in use; `dispatcher keys list` shows them")

    def close(self) -> None:
        """Let go of the file."""
        self.db.close()


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _row(row: tuple[str, str, str, str, str, str, int, int | None]) -> KeyRow:
    key_id, name, unit, roles, areas, sources, added_ms, revoked_ms = row
    person = Person(key_id, name, unit, _words(roles), _words(areas), _words(sources))
    return KeyRow(person, added_ms, revoked_ms)
