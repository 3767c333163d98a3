"""The SQLite files that lie beside a ledger: opened, or told why not; written in transactions."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["open_file", "transaction"]

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
