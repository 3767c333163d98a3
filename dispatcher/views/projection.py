"""The projection: what the ledger put out, as query tables in a SQLite file of its own.

It follows `archive`, `incidents`, `events`, `rejected` and, for what is private of a report, `reporters`; each
partition has a place of its own. The rows of a batch and the places behind it are one transaction, so a process may
die anywhere and the next one goes on; delete the file and it is rebuilt alike. Applying a record again changes
nothing: an incident's row is replaced by a later revision only. It is consistent per incident, not across topics. A
tombstone on `incidents` says that the engine has let go of an ended incident; its row stays.

Every read (`queries`, `measures`) goes through this file and never through the engine.
"""

import sqlite3
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from dispatcher.ledger import Kept, Ledger
from dispatcher.sqlite_file import open_file, transaction
from dispatcher.views.schema import APPLICATION_ID, SCHEMA_VERSION, TABLES, insert
from dispatcher.views.spells import Spell, spells
from dispatcher.views.writes import Write, writes_of

__all__ = ["BATCH", "FOLLOWED", "Lane", "Portion", "Projection", "ProjectionError", "view_path"]

BATCH = 2_000  # records in one transaction: 4 MB of incidents, a tenth of a second
FOLLOWED: Final = ("archive", "incidents", "events", "rejected", "reporters")  # in the order to catch up with them
_COMPACTED: Final = ("incidents", "reporters")  # a record followed may be gone by now

_SPELL = insert("spell", Spell._fields)
_POSITION = (
    "INSERT INTO position (topic, partition, seq, time_ms, mark) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (topic, partition) DO UPDATE SET"
    " seq = excluded.seq, time_ms = max(time_ms, excluded.time_ms), mark = excluded.mark"
)


def view_path(ledger: Path) -> Path:
    """Where the projection of a ledger's file lies: beside it; deleted, it is made again."""
    return ledger.with_name(f"{ledger.name}.view")


class ProjectionError(Exception):
    """The projection cannot be used; the message says what to do next."""


Lane = tuple[str, int]  # a topic and one of its partitions


class Portion(NamedTuple):
    """Some records of a partition of a topic, in order: all there are beyond the place `after`."""

    topic: str
    partition: int
    after: int
    kept: Sequence[Kept]


class Projection:
    """The query tables. One thread at a time; a reader beside a follower opens its own with `read_only`.

    Args:
        path: the file, made when absent; `":memory:"` for one that lives as long as the object.
        read_only: only read; the file must be there.

    Raises:
        ProjectionError: the file is not a projection, is damaged, or (with `read_only`) is absent or outdated.
    """

    def __init__(self, path: Path | str, *, read_only: bool = False) -> None:
        self._name = str(path)
        self._known_ledger: Ledger | None = None
        if read_only and not Path(path).exists():
            raise ProjectionError(f"{path}: no such projection; `dispatcher run` or `dispatcher kpi` makes one")
        self.db = open_file(
            path,
            partial(self._prepare, read_only=read_only),
            ProjectionError,
            what="a projection",
            otherwise="delete it or name another file",
            statements=256,
        )

    def catch_up(self, ledger: Ledger, batch: int = BATCH) -> int:
        """Apply everything the ledger has put out since the last call, `batch` records a transaction.

        A ledger that does not hold what was followed last is another one: everything is rebuilt from it.

        Returns:
            How many records were applied.

        Raises:
            ProjectionError: a record is not what this version of the program writes.
        """
        if self._known_ledger is not ledger:
            if not self._followed(ledger):
                with transaction(self.db):  # readers see the old tables or the new ones
                    _rebuild(self.db)
            self._known_ledger = ledger
        lanes = [(topic, partition) for topic in FOLLOWED for partition in range(ledger.partitions(topic))]
        return sum(self._drain(ledger, *lane, batch) for lane in lanes)

    def begin(self, mark: str, *, anew: bool = False) -> dict[Lane, int]:
        """Go on in the ledger that has this mark; from nothing where the file was of another, or is to be made `anew`.

        Args:
            mark: what tells this ledger from any other.
            anew: whatever the file has followed.

        Returns:
            The last `seq` followed, by partition; those that were never followed are left out.
        """
        with transaction(self.db):
            if anew or self.db.execute("SELECT mark FROM ledger").fetchall() != [(mark,)]:
                _rebuild(self.db)
                self.db.execute("INSERT INTO ledger (mark) VALUES (?)", (mark,))
        return self._places()

    def forget_private(self) -> None:
        """Take away what is private of reports; `reporters` is followed from its beginning again.

        For whoever was away for so long that a topic may have dropped what said that something was erased.
        """
        with transaction(self.db):
            self.db.execute("DELETE FROM private")
            self.db.execute("DELETE FROM position WHERE topic = 'reporters'")

    def apply(self, portions: Sequence[Portion]) -> int:
        """Apply records, all in one transaction.

        Returns:
            How many were applied: a portion that does not begin at the file's own place is left out, since another
            follower of the file was quicker.

        Raises:
            ProjectionError: a record is not what this version of the program writes.
        """
        made = [(portion, _writes(portion)) for portion in portions]
        applied = 0
        with transaction(self.db):
            for (topic, partition, after, kept), writes in made:
                if self._seq(topic, partition) != after:
                    continue
                for statement, rows in writes:
                    self.db.executemany(statement, rows)
                self._settle_history(topic, kept)
                latest_ms = max(record.time_ms for record in kept)
                self.db.execute(_POSITION, (topic, partition, kept[-1].seq, latest_ms, _mark(kept[-1])))
                applied += len(kept)
        return applied

    @property
    def latest_ms(self) -> int:
        """The instant of the latest record applied: what "now" means in a ledger of the past; 0 for none."""
        latest: int = self.db.execute("SELECT coalesce(max(time_ms), 0) FROM position").fetchone()[0]
        return latest

    def close(self) -> None:
        """Let go of the file."""
        self.db.close()

    def _prepare(self, db: sqlite3.Connection, *, read_only: bool) -> None:
        application_id = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if application_id != APPLICATION_ID:
            tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if tables or application_id or read_only:
                raise ProjectionError(f"{self._name}: a database of another program; name another file")
        elif read_only and version != SCHEMA_VERSION:
            raise ProjectionError(f"{self._name}: format {version}, not {SCHEMA_VERSION}; any follower rebuilds it")
        if read_only:
            db.execute("PRAGMA query_only = ON")
            return
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last batches, which are then redone
        db.execute("PRAGMA cache_size = -65536")
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute("PRAGMA journal_size_limit = 67108864")
        with transaction(db):  # of several processes that open a new file, the first makes the tables
            if db.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
                _rebuild(db)

    def _places(self) -> dict[Lane, int]:
        rows = self.db.execute("SELECT topic, partition, seq FROM position").fetchall()
        return {(topic, partition): seq for topic, partition, seq in rows}

    def _seq(self, topic: str, partition: int) -> int:
        where = "SELECT seq FROM position WHERE topic = ? AND partition = ?"
        row = self.db.execute(where, (topic, partition)).fetchone()
        return -1 if row is None else int(row[0])

    def _followed(self, ledger: Ledger) -> bool:
        """Whether the last record followed on each append topic stands in this ledger, byte for byte."""
        rows = self.db.execute("SELECT topic, partition, seq, mark FROM position").fetchall()
        for topic, partition, seq, mark in rows:
            if topic in _COMPACTED:
                continue
            kept = ledger.follow(topic, seq - 1, 1, partition)
            if not kept or kept[0].seq != seq or _mark(kept[0]) != mark:
                return False
        return True

    def _drain(self, ledger: Ledger, topic: str, partition: int, batch: int) -> int:
        applied = 0
        while kept := ledger.follow(topic, after := self._seq(topic, partition), batch, partition):
            applied += self.apply([Portion(topic, partition, after, kept)])
        return applied

    def _settle_history(self, topic: str, kept: Sequence[Kept]) -> None:
        """Put together the histories of those incidents of the batch that fill more than a page."""
        if topic not in ("archive", "incidents"):
            return
        keys = msgspec.json.encode([record.key for record in kept]).decode()
        paged = "SELECT DISTINCT incident_id FROM page WHERE incident_id IN (SELECT value FROM json_each(?))"
        for (incident_id,) in self.db.execute(paged, (keys,)).fetchall():
            self.db.execute("DELETE FROM spell WHERE incident_id = ?", (incident_id,))
            self.db.executemany(_SPELL, spells(incident_id, history_of(self.db, incident_id)))


def _writes(portion: Portion) -> list[Write]:
    kept = portion.kept
    try:
        return writes_of(portion.topic, kept, portion.partition)
    except (msgspec.MsgspecError, ValueError) as error:
        span = f"records {kept[0].seq} to {kept[-1].seq} of {portion.topic}"
        raise ProjectionError(f"{span}: not what this program writes ({error})") from error


def _rebuild(db: sqlite3.Connection) -> None:
    """Start from nothing."""
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        db.execute(f'DROP TABLE "{name}"')
    for statement in TABLES:
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def history_of(db: sqlite3.Connection, incident_id: str) -> list[bytes]:
    """The entries of an incident's history as JSON, oldest first, as far as they have been followed."""
    pages = db.execute("SELECT value FROM page WHERE incident_id = ? ORDER BY page", (incident_id,)).fetchall()
    last = db.execute("SELECT value FROM record WHERE incident_id = ?", (incident_id,)).fetchall()
    return [bytes(entry) for (value,) in [*pages, *last] for entry in _history.decode(value).history]


class _History(msgspec.Struct, frozen=True):
    history: list[msgspec.Raw] = []


_history = msgspec.json.Decoder(_History)


def _mark(kept: Kept) -> int:
    return zlib.crc32(kept.value or b"", zlib.crc32(kept.key.encode()))
