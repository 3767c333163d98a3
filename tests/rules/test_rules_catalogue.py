import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules_small import small

from rules import Budget, Recipient, Step, Trigger, claimed_severity, is_people, needs_verification
from rules.conditions import normal_text
from rules.keywords import Keywords


def test_categories_inherit_what_they_do_not_state():
    policy = small()
    pipe = policy.category("03.02.01")
    assert pipe is not None
    assert (pipe.en, pipe.kind, pipe.severity, pipe.life_safety, pipe.evidence, pipe.public) == (
        "Pipe",
        "component",
        2,
        True,
        ("photo",),
        True,
    )
    assert [standard.code for standard in pipe.standards] == ["a", "b"]
    assert (pipe.aliases, pipe.standard_ref, pipe.self_handled) == ((), "", False)
    noise = policy.category("noise.residential")
    assert noise is not None
    assert (noise.severity, noise.self_handled, noise.public, noise.standards) == (4, True, False, ())
    assert policy.category("03.09") is policy.category(None) is None
    bare = small(("noise.residential: {zh: 噪声, en: Noise, severity: 4, self_handled: true}", "other: {}"))
    assert bare.categories["other"].severity == 3


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("03.02", "03.02"),
        ("gas leak", "03.02"),
        (" ＧＡＳ　LEAK ", "03.02"),
        ("煤气", "03.02"),
        ("gas", None),
        ("03.03", None),
    ],
)
def test_codes_and_aliases(text: str, code: str | None):
    assert small().resolve_category(text) == code


def test_departments_sources_reasons_requirements():
    policy = small()
    department, source = policy.department("street-office"), policy.source("rider")
    assert department is not None
    assert (department.units, department.level) == ("from_grid", "township")
    assert source is not None
    assert (source.platform, source.severity_cap) == ("people", 2)
    assert policy.department("none") is policy.source("none") is None
    assert policy.reason("return", "not_ours") == ("非本单位职责", "Not our duty")
    assert policy.reason("hold", "not_ours") is None
    assert dict(policy.requires) == {"grid": ">=2026.10"}
    assert (policy.name, policy.version, policy.timezone.key) == ("small", "2026.11.1", "Asia/Shanghai")
    assert (policy.modes, policy.grid_levels) == (("normal", "emergency"), ("township", "community"))
    assert policy.extend_promised_max("rider") == Budget("30d", 30, "d")
    assert policy.extend_promised_max("hotline") is policy.extend_promised_max("none") is None
    assert repr(policy).startswith("<Policy small 2026.11.1 ")
    assert policy != "small"


def test_people_and_devices():
    policy = small(("ai_video: {platform: ground,", "ai_video: {platform: ground, people: true,"))
    hotline, video, rider = (policy.sources[name] for name in ("hotline", "ai_video", "rider"))
    assert is_people(hotline)
    assert is_people(video)
    assert not is_people(small().sources["ai_video"])
    assert (video.strict_place, video.strict_category) == (True, True)
    assert not needs_verification(hotline, None)
    assert needs_verification(rider, 1.0)
    assert [needs_verification(video, confidence) for confidence in (None, 0.89, 0.9)] == [True, True, False]


@pytest.mark.parametrize(
    ("source", "category", "claimed", "expected"),
    [
        ("hotline", "03.02", None, 2),  # the category's own
        ("hotline", None, None, 3),
        ("hotline", "03.02", 1, 1),
        ("rider", "03.02", 1, 2),  # capped by the source
        ("rider", "03.02", 3, 3),
        ("rider", None, 1, 2),
        ("hotline", "03.02.01", 1, 2),  # capped by the category
        ("none", "noise.residential", 1, 1),
    ],
)
def test_claims_are_capped(source: str, category: str | None, claimed: int | None, expected: int):
    policy = small()
    assert claimed_severity(policy.source(source), policy.category(category), claimed) == expected


def test_a_cap_does_not_make_a_severe_category_mild():
    policy = small(("kind: component, severity: 2", "kind: component, severity: 1"))
    assert claimed_severity(policy.source("rider"), policy.category("03.02"), 1) == 1


def test_merge_rules_by_the_closest_category():
    policy = small()
    gas, pipe, utilities = (policy.merge_rule(code) for code in ("03.02", "03.02.01", "03.05"))
    assert gas == pipe
    assert gas is not None
    assert utilities is not None
    assert (gas.same, gas.mode, gas.radius_m, gas.gap_ms, gas.life_ms) == ("asset", "auto", None, None, None)
    assert (utilities.category, utilities.radius_m, utilities.gap_ms, utilities.life_ms) == (
        "03",
        50.0,
        1_800_000,
        86_400_000,
    )
    assert policy.merge_rule("noise.residential") is policy.merge_rule(None) is None


def test_slas_and_ladders_are_typed():
    policy = small()
    gas, triage, standard = (policy.sla(name) for name in ("gas-leak", "triage", "by-standard"))
    assert [(target.name, target.of, target.budget) for target in gas.targets] == [
        ("acknowledge", "each", Budget("2m", 2, "m")),
        ("attend", "attending", Budget("15m", 15, "m")),
        ("resolve", "lead", Budget("4h", 4, "h")),
    ]
    assert (gas.warn, gas.return_within, gas.reopen_clock) == ((50, 80), Budget("10m", 10, "m"), "reset")
    assert (gas.hold_max, gas.hold_times, gas.extend_times) == (Budget("2d", 2, "d"), 2, 2)
    assert (triage.verify_within, triage.hold_times, triage.close_after) == (Budget("30m", 30, "m"), 0, "check")
    assert standard.targets[1].by_standard
    assert standard.targets[1].budget == Budget("5wd", 5, "wd", "cn-office")
    ladder = policy.ladder("grid-up")
    assert ladder.steps == (
        Step(Trigger("resolve", 90), None, Recipient("lead"), "urge"),
        Step(Trigger("resolve", None), None, Recipient("up", 1), "notify"),
        Step(Trigger("resolve", None), Budget("1wd", 1, "wd", "cn-office"), Recipient("level", 1), "supervise"),
        Step(Trigger("resolve", None), None, Recipient("city"), "report"),
        Step(Trigger("resolve", None), Budget("1h", 1, "h"), Recipient("department", 0, "centre"), "urge"),
    )
    assert (ladder.hold_outside, ladder.stop_when, ladder.repeat_times) == ("cn-office", ("closed",), 3)
    assert (ladder.acknowledge_timeout, ladder.repeat_every) == (
        Budget("30wm", 30, "wm", "cn-office"),
        Budget("1d", 1, "d"),
    )


def test_keywords_of_the_rules_are_found_whatever_case_and_width():
    policy = small()
    assert policy.keywords == ("gas", "smell of gas")
    assert policy.keywords_in("There is a SMELL of ＧＡＳ here") == ("gas", "smell of gas")
    assert policy.keywords_in("nothing") == ()
    assert Keywords(()).find("anything") == ()


letters = st.text(alphabet="aabßＡ煤气.(* ", min_size=1, max_size=5)


@settings(max_examples=300)
@given(st.lists(letters, min_size=1, max_size=12), st.text(alphabet="aabßA煤气.(* ", max_size=30))
def test_every_keyword_is_found_overlapping_ones_too(words: list[str], text: str):
    normal = tuple(normal_text(word) for word in words)
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    assert Keywords(normal).find(text) == tuple(sorted({word for word in normal if word in plain}))


def test_a_long_keyword_compiles():
    word = "ab" * 32
    assert Keywords((word, *(word[:i] for i in range(1, 64)))).find("x" + word)[-1] == word
