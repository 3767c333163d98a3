"""`dispatcher reroute`: what is previewed is what is done, and its progress is followed to the end."""

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dispatcher.commands import reroute as commands
from dispatcher.commands.control import Sent
from dispatcher.commands.mode.set import Wish as ModeWish
from dispatcher.commands.mode.set import set_command
from dispatcher.commands.reroute import Wish, preview_command, reroute_command
from dispatcher.core.job import Job
from dispatcher.core.wire import encode
from tests.commands.control_city import City


@pytest.fixture
def city(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> City:
    return City(tmp_path, capsys)


@pytest.fixture
def storm(city: City) -> City:
    """Four open incidents, and an emergency in T1 since then: it concerns two of the three that lie there."""
    city.report(("02", "T1C0"), ("02", "T1C1"), ("03", "T1C0"), ("02", "T2C0"))
    set_command(
        city.config, None, ModeWish("emergency", "T1", False, "+6h", "storm", None, "Wang", True, 0.0), lang="en"
    )
    city.work()
    city.said()
    return city


def preview(city: City, cells: str | None = None, lang: str = "en", **form: bool) -> str:
    preview_command(city.config, None, cells, lang=lang, **{"csv": False, "json": False, **form})
    return city.said()[0]


def reroute(city: City, cells: str | None = None, lang: str = "en", wait_s: float = 0.0) -> str:
    reroute_command(city.config, None, Wish(cells, "the storm", "Wang", True, wait_s), lang=lang)
    return city.said()[0]


def test_the_preview_in_its_forms(storm: City) -> None:
    ids = sorted(incident["incident_id"] for incident in storm.out("incidents"))
    said = preview(storm)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines() if line.startswith("│ 20")]
    assert rows == [[id_, "police", "fire", "4 -> 1", "works", "normal -> emergency"] for id_ in ids[:2]]
    total = "2 of 4 open incidents would be re-routed: 0 to another lead, 2 with more support, 2 with another severity"
    assert total in said
    chinese = preview(storm, lang="zh")
    assert "在办 4 件中有 2 件会改变" in chinese
    assert "新增协办" in chinese
    made = json.loads(preview(storm, "T1C1,T2", json=True))
    assert (made["cells"], made["open"], made["changed"]) == (["T1C1", "T2"], 2, 1)
    assert made["incidents"][0] == {
        "incident_id": ids[1], "lead_before": "police", "lead_after": "police", "support_added": ["fire"],
        "severity_before": 4, "severity_after": 1, "sla_before": "works", "sla_after": "works",
        "mode_before": "normal", "mode_after": "emergency",
    }  # fmt: skip
    lines = list(csv.DictReader(io.StringIO(preview(storm, csv=True))))
    assert [(line["incident_id"], line["support_added"]) for line in lines] == [(ids[0], "fire"), (ids[1], "fire")]
    assert preview(storm, "T2").startswith("0 of 1 open incidents")
    assert storm.told() == ["mode_set"]


def test_what_was_previewed_is_done(storm: City) -> None:
    foreseen = json.loads(preview(storm, json=True))["incidents"]
    with storm.engine():
        said = reroute(storm, wait_s=60.0)
    assert "2 of 4 open incidents would be re-routed" in said
    assert "reroute-3 is over: 4 looked at, 2 re-routed" in said
    changed = {i["incident_id"]: i for i in storm.out("incidents") if i["mode"] == "emergency"}
    assert sorted(changed) == [each["incident_id"] for each in foreseen]
    assert {i["severity"] for i in changed.values()} == {1}
    assert storm.commands()[-1]["reason"] == "the storm"
    assert "nothing would change; nothing was written" in reroute(storm)
    assert "没有案件会改变" in reroute(storm, lang="zh")
    assert len(storm.commands()) == 2


def test_only_in_some_cells_and_in_chinese(storm: City) -> None:
    with storm.engine():
        assert "查看 1 件，改变 1 件" in reroute(storm, "T1C1", "zh", 60.0)
    assert [i["place"]["cell"] for i in storm.out("incidents") if i["mode"] == "emergency"] == ["T1C1"]


def test_with_nobody_running_it_waits(storm: City) -> None:
    assert "the re-routing (T1) is written as reroute-3; no engine runs" in reroute(storm, "T1")
    storm.work()
    assert storm.told() == ["mode_set", "reroute_begun", "reroute_ended"]


def test_cells_are_those_of_the_grid(storm: City) -> None:
    assert "has no cell T7" in storm.refused(reroute_command, Wish("T7", "", None, True, 0.0), code=2, lang="en")


class Jobs:
    """What `state` says of the job, one look after the other; the last is said for ever."""

    def __init__(self, *looked_at: int) -> None:
        self._jobs: Iterator[Job] = (Job("reroute-3", 0, (), "", n, n // 2) for n in looked_at)
        self._last: Job | None = None

    def __call__(self, ledger: object) -> Job | None:
        self._last = next(self._jobs, self._last)
        return self._last


def test_its_progress_is_shown_until_it_does_not_move(storm: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_job", Jobs(0, 3, 3, 8))
    steps: list[float] = []
    with storm.reading() as ledger:
        stuck = commands._follow(ledger, Sent("reroute-3", "", -1), 0.2, steps.append)
        assert isinstance(stuck, Job)
        assert (stuck.looked_at, steps) == (8, [3, 5])
        monkeypatch.setattr(commands, "_job", Jobs(2))
        assert isinstance(commands._follow(ledger, Sent("reroute-3", "", -1), 0.1, None), Job)


def left_under_way(city: City) -> None:
    """The ledger of an engine that died in the middle: a job on `state`, and nobody going on with it."""
    job = encode(Job("reroute-3", 0, (), "", 2, 1))
    with closing(sqlite3.connect(city.ledger)) as db, db:
        db.execute(
            "INSERT OR REPLACE INTO compacted (topic, key, time_ms, value) VALUES ('state', 'job', 0, ?)", (job,)
        )


def test_one_at_a_time(storm: City) -> None:
    left_under_way(storm)
    again = Wish(None, "", None, True, 0.0)
    said = storm.refused(reroute_command, again, lang="en")
    assert "the re-routing reroute-3 is under way (2 looked at, 1 changed)" in said
    assert "正在进行" in storm.refused(reroute_command, again, lang="zh")


def test_one_that_stands_still_is_an_error(storm: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine takes the command and dies: nothing moves any more."""
    real = commands.send

    def taken(*arguments: Any) -> Sent:
        assert real(*arguments).silence is not None
        storm.work()
        left_under_way(storm)
        return Sent("reroute-3", "", -1)

    monkeypatch.setattr(commands, "send", taken)
    said = storm.refused(reroute_command, Wish(None, "", None, True, 0.0), lang="en")
    assert "reroute-3 is under way (2 looked at, 1 changed) and has not moved for 0 s" in said


def test_a_ledger_that_lost_a_policy(storm: City) -> None:
    with closing(sqlite3.connect(storm.ledger)) as db, db:
        db.execute("DELETE FROM compacted WHERE topic = 'policies'")
    assert "is not in the ledger" in storm.refused(preview_command, None, csv=False, json=False, lang="en")
