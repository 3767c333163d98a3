"""`dispatcher mode show|set|end`: what is seen before, what is written, what the engine answers."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dispatcher.commands.mode.end import Wish as EndWish
from dispatcher.commands.mode.end import end_command
from dispatcher.commands.mode.set import Wish, set_command
from dispatcher.commands.mode.show import show_command
from dispatcher.core import CONTROL, ms_to_text, text_to_ms
from dispatcher.ledger import Entry, SqliteLedger
from tests.acceptance.command_line import dispatcher
from tests.commands.control_city import City

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


@pytest.fixture
def city(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> City:
    return City(tmp_path, capsys)


def wish(mode: str = "emergency", **changes: Any) -> Wish:
    cells = None if changes.get("everywhere") else "T1"
    made = Wish(mode, cells, False, "+6h", "a storm comes", None, "Wang", True, 0.0)
    return made._replace(**changes)


def set_mode(city: City, mode: str = "emergency", lang: str = "en", **changes: Any) -> str:
    set_command(city.config, None, wish(mode, **changes), lang=lang)
    return city.said()[0]


def shown(city: City) -> list[dict[str, Any]]:
    show_command(city.config, None, lang="en", json=True)
    return json.loads(city.said()[0])


def soon(ms: int) -> str:
    return ms_to_text(time.time_ns() // 1_000_000 + ms)


def test_beside_a_running_engine_it_holds_at_once_until_it_is_ended(city: City) -> None:
    city.report(("02", "T1C0"), ("02", "T1C1"), ("03", "T1C0"), ("02", "T2C0"))
    with city.engine() as metrics:
        said = set_mode(city, wait_s=60.0, proposal="cap-7")
        assert "3 open incidents in scope" in said
        assert "2 of 3 open incidents would be re-routed: 0 to another lead, 2 with more support" in said
        assert "emergency holds T1 until" in said
        assert "as emergency-2: for what comes in from now on" in said
        assert "`dispatcher reroute --cells T1` decides them again and would change 2" in said
        (span,) = shown(city)
        assert (span["mode"], span["cells"], span["reason"], span["over"]) == (
            "emergency", ["T1"], "a storm comes", False,
        )  # fmt: skip
        assert text_to_ms(span["until"]) - text_to_ms(span["since"]) <= 6 * HOUR_MS
        assert sample(metrics, "dispatch_mode_active", mode="emergency") == 1.0
        assert sample(metrics, "dispatch_mode_active", mode="watch") == 0.0
        assert sample(metrics, "dispatch_mode_active", mode="normal") is None
        (command,) = city.commands()
        assert (command["number"], command["proposal_id"], command["actor"]) == (
            2, "cap-7", {"role": "shift_lead", "person": "Wang"},
        )  # fmt: skip
        end_command(city.config, None, EndWish("emergency-2", None, "it passed", "Li", 60.0), lang="en")
        assert "emergency-2 is over since" in city.said()[0]
    assert shown(city) == []
    assert city.told() == ["mode_set", "mode_ended"]
    assert {i["mode"] for i in city.out("incidents")} == {"normal"}  # decisions are frozen


def sample(metrics: Any, name: str, **labels: str) -> float | None:
    end_s = time.monotonic() + 30
    while True:  # the loop counts just after its commit
        found = metrics.registry.get_sample_value(name, labels)
        if found or time.monotonic() > end_s or labels.get("mode") != "emergency":
            return found
        time.sleep(0.01)


def test_with_nobody_running_it_is_written_and_waits(city: City) -> None:
    said = set_mode(city, everywhere=True)
    assert "0 open incidents in scope" in said
    assert "is written as emergency-2; no engine runs on this ledger" in said
    assert "reroute" not in said
    assert "已写入（编号 watch-3）" in set_mode(city, "watch", "zh")
    show_command(city.config, None, lang="en", json=False)
    out, err = city.said()
    assert "normal everywhere" in out
    assert "2 command(s) about modes wait for the engine" in err
    end_command(city.config, None, EndWish("watch-3", None, "", "Li", 0.0), lang="zh")  # one that is about to hold
    assert "解除模式 watch-3已写入（编号 end-4）" in city.said()[0]
    city.work()
    assert city.told() == ["mode_set", "mode_set", "mode_ended"]
    assert [span["mode_id"] for span in shown(city)] == ["emergency-2"]


def test_the_same_is_not_set_twice(city: City) -> None:
    until = soon(HOUR_MS)
    set_mode(city, until=until)
    city.work()
    assert "emergency-2 is the same already" in set_mode(city, until=until)
    assert "emergency-2 已与此相同" in set_mode(city, "emergency", "zh", until=until)
    assert len(city.commands()) == 1
    set_mode(city, "watch", until=until)
    assert len(city.commands()) == 2


def test_for_programs_only_what_came_of_it(city: City) -> None:
    city.report(("02", "T1C0"), ("02", "T2C0"))
    until = soon(HOUR_MS)

    def done(command: Any, order: Any) -> tuple[Any, str]:
        command(city.config, None, order, lang="en", json=True)
        out, err = city.said()
        return json.loads(out), err

    with city.engine():
        made, err = done(set_command, wish(until=until, wait_s=60.0, proposal="cap-1"))
        at = made.pop("at")
        assert made == {
            "mode_id": "emergency-2", "mode": "emergency", "cells": ["T1"], "until": until[:-4] + "000Z", "open": 1,
            "would_change": 1, "command_id": "emergency-2", "outcome": "accepted",
        }  # fmt: skip
        assert at == shown(city)[0]["since"]
        assert "1 of 1 open incidents would be re-routed" in err  # seen before it is asked
        again, _ = done(set_command, wish(until=until))
        assert again == {"mode_id": "emergency-2", "outcome": "already"}
        confirmed, _ = done(set_command, wish("watch", proposal="cap-1"))
        assert confirmed == {"mode_id": "emergency-2", "outcome": "confirmed"}
        ((one,), _) = done(end_command, EndWish(None, "cap-1", "", "Li", 60.0))
        assert {**one, "at": None} == {
            "mode_id": "emergency-2", "command_id": "end-3", "outcome": "accepted", "at": None,
        }  # fmt: skip
        assert one["at"] > at
    waiting, _ = done(set_command, wish("watch", cells=None, everywhere=True))
    assert (waiting["outcome"], waiting["at"], waiting["cells"]) == ("no_engine", None, [])


def test_what_is_open_there_is_listed_with_the_gravest_first(city: City) -> None:
    city.report(*[("02", "T1C0")] * 11, ("03", "T1C1"), ("01.02", "T1C1"), ("03", "T2C0"))
    said = set_mode(city)
    lines = said.splitlines()
    assert "13 open incidents in scope" in said
    assert any([cell.strip() for cell in line.split("│")] == ["", "02 Noise", "police", "11", ""] for line in lines)
    gravest = said[said.index("the gravest") :]
    rows = [line.split("│") for line in gravest.splitlines() if line.startswith("│ 20")]
    assert len(rows) == 10
    assert [row[2].strip() for row in rows][:3] == ["2", "3", "4"]
    assert rows[0][3].strip() == "03 Gas"
    chinese = set_mode(city, "watch", "zh")
    assert "范围内在办案件 13 件" in chinese
    assert "最严重的案件" in chinese


def test_many_combinations_are_cut_short(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    from dispatcher.commands.mode import scope

    monkeypatch.setattr(scope, "GROUPS_TOLD", 1)
    city.report(("02", "T1C0"), ("03", "T1C1"))
    assert "1 more combinations" in set_mode(city)


def test_a_graver_mode_that_holds_already_is_not_foreseen_away(city: City) -> None:
    city.report(("02", "T1C0"))
    set_mode(city, everywhere=True)
    city.work()
    said = set_mode(city, "watch")
    assert "1 of 1 open incidents would be re-routed" in said  # by the emergency, which is the graver


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cells": None}, "say where"),
        ({"everywhere": True, "cells": "T1"}, "say where"),
        ({"cells": "T1, T9,"}, "has no cell T9"),
        ({"until": "tomorrow"}, "--until takes an instant"),
        ({"until": "2026-10-01T00:00:00"}, "--until takes an instant"),
        ({"until": "+999999d"}, "within 31 days"),
        ({"until": "2020-01-01T00:00:00Z"}, "in the future"),
        ({"mode": "normal"}, "normal cannot be set; the policy squares has watch, emergency"),
        ({"mode": "party"}, "party cannot be set"),
        ({"by": "x" * 257}, "--by takes at most 256"),
        ({"reason": "x" * 257}, "--reason takes at most 256"),
    ],
)
def test_what_makes_no_sense_writes_nothing(city: City, changes: dict[str, Any], said: str) -> None:
    assert said in city.refused(set_command, wish(**changes), code=2, lang="en")
    assert city.refused(set_command, wish(**changes), code=2, lang="zh")
    assert city.commands() == []


def test_too_many_cells(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    from dispatcher.commands import control

    monkeypatch.setattr(control, "CELLS_MAX", 1)
    assert "at most 1" in city.refused(set_command, wish(cells="T1,T2"), code=2, lang="en")


def test_who_is_not_asked_must_say_yes(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert "say --yes" in city.refused(set_command, wish(yes=False), code=2, lang="en")
    assert "请加 --yes" in city.refused(set_command, wish(yes=False), code=2, lang="zh")
    monkeypatch.setattr(sys, "stdin", Terminal("\n"))
    assert "nothing was written" in city.refused(set_command, wish(yes=False), lang="en")
    assert city.commands() == []
    monkeypatch.setattr(sys, "stdin", Terminal("是\n"))
    assert "已写入" in set_mode(city, "emergency", "zh", yes=False)
    assert len(city.commands()) == 1


def test_a_mode_that_does_not_hold_is_not_ended(city: City) -> None:
    def ended(lang: str) -> str:
        return city.refused(end_command, EndWish("x", None, "", None, 0.0), lang=lang)

    assert "no mode x holds; none does" in ended("en")
    set_mode(city)
    assert "these do: emergency-2" in ended("en")
    assert "现行：emergency-2" in ended("zh")


def test_a_proposal_is_confirmed_once_and_ended_by_its_name(city: City) -> None:
    def end(**changes: Any) -> EndWish:
        return EndWish(None, "cap-1", "cancelled", "Li", 0.0)._replace(**changes)

    assert "no mode that holds confirmed the proposal cap-1; none does" in city.refused(end_command, end(), lang="en")
    set_mode(city, proposal="cap-1")
    assert "emergency-2 confirmed the proposal cap-1 already" in set_mode(city, "watch", proposal="cap-1")
    city.work()
    assert "emergency-2 已确认建议 cap-1" in set_mode(city, "emergency", "zh", proposal="cap-1")
    set_mode(city, "watch", proposal="cap-2")
    city.work()
    assert "these do: emergency-2, watch-3" in city.refused(end_command, end(proposal="cap-9"), lang="en")
    end_command(city.config, None, end(), lang="en")
    assert "the end of the mode emergency-2 is written as end-4" in city.said()[0]
    city.work()
    assert [span["mode_id"] for span in shown(city)] == ["watch-3"]
    assert city.commands()[-1]["reason"] == "cancelled"
    assert "confirmed the proposal cap-1" in city.refused(end_command, end(), lang="en")
    set_mode(city, proposal="cap-1")  # it may be confirmed anew
    assert len(city.commands()) == 4
    for neither_or_both in (end(proposal=None), end(mode_id="watch-3")):
        assert "one of them" in city.refused(end_command, neither_or_both, code=2, lang="en")


def test_what_the_engine_refuses_is_an_error(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another administrator was quicker: between our reading and our writing."""
    from dispatcher.policies import control

    real = control.write

    def slower(ledger, command):  # type: ignore[no-untyped-def]
        other = b'{"command":"set_mode","command_id":"o","mode":"watch","until":"%s"}' % soon(HOUR_MS).encode()
        ledger.append([Entry(CONTROL, other)])
        written = real(ledger, command)
        city.work()
        return written

    monkeypatch.setattr(control, "write", slower)
    said = city.refused(set_command, wish(wait_s=5.0), lang="en")
    assert "the engine refused the mode emergency T1 until" in said
    assert "this was to be command 2; 2 have been taken" in said
    assert [span["mode_id"] for span in shown(city)] == ["o"]


def test_show_for_people(city: City) -> None:
    show_command(city.config, None, lang="zh", json=False)
    assert "全市均为 normal" in city.said()[0]
    set_mode(city, until=soon(1_500), cells="T1,T2,T1C0,T1C1,T2C0,T2C1")
    city.work()
    assert not shown(city)[0]["over"]
    until_ms = text_to_ms(shown(city)[0]["until"])
    while time.time_ns() // 1_000_000 <= until_ms:
        time.sleep(0.02)
    show_command(city.config, None, lang="en", json=False)
    said = city.said()[0]
    assert "T1, T2, T1C0, T1C1, T2C0, T2C1" in said
    assert "+0800 (its time is over" in said
    assert shown(city)[0]["over"]


def test_a_ledger_without_a_policy(city: City) -> None:
    city.ledger.unlink()
    assert "no such ledger" in city.refused(set_command, wish(), lang="en")
    SqliteLedger(city.ledger).close()
    assert "no policy is in force" in city.refused(set_command, wish(), lang="en")
    assert "尚无生效的政策" in city.refused(show_command, lang="zh", json=False)


def test_an_interrupted_replay_comes_first(city: City) -> None:
    ledger = SqliteLedger(city.ledger)
    ledger.put("imports", "replay", b'{"sha256":"x","records":10}')
    ledger.close()
    assert "interrupted replay" in city.refused(set_command, wish(), lang="en")


def test_from_the_command_line_while_it_runs(city: City) -> None:
    city.report(("02", "T1C0"))
    command = [sys.executable, "-m", "dispatcher", "--config", str(city.config), "run"]
    running = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "DISPATCHER__HTTP__PORT": "0"}
    )
    try:
        assert running.stderr is not None
        while "following" not in (line := running.stderr.readline()):
            assert line
        options = ("--until", "+2h", "--reason", "storm", "--yes", "--wait", "60")
        said = dispatcher("mode", "set", "emergency", "--cells", "T1C0,T2", *options, config=city.config).stdout
        assert "emergency holds T1C0, T2 until" in said
        assert "emergency-2" in dispatcher("mode", "show", config=city.config).stdout
        refused = dispatcher("mode", "set", "watch", "--everywhere", *options[:4], config=city.config, check=False)
        assert (refused.returncode, "say --yes" in refused.stderr) == (2, True)
        said = dispatcher("reroute", "--yes", "--wait", "60", "--reason", "storm", config=city.config).stdout
        assert "reroute-3 is over: 1 looked at, 1 re-routed" in said
        assert "is over since" in dispatcher("mode", "end", "emergency-2", "--wait", "60", config=city.config).stdout
        hour_ago, now = (ms_to_text(time.time_ns() // 1_000_000 - ms) for ms in (HOUR_MS, 0))
        said = dispatcher("outage", hour_ago, now, "--reason", "power", "-y", "--wait", "60", config=city.config).stdout
        assert "the outage is written down (outage-5)" in said
        doctor = json.loads(dispatcher("doctor", "--json", config=city.config).stdout)
        assert {line["part"]: line["what"] for line in doctor}["watchdog"].startswith("1 open incident(s)")
        running.send_signal(signal.SIGTERM)
        _, told = running.communicate(timeout=60)
        assert running.returncode == 0, told
    finally:
        running.kill()
    assert city.told() == ["mode_set", "reroute_begun", "reroute_ended", "mode_ended", "outage"]
