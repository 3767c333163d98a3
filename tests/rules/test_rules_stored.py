"""Policies stored before a key of the format existed: their documents still load, and still have the same name."""

import hashlib
from pathlib import Path

import pytest
from rules_small import small, some_facts

from rules import Budget, Policy, compile_policy, decide_plainly, load_canonical

STORED = Path(__file__).with_name("stored")
"""Canonical forms as the engine keeps them, by sha256; written by the releases of their time, never by today's."""
DOCUMENTS = sorted(STORED.glob("*.json"))
NO_HOLIDAYS = ("    days: {provider: holidays, country: CN}\n", "")  # other years would be known by now


def stored(path: Path) -> Policy:
    return load_canonical(path.read_bytes())


def test_there_are_some():
    assert DOCUMENTS


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem[:8])
def test_a_stored_policy_loads_and_keeps_its_identity(path: Path):
    policy = stored(path)
    assert policy.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
    decider = compile_policy(policy)
    for severity in (1, 2, 3, 4):
        facts = some_facts(severity=severity)
        assert decider.decide(facts) == decide_plainly(policy, facts)


def test_the_same_files_give_the_same_policy_as_before_levels_and_measures():
    """Files that use none of the newer keys: a release of this program is no change of policy."""
    assert small(NO_HOLIDAYS).canonical == DOCUMENTS[0].read_bytes()


def test_what_a_stored_policy_does_not_say_has_its_default():
    policy = stored(DOCUMENTS[0])
    assert dict(policy.measures.weights) == {"on_time_closure_rate": 100}
    assert (policy.measures.minimum_cases, policy.measures.came_back_ms) == (10, 30 * 86_400_000)
    assert (policy.measures.red, policy.measures.black) == (3, 3)
    assert policy.whistle_attend == Budget("1h", 1, "h")
    assert policy.sla("gas-leak").callback_attempts == 3
    assert policy.reasons_of("whistle") == {}
    assert policy.reasons_of("return") == {"not_ours": ("非本单位职责", "Not our duty")}
    decided = decide_plainly(policy, some_facts())
    assert (decided.lead.department, decided.level, decided.level_by) == ("gas-company", 0, None)
    assert decide_plainly(policy, some_facts(severity=4)).level == 1  # the street office's own
