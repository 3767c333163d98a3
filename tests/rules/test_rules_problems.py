"""Each code of the closed table has a bad policy under `bad/`, and what is said of it is asserted to the letter."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest
from rules_small import files

import rules
from rules import Code, PolicyError, Problem, load_canonical, load_policy
from rules.phrases import PHRASES, Phrase, fill, in_words, printable, said
from rules.problems import MAX_PROBLEMS, OURS, Hint, Place, Problems

BAD = Path(__file__).parent / "bad"
CANONICAL = "canonical.json"
ANY_LINES = "…"
HAN = re.compile(r"[\u4e00-\u9fff]")
SOURCES = [path for path in Path(rules.__file__).parent.glob("*.py") if path.name != "phrases.py"]


def problems_of(folder: Path) -> tuple[Problem, ...]:
    """Errors, or else warnings, of a bad policy."""
    given = {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.startswith("expected.")
    }
    try:
        policy = load_canonical(given[CANONICAL]) if CANONICAL in given else load_policy(given)
    except PolicyError as error:
        return error.problems
    return policy.warnings


def fits(expected: list[str], lines: list[str]) -> bool:
    """Whether the lines are those expected, `…` standing for any number of them."""
    pattern = "".join(r"(.*\n)*" if line == ANY_LINES else re.escape(line) + "\n" for line in expected)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


def test_every_code_has_a_bad_policy_and_there_are_no_others():
    assert sorted(folder.name for folder in BAD.iterdir()) == sorted(code.number for code in Code)
    assert len({code.number for code in Code}) == len(Code)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("code", Code, ids=lambda code: code.number)
def test_what_is_said_of_a_bad_policy(code: Code, language: str):
    folder = BAD / code.number
    lines = [problem.render("zh" if language == "zh" else "en") for problem in problems_of(folder)]
    expected = (folder / f"expected.{language}.txt").read_text(encoding="utf-8").splitlines()
    assert fits(expected, lines), "\n".join(lines)


@pytest.mark.parametrize(
    "code", [code for code in Code if code is not Code.MANY_PROBLEMS], ids=lambda code: code.number
)
def test_nothing_else_is_reported_and_in_order(code: Code):
    found = problems_of(BAD / code.number)
    assert {problem.code for problem in found} == {code}
    places = [(problem.file, problem.line, problem.column) for problem in found]
    assert places == sorted(places)


def test_many_problems_are_cut_off():
    found = problems_of(BAD / Code.MANY_PROBLEMS.number)
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1].code is Code.MANY_PROBLEMS


def test_every_message_says_what_to_do_next_or_what_is_expected():
    for code in Code:
        for problem in problems_of(BAD / code.number):
            assert problem.hint or problem.code in {Code.WRONG_TYPE, Code.BAD_VALUE}, problem


def test_messages_of_both_languages_take_the_same_values():
    pairs = [(entry.en, entry.zh) for entry in (*Code, *Hint)] + list(PHRASES.items())
    for pair in pairs:
        names = [sorted(name for _, name, _, _ in Formatter().parse(text) if name) for text in pair]
        assert names[0] == names[1], pair


def test_what_is_inserted_into_a_chinese_message_is_chinese():
    """But for names of keys and files, what the files hold ('quoted'), and what the parsers of YAML and CSV said."""
    parsers = {Code.BAD_YAML, Code.BAD_CANONICAL}
    for code in set(Code) - parsers:
        for problem in problems_of(BAD / code.number):
            for name, value in problem.values:
                if name in OURS and not re.match(r"'|\d|policy\.yaml|requires$|extend_promised$", str(value)):
                    assert HAN.search(in_words(value, "zh")) or value == "unexpected end of data", problem


def literals(call_name: str, keyword: str | None = None) -> set[str]:
    """The texts that the checks hand to a function, or under a keyword of any."""
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            given = node.args[:1] if keyword is None and getattr(node.func, "id", "") == call_name else []
            if keyword is not None:
                given = [each.value for each in node.keywords if each.arg == keyword]
            found |= {each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return found


def test_every_phrase_of_the_checks_has_its_chinese():
    phrases = literals("said")
    for keyword in ("expected", "found", "kind", "tag", "what", "where", "why"):
        phrases |= literals("", keyword)
    for mark in ("Pattern", "Parsed"):
        phrases |= literals(mark)
    assert not phrases - PHRASES.keys()
    assert len(phrases) > 40


def test_words_of_the_policy_are_never_translated():
    found = Problems()
    found.add(Code.DANGLING, Place("a.yaml", 1, 1), kind="rule", name="rule")
    (problem,) = found
    assert problem.render("zh") == "a.yaml:1:1 E012 没有名为“rule”的规则（请先定义，或改用其他名称）"


def test_phrases_within_phrases():
    phrase = said("{why} in sla '{sla}'", why=said("no calendar is given"), sla="day")
    assert str(phrase) == "no calendar is given in sla 'day'"
    assert in_words(phrase, "zh") == "用于时限“day”时，未指定日历"
    assert in_words("{no: template}", "zh") == in_words(Phrase("{no: template}"), "en") == "{no: template}"


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("{x}缺少", "policy.yaml", "policy.yaml 缺少"),
        ("缺少{x}", "键", "缺少键"),
        ("不是{x}", "-5", "不是 -5"),
        ("“{x}”", "abc", "“abc”"),
        ("a {x}b", "键", "a 键 b"),
        ("{x}", "", ""),
    ],
)
def test_a_space_where_chinese_meets_latin(template: str, value: str, text: str):
    assert fill(template, {"x": value}) == text


def test_what_is_shown_is_one_short_line():
    assert printable("a\nb\x1b\ud800") == "a�b��"
    assert len(printable("x" * 500)) == 120


def test_a_name_of_the_format_cannot_be_taken():
    with pytest.raises(PolicyError) as caught:
        load_policy(files(("  night: {", "  always: {"), ("calendar: [night]", "calendar: [always]")))
    assert [str(problem) for problem in caught.value.problems] == [
        "clocks.yaml:7:3 E011 calendar 'always' is already defined: built in (rename one of them, or take one out)"
    ]


def test_a_header_that_cannot_be_read_makes_no_other_problems():
    """Modes and levels are known although the version, say, is wrong: the rules that name them are not."""
    more = "routes: [{id: more, when: {mode: [emergency]}, lead: street-office@township, sla: triage}]"
    change = ("clocks.yaml, rules.yaml]", "clocks.yaml, rules.yaml, x.yaml]")
    with pytest.raises(PolicyError) as caught:
        load_policy(files(change, ('version: "2026.11.1"', "version: 5"), x_yaml=more))
    assert [problem.number for problem in caught.value.problems] == ["E009"]
    broken = files(change, x_yaml=more) | {"policy.yaml": b"{"}
    with pytest.raises(PolicyError) as caught:
        load_policy(broken)
    assert [problem.number for problem in caught.value.problems] == ["E001"]
