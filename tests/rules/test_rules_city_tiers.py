"""Who holds what in the shipped policy, how it goes up, and what people choose from: the tiers, whistles, measures."""

from pathlib import Path

import pytest

from rules import REASON_KINDS, SEVERITIES, Decider, Facts, Policy, compile_policy, load_policy

DIRECTORY = Path(__file__).parents[2] / "rules" / "city"
PATH = ("530002", "530002001", "53000200101", "5300020010101", "530002001010101")
MONDAY_MS = 1_772_416_800_000  # 2026-03-02 10:00 in the policy's zone


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(
        {str(path.relative_to(DIRECTORY)): path.read_bytes() for path in DIRECTORY.rglob("*") if path.is_file()}
    )


@pytest.fixture(scope="module")
def decider(policy: Policy) -> Decider:
    return compile_policy(policy)


def facts(category: str | None, **known: object) -> Facts:
    stated: dict[str, object] = {
        "severity": 3, "mode": "normal", "path": PATH, "source": "hotline", "platform": "people", "at_ms": MONDAY_MS,
        "place": "exact",
    }  # fmt: skip
    return Facts(category=category, **(stated | known))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "severity", "level", "by"),
    [
        ("09.02.01", 4, "cell", None),  # the grid team's own
        ("09.02.01", 3, "community", None),
        ("09.02.01", 2, "township", None),
        ("02.01.01", 4, "cell", "hold.cell"),  # a bureau leads, the territory holds
        ("02.01.01", 3, "community", "hold.community"),
        ("11.01.01", 1, "township", "hold.township"),
        ("09.03.01", 4, "township", None),  # nothing takes from the street office what it leads
        ("07.01.01", 2, "city", None),
        ("08.01.01", 1, "city", "safety.gas"),
        (None, 3, "city", None),
    ],
)
def test_minor_matters_are_held_in_the_cell_harder_ones_by_the_community_major_ones_by_the_township(
    code: str | None, severity: int, level: str, by: str | None, policy: Policy, decider: Decider
):
    decision = decider.decide(facts(code, severity=severity))
    assert (policy.level_name(decision.level), decision.level_by) == (level, by)


def test_a_whistle_lifts_to_the_township_and_a_crowd_to_the_city(decider: Decider):
    levels = [
        decider.decide(facts("02.01.01", severity=4, **known)).level
        for known in (
            {},
            {"whistle": "joint_enforcement"},
            {"reporters": 25},
            {"whistle": "emergency", "reporters": 25},
        )
    ]
    assert levels == [5, 1, 0, 0]


def test_the_worse_a_matter_the_higher_it_is_held(policy: Policy, decider: Decider):
    for code in policy.categories:
        levels = [decider.decide(facts(code, severity=severity)).level for severity in SEVERITIES]
        assert levels == sorted(levels), code


def test_every_ladder_supervises_upwards_only(policy: Policy):
    """Whoever supervises holds it from then on."""
    for entry in policy.document.sections.ladders:
        ladder = policy.ladder(entry.name)
        assert ladder.acknowledge_timeout is not None
        holders = []
        for step in ladder.steps:
            if step.do == "supervise":
                assert step.to.kind in {"level", "city", "department"}
                department = policy.department(step.to.department or "")
                holders.append(policy.level_number(department.level or "city") if department else step.to.level)
        assert holders == sorted(holders, reverse=True), entry.name
        assert holders, entry.name


def test_whistles_are_of_the_kinds_that_overlays_answer_and_partners_are_referred_to(policy: Policy):
    asked = {
        value
        for rule in policy.overlays
        for part in rule.when.require
        for value in part.values
        if part.key == "whistle"
    }
    assert asked - {"any"} == set(policy.reasons_of("whistle"))
    partners = {
        code: (entry.zh, entry.en) for code, entry in policy.departments.items() if not (entry.group or entry.units)
    }
    assert policy.reasons_of("refer") == partners
    assert all(policy.reasons_of(kind) for kind in REASON_KINDS)


def test_what_is_weighed(policy: Policy):
    assert sum(policy.measures.weights.values()) == 100
    assert policy.whistle_attend.text == "1h"
