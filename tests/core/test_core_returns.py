"""Who has the work: returns, refusals, other leads, other supports, on a clock that never starts again."""

import pytest
from core_city import HOUR_MS, MINUTE_MS, START_MS, shown
from core_desk import Desk, do, gas, orders

from dispatcher.core.incident import PARTS_MAX
from dispatcher.core.wire import incident_json


def test_a_lead_returns_and_another_is_named_on_the_same_clock():
    desk = Desk()
    incident = desk.report(category="02")
    due = desk.targets(incident, "resolve")["water-bureau"]["due_at"]
    desk.now_ms += 20 * MINUTE_MS
    assert desk.update(incident, "return", "water-bureau", reason_code="not_ours", text="call 13812345678") is None
    assert (incident.state, desk.public(incident)["responsible"]) == ("returned", "centre")
    assert incident.lead is not None
    assert incident.lead.reason_code == "not_ours"
    assert desk.update(incident, "acknowledge", "water-bureau") is not None
    assert desk.update(incident, "accept_return", "dispatcher", department="water-bureau") == (
        "not_allowed: a lead's return is accepted by assigning another lead"
    )
    desk.now_ms += 10 * MINUTE_MS
    assert desk.update(incident, "assign", "dispatcher", lead="street-office@township", reason_code="ours") is None
    assert incident.state == "dispatched"
    assert incident.lead.party == "street-office@530001"
    resolve = desk.targets(incident, "resolve")
    assert list(resolve) == ["street-office@530001"]
    assert resolve["street-office@530001"]["due_at"] == due  # the incident's clock never starts again
    assert ("resolve hand_over", "street-office@530001") in desk.events(incident)
    fresh = desk.targets(incident, "acknowledge")
    assert fresh["street-office@530001"]["due_at"] == shown(desk.now_ms + 30 * MINUTE_MS)
    assert "revoked_at" in fresh["water-bureau"]
    assert [(a.party, a.role, a.state) for a in incident.support] == [("water-bureau", "former_lead", "withdrawn")]
    assert orders(desk, "water-bureau")[-1] == ("withdraw", "withdrawn")
    assert orders(desk, "street-office") == [("offer", "offered")]
    decisions = [c for e in desk.out("events", incident.incident_id) for c in e["changes"] if c["event"] == "decision"]
    assert [(d["seq"], d["cause"]) for d in decisions] == [(1, "report"), (2, "override")]
    assert desk.public(incident)["decision"]["cause"] == "override"
    do(desk, incident, ("acknowledge", "street-office@530001"))
    assert desk.update(incident, "acknowledge", "water-bureau") is not None  # out of it


def test_a_refused_return_puts_the_work_back_where_it_was():
    desk = Desk()
    offered, taken = desk.report("r1", "02"), desk.report("r2", "02", location={"lon": 114.03, "lat": 30.005})
    do(desk, taken, ("acknowledge", "water-bureau"))
    for incident, state, part in ((offered, "dispatched", "offered"), (taken, "handling", "acknowledged")):
        assert desk.update(incident, "return", "water-bureau", reason_code="not_ours") is None
        why = desk.update(incident, "refuse_return", "dispatcher", department="water-bureau")
        assert why is None
        assert incident.lead is not None
        assert (incident.state, incident.lead.state) == (state, part)
        assert orders(desk, "water-bureau")[-1] == ("remind", part)
        assert incident.tally().returned == 1
    resolve = desk.targets(taken, "resolve")["water-bureau"]
    assert resolve["since"] == shown(START_MS)  # its clock never stopped


def test_after_the_third_return_the_lead_the_centre_names_stays():
    desk = Desk()
    incident = desk.report(category="02")
    for n, lead in enumerate(["gas-company", "fire-brigade", "traffic-police"], start=1):
        current = incident.lead
        assert current is not None
        assert desk.update(incident, "return", current.party, reason_code="not_ours") is None
        assert incident.tally().returned == n
        assert desk.update(incident, "assign", "dispatcher", lead=lead) is None
    before = incident_json(incident)
    why = desk.update(incident, "return", "traffic-police", reason_code="not_ours")
    assert why == "not_allowed: returned 3 times: the lead the centre named cannot return it"
    assert incident_json(incident) == before
    assert desk.update(incident, "assign", "dispatcher", support=["gas-company"]) is None
    assert desk.update(incident, "return", "gas-company", reason_code="not_ours") is None  # a support still may
    assert incident.tally().returned == 3


def test_a_return_has_a_reason_of_the_policy_and_its_time():
    desk = Desk()
    incident = gas(desk)
    assert desk.update(incident, "return", "gas-company", reason_code="tired") == (
        "not_allowed: tired is not a reason for a return in this policy"
    )
    desk.now_ms = START_MS + 10 * MINUTE_MS
    assert desk.update(incident, "return", "fire-brigade", reason_code="not_ours") is None  # at the last instant
    desk.now_ms += 1
    assert desk.update(incident, "return", "gas-company", reason_code="not_ours") == (
        "not_allowed: a return is possible within 10m of the offer; it counts as taken"
    )


def test_a_returned_support_waits_for_a_decision_without_stopping_the_incident():
    desk = Desk()
    incident = gas(desk)
    do(desk, incident, ("acknowledge", "gas-company"))
    assert desk.update(incident, "return", "fire-brigade", reason_code="not_ours") is None
    assert incident.state == "handling"
    do(desk, incident, ("done", "gas-company"))
    assert incident.state == "handling"
    assert desk.update(incident, "refuse_return", "dispatcher", department="fire-brigade") is None
    assert (incident.state, incident.support[0].state) == ("handling", "offered")
    assert desk.update(incident, "return", "fire-brigade", reason_code="not_ours") is None
    assert desk.update(incident, "accept_return", "dispatcher", department="fire-brigade") is None
    assert incident.state == "checking"  # nobody is left to wait for
    assert "revoked_at" in desk.targets(incident, "resolve")["fire-brigade"]
    assert orders(desk, "fire-brigade")[-1] == ("withdraw", "withdrawn")


def test_a_support_becomes_the_lead():
    desk = Desk()
    incident = gas(desk)
    do(desk, incident, ("acknowledge", "fire-brigade"))
    assert desk.update(incident, "assign", "dispatcher", lead="fire-brigade") is None
    assert incident.lead is not None
    assert (incident.lead.party, incident.lead.state, incident.state) == ("fire-brigade", "offered", "dispatched")
    active = [t for t in incident.targets if t.name == "resolve" and t.active]
    assert [(t.of, t.since_ms) for t in active] == [("fire-brigade", START_MS)]  # the lead's own, handed over
    states = [(a.party, a.state) for a in incident.support]
    assert states == [("fire-brigade", "withdrawn"), ("traffic-police", "offered"), ("gas-company", "withdrawn")]


def test_a_lead_that_was_done_hands_over_a_stopped_clock_which_goes_on():
    desk = Desk()
    incident = gas(desk)
    do(desk, incident, ("acknowledge", "gas-company"))
    desk.now_ms += HOUR_MS
    do(desk, incident, ("done", "gas-company"))
    desk.now_ms += HOUR_MS
    assert desk.update(incident, "assign", "dispatcher", lead="traffic-police") is None
    resolve = desk.targets(incident, "resolve")["traffic-police"]
    assert (resolve["consumed_ms"], resolve["since"]) == (HOUR_MS, shown(desk.now_ms))
    assert resolve["due_at"] == shown(desk.now_ms + 3 * HOUR_MS)


ASSIGN_REFUSED = [
    ({}, "missing_field: assign needs lead or support"),
    ({"lead": "nobody"}, "not_allowed: no department nobody in this policy"),
    ({"lead": "gas-company"}, "not_allowed: gas-company is the lead already; a return of its is refused or accepted"),
    ({"support": ["fire-brigade"]}, "not_allowed: fire-brigade already has a part in the incident"),
    ({"support": ["water-bureau", "water-bureau"]}, "not_allowed: a department is named twice"),
    ({"lead": "water-bureau", "support": ["water-bureau"]}, "not_allowed: a department is named twice"),
]


@pytest.mark.parametrize(("fields", "why"), ASSIGN_REFUSED)
def test_assignments_that_make_no_sense_are_refused_whole(fields: dict[str, object], why: str):
    desk = Desk()
    incident = gas(desk)
    before = incident_json(incident)
    assert desk.update(incident, "assign", "dispatcher", **fields) == why
    assert incident_json(incident) == before


def test_a_unit_is_found_by_the_place_and_refused_where_there_is_none():
    desk = Desk()
    placed = desk.report("r1", "02", location={"lon": 114.025, "lat": 30.005})
    assert desk.update(placed, "assign", "dispatcher", support=["street-office@township"]) is None
    assert placed.support[-1].party == "street-office@530002"
    assert desk.update(placed, "assign", "dispatcher", support=["street-office@530001"]) is None
    lost = desk.report("r2", "02", location=None)
    why = desk.update(lost, "assign", "dispatcher", support=["street-office@township"])
    assert why == "not_allowed: the place of the incident has no township"
    # a unit answers for itself, a department's message without one for its first part
    do(desk, placed, ("acknowledge", "street-office@530001"))
    assert [a.state for a in placed.support] == ["offered", "acknowledged"]
    do(desk, placed, ("acknowledge", "street-office"))
    assert [a.state for a in placed.support] == ["acknowledged", "acknowledged"]
    assert desk.update(placed, "acknowledge", "street-office@530003") is not None


def test_an_incident_has_no_end_of_parts():
    desk = Desk()
    incident = desk.report(category="02")
    for n in range(PARTS_MAX - 1):
        lead = ("gas-company", "fire-brigade")[n % 2]
        assert desk.update(incident, "assign", "dispatcher", lead=lead) is None
    why = desk.update(incident, "assign", "dispatcher", support=["traffic-police"])
    assert why == "not_allowed: an incident has at most 64 parts and 512 targets, former ones included"
    assert len(incident_json(incident)) < 200_000
