"""The index, the plain loop, its explanations and a third reading of the rules: all four agree."""

import random
from collections import Counter
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from rules_random import random_facts, random_policy, rich_facts, rich_policy
from rules_reading import Reading

from rules import Decision, Facts, Policy, Trace, compile_policy, decide_plainly, explain
from rules import decide as decide_module
from rules.chapter import Chapter
from rules.conditions import KEYS
from rules.dimensions import Time
from rules.moments import Moments

POLICIES, PARTS = 1000, 20


def check(policy: Policy, facts: Facts, decided: Decision, trace: Trace) -> Reading:
    """The decision, the explanation and the reading agree."""
    said = Reading(policy, facts)
    assert trace.decision == decided
    ids = (trace.guard and trace.guard.id, [each.id for each in trace.overlays], [each.id for each in trace.routes])
    assert ids == (said.guard and said.guard.id, [each.id for each in said.overlays], [each.id for each in said.routes])
    ranks = [(each.priority, each.category_depth, each.grid_depth, each.key_count) for each in trace.routes]
    assert ranks == [said.rank(route) for route in said.routes]
    assert trace.won_by == said.won_by
    for traced in (*trace.overlays, *trace.routes, *([trace.guard] if trace.guard else [])):
        assert [(k.key, k.negated, k.held, k.passes) for k in traced.keys] == list(said.keyed[traced.id]), traced.id
    rules = [
        () if facts.filed else policy.guards,
        () if said.guard else policy.overlays,
        () if said.guard else policy.routes,
    ]
    for near, of in zip((trace.near_guards, trace.near_overlays, trace.near_routes), rules, strict=True):
        assert [(miss.id, miss.failed.key) for miss in near] == said.near(of)
        for miss in near:
            held = [key for key, *_, passes in said.keyed[miss.id] if passes]
            assert [result.key for result in miss.held] == held
    route = said.routes[0] if said.routes else None
    level = route.lead.partition("@")[2] if route else ""
    resolved = not level or policy.grid_levels.index(level) < len(facts.path)
    assert decided.route == (route.id if route and resolved else None)
    assert decided.won_by == (said.won_by if decided.route or said.guard else "fallback")
    assert (decided.overlays, decided.guard) == (tuple(ids[1]), ids[0])
    assert (decided.severity, decided.severity_from) == (said.severity, facts.severity)
    assert decided.tags == tuple(dict.fromkeys(tag for overlay in said.overlays for tag in overlay.tags))
    assert (decided.level, decided.level_by) == said.level(route if resolved else None, decided.lead.department)
    return said


def test_what_a_person_has_filed_meets_no_guard():
    """Everything else of the policy holds as ever, and every way of deciding agrees on it."""
    stopped = 0
    for seed in range(60):
        policy = rich_policy(seed)
        decider, rng = compile_policy(policy), random.Random(seed)
        for _ in range(50):
            facts = rich_facts(rng)
            stopped += decider.decide(facts).guard is not None
            filed = replace(facts, filed=True)
            decided = decider.decide(filed)
            assert decided.guard is None
            assert decided == decide_plainly(policy, filed)
            check(policy, filed, decided, explain(policy, filed))
    assert stopped > 100


@pytest.mark.parametrize("part", range(PARTS))
def test_index_loop_and_explanations_agree(part: int):
    """1,000 policies x 100 facts in all; a part is a run of its own, so that both cores have something to do."""
    seen: Counter[str] = Counter()
    for seed in range(part, POLICIES, PARTS):
        rich = seed // PARTS % 2
        policy = rich_policy(seed) if rich else random_policy(seed)
        decider = compile_policy(policy)
        rng = random.Random(seed)
        for _ in range(100):
            facts = rich_facts(rng) if rich else random_facts(rng)
            decided = decider.decide(facts)
            said = check(policy, facts, decided, explain(policy, facts))
            assert decider.decide(facts) is decided
            assert len(seen) % 10 or decide_plainly(policy, facts) == decided
            seen.update([said.won_by, f"deep {min(len(said.overlays), 3)}"])
            seen["raised"] += decided.severity_by is not None
            seen[f"level {decided.level} by {decided.level_by and decided.level_by[0]}"] += 1
            seen["unresolved"] += bool(decided.unresolved)
            seen["standard"] += any(b.provisional for target in decided.targets for b in target.budgets)
            for keys in said.keyed.values():
                seen.update(f"{'not ' * negated}{key} {passes}" for key, negated, _, passes in keys)
    wanted = ["guard", "priority", "specificity", "order", "fallback", "raised", "unresolved", "standard", "deep 3"]
    wanted += [f"level {number} by {rule}" for number in (0, 1, 2) for rule in ("r", "o", None)]
    wanted += [f"{key} {passes}" for key in (*KEYS, "attributes.kv", "dates") for passes in (True, False)]
    wanted += [f"not {key} {passes}" for key in (*KEYS, "attributes.kv") for passes in (True, False)]
    assert not [name for name in wanted if not seen[name]]


def disagreements(decide: str = "decide") -> int:
    """How often the index and the reading part, on a few policies."""
    found = 0
    for seed in range(20):
        policy = rich_policy(seed)
        decider, rng = compile_policy(policy), random.Random(seed)
        for _ in range(50):
            facts = rich_facts(rng)
            given = facts if decide == "decide" else decider.atoms(facts)
            try:
                check(policy, facts, getattr(decider, decide)(given), explain(policy, facts))
            except AssertionError:
                found += 1
    return found


def second_best_wins(patch: pytest.MonkeyPatch) -> None:
    best = Chapter._winner
    patch.setattr(Chapter, "_winner", lambda self, rows, key: best(self, rows & (rows - 1) or rows, key))


def tags_of_overlays_are_not_seen(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Chapter, "_tags_with", lambda self, tags, _: self.dimensions["tags"].masks[tags])


def no_cell_is_deeper(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Chapter, "_deepest", lambda self, rows, _: ((rows & -rows).bit_length() - 1, rows & -rows))


def all_moments_are_alike(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Moments, "_number", lambda self, at_ms: self.instants.append(at_ms) or 0)


def nothing_ever_expires(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Time, "mask_at", lambda self, at_ms: self.mask_of(self._calendars))


FAULTS = [second_best_wins, tags_of_overlays_are_not_seen, no_cell_is_deeper, all_moments_are_alike]
FAULTS += [nothing_ever_expires]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_index_is_found(fault: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch):
    fault(monkeypatch)
    assert disagreements() > 0


@pytest.mark.parametrize("decide", ["decide", "decide_atoms"])
def test_one_chapter_for_all_categories_decides_alike(decide: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decide_module, "MAX_MASK_BYTES", 0)
    assert disagreements(decide) == 0
