"""Timelines drive the real engine: clocks, actions, refusals, merging; every key can hold and can fail."""

import pytest

from dispatcher.core.messages import Reason
from dispatcher.policies.cases import WORDS
from rules import After
from tests.policies.cases_city import messages, one

GAS = '{category: "03"}'
OPENED = "last: report at 2026-03-02T09:30:00+08:00"
LAST = "last: timer at 2026-03-02T09:32:00+08:00"
RESOLVE = (
    "resolve of gas-company: due 2026-03-02T13:30:00+08:00; resolve of fire-brigade: due 2026-03-02T13:30:00+08:00"
)

# key: an expectation two minutes and a second after a gas leak that holds, one that does not, what the failure says
KEYS: dict[str, tuple[str, str, str]] = {
    "state": ("dispatched", "handling", f"state: expected handling, got dispatched; {LAST}"),
    "lead": ("gas-company", "police", f"lead: expected police, got gas-company; {LAST}"),
    "support": ("[police, fire-brigade]", "[]", f"support: expected nothing, got fire-brigade, police; {LAST}"),
    "support_includes": ("[police]", "[desk]", f"support_includes: expected desk, got fire-brigade, police; {LAST}"),
    "required": ("[fire-brigade]", "[police]", f"required: expected police, got fire-brigade; {LAST}"),
    "severity": ("2", "1", f"severity: expected 1, got 2; {LAST}"),
    "assignments": ("{police: offered}", "{police: done}", f"assignments police: expected done, got offered; {LAST}"),
    "breached": (
        "[acknowledge]", "[acknowledge, resolve]",
        ("breached: expected acknowledge, resolve, got acknowledge of fire-brigade, acknowledge of gas-company,"
        f" acknowledge of police; {RESOLVE}"),
    ),
    "warned": (
        "{acknowledge: [50, 80], resolve of fire-brigade: []}", "{resolve: [50]}",
        f"warned resolve: expected 50%, got nothing; {RESOLVE}",
    ),
    "fulfilled": ("[]", "[resolve]", f"fulfilled: expected resolve, got nothing; {RESOLVE}"),
    "running": (
        "[acknowledge, attend, resolve]", "[acknowledge, attend of fire-brigade, resolve of gas-company]",
        ("running: expected acknowledge, attend of fire-brigade, resolve of gas-company, got"
        " acknowledge of fire-brigade, acknowledge of gas-company, acknowledge of police, attend of fire-brigade,"
        f" resolve of fire-brigade, resolve of gas-company; {RESOLVE}"),
    ),
    "paused": ("[]", "[resolve]", f"paused: expected resolve, got nothing; {RESOLVE}"),
    "due": (
        '{resolve: "+4h", attend of fire-brigade: "2026-03-02T09:45:00+08:00"}', "{resolve of fire-brigade: +1h}",
        "due resolve of fire-brigade: expected 2026-03-02T10:30:00+08:00, got 2026-03-02T13:30:00+08:00; " + RESOLVE,
    ),
    "queue": ("true", "false", f"queue: expected false, got true; {LAST}"),
    "reports": ("1", "2", f"reports: expected 2, got 1; {LAST}"),
    "tags": ("[whistle]", "[]", f"tags: expected nothing, got whistle; {LAST}"),
    "tags_include": ("[]", "[crowd]", f"tags_include: expected crowd, got whistle; {LAST}"),
    "category": ('"03"', '"02"', f"category: expected 02, got 03; {LAST}"),
    "mode": ("normal", "emergency", f"mode: expected emergency, got normal; {LAST}"),
    "level": ("city", "cell", f"level: expected cell, got city; {LAST}"),
    "answers_for_it": (
        "gas-company", "street-office@township",
        f"answers_for_it: expected street-office@530001, got gas-company; {LAST}",
    ),
    "on_hold": (
        "{}", '{gas-company: "+1h"}',
        f"on_hold gas-company: expected 2026-03-02T10:30:00+08:00, got nothing; {LAST}",
    ),
    "claimed_by": ("nobody", "li", f"claimed_by: expected li, got nobody; {LAST}"),
    "children": ("[]", "[first]", f"children: expected first, got nothing; {LAST}"),
    "suggested": ("[]", "[first]", f"suggested: expected first, got nothing; {LAST}"),
    "requests": ("{}", "{hold: open}", f"requests hold: expected open, got nothing; {LAST}"),
    "supervision": ("{}", "{1: open}", f"supervision 1: expected open, got nothing; {LAST}"),
    "milestones": ("{}", "{plan: reached}", f"milestones plan: expected reached, got nothing; {LAST}"),
    "scores": ("{}", "{police: 5}", f"scores police: expected 5, got nothing; {LAST}"),
    "callbacks": ("{}", "{1: satisfied}", f"callbacks 1: expected satisfied, got nothing; {LAST}"),
    "counts": ("{rework: 0, urged: 0}", "{rework: 1}", f"counts rework: expected 1, got 0; {LAST}"),
    "reopened": ("0", "1", f"reopened: expected 1, got 0; {LAST}"),
    "exempt": ("[]", "[gas-company]", f"exempt: expected gas-company, got nothing; {LAST}"),
    "orders": (
        "{police: offer, fire-brigade: offer}", "{police: urge}", f"orders police: expected urge, got offer; {LAST}",
    ),
    "told": (
        "{accepted: [reporter 1], urge: []}", "{accepted: [centre]}",
        f"told accepted: expected centre, got reporter 1; {LAST}",
    ),
    "escalated": (
        "[]", "[supervise street-office@township]",
        f"escalated: expected supervise street-office@530001, got nothing; {LAST}",
    ),
    "would_reroute": ("[]", "[first]", f"would_reroute: expected first, got nothing; {LAST}"),
    "flags": ("[]", "[late]", f"flags: expected late, got nothing; {LAST}"),
}  # fmt: skip


# what no incident has from the start: a timeline that ends in the expectation, one value that holds, one that does not
LATER: dict[str, tuple[str, str, str, str]] = {
    "parent": (
        "{at: +1m, report: {}, opens: two}, {at: +2m, incident: two, do: merge, by: centre, into: first, expect: %s}",
        "first", "two", "+2m parent: expected two, got first; last: merge at 2026-03-02T09:32:00+08:00",
    ),
    "whistle": (
        "{at: +1m, do: whistle, by: street, kind: joint, expect: %s}",
        "sounding", "ended", "+1m whistle: expected ended, got sounding; last: whistle at 2026-03-02T09:31:00+08:00",
    ),
    "referred_to": (
        "{at: +1m, do: refer, by: centre, body: grid-company, external_no: G-1, expect: %s}",
        "grid-company/G-1", "G-2",
        "+1m referred_to: expected G-2, got grid-company/G-1; last: refer at 2026-03-02T09:31:00+08:00",
    ),
}  # fmt: skip


def test_every_key_is_tried():
    assert set(KEYS) | set(LATER) == set(After.__struct_fields__)


@pytest.mark.parametrize("key", LATER)
def test_a_later_key_holds_or_fails_with_its_reason(key: str):
    timeline, right, wrong, message = LATER[key]
    assert messages(one(GAS, timeline=f"[{timeline % f'{{{key}: {right}}}'}]")) == []
    (said,) = messages(one(GAS, timeline=f"[{timeline % f'{{{key}: {wrong}}}'}]"))
    assert said == f"tests/t.yaml:7 {message}"


@pytest.mark.parametrize("key", KEYS)
def test_a_key_holds_or_fails_with_its_reason(key: str):
    right, wrong, message = KEYS[key]
    assert messages(one(GAS, timeline=f'[{{at: "+2m1s", expect: {{{key}: {right}}}}}]')) == []
    (said,) = messages(one(GAS, timeline=f'[{{at: "+2m1s", expect: {{{key}: {wrong}}}}}]'))
    assert said == f"tests/t.yaml:7 +2m1s {message}"


def test_timers_fire_strictly_before_the_moment():
    assert messages(one(GAS, timeline='[{at: "+2m", expect: {breached: []}}]')) == []
    assert len(messages(one(GAS, timeline='[{at: "+2m1s", expect: {breached: []}}]'))) == 1
    instant = '[{at: "2026-03-02T09:32:00.001+08:00", expect: {breached: [acknowledge]}}]'
    assert messages(one(GAS, timeline=instant)) == []


WHOLE = """[
  {at: "+1m", do: acknowledge, by: gas-company,
    expect: {state: handling, fulfilled: [acknowledge of gas-company], assignments: {gas-company: acknowledged}}},
  {at: "+2m", do: acknowledge, by: police},
  {at: "+3m", do: acknowledge, by: fire-brigade,
    expect: {breached: [acknowledge of fire-brigade], warned: {acknowledge of fire-brigade: [50, 80]}}},
  {at: "+4m", do: arrive, by: fire-brigade, expect: {running: [attend, resolve]}},
  {at: "+5m", do: confirm_arrival, by: centre, department: fire-brigade, expect: {fulfilled: [acknowledge, attend]}},
  {at: "+6m", do: note, by: police, text: "the road is closed"},
  {at: "+7m", do: done, by: gas-company, expect: {state: handling, paused: [resolve of gas-company]}},
  {at: "+8m", do: done, by: fire-brigade, expect: {state: checking, due: {check: "+1d8m"}, queue: true}},
  {at: "+9m", do: check, by: centre, result: fail, departments: [gas-company],
    expect: {state: handling, paused: [resolve of fire-brigade],
      assignments: {gas-company: acknowledged, fire-brigade: done}}},
  {at: "+10m", do: done, by: gas-company},
  {at: "+11m", do: check, by: checker, result: pass, expect: {state: closed, queue: false, running: [], paused: [],
    fulfilled: [acknowledge, attend, resolve, check], assignments: {gas-company: approved, police: withdrawn}}},
  {at: "+20d", expect: {state: closed, lead: gas-company}}]"""


def test_a_whole_life():
    assert messages(one(GAS, timeline=WHOLE)) == []


def test_a_return_is_refused_or_accepted_by_the_centre():
    timeline = """[
      {at: "+1m", do: return, by: gas-company, reason_code: whim, refused: not_allowed},
      {at: "+1m", do: return, by: gas-company, reason_code: not_ours,
        expect: {state: returned, assignments: {gas-company: returned}}},
      {at: "+2m", do: assign, by: dispatcher, lead: street-office@township, support: [water-bureau],
        expect: {lead: street-office@530001, support_includes: [water-bureau], assignments: {gas-company: withdrawn}}},
      {at: "+3m", do: return, by: police, reason_code: not_ours},
      {at: "+3m", do: accept_return, by: shift_lead, department: police,
        expect: {support: [fire-brigade, water-bureau]}},
      {at: "+4m", do: return, by: water-bureau, reason_code: not_ours},
      {at: "+4m", do: refuse_return, by: centre, department: water-bureau,
        expect: {assignments: {water-bureau: offered}}},
      {at: "+30m", do: return, by: fire-brigade, reason_code: not_ours, refused: not_allowed},
      {at: "+31m", do: acknowledge, by: street-office@township,
        expect: {assignments: {street-office@township: acknowledged}}},
      {at: "+32m", do: acknowledge, by: street-office@530001, refused: not_allowed},
      {at: "+33m", do: void, by: centre, reason_code: mistake, expect: {state: voided, running: []}}]"""
    assert messages(one(GAS, timeline=timeline)) == []


def test_a_unit_is_named_by_its_level_where_the_centre_acts_on_it():
    timeline = """[{at: "+1m", do: return, by: street-office, reason_code: not_ours},
      {at: "+2m", do: refuse_return, by: centre, department: street-office@township, expect: {state: dispatched}}]"""
    assert messages(one('{category: "01"}', timeline=timeline)) == []


def test_an_arrival_counts_near_the_place():
    timeline = """[{at: "+1m", do: acknowledge, by: fire-brigade},
      {at: "+2m", do: arrive, by: fire-brigade, position: {lon: 114.0001, lat: 30.0},
        expect: {fulfilled: [acknowledge of fire-brigade, attend]}}]"""
    assert messages(one('{category: "03", lon: 114.0, lat: 30.0}', timeline=timeline)) == []
    assert len(messages(one('{category: "03", lon: 114.1, lat: 30.0}', timeline=timeline))) == 1


def test_other_reports_merge_or_do_not():
    at = '{category: "01", lon: 114.0, lat: 30.0}'
    timeline = """[
      {at: "+1m", report: {source: satellite, confidence: 0.5}, expect: {reports: 2}},
      {at: "+2m", report: {cell: "530001001"}, expect: {reports: 2}},
      {at: "+3m", report: {lon: 114.2, lat: 30.0}, expect: {reports: 2, tags: []}},
      {at: "+4m", report: {reporters: 2}, expect: {reports: 4, severity: 2, support: [police], tags: [crowd]}},
      {at: "+5m", report: {category: "XX", source: satellite}, refused: unknown_category}]"""
    assert messages(one(at, timeline=timeline)) == []
    asset = '{category: "04", asset: lamp-1}'
    assert messages(one(asset, timeline='[{at: "+1m", report: {}, expect: {reports: 2}}]')) == []


def test_what_waits_for_verification_is_not_yet_decided():
    report = '{category: "02", source: satellite}'
    timeline = """[{at: "+1m", expect: {state: verifying}},
      {at: "+2m", do: verify, by: officer, result: exists, expect: {state: dispatched, lead: water-bureau}}]"""
    assert messages(one(report, "{lead: water-bureau}", timeline)) == []
    assert messages(one(report, timeline='[{at: "+1m", expect: {lead: water-bureau}}]')) == [
        f"tests/t.yaml:7 +1m lead: expected water-bureau, got nothing; {OPENED}"
    ]


def test_a_drill_is_in_no_queue():
    report = '{category: "03", tags: [exercise]}'
    assert messages(one(report, timeline='[{at: "+1m", expect: {state: not_accepted, queue: false}}]')) == []


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("do: acknowledge, by: police, refused: stale", "acknowledge by police: expected stale, got taken"),
        (
            "do: acknowledge, by: water-bureau",
            (
                "acknowledge by water-bureau: expected taken, got refused (not_allowed):"
                " water-bureau has no part in the incident"
            ),
        ),
        (
            "do: check, by: centre",
            "check by centre: expected taken, got refused (missing_field): check needs result",
        ),
        (
            "do: done, by: police, refused: stale",
            (
                "done by police: expected stale, got refused (not_allowed): done is not allowed in state dispatched"
                " with the assignment offered; allowed: acknowledge, delegate, note, contact, return, request, reply,"
                " milestone"
            ),
        ),
        (
            'report: {category: "XX", source: satellite}',
            "report: expected taken, got refused (unknown_category): no category XX in the policy",
        ),
        ("report: {}, refused: stale", "report: expected stale, got taken"),
    ],
)
def test_what_is_taken_or_refused_is_judged(step: str, message: str):
    assert messages(one(GAS, timeline=f'[{{at: "+1m", {step}}}]')) == [f"tests/t.yaml:7 +1m {message}"]


def test_a_report_that_is_refused_opens_nothing():
    report = '{category: "XX", source: satellite}'
    timeline = '[{at: "+1m", expect: {state: closed}}]'
    assert messages(one(report, "{refused: unknown_category}", timeline)) == []
    assert messages(one(report, "{}", timeline)) == [
        "tests/t.yaml:4 report: expected taken, got refused (unknown_category): no category XX in the policy"
    ]


def test_refusals_in_chinese():
    (said,) = messages(one(GAS, timeline='[{at: "+1m", do: acknowledge, by: police, refused: stale}]'), "zh")
    assert said == "tests/t.yaml:7 +1m acknowledge by police：应为 stale，实为 受理"


def test_words_of_the_engine_are_the_engines():
    assert set(WORDS["refusal"]) == set(map(str, Reason))
    assert "department" not in WORDS["role"]
    assert {"dispatcher", "checker", "supervisor"} <= set(WORDS["role"])
