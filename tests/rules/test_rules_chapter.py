import random

import pytest
from rules_random import random_facts, random_policy, rich_policy
from rules_small import at_ms, small, some_facts

from rules import ATOMS, Decider, compile_policy, decide_plainly
from rules import decide as decide_module
from rules import index as index_module
from rules import moments as moments_module
from rules.dimensions import attributes_of, build_moments, sign_of
from rules.match import in_force


def test_categories_get_chapters_while_there_is_room(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decide_module, "MAX_MASK_BYTES", 2)
    decider = compile_policy(small())
    sizes = {code: len(decider._chapters[code].layout.rows) for code in ("noise", "03.02", "03")}
    assert sizes == {"noise": 1, "03.02": 5, "03": 2}
    assert decider._chapters["03.02"] is decider._whole  # 5 rules in 5 bits are 3 bytes
    assert decider._chapters["x"] is decider._chapters["noise"] is decider._chapters[None]
    for code in (None, "x", "03", "03.02", "03.02.01", "noise.residential"):
        facts = some_facts(category=code)
        assert decider.decide(facts) == decide_plainly(decider.policy, facts)


def test_a_chapter_reads_what_its_rules_ask_and_no_more():
    decider = compile_policy(small())
    reads = {code: set(decider._chapters[code].reads) for code in ("03", "03.02", "noise.residential")}
    assert reads["noise.residential"] == {"severity", "tags"}
    assert reads["03"] == reads["noise.residential"] | {"path"}  # the unit that leads
    assert reads["03.02"] == reads["03"] | {"time", "keywords", "standard"}
    decided = decider.decide(some_facts(category="noise.residential"))
    for other in ({"path": ()}, {"attributes": (("a", 1),)}, {"source": "rider"}, {"at_ms": 0}, {"keywords": ("gas",)}):
        assert decider.decide(some_facts(category="noise.residential", **other)) is decided
    assert (decider.hits, decider.misses) == (5, 1)


def test_decisions_are_shared_between_chapters():
    decider = compile_policy(small())
    for category in ("03", "03.02", "noise.residential", None):
        facts = some_facts(category=category)
        assert decider.decide(facts) is decider.decide_atoms(decider.atoms(facts))
    assert decider.decide(some_facts(category=None)) is decider.decide(some_facts(category="99"))


def test_decisions_alike_but_for_the_severity_are_made_of_one_another():
    changes = [
        ('severity: "<=2"}', "mode: [emergency]}"),
        ("tags: [whistle]", "severity: {raise_to: 2}"),
    ]
    policy = small(*changes)
    for order in ((1, 2, 3, 4), (4, 3, 2, 1)):
        decider = compile_policy(policy)
        for severity in order:
            facts = some_facts(severity=severity, mode="emergency")
            assert decider.decide(facts) == decide_plainly(policy, facts)
            raised = (min(severity, 2), "gas.whistle" if severity > 2 else None)
            assert (decider.decide(facts).severity, decider.decide(facts).severity_by) == raised


@pytest.mark.parametrize("seed", range(6))
def test_a_moment_is_all_instants_at_which_the_same_is_true(seed: int):
    policy = rich_policy(seed)
    moments = build_moments(policy)
    rules = (*policy.guards, *policy.overlays, *policy.routes)
    parts = [part for rule in rules for part in (*rule.when.require, *rule.when.exclude) if part.key == "calendar"]
    clocks = [policy.clock(name) for name in sorted({str(name) for part in parts for name in part.values})]
    dated = [rule for rule in rules if rule.valid_from or rule.expires]

    def true_at(t_ms: int) -> tuple[bool, ...]:
        held = (in_force(policy, rule, some_facts(at_ms=t_ms)) for rule in dated)
        return *(clock.contains(t_ms) for clock in clocks), *held

    rng = random.Random(seed)
    edges = [edge for day in range(20_490, 20_515) for edge in moments._lay_out(day)[0]]  # February 2026
    instants = [edge + step for edge in edges for step in (-1, 0, 1)]
    instants += [rng.randrange(10**12, 2 * 10**12) for _ in range(100)]
    rng.shuffle(instants)
    for t_ms in instants:
        assert true_at(moments.instants[moments.at(t_ms)]) == true_at(t_ms)
    assert len(moments.instants) < len(instants) / 4


def test_few_days_are_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(moments_module, "MAX_DAYS", 3)
    moments = build_moments(small())
    night, noon = (moments.at(at_ms(f"2026-03-04 {hour}:00")) for hour in (23, 12))
    for day in range(10, 30):
        assert [moments.at(at_ms(f"2026-03-{day} {hour}")) for hour in ("22:00", "05:59", "06:00")] == [
            night,
            night,
            noon,
        ]
        assert len(moments._days) <= 3


@pytest.mark.parametrize("at", [-(10**18), -1, 0, 10**18])
def test_no_instant_is_too_far(at: int):
    decider = compile_policy(small())
    assert decider.decide(some_facts(at_ms=at)).route == "gas.leak"


@pytest.mark.parametrize("value", [True, 1, 1.0, "1", 10**30, -(10**30), "\ud800", "", 0.1, float("inf")])
def test_attributes_keep_their_types(value: object):
    back = attributes_of(sign_of((("a", "x"), ("kv", value))))
    assert [(name, type(found), found) for name, found in back] == [("a", str, "x"), ("kv", type(value), value)]
    rule = "routes: [{id: kv, priority: 999, when: {attributes.kv: [true, '>5', '1']}, lead: centre, sla: triage}]"
    policy = small(("clocks.yaml, rules.yaml]", "clocks.yaml, rules.yaml, kv.yaml]"), kv_yaml=rule)
    facts = some_facts(attributes=(("a", "x"), ("kv", value)))
    assert compile_policy(policy).decide(facts) == decide_plainly(policy, facts)


def remembered(decider: Decider) -> int:
    """Values of facts and decisions in all chapters."""
    chapters = {id(chapter): chapter for chapter in decider._chapters.values()}.values()
    tables = sum(len(table) for chapter in chapters for table in chapter._tables.values())
    return len(decider._chapters) + tables + sum(len(chapter.decisions) for chapter in chapters)


def test_caches_are_bounded(monkeypatch: pytest.MonkeyPatch):
    limits = {"MAX_DECISIONS": 6, "MAX_CLASSES": 6, "MAX_VALUES": 30}
    for name, limit in limits.items():
        monkeypatch.setattr(decide_module, name, limit)
    monkeypatch.setattr(index_module, "MAX_MEMO", 6)
    started_anew = 0
    for seed in range(30):
        policy = random_policy(seed)
        decider = compile_policy(policy)
        rng = random.Random(seed)
        for _ in range(60):
            facts = random_facts(rng)
            plainly = decide_plainly(policy, facts)
            assert decider.decide(facts) == plainly
            assert remembered(decider) <= 6 + 30 + len(ATOMS)  # one decision may overdraw by the facts it reads
            assert decider.decide_atoms(decider.atoms(facts)) == plainly
            assert len(decider._by_atoms) <= 6
            assert all(len(dimension.masks) <= 6 + len(ATOMS) for dimension in decider.dimensions.values())
        started_anew += decider.generation
    assert started_anew > 30


@pytest.mark.parametrize("by_hand", [False, True])
def test_hostile_attributes_do_not_fill_the_memory(by_hand: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decide_module, "MAX_CLASSES" if by_hand else "MAX_VALUES", 20)
    rules = "".join(f"  - {{id: a{i}, when: {{attributes.n{i}: 1}}, lead: centre, sla: triage}}\n" for i in range(10))
    policy = small(("clocks.yaml, rules.yaml]", "clocks.yaml, a.yaml]"), a_yaml="routes:\n" + rules)
    decider = compile_policy(policy)
    for seed in range(300):
        facts = some_facts(attributes=tuple((f"n{i}", seed >> i & 1) for i in range(10)))
        decided = decider.decide_atoms(decider.atoms(facts)) if by_hand else decider.decide(facts)
        assert decided == decide_plainly(policy, facts)
        assert len(decider.dimensions["attributes"].masks) <= 21
        assert by_hand or remembered(decider) < 60
    assert decider.generation > 0
    assert not decider.is_full


def test_new_values_of_known_classes_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decide_module, "MAX_VALUES", 20)
    decider = compile_policy(small())
    for number in range(300):
        decider.decide(some_facts(tags=(f"tag {number}",), keywords=(f"word {number}",)))
        assert remembered(decider) <= 30
    assert decider.misses == 1  # nothing new was ever decided, so nothing had to be forgotten but values
    assert decider.generation == 0
