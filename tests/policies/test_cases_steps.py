"""Steps of a timeline: actors, several incidents, reports they are about, commands, refusals in their own words."""

import pytest

from dispatcher.policies.acting import actor_of
from tests.policies.cases_city import city, messages, one, problems

GAS = '{category: "03"}'
PATH = ("530001", "530001001")


def steps(*written: str) -> str:
    return one(GAS, timeline="[" + ", ".join(f"{{{step}}}" for step in written) + "]")


# --- who acts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "by", "actor"),
    [
        ("done", "police", {"role": "department", "department": "police"}),
        ("done", "police wang", {"role": "department", "department": "police", "person": "wang"}),
        ("done", "street-office@township", {"role": "department", "department": "street-office", "unit": "530001"}),
        ("assign", "centre", {"role": "dispatcher", "person": "dispatcher"}),
        ("assign", "centre li", {"role": "dispatcher", "person": "li"}),
        ("check", "centre", {"role": "checker", "person": "checker"}),
        ("void", "centre", {"role": "supervisor", "person": "supervisor"}),
        ("callback", "centre", {"role": "callback", "person": "callback"}),
        ("whistle", "centre", {"role": "dispatcher", "person": "dispatcher"}),  # it may not, and is told so
        ("assign", "dispatcher li na", {"role": "dispatcher", "person": "li na"}),
        ("rate", "street", {"role": "street", "unit": "530001", "person": "street"}),
        ("rate", "street@530002", {"role": "street", "unit": "530002", "person": "street"}),
        ("rate", "street@township wang", {"role": "street", "unit": "530001", "person": "wang"}),
    ],
)
def test_actors(action: str, by: str, actor: dict[str, str]):
    assert actor_of(city(), action, by, PATH) == actor


def test_a_street_without_a_place_has_no_unit():
    assert actor_of(city(), "rate", "street", ()) == {"role": "street", "person": "street"}


def test_a_department_acts_by_its_unit_and_its_person():
    timeline = '[{at: "+1m", do: acknowledge, by: street-office@township wang, expect: {state: handling}}]'
    assert messages(one('{category: "01"}', timeline=timeline)) == []


# --- several incidents ----------------------------------------------------------------------------------------------


def test_steps_speak_of_the_incident_they_name():
    assert messages(steps(
        "at: +1m, report: {}, opens: two, expect: {reports: 1, state: dispatched}",
        "at: +2m, incident: two, do: acknowledge, by: gas-company, expect: {state: handling}",
        "at: +3m, expect: {state: dispatched}",
        "at: +3m, incident: two, expect: {state: handling}",
        "at: +4m, incident: two, do: merge, by: centre, into: first,"
        "  expect: {parent: first, told: {merged: [reporter 2]}}",
        "at: +5m, expect: {children: [two], reports: 2, told: {merged: []}}",
        "at: +6m, incident: two, do: split, by: centre, expect: {state: dispatched}",
    )) == []  # fmt: skip


def test_a_report_that_joins_another_incident_opens_none():
    at = '{category: "04", asset: lamp-1}'
    timeline = (
        "[{at: +1m, report: {}, opens: two, expect: {reports: 7}}, {at: +2m, incident: two, expect: {reports: 1}}]"
    )
    assert messages(one(at, timeline=timeline)) == [
        "tests/t.yaml:7 +1m opens: expected two, got first",
        "tests/t.yaml:7 +2m incident: expected two, got nothing",
    ]


def test_an_action_is_about_the_report_it_names():
    at = '{category: "04", asset: lamp-1, reporters: 2}'
    timeline = """[{at: +1m, report: {source: satellite, confidence: 0.9}, expect: {reports: 3}},
      {at: +2m, do: split, by: centre, about: 3, opens: other, expect: {reports: 1}},
      {at: +3m, do: contact, by: centre, about: 2, reached: true, expect: {reports: 2}},
      {at: +4m, do: split, by: centre, about: 2, expect: {reports: 1}}]"""
    assert messages(one(at, timeline=timeline)) == []


def test_what_is_told_is_of_the_step_and_the_first_step_begins_with_the_test():
    assert messages(steps(
        "at: +1m, expect: {told: {accepted: [reporter 1]}}",
        "at: +2m, expect: {told: {accepted: []}}",
        "at: +3m, report: {}, opens: two, expect: {told: {accepted: [reporter 2]}}",
        "at: +3m, do: urge, by: street,"
        " expect: {told: {urge: [gas-company, fire-brigade, police]}, orders: {police: urge}}",
    )) == []  # fmt: skip


# --- fields ---------------------------------------------------------------------------------------------------------


def test_times_of_an_action_count_from_the_test():
    supervise = "do: supervise, by: supervisor wang, department: gas-company, text: now, until: +2h"
    assert messages(steps(
        f"at: +1h, {supervise}, milestones: {{shut: +3h, dug: '2026-03-02T13:30:00+08:00'}}",
        "at: +2h, expect: {supervision: {1: open}}",
        "at: +2h1s, expect: {supervision: {1: overdue}, milestones: {shut: open, dug: open}}",
        "at: +2h2s, do: milestone, by: gas-company, number: 1, name: dug",
        "at: +3h1s, expect: {milestones: {shut: overdue, dug: reached}}",
        "at: +4h, do: reply, by: gas-company, number: 1, text: done, expect: {supervision: {1: replied}}",
        "at: +4h1s, do: clear, by: centre, number: 1, expect: {supervision: {1: cleared}}",
    )) == []  # fmt: skip


def test_a_place_is_another_cell():
    moved = "at: +1m, do: reclassify, by: centre, location: '530002001', category: '01', expect: {lead: police}"
    assert messages(steps(moved)) == []


def test_commands():
    assert messages(one('{category: "02"}', timeline="""[
      {at: +1m, do: set_mode, by: shift_lead sun, mode: emergency, name: rain, cells: ["530001"], until: +1h,
        expect: {mode: normal, would_reroute: [first]}},
      {at: +2m, do: reroute_open, by: shift_lead, cells: ["530002"], expect: {mode: normal, would_reroute: [first]}},
      {at: +3m, do: reroute_open, by: shift_lead, expect: {mode: emergency, severity: 1, would_reroute: []}},
      {at: +4m, do: end_mode, by: shift_lead, name: rain},
      {at: +4m, do: end_mode, by: shift_lead, name: rain, refused: not_allowed, because: no mode rain holds},
      {at: +5m, report: {}, opens: dry, expect: {mode: normal}},
      {at: +5m, do: set_mode, by: shift_lead, mode: emergency, until: +1h},
      {at: +1h, report: {}, opens: wet, expect: {mode: emergency}},
      {at: +1h1s, report: {}, opens: late, expect: {mode: normal}},
      {at: +2h, do: outage, by: shift_lead, since: +5m, until: +1h}]""")) == []  # fmt: skip


def test_the_tests_own_mode_can_be_ended():
    timeline = """[{at: +1m, expect: {mode: emergency}}, {at: +2m, do: end_mode, by: centre, name: emergency},
      {at: +3m, report: {}, opens: later, expect: {mode: normal}}]"""
    assert messages(one('{category: "02"}', timeline=timeline, more="mode: emergency")) == []


def test_a_refusal_in_other_words_is_not_the_expected_one():
    refused = "at: +1m, do: done, by: police, refused: not_allowed, because: "
    assert messages(steps(refused + "the assignment offered")) == []
    assert messages(steps(refused + "no part")) == [
        (
            "tests/t.yaml:7 +1m done by police because: expected no part, got done is not allowed in state dispatched"
            " with the assignment offered; allowed: acknowledge, delegate, note, contact, return, request, reply,"
            " milestone"
        )
    ]
    assert len(messages(steps("at: +1m, do: acknowledge, by: police, refused: not_allowed, because: no part"))) == 1


# --- files gone wrong -----------------------------------------------------------------------------------------------

TWO = "at: +1m, report: {}, opens: two"


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (["at: +1m, do: urge, by: dispatcer li"], "no department is called 'dispatcer' (did you mean 'dispatcher'?)"),
        (["at: +1m, do: rate, by: street@530009"], "no cell is called '530009'"),
        (["at: +1m, do: rate, by: street@hamlet"], "no cell is called 'hamlet'"),
        (["at: +1m, do: urge, by: police@township"], "department 'police' has no units"),
        (["at: +1m, do: urge, by: ' '"], "' ' is not a department, centre or a role, perhaps with its unit"),
        (["at: +1m, incident: two, expect: {}"], "no incident is called 'two'"),
        (["at: +1m, do: merge, by: centre, into: frist"], "no incident is called 'frist' (did you mean 'first'?)"),
        (["at: +1m, expect: {children: [two]}", TWO], "no incident is called 'two'"),
        (["at: +1m, expect: {parent: two}"], "no incident is called 'two'"),
        ([TWO, "at: +2m, report: {}, opens: two"], "incident 'two' is already defined: tests/t.yaml:7"),
        (["at: +1m, report: {}, opens: first"], "incident 'first' is already defined: the test's own report"),
        (["at: +1m, do: contact, by: centre, about: 2, reached: true"], "'2' is not one of the 1 reports so far"),
        (["at: +1m, expect: {callbacks: {2: satisfied}}"], "'2' is not one of the 1 reports so far"),
        (["at: +1m, report: {}, about: 1"], "unknown key 'about' in a step without do"),
        (["at: +1m, opens: two, expect: {}"], "unknown key 'opens' in a step without do or report"),
        (["at: +1m, do: urge, by: centre, opens: two"], "unknown key 'opens' in an action"),
        (["at: +1m, report: {}, opens: two, refused: stale"], "unknown key 'opens' in a step that is refused"),
        (["at: +1m, do: urge, by: centre, because: why"], "unknown key 'because' in a step that is not refused"),
        (["at: +1m, report: {}, because: why"], "unknown key 'because' in a step that is not refused"),
        (["at: +1m, expect: {}, because: why"], "unknown key 'because' in a step without do"),
        (["at: +1m, do: urge, by: centre, mode: normal"], "unknown key 'mode' in an action"),
        (["at: +1m, do: set_mode, by: centre, until: +1h"], "a command needs 'mode'"),
        (["at: +1m, do: set_mode, by: centre, mode: mood, until: +1h"], "no mode is called 'mood'"),
        (["at: +1m, do: end_mode, by: centre"], "a command needs 'name'"),
        (["at: +1m, do: outage, by: centre, since: +1h, until: soon"], "'soon' is not an instant with its offset"),
        (
            ["at: +1m, do: outage, by: centre, since: +1h, until: +2h, cells: ['530001']"],
            "unknown key 'cells' in a command",
        ),
        (["at: +1m, do: reroute_open, by: centre, incident: first"], "unknown key 'incident' in a command"),
        (["at: +1m, do: activate, by: centre"], "no action is called 'activate'"),
        (["at: +1m, do: rate, by: street, score: 6"], "'6' is not between 1 and 5"),
        (["at: +1m, do: contact, by: centre, reached: maybe"], "expected true or false"),
        (["at: +1m, do: supervise, by: centre, milestones: {a: soon}"], "'soon' is not an instant with its offset"),
        (["at: +1m, expect: {level: village}"], "no level is called 'village'"),
        (["at: +1m, expect: {answers_for_it: nobodi}"], "no department is called 'nobodi' (did you mean 'nobody'?)"),
        (["at: +1m, expect: {requests: {holiday: open}}"], "no kind of request is called 'holiday'"),
        (["at: +1m, expect: {requests: {hold: shut}}"], "no state of a request is called 'shut'"),
        (["at: +1m, expect: {supervision: {one: open}}"], "expected a whole number"),
        (["at: +1m, expect: {supervision: {1: begun}}"], "'begun' is not one of those allowed"),
        (["at: +1m, expect: {counts: {holds: 1}}"], "no count is called 'holds'"),
        (["at: +1m, expect: {orders: {police: halt}}"], "no order is called 'halt'"),
        (["at: +1m, expect: {told: {closd: []}}"], "no notice is called 'closd' (did you mean 'closed'?)"),
        (["at: +1m, expect: {told: {closed: [mayor]}}"], "no department is called 'mayor'"),
        (["at: +1m, expect: {told: {closed: ['cell:9']}}"], "no cell is called '9'"),
        (["at: +1m, expect: {escalated: [praise city]}"], "'praise city' is not what a step of a ladder does"),
        (["at: +1m, expect: {escalated: [supervise mayor]}"], "no department is called 'mayor'"),
        (["at: +1m, expect: {whistle: loud}"], "'loud' is not one of those allowed"),
    ],
)
def test_a_problem_is_said_with_its_place_and_a_hint(written: list[str], problem: str):
    found = problems(steps(*written))
    assert len(found) == 1, found
    assert found[0].startswith("tests/t.yaml:7:")
    assert problem in found[0]


def test_what_cannot_be_read_is_not_missing_as_well():
    assert len(problems(steps("at: +1m, do: set_mode, by: centre, mode: [], until: +1h"))) == 1
    assert len(problems(steps("at: +1m, do: urge, by: centre, refused: [], because: why"))) == 1
