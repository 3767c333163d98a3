"""`dispatcher doctor` on modes and on open incidents that nothing would move on."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dispatcher.commands.doctor import doctor_command
from dispatcher.commands.mode.set import Wish, set_command
from dispatcher.ledger import SqliteLedger
from tests.commands.control_city import City


@pytest.fixture
def city(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> City:
    return City(tmp_path, capsys)


def examined(city: City, part: str, code: int = 0) -> tuple[str, str]:
    """What the doctor says of a part: its state, and in words; the command ends with this exit code."""
    if code:
        with pytest.raises(SystemExit) as ended:
            doctor_command(city.config, None, json=True)
        assert ended.value.code == code
    else:
        doctor_command(city.config, None, json=True)
    return next((line["state"], line["what"]) for line in json.loads(city.said()[0]) if line["part"] == part)


def tamper(city: City, topic: str, key: str, change: Any) -> None:
    with closing(sqlite3.connect(city.ledger)) as db, db:
        where = "WHERE topic = ? AND key = ?"
        value = db.execute(f"SELECT value FROM compacted {where}", (topic, key)).fetchone()[0]
        changed = json.dumps(change(json.loads(value))).encode()
        db.execute(f"UPDATE compacted SET value = ? {where}", (changed, topic, key))


def without_timers(incident: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in incident.items() if k not in ("targets", "next_at", "desk_at", "verify_at")}


def test_a_healthy_city(city: City) -> None:
    assert examined(city, "watchdog") == ("ok", "0 open incident(s), each with a timer ahead or its ladder climbed")
    city.report(("02", "T1C0"), ("03", "T1C0"))
    city.update(sorted(i["incident_id"] for i in city.out("incidents"))[0], "void", reason_code="test")
    assert examined(city, "watchdog")[1].startswith("1 open incident(s)")
    assert examined(city, "modes") == ("ok", "the ordinary one everywhere")
    wish = Wish("emergency", None, True, "+1h", "storm", None, "Wang", True, 0.0)
    set_command(city.config, None, wish, lang="en")
    city.work()
    city.said()
    state, what = examined(city, "modes")
    assert (state, what.partition(" until ")[0]) == ("ok", "emergency (emergency-2)")


def test_what_nothing_would_move_on_is_listed(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    from dispatcher.commands import doctor

    city.report(("02", "T1C0"), ("03", "T1C0"), ("02", "T2C0"))
    ids = sorted(i["incident_id"] for i in city.out("incidents"))
    for incident_id in ids[:2]:
        tamper(city, "incidents", incident_id, without_timers)
    state, what = examined(city, "watchdog", code=1)
    assert state == "WRONG"
    assert f"2 open incident(s) that nothing would move on: {ids[0]} (no timer is set), {ids[1]} (no" in what
    assert ids[2] not in what
    monkeypatch.setattr(doctor, "UNWATCHED_TOLD", 1)
    assert f"{ids[0]} (no timer is set) and 1 more" in examined(city, "watchdog", code=1)[1]


def test_a_mode_that_outlived_its_time(city: City) -> None:
    wish = Wish("emergency", "T1", False, "+1h", "storm", None, "Wang", True, 0.0)
    set_command(city.config, None, wish, lang="en")
    city.work()
    tamper(city, "state", "modes", lambda spans: [{**spans[0], "until_ms": 1}])
    city.said()
    state, what = examined(city, "modes", code=1)
    assert state == "WRONG"
    assert "was over before the last record" in what


def test_before_anything_was_worked_through(city: City) -> None:
    city.ledger.unlink()
    assert examined(city, "modes") == examined(city, "watchdog") == ("ok", "nothing has been worked through yet")
    SqliteLedger(city.ledger).close()
    assert examined(city, "watchdog") == ("ok", "nothing has been worked through yet")
