"""Urging, written supervision with its reply and clearing, milestones of key projects."""

from core_city import DAY_MS, HOUR_MS, START_MS, shown
from core_desk import Desk, do, gas, orders

DUE = "2026-03-02T12:00:00+08:00"
SUPERVISE = {"text": "settle it, call 13800138000", "until": DUE}


def test_urging_reminds_whoever_is_still_at_it():
    desk = Desk()
    incident = gas(desk)
    do(desk, incident, ("acknowledge", "gas-company"), ("done", "gas-company"))
    assert desk.update(incident, "urge", "street") is None
    assert [n["to"] for n in desk.out("notices") if n["template"] == "urge"] == ["fire-brigade", "traffic-police"]
    assert orders(desk, "fire-brigade")[-1][0] == "urge"
    assert desk.update(incident, "urge", "dispatcher", department="fire-brigade") is None
    assert incident.counts.urged == 2
    assert "gas-company is at work" in (desk.update(incident, "urge", "street", department="gas-company") or "")


def test_a_supervision_is_instructed_replied_to_and_cleared():
    desk = Desk()
    incident = gas(desk)
    assert desk.update(incident, "supervise", "supervisor", **SUPERVISE) is None
    order = desk.last("dept.gas-company")
    assert (order["event"], order["instruction"]) == ("supervise", "settle it, call ***")
    assert {"reply", "milestone"} <= set(order["may"])
    assert "13800138000" not in str(desk.out("events")) + str(desk.public(incident))
    assert desk.update(incident, "clear", "supervisor", number=1) == "not_allowed: supervision 1 has no reply yet"
    said = {"number": 1, "text": "people are on site"}
    assert "is for gas-company to reply to" in (desk.update(incident, "reply", "fire-brigade", **said) or "")
    assert desk.update(incident, "reply", "gas-company", **said) is None
    assert desk.update(incident, "clear", "supervisor", number=1) is None
    assert "supervision 1 is cleared" in (desk.update(incident, "reply", "gas-company", **said) or "")
    (supervision,) = desk.public(incident)["supervision"]
    assert (supervision["by"], supervision["party"], supervision["opened_at"]) == (
        "supervisor", "gas-company", shown(START_MS),
    )  # fmt: skip
    assert supervision["replied_at"] == supervision["cleared_at"]


def test_a_street_supervises_by_its_cell_and_clears_what_it_has_opened():
    desk = Desk()
    incident = gas(desk)
    street = {"role": "street", "unit": "530001"}
    assert desk.update(incident, "supervise", "street", actor=street, **SUPERVISE) is None
    assert incident.supervision[0].by == "cell:530001"
    assert desk.update(incident, "reply", "gas-company", number=1, text="yes") is None
    assert desk.out("notices")[-1]["to"] == "cell:530001"
    other = {"role": "street", "unit": "530002"}
    assert "is cell:530001's to clear" in (desk.update(incident, "clear", "street", actor=other, number=1) or "")
    assert desk.update(incident, "clear", "street", actor=street, number=1) is None


def test_a_reply_that_does_not_come_is_told_once_to_both_sides():
    desk = Desk()
    incident = gas(desk)
    assert desk.update(incident, "supervise", "shift_lead", **SUPERVISE) is None
    desk.clock(HOUR_MS * 3)
    before = len(desk.out("notices"))
    desk.clock(1)
    late = desk.out("notices")[before:]
    assert [(n["to"], n["template"]) for n in late] == [
        ("gas-company", "supervision_overdue"), ("centre", "supervision_overdue"),
    ]  # fmt: skip
    assert (incident.supervision[0].overdue, desk.reborn().next_due_ms) == (True, desk.engine.next_due_ms)
    desk.clock(DAY_MS)
    assert sum(n["template"] == "supervision_overdue" for n in desk.out("notices")) == 2


def test_the_milestones_of_a_project_are_followed_one_by_one():
    desk = Desk()
    incident = gas(desk)
    milestones = [
        {"name": "dug", "due": "2026-03-03T09:00:00+08:00"},
        {"name": "laid", "due": "2026-03-04T09:00:00+08:00"},
    ]
    fields = {"text": "书记领办", "until": "2026-03-09T09:00:00+08:00", "milestones": milestones}
    assert desk.update(incident, "supervise", "supervisor", department="fire-brigade", **fields) is None
    assert "is fire-brigade's" in (desk.update(incident, "milestone", "gas-company", number=1, name="dug") or "")
    assert desk.update(incident, "milestone", "fire-brigade", number=1, name="dug") is None
    assert "has reached it already" in (desk.update(incident, "milestone", "supervisor", number=1, name="dug") or "")
    assert "has no such milestone" in (desk.update(incident, "milestone", "supervisor", number=1, name="x") or "")
    desk.clock(3 * DAY_MS)
    dug, laid = incident.supervision[0].milestones
    assert (dug.reached_at, dug.overdue, laid.reached_at, laid.overdue) == (shown(START_MS), False, None, True)


def test_what_cannot_be_supervised():
    desk = Desk()
    incident = gas(desk)
    past = {"text": "x", "until": "2026-03-01T09:00:00+08:00"}
    assert "a time in the past" in (desk.update(incident, "supervise", "supervisor", **past) or "")
    twice = [{"name": "dug", "due": DUE}] * 2
    why = desk.update(incident, "supervise", "supervisor", text="x", milestones=twice)
    assert "two milestones have one name" in (why or "")
    for n in range(32):
        assert desk.update(incident, "supervise", "supervisor", text=f"{n}") is None
    assert "at most 32 supervisions" in (desk.update(incident, "supervise", "supervisor", text="x") or "")
    assert incident.supervision[-1].reply_due == shown(START_MS + DAY_MS)  # a day, unless somebody says otherwise
