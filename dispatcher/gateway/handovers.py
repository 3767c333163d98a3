"""Shifts handed over: the sheet as it was, and both signatures. Kept for good; whoever takes over signs once."""

import sqlite3
import time
from typing import Final, NamedTuple

import msgspec

from dispatcher.gateway.roles import Person
from dispatcher.sqlite_file import transaction

__all__ = ["NOTES_CHARS_MAX", "Handover", "Handovers", "Signature"]

NOTES_CHARS_MAX: Final = 4_000  # as a report's text
LISTED_MAX: Final = 200
_COLUMNS = (
    "number, areas, sheet, given_ms, given_key, given_name, given_notes, taken_ms, taken_key, taken_name, taken_notes"
)
_words = msgspec.json.Decoder(tuple[str, ...]).decode


class Signature(NamedTuple):
    """Who signed, when, and what they had to say."""

    at_ms: int
    key_id: str
    name: str
    notes: str


class Handover(NamedTuple):
    """One shift handed over; `areas` are those its sheet is about, `taken` is None until the next one has signed."""

    number: int
    areas: tuple[str, ...]
    sheet: bytes
    given: Signature
    taken: Signature | None


class Handovers:
    """The handovers of one city.

    Args:
        db: the access file.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def give(self, person: Person, sheet: bytes, notes: str, draft: str) -> int:
        """Keep a sheet with the signature of who hands over; returns its number when it is durable.

        Args:
            person: who signs; the sheet is about their areas.
            sheet: as it was when they signed.
            notes: what they have to say besides.
            draft: of which page this was asked for: asked twice, it counts once.
        """
        areas = msgspec.json.encode(person.areas).decode()
        with transaction(self._db):
            self._db.execute(
                "INSERT OR IGNORE INTO handover (draft, areas, sheet, given_ms, given_key, given_name, given_notes)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (draft, areas, sheet, time.time_ns() // 1_000_000, person.key_id, person.name, notes),
            )
            row = self._db.execute(
                "SELECT number FROM handover WHERE given_key = ? AND draft = ?", (person.key_id, draft)
            ).fetchone()
        return int(row[0])

    def take(self, person: Person, number: int, notes: str) -> bool:
        """Sign for taking over; False when it is signed already, or is one's own."""
        with transaction(self._db):
            changed = self._db.execute(
                "UPDATE handover SET taken_ms = ?, taken_key = ?, taken_name = ?, taken_notes = ?"
                " WHERE number = ? AND taken_ms IS NULL AND given_key <> ? AND given_name <> ?",
                (time.time_ns() // 1_000_000, person.key_id, person.name, notes, number, person.key_id, person.name),
            ).rowcount
        return changed == 1

    def of(self, number: int) -> Handover | None:
        """One by its number."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM handover WHERE number = ?", (number,)).fetchone()  # noqa: S608
        return None if row is None else _handover(row)

    def last(self, limit: int) -> list[Handover]:
        """The latest first."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM handover ORDER BY number DESC LIMIT ?",  # noqa: S608 - our own words
            (min(limit, LISTED_MAX),),
        )
        return [_handover(row) for row in rows]


def _handover(row: tuple[int, str, bytes, int, str, str, str, int | None, str, str, str]) -> Handover:
    number, areas, sheet = row[:3]
    given, taken = Signature(*row[3:7]), None if row[7] is None else Signature(row[7], *row[8:])
    return Handover(number, _words(areas), bytes(sheet), given, taken)
