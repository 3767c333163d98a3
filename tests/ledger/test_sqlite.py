"""What only the SQLite ledger has: a file, other processes beside it, and the disk's troubles."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import contextmanager

import pytest
from ledger_drivers import outcome

from dispatcher.core import Position
from dispatcher.ledger import Entry, Fenced, InUse, LedgerError, SqliteLedger

OWNER = """
import sys, time
from pathlib import Path
from dispatcher.ledger import Entry, SqliteLedger
ledger = SqliteLedger(Path(sys.argv[1]))
owner = ledger.own(0)
ledger.append([Entry("reports", b"from the owner")])
print(owner.epoch, flush=True)
time.sleep(600)
"""

PRODUCER = """
import sys
from pathlib import Path
from dispatcher.ledger import Entry, SqliteLedger
ledger = SqliteLedger(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for n in range(int(sys.argv[2])):
    ledger.append([Entry("reports", b"%d/%d" % (n, part)) for part in range(3)])
"""

OPENER = """
import sys
from pathlib import Path
from dispatcher.ledger import Entry, SqliteLedger
print("ready", flush=True)
sys.stdin.readline()
SqliteLedger(Path(sys.argv[1])).append([Entry("reports", b"one")])
"""


@contextmanager
def process(code, *arguments):
    """Another Python process; it is killed at the end if it still lives."""
    child = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "city.db"


def opened(path, **options):
    """Opened and closed again, to see whether it can be."""
    SqliteLedger(path, **options).close()


def test_a_second_writer_is_refused_while_the_owner_lives_and_takes_over_when_it_is_killed(path):
    with process(OWNER, path) as child:
        epoch = int(child.stdout.readline())
        ledger = SqliteLedger(path)
        with pytest.raises(InUse, match=str(child.pid)):
            ledger.own(0)
        ledger.append([Entry("reports", b"from a producer")])  # appending is anybody's right
        assert ledger.position(0) == Position()
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        owner = ledger.own(0)
    assert owner.epoch == epoch + 1
    assert [r.value for r in ledger.read(0, -1, 10)] == [b"from the owner", b"from a producer"]
    ledger.commit(owner, outcome(Position(2, 1), ("events", "a", b"e")), Position())
    ledger.close()


def test_one_file_is_one_ledger_whatever_it_is_called(path):
    ledger = SqliteLedger(path)
    ledger.own(0)
    alias = path.with_name("alias.db")
    alias.symlink_to(path)
    other = SqliteLedger(alias)
    with pytest.raises(InUse):
        other.own(0)
    other.close()
    ledger.close()


def test_the_fence_holds_when_the_lock_does_not(path):
    """Somebody deletes the lock file: the second owner gets in, and the first can commit no more."""
    first, second = SqliteLedger(path), SqliteLedger(path)
    old = first.own(0)
    path.with_name("city.db.lock").unlink()
    new = second.own(0)
    second.commit(new, outcome(Position(0, 1), ("events", "a", b"new")), Position())
    with pytest.raises(Fenced):
        first.commit(old, outcome(Position(0, 1), ("events", "a", b"old")), Position())
    assert [k.value for k in first.follow("events", -1, 10)] == [b"new"]
    first.close()
    second.close()


def test_an_owner_that_closes_lets_the_next_one_in(path):
    first, second = SqliteLedger(path), SqliteLedger(path)
    first.own(0)
    first.own(0)  # twice by one process is no second writer
    first.close()
    assert second.own(0).epoch == 3
    second.close()


def test_a_producer_appends_while_the_engine_commits(path):
    """Two processes: every record is read once, in order, with its offset; every commit is whole."""
    appends, ledger = 60, SqliteLedger(path)
    owner, at, read = ledger.own(0), Position(), []
    with process(PRODUCER, path, appends) as child:
        child.stdout.readline()
        child.stdin.write("go\n")
        child.stdin.flush()
        while len(read) < 3 * appends:
            ended = child.poll() is not None
            records = ledger.read(0, at.offset, 7)
            if not records:
                assert not ended, f"{len(read)} of {3 * appends} records arrived"
                continue
            read += records
            now = Position(records[-1].seq, records[-1].time_ms)
            ledger.commit(owner, outcome(now, *[("events", "e", r.value) for r in records]), at)
            at = now
        assert child.wait() == 0
    expected = [b"%d/%d" % (n, part) for n in range(appends) for part in range(3)]
    assert [r.value for r in read] == expected
    assert [r.offset for r in read] == list(range(3 * appends))
    assert [r.time_ms for r in read] == sorted(r.time_ms for r in read)
    assert [k.value for k in ledger.follow("events", -1, 1_000)] == expected
    ledger.close()


def test_processes_may_open_a_new_file_at_once(path):
    for turn in range(3):
        file = path.with_name(f"{turn}.db")
        with process(OPENER, file) as a, process(OPENER, file) as b, process(OPENER, file) as c:
            children = (a, b, c)
            for child in children:
                child.stdout.readline()
            for child in children:
                child.stdin.write("go\n")
                child.stdin.flush()
            assert [child.wait() for child in children] == [0, 0, 0]
        ledger = SqliteLedger(file)
        assert ledger.appended("reports") == len(children)
        ledger.close()


def test_a_reader_sees_commits_whole_and_writes_nothing(path):
    writer = SqliteLedger(path)
    owner = writer.own(0)
    writer.append([Entry("reports", b"r")])
    reader = SqliteLedger(path, read_only=True)
    done = outcome(Position(1, 1), ("events", "a", b"e"), compacted={("incidents", "a"): b"A"})
    writer.commit(owner, done, Position())
    assert [k.value for k in reader.follow("events", -1, 10)] == [b"e"]
    assert reader.newest("incidents", "a") == b"A"
    assert reader.appended("reports") == 1
    for write in (lambda: reader.append([Entry("reports", b"x")]), lambda: reader.put("policies", "k", b"v")):
        with pytest.raises(LedgerError, match="readonly"):
            write()
    reader.close()
    writer.close()
    again = SqliteLedger(path, read_only=True)  # with no writer beside it
    assert again.appended("reports") == 1
    again.close()


def test_reading_makes_no_file(path):
    with pytest.raises(LedgerError, match="no such ledger"):
        opened(path, read_only=True)
    assert not path.exists()


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("user_version", [0, 1, 7])
def test_the_database_of_another_program_is_refused_and_left_as_it_is(path, read_only, user_version):
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (a)")
    other.execute(f"PRAGMA user_version = {user_version}")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="another program"):
        opened(path, read_only=read_only)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("read_only", [True, False])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path, read_only):
    path.write_bytes(b"unique key;created\n" * 1_000)
    with pytest.raises(LedgerError, match="not a ledger"):
        opened(path, read_only=read_only)
    assert path.read_bytes() == b"unique key;created\n" * 1_000


@pytest.mark.parametrize("read_only", [True, False])
def test_another_format_is_refused(path, read_only):
    opened(path)
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(LedgerError, match="ledger format 99"):
        opened(path, read_only=read_only)


def test_a_place_that_cannot_hold_a_file_is_named(path):
    path.mkdir()
    with pytest.raises(LedgerError, match=r"city\.db"):
        opened(path)


def test_a_full_disk_is_said_and_loses_nothing(path):
    ledger = SqliteLedger(path)
    owner = ledger.own(0)
    ledger.append([Entry("reports", b"kept")])
    pages = ledger._db.execute("PRAGMA page_count").fetchone()[0]
    ledger._db.execute(f"PRAGMA max_page_count = {pages}")
    big = bytes(100_000)
    with pytest.raises(LedgerError, match="full"):
        ledger.append([Entry("reports", big)])
    with pytest.raises(LedgerError, match="full"):
        ledger.commit(owner, outcome(Position(1, 1), ("events", "a", b"e"), ("events", "a", big)), Position())
    assert (ledger.position(0), ledger.topics(), ledger.appended("reports")) == (Position(), ["reports"], 1)
    ledger._db.execute("PRAGMA max_page_count = 1000000")  # room again
    ledger.commit(owner, outcome(Position(1, 1), ("events", "a", big)), Position())
    assert [k.value for k in ledger.follow("events", -1, 10)] == [big]
    ledger.close()


def test_a_commit_that_has_returned_survives_kill_9(path):
    """The log is flushed before `append` and `commit` return (`synchronous=FULL`), and read again after a crash."""
    with process(OWNER, path) as child:
        child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    ledger = SqliteLedger(path)
    assert [r.value for r in ledger.read(0, -1, 10)] == [b"from the owner"]
    assert ledger._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert ledger._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert ledger._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    ledger.close()


def test_the_log_beside_the_file_stays_small(path):
    """Five times its bound goes through the log, which is written over again and again."""
    ledger = SqliteLedger(path, synchronous="OFF")
    owner, at = ledger.own(0), Position()
    for n in range(1_000):
        now = Position(n, n)
        ledger.commit(owner, outcome(now, *[("events", "a", bytes(4_000))] * 20), at)
        at = now
    assert (
        path.with_name("city.db-wal").stat().st_size < 16 << 20
    )  # a checkpoint every 1,000 pages of 4 KiB, and the commits that come meanwhile
    ledger.close()
    assert not path.with_name("city.db-wal").exists()


def test_a_topic_is_followed_by_an_index_that_older_files_get_too(tmp_path):
    path = tmp_path / "city.db"
    SqliteLedger(path).close()
    before = sqlite3.connect(path)
    before.execute("DROP INDEX output_by_topic")
    before.close()
    reader = SqliteLedger(path, read_only=True)
    assert reader.follow("routed", -1, 10) == []
    reader.close()
    SqliteLedger(path).close()
    statements = []
    reader = SqliteLedger(path, read_only=True)
    reader._db.set_trace_callback(statements.append)
    reader.follow("routed", -1, 10)
    reader._db.set_trace_callback(None)
    plan = reader._db.execute(f"EXPLAIN QUERY PLAN {statements[0]}").fetchall()
    assert [row[3] for row in plan] == ["SEARCH output USING INDEX output_by_topic (topic=? AND seq>?)"]
    reader.close()
