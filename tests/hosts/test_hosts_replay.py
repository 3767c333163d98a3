"""History in its order: time, then kind, then id; what is dated wrong is dated as its report and flagged."""

import json

import pytest

from dispatcher.hosts.mapping import load_mapping
from dispatcher.hosts.replay import History, read_history, refuse_unfinished_replay
from dispatcher.ledger import LedgerError, MemoryLedger

MAPPING = b"""
report: {report_id: [id], source: {value: s}, reported_at: [t], category: [c], location.lat: [lat], location.lon: [lon]}
events: {closed: [closed]}
"""


def history(*lines: str) -> History:
    data = ("id,t,c,closed\n" + "\n".join(lines)).encode()
    return read_history([("f.csv", data)], load_mapping(MAPPING, "m"), MAPPING)


def said(made: History) -> list[tuple[str, str]]:
    found = []
    for entry in made.entries:
        value = json.loads(entry.value)
        found.append((value.get("action", "report"), value.get("report_id") or value["report"]["report_id"]))
    return found


def test_time_then_kind_then_id() -> None:
    made = history(
        "b,2020-01-01T00:00:00,x,2020-01-01T00:00:02", "a,2020-01-01T00:00:00,x,", "c,2020-01-01T00:00:02,x,"
    )
    assert said(made) == [
        ("report", "a"), ("report", "b"), ("report", "c"), ("acknowledge", "b"), ("done", "b"), ("check", "b"),
    ]  # fmt: skip
    times = [entry.time_ms for entry in made.entries]
    assert times == sorted(times, key=lambda ms: ms or 0)


def test_closed_before_it_was_made() -> None:
    made = history("a,2020-01-02T00:00:00,x,2020-01-01T00:00:00")
    updates = [json.loads(entry.value) for entry in made.entries[1:]]
    assert {entry.time_ms for entry in made.entries} == {made.entries[0].time_ms}
    assert all(update["flags"] == ["clock_skew"] for update in updates)


def test_of_several_rows_with_one_id_the_first_in_time_counts() -> None:
    made = history("a,2020-01-02T00:00:00,x,2020-01-03T00:00:00", "a,2020-01-01T00:00:00,y,2020-01-05T00:00:00")
    assert said(made) == [("report", "a"), ("report", "a"), ("acknowledge", "a"), ("done", "a"), ("check", "a")]
    assert json.loads(made.entries[-1].value)["at"].startswith("2020-01-05")


def test_a_row_without_a_time_comes_last_and_closes_nothing() -> None:
    made = history("a,never,x,2019-01-01T00:00:00", "b,2020-01-01T00:00:00,x,")
    assert said(made) == [("report", "a"), ("report", "b")] or said(made) == [("report", "b"), ("report", "a")]
    assert made.entries[0].time_ms == made.entries[1].time_ms
    assert made.rows == 2


@pytest.mark.parametrize("lines", [["a,2020-01-01T00:00:00,x,", "b,2020-01-02T00:00:00,x,2020-01-04T00:00:00"]])
def test_the_order_of_rows_makes_no_difference(lines: list[str]) -> None:
    assert history(*lines).entries == history(*reversed(lines)).entries


def test_identity_is_of_files_and_mapping() -> None:
    one, two = history("a,2020-01-01T00:00:00,x,"), history("b,2020-01-01T00:00:00,x,")
    assert one.identity != two.identity
    assert one.identity == history("a,2020-01-01T00:00:00,x,").identity


def test_an_unfinished_replay_is_finished_before_anything_live() -> None:
    made = history("a,2020-01-01T00:00:00,x,2020-01-02T00:00:00")
    ledger = MemoryLedger(lambda: 0)
    refuse_unfinished_replay(ledger)
    ledger.put("imports", "replay", json.dumps({"sha256": made.identity, "records": len(made.entries)}).encode())
    ledger.append(made.entries[:-1])
    with pytest.raises(LedgerError, match="interrupted"):
        refuse_unfinished_replay(ledger)
    ledger.append(made.entries[-1:])
    refuse_unfinished_replay(ledger)


def test_the_close_of_a_row_that_cannot_be_taken_closes_nothing_else() -> None:
    data = (
        b"id,t,c,closed,lat,lon\na,2020-01-01T00:00:00,x,2020-01-09T00:00:00,north,1\n"
        b"a,2020-01-02T00:00:00,x,2020-01-03T00:00:00,40,1\n"
    )
    made = read_history([("f.csv", data)], load_mapping(MAPPING, "m"), MAPPING)
    assert [action for action, _ in said(made)] == ["report", "report", "acknowledge", "done", "check"]
    assert json.loads(made.entries[-1].value)["at"].startswith("2020-01-03")


def test_a_later_row_that_says_the_same_may_bring_the_close() -> None:
    made = history("a,2020-01-01T00:00:00,x,", "a,2020-01-01T00:00:00,x,2020-01-05T00:00:00")
    assert [action for action, _ in said(made)] == ["report", "report", "acknowledge", "done", "check"]
