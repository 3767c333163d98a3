"""The shipped policy: complete, bilingual, nobody's in particular, and every rule of it has a test that names it."""

import re
from collections import Counter
from itertools import product
from pathlib import Path

import pytest
import yaml

from dispatcher.policies.cases import covered_rules, read_suite, run_cases
from dispatcher.policies.places import GridCells
from rules import SEVERITIES, Decider, Facts, Policy, compile_policy, decide_plainly, load_canonical, load_policy
from rules.lint import lint
from rules.model_rules import Overlay, Route

DIRECTORY = Path(__file__).parents[2] / "rules" / "city"
MONDAY_MS = 1_772_416_800_000  # 2026-03-02 10:00 in the policy's zone: no window but the office's is open
DAY_MS = 86_400_000
TOWNSHIPS = [f"5300{number:02d}" for number in range(1, 14)]
DISCIPLINES = [f"{number:02d}" for number in range(1, 11)]

GROUPS = {"organising": 3, "civility": 4, "safety": 6, "city": 9, "resources": 5}

PROVINCES = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|"
    "甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
REAL_PLACE = re.compile(rf"{PROVINCES}|[一-鿿](省|自治区|自治州|自治县)|[一-鿿]{{2}}县")
"""What would give a real place away; districts and streets can't be told from plain words without a gazetteer."""


def path_in(township: str) -> tuple[str, ...]:
    return township, f"{township}001", f"{township}00101", f"{township}0010101", f"{township}001010101"


def facts(category: str | None, **known: object) -> Facts:
    stated: dict[str, object] = {
        "severity": 3,
        "mode": "normal",
        "path": path_in("530002"),
        "source": "hotline",
        "platform": "people",
        "at_ms": MONDAY_MS,
        "place": "exact",
    }
    return Facts(category=category, **(stated | known))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {str(path.relative_to(DIRECTORY)): path.read_bytes() for path in DIRECTORY.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def policy(files: dict[str, bytes]) -> Policy:
    return load_policy(files)


@pytest.fixture(scope="module")
def decider(policy: Policy) -> Decider:
    return compile_policy(policy)


def test_it_loads_without_a_warning_and_again_from_its_canonical_form(policy: Policy):
    assert policy.warnings == ()
    assert load_canonical(policy.canonical).sha256 == policy.sha256
    assert policy.modes == ("normal", "emergency")
    assert policy.grid_levels == ("township", "community", "area", "block", "cell")


def test_27_departments_in_5_groups_and_three_tiers_of_territory(policy: Policy):
    assert Counter(entry.group for entry in policy.departments.values() if entry.group) == GROUPS
    assert sum(GROUPS.values()) == 27
    units = {code: entry.level for code, entry in policy.departments.items() if entry.units}
    assert units == {"street-office": "township", "community-office": "community", "grid-team": "cell"}
    assert all(entry.group is None for code, entry in policy.departments.items() if code in units)


def test_every_department_leads_or_supports_something(policy: Policy):
    asked = {policy.fallback.lead}
    asked |= {route.lead.partition("@")[0] for route in policy.routes}
    asked |= {support.dept.partition("@")[0] for overlay in policy.overlays for support in overlay.support}
    assert set(policy.departments) == asked


def test_one_catalogue_for_ten_disciplines_each_with_4_to_8_leaves(policy: Policy):
    parents = {code.rpartition(".")[0] for code in policy.categories}
    for discipline in DISCIPLINES:
        leaves = [code for code in policy.categories if code.startswith(f"{discipline}.") and code not in parents]
        assert 4 <= len(leaves) <= 8, discipline
        assert all(code.count(".") == 2 for code in leaves)
        assert sum(len(policy.categories[code].aliases) for code in leaves) >= 1
    assert all(code.rpartition(".")[0] in {"", *policy.categories} for code in policy.categories)


def test_there_are_at_least_60_routes_and_overlays_of_which_45_here(policy: Policy):
    rules = (*policy.routes, *policy.overlays)
    here = [rule for rule in rules if "components" not in str(policy.place("rule", rule.id))]
    assert len(rules) >= 60
    assert len(here) >= 45


def test_each_way_of_seeing_has_sources_and_only_devices_are_refused(policy: Policy):
    assert {source.platform for source in policy.sources.values()} == {"satellite", "air", "ground", "people"}
    for source in policy.sources.values():
        assert source.platform != "people" or not (source.strict_place or source.strict_category)
    helpers = {"volunteer", "patrol_volunteer", "rider", "driver", "merchant", "app"}
    assert {policy.sources[code].severity_cap for code in helpers} == {2}
    assert policy.sources["satellite"].verify.always


def test_every_category_has_a_route_in_every_township_mode_and_severity(policy: Policy, decider: Decider):
    """W104 as far as it can be said without lint: only the uncategorised are left to the fallback."""
    for code, township, mode, severity in product(policy.categories, TOWNSHIPS, policy.modes, SEVERITIES):
        decision = decider.decide(facts(code, severity=severity, mode=mode, path=path_in(township)))
        assert decision.route is not None, (code, township, mode, severity)
        assert decision.lead.unit is None or decision.lead.unit in path_in(township)
        assert decision.unresolved == ()
    assert decider.decide(facts(None)).fallback == "uncategorised"


def test_the_index_and_the_plain_loop_agree(policy: Policy, decider: Decider):
    sources = [source for source in policy.sources.values() if source.code in {"satellite", "ai_video", "rider"}]
    hours_ms = [MONDAY_MS, MONDAY_MS - 150 * 60_000, MONDAY_MS + 13 * 3_600_000, MONDAY_MS + 140 * 86_400_000]
    for number, (code, mode) in enumerate(product((*policy.categories, None), policy.modes)):
        source = sources[number % len(sources)]
        asked = facts(
            code, mode=mode, severity=number % 4 + 1, source=source.code, platform=source.platform,
            confidence=number % 10 / 10, at_ms=hours_ms[number // 2 % len(hours_ms)], reporters=number % 24,
            whistle=(None, "joint_enforcement", "emergency", "key_livelihood")[number % 4],
            keywords=policy.keywords_in("公园里停水反水，全体业主联名") if number % 3 else (),
            attributes=(("near", "school"), ("surface", "pavement")) if number % 5 else (),
        )  # fmt: skip
        assert decider.decide(asked) == decide_plainly(policy, asked)


def test_where_life_is_at_stake_the_clock_is_the_one_of_minutes_whatever_else_is_true(policy: Policy, decider: Decider):
    grave = [code for code, category in policy.categories.items() if category.life_safety and code[:2] in DISCIPLINES]
    assert len(grave) > 15
    circumstances: list[dict[str, object]] = [
        {}, {"path": (), "place": "outside"}, {"request_kind": "inquiry"}, {"request_kind": "praise"},
        {"source": "ai_video", "platform": "ground", "confidence": 0.1},
    ]  # fmt: skip
    for code, mode, severity, known in product(grave, policy.modes, SEVERITIES, circumstances):
        decision = decider.decide(facts(code, mode=mode, severity=severity, **known))
        assert (decision.sla, decision.ladder) == ("life-safety", "life-safety"), (code, mode, known)
        assert decision.guard is None
        assert decision.level == 0


def test_the_three_tiers(decider: Decider):
    leads = [decider.decide(facts("03.01.01", severity=severity)).lead for severity in (4, 3, 2, 1)]
    assert [(lead.department, lead.unit) for lead in leads] == [
        ("grid-team", "530002001010101"),
        ("community-office", "530002001"),
        ("street-office", "530002"),
        ("street-office", "530002"),
    ]


def test_the_ladder_of_the_grid_goes_up_tier_by_tier(policy: Policy):
    up = [step.to for step in policy.ladder("grid-up").steps if step.do in {"supervise", "report"}]
    assert [(to.kind, to.level) for to in up] == [("level", 2), ("level", 1), ("city", 0)]


@pytest.mark.parametrize("kind", ["joint_enforcement", "emergency", "key_livelihood"])
def test_a_whistle_compels_departments_to_come(kind: str, policy: Policy, decider: Decider):
    for code in ("02.01.01", "06.01.01", "09.02.02"):
        decision = decider.decide(facts(code, whistle=kind))
        summoned = [plan for plan in decision.support if plan.required]
        assert summoned
        for plan in summoned:
            assert plan.attend is not None
            assert policy.open(plan.attend, MONDAY_MS).due_ms <= MONDAY_MS + 8 * 3_600_000
        assert "whistle" in decision.tags


def test_emergency_mode_never_means_less(policy: Policy, decider: Decider):
    """In an emergency nothing is milder, and whoever came in peace still comes."""
    for code in policy.categories:
        peace, emergency = (decider.decide(facts(code, mode=mode)) for mode in policy.modes)
        assert emergency.severity <= peace.severity
        assert emergency.level <= peace.level, code
        here = {(plan.department, plan.unit) for plan in emergency.support} | {
            (emergency.lead.department, emergency.lead.unit)
        }
        assert {(plan.department, plan.unit) for plan in peace.support} <= here, code


def test_priorities_lie_in_their_bands(policy: Policy):
    for route in policy.routes:
        modes = [part.values for part in route.when.require if part.key == "mode"]
        assert 100 <= route.priority < 1000
        assert (600 <= route.priority < 900) == (modes == [("emergency",)]), route.id
        if route.lead.endswith("@cell"):
            assert route.priority < 400, route.id


def test_every_title_and_reason_is_in_both_languages(policy: Policy):
    sections = policy.document.sections
    named = [*sections.departments, *sections.categories, *sections.sources]
    named += [standard for entry in sections.categories for standard in entry.standards or ()]
    rules = (*policy.guards, *policy.routes, *policy.overlays)
    named += [rule.title for rule in rules]  # type: ignore[misc]
    for kind in policy.document.header.reasons:
        named += list(kind.codes)  # type: ignore[arg-type]
    for entry in named:
        assert re.search(r"[一-鿿]", entry.zh), entry
        assert re.search(r"[A-Za-z]", entry.en), entry
        assert not re.search(r"[一-鿿]", entry.en), entry
    assert {kind.kind for kind in policy.document.header.reasons} >= {"return", "hold", "extend", "void"}
    for rule in (*policy.guards, *policy.routes):
        assert rule.reason, rule.id


def test_nobody_can_tell_which_city_it_is(files: dict[str, bytes]):
    for name, content in files.items():
        found = REAL_PLACE.search(content.decode())
        assert found is None, (name, found and found[0])
    assert REAL_PLACE.search("某某省某某县")


def test_every_rule_is_named_by_a_test_of_its_own_policy(files: dict[str, bytes], policy: Policy):
    named: set[str] = set()
    for file, content in files.items():
        if file.startswith("tests/"):
            for test in yaml.safe_load(content)["tests"]:
                expect = test.get("expect", {})
                named |= {expect.get("route"), expect.get("guard")}
                named |= {*expect.get("overlays", ()), *expect.get("overlays_include", ())}
    rules: tuple[Route | Overlay, ...] = (*policy.routes, *policy.overlays)
    assert {rule.id for rule in (*rules, *policy.guards)} <= named


def test_its_own_tests_pass_and_show_every_rule_and_key_at_work(policy: Policy):
    cells = GridCells()
    cases = read_suite(DIRECTORY, policy, cells)
    assert cases is not None
    outcome = run_cases(policy, cases, cells)
    assert [(result.case.name, result.failures) for result in outcome.results if result.failures] == []
    shares = (outcome.coverage.rules, outcome.coverage.keys, outcome.coverage.keys_that_matter)
    assert [share.percent for share in shares] == [100, 100, 100]


def test_lint_finds_nothing_until_the_announced_holidays_run_out(policy: Policy):
    known_until_ms = policy.clock("cn-office").coverage_until_ms
    assert known_until_ms is not None
    paths = [path_in(township)[:depth] for township in TOWNSHIPS for depth in range(1, 6)]
    covered = covered_rules(DIRECTORY)
    early, late = (lint(policy, known_until_ms - days * DAY_MS, paths=paths, covered=covered) for days in (120, 40))
    assert [str(found) for found in early.findings] == []
    assert early.holes == ()
    assert {found.number for found in late.findings} == {"W108"}
