"""Coverage with known answers: which rules tests made win, which keys held there, which keys a near miss shows."""

from dispatcher.policies.coverage import Coverage, Share
from rules import Policy, load_policy
from tests.policies.cases_city import HEAD, POLICY, one, run

# drill(tags) later(tags); gas(category, severity) street(category) corner(category, grid) water(category)
# parts(category); whistle(category) flood(mode, category) crowd(category, reporters) quiet(category, not tags)
RULES, KEYS = 11, 16


def coverage(*reports: str, policy: Policy | None = None) -> Coverage:
    tests = "".join(f"  - {{name: t{n}, report: {report}}}\n" for n, report in enumerate(reports))
    return run(HEAD + tests, policy).coverage


def test_one_gas_leak():
    found = coverage('{category: "03"}')
    assert found.rules == Share(2, RULES)  # gas, whistle
    assert found.keys == Share(3, KEYS)
    assert found.keys_that_matter == Share(0, KEYS)  # nothing was missed by them
    assert [rule for rule, _ in found.uncovered_rules] == [
        "drill", "later", "street", "corner", "water", "parts", "flood", "crowd", "quiet",
    ]  # fmt: skip
    assert [(rule, key) for rule, key, _ in found.keys_not_shown] == [
        ("gas", "category"), ("gas", "severity"), ("whistle", "category"),
    ]  # fmt: skip
    assert ("quiet", "not tags") in [(rule, key) for rule, key, _ in found.uncovered_keys]
    assert str(found.uncovered_rules[0][1]) == f"policy.yaml:{POLICY[: POLICY.index('id: drill')].count(chr(10)) + 1}"


def test_a_near_miss_shows_that_a_key_matters():
    found = coverage('{category: "03"}', '{category: "03", severity: 3}', '{category: "05", severity: 1}')
    # the second misses gas by its severity, the third gas, whistle and street by their category
    assert found.rules == Share(4, RULES)  # gas, whistle, street, quiet
    assert found.keys == Share(6, KEYS)
    assert found.keys_that_matter == Share(5, KEYS)
    assert [(rule, key) for rule, key, _ in found.keys_not_shown] == [("quiet", "not tags")]


def test_a_key_that_is_missed_counts_only_where_the_rule_is_covered():
    found = coverage('{category: "02"}')  # misses drill and flood by one key
    assert found.keys_that_matter == Share(0, KEYS)
    assert found.keys == Share(1, KEYS)


def test_a_negated_key_matters_when_it_alone_fails():
    found = coverage('{category: "05"}', '{category: "05", tags: [loud]}', '{category: "01"}')
    assert [key for rule, key, _ in found.keys_not_shown if rule == "quiet"] == []


def test_a_guard_ends_what_is_asked():
    found = coverage('{category: "03", tags: [exercise]}', '{category: "03"}')
    shown = [(rule, key) for rule, key, _ in found.keys_not_shown]
    assert found.rules == Share(3, RULES)
    assert ("drill", "tags") not in shown  # the gas leak misses the drill by its tags
    assert ("gas", "category") in shown  # in the drill no route was asked
    found = coverage('{category: "03", tags: [exercise]}', '{category: "03", tags: [later]}')
    assert [(rule, key) for rule, key, _ in found.keys_not_shown] == [("later", "tags")]


def test_a_route_that_cannot_be_resolved_is_not_covered():
    found = coverage('{category: "01", place: none}')
    assert "street" in [rule for rule, _ in found.uncovered_rules]


def test_overlays_are_asked_with_what_those_before_them_raised():
    grave = '  - {id: grave, when: {category: ["01"], severity: 2, tags: [crowd]}, support: [{dept: desk}]}\n'
    policy = load_policy({"policy.yaml": POLICY.replace("  - {id: quiet,", grave + "  - {id: quiet,").encode()})
    here = '{category: "01", reporters: 3}'
    assert "grave" not in [rule for rule, _ in coverage(here, policy=policy).uncovered_rules]
    assert "grave" in [rule for rule, _ in coverage('{category: "01", severity: 2}', policy=policy).uncovered_rules]


def test_a_rule_out_of_its_dates_is_missed_by_no_key():
    text = POLICY.replace('when: {category: ["05"]', 'expires: "2026-01-31", when: {category: ["05"]')
    policy = load_policy({"policy.yaml": text.encode()})
    in_time = ', at: "2026-01-31T12:00:00+08:00"'
    right, loud = '{category: "05"}', '{category: "05", tags: [loud]}'
    for later, shown in (("", False), (in_time, True)):
        found = coverage(right + in_time, loud + later, policy=policy)
        missing = [key for rule, key, _ in found.keys_not_shown if rule == "quiet"]
        assert ("not tags" not in missing) is shown


def test_a_refused_report_covers_nothing():
    assert coverage('{category: "XX", source: satellite}').rules.n == 0
    assert run(one('{category: "XX", source: satellite}', "{refused: unknown_category}")).coverage.rules.n == 0


def test_shares():
    assert Share(1, 3).percent == 100 / 3
    assert Share(0, 0).percent == 100.0
