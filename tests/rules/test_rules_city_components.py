"""The component catalogue of rules/city: its facts against the source's, its clocks, who comes when people may be hurt.

`city_limits.csv` is the handling-limit table reduced to facts: class, number of the filing standard, limit as written.
"""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest
from rules_small import at_ms

from rules import Decider, Decision, Facts, Policy, claimed_severity, compile_policy, load_policy

DIRECTORY = Path(__file__).parents[2] / "rules" / "city"
LIMITS = Path(__file__).with_name("city_limits.csv")
PATH = ("530002", "530002001", "53000200101", "5300020010101", "530002001010101")
UNITS = {"紧急工作时": "h", "工作时": "wh", "工作日": "wd"}
SEASON = "种植季节"
NO_OWNER = {"11.01.23", "11.01.51", "11.02.04", "11.02.12", "11.02.17", "11.02.19"}
"""Classes for which the source names no property owner."""


def facts_of_source() -> list[tuple[str, str, str]]:
    with LIMITS.open(encoding="utf-8", newline="") as file:
        return [(row["class"], row["standard"], row["limit"]) for row in csv.DictReader(file)]


FACTS = facts_of_source()
CLASSES = sorted({code for code, _, _ in FACTS})


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(
        {str(path.relative_to(DIRECTORY)): path.read_bytes() for path in DIRECTORY.rglob("*") if path.is_file()}
    )


@pytest.fixture(scope="module")
def decider(policy: Policy) -> Decider:
    return compile_policy(policy)


def decide(decider: Decider, category: str, standard: str | None, at: str = "2026-03-04 10:00") -> Decision:
    severity = claimed_severity(decider.policy.source("grid_officer"), decider.policy.category(category), None)
    facts = Facts(
        category=category,
        severity=severity,
        mode="normal",
        path=PATH,
        source="grid_officer",
        platform="people",
        at_ms=at_ms(at),
        standard=standard,
    )
    return decider.decide(facts)


def due_ms(decider: Decider, category: str, standard: str | None, at: str, target: str = "resolve") -> int:
    (plan,) = [plan for plan in decide(decider, category, standard, at).targets if plan.name == target]
    return min(decider.policy.open(part.budget, at_ms(at)).due_ms for part in plan.budgets)


def expected_limit(text: str) -> tuple[str, str | None]:
    """The source's words as a budget and the calendar it names for itself."""
    season = text.startswith(SEASON)
    number, unit = re.fullmatch(r"(\d+)(\D+)", text.removeprefix(SEASON)).groups()
    return number + UNITS[unit], "planting-season" if season else None


def test_the_source_has_66_classes_with_279_standards_on_four_clocks():
    assert (len(FACTS), len({(code, number) for code, number, _ in FACTS}), len(CLASSES)) == (279, 279, 66)
    clocks = Counter(re.sub(r"\d+", "", text) for _, _, text in FACTS)
    assert clocks == {"紧急工作时": 19, "工作时": 26, "工作日": 233, "种植季节工作日": 1}


def test_the_catalogue_has_exactly_these_standards_with_these_limits(policy: Policy):
    ours = {
        (code, standard.code): (standard.limit.text, standard.limit.calendar)
        for code, category in policy.categories.items()
        for standard in category.standards
        if code.split(".")[0] == "11"
    }
    assert ours == {(code, number): expected_limit(text) for code, number, text in FACTS}


def test_the_classes_lie_under_five_majors_and_keep_the_sources_code(policy: Policy):
    codes = sorted(code for code in policy.categories if code.split(".")[0] == "11")
    majors = [f"11.0{number}" for number in range(1, 6)]
    assert codes == sorted(["11", *majors, *CLASSES])
    for code in CLASSES:
        category = policy.category(code)
        assert category.standard_ref == code.removeprefix("11.").replace(".", "")
        assert (category.kind, category.evidence) == ("component", ("photo",))


def test_everything_people_read_is_there_in_both_languages(policy: Policy):
    chinese = re.compile(r"[\u4e00-\u9fff]")
    for code in ("11", *CLASSES):
        category = policy.category(code)
        assert chinese.search(category.zh)
        assert category.en.isprintable()
        assert not chinese.search(category.en)
        conditions = [(standard.zh, standard.en) for standard in category.standards]
        assert len(set(conditions)) == len(conditions), code
        for standard in category.standards:
            assert chinese.search(standard.zh)
            assert standard.en
            assert not chinese.search(standard.en)
            assert re.fullmatch(r"[\u4e00-\u9fff，、]+ \([a-z ,]+\)", standard.close), standard.close
    rules = [rule for rule in (*policy.routes, *policy.overlays) if rule.id.startswith("component.")]
    assert len(rules) >= 40
    for rule in rules:
        assert chinese.search(rule.title.zh)
        assert rule.title.en
    for overlay in rules:
        for support in getattr(overlay, "support", ()):
            assert re.fullmatch(r"[\u4e00-\u9fff、]+ \([a-z ,-]+\)", support.role), overlay.id


def test_every_class_has_its_own_route_and_promise(decider: Decider):
    for code, number, text in FACTS:
        decision = decide(decider, code, number)
        assert decision.route.startswith("component."), (code, number)
        assert decision.route != "component.unsorted", code
        assert decision.sla == "component-standard"
        assert not decision.unresolved
        (resolve,) = [plan for plan in decision.targets if plan.name == "resolve"]
        limit, calendar = expected_limit(text)
        (budget,) = resolve.budgets
        working = limit[-2:] in {"wd", "wh"}
        assert budget.budget.text == limit
        assert budget.budget.calendar == (calendar or "cn-office" if working else None)
        assert (resolve.of, budget.provisional) == ("lead", None)


def test_a_component_of_no_known_class_has_somebody_too(decider: Decider):
    for code in ("11", "11.01", "11.05"):
        decision = decide(decider, code, None)
        assert (decision.route, decision.lead.department) == ("component.unsorted", "city-management")
        assert [b.budget.text for plan in decision.targets if plan.name == "resolve" for b in plan.budgets] == ["5wd"]


def test_cases_with_a_property_owner_say_so(decider: Decider):
    tagged = {code for code in CLASSES if "property-owner" in decide(decider, code, None).tags}
    assert tagged == set(CLASSES) - NO_OWNER


def test_whatever_has_urgent_hours_is_severe_and_is_answered_at_once_also_on_a_saturday_night(decider: Decider):
    urgent = [(code, number) for code, number, text in FACTS if "紧急" in text]
    assert len(urgent) == 19
    for code, number in urgent:
        decision = decide(decider, code, number, "2026-03-07 23:00")
        assert decision.severity <= 2, (code, number)
        assert due_ms(decider, code, number, "2026-03-07 23:00", "acknowledge") <= at_ms("2026-03-07 23:30")
        hours = 4 if (code, number, "4紧急工作时") in FACTS else 2
        assert due_ms(decider, code, number, "2026-03-07 23:00") == at_ms(f"2026-03-08 0{hours - 1}:00")


def test_an_open_hole_is_guarded_by_the_street_it_lies_in(policy: Policy, decider: Decider):
    holes = [code for code in CLASSES if policy.category(code).zh.endswith("井盖")]
    assert len(holes) == 9
    for code in (*holes, "11.01.04", "11.01.26", "11.03.03"):
        decision = decide(decider, code, "1")
        parties = {(party.department, party.unit) for party in (decision.lead, *decision.support)}
        assert decision.severity == 1, code
        assert ("street-office", PATH[0]) in parties
        assert "hazard" in decision.tags
        assert "hazard" not in decide(decider, code, "2").tags


@pytest.mark.parametrize(
    ("code", "standard", "at", "expected"),
    [
        # urgent hours never stop
        ("11.01.01", "1", "2026-03-06 17:00", "2026-03-06 19:00"),
        ("11.03.03", "1", "2026-03-07 22:00", "2026-03-08 02:00"),
        # working hours: over lunch; Friday 16:00 has 1.5 of them, Monday until 11:00 the other 2.5
        ("11.01.01", "2", "2026-03-04 10:00", "2026-03-04 15:30"),
        ("11.01.01", "2", "2026-03-06 16:00", "2026-03-09 11:00"),
        # two working days are 16 h: 1.5 on Friday 13, 7.5 on Saturday 14 (worked), 7 on Tuesday 24 February
        ("11.01.01", "3", "2026-02-13 16:00", "2026-02-24 17:00"),
        # 40 h: 39 by Friday 27, the last on Saturday 28 February, which is worked
        ("11.01.01", "4", "2026-02-13 16:00", "2026-02-28 09:30"),
        # the planting season, from December into March and from May into October
        ("11.04.02", "2", "2025-12-08 10:00", "2026-03-23 17:30"),
        ("11.04.02", "2", "2026-05-14 10:00", "2026-10-27 10:00"),
    ],
)
def test_due_instants_worked_out_by_hand(decider: Decider, code: str, standard: str, at: str, expected: str):
    assert due_ms(decider, code, standard, at) == at_ms(expected)


def test_before_filing_the_strictest_of_the_class_holds(decider: Decider):
    (plan,) = [plan for plan in decide(decider, "11.04.02", None).targets if plan.name == "resolve"]
    assert [(part.budget.text, part.budget.calendar, part.provisional) for part in plan.budgets] == [
        ("1wd", "cn-office", "standard"),
        ("15wd", "planting-season", "standard"),
    ]
    assert due_ms(decider, "11.01.02", None, "2026-03-07 23:00") == at_ms("2026-03-08 01:00")
