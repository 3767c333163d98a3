"""Growth at small sizes: every size is a row and compared with the smallest; a wrong answer ends it."""

import json
from pathlib import Path

import pytest

from bench.answers import WrongAnswer
from bench.core import Setting
from bench.growth import __main__ as command
from bench.growth.backlog import Backlogged
from bench.growth.cities import grown_city
from bench.growth.rounds import Size
from bench.policy import policy_files
from bench.town import Town
from bench.workload import as_backlog, city_day
from dispatcher.core.publish import Publisher
from rules import Decider, load_policy

TINY = Size(rounds=2, reports=60, incidents=(50, 200), rules=(20, 60), cells=(60, 120), usual_rules=20, points=200)


def test_every_size_is_a_row_and_compared_with_the_smallest(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setattr(command, "QUICK", TINY)
    file = tmp_path / "runs.jsonl"
    assert command.main(["--quick", "--json", str(file)], town) == 0
    rows = {row["name"]: row for row in json.loads(file.read_text())["rows"]}
    text = capsys.readouterr().out
    for what, sizes in (("open incidents", (50, 200)), ("rules", (20, 60)), ("cells", (60, 120))):
        small, large = (rows[f"growth: {size:,} {what}"] for size in sizes)
        ratio = rows[f"growth: {sizes[1]:,} over {sizes[0]:,} {what}"]
        assert small["rounds"] == large["rounds"] == ratio["rounds"] == 2
        assert ratio["min"] >= large["min"] / small["max"]
    assert all(name in text for name in rows)
    assert "growth: memory of each of 200 open incidents, caches included" in rows
    assert "all answers checked" in text


def test_a_grown_city_is_a_whole_town():
    city = grown_city(2, 300)
    assert city.grid_geojson() == grown_city(2, 300).grid_geojson()
    town = Town(2, city)
    assert 250 < len(town.leaves) < 350
    assert town.grid.levels == 5
    day = city_day(town, 200, 1)
    work = Backlogged(Setting(town, load_policy(policy_files(town.grid, 20, 1)), day), 30, 1)
    assert work.report_us(as_backlog(day)[0])[0] > 0


def test_wrong_answers_of_growth_are_noticed(town: Town, monkeypatch: pytest.MonkeyPatch):
    setting = Setting(town, load_policy(policy_files(town.grid, 60, 1)), city_day(town, 100, 1))
    backlogged = Backlogged(setting, 100, 1)
    first = Decider.decide
    answers = []

    def decide(self, facts):
        answers.append(first(self, facts))
        return answers[0]

    monkeypatch.setattr(Decider, "decide", decide)
    with pytest.raises(WrongAnswer, match="departments of"):
        backlogged.report_us(as_backlog(setting.day)[0])


def test_sizes_that_put_out_different_things_are_noticed(
    town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    original = Publisher.emit

    def emit(self: Publisher, topic: str, key: str, at_ms: int, value: bytes) -> None:
        if not (topic.startswith("dept.") and key.endswith("00211")):  # only where 200 are open already
            original(self, topic, key, at_ms, value)

    monkeypatch.setattr(Publisher, "emit", emit)
    monkeypatch.setattr(command, "QUICK", TINY)
    assert command.main(["--quick"], town) == 1
    assert "more records where more is open" in capsys.readouterr().err
