"""`dispatcher outage`: which deadlines fell into it, counted from the records; then written down."""

import time
from pathlib import Path
from typing import Any

import pytest

from dispatcher.commands.outage import Wish, fell_into, outage_command
from dispatcher.core import ms_to_text, text_to_ms
from dispatcher.ledger import SqliteLedger
from tests.commands.control_city import City

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


@pytest.fixture
def city(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> City:
    return City(tmp_path, capsys)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def wish(**changes: Any) -> Wish:
    hours = [ms_to_text(now_ms() - n * HOUR_MS) for n in (2, 1)]
    return Wish(*hours, "the network was down", "Li", True, 0.0)._replace(**changes)


def dues(city: City) -> list[tuple[int, str]]:
    """Every deadline in the ledger by an independent reading of its records."""
    newest = {i["incident_id"]: i for topic in ("archive", "incidents") for i in city.out(topic) if "page" not in i}
    return sorted(
        (text_to_ms(target["due_at"]), target["name"])
        for incident in newest.values()
        for target in incident.get("targets", [])
        if "revoked_at" not in target
    )


def test_deadlines_are_counted_held_or_archived(city: City) -> None:
    city.report(("03", "T1C0"), ("02", "T1C1"), ("01.02", "T1C1"))
    first, second, _ = sorted(i["incident_id"] for i in city.out("incidents"))
    city.update(first, "void", reason_code="test")  # archived, and its deadlines revoked
    city.update(second, "acknowledge")
    all_due = dues(city)
    assert len(all_due) >= 3
    with city.reading() as ledger:
        whole = fell_into(ledger, all_due[0][0], all_due[-1][0])
        assert sorted(whole.due.elements()) == sorted(name for _, name in all_due)
        assert (whole.incidents, whole.breached.total()) == (2, 0)
        earliest = fell_into(ledger, all_due[0][0], all_due[0][0])
        assert earliest.due.total() == sum(at == all_due[0][0] for at, _ in all_due)
        assert fell_into(ledger, 0, all_due[0][0] - 1) == ({}, {}, 0)
        assert fell_into(ledger, all_due[-1][0] + 1, 1 << 41) == ({}, {}, 0)


def test_an_incident_counts_as_it_was_known_last(city: City) -> None:
    """Closed and archived with one deadline, reopened with a later one: the earlier counts no more."""
    city.report(("01.02", "T1C1"))
    (incident_id,) = (i["incident_id"] for i in city.out("incidents"))
    for action, fields in (("acknowledge", {}), ("done", {}), ("check", {"result": "pass"})):
        city.update(incident_id, action, **fields)
    (archived,) = city.out("archive")
    resolve_ms = next(text_to_ms(t["due_at"]) for t in archived["targets"] if t["name"] == "resolve")
    with city.reading() as ledger:
        assert fell_into(ledger, resolve_ms, resolve_ms).due["resolve"] == 1
    city.update(incident_id, "reopen_request")
    city.update(incident_id, "reopen")  # its clock goes on where it stood
    assert resolve_ms not in [due_ms for due_ms, name in dues(city) if name == "resolve"]
    with city.reading() as ledger:
        assert fell_into(ledger, resolve_ms, resolve_ms) == ({}, {}, 0)
        assert fell_into(ledger, 0, 1 << 41).due.total() == len(dues(city))


def test_it_is_shown_and_written(city: City) -> None:
    city.work()
    with city.engine():
        outage_command(city.config, None, wish(wait_s=60.0), lang="en")
    said = city.said()[0]
    assert "no deadline fell into" in said
    assert "the outage is written down (outage-2)" in said
    (event,) = (e for e in city.out("events", "control") if e["event"] == "outage")
    assert event["by"] == {"role": "supervisor", "person": "Li"}
    assert event["reason"] == "the network was down"
    outage_command(city.config, None, wish(), lang="zh")
    assert "没有时限落在" in (said := city.said()[0])
    assert "故障时段已写入（编号 outage-3）" in said


def test_what_fell_into_it_is_a_table(city: City, tmp_path: Path) -> None:
    """Reports of three hours ago whose deadlines were due and breached before the outage is written."""
    import json

    from dispatcher.core import CLOCK, REPORTS
    from dispatcher.ledger import Entry

    city.ledger.unlink()
    then_ms = now_ms() - 3 * HOUR_MS
    ledger = SqliteLedger(city.ledger, clock=lambda: then_ms)
    ledger.close()
    message = {"report_id": "r", "source": "hotline", "reported_at": ms_to_text(then_ms), "category": "03",
               "location": {"cell": "T1C0"}}  # fmt: skip
    city.work(Entry(REPORTS, json.dumps(message).encode(), None, then_ms), Entry(CLOCK, b"", None, now_ms() - 1_000))
    whole = wish(since=ms_to_text(then_ms), until=ms_to_text(now_ms() - 1_000))
    outage_command(city.config, None, whole, lang="en")
    said = city.said()[0]
    rows = {r[0]: r[1:] for line in said.splitlines() if (r := [c.strip() for c in line.split("│")[1:-1]]) and r[0]}
    assert rows["acknowledge"] == ["3", "3"]  # gas, fire and the street within five minutes
    assert rows["attend"] == ["1", "1"]
    assert rows["total"] == [str(sum(int(r[n]) for k, r in rows.items() if k != "total")) for n in (0, 1)]
    assert "1 incident(s) have such a deadline" in said
    outage_command(city.config, None, whole, lang="zh")
    assert "时限落在" in city.said()[0]
    outage_command(city.config, None, whole, lang="en", json=True)
    made, told = city.said()
    assert "1 incident(s) have such a deadline" in told
    counted = {name: tuple(map(int, row)) for name, row in rows.items() if row[0].isdigit() and name != "total"}
    assert json.loads(made) == {
        "since": whole.since, "until": whole.until, "incidents": 1,
        "due": {name: due for name, (due, _) in counted.items()},
        "breached": {name: breached for name, (_, breached) in counted.items() if breached},
        "command_id": "outage-4", "outcome": "no_engine", "at": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"since": "yesterday"}, "yesterday is no instant"),
        ({"until": "2026-10-01T00:00:00"}, "is no instant with its offset"),
        ({"since": "2020-01-01T00:00:00Z"}, "lasts at most 31 days"),
        ({"until": "2020-01-01T00:00:00Z"}, "begins before it ends"),
        ({"until": "2999-01-01T00:00:00Z"}, "lies in the past"),
        ({"reason": "  "}, "--reason says what had failed"),
    ],
)
def test_what_makes_no_sense_writes_nothing(city: City, changes: dict[str, Any], said: str) -> None:
    assert said in city.refused(outage_command, wish(**changes), code=2, lang="en")
    assert city.refused(outage_command, wish(**changes), code=2, lang="zh")
    assert city.commands() == []


def test_a_ledger_without_a_policy(city: City) -> None:
    city.ledger.unlink()
    SqliteLedger(city.ledger).close()
    assert "no policy is in force" in city.refused(outage_command, wish(), lang="en")
