"""Looks: who has opened what is private of an incident, when, and what for. Written before it is shown."""

import sqlite3
import time
from typing import NamedTuple

import msgspec

from dispatcher.gateway.roles import Person
from dispatcher.sqlite_file import transaction

__all__ = ["Look", "Looks"]

LISTED_MAX = 1_000
_COLUMNS = "look_id, at_ms, key_id, name, incident_id, purpose, reports"
_reports = msgspec.json.Decoder(list[tuple[str, str]]).decode


class Look(NamedTuple):
    """One look: `reports` are those (source, report_id) whose contacts were shown."""

    look_id: int
    at_ms: int
    key_id: str
    name: str
    incident_id: str
    purpose: str
    reports: list[tuple[str, str]]


class Looks:
    """The looks of one city, kept for good.

    Args:
        db: the access file.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def write(self, person: Person, incident_id: str, purpose: str, reports: list[tuple[str, str]]) -> None:
        """Return when it is durable."""
        with transaction(self._db):
            self._db.execute(
                "INSERT INTO look (at_ms, key_id, name, incident_id, purpose, reports) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    time.time_ns() // 1_000_000, person.key_id, person.name, incident_id, purpose,
                    msgspec.json.encode(reports).decode(),
                ),
            )  # fmt: skip

    def last(self, incident_id: str | None, before: int | None, limit: int) -> list[Look]:
        """The latest first, of one incident or of all; `before` is a `look_id` to go on from."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM look WHERE (?1 IS NULL OR incident_id = ?1) AND (?2 IS NULL OR look_id < ?2)"  # noqa: S608
            " ORDER BY look_id DESC LIMIT ?3",
            (incident_id, before, min(limit, LISTED_MAX)),
        )
        return [
            Look(look_id, at_ms, key_id, name, of, purpose, _reports(reports))
            for look_id, at_ms, key_id, name, of, purpose, reports in rows
        ]
