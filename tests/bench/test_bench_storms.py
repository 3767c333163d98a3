"""A storm and a camera burst: what becomes of them is known from how they were made, and the engine agrees."""

from collections import Counter
from collections.abc import Callable
from itertools import combinations, pairwise

import orjson
import pytest

from bench.answers import WrongAnswer
from bench.burst import camera_burst
from bench.core import Setting, run_backlog, run_day
from bench.policy import policy_files
from bench.storm import APART_DEGREES, MODE, storm
from bench.town import Town
from bench.workload import HOUR_MS, START_MS, Day, as_backlog, as_day
from rules import Policy, load_policy


@pytest.fixture(scope="module")
def policy(town: Town) -> Policy:
    return load_policy(policy_files(town.grid, 60, 1))


@pytest.mark.parametrize("make", [storm, camera_burst])
def test_a_day_is_a_function_of_its_seed_and_the_engine_agrees(
    make: Callable[[Town, int, int], Day], town: Town, policy: Policy
):
    day = make(town, 600, 3)
    assert day == make(town, 600, 3)
    assert day.reports != make(town, 600, 4).reports
    assert all(a.time_ms <= b.time_ms for a, b in pairwise(as_day(day)))
    counts = day.expected.counts
    assert counts["reports_accepted"] == 600
    assert len(day.reports) == 600 + counts.get("reports_repeated", 0)
    setting = Setting(town, policy, day)
    assert run_day(setting) == run_day(setting)
    assert len(run_backlog(setting).engine.state.incidents) == 600 - counts["reports_merged"]


@pytest.mark.parametrize(("name", "by"), [("reports_merged", 1), ("modes", 1)])
def test_another_outcome_of_a_storm_is_a_wrong_answer(town: Town, policy: Policy, name: str, by: int):
    day = storm(town, 200, 1)
    expected = day.expected
    if name == "modes":
        expected = expected._replace(modes={**expected.modes, MODE: expected.modes[MODE] + by})
    else:
        expected.counts[name] += by
    with pytest.raises(WrongAnswer, match=name):
        run_day(Setting(town, policy, day._replace(expected=expected)))


def test_a_storm_has_an_emergency_and_spots_that_merge(town: Town):
    day = storm(town, 2_000, 1)
    [command] = day.commands
    assert orjson.loads(command.value)["mode"] == MODE
    assert as_day(day)[0] == as_backlog(day)[0][0]._replace(time_ms=command.time_ms) == command
    assert all(START_MS < sent.time_ms <= START_MS + 3 * HOUR_MS for sent in day.reports)
    opened, under = 2_000 - day.expected.counts["reports_merged"], day.expected.modes[MODE]
    assert opened == 1_000 + 25
    assert under / opened > 0.3
    places: dict[str, tuple[float, float]] = {}
    for sent in day.reports:
        report = orjson.loads(sent.value)
        if report["category"][:2] in ("07", "11"):
            lon, lat = report["location"]["lon"], report["location"]["lat"]
            places.setdefault(f"{lon:.3f} {lat:.3f}", (lon, lat))
    assert len(places) >= 25
    near = APART_DEGREES / 8  # of one spot, on either side of a rounded edge
    for (a, b), (c, d) in combinations(places.values(), 2):
        assert max(abs(a - c), abs(b - d)) > APART_DEGREES - near or max(abs(a - c), abs(b - d)) < near


def test_a_burst_is_one_camera_within_minutes(town: Town):
    day = camera_burst(town, 1_000, 1)
    reports = [orjson.loads(sent.value) for sent in day.reports]
    assert {report["source"] for report in reports} == {"ai_video"}
    assert len({orjson.dumps(report["location"]) for report in reports}) == 1
    assert day.reports[-1].time_ms - day.reports[0].time_ms < 10 * 60_000
    assert Counter(Counter(sent.value for sent in day.reports).values()) == {1: 980, 2: 20}
