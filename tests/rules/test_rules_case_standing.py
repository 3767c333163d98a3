"""How rules stand towards facts agrees with what is decided and with the keys' own results, on random policies."""

import random

import pytest
from rules_random import random_facts, random_policy
from rules_small import small, some_facts

from rules import Standing, compile_policy, when_keys
from rules.match import holds, key_results


def test_keys_of_a_when():
    keys = {rule.id: when_keys(rule) for rule in (*small().routes, *small().overlays)}
    assert keys["gas.leak"] == ("category", "severity")
    assert keys["gas.night"] == ("category", "calendar", "text.any")
    policy = small(('severity: "<=2"}', "not: {tags: [drill]}}"))
    assert when_keys(policy.routes[0]) == ("category", "not tags")


@pytest.mark.parametrize("seed", range(60))
def test_near_misses_are_the_rules_with_one_failed_key_among_those_asked(seed: int):
    policy, rng = random_policy(seed), random.Random(seed)
    decider = compile_policy(policy)
    for _ in range(20):
        facts = random_facts(rng)
        standing, decision = Standing(policy, facts), decider.decide(facts)
        assert decision.overlays == tuple(rule.id for rule in standing.selection.overlays)
        assert decision.guard == (standing.selection.guard.id if standing.selection.guard else None)
        expected = set()
        for rule in standing.asked_rules():
            seen = standing.facts_for(rule)
            failed = [result for result in key_results(policy, rule, seen) if not result.passes]
            assert bool(failed) is not holds(policy, rule, seen)
            assert list(standing.failing(rule)) == failed
            if len(failed) == 1 and failed[0].key != "dates":
                expected.add((rule.id, f"not {failed[0].key}" if failed[0].negated else failed[0].key))
        assert set(standing.near_misses()) == expected


def test_what_a_guard_ends_is_not_asked():
    policy = small()
    asked = [rule.id for rule in Standing(policy, some_facts()).asked_rules()]
    assert asked == ["drill", "gas.night", "gas.whistle", "gas.leak", "utilities"]
    asked = [rule.id for rule in Standing(policy, some_facts(tags=("exercise",))).asked_rules()]
    assert asked == ["drill"]


def test_the_rank_of_a_route():
    policy = small()
    leak, utilities = policy.routes
    standing = Standing(policy, some_facts())
    assert standing.rank(leak) == (900, 2, 0, 2)
    assert standing.rank(utilities) == (100, 1, 0, 1)
