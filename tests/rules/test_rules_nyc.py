"""The policy of examples/nyc loads, is what its parts say, and decides."""

from pathlib import Path

import pytest

from rules import Facts, Policy, compile_policy, decide_plainly, load_canonical, load_policy

DIRECTORY = Path(__file__).parents[2] / "examples" / "nyc" / "policy"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(
        {str(path.relative_to(DIRECTORY)): path.read_bytes() for path in DIRECTORY.rglob("*") if path.is_file()}
    )


def test_it_loads_without_a_warning_and_again_from_its_canonical_form(policy: Policy):
    assert policy.warnings == ()
    assert load_canonical(policy.canonical).document == policy.document


def test_every_category_has_a_decision_and_the_index_agrees(policy: Policy):
    decider = compile_policy(policy)
    for code in (*policy.categories, None):
        for mode in policy.modes:
            facts = Facts(
                category=code,
                severity=3,
                mode=mode,
                path=("1", "105"),
                source="nyc-311",
                platform="people",
                at_ms=1_400_000_000_000,
            )
            assert decider.decide(facts) == decide_plainly(policy, facts)
            assert policy.department(decider.decide(facts).lead.department)


def test_every_alias_leads_back_to_its_category(policy: Policy):
    for code, category in policy.categories.items():
        for alias in category.aliases:
            assert policy.resolve_category(alias.upper()) == code
