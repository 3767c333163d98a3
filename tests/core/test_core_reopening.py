"""Calling reporters back, and opening again what was not settled."""

import pytest
from core_city import DAY_MS, HOUR_MS, START_MS, shown
from core_desk import Desk, do

from dispatcher.core import Incident

CALLED_BACK = ("    hold: {max: 5d, times: 1}\n", "    hold: {max: 5d, times: 1}\n    close_after: callback\n")
R1 = {"incident_id": None, "report": {"source": "hotline", "report_id": "r1"}}
R2 = {"incident_id": None, "report": {"source": "hotline", "report_id": "r2"}}


def checked(desk: Desk) -> Incident:
    incident = desk.report("r1", "02")
    do(desk, incident, ("acknowledge", "water-bureau"), ("done", "water-bureau"))
    desk.now_ms += HOUR_MS
    assert desk.update(incident, "check", "checker", result="pass") is None
    return incident


def test_where_the_policy_wants_the_reporters_asked_a_passed_check_waits_for_them():
    desk = Desk(CALLED_BACK)
    incident = checked(desk)
    assert (incident.state, incident.checked_ms) == ("checking", desk.now_ms)
    assert "waits for the callbacks" in (desk.update(incident, "check", "checker", result="pass") or "")
    assert desk.update(incident, "callback", "callback", answered=False) is None
    assert incident.state == "checking"
    assert desk.update(incident, "callback", "callback", answered=True, resolved=True, satisfied=True) is None
    assert incident.state == "closed"
    (called,) = desk.public(incident)["callbacks"]
    assert (called["attempts"], called["answered"], called["satisfied"]) == (2, True, True)


def test_whoever_does_not_answer_three_times_is_not_waited_for():
    desk = Desk(CALLED_BACK)
    incident = checked(desk)
    for n in range(3):
        assert incident.state == "checking", n
        assert desk.update(incident, "callback", "callback", answered=False) is None
    assert incident.state == "closed"
    assert "was called 3 times" in (desk.update(incident, "callback", "callback", answered=True) or "")


def test_every_reporter_is_asked():
    desk = Desk(CALLED_BACK)
    parent, child = desk.report("r1", "02"), desk.report("r2", "02", location={"lon": 114.025, "lat": 30.01})
    assert desk.update(child, "merge", "dispatcher", into=parent.incident_id) is None
    do(desk, parent, ("acknowledge", "water-bureau"), ("done", "water-bureau"))
    assert desk.update(parent, "check", "checker", result="pass") is None
    assert desk.update(parent, "callback", "callback", answered=True, satisfied=True, **R2) is None
    assert parent.state == "checking"
    assert desk.update(parent, "callback", "callback", answered=True, satisfied=True, **R1) is None
    assert parent.state == "closed"
    assert "has answered already" in (desk.update(parent, "callback", "callback", answered=True, **R2) or "")


def test_a_device_is_not_called():
    desk = Desk(CALLED_BACK)
    incident = desk.report("r1", "02", "ai_video", confidence=0.99)
    do(desk, incident, ("acknowledge", "water-bureau"), ("done", "water-bureau"))
    assert desk.update(incident, "check", "checker", result="pass") is None
    assert incident.state == "closed"


@pytest.mark.parametrize("unhappy", [{"resolved": False}, {"satisfied": False}])
def test_unhappy_before_the_close_is_rework(unhappy: dict[str, bool]):
    desk = Desk(CALLED_BACK)
    incident = checked(desk)
    assert desk.update(incident, "callback", "callback", answered=True, **unhappy) is None
    assert (incident.state, incident.lead.state, incident.counts.rework) == ("handling", "acknowledged", 1)
    assert incident.checked_ms is None
    target = desk.targets(incident, "resolve")["water-bureau"]
    assert (target["since"], target.get("consumed_ms", 0)) == (shown(START_MS + HOUR_MS), 0)  # the check is not charged


def test_unhappy_after_the_close_is_a_wish_to_reopen():
    desk = Desk()
    incident = checked(desk)
    assert incident.state == "closed"
    assert desk.update(incident, "callback", "callback", answered=True, satisfied=False) is None
    assert (incident.state, incident.ended_as, incident.drop_ms) == ("reopen_requested", "closed", None)
    assert "reopen_requested" in [n["template"] for n in desk.out("notices")]


def test_reopened_it_runs_on_a_new_clock_or_the_old_one_as_the_policy_says():
    desk = Desk()
    incident = checked(desk)  # `works` resets
    assert desk.update(incident, "reopen_request", "reporter") is None
    desk.now_ms += HOUR_MS
    assert desk.update(incident, "reopen", "dispatcher") is None
    assert (incident.state, incident.lead.state, incident.counts.reopened) == ("handling", "acknowledged", 1)
    running = [t for t in incident.targets if t.name == "resolve" and t.active]
    assert [(t.since_ms, t.consumed_ms) for t in running] == [(START_MS + 2 * HOUR_MS, 0)]
    assert [n["to"] for n in desk.out("notices") if n["template"] == "reopened"] == ["report:hotline/r1"]
    resumes = ("clock: reset", "clock: resume")
    desk = Desk(resumes)
    incident = desk.report("r1", "02")
    desk.now_ms += HOUR_MS
    do(desk, incident, ("acknowledge", "water-bureau"), ("done", "water-bureau"))
    assert desk.update(incident, "check", "checker", result="pass") is None
    assert desk.update(incident, "reopen_request", "street") is None
    assert desk.update(incident, "reopen", "supervisor") is None
    (target,) = [t for t in incident.targets if t.name == "resolve"]
    assert (target.consumed_ms, target.since_ms, target.fulfilled_ms) == (HOUR_MS, desk.now_ms, None)
    do(desk, incident, ("done", "water-bureau"))
    assert desk.update(incident, "check", "checker", result="pass") is None
    assert incident.state == "closed"
    assert len([1 for topic, *_ in desk.records if topic == "archive"]) == 2


def test_a_wish_that_is_refused_leaves_it_as_it_was():
    desk = Desk()
    incident = checked(desk)
    assert desk.update(incident, "reopen_request", "reporter") is None
    why = desk.update(incident, "refuse_reopen", "dispatcher", reason_code="no")
    assert "is not a reason for refusing to reopen" in (why or "")
    assert desk.update(incident, "refuse_reopen", "dispatcher", reason_code="settled") is None
    assert (incident.state, incident.ended_as) == ("closed", None)
    desk.clock(8 * DAY_MS)
    assert incident.incident_id not in desk.engine.state.incidents
    assert (desk.update(incident, "reopen_request", "reporter") or "").startswith("unknown_incident")


def test_an_answer_that_was_none_is_dispatched_after_all():
    desk = Desk()
    incident = desk.report("r1", "02", tags=["park"])
    assert desk.update(incident, "answer_at_desk", "acceptor", text="call the other number") is None
    assert [n["template"] for n in desk.out("notices")] == ["accepted", "answered"]
    assert desk.update(incident, "reopen_request", "reporter") is None
    assert desk.update(incident, "reopen", "dispatcher") is None
    assert (incident.state, incident.lead is not None) == ("dispatched", True)
