"""Shifts handed over: kept once, taken over once and by another, in a file that an older version made too."""

import sqlite3
from pathlib import Path

import pytest

from dispatcher.gateway import Handovers, Keys, Person

NIGHT = Person("k1", "night", "", ("shift_lead",), ("1", "2"))
DAY = Person("k2", "day", "", ("shift_lead",), ("*",))


@pytest.fixture
def handovers(tmp_path: Path) -> Handovers:
    return Handovers(Keys(tmp_path / "keys").db)


def test_a_sheet_is_kept_as_it_was_given(handovers: Handovers):
    number = handovers.give(NIGHT, b'{"at":"x"}', "two pumps", "draft")
    kept = handovers.of(number)
    assert kept is not None
    assert (kept.sheet, kept.areas, kept.taken) == (b'{"at":"x"}', ("1", "2"), None)
    assert (kept.given.key_id, kept.given.name, kept.given.notes) == ("k1", "night", "two pumps")
    assert handovers.of(number + 1) is None


def test_asked_twice_of_one_page_it_counts_once(handovers: Handovers):
    first = handovers.give(NIGHT, b"{}", "first", "draft")
    assert handovers.give(NIGHT, b"{}", "again", "draft") == first
    assert handovers.give(DAY, b"{}", "another's", "draft") != first
    assert [each.given.notes for each in handovers.last(10)] == ["another's", "first"]
    assert [each.given.notes for each in handovers.last(1)] == ["another's"]


def test_it_is_taken_over_once_and_by_another(handovers: Handovers):
    number = handovers.give(NIGHT, b"{}", "", "draft")
    assert not handovers.take(NIGHT, number, "mine")
    assert not handovers.take(DAY, number + 1, "there is none")
    assert handovers.take(DAY, number, "all clear")
    assert not handovers.take(DAY, number, "twice")
    assert not handovers.take(Person("k3", "third", "", ("shift_lead",), ("*",)), number, "late")
    kept = handovers.of(number)
    assert kept is not None
    assert kept.taken is not None
    assert (kept.taken.name, kept.taken.notes) == ("day", "all clear")
    assert kept.taken.at_ms >= kept.given.at_ms
    assert kept.given.notes == ""


def test_a_file_of_an_older_version_gets_what_it_lacks(tmp_path: Path):
    path = tmp_path / "keys"
    keys = Keys(path)
    key = keys.add("night", ["shift_lead"])
    keys.db.execute("DROP TABLE handover")
    keys.db.execute("PRAGMA user_version = 2")
    keys.close()
    keys = Keys(path)
    person = keys.person(key)
    assert person is not None
    assert Handovers(keys.db).give(person, b"{}", "", "draft") == 1
    keys.close()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (3,)
    db.close()
