"""Checking: passed it is closed, failed the work goes back to those it is about."""

from core_city import HOUR_MS, START_MS, shown
from core_desk import Desk, do, gas, orders

from dispatcher.core import Incident


def test_rework_after_a_failed_check_goes_on_with_the_clock():
    desk = Desk()
    incident = gas(desk)
    do(desk, incident, ("acknowledge", "gas-company"), ("acknowledge", "fire-brigade"))
    desk.now_ms = START_MS + HOUR_MS
    do(desk, incident, ("done", "gas-company"), ("done", "fire-brigade"))
    desk.now_ms = START_MS + 3 * HOUR_MS
    assert desk.update(incident, "check", "checker", result="fail") is None
    assert incident.lead is not None
    assert (incident.state, incident.lead.state, incident.support[0].state) == ("handling", "acknowledged", "done")
    assert incident.tally().rework == 1
    assert orders(desk, "gas-company")[-1] == ("rework", "acknowledged")
    resolve = desk.targets(incident, "resolve")["gas-company"]
    assert resolve["due_at"] == shown(START_MS + 6 * HOUR_MS)  # one hour used of four; the check's two are not charged
    desk.now_ms = START_MS + 5 * HOUR_MS
    do(desk, incident, ("done", "gas-company"))
    assert desk.update(incident, "check", "checker", result="pass") is None
    resolve = desk.targets(incident, "resolve")["gas-company"]
    assert (resolve["consumed_ms"], resolve["fulfilled_at"]) == (3 * HOUR_MS, shown(START_MS + 5 * HOUR_MS))
    checks = [t for t in desk.public(incident)["targets"] if t["name"] == "check"]
    assert [target["fulfilled_at"] for target in checks] == [
        shown(START_MS + 3 * HOUR_MS),
        shown(START_MS + 5 * HOUR_MS),
    ]


def test_a_late_rework_is_late_although_the_first_done_was_not():
    desk = Desk()
    incident = desk.report(category="03.02")
    do(desk, incident, ("acknowledge", "gas-company"), ("acknowledge", "fire-brigade"))
    desk.now_ms = START_MS + 3 * HOUR_MS
    do(desk, incident, ("done", "gas-company"), ("done", "fire-brigade"))
    assert desk.update(incident, "check", "checker", result="fail") is None
    desk.now_ms += HOUR_MS + 1
    do(desk, incident, ("done", "gas-company"))
    assert desk.update(incident, "check", "checker", result="pass") is None
    resolve = desk.targets(incident, "resolve")["gas-company"]
    assert resolve["breached_at"] == shown(START_MS + 4 * HOUR_MS)
    assert ("resolve breach", "gas-company") in desk.events(incident)


def two_units(desk: Desk) -> Incident:
    """The street office of one township leads, that of the other supports; both are done."""
    incident = desk.report(category="01")
    assert desk.update(incident, "assign", "dispatcher", support=["street-office@530002"]) is None
    for unit in ("street-office@530001", "street-office@530002"):
        do(desk, incident, ("acknowledge", unit))
    do(desk, incident, ("done", "street-office@530002"), ("done", "street-office@530001"))
    assert incident.state == "checking"
    return incident


def test_a_failed_check_goes_to_the_lead_and_not_to_another_unit_of_its_department():
    desk = Desk()
    incident = two_units(desk)
    assert desk.update(incident, "check", "checker", result="fail") is None
    assert incident.lead is not None
    assert (incident.lead.state, incident.support[0].state) == ("acknowledged", "done")


def test_a_failed_check_names_departments_or_units_each_once():
    desk = Desk()
    incident = two_units(desk)
    why = desk.update(incident, "check", "checker", result="fail", departments=["gas-company", "street-office"])
    assert why == "not_allowed: gas-company has done nothing that could be sent back"
    named = ["street-office@530002", "street-office@530002"]
    assert desk.update(incident, "check", "checker", result="fail", departments=named) is None
    assert incident.lead is not None
    assert (incident.lead.state, incident.support[0].state) == ("done", "acknowledged")
    do(desk, incident, ("done", "street-office@530002"))
    assert incident.state == "checking"
    assert desk.update(incident, "check", "checker", result="fail", departments=["street-office"]) is None
    assert (incident.lead.state, incident.support[0].state) == ("acknowledged", "acknowledged")


def test_neither_who_handled_nor_who_dispatched_checks():
    desk = Desk()
    incident = desk.report(category="02")
    assert desk.update(incident, "assign", "dispatcher", lead="gas-company") is None
    do(desk, incident, ("acknowledge", "gas-company"), ("done", "gas-company"))
    why = desk.update(
        incident, "check", "checker", result="pass", actor={"role": "checker", "department": "gas-company"}
    )
    assert why == "not_allowed: a department that handled the incident does not check it"
    assert desk.update(incident, "check", "dispatcher", result="pass") == (
        "not_allowed: whoever dispatched it does not check it"
    )
    assert desk.update(incident, "check", "dispatcher", result="exists") == (
        "wrong_type: check takes pass or fail, not exists"
    )
    other = {"role": "dispatcher", "person": "dispatcher-2"}
    assert desk.update(incident, "check", "dispatcher", result="pass", actor=other) is None
