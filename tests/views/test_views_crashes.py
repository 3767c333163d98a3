import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from views_cases import MINUTE_MS, START_MS
from views_city import City, a_rejection, dump, of
from views_random import random_lives

from dispatcher.core import NEVER_MS, Outcome, Position
from dispatcher.ledger import Kept, MemoryLedger, SqliteLedger
from dispatcher.views import Projection, ProjectionError
from dispatcher.views.schema import SCHEMA_VERSION

# --- crashes, other ledgers, other files ---------------------------------------------------------------------------


class Crash(Exception):
    pass


class FailingLedger:
    """A ledger that gives out and then fails at the n-th call: the follower dies between batches."""

    def __init__(self, ledger: MemoryLedger, calls: int) -> None:
        self._ledger, self._left = ledger, calls

    def partitions(self, topic: str) -> int:
        return 1

    def follow(self, topic: str, after: int, limit: int, partition: int) -> list[Kept]:
        self._left -= 1
        if self._left < 0:
            raise Crash
        return self._ledger.follow(topic, after, limit)


def test_a_crash_between_any_two_batches_costs_nothing(city, tmp_path):
    whole = dump(of(city))
    crashes = 0
    path = tmp_path / "views.db"
    for _ in range(1_000):
        view = Projection(path)
        try:
            view.catch_up(FailingLedger(city.ledger, 9), batch=10)
        except Crash:
            crashes += 1
            view.close()
            continue
        break
    assert crashes > 20
    assert dump(view) == whole


def test_a_crash_inside_a_transaction_leaves_nothing_of_it(city, tmp_path):
    whole = dump(of(city))
    path = tmp_path / "views.db"
    rng = random.Random(5)
    crashes = 0
    for _ in range(500):
        view = Projection(path)
        steps = rng.randint(1, 1_500)

        def die() -> int:
            nonlocal steps
            steps -= 1
            return int(steps == 0)

        before = dict(view.db.execute("SELECT topic, seq FROM position").fetchall())
        view.db.set_progress_handler(die, 10)
        try:
            view.catch_up(city.ledger, batch=11)
            break
        except sqlite3.OperationalError:
            crashes += 1
            assert not view.db.in_transaction
            view.db.set_progress_handler(None, 0)
            after = dict(view.db.execute("SELECT topic, seq FROM position").fetchall())
            assert all(after[topic] >= seq for topic, seq in before.items())
            view.close()
    view.db.set_progress_handler(None, 0)
    assert crashes > 5
    assert dump(view) == whole


FOLLOWER = """
import sys
from pathlib import Path
from dispatcher.ledger import SqliteLedger
from dispatcher.views import Projection
view = Projection(Path(sys.argv[2]))
print("ready", flush=True)
view.catch_up(SqliteLedger(Path(sys.argv[1]), read_only=True), batch=3)
"""


def test_killed_at_random_moments_and_resumed(lives, city, tmp_path):
    path, views = tmp_path / "ledger.db", tmp_path / "views.db"
    with closing(SqliteLedger(path, synchronous="OFF")) as ledger:
        records = [
            (topic, kept.key, kept.time_ms, kept.value)
            for topic in ("archive", "events", "rejected")
            for kept in city.ledger.follow(topic, -1, 10**9)
        ]
        compacted = {("incidents", kept.key): kept.value for kept in city.ledger.follow("incidents", -1, 10**9)}
        position = Position(1, max(at_ms for _, _, at_ms, _ in records))
        outcome = Outcome(position, 1, records, compacted, Counter(), NEVER_MS)
        ledger.commit(ledger.own(0), outcome, Position())
        undisturbed = Projection(tmp_path / "undisturbed.db")
        undisturbed.catch_up(ledger)

    rng, killed = random.Random(13), 0
    for _ in range(60):
        with subprocess.Popen([sys.executable, "-c", FOLLOWER, path, views], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            if killed < 6:  # somewhere within the work; then let it finish
                time.sleep(rng.random() * 0.05)
                os.kill(child.pid, signal.SIGKILL)
        killed += child.returncode == -signal.SIGKILL
        if child.returncode == 0:
            break
    assert killed > 0
    resumed = Projection(views, read_only=True)
    assert dump(resumed) == dump(undisturbed)
    assert resumed.db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_two_followers_of_one_file_share_the_work(city, tmp_path):
    path = tmp_path / "views.db"
    first, second = Projection(path), Projection(path)
    applied = 0

    class Interleaved(FailingLedger):
        def follow(self, topic: str, after: int, limit: int, partition: int) -> list[Kept]:
            kept = city.ledger.follow(topic, after, limit)
            if len(kept) == 20:  # the other is quicker while this one decodes
                nonlocal applied
                applied += second.catch_up(city.ledger, batch=50)
            return kept

    rest = first.catch_up(Interleaved(city.ledger, 0), batch=20)
    assert applied + rest == sum(
        len(city.ledger.follow(topic, -1, 10**9)) for topic in ("archive", "incidents", "events", "rejected")
    )
    assert dump(first) == dump(second) == dump(of(city))


def test_another_ledger_is_noticed_and_followed_from_its_start(city):
    other = City()
    other.publish(random_lives(99, 40))
    view = of(city)
    view.catch_up(other.ledger)
    assert dump(view) == dump(of(other))
    longer = City()
    longer.publish(random_lives(100, 200))
    view.catch_up(longer.ledger)
    assert dump(view) == dump(of(longer))
    emptied = City()
    view.catch_up(emptied.ledger)
    assert dump(view)["incident"] == []


def test_a_file_of_another_version_is_rebuilt(city, tmp_path):
    path = tmp_path / "views.db"
    view = Projection(path)
    view.catch_up(city.ledger)
    whole = dump(view)
    view.db.execute("DELETE FROM report")
    view.db.execute("CREATE TABLE of_another_time (x)")
    view.db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    view.close()
    with pytest.raises(ProjectionError, match="format"):
        Projection(path, read_only=True)
    again = Projection(path)
    again.catch_up(city.ledger)
    assert dump(again) == whole


def test_a_file_that_is_no_projection_is_left_alone(tmp_path):
    foreign, damaged = tmp_path / "foreign.db", tmp_path / "damaged.db"
    with sqlite3.connect(foreign) as db:
        db.execute("CREATE TABLE precious (x)")
    db.close()
    damaged.write_bytes(b"not a database at all" * 500)
    for path in (foreign, damaged):
        before = path.read_bytes()
        with pytest.raises(ProjectionError, match=str(path)):
            Projection(path)
        assert path.read_bytes() == before
    with pytest.raises(ProjectionError, match="no such projection"):
        Projection(tmp_path / "absent.db", read_only=True)
    (tmp_path / "empty.db").touch()
    with pytest.raises(ProjectionError, match="another program"):
        Projection(tmp_path / "empty.db", read_only=True)


def test_a_reader_beside_the_follower_reads_and_cannot_write(city, tmp_path):
    path = tmp_path / "views.db"
    follower = Projection(path)
    follower.catch_up(city.ledger)
    reader = Projection(path, read_only=True)
    assert dump(reader) == dump(follower)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.catch_up(_with_one_more(city))
    reader.close()


def _with_one_more(city: City) -> FailingLedger:
    class More(FailingLedger):
        def follow(self, topic: str, after: int, limit: int, partition: int) -> list[Kept]:
            if topic != "rejected":
                return city.ledger.follow(topic, after, limit)
            kept = city.ledger.follow(topic, after, limit)
            return kept or [Kept(after + 1, "k", START_MS, a_rejection(99)[3])]

    return More(city.ledger, 0)


@pytest.mark.parametrize(
    ("topic", "value"),
    [
        ("events", b'{"what":"merge","changes":7}'),
        ("rejected", b"{}"),
        ("archive", b'{"incident_id":"x"}'),
        ("events", b"{"),
    ],
)
def test_a_record_nobody_wrote_is_named(topic, value):
    city = City()
    city.commit([(topic, "x", START_MS, value)], {})
    with pytest.raises(ProjectionError, match=f"records 0 to 0 of {topic}: not what this program writes"):
        of(city)


def test_control_events_and_tombstones_of_the_unknown_pass():
    city = City()
    city.commit([("events", "control", START_MS, b'{"event":"policy_activated","sha256":"a"}')], {})
    city.drop(["20260921-000-09999"], START_MS + MINUTE_MS)
    view = of(city)
    assert dump(view)["incident"] == []
    assert view.latest_ms == START_MS + MINUTE_MS


def test_the_latest_instant_of_an_empty_ledger_is_zero():
    assert of(City()).latest_ms == 0


def test_the_file_is_where_it_was_asked_for(tmp_path):
    view = Projection(str(tmp_path / "as-text.db"))
    assert Path(view.db.execute("PRAGMA database_list").fetchone()[2]) == tmp_path / "as-text.db"
