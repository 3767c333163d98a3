"""The shipped policy's scenarios: they hold, they tell the doctrine, and they cover the table of actions row by row."""

import re
from functools import cache
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from dispatcher.core import Rulebook
from dispatcher.core.actions import ACTION_TABLE
from dispatcher.core.dossier import Request
from dispatcher.hosts.setup import read_policy
from dispatcher.policies.acting import COMMANDS
from dispatcher.policies.cases import WORDS, Outcome, read_suite, run_cases
from dispatcher.policies.failures import render_failure
from dispatcher.policies.rehearsal import FIRST, Rehearsal
from dispatcher.views import Cohort, Projection, exemptions
from rules import STEP_FIELDS, After, Case, Policy, TimelineEntry, read_cases
from rules.case_model import COMMANDS as COMMANDS_WRITTEN
from rules.case_steps import FIRST as FIRST_WRITTEN
from tests.policies.cases_city import NO_GRID

REPOSITORY = Path(__file__).parents[2]
CITY = REPOSITORY / "rules" / "city"
STORIES = (
    *("settled in its cell", "escalated to the community", "belongs to the township"),
    *("four departments dispatched before verification", "attendance missed and supervised"),
    *("the first recipient co-ordinates", "re-routing is previewed", "from the make-up Saturday to the first day back"),
    *("every reporter is answered", "an unhappy callback", "a hold is approved, and ends", 'a sham "done" fails'),
    "an outage",
)


@cache
def city() -> Policy:
    return read_policy(CITY)


@cache
def scenarios() -> tuple[Case, ...]:
    cases = read_suite(CITY, city(), NO_GRID) or ()
    return tuple(case for case in cases if "/scenarios/" in case.place.file)


@cache
def outcome() -> Outcome:
    return run_cases(city(), scenarios(), NO_GRID)


def test_every_scenario_holds():
    failed = [f"{failure.place} {render_failure(failure, 'en')}" for r in outcome().results for failure in r.failures]
    assert failed == []


def test_there_are_enough_each_named_in_both_languages():
    names = [case.name for case in scenarios()]
    assert len(names) >= 40
    assert len(set(names)) == len(names)
    for name in names:
        assert re.match(r"[\u4e00-\u9fff]", name), name
        assert re.search(r"[a-z]{3,}.* .*[a-z']{2,}$", name), name


@pytest.mark.parametrize("story", STORIES)
def test_the_doctrine_is_told(story: str):
    assert [case.name for case in scenarios() if story in case.name]


def test_every_row_of_the_table_is_shown_allowed_and_refused():
    shown = {(step.entry.do, step.entry.refused is not None) for case in scenarios() for step in case.steps}
    rows = [*map(str, ACTION_TABLE), *sorted(COMMANDS_WRITTEN)]
    missing = [f"{row} {'refused' if refused else 'allowed'}" for row in rows for refused in (False, True)
               if (row, refused) not in shown]  # fmt: skip
    assert missing == ["reroute_open refused"]  # which nothing refuses


def test_every_refusal_says_why():
    refused = [step.entry for case in scenarios() for step in case.steps if step.entry.refused is not None]
    assert len(refused) >= len(ACTION_TABLE)
    assert [entry.do for entry in refused if entry.because is None] == []


def test_what_fell_into_an_outage_leaves_the_adjusted_figures_and_stays_in_the_raw_ones():
    (case,) = (case for case in scenarios() if "an outage" in case.name)
    rehearsal = Rehearsal(Rulebook(city()), case, NO_GRID)
    assert rehearsal.report(case.report, case.at_ms) is None
    view = Projection(":memory:")
    told = []
    for step in case.steps:
        if step.entry.do is None:
            rehearsal.wait(step.at_ms)
        else:
            rehearsal.act(step, step.entry.do, step.entry.by or "")
        view.catch_up(rehearsal.ledger)
        told.append([(each.incident_id, each.why) for each in exemptions(view, Cohort(step.at_ms + 1))])
    assert told == [[], [], [(rehearsal.incident(FIRST).incident_id, "outage")]]
    assert rehearsal.incident(FIRST).exempt == ()
    view.close()


# --- the page on scenarios ------------------------------------------------------------------------------------------

PAGE = (REPOSITORY / "docs" / "scenarios.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_holds():
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    cases = read_cases({"tests/example.yaml": example.encode()}, city(), NO_GRID, WORDS)
    (result,) = run_cases(city(), cases, NO_GRID).results
    assert [render_failure(failure, "en") for failure in result.failures] == []


def test_the_page_names_every_key():
    own = set(TimelineEntry.__struct_fields__) - set(STEP_FIELDS)
    missing = [key for key in (*own, *After.__struct_fields__, *COMMANDS_WRITTEN) if f"`{key}`" not in PAGE]
    assert missing == []


# --- words ----------------------------------------------------------------------------------------------------------


def _listed(pattern: str) -> set[str]:
    page = (REPOSITORY / "docs" / "messages.md").read_text(encoding="utf-8")
    found = re.search(pattern, page, re.DOTALL)
    assert found is not None
    return set(re.findall(r"`([a-z_]+)`", found[1]))


def test_orders_and_notices_are_those_of_the_page_on_messages():
    assert set(WORDS["order"]) == _listed(r"\| `dept\.<code>` \|[^|]*\|([^\n]*)\|")
    assert set(WORDS["notice"]) == _listed(r"Templates:(.*?)Who delivers")


def test_kinds_and_states_are_the_engines():
    assert set(WORDS["state of a request"]) == set(get_args(get_type_hints(Request)["state"]))
    assert set(WORDS["kind of request"]) == set(get_args(get_type_hints(Request)["kind"]))
    assert COMMANDS - {"activate"} == set(COMMANDS_WRITTEN)
    assert FIRST == FIRST_WRITTEN
