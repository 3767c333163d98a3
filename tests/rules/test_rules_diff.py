"""What two policies decide otherwise, against deciding everything under both by the plain loop."""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence

import msgspec
import orjson
import pytest
from lint_random import PATHS, lint_files
from rules_random import BASE_MS
from rules_small import at_ms, small

from rules import Facts, Policy, decide_plainly, load_policy
from rules.changes import Change, changes
from rules.diff import ELSEWHERE, NOWHERE, Diff, diff_policies
from rules.diff import _difference as difference
from rules.diff import _said as in_words
from rules.lint.places import named_cells

NOW_MS = at_ms("2026-03-04 10:00")
Edit = Callable[[random.Random, dict], None]


def compared(*edits: tuple[str, str], **more: object) -> Diff:
    return diff_policies(small(), small(*edits), NOW_MS, **more)


def test_the_same_policy():
    assert compared() == Diff((), (), (ELSEWHERE, NOWHERE), ())


def test_another_lead():
    found = compared(("lead: gas-company\n    sla: gas-leak", "lead: fire-brigade\n    sla: gas-leak"))
    assert found.changes == (Change("rule", "gas.leak", "changed"),)
    rows = [row for row in found.rows if row.category == "03.02" and row.area == ELSEWHERE]
    assert {(row.severities, row.lead, row.support_removed, row.support_added) for row in rows} == {
        # the fire brigade supports no more, since it leads; the gas company does
        ((1, 2), ("gas-company", "fire-brigade"), ("fire-brigade 15m required",), ("gas-company",)),
        # … by night also where the claim was mild: a smell of gas makes it severe
        ((1, 2, 3, 4), ("gas-company", "fire-brigade"), ("fire-brigade 15m required",), ("gas-company",)),
    } or {row.severities for row in rows} == {()}
    assert {(row.category, row.sla) for row in found.rows} == {
        (code, ("gas-leak", "gas-leak")) for code in ("03.02", "03.02.01")
    }
    assert {row.area for row in found.rows} == {ELSEWHERE, NOWHERE}
    for row in found.rows:
        one, other = (decide_plainly(policy, row.example) for policy in (small(), small(
            ("lead: gas-company\n    sla: gas-leak", "lead: fire-brigade\n    sla: gas-leak"))))  # fmt: skip
        assert (one.lead.department, other.lead.department) == row.lead


def test_an_sla_is_told_by_what_changed_in_it():
    found = compared(("resolve: 4h}", "resolve: 3h}"))
    assert found.changes == (Change("sla", "gas-leak", "changed"),)
    assert {row.sla for row in found.rows} == {("gas-leak (resolve 4h)", "gas-leak (resolve 3h)")}
    assert {row.lead for row in found.rows} == {("gas-company", "gas-company")}
    assert {row.category for row in found.rows} == {"03.02", "03.02.01"}


def test_filing_standards():
    found = compared(("limit: 2h,", "limit: 3h,"))
    assert {row.category for row in found.rows} == {"03.02", "03.02.01"}
    said = {row.sla for row in found.rows}
    assert ("by-standard (resolve 2h)", "by-standard (resolve 3h)") in said
    assert any(change.name == "03.02" and change.kind == "category" for change in found.changes)


def test_a_support_in_one_mode_and_one_place():
    overlay = "  - {id: more, when: {mode: [emergency], grid: [T7]}, support: [{dept: centre, attend: 1h}]}\n"
    found = compared(("overlays:\n", "overlays:\n" + overlay))
    assert {(row.area, row.modes, row.support_added) for row in found.rows} == {("T7", ("emergency",), ("centre 1h",))}
    led = {row.category for row in found.rows}
    assert led == {"03", "03.02", "03.02.01"}, "where the centre leads as the fallback it doesn't support itself"


def test_a_category_that_is_new():
    found = compared(
        (
            '  "03.02.01": {zh: 管道, en: Pipe, severity_cap: 2}\n',
            '  "03.02.01": {zh: 管道, severity_cap: 2}\n  "03.03": {}\n',
        )
    )
    row = next(row for row in found.rows if row.category == "03.03" and row.area == ELSEWHERE)
    assert row.lead == ("centre", "street-office@township")
    assert {change.how for change in found.changes if change.kind == "category"} == {"added", "changed"}


def test_a_guard_is_told_by_its_outcome():
    found = compared(("outcome: discard", "outcome: park"))
    assert {row.lead for row in found.rows} == {("discard", "park")}
    assert {row.category for row in found.rows} == {"03", "03.02", "03.02.01", "noise.residential", None}


def test_a_calendar_changes_the_rules_that_ask_for_it():
    found = compared(('night: {hours: {all: ["22:00-06:00"]}}', 'night: {hours: {all: ["23:00-06:00"]}}'))
    assert found.changes == (Change("calendar", "night", "changed"),)
    assert {row.category for row in found.rows} == {"03.02", "03.02.01"}


def test_too_many_combinations_are_said():
    found = compared(("lead: gas-company\n    sla: gas-leak", "lead: fire-brigade\n    sla: gas-leak"), most=2)
    assert {category for category, _ in found.incomplete} == {"03.02", "03.02.01"}


def test_order_changes_are_few():
    first, second, third = (f"  - {{id: {name}, when: {{}}, lead: centre, sla: triage}}\n" for name in "abc")
    one, other = (small(("routes:\n", "routes:\n" + text)) for text in (first + second + third, third + first + second))
    assert changes(one, other) == (Change("rule", "c", "moved"),)
    assert changes(other, one) == (Change("rule", "c", "moved"),)
    assert changes(one, one) == ()


def test_every_kind_of_definition():
    one = small()
    other = small(
        ("modes: [normal, emergency]", "modes: [normal, emergency, storm]"),
        ("fire-brigade: {zh: 消防, en: Fire brigade}", "fire-brigade: {zh: 消防队, en: Fire brigade}"),
        ("  rider: {platform: people, severity_cap: 2", "  runner: {platform: people, severity_cap: 2"),
        ('"03.02": {same: asset, mode: auto}', '"03.02": {same: asset, mode: suggest}'),
        ("repeat: {every: 1d, times: 3}", "repeat: {every: 1d, times: 4}"),
        ("include:", "whistle_attend: 2h\nmeasures: {weights: {inspection: 1}}\ninclude:"),
    )
    assert {(change.kind, change.name, change.how) for change in changes(one, other)} == {
        ("policy", "measures", "changed"),
        ("policy", "modes", "changed"),
        ("policy", "whistle_attend", "changed"),
        ("department", "fire-brigade", "changed"),
        ("source", "rider", "removed"),
        ("source", "runner", "added"),
        ("merge rule", "03.02", "changed"),
        ("ladder", "grid-up", "changed"),
    }


# --- against the plain loop ---------------------------------------------------------------------


def pair(seed: int, edits: Sequence[Edit] | None = None) -> tuple[Policy, Policy, list[Facts]]:
    """A small random policy, the same with something changed, and all facts that matter to both."""
    files, everything = lint_files(seed)
    rng = random.Random(f"diff {seed}")
    document = orjson.loads(files["rules.yaml"])
    for _ in range(rng.randint(1, 3)):
        rng.choice(edits or EDITS)(rng, document)
    return load_policy(files), load_policy(files | {"rules.yaml": orjson.dumps(document)}), everything


def other_lead(rng: random.Random, document: dict) -> None:
    rng.choice(document["routes"])["lead"] = rng.choice(["water", "gas", "office@borough"])


def other_priority(rng: random.Random, document: dict) -> None:
    rng.choice(document["routes"])["priority"] = rng.choice([100, 300])


def no_such_rule(rng: random.Random, document: dict) -> None:
    rules = rng.choice([document["routes"], document["overlays"], document["guards"]])
    if rules:
        rules.pop(rng.randrange(len(rules)))


def other_order(rng: random.Random, document: dict) -> None:
    rng.shuffle(document["routes"])


def other_support(rng: random.Random, document: dict) -> None:
    for overlay in document["overlays"][:1]:
        overlay["support"] = [{"dept": rng.choice(["water", "gas"]), "attend": rng.choice(["15m", "1h"])}]


def other_sla(rng: random.Random, document: dict) -> None:
    document["sla"]["quick"]["targets"] = {"resolve": rng.choice(["1h", "3h"])}


def other_limits(rng: random.Random, document: dict) -> None:
    document["categories"]["01.01"] = {"standards": {"a": {"limit": rng.choice(["2h", "3h"])}}}


def other_catalogue(rng: random.Random, document: dict) -> None:
    document["categories"].pop(rng.choice(["02", "02.01"]), None)  # others lie under them, so rules may name them


def other_level(rng: random.Random, document: dict) -> None:
    rng.choice([*document["routes"], *document["overlays"]])["level"] = rng.choice(["city", "borough", "district"])


def other_office(rng: random.Random, document: dict) -> None:
    document["departments"][rng.choice(["gas", "police", "office"])]["level"] = rng.choice(["city", "borough"])


EDITS = [
    other_lead, other_priority, no_such_rule, other_order, other_support, other_sla, other_limits, other_catalogue,
]  # fmt: skip


LEVEL_EDITS = [other_level, other_level, other_office, other_lead]


def truth(before: Policy, after: Policy, everything: list[Facts]) -> dict[tuple, set[int]]:
    """By category, area and difference: the severities it comes with."""
    named = {*named_cells(before), *named_cells(after)}
    found: dict[tuple, set[int]] = defaultdict(set)
    if all(facts.standard is None for facts in everything):  # no rule asks for it, but limits depend on it
        everything = [
            msgspec.structs.replace(facts, standard=code) for facts in everything for code in (None, "a", "b")
        ]
    for facts in everything:
        last = max((level for level, cell in enumerate(facts.path, 1) if cell in named), default=0)
        area = facts.path[last - 1] if last else ELSEWHERE if facts.path else NOWHERE
        path = (*facts.path[:last], *("any borough", "any district")[last:]) if facts.path else ()
        said = []
        for policy in (before, after):
            category = facts.category if facts.category in policy.categories else None
            decided = decide_plainly(policy, msgspec.structs.replace(facts, path=path, category=category))
            said.append(in_words(policy, decided))
        differs = difference(*said)
        if differs is not None:
            found[facts.category, area, differs].add(facts.severity)
    return found


def problems(seed: int, edits: Sequence[Edit] | None = None) -> list[str]:
    before, after, everything = pair(seed, edits)
    found = diff_policies(before, after, BASE_MS, paths=PATHS)
    wanted = truth(before, after, everything)
    asked = {facts.category for facts in everything}
    areas = {area_of(before, after, facts.path) for facts in everything}
    severities = {facts.severity for facts in everything}
    given: dict[tuple, set[int]] = defaultdict(set)  # a cell on two levels, which no grid has, gives two rows
    for row in found.rows:
        if row.category in asked and row.area in areas:
            key = row.category, row.area, (row.lead, row.support_removed, row.support_added, row.sla)
            given[key] |= set(row.severities or severities)
    said = [f"{key} is none" for key in given if key not in wanted]
    said += [f"{key} is missing" for key in wanted if key not in given]
    if severities == {1, 2, 3, 4}:
        said += [
            f"{key}: severities {given[key]}, not {wanted[key]}"
            for key in given
            if key in wanted and given[key] != wanted[key]
        ]
    return said + [str(each) for each in found.incomplete]


def area_of(before: Policy, after: Policy, path: tuple[str, ...]) -> str:
    named = {*named_cells(before), *named_cells(after)}
    inner = [cell for cell in path if cell in named]
    return inner[-1] if inner else ELSEWHERE if path else NOWHERE


@pytest.mark.parametrize("part", range(4))
def test_equals_deciding_everything_twice(part: int):
    assert {seed: said for seed in range(part, 32, 4) if (said := problems(seed))} == {}


def test_levels_equal_deciding_everything_twice():
    assert {seed: said for seed in range(10, 26) if (said := problems(seed, LEVEL_EDITS))} == {}


def test_the_comparison_notices(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rules.diff._counting", lambda *_: iter(()))
    assert any(problems(seed) for seed in range(40))


def test_the_comparison_notices_departments(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rules.diff._moved_departments", lambda *_: set())
    assert any(problems(seed, LEVEL_EDITS) for seed in range(10, 26))
