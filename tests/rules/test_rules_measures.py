"""What is weighed and ranked, reasons and whistles: what may be written, and what is said of the rest."""

import pytest
from rules_small import FILES, files, small

from rules import MEASURES, REASON_KINDS, Budget, Measures, PolicyError, load_canonical, load_policy

HEADER = 'requires: {grid: ">=2026.10"}\n'
DAY_MS = 86_400_000


def measured(text: str) -> Measures:
    return small((HEADER, f"{HEADER}measures: {text}\n")).measures


def problems(*changes: tuple[str, str], **more: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load_policy(files(*changes, **more))
    return [str(problem) for problem in caught.value.problems]


def test_everything_said():
    weights = ", ".join(f"{name}: {number}" for number, name in enumerate(MEASURES, 1))
    found = measured(f"{{weights: {{{weights}}}, minimum_cases: 25, came_back: 36h, boards: {{red: 5, black: 0}}}}")
    assert dict(found.weights) == {name: number for number, name in enumerate(MEASURES, 1)}
    assert (found.minimum_cases, found.came_back_ms, found.red, found.black) == (25, 36 * 3_600_000, 5, 0)


def test_what_is_left_out_has_its_default():
    found = measured("{weights: {inspection: {weight: 7}}, boards: {black: 1}}")
    assert dict(found.weights) == {"inspection": 7}
    assert (found.minimum_cases, found.came_back_ms, found.red, found.black) == (10, 30 * DAY_MS, 3, 1)
    assert small().measures == Measures({"on_time_closure_rate": 100}, 10, 30 * DAY_MS, 3, 3)
    with pytest.raises(TypeError):
        found.weights["closure_rate"] = 1  # type: ignore[index]


def test_in_a_file_of_its_own_or_in_policy_yaml_it_is_the_same():
    text = "measures: {weights: {closure_rate: 1}}\n"
    included = ("clocks.yaml, rules.yaml]", "clocks.yaml, rules.yaml, more.yaml]")
    elsewhere = small(included, more_yaml=text)
    assert elsewhere.document.measures == small((HEADER, HEADER + text)).document.measures
    assert load_canonical(elsewhere.canonical).measures == elsewhere.measures
    assert elsewhere.sha256 != small(included, more_yaml="merge: {}\n").sha256


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "5:11 E007 measures needs 'weights' (add it)"),
        ("{weights: {}}", "5:21 E010 '{}' is not a mapping of at least one measure to its weight"),
        (
            "{weights: {close_rate: 1}}",
            "5:22 E010 'close_rate' is not one of those allowed (did you mean 'closure_rate'?)",
        ),
        ("{weights: {closure_rate: 0}}", "5:36 E010 '0' is not between 1 and 100000"),
        ("{weights: {closure_rate: 0.5}}", "5:36 E008 expected a whole number, found '0.5'"),
        ("{weights: [closure_rate]}", "5:21 E008 expected a mapping, found a list"),
        ("{weights: {inspection: 1}, minimum_cases: 0}", "5:53 E010 '0' is not between 1 and 100000"),
        ("{weights: {inspection: 1}, boards: {red: -1}}", "5:52 E010 '-1' is not between 0 and 100"),
        ("{weights: {inspection: 1}, boards: {green: 1}}", "5:47 E005 unknown key 'green' in boards"),
        (
            "{weights: {inspection: 1}, came_back: 5wd}",
            "5:49 E014 '5wd' runs in working time: no calendar can be given here (use m, h or d)",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str):
    (found,) = problems((HEADER, f"{HEADER}measures: {text}\n"))
    assert found.startswith(f"policy.yaml:{said}")


def test_measures_are_given_once():
    text = "measures: {weights: {closure_rate: 1}}\n"
    included = ("clocks.yaml, rules.yaml]", "clocks.yaml, rules.yaml, a.yaml, b.yaml]")
    assert problems(included, a_yaml=text, b_yaml=text) == [
        "b.yaml:1:1 E006 key 'measures' is given twice (keep one of them)"
    ]
    broken = problems(included, a_yaml="measures: 5\n", b_yaml=text)
    assert [line.split()[1] for line in broken] == ["E008", "E006"]


# --- reasons ------------------------------------------------------------------------------------

REASONS = "reasons: {return: {not_ours: {zh: 非本单位职责, en: Not our duty}}}\n"


def test_every_kind_of_reason():
    text = ", ".join(f"{kind}: {{code-{kind}: {{zh: 原因, en: Why}}}}" for kind in REASON_KINDS if kind != "whistle")
    policy = small((REASONS, f"reasons: {{{text}}}\n"))
    for kind in REASON_KINDS:
        assert policy.reasons_of(kind) == ({} if kind == "whistle" else {f"code-{kind}": ("原因", "Why")})
    assert policy.reason("exempt", "code-exempt") == ("原因", "Why")
    assert policy.reason("exempt", "code-void") is policy.reason("whistle", "any") is None
    with pytest.raises(TypeError):
        policy.reasons_of("void")["x"] = ("", "")  # type: ignore[index]


def test_an_unknown_kind_of_reason():
    (found,) = problems((REASONS, "reasons: {retrun: {not_ours: {}}}\n"))
    assert found == "policy.yaml:9:11 E010 'retrun' is not one of those allowed (did you mean 'return'?)"


WHISTLED = ('when: {category: ["03.02"]}\n    support', "when: {whistle: [joint]}\n    support")


def test_a_rule_names_a_kind_of_whistle_that_is_listed_if_any_are():
    assert small(WHISTLED).overlays[-1].when.require[0].values == ("joint",)  # none are listed
    listed = (REASONS, "reasons: {whistle: {joint: {zh: 联合, en: Joint}, emergency: {}}}\n")
    small(listed, WHISTLED)
    small(listed, (WHISTLED[0], WHISTLED[1].replace("[joint]", "any")))
    (found,) = problems(listed, (WHISTLED[0], WHISTLED[1].replace("joint", "jiont")))
    assert found == "rules.yaml:23:22 E012 no whistle is called 'jiont' (did you mean 'joint'?)"
    assert small(listed).reasons_of("whistle") == {"joint": ("联合", "Joint"), "emergency": ("", "")}


# --- whistles and callbacks ---------------------------------------------------------------------


def test_how_soon_a_whistle_must_be_followed():
    assert small().whistle_attend == Budget("1h", 1, "h")
    assert small((HEADER, HEADER + "whistle_attend: 30m\n")).whistle_attend == Budget("30m", 30, "m")
    working = small((HEADER, HEADER + "whistle_attend: {within: 4wh, calendar: cn-office}\n"))
    assert working.whistle_attend == Budget("4wh", 4, "wh", "cn-office")
    assert load_canonical(working.canonical).whistle_attend == working.whistle_attend


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("soon", "5:17 E010 'soon' is not a budget"),
        ("4wh", "5:17 E014 '4wh' runs in working time: no calendar is given (name a 'calendar' beside it)"),
        ("{within: 1h, calendar: office}", "5:40 E012 no calendar is called 'office' (did you mean 'cn-office'?)"),
        ("{calendar: cn-office}", "5:17 E007 attend needs 'within'"),
    ],
)
def test_what_is_wrong_with_it(text: str, said: str):
    (found,) = problems((HEADER, f"{HEADER}whistle_attend: {text}\n"))
    assert found.startswith(f"policy.yaml:{said}")


def test_how_often_reporters_are_called_back():
    sla = ("warn: [80%, 50%]", "warn: [80%, 50%]\n    callback_attempts: {}")
    assert small().sla("gas-leak").callback_attempts == 3
    for attempts in (1, 10):
        policy = small((sla[0], sla[1].format(attempts)))
        assert policy.sla("gas-leak").callback_attempts == attempts
        assert policy.sla("triage").callback_attempts == 3
    for attempts in (0, 11):
        (found,) = problems((sla[0], sla[1].format(attempts)))
        assert found == f"clocks.yaml:13:24 E010 '{attempts}' is not between 1 and 10"


def test_a_whole_policy_in_one_file_may_hold_everything():
    text = FILES["policy.yaml"].replace("[catalogue/*.yaml, clocks.yaml, rules.yaml]", "[]")
    text += "measures: {weights: {street_rating: 3}}\nwhistle_attend: 2h\n"
    text += "".join(part for name, part in FILES.items() if name != "policy.yaml")
    policy = load_policy({"policy.yaml": text.encode()})
    assert (dict(policy.measures.weights), policy.whistle_attend.text) == ({"street_rating": 3}, "2h")
