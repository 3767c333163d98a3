"""Whole suites: folders of files, what lint asks for, places, one truth with the engine, JUnit, files gone wrong."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.core import Rulebook
from dispatcher.hosts.setup import read_policy
from dispatcher.policies.cases import WORDS, CaseResult, case_files, covered_rules, read_suite, run_cases
from dispatcher.policies.coverage import CoverageCount
from dispatcher.policies.failures import Failure, render_failure
from dispatcher.policies.junit import junit_tree
from dispatcher.policies.places import GridCells, grid_placer
from dispatcher.policies.rehearsal import Rehearsal
from dispatcher.policies.run_case import CaseRun
from rules import PolicyError, load_policy, read_cases
from tests.policies.cases_city import HEAD, NO_GRID, POLICY, cases_of, city, messages, one, problems, run

LOWER = "route gas won by priority; street held too, but its priority is 300 against 900"
TWO = f"""{HEAD}  - {{name: gas, report: {{category: "03"}}, expect: {{route: gas}}}}
  - {{name: bad, report: {{category: "03"}}, expect: {{route: street}}}}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "tests" / "deep").mkdir(parents=True)
    (tmp_path / "tests" / "deep" / "b.yaml").write_text(TWO, encoding="utf-8")
    (tmp_path / "tests" / "a.yml").write_text(one('{category: "02"}'), encoding="utf-8")
    (tmp_path / "tests" / "notes.txt").write_text("not a test", encoding="utf-8")
    return tmp_path


def test_files_are_found_at_any_depth(directory: Path):
    assert list(case_files(directory) or ()) == ["tests/a.yml", "tests/deep/b.yaml"]
    cases = read_suite(directory, city(), NO_GRID)
    assert cases is not None
    assert [f"{case.place} {case.name}" for case in cases] == [
        "tests/a.yml:4 t",
        "tests/deep/b.yaml:4 gas",
        "tests/deep/b.yaml:5 bad",
    ]
    outcome = run_cases(city(), cases, NO_GRID)
    assert outcome.failed == 1
    assert outcome.coverage.rules.n == 3


def test_tests_are_no_part_of_the_policys_identity(directory: Path):
    assert read_policy(directory).sha256 == city().sha256


def test_covered_rules_are_those_of_the_runner(directory: Path, tmp_path_factory: pytest.TempPathFactory):
    assert covered_rules(directory) == {"water", "gas", "whistle"}
    empty = tmp_path_factory.mktemp("untested")
    (empty / "policy.yaml").write_text(POLICY, encoding="utf-8")
    assert covered_rules(empty) is None
    (empty / "tests").mkdir()
    assert covered_rules(empty) == frozenset()
    refused = one('{category: "XX", source: satellite}', "{refused: unknown_category}")
    (empty / "tests" / "refused.yaml").write_text(refused, encoding="utf-8")
    assert covered_rules(empty) == frozenset()
    (empty / "tests" / "refused.yaml").write_text("tests: 1\n", encoding="utf-8")
    with pytest.raises(PolicyError, match="expected a list"):
        covered_rules(empty)


# --- places ---------------------------------------------------------------------------------------------------------

SQUARE = [[[114.0, 30.0], [114.1, 30.0], [114.1, 30.1], [114.0, 30.1], [114.0, 30.0]]]
GRID = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"code": code, "name": code, "level": level, "parent": parent},
            "geometry": {"type": "Polygon", "coordinates": SQUARE},
        }
        for code, level, parent in (("77", 1, None), ("7701", 2, "77"))
    ],
}
ON_THE_GRID = """\
defaults: {source: hotline, at: "2026-03-02T09:30:00+08:00"}
tests:
  - {name: cell, report: {category: "01", cell: "7701"}, expect: {lead: street-office@77}}
  - {name: position, report: {category: "01", lon: 114.05, lat: 30.05}, expect: {lead: street-office@77}}
  - {name: outside, report: {category: "01", lon: 115, lat: 30.05}, expect: {fallback: unresolvable}, timeline: [
      {at: +1m, do: reclassify, by: centre, location: "7701", expect: {lead: street-office@77}}]}
"""


def test_cells_and_positions_of_a_grid(directory: Path):
    grid = directory / "grid.geojson"
    grid.write_text(json.dumps(GRID), encoding="utf-8")
    (directory / "tests" / "grid.yaml").write_text(ON_THE_GRID, encoding="utf-8")
    cells = GridCells(lambda: grid_placer(grid))
    outcome = run_cases(city(), read_suite(directory, city(), cells) or (), cells)
    failed = [render_failure(failure, "en") for result in outcome.results for failure in result.failures]
    assert failed == [f"route: expected street, got gas; {LOWER}"]
    assert covered_rules(directory, grid) == {"water", "gas", "whistle", "street"}


def test_a_cell_nobody_knows(directory: Path):
    (directory / "tests" / "grid.yaml").write_text(ON_THE_GRID, encoding="utf-8")
    with pytest.raises(PolicyError, match=r"tests/grid.yaml:3:\d+ E012 no cell is called '7701'"):
        read_suite(directory, city(), NO_GRID)
    assert "street" in (covered_rules(directory) or ())  # for lint, without a grid, a cell stands for itself


def test_how_a_report_was_located_can_be_stated():
    lost = "  - {id: lost, when: {place: [none, outside, gap]}, support: [{dept: desk}]}\n"
    policy = load_policy({"policy.yaml": POLICY.replace("  - {id: quiet,", lost + "  - {id: quiet,").encode()})
    stated = {"place: gap": True, "place: none": True, "place: outside": True, 'cell: "530002"': False}
    for place, is_lost in stated.items():
        (result,) = run(
            one(f'{{category: "02", {place}}}', f"{{overlays: [{'lost' if is_lost else ''}]}}"), policy
        ).results
        assert result.failures == (), place


FACTS = {  # a key of `when`, a value, and a report that has it
    "severity": ("[1]", "severity: 1"),
    "source": ("[satellite]", "source: satellite"),
    "confidence": ('["<0.6"]', "confidence: 0.5"),
    "tags": ("[x]", "tags: [x]"),
    "whistle": ("[joint]", "whistle: joint"),
    "standard": ("[a]", "standard: a"),
    "request_kind": ("[help]", "request_kind: help"),
    "reporters": ('[">=3"]', "reporters: 3"),
    "attributes.kv": ('[">9"]', "attributes: {kv: 10}"),
    "attributes.wet": ("[true]", "attributes: {wet: true}"),
    "attributes.colour": ("[red]", 'attributes: {colour: "red"}'),
    "text.any": ("[smell]", 'text: "a SMELL of gas"'),
}


def test_every_part_of_a_report_reaches_the_rules():
    """One overlay per fact: each holds for the report that states it, and for no other."""
    rules = "".join(
        f"  - {{id: f{n}, when: {{{key}: {value}}}, support: [{{dept: desk}}]}}\n"
        for n, (key, (value, _)) in enumerate(FACTS.items())
    )
    policy = load_policy({"policy.yaml": POLICY.replace("  - {id: quiet,", rules + "  - {id: quiet,").encode()})
    for n, (key, (_, stated)) in enumerate(FACTS.items()):
        (result,) = run(one(f'{{category: "02", {stated}}}', f"{{overlays: [f{n}]}}"), policy).results
        assert result.failures == (), key


# --- the engine -----------------------------------------------------------------------------------------------------


def test_the_engine_must_have_recorded_the_decision_of_the_rules():
    (case,) = cases_of(one('{category: "03"}', "{route: gas}"))
    other = load_policy({"policy.yaml": POLICY.replace("id: gas\n", "id: gaz\n").encode()})
    failures = CaseRun(Rulebook(city()).decider, Rulebook(other), case, NO_GRID).failures(CoverageCount(city()))
    assert [render_failure(failure, "en") for failure in failures] == [
        "decision: expected gas, got gaz; the engine recorded another decision than the rules make"
    ]


def test_the_engine_must_have_recorded_what_merging_changed():
    (case,) = cases_of(one('{category: "01", lon: 114, lat: 30, reporters: 3}', "{tags: [crowd]}"))
    other = load_policy({"policy.yaml": POLICY.replace("severity: {raise_to: 2}", "severity: {raise_to: 1}").encode()})
    failures = CaseRun(Rulebook(city()).decider, Rulebook(other), case, NO_GRID).failures(CoverageCount(city()))
    assert [(failure.what, [reason.word for reason in failure.because]) for failure in failures] == [
        ("decision", ["unlike"])
    ]
    assert CaseRun(Rulebook(city()).decider, Rulebook(city()), case, NO_GRID).failures(CoverageCount(city())) == []


def test_without_a_report_there_is_no_incident():
    (case,) = cases_of(one('{category: "03"}'))
    with pytest.raises(LookupError, match="no report"):
        Rehearsal(Rulebook(city()), case, NO_GRID).incident()


def test_a_progress_is_told_for_every_test():
    told: list[int] = []
    run_cases(city(), cases_of(TWO), NO_GRID, lambda: told.append(1))
    assert len(told) == 2


# --- JUnit ----------------------------------------------------------------------------------------------------------


def test_junit_is_read_back(tmp_path: Path):
    files = {"tests/t.yaml": one('{category: "02"}').encode(), "tests/u.yaml": TWO.encode()}
    results = run_cases(city(), read_cases(files, city(), NO_GRID, WORDS), NO_GRID).results
    file = tmp_path / "junit.xml"
    junit_tree(results).write(file, encoding="utf-8", xml_declaration=True)
    root = ElementTree.parse(file).getroot()
    assert root.tag == "testsuites"
    assert [root.get(name) for name in ("tests", "failures", "errors")] == ["3", "1", "0"]
    suites = root.findall("testsuite")
    assert [[suite.get(name) for name in ("name", "tests", "failures")] for suite in suites] == [
        ["tests/t.yaml", "1", "0"],
        ["tests/u.yaml", "2", "1"],
    ]
    good, bad = suites[1].findall("testcase")
    assert [good.get(name) for name in ("name", "classname", "file", "line")] == [
        *("gas", "tests/u.yaml", "tests/u.yaml", "4")
    ]
    assert float(good.get("time") or "-1") >= 0
    assert good.find("failure") is None
    failure = bad.find("failure")
    assert failure is not None
    assert failure.get("message") == failure.text == f"tests/u.yaml:5 route: expected street, got gas; {LOWER}"


def test_junit_has_no_character_that_xml_cannot_say(tmp_path: Path):
    (result,) = run(one('{category: "02"}')).results
    failure = Failure(result.case.place, "x\x00\ud800", ("\ufffe\t\n",), ())
    wild = CaseResult(result.case._replace(name="a\x01b"), (failure,), 0.0)
    file = tmp_path / "junit.xml"
    junit_tree([wild]).write(file, encoding="utf-8", xml_declaration=True)
    case = ElementTree.parse(file).getroot().find("testsuite/testcase")
    assert case is not None
    assert case.get("name") == "a�b"
    assert case.findtext("failure") == "tests/t.yaml:4 x��: expected �\t\n, got nothing"


# --- files gone wrong -----------------------------------------------------------------------------------------------

WHOLE = f"""{HEAD}  - name: whole
    at: "2026-03-02T09:30:00+08:00"
    mode: emergency
    report: {{category: "03", severity: 1, cell: "530002001", lon: 114, lat: 30, place: exact, text: "smell", tags: [x],
      attributes: {{a: 1, b: "c", d: true}}, whistle: {{kind: joint, departments: [police]}}, confidence: 0.7,
      request_kind: help, reporters: 2, asset: lamp}}
    expect: {{lead: gas-company, support: [fire-brigade, police], required: [fire-brigade], route: gas, severity: 1,
      overlays: [whistle], due: {{resolve: "+4h"}}, budgets: {{resolve: [4h]}}, won_by: priority}}
    timeline:
      - {{at: "+2m1s", expect: {{breached: [acknowledge], warned: {{acknowledge: [50, 80]}}, flags: []}}}}
      - {{at: "+3m", do: acknowledge, by: gas-company, expect: {{state: handling, assignments: {{police: offered}}}}}}
      - {{at: "+4m", report: {{source: satellite}}}}
      - {{at: "+5m", do: return, by: fire-brigade, reason_code: not_ours}}
      - {{at: "+6m", do: assign, by: centre, support: [street-office@township], text: "help"}}
"""


def test_the_whole_example_passes():
    assert messages(WHOLE) == []


PIECES = [
    *(
        "",
        " ",
        "\n",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        '"',
        "'",
        "- ",
        "&a ",
        "*a",
        "!x ",
        "#",
        "~",
        "\t",
        "\x00",
        "\u2028",
    ),
    *("0", "-1", "+", "+9999d", "1e400", "x: 1, ", "null", "2199-12-31T23:59:59+00:00", "😀"),
    *("530002", "police@cell", "resolve of police"),
]


@settings(max_examples=300, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 12), st.sampled_from(PIECES)), min_size=1, max_size=4)
)
def test_no_file_makes_the_runner_fall_over(changes: list[tuple[int, int, str]]):
    text = WHOLE
    for start, length, piece in changes:
        text = text[:start] + piece + text[start + length :]
    found = problems(text)
    assert all(problem.startswith("tests/t.yaml:") for problem in found)
    for result in () if found else run(text).results:
        for failure in result.failures:
            assert render_failure(failure, "en") != render_failure(failure, "zh")


TOKENS = sorted(set(WHOLE.replace("{", " ").replace("}", " ").replace(",", " ").split()))


@settings(max_examples=200, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(TOKENS), st.sampled_from(TOKENS)), min_size=1, max_size=3))
def test_no_mix_of_words_makes_the_runner_fall_over(swaps: list[tuple[str, str]]):
    text = WHOLE
    for old, new in swaps:
        text = text.replace(old, new, 1)
    assert problems(text) or isinstance(run(text).failed, int)


ACTS = [
    *(
        f"do: {do}, by: {by}"
        for do in WORDS["action"]
        for by in ("gas-company", "police", "centre", "street-office@cell")
    ),
    *("do: return, by: police, reason_code: not_ours", "do: void, by: supervisor, reason_code: mistake"),
    *("do: assign, by: centre, lead: street-office@cell", "do: assign, by: centre, support: [water-bureau, police]"),
    *(
        "do: check, by: checker, result: fail",
        "do: check, by: centre, result: pass",
        "do: verify, by: officer, result: unable",
    ),
    *("report: {}", "report: {reporters: 3, source: satellite}", "report: {category: XX, place: outside}"),
]
SEEN = [
    "{}", "{state: closed, queue: true}", "{lead: street-office@cell, support: []}", "{breached: [resolve of centre]}",
    "{warned: {check: [80]}, due: {verify: +1h, check: +1h}}",
    "{assignments: {police: withdrawn}, paused: [], running: []}",
]  # fmt: skip
REPORTS = [
    '{category: "03"}', '{category: "01", lon: 114, lat: 30}', '{category: "02", source: satellite}',
    '{category: "XX", place: none}', '{category: "04", asset: lamp}', '{category: "05", tags: [later]}',
]  # fmt: skip


@settings(max_examples=200, derandomize=True)
@given(
    st.sampled_from(REPORTS),
    st.lists(st.tuples(st.integers(0, 3_000), st.sampled_from(ACTS), st.sampled_from(SEEN)), max_size=12),
)
def test_no_timeline_makes_the_runner_fall_over(report: str, steps: list[tuple[int, str, str]]):
    later = sorted(steps, key=lambda step: step[0])
    timeline = ", ".join(f"{{at: +{minutes}m, {act}, expect: {seen}}}" for minutes, act, seen in later)
    text = one(report, timeline=f"[{timeline}]")
    assert problems(text) == []
    for failure in run(text).results[0].failures:
        assert "engine_error" not in render_failure(failure, "en")
        assert failure.what != "decision"
