"""The SQLite files that lie beside a ledger: opened, or told why not; written in transactions."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["open_file", "sole_use", "transaction"]

BUSY_TIMEOUT_S = 10.0


def open_file(
    path: Path | str,
    prepare: Callable[[sqlite3.Connection], None],
    error: type[Exception],
    *,
    what: str,
    otherwise: str,
    statements: int,
) -> sqlite3.Connection:
    """Connect and prepare; when that fails, let go of the file.

    Args:
        path: the file, or `":memory:"`.
        prepare: makes the tables of a new file; raises `error` for one that is not to be used.
        error: what cannot be used is told as.
        what: the file's kind, as "an outbox".
        otherwise: what to do with a file that is not of this kind.
        statements: how many are kept compiled.

    Raises:
        error: another process is using it, it cannot be written, or it is not of this kind.
    """
    db = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=statements
    )
    try:
        prepare(db)
    except sqlite3.OperationalError as failure:  # the file may be as good as ever
        db.close()
        why = "another process is using it, or it cannot be written"
        raise error(f"{path}: {why} ({failure}); try again") from failure
    except sqlite3.DatabaseError as failure:
        db.close()
        raise error(f"{path}: not {what} ({failure}); {otherwise}") from failure
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def sole_use(path: Path, error: type[Exception], otherwise: str) -> Iterator[None]:
    """Keep other processes that ask for it away from a file; by a lock on `<file>.lock`, which no crash leaves behind.

    Args:
        path: the file.
        error: that it is in use is told as.
        otherwise: what to do then.

    Raises:
        error: another process has it.
    """
    with path.with_name(f"{path.name}.lock").open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise error(f"{path} is in use by process {lock.read().strip() or '?'}; {otherwise}") from None
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All of it or nothing, begun as a writer: readers see what was before until the end."""
    try:
        db.execute("BEGIN IMMEDIATE")
        yield db
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
