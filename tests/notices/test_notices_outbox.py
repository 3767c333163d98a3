"""The outbox's file: made once, refused when it is not one, and several processes at it."""

import sqlite3
import threading
from pathlib import Path

import msgspec
import pytest
from notices_cases import NOON_MS, record

from dispatcher import sqlite_file
from dispatcher.ledger import LedgerError
from dispatcher.notices import Notice, Outbox, OutboxError, Status
from dispatcher.notices.outbox import Mark
from dispatcher.views import projection


def notice(n: int, **more) -> Notice:
    return msgspec.convert(record(n, **more), Notice)


def test_rows_and_mark_are_one_transaction(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o")
    assert outbox.mark() == Mark(-1, 0)
    broken = (2, msgspec.structs.replace(notice(2), at="no instant"))
    with pytest.raises(ValueError, match="no instant"):
        outbox.take([(1, notice(1)), broken], Mark(2, 7), NOON_MS, 0)
    assert (outbox.mark(), outbox.waiting()) == (Mark(-1, 0), [])
    outbox.take([(1, notice(1))], Mark(1, 7), NOON_MS, 0)
    outbox.close()
    again = Outbox(tmp_path / "o", must_exist=True)
    assert again.mark() == Mark(1, 7)
    (row,) = again.waiting()
    assert (row.notice_id, row.seq, row.to, row.at_ms, row.urgent) == (record(1)["notice_id"], 1, "gas-company",
                                                                       NOON_MS, False)  # fmt: skip
    assert again.notices([row.notice_id]) == [notice(1)]
    assert again.hold([]) == 0
    again.close()


def test_listed_by_status_and_recipient(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o")
    outbox.take([(n, notice(n, to=to)) for n, to in ((3, "b"), (1, "a"), (2, "b"))], Mark(3, 0), NOON_MS, 0)
    ids = [notice(n).notice_id for n in (1, 2, 3)]
    outbox.settle(ids[:1], Status.DELIVERED, NOON_MS, "log")
    assert outbox.hold(ids[1:2]) == 1
    assert outbox.hold(ids[1:2]) == 0
    assert [row.notice.notice_id for row in outbox.listed()] == ids
    assert [row.notice.notice_id for row in outbox.listed([Status.WAITING, Status.HELD])] == ids[1:]
    assert [row.notice.notice_id for row in outbox.listed((), "a")] == ids[:1]
    assert [row.seq for row in outbox.waiting()] == [2, 3]
    outbox.close()


def test_what_is_not_an_outbox_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, but long enough to be taken for one" * 40, encoding="utf-8")
    other = sqlite3.connect(tmp_path / "other")
    other.execute("CREATE TABLE t (x)")
    other.close()
    Outbox(tmp_path / "newer").close()
    newer = sqlite3.connect(tmp_path / "newer")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    for name in ("text", "other", "newer"):
        with pytest.raises(OutboxError, match="not an outbox"):
            Outbox(tmp_path / name)
    with pytest.raises(LedgerError, match="no notice has been taken in"):
        Outbox(tmp_path / "absent", must_exist=True)


def test_a_locked_file_is_not_called_something_else(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_TIMEOUT_S", 0.01)
    Outbox(tmp_path / "o").close()
    projection.Projection(tmp_path / "p").close()
    makers = (("o", Outbox, OutboxError), ("p", projection.Projection, projection.ProjectionError))
    for name, make, error in makers:
        other = sqlite3.connect(tmp_path / name, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(error, match=r"another process is using it.*locked.*try again") as raised:
            make(tmp_path / name)
        assert "delete" not in str(raised.value)
        assert "move" not in str(raised.value)
        other.close()
        make(tmp_path / name).close()


def test_an_older_outbox_is_given_its_index(tmp_path: Path) -> None:
    """What is read at every turn of a night is found without looking at what is held."""
    Outbox(tmp_path / "o").close()
    older = sqlite3.connect(tmp_path / "o")
    older.execute("DROP INDEX notice_new")
    older.close()
    outbox = Outbox(tmp_path / "o")
    plan = outbox._db.execute("EXPLAIN QUERY PLAN SELECT value FROM notice WHERE status = 'waiting' ORDER BY seq")
    assert ["notice_new" in row[3] for row in plan] == [True]
    outbox.close()


def test_several_make_it_at_once(tmp_path: Path) -> None:
    outboxes: list[Outbox] = []
    threads = [threading.Thread(target=lambda: outboxes.append(Outbox(tmp_path / "o"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outboxes) == 8
    for n, outbox in enumerate(outboxes):
        outbox.take([(n, notice(n))], Mark(n, 0), NOON_MS, 0)
    assert len(outboxes[0].waiting()) == 8
    for outbox in outboxes:
        outbox.close()
