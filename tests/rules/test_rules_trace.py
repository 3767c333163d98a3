import random

import msgspec
from rules_random import random_facts, random_policy
from rules_small import at_ms, small, some_facts

from rules import Trace, compile_policy, explain
from rules.trace import NEAR_MISSES


def test_what_held_and_on_which_facts():
    trace = explain(small(), some_facts())
    assert [route.id for route in trace.routes] == ["gas.leak", "utilities"]
    winner = trace.routes[0]
    assert (winner.priority, winner.category_depth, winner.grid_depth, winner.key_count) == (900, 2, 0, 2)
    category, severity = winner.keys
    assert (category.key, category.fact, category.held, category.passes) == ("category", "03.02", ("03.02",), True)
    assert (severity.key, severity.wanted, severity.fact, severity.held) == ("severity", ("<=2",), 2, ("<=2",))
    assert [overlay.id for overlay in trace.overlays] == ["gas.whistle"]
    assert (trace.won_by, trace.guard) == ("priority", None)


def test_near_misses_name_the_one_fact_that_failed():
    trace = explain(small(), some_facts(severity=3, at_ms=at_ms("2026-03-04 23:00")))
    (route,) = trace.near_routes
    assert (route.id, route.failed.key, route.failed.fact) == ("gas.leak", "severity", 3)
    assert [result.key for result in route.held] == ["category"]
    (overlay,) = trace.near_overlays
    assert (overlay.id, overlay.failed.key, overlay.failed.fact) == ("gas.night", "text.any", ())
    assert [(held.key, held.fact) for held in overlay.held] == [("category", "03.02"), ("calendar", ("night",))]
    assert trace.near_guards == ()


def test_near_misses_by_date_exclusion_and_attribute():
    more = """\
routes:
  - {id: old, when: {category: ["03"]}, expires: "2026-01-31", lead: centre, sla: triage}
  - {id: not-here, when: {category: ["03"], not: {grid: [T1]}}, lead: centre, sla: triage}
  - {id: volts, when: {category: ["03"], attributes.kv: ">=10"}, lead: centre, sla: triage}
"""
    policy = small(("clocks.yaml, rules.yaml]", "clocks.yaml, rules.yaml, more.yaml]"), more_yaml=more)
    near = {miss.id: miss.failed for miss in explain(policy, some_facts(attributes=(("kv", 5),))).near_routes}
    assert (near["old"].key, near["old"].wanted, near["old"].fact) == ("dates", ("", "2026-01-31"), "2026-03-04")
    assert (near["not-here"].negated, near["not-here"].held) == (True, ("T1",))
    assert (near["volts"].key, near["volts"].fact) == ("attributes.kv", 5)


def test_neither_dates_nor_what_is_excluded_brings_a_rule_near():
    more = """\
routes:
  - {id: dated, when: {category: [noise]}, valid_from: "2026-01-01", lead: centre, sla: triage}
  - {id: elsewhere, when: {category: [noise], not: {grid: [T9]}}, lead: centre, sla: triage}
  - {id: near, when: {category: [noise], grid: [T1]}, lead: centre, sla: triage}
  - {id: nearer, when: {category: ["03"], grid: [T9]}, lead: centre, sla: triage}
"""
    policy = small(("clocks.yaml, rules.yaml]", "clocks.yaml, rules.yaml, more.yaml]"), more_yaml=more)
    near = explain(policy, some_facts()).near_routes
    assert [(miss.id, miss.failed.key) for miss in near] == [("nearer", "grid"), ("near", "category")]


def test_a_guard_ends_the_explanation_too():
    trace = explain(small(), some_facts(tags=("exercise",)))
    assert trace.guard is not None
    assert (trace.guard.id, trace.guard.keys[0].held) == ("drill", ("exercise",))
    assert (trace.routes, trace.overlays, trace.near_routes, trace.won_by) == ((), (), (), "guard")


def test_near_misses_are_few_and_the_nearest_first():
    rules = "".join(
        f'  - {{id: n{i}, when: {{category: ["03"], severity: 2, source: [rider]}}, lead: centre, sla: triage}}\n'
        f'  - {{id: m{i}, when: {{category: ["03"], source: [rider]}}, lead: centre, sla: triage}}\n'
        for i in range(8)
    )
    policy = small(("clocks.yaml, rules.yaml]", "clocks.yaml, rules.yaml, x.yaml]"), x_yaml="routes:\n" + rules)
    near = explain(policy, some_facts()).near_routes
    assert len(near) == NEAR_MISSES
    assert [miss.id[0] for miss in near] == ["n"] * 8 + ["m"] * 2


def test_explanations_equal_the_decisions_and_are_plain_data():
    for seed in range(60):
        policy = random_policy(seed)
        decider = compile_policy(policy)
        rng = random.Random(seed)
        for _ in range(20):
            facts = random_facts(rng)
            trace = explain(policy, facts)
            decided = decider.decide(facts)
            assert trace.decision == decided
            assert trace.won_by == decided.won_by or decided.fallback == "unresolvable"
            assert tuple(overlay.id for overlay in trace.overlays) == decided.overlays
            assert all(result.passes for route in trace.routes for result in route.keys)
            assert all(result.passes for overlay in trace.overlays for result in overlay.keys)
            if decided.route:
                assert trace.routes[0].id == decided.route
            held = {rule.id for rule in (*trace.overlays, *trace.routes)}
            assert not held & {miss.id for miss in (*trace.near_overlays, *trace.near_routes)}
            again = msgspec.json.decode(msgspec.json.encode(trace), type=Trace)
            assert again.decision == decided
