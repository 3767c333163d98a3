"""Every finding of the table: the smallest policy that shows it, and the line that is told."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from rules_small import at_ms, files, small

from rules import Policy, decide_plainly, load_canonical, load_policy
from rules.lint import Check, Lint, lint
from rules.lint.findings import Advice
from rules.lint.space import Space

NOW_MS = at_ms("2026-03-04 10:00")
PATHS = (("T1",), ("T1", "C1"), ("T2",), ("T2", "C2"))
CATCH_ALL = """\
routes:
  - {id: any, priority: 1, when: {}, lead: centre, sla: triage, ladder: desk}
"""


def rules(text: str, *changes: tuple[str, str]) -> Policy:
    """The small policy with other guards, routes and overlays, those given and one route for all else."""
    found = files(*changes)
    found["rules.yaml"] = text.encode()
    found["rules_rest.yaml"] = CATCH_ALL.encode()
    found["policy.yaml"] = found["policy.yaml"].replace(b"rules.yaml", b"rules*.yaml")
    return load_policy(found)


def judged(policy: Policy, **more: object) -> Lint:
    return lint(policy, NOW_MS, **{"paths": PATHS, **more})


def told(policy: Policy, *checks: Check, **more: object) -> list[str]:
    """The lines of the findings of some checks, their columns and hints left out."""
    found = [each for each in judged(policy, **more).findings if each.check in checks]
    assert all(str(each).startswith(f"{each.place.file}:{each.place.line}:{each.place.column} ") for each in found)
    return [f"{each.place} {each.number} {each.said()[0]}" for each in found]


def route(name: str, when: str, **more: object) -> str:
    given = {"lead": "centre", "sla": "triage", "ladder": "desk", **more}
    return f"  - {{id: {name}, when: {when}, " + ", ".join(f"{key}: {value}" for key, value in given.items()) + "}\n"


def test_shadowed():
    policy = rules(
        "routes:\n"
        + route("wide", '{category: ["03"]}', priority=500)
        + route("narrow", '{category: ["03.02"], severity: 1}')
        + route("other", "{category: [noise]}")
    )
    assert told(policy, Check.SHADOWED) == [
        "rules.yaml:3 W101 'narrow' never takes effect: 'wide' always comes before it"
    ]


def test_shadowed_by_a_guard():
    policy = rules(
        "guards:\n  - {id: all, when: {mode: [emergency]}, outcome: park}\n"
        "overlays:\n  - {id: late, when: {mode: [emergency], severity: 1}, tags: [x]}\n".replace(", severity: 1", "")
    )
    assert told(policy, Check.SHADOWED) == ["rules.yaml:4 W101 'late' never takes effect: 'all' always comes before it"]


def test_covered_by_several():
    policy = rules(
        "routes:\n"
        + route("bad", '{category: ["03"], severity: "<=2"}', priority=500)
        + route("mild", '{category: ["03"], severity: ">2"}', priority=500)
        + route("idle", '{category: ["03"], mode: [normal]}', priority=500)
        + route("never", '{category: ["03"], source: [hotline]}', priority=300)
    )
    assert told(policy, Check.COVERED) == [
        "rules.yaml:4 W103 'idle' never takes effect: one of bad, mild always comes before it",
        "rules.yaml:5 W103 'never' never takes effect: one of bad, mild always comes before it",
    ]


def test_impossible_together():
    policy = rules(
        "routes:\n"
        + route("closed", "{calendar: [cn-office], not: {calendar: [always]}}")
        + route("gap", '{severity: "<2", not: {severity: 1}}')
        + route("inside", "{text.any: [gas leak], not: {text.any: [gas]}}")
        + route("apart", "{text.any: [gas leak], not: {text.any: [leaks]}}")
        + route("nights", "{calendar: [cn-office]}", priority=500)
    )
    assert told(policy, Check.IMPOSSIBLE) == [
        f"rules.yaml:{line} W103 '{name}' never takes effect: its conditions never hold together"
        for line, name in ((2, "closed"), (3, "gap"), (4, "inside"))
    ]


def test_overlays_leave_nothing():
    policy = rules(
        "routes:\n"
        + route("mild", '{category: ["03"], severity: ">2"}')
        + route("bad", '{category: ["03"], severity: 2}')
        + 'overlays:\n  - {id: worse, when: {category: ["03"]}, severity: {raise_to: 2}}\n'
    )
    assert told(policy, Check.CHANGED) == [
        "rules.yaml:2 W103 'mild' never takes effect: worse never leaves the severity or tags it asks for"
    ]


def test_guards_see_what_was_claimed():
    """A tag that reports may not have, since a guard ends those, still comes of an overlay; a severity likewise."""
    text = (
        "guards:\n  - {id: drill, when: {tags: [drill]}, outcome: discard}\n"
        "  - {id: top, when: {severity: 1}, outcome: park}\n"
        "routes:\n" + route("drilled", "{tags: [drill]}") + route("worst", "{severity: 1}", priority=500)
    )
    assert told(rules(text), Check.SHADOWED) == [
        "rules.yaml:5 W101 'drilled' never takes effect: 'drill' always comes before it",
        "rules.yaml:6 W101 'worst' never takes effect: 'top' always comes before it",
    ]
    overlays = (
        "overlays:\n  - {id: night, when: {mode: [emergency], grid: [C1]}, severity: {raise_to: 1}}\n"
        "  - {id: practice, when: {source: [rider], grid: [T2]}, tags: [drill]}\n"
    )
    dead = (Check.SHADOWED, Check.COVERED, Check.CHANGED, Check.IMPOSSIBLE)
    assert told(rules(text + overlays), *dead) == []
    with pytest.MonkeyPatch.context() as patch:  # overlays that help in one place only are what this rests on
        patch.setattr(Space, "helps", lambda self, rule: False)
        assert len(told(rules(text + overlays), *dead)) == 2


def test_a_tie_with_its_example():
    policy = rules(
        "routes:\n"
        + route("one", '{category: ["03"], tags: [a]}', lead="gas-company")
        + route("two", '{category: ["03"], mode: [emergency]}', lead="fire-brigade")
        + route("three", '{category: ["03"], source: [rider]}', lead="fire-brigade")
    )
    found = [each for each in judged(policy).findings if each.check is Check.TIE]
    assert [each.rules for each in found] == [("two", "one"), ("three", "one")]
    for each in found:
        decided = decide_plainly(policy, each.example)
        assert (decided.route, decided.won_by) == ("one", "order")
    assert str(found[0]).startswith("rules.yaml:3:10 W102 'two' ranks equal with 'one', which has another lead;")
    assert "mode emergency" in str(found[0])
    assert "tags a" in str(found[0])


def holes_policy() -> Policy:
    return small(
        ('{category: ["03.02"], severity: "<=2"}', '{category: ["03.02"], severity: "<=2", grid: [T1]}'),
        ('    when: {category: ["03"]}', '    when: {category: ["03.02.01"]}'),
    )


def test_holes():
    found = judged(holes_policy())
    told_of = [each for each in found.findings if each.number == "W104"]
    leak = "catalogue/categories.yaml:3 W104"
    example = "category 03.02; place T1; source hotline; 2026-03-04 06:00"
    assert [f"{each.place} {each.number} {each.said()[0]}" for each in told_of] == [
        "catalogue/categories.yaml:2 W104 only the fallback serves 03, noise.residential in 2/2: T1, T2",
        f"{leak} the fallback serves some cases of 03.02 in 1/2: T1, as {example}",
        f"{leak} only the fallback serves 03.02 in 1/2: T2",
    ]
    table = {(hole.category, hole.area): hole.always for hole in found.holes}
    assert table == {
        ("03", "T1"): True, ("03", "T2"): True, ("03.02", "T1"): False, ("03.02", "T2"): True,
        ("noise.residential", "T1"): True, ("noise.residential", "T2"): True,
    }  # fmt: skip
    assert all(decide_plainly(holes_policy(), hole.example).route is None for hole in found.holes)


def test_holes_without_a_grid():
    table = {(hole.category, hole.area): hole.always for hole in judged(holes_policy(), paths=None).holes}
    assert table["03.02", "T1"] is False
    assert table["03.02", "any township"] is True


def test_promises_in_the_wrong_order():
    late = small(("resolve: 4h}", "resolve: 5m}"))
    assert told(late, Check.ORDER) == [
        "clocks.yaml:9 W105 sla 'gas-leak': attend (15m) always falls due after resolve (5m)",
        "clocks.yaml:9 W105 sla 'gas-leak': return_within (10m) always falls due after resolve (5m)",
    ]
    standard = small(("acknowledge: 30wm", "acknowledge: 3d"))
    assert told(standard, Check.ORDER) == [
        "clocks.yaml:16 W105 sla 'by-standard': acknowledge (3d) always falls due after resolve (2h)"
    ]
    # a working hour may well be over after two hours, and may not: no contradiction
    assert told(small(("acknowledge: 30wm", "acknowledge: 60wm")), Check.ORDER) == []


def test_warnings_out_of_order():
    assert told(small(), Check.WARN_ORDER) == ["clocks.yaml:9 W105 sla 'gas-leak' warns at 80%, 50%"]
    assert told(small(("[80%, 50%]", "[50%, 80%]")), Check.WARN_ORDER) == []


def test_budgets_of_overlays_that_nothing_comes_of():
    written = "targets: {resolve: {within: 2wh, calendar: cn-office}"
    loose = small((written, "targets: {resolve: 90d"))
    assert told(loose, Check.NEVER_EARLIEST) == [
        (
            "rules.yaml:22 W105 'gas.whistle': resolve within 90d is never the earliest: "
            "every route it can meet promises sooner"
        ),
    ]
    # four days may be less than two working days, over a holiday
    assert told(small((written, "targets: {resolve: 4d")), Check.NEVER_EARLIEST) == []
    assert told(small(), Check.NEVER_EARLIEST) == []
    late = small(("attend: 15m, required", "attend: 90d, required"))
    assert told(late, Check.ATTEND_LATE) == [
        (
            "rules.yaml:22 W105 'gas.whistle': fire-brigade attends within 90d, "
            "after the case must be resolved in every route it can meet"
        ),
    ]


@pytest.mark.parametrize(
    ("expires", "said"),
    [
        ("2026-03-03", "W106 'utilities' expired on 2026-03-03"),
        ("2026-03-04", "W106 'utilities' expires on 2026-03-04, in 0 days"),
        ("2026-04-03", "W106 'utilities' expires on 2026-04-03, in 30 days"),
        ("2026-04-04", ""),
    ],
)
def test_expiry(expires: str, said: str):
    policy = small(("  - id: utilities\n", f'  - id: utilities\n    expires: "{expires}"\n'))
    assert told(policy, Check.EXPIRED, Check.EXPIRING) == ([f"rules.yaml:12 {said}"] if said else [])
    assert told(policy, Check.IMPOSSIBLE, Check.UNDECIDED) == []  # what is over is told once


def test_steps_of_ladders():
    late = small(('- {trigger: "resolve 90%", to', '- {trigger: "resolve 90%", after: 40d, to'))
    step = "'resolve 90% + 40d urge lead'"
    assert told(late, Check.WARNS_LATE, Check.STEP_BACK) == [
        f"clocks.yaml:19 W107 ladder 'grid-up': {step} announces a deadline that has passed by then",
        (
            f"clocks.yaml:19 W107 ladder 'grid-up': 'resolve breach notify up(1)' comes before {step}, "
            "which stands above it"
        ),
    ]
    stopped = small(
        ("stop_when: [closed]", "stop_when: [done]"),
        ('- {trigger: "resolve 90%"', '- {trigger: "check breach"'),
        ("acknowledge: 30wm", "check: 30wm"),
    )
    assert told(stopped, Check.STOPPED) == [
        (
            "clocks.yaml:19 W107 ladder 'grid-up': 'check breach urge lead' is never taken, "
            "since the ladder has stopped when done"
        ),
    ]
    assert told(small(), Check.WARNS_LATE, Check.STEP_BACK, Check.STOPPED) == []


def test_holidays_that_are_not_known():
    late_ms = at_ms("2026-11-22 10:00")
    assert [str(each).split(" (")[0] for each in lint(small(), late_ms).findings if each.check is Check.COVERAGE] == [
        "clocks.yaml:2:3 W108 calendar 'cn-office' knows no holidays from 2027-01-01 on, in 39 days"
    ]
    assert told(small(), Check.COVERAGE) == []


def test_cells_the_grid_does_not_have():
    policy = rules("routes:\n" + route("here", "{grid: [T1, T9, T8]}"))
    assert told(policy, Check.UNKNOWN_CELL) == [
        "rules.yaml:2 W110 'here' names cell T8, T9, which the grid does not have"
    ]
    assert told(policy, Check.UNKNOWN_CELL, paths=None) == []


def test_levels_that_never_count():
    def idle(level: str, *changes: tuple[str, str]) -> list[str]:
        whistle = ("    tags: [whistle]\n", f"    tags: [whistle]\n    level: {level}\n")
        return told(small(whistle, *changes), Check.NEVER_WIDEST)

    office = ("lead: gas-company\n    sla: gas-leak", "lead: street-office@township\n    sla: gas-leak")
    deeper = ('    reason: "gas emergency plan"\n', '    reason: "gas emergency plan"\n    level: community\n')
    never = (
        "rules.yaml:22 W111 'gas.whistle': level {} never counts: every route it can meet is held there or higher up"
    )
    assert idle("community") == []  # it takes what a department of the city leads
    assert idle("community", office) == [never.format("community")]
    assert idle("township", office) == [never.format("township")]
    assert idle("city", office) == []
    assert idle("township", office, deeper) == []
    assert told(small(office), Check.NEVER_WIDEST) == []


def test_rules_without_a_test():
    found = judged(small(), covered={"drill", "utilities"}).findings
    assert [each.rules for each in found if each.number == "W201"] == [("gas.leak",), ("gas.night",), ("gas.whistle",)]
    assert told(small(), Check.UNTESTED) == []


def test_undecided_is_said():
    text = "routes:\n" + "".join(
        route(f"r{n}", f"{{attributes.a{n}: [x], attributes.b{n}: [y]}}", priority=500, lead=lead)
        for n, lead in enumerate(["gas-company", "fire-brigade"] * 6)
    )
    text += route("top", "{attributes.a0: [x], attributes.a1: [x], attributes.c: [z]}", priority=900)
    policy = rules(text)
    assert told(policy, Check.UNDECIDED) == []
    some = judged(policy, steps=5)
    undecided = [each for each in some.findings if each.check is Check.UNDECIDED]
    assert {each.rules for each in undecided} >= {("r11",), ("any",)}
    undecided = [each for each in judged(policy, steps=0).findings if each.check is Check.UNDECIDED]
    assert any(len(each.rules) == 2 for each in undecided), "a tie not found out names both"
    assert not any(each.check in (Check.SHADOWED, Check.COVERED, Check.IMPOSSIBLE) for each in some.findings)
    fewer = lint(holes_policy(), NOW_MS, paths=PATHS, steps=0)
    assert any(hole.example is None and not hole.always for hole in fewer.holes)
    assert any(each.check is Check.UNDECIDED and "/" in str(each) for each in fewer.findings)


def test_rules_of_too_many_words_are_undecided():
    words, tags = (", ".join(f"{letter}{n}" for n in range(40)) for letter in "wt")
    text = "routes:\n" + route("huge", f"{{text.any: [{words}], tags: [{tags}]}}", priority=500)
    text += "overlays:\n  - {id: late, when: {mode: [normal]}, targets: {resolve: 90d}}\n"
    found = judged(rules(text)).findings
    assert {each.rules for each in found if each.check is Check.UNDECIDED} == {("huge",), ("any",)}
    assert [each.rules for each in found if each.check is Check.NEVER_EARLIEST] == [("late",)]


def test_that_it_never_wins_is_told_even_without_why():
    policy = rules(
        "routes:\n"
        + "".join(route(f"s{n}", f"{{severity: {n}}}", priority=500) for n in (1, 2, 3, 4))
        + route("idle", "{mode: [emergency]}")
    )
    full = [each for each in judged(policy).findings if each.rules[:1] == ("idle",)]
    assert [(each.check, each.rules) for each in full] == [(Check.COVERED, ("idle", "s1", "s2", "s3", "s4"))]
    told_of = [
        each.check for steps in range(80) for each in judged(policy, steps=steps).findings if "idle" in each.rules[:1]
    ]
    assert list(dict.fromkeys(told_of)) == [Check.UNDECIDED, Check.UNEXPLAINED, Check.COVERED]


def test_without_files_there_are_no_places():
    found = judged(load_canonical(holes_policy().canonical)).findings
    assert found
    assert all(each.place is None and str(each).startswith("W1") for each in found)


def test_a_policy_in_order_has_nothing():
    policy = small(
        ("[80%, 50%]", "[50%, 80%]"),
        ('category: ["03"]}\n    lead: street', 'category: ["03", noise]}\n    lead: street'),
    )
    assert judged(policy).findings == ()


def test_both_languages_say_everything():
    samples = [each for policy in (small(), holes_policy()) for each in judged(policy).findings]
    for each in samples:
        assert each.render("zh").split(" ")[0] == each.render("en").split(" ")[0]
        assert re.search("[\u4e00-\u9fff]", each.render("zh"))
    names = {check: set(re.findall(r"{(\w+)}", check.en)) for check in Check}
    assert names == {check: set(re.findall(r"{(\w+)}", check.zh)) for check in Check}
    assert all(advice.en and advice.zh for advice in Advice)
    assert {check.advice for check in Check} == set(Advice), "advice that nobody gives"


def test_every_check_is_shown_here():
    shown = Path(__file__).read_text(encoding="utf-8")
    assert [check.name for check in Check if f"Check.{check.name}" not in shown and check.number != "W104"] == []


SHOW = """
import sys
sys.path.insert(0, {here!r})
from test_rules_lint_findings import *
from lint_random import lint_policy
from rules_random import BASE_MS
for policy in (holes_policy(), *(lint_policy(seed)[0] for seed in range(12))):
    for found in lint(policy, BASE_MS).findings:
        print(found, found.rules, found.example)
"""


def test_two_processes_with_other_hash_seeds_agree():
    said = [
        subprocess.run(
            [sys.executable, "-c", SHOW.format(here=str(Path(__file__).parent))],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert len(said[0].splitlines()) > 20
