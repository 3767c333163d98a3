"""What departments ask for: hold, extension, transfer, support, exemption; granted, refused, lapsed."""

from typing import Any

import pytest
from core_city import DAY_MS, HOUR_MS, MINUTE_MS, START_MS, local, shown
from core_desk import Desk, do, orders

from dispatcher.core import Incident

UNTIL = "2026-03-04T09:00:00+08:00"
HOLD = {"kind": "hold", "reason_code": "season", "until": UNTIL}
EXTEND = {"kind": "extension", "reason_code": "parts"}


def works(desk: Desk, **fields: Any) -> Incident:
    """Water's to settle within five working hours from 09:00 on Monday: due at 15:30."""
    incident = desk.report("r", "02", **fields)
    do(desk, incident, ("acknowledge", "water-bureau"))
    return incident


def held(desk: Desk) -> Incident:
    incident = works(desk)
    assert desk.update(incident, "request", "water-bureau", **HOLD) is None
    assert desk.update(incident, "approve", "dispatcher", number=1) is None
    return incident


def test_a_hold_stops_the_clock_from_its_approval_until_it_ends_by_itself():
    desk = Desk()
    incident = works(desk)
    desk.now_ms = local("2026-03-02 10:00")
    assert desk.update(incident, "request", "water-bureau", **HOLD) is None
    assert (incident.state, incident.requests[0].state) == ("handling", "open")
    desk.now_ms = local("2026-03-02 11:00")  # the clock ran until here: two hours of five
    assert desk.update(incident, "approve", "dispatcher", number=1) is None
    assert (incident.state, incident.lead.state, incident.counts.held) == ("on_hold", "held", 1)
    target = desk.targets(incident, "resolve")["water-bureau"]
    assert (target["consumed_ms"], target["paused_by"]) == (2 * HOUR_MS, "hold")
    assert desk.engine.next_due_ms == local("2026-03-04 09:00")
    desk.clock(3 * DAY_MS)
    assert (incident.state, incident.lead.state) == ("handling", "acknowledged")
    ended = next(
        e for e in desk.out("events", incident.incident_id) if "hold" in str(e["changes"]) and e["what"] == "timer"
    )
    assert ended["at"] == shown(local("2026-03-04 09:00"))
    target = desk.targets(incident, "resolve")["water-bureau"]
    assert target["due_at"] == shown(local("2026-03-04 12:00"))  # 09:00 and the three hours that were left
    assert [event for event, _ in orders(desk, "water-bureau")][:3] == ["offer", "held", "hold_ended"]


def test_a_department_on_site_is_on_site_again_after_its_hold():
    desk = Desk()
    incident = works(desk)
    do(desk, incident, ("arrive", "water-bureau"))
    assert desk.update(incident, "request", "water-bureau", **HOLD) is None
    assert desk.update(incident, "approve", "dispatcher", number=1) is None
    assert desk.update(incident, "done", "water-bureau") is not None
    do(desk, incident, ("end_hold", "water-bureau"))
    assert (incident.state, incident.lead.state, incident.lead.hold_until_ms) == ("handling", "arrived", None)


@pytest.mark.parametrize(("fields", "why"), [
    ({"until": "2026-03-01T09:00:00+08:00"}, "until lies in the past"),
    ({"until": "2026-04-01T09:00:00+08:00"}, "a hold lasts at most 5d"),
    ({"until": None}, "a hold needs until"),
    ({"reason_code": "tired"}, "tired is not a reason for a hold"),
    ({"kind": "holiday"}, "request takes hold, extension, transfer, support, exempt"),
])  # fmt: skip
def test_a_hold_that_makes_no_sense_is_refused(fields: dict[str, Any], why: str):
    desk = Desk()
    incident = works(desk)
    said = desk.update(incident, "request", "water-bureau", **{**HOLD, **fields})
    assert said is not None
    assert why in said
    assert incident.requests == ()


def test_a_hold_is_once_and_not_when_overdue():
    desk = Desk()
    incident = held(desk)
    do(desk, incident, ("end_hold", "water-bureau"))
    assert "allows 1 holds" in (desk.update(incident, "request", "water-bureau", **HOLD) or "")
    late = desk.report("late", "02", location={"lon": 114.025, "lat": 30.01})
    do(desk, late, ("acknowledge", "water-bureau"))
    desk.clock(DAY_MS)
    assert "no hold for what is overdue" in (desk.update(late, "request", "water-bureau", **HOLD) or "")
    assert "no extension for what is overdue" in (desk.update(late, "request", "water-bureau", **EXTEND) or "")


def test_an_sla_without_holds_allows_none():
    desk = Desk()
    incident = desk.report("r", "03.02")
    do(desk, incident, ("acknowledge", "gas-company"))
    assert "gas-leak allows 0 holds" in (desk.update(incident, "request", "gas-company", **HOLD) or "")


def test_an_extension_adds_the_original_budget_twice_at_most():
    desk = Desk()
    incident = works(desk)
    for number, due in ((1, "2026-03-03 11:30"), (2, "2026-03-04 09:00")):  # 10 and 15 working hours, 7.5 of them a day
        assert desk.update(incident, "request", "water-bureau", **EXTEND) is None
        assert desk.update(incident, "approve", "dispatcher", number=number) is None
        assert desk.targets(incident, "resolve")["water-bureau"]["due_at"] == shown(local(due))
    assert incident.counts.extended == 2
    assert "allows 2 extensions" in (desk.update(incident, "request", "water-bureau", **EXTEND) or "")


def test_a_refusal_uses_no_quota_and_the_clock_has_run():
    desk = Desk()
    incident = works(desk)
    due = desk.targets(incident, "resolve")["water-bureau"]["due_at"]
    for number in (1, 2, 3):
        assert desk.update(incident, "request", "water-bureau", **EXTEND) is None
        assert "has not been decided" in (desk.update(incident, "request", "water-bureau", **EXTEND) or "")
        assert desk.update(incident, "refuse", "shift_lead", number=number) is None
    assert desk.targets(incident, "resolve")["water-bureau"]["due_at"] == due
    assert orders(desk, "water-bureau")[-1][0] == "request_refused"
    assert [r.state for r in incident.requests] == ["refused"] * 3


def test_a_request_that_came_too_late_is_refused_at_approval_and_stays_open():
    desk = Desk()
    incident = works(desk)
    assert desk.update(incident, "request", "water-bureau", **EXTEND) is None
    desk.clock(DAY_MS)
    assert "no extension for what is overdue" in (desk.update(incident, "approve", "dispatcher", number=1) or "")
    assert incident.requests[0].state == "open"
    do(desk, incident, ("done", "water-bureau"))
    assert incident.requests[0].state == "lapsed"
    assert "request 1 is lapsed" in (desk.update(incident, "approve", "dispatcher", number=1) or "")


def test_a_transfer_hands_the_running_clock_over():
    desk = Desk()
    incident = works(desk)
    ask = {"kind": "transfer", "reason_code": "shared", "departments": ["gas-company"]}
    due = desk.targets(incident, "resolve")["water-bureau"]["due_at"]
    assert desk.update(incident, "request", "water-bureau", **ask) is None
    desk.now_ms += HOUR_MS
    assert desk.update(incident, "approve", "dispatcher", number=1) is None
    assert (incident.lead.department, incident.lead.by, incident.state) == ("gas-company", ("request",), "dispatched")
    assert desk.targets(incident, "resolve")["gas-company"]["due_at"] == due
    assert [(a.department, a.role, a.state) for a in incident.support] == [("water-bureau", "former_lead", "withdrawn")]


def test_a_support_hands_its_part_over_with_what_was_required_of_it():
    desk = Desk()
    incident = desk.report("r", "03.02")
    do(desk, incident, ("acknowledge", "gas-company"), ("acknowledge", "fire-brigade"))
    ask = {"kind": "transfer", "reason_code": "shared", "departments": ["water-bureau"]}
    assert desk.update(incident, "request", "fire-brigade", **ask) is None
    assert desk.update(incident, "approve", "dispatcher", number=1) is None
    new = incident.assignment_of("water-bureau")
    assert (new.required, new.task, new.by) == (True, "rescue", ("request",))
    assert incident.assignment_of("fire-brigade") is None


def test_a_part_handed_to_whoever_is_done_already_finishes_the_incident():
    desk = Desk()
    incident = desk.report("r", "03.02")
    for department in ("gas-company", "fire-brigade", "traffic-police"):
        do(desk, incident, ("acknowledge", department))
    do(desk, incident, ("done", "gas-company"), ("done", "traffic-police"))
    ask = {"kind": "transfer", "reason_code": "shared", "departments": ["traffic-police"]}
    assert desk.update(incident, "request", "fire-brigade", **ask) is None
    assert desk.update(incident, "approve", "dispatcher", number=1) is None
    assert incident.state == "checking"  # nothing is left to do, and nobody would ever have said so


def test_support_that_was_asked_for_is_offered():
    desk = Desk()
    incident = works(desk)
    ask = {"kind": "support", "reason_code": "equipment", "departments": ["fire-brigade", "street-office@township"]}
    assert desk.update(incident, "request", "water-bureau", **ask) is None
    assert desk.update(incident, "approve", "dispatcher", number=1) is None
    assert [(a.party, a.required) for a in incident.support] == [
        ("fire-brigade", False),
        ("street-office@530001", False),
    ]
    again = {**ask, "departments": ["fire-brigade"]}
    assert "already has a part" in (desk.update(incident, "request", "water-bureau", **again) or "")
    assert "no department nobody here" in (
        desk.update(incident, "request", "water-bureau", **{**ask, "departments": ["nobody"]}) or ""
    )
    assert "needs departments" in (desk.update(incident, "request", "water-bureau", **{**ask, "departments": []}) or "")
    two = {"kind": "transfer", "reason_code": "shared", "departments": ["gas-company", "centre-desk"]}
    assert "transferred to one department" in (desk.update(incident, "request", "water-bureau", **two) or "")


def test_an_appeal_is_granted_by_a_leader_also_after_the_close():
    desk = Desk()
    incident = works(desk)
    do(desk, incident, ("done", "water-bureau"))
    assert desk.update(incident, "check", "checker", result="pass") is None
    appeal = {"kind": "exempt", "reason_code": "weather"}
    assert desk.update(incident, "request", "water-bureau", **appeal) is None
    assert "no hold in state closed" in (desk.update(incident, "request", "water-bureau", **HOLD) or "")
    assert "granted by a shift lead" in (desk.update(incident, "approve", "dispatcher", number=1) or "")
    assert desk.update(incident, "approve", "supervisor", number=1) is None
    assert desk.public(incident)["exempt"] == ["water-bureau"]
    assert incident.state == "closed"


def test_the_centre_is_reminded_of_what_it_has_not_decided():
    desk = Desk()
    incident = works(desk)
    assert desk.update(incident, "request", "water-bureau", **EXTEND) is None
    asked = [n for n in desk.out("notices") if n["template"] == "request"]
    assert [n["to"] for n in asked] == ["centre"]
    desk.clock(2 * DAY_MS + HOUR_MS)
    reminded = [e["at"] for e in desk.out("events", incident.incident_id) if ("desk_overdue") in str(e["changes"])]
    first = START_MS + 30 * MINUTE_MS
    assert reminded == [shown(first), shown(first + DAY_MS), shown(first + 2 * DAY_MS)]
    assert desk.update(incident, "refuse", "dispatcher", number=1) is None
    assert incident.desk_ms is None


def test_a_claimed_line_is_decided_by_whoever_claimed_it_or_by_a_leader():
    desk = Desk()
    incident = works(desk)
    assert desk.update(incident, "request", "water-bureau", **EXTEND) is None
    assert desk.update(incident, "claim", "dispatcher", actor={"role": "dispatcher", "person": "li"}) is None
    why = desk.update(incident, "approve", "dispatcher", actor={"role": "dispatcher", "person": "wu"}, number=1)
    assert "li is working on it" in (why or "")
    assert (
        desk.update(incident, "approve", "dispatcher", actor={"role": "dispatcher", "person": "li"}, number=1) is None
    )
