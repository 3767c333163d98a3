"""Test files of a policy are read strictly: every problem with its place; what can be read is complete."""

import pytest
from rules_small import small

from rules import STEP_FIELDS, Case, PolicyError, moment_ms, read_cases
from rules.case_model import instant_ms

WORDS = {
    "action": ("acknowledge", "assign", "done"),
    "role": ("dispatcher", "checker"),
    "refusal": ("not_allowed", "stale"),
    "state": ("dispatched", "handling"),
    "state of an assignment": ("offered", "acknowledged"),
}
HEAD = """\
places: {"T1C1": ["T1", "T1C1"]}
defaults: {source: hotline, cell: "T1C1", at: "2026-03-02T09:30:00+08:00"}
tests:
"""
REPORT = 'report: {category: "03"}'


def cases(text: str, cells: tuple[str, ...] = ("G1",)) -> tuple[Case, ...]:
    return read_cases({"tests/t.yaml": text.encode()}, small(), cells, WORDS)


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        cases(text)
    return [str(problem).removeprefix("tests/t.yaml:") for problem in caught.value.problems]


def one(rest: str) -> str:
    """A file whose one test stands on line 4; `rest` are its keys besides the name."""
    return f"{HEAD}  - {{name: t, {rest}}}\n"


# --- times ----------------------------------------------------------------------------------------------------------


def test_instants():
    assert instant_ms("1971-01-01T00:00:00Z") == 365 * 86_400_000
    assert instant_ms("2026-03-02T09:30:00.123+08:00") == instant_ms("2026-03-02T01:30:00Z") + 123
    for text in ("2026-03-02T09:30:00", "2026-03-02", "1970-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "soon", ""):
        with pytest.raises(ValueError):
            instant_ms(text)


def test_moments():
    start_ms = instant_ms("2026-03-02T01:30:00Z")
    assert moment_ms("+1d2h3m4s", start_ms) - start_ms == 86_400_000 + 2 * 3_600_000 + 3 * 60_000 + 4_000
    assert moment_ms("+90m", 0) == 5_400_000
    assert moment_ms("+0s", 7) == 7
    assert moment_ms("2026-03-02T01:30:00Z", 99) == start_ms
    for text in ("+", "+2", "+2m1", "+1s2m", "+-2m", "2m", "+1.5h", "+12345d", "+１m"):
        with pytest.raises(ValueError):
            moment_ms(text, 0)


# --- what is read ---------------------------------------------------------------------------------------------------


def test_a_test_is_completed_by_the_defaults_of_its_file():
    (case,) = cases(one(REPORT))
    assert (case.name, str(case.place), case.mode) == ("t", "tests/t.yaml:4", "normal")
    assert case.at_ms == instant_ms("2026-03-02T09:30:00+08:00")
    assert (case.report.category, case.report.source, case.report.cell) == ("03", "hotline", "T1C1")
    assert case.paths == {"T1": ("T1",), "T1C1": ("T1", "T1C1")}
    (case,) = cases(
        one('at: "2026-03-03T00:00:00Z", mode: emergency, report: {category: "03", source: rider, cell: "G1"}')
    )
    assert case.at_ms == instant_ms("2026-03-03T00:00:00Z")
    assert (case.mode, case.report.source, case.report.cell) == ("emergency", "rider", "G1")


@pytest.mark.parametrize("place", ["none", "outside"])
def test_a_report_that_is_nowhere_has_no_cell(place: str):
    (case,) = cases(one(f'report: {{category: "03", place: {place}}}'))
    assert case.report.cell is None


def test_a_later_report_takes_the_rest_from_the_first():
    first = 'report: {category: "03", lon: 114, lat: 30, reporters: 3, tags: [x]}'
    steps = '{at: +1m, report: {source: rider}}, {at: +2m, report: {cell: "G1", tags: []}}'
    (case,) = cases(one(f"{first}, timeline: [{steps}]"))
    again, elsewhere = (step.report for step in case.steps)
    assert again is not None
    assert elsewhere is not None
    assert (again.category, again.source, again.lon, again.tags) == ("03", "rider", 114.0, ("x",))
    assert again.reporters is None  # one person a report
    assert (elsewhere.cell, elsewhere.lon, elsewhere.lat, elsewhere.tags) == ("G1", None, None, ())
    assert [step.at_ms - case.at_ms for step in case.steps] == [60_000, 120_000]


def test_attributes_keep_their_kinds():
    (case,) = cases(one('report: {category: "03", attributes: {a: 1, b: 1.5, c: "1", d: true, e: word}}'))
    assert case.report.attributes is not None
    assert dict(case.report.attributes.values) == {"a": 1, "b": 1.5, "c": "1", "d": True, "e": "word"}
    assert isinstance(dict(case.report.attributes.values)["a"], int)


def test_files_are_read_in_the_order_of_their_names_and_know_their_own_places_only():
    files = {"tests/b.yaml": one(REPORT).encode(), "tests/a.yaml": one(REPORT).encode()}
    assert [case.place.file for case in read_cases(files, small(), (), WORDS)] == ["tests/a.yaml", "tests/b.yaml"]
    files["tests/c.yaml"] = (
        b'tests: [{name: t, at: "2026-03-02T09:30:00Z", report: {category: "03", source: rider, cell: "T1C1"}}]'
    )
    with pytest.raises(PolicyError, match=r"^tests/c.yaml:1:\d+ E012 no cell is called 'T1C1' "):
        read_cases(files, small(), (), WORDS)


def test_a_place_can_be_asked_for():
    (case,) = cases(one(f"{REPORT}, expect: {{lead: gas-company}}"))
    assert case.where(case.expect, "lead").column > case.where(case.expect).column > 0


def test_the_fields_of_an_action_are_those_after_the_tests_own():
    assert STEP_FIELDS[0] == "result"
    assert "refused" not in STEP_FIELDS
    assert {"reason_code", "lead", "support", "position"} <= set(STEP_FIELDS)


# --- what is wrong --------------------------------------------------------------------------------------------------

EXPECT = f"{REPORT}, expect: "
STEP = f"{REPORT}, timeline: "


@pytest.mark.parametrize(
    ("rest", "problem"),
    [
        (f"{EXPECT}{{leads: gas-company}}", "unknown key 'leads' in expect (did you mean 'lead'?)"),
        (f"{EXPECT}{{lead: gas-compony}}", "no department is called 'gas-compony' (did you mean 'gas-company'?)"),
        (f"{EXPECT}{{lead: gas-company@township}}", "department 'gas-company' has no units"),
        (f"{EXPECT}{{lead: street-office@T9}}", "no cell is called 'T9'"),
        (f"{EXPECT}{{lead: 'a b'}}", "'a b' is not a department, department@cell or department@level"),
        (f"{EXPECT}{{route: gas.leek}}", "no route is called 'gas.leek' (did you mean 'gas.leak'?)"),
        (f"{EXPECT}{{route: gas.night}}", "no route is called 'gas.night'"),
        (f"{EXPECT}{{overlays: [gas.leak]}}", "no overlay is called 'gas.leak'"),
        (f"{EXPECT}{{guard: gas.leak}}", "no guard is called 'gas.leak'"),
        (f"{EXPECT}{{sla: gas}}", "no sla is called 'gas'"),
        (f"{EXPECT}{{ladder: up}}", "no ladder is called 'up'"),
        (f'{EXPECT}{{category: "99"}}', "no category is called '99'"),
        (f"{EXPECT}{{fallback: nobody}}", "'nobody' is not one of those allowed"),
        (f"{EXPECT}{{won_by: luck}}", "'luck' is not one of those allowed"),
        (f"{EXPECT}{{outcome: lost}}", "'lost' is not one of those allowed"),
        (f"{EXPECT}{{severity: 5}}", "'5' is not between 1 and 4"),
        (f"{EXPECT}{{refused: because}}", "no refusal is called 'because'"),
        (f"{EXPECT}{{due: {{resolve: tomorrow}}}}", "'tomorrow' is not an instant with its offset"),
        (f"{EXPECT}{{due: {{resolved: +1h}}}}", "'resolved' is not one of those allowed (did you mean 'resolve'?)"),
        (f"{EXPECT}{{due: {{resolve of police: +1h}}}}", "'resolve of police' is not one of those allowed"),
        (f"{EXPECT}{{budgets: {{resolve: [4 hours]}}}}", "'4 hours' is not a budget"),
        (f"{EXPECT}{{support: gas-company}}", "expected a list, found 'gas-company'"),
        ("mode: martial, " + REPORT, "no mode is called 'martial'"),
        ("at: 2026-03-02T09:30:00Z, " + REPORT, "must be quoted"),
        ("at: '2026-03-02T09:30:00', " + REPORT, "'2026-03-02T09:30:00' is not an instant with its offset"),
        ('report: {category: "03", source: hotlain}', "no source is called 'hotlain' (did you mean 'hotline'?)"),
        ('report: {category: "03", cell: "T9"}', "no cell is called 'T9'"),
        ('report: {category: "03", place: there}', "'there' is not one of those allowed"),
        ("report: {category: 03.02}", "must be quoted"),
        ("report: {severity: 1}", "a report needs 'category'"),
        ('report: {category: "03", lon: 114}', "a report with lon needs 'lat'"),
        ('report: {category: "03", lat: 30}', "a report with lat needs 'lon'"),
        ('report: {category: "03", lon: 200, lat: 30}', "'200' is not between -180 and 180"),
        ('report: {category: "03", attributes: [a]}', "expected a mapping, found a list"),
        ('report: {category: "03", attributes: {a: [1]}}', "expected a text, found a list"),
        ('report: {category: "03", whistle: {kind: joint, departments: [nobody]}}', "no department is called 'nobody'"),
        ('report: {category: "03", reporters: 0}', "'0' is not between 1 and 100"),
        (f"{STEP}[{{at: +1m}}]", "a step needs 'do, report or expect'"),
        (f"{STEP}[{{at: +1m, do: done}}]", "a step with do needs 'by'"),
        (f"{STEP}[{{at: +1m, do: dance, by: checker}}]", "no action is called 'dance'"),
        (f"{STEP}[{{at: +1m, do: done, by: nobody}}]", "no department is called 'nobody'"),
        (f"{STEP}[{{at: +1m, do: done, by: gas-company@T1}}]", "department 'gas-company' has no units"),
        (f"{STEP}[{{at: +1m, do: done, by: checker, report: {{}}}}]", "unknown key 'report' in a step with do"),
        (f"{STEP}[{{at: +1m, by: checker, expect: {{}}}}]", "unknown key 'by' in a step without do"),
        (f"{STEP}[{{at: +1m, text: x, expect: {{}}}}]", "unknown key 'text' in a step without do"),
        (f"{STEP}[{{at: +1m, refused: stale, expect: {{}}}}]", "unknown key 'refused' in a step without do or report"),
        (f"{STEP}[{{at: +1m, expect: {{state: done}}}}]", "no state is called 'done'"),
        (f"{STEP}[{{at: +1m, expect: {{assignments: {{gas-company: lost}}}}}}]",
         "no state of an assignment is called 'lost'"),
        (f"{STEP}[{{at: +1m, expect: {{assignments: {{nobody: offered}}}}}}]", "no department is called 'nobody'"),
        (f"{STEP}[{{at: +1m, expect: {{breached: [resolv]}}}}]", "'resolv' is not a target, or target of department"),
        (f"{STEP}[{{at: +1m, expect: {{breached: [resolve of nobody]}}}}]", "no department is called 'nobody'"),
        (f"{STEP}[{{at: +1m, expect: {{warned: {{resolve: [50%]}}}}}}]", "expected a whole number, found '50%'"),
        (f"{STEP}[{{at: +2m, expect: {{}}}}, {{at: +1m, expect: {{}}}}]", "'+1m' is not at or after the step before"),
        (f"{STEP}[{{at: '2026-03-02T00:00:00Z', expect: {{}}}}]", "is not at or after the step before it"),
        (f"{STEP}[{{expect: {{}}}}]", "timeline needs 'at'"),
    ],
)  # fmt: skip
def test_a_problem_is_told_with_its_place(rest: str, problem: str):
    found = problems(one(rest))
    assert len(found) == 1, found
    assert found[0].startswith("4:")
    assert problem in found[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "0:0 E008 expected a mapping, found nothing"),
        ("[]", "1:1 E008 expected a mapping, found a list"),
        ("{", "E001 not readable as YAML"),
        ("places: {}\n", "1:1 E007 tests needs 'tests'"),
        ("tests: []\nx: 1\n", "2:1 E005 unknown key 'x' in tests"),
        (f"{HEAD}  - {{name: t}}\n", "4:5 E007 test needs 'report'"),
        (f"{HEAD}  - {{{REPORT}}}\n", "4:5 E007 test needs 'name'"),
        ("tests:\n  - {name: t, report: {category: a, source: rider}}\n", "2:5 E007 a test needs 'at'"),
        ('tests:\n  - {name: t, at: "2026-03-02T09:30:00Z", report: {category: a}}\n', "a report needs 'source'"),
        (one(REPORT) + f"  - {{name: t, {REPORT}}}\n", "5:5 E011 test 't' is already defined: tests/t.yaml:4"),
        (one(REPORT).replace('["T1", "T1C1"]', '["T1"]'), "1:18 E010 'T1C1' is not the last of its own path"),
        (one(REPORT).replace('["T1", "T1C1"]', "[]"), "1:18 E010 'T1C1' is not the last of its own path"),
        (one(REPORT).replace('["T1", ', '["T0", "T1", '), "1:18 E010 'T1C1' is not at most 2 levels deep"),
        (one(REPORT).replace("source: hotline", "source: nobody"), "2:20 E012 no source is called 'nobody'"),
    ],
)
def test_a_file_that_cannot_be_read(text: str, problem: str):
    assert any(problem in found for found in problems(text))


def test_every_problem_is_told_at_once():
    text = (
        f"{HEAD}  - {{name: a, {REPORT}, expect: {{lead: x, rout: y}}}}\n  - {{name: b, {REPORT}, mode: z, more: 1}}\n"
    )
    assert [found.partition(" ")[2][:4] for found in problems(text)] == ["E012", "E005", "E012", "E005"]


def test_what_is_wrong_is_not_missing_as_well():
    assert len(problems(one(f"at: soon, {REPORT}"))) == 1
    assert len(problems(one(REPORT).replace("source: hotline", "source: 5"))) == 1
    assert len(problems(one(REPORT).replace("defaults: {", "defaults: [").replace(':00"}', ':00"]'))) == 1
    assert len(problems(one(f'{STEP}[{{at: +1m, do: done, by: "a b"}}]'))) == 1
    assert len(problems(one(f"{STEP}[{{at: +1m, expect: []}}]"))) == 1
    assert len(problems(one(f"{STEP}[{{at: +1m, report: []}}]"))) == 1


def test_known_words_are_accepted():
    parties = "lead: street-office@township, support: [street-office@T1, street-office@G1, street-office@T1C1]"
    targets = "breached: [resolve, attend of centre, resolve of street-office@township]"
    steps = f"{{at: +1m, do: done, by: centre}}, {{at: +1m, do: done, by: street-office@T1, expect: {{{targets}}}}}"
    (case,) = cases(one(f"{REPORT}, expect: {{{parties}}}, timeline: [{steps}, {{at: +1m, do: done, by: dispatcher}}]"))
    assert len(case.steps) == 3
