import json
from pathlib import Path

import pytest

from bench import decisions
from bench.answers import WrongAnswer
from bench.policy import CATEGORIES, policy_files
from bench.town import Town
from bench.workload import START_MS
from rules import Decider, Facts, Policy, compile_policy, load_policy


@pytest.fixture(scope="module")
def policy(town: Town) -> Policy:
    return load_policy(policy_files(town.grid, 60, 1))


def facts_of(number: int) -> Facts:
    category = CATEGORIES[number % len(CATEGORIES)]
    return Facts(category, 2, "normal", (), "hotline", "people", START_MS + number * 60_000)


def test_decisions_are_timed_by_what_is_known(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(decisions, "Town", lambda _seed: town)
    monkeypatch.setattr(decisions, "RULES", (20, 60))
    monkeypatch.setattr(decisions, "DAY_RULES", 60)
    file = tmp_path / "runs.jsonl"
    assert decisions.main(["--rounds", "1", "--reports", "200", "--json", str(file)]) == 0
    text = capsys.readouterr().out
    assert all(row["name"] in text for row in json.loads(file.read_text())["rows"])
    for name in (
        "load",
        "compile",
        "never seen",
        "cold",
        "selected",
        "cached",
        "by atoms",
        "look up",
        "shared",
    ):
        assert text.count(f"rules: {name} ") == 2
    assert "60 rules: hits of the engine's day" in text


def test_decision_rates_count_what_is_found_again(policy: Policy):
    facts = [facts_of(number) for number in (1, 1, 2, 1)]
    rates = decisions.decision_rates(policy, facts)
    assert rates.hits == 0.5
    assert rates.shared in (0.5, 0.75)
    assert min(rates) > 0


def other_decision(decider: Decider) -> None:
    decider._by_outcome = decider._alike = Forgetful()


class Forgetful(dict):
    def get(self, key):
        return next(iter(self.values()), None)


def forgotten_chapter(decider: Decider) -> None:
    decider.forget_decisions = lambda **_: None  # what is cold is not


@pytest.mark.parametrize("fault", [other_decision, forgotten_chapter])
def test_wrong_decisions_are_not_timed(fault, policy: Policy, monkeypatch: pytest.MonkeyPatch):
    def compiled(given):
        decider = compile_policy(given)
        fault(decider)
        return decider

    monkeypatch.setattr(decisions, "compile_policy", compiled)
    with pytest.raises(WrongAnswer, match="decide: "):
        decisions.decision_rates(policy, [facts_of(number) for number in range(40)])
