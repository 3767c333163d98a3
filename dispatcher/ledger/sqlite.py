"""The ledger in one SQLite file: the embedded default.

WAL with `synchronous=FULL`: what `append` or `commit` returned from survives a power cut. Three tables: `input` is the
one order of reports, updates, control and clock records; `output` the append topics; `compacted` the newest value of
each key, where a new value takes a new `seq`, so that followers read changes in order from either.

Two things keep a second writer out. A lock on `<file>.lock` refuses it at the start, while the owner lives. The
**fence** refuses it at the commit, whatever happened to the lock: `own` raises the partition's epoch, and a commit
with an older epoch, or at another position than it expects, writes nothing.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dispatcher.core import COMPACTED_TOPICS, CONTROL, Outcome, Position, Record
from dispatcher.ledger.interface import Entry, Fenced, InUse, Kept, LedgerError, Offset, Owner, is_input
from dispatcher.ledger.memory import wall_clock_ms

__all__ = ["SqliteLedger"]

APPLICATION_ID = 0x63697479  # "city": another program's database is not overwritten by mistake
SCHEMA_VERSION = 1
BUSY_TIMEOUT_S = 10.0  # a gateway's append and an engine's commit each take milliseconds

_SCHEMA = f"""
CREATE TABLE input (seq INTEGER PRIMARY KEY, topic TEXT NOT NULL, offset INTEGER NOT NULL, time_ms INTEGER NOT NULL,
  key TEXT, value BLOB NOT NULL);
CREATE TABLE output (seq INTEGER PRIMARY KEY, topic TEXT NOT NULL, key TEXT NOT NULL, time_ms INTEGER NOT NULL,
  value BLOB NOT NULL);
CREATE TABLE compacted (seq INTEGER PRIMARY KEY, topic TEXT NOT NULL, key TEXT NOT NULL, time_ms INTEGER NOT NULL,
  value BLOB, UNIQUE (topic, key));
CREATE TABLE input_topic (topic TEXT PRIMARY KEY, next_offset INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE partition (partition INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, offset INTEGER NOT NULL,
  time_ms INTEGER NOT NULL);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""

# beside the tables, not of the format: a file of before is read without it, and gets it from whoever writes next
_BY_TOPIC = "CREATE INDEX IF NOT EXISTS output_by_topic ON output (topic, seq)"


class SqliteLedger:
    """See `interface.Ledger`.

    Args:
        path: the file; made when absent, unless `read_only`.
        clock: dates records that come without a time.
        read_only: never write; for explanations, exports and audits beside a running engine.
        synchronous: `FULL` (default) or, for benches that say so, `NORMAL` or `OFF`.

    Raises:
        LedgerError: not a file of ours, of another version, or absent with `read_only`.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], int] = wall_clock_ms,
        read_only: bool = False,
        synchronous: str = "FULL",
    ) -> None:
        self._path = path.resolve()  # one file is one ledger, and has one lock, whatever it is called
        self._clock = clock
        self._lock: IO[str] | None = None
        self._db = self._open(read_only, synchronous)

    def _open(self, read_only: bool, synchronous: str) -> sqlite3.Connection:
        if read_only and not self._path.exists():
            raise LedgerError(f"{self._path}: no such ledger; `dispatcher replay` or `dispatcher run` makes one")
        if not read_only:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        mode = "ro" if read_only else "rwc"
        uri = f"{self._path.as_uri()}?mode={mode}"
        try:
            db = sqlite3.connect(
                uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False,
                cached_statements=256,
            )  # fmt: skip
        except sqlite3.Error as error:
            raise LedgerError(f"{self._path}: {error}") from error
        try:
            self._prepare(db, read_only, synchronous)
        except sqlite3.DatabaseError as error:
            db.close()
            raise LedgerError(f"{self._path}: not a ledger ({error})") from error
        except LedgerError:
            db.close()
            raise
        return db

    def _prepare(self, db: sqlite3.Connection, read_only: bool, synchronous: str) -> None:
        if not read_only and _is_empty(db):
            # several processes may open a new file at once: whoever gets the write lock first makes the tables
            db.execute("BEGIN IMMEDIATE")
            if _is_empty(db):
                for statement in _SCHEMA.strip().split(";\n"):
                    db.execute(statement)
            db.execute("COMMIT")
        if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise LedgerError(f"{self._path}: a database of another program; name another file")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version != SCHEMA_VERSION:
            raise LedgerError(f"{self._path}: ledger format {version}, this program reads {SCHEMA_VERSION}")
        if not read_only:
            _write_ahead(db)
            if not db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'output_by_topic'").fetchone()[0]:
                db.execute(_BY_TOPIC)
        db.execute(f"PRAGMA synchronous = {synchronous}")
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute("PRAGMA cache_size = -65536")
        db.execute("PRAGMA journal_size_limit = 67108864")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise LedgerError(f"{self._path}: {error}; nothing was written") from error
        try:
            yield self._db
            self._db.execute("COMMIT")
        except BaseException as error:
            if self._db.in_transaction:  # a full disk has SQLite roll back by itself
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise LedgerError(f"{self._path}: {error}; nothing was written") from error
            raise

    def append(self, entries: Sequence[Entry]) -> list[Offset]:
        """See the interface."""
        with self._transaction() as db:
            offsets = dict(db.execute("SELECT topic, next_offset FROM input_topic"))
            last_ms = db.execute(
                "SELECT max(coalesce((SELECT time_ms FROM input ORDER BY seq DESC LIMIT 1), 0),"
                " coalesce((SELECT max(time_ms) FROM partition), 0))"
            ).fetchone()[0]
            rows = []
            for entry in entries:
                last_ms = max(last_ms, self._clock() if entry.time_ms is None else entry.time_ms)
                offset = offsets.get(entry.topic, 0)
                rows.append((entry.topic, offset, last_ms, entry.key, entry.value))
                offsets[entry.topic] = offset + 1
            db.executemany("INSERT INTO input (topic, offset, time_ms, key, value) VALUES (?, ?, ?, ?, ?)", rows)
            db.executemany("INSERT OR REPLACE INTO input_topic VALUES (?, ?)", offsets.items())
        return [Offset(0, offset) for _, offset, *_ in rows]

    def put(self, topic: str, key: str, value: bytes) -> None:
        """See the interface."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO compacted (topic, key, time_ms, value) VALUES (?, ?, ?, ?)",
                (topic, key, self._clock(), value),
            )

    def own(self, partition: int) -> Owner:
        """See the interface."""
        self._take_lock()
        with self._transaction() as db:
            db.execute(
                "INSERT INTO partition VALUES (?, 1, -1, 0) ON CONFLICT (partition) DO UPDATE SET epoch = epoch + 1",
                (partition,),
            )
            epoch = db.execute("SELECT epoch FROM partition WHERE partition = ?", (partition,)).fetchone()[0]
        return Owner(partition, epoch)

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        path = self._path.with_name(self._path.name + ".lock")
        lock = path.open("a+", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            lock.close()
            raise InUse(f"{self._path} is being written by process {holder}; stop it, or name another ledger") from None
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def position(self, partition: int) -> Position:
        """See the interface."""
        row = self._db.execute("SELECT offset, time_ms FROM partition WHERE partition = ?", (partition,)).fetchone()
        return Position() if row is None else Position(*row)

    def read(self, partition: int, after: int, limit: int) -> list[Record]:
        """See the interface; the embedded ledger has one partition, which reads every input."""
        rows = self._db.execute(
            "SELECT seq, topic, offset, time_ms, key, value FROM input WHERE seq > ? ORDER BY seq LIMIT ?",
            (after, limit),
        )
        return [Record(seq, topic, 0, offset, time_ms, key, value) for seq, topic, offset, time_ms, key, value in rows]

    def restore(self, partition: int) -> tuple[Iterable[tuple[str, bytes]], Iterable[tuple[str, bytes]]]:
        """See the interface."""
        query = "SELECT key, value FROM compacted WHERE topic = ? AND value IS NOT NULL ORDER BY seq"
        self._db.execute("BEGIN")  # of one moment, beside an owner that goes on
        try:
            return self._db.execute(query, ("state",)).fetchall(), self._db.execute(query, ("incidents",)).fetchall()
        finally:
            self._db.execute("COMMIT")

    def commit(
        self, owner: Owner, outcome: Outcome, expected: Position, also: Mapping[tuple[str, str], bytes] | None = None
    ) -> None:
        """See the interface."""
        with self._transaction() as db:
            row = db.execute(
                "SELECT epoch, offset, time_ms FROM partition WHERE partition = ?", (owner.partition,)
            ).fetchone()
            if row is None or row[0] != owner.epoch:
                raise Fenced(f"{self._path}: another process has taken over this ledger; this one stops")
            if Position(row[1], row[2]) != expected:
                raise Fenced(f"{self._path}: the ledger is at {row[1:]}, not at {expected}; this process stops")
            db.executemany("INSERT INTO output (topic, key, time_ms, value) VALUES (?, ?, ?, ?)", outcome.records)
            at_ms = outcome.position.time_ms
            db.executemany(
                "INSERT OR REPLACE INTO compacted (topic, key, time_ms, value) VALUES (?, ?, ?, ?)",
                [
                    (topic, key, at_ms, value)
                    for (topic, key), value in ({**outcome.compacted, **also} if also else outcome.compacted).items()
                ],
            )
            db.execute(
                "UPDATE partition SET offset = ?, time_ms = ? WHERE partition = ?",
                (outcome.position.offset, at_ms, owner.partition),
            )

    def follow(self, topic: str, after: int, limit: int, partition: int = 0) -> list[Kept]:
        """See the interface."""
        if partition:
            return []
        named = "topic GLOB ?" if topic.endswith("*") else "topic = ?"  # by an index, where there is one
        rows = self._db.execute(
            f"SELECT seq, coalesce(key, ''), time_ms, value FROM {_table(topic)}"  # noqa: S608 - our own words
            f" WHERE {named} AND seq > ? ORDER BY seq LIMIT ?",
            (topic, after, limit),
        )
        return [Kept(*row) for row in rows]

    def end(self, topic: str, partition: int = 0) -> int:
        """See the interface."""
        last: int = self._db.execute(f"SELECT coalesce(max(seq), -1) FROM {_table(topic)}").fetchone()[0]  # noqa: S608
        return last

    def ends(self, topic: str) -> tuple[int, ...]:
        """See the interface."""
        return (self.end(topic),)

    def commands(self) -> list[tuple[int, Kept]]:
        """See the interface."""
        rows = self._db.execute(
            "SELECT offset, seq, coalesce(key, ''), time_ms, value FROM input WHERE topic = ? ORDER BY seq", (CONTROL,)
        )
        return [(offset, Kept(*rest)) for offset, *rest in rows]

    def commanded(self) -> tuple[int, ...]:
        """See the interface; all inputs lie in one order."""
        return (self.position(0).offset,)

    def partitions(self, topic: str) -> int:
        """See the interface."""
        return 1

    def newest(self, topic: str, key: str) -> bytes | None:
        """See the interface."""
        row = self._db.execute("SELECT value FROM compacted WHERE topic = ? AND key = ?", (topic, key)).fetchone()
        return None if row is None else row[0]

    def topics(self) -> list[str]:
        """See the interface."""
        rows = self._db.execute(
            "SELECT DISTINCT topic FROM output UNION SELECT DISTINCT topic FROM compacted UNION"
            " SELECT topic FROM input_topic ORDER BY 1"
        )
        return [row[0] for row in rows]

    def appended(self, topic: str) -> int:
        """See the interface."""
        row = self._db.execute("SELECT next_offset FROM input_topic WHERE topic = ?", (topic,)).fetchone()
        return 0 if row is None else row[0]

    def close(self) -> None:
        """See the interface."""
        self._db.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _table(topic: str) -> str:
    return "compacted" if topic in COMPACTED_TOPICS else "input" if is_input(topic) else "output"


def _is_empty(db: sqlite3.Connection) -> bool:
    """A new file: nobody's yet, and not a table in it."""
    marks = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
    return not any(marks) and not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def _write_ahead(db: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; the one moment at which SQLite does not wait for another process by itself."""
    give_up_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_s:
                raise
            time.sleep(0.005)
        else:
            return
