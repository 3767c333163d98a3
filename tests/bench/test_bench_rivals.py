"""Rivals are given the same input and must give the same answers; what a table can't say is refused, not left out."""

from types import MappingProxyType

import numpy as np
import orjson
import pytest

from bench.answers import WrongAnswer
from bench.policy import CATEGORIES, policy_files
from bench.rivals import Rivals
from bench.rivals.deciding import Deciding
from bench.rivals.locating import Locating
from bench.rivals.tabling import decision_of
from bench.town import Town
from bench.workload import START_MS
from geo import Locator
from rules import Decider, Facts, load_policy


def facts_of(town: Town, number: int) -> Facts:
    path = town.grid.paths[town.grid.leaf_numbers[number * 37 % 6_000]]
    severity, hour_ms = 1 + number % 4, 3_600_000
    return Facts(
        category=CATEGORIES[number % len(CATEGORIES)],
        severity=severity,
        mode=("normal", "emergency")[number % 5 == 0],
        path=path,
        source=("hotline", "app", "ai_video")[number % 3],
        platform="people",
        at_ms=START_MS + number * hour_ms,
        reporters=1 + number % 6,
        keywords=("漏气",) if number % 4 == 0 else (),
        attributes=(("indoor", number % 2 == 0), ("lanes", 1 + number % 4)),
    )


def test_all_agree_and_each_figure_is_a_row(town: Town):
    rows: dict[str, float] = {}

    def add(name: str, _unit: str, value: float) -> None:
        rows[name] = value

    Rivals(town, 60, 2_000, 1).round([facts_of(town, n) for n in range(300)], add)
    assert min(rows.values()) > 0
    assert {name for name in rows if " times " in name} == {
        "locate: times rtree in a loop",
        "locate: times STRtree in bulk",
        "decide: times ZEN Engine, facts not met before",
        "decide: times ZEN Engine, facts met before",
        "decide: times the plain loop, facts not met before",
        "decide: times the plain loop, facts met before",
    }


def test_a_table_answers_with_the_route_that_wins(town: Town):
    """More rules and facts than a round has: priorities, depths, every kind of condition."""
    deciding = Deciding(town, 150, 2)
    facts = [facts_of(town, n) for n in range(600)]
    assert deciding.rates(facts).zen > 0
    assert len({deciding._decider.decide(each).route for each in facts}) > 20


def test_a_wrong_cell_is_not_timed(town: Town, monkeypatch: pytest.MonkeyPatch):
    original = Locator.locate

    def locate(self, *columns):
        found = original(self, *columns)
        found.cell[7] = found.cell[0]
        return found

    locating = Locating(town, 500, 1)
    monkeypatch.setattr(Locator, "locate", locate)
    with pytest.raises(WrongAnswer, match="ours: 1 of 500"):
        locating.rates()
    monkeypatch.undo()
    locating._wanted = np.roll(locating._wanted, 1)
    with pytest.raises(WrongAnswer, match="are not in their leaf"):
        locating.rates()


def test_a_wrong_route_is_not_timed(town: Town, monkeypatch: pytest.MonkeyPatch):
    deciding, facts = Deciding(town, 60, 1), [facts_of(town, n) for n in range(60)]
    other = deciding._table

    class Table:
        def evaluate(self, context):
            return {"result": {}} if context["severity"] == 2 else other.evaluate(context)

    monkeypatch.setattr(deciding, "_table", Table())
    with pytest.raises(WrongAnswer, match="ZEN Engine: 15 differ"):
        deciding.rates(facts)
    monkeypatch.undo()
    monkeypatch.setattr(Decider, "decide", lambda self, _: Decider.decide_atoms(self, self.atoms(facts[0])))
    with pytest.raises(WrongAnswer, match="plain loop"):
        deciding.rates(facts)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"not": {"severity": [1]}}, "`not`"),
        ({"place": ["exact"]}, "no column"),
    ],
)
def test_what_a_table_cannot_say_is_refused(town: Town, rule: dict, said: str):
    files = MappingProxyType(policy_files(town.grid, 12, 1))
    document = orjson.loads(files["routes/00000.yaml"])
    document["routes"][0]["when"] |= rule
    changed = {**files, "routes/00000.yaml": orjson.dumps(document), "overlays.yaml": orjson.dumps({"overlays": []})}
    with pytest.raises(ValueError, match=said):
        decision_of(load_policy(changed), town.grid.level_of)
    with pytest.raises(ValueError, match="overlays"):
        decision_of(load_policy(policy_files(town.grid, 20, 1)), town.grid.level_of)
