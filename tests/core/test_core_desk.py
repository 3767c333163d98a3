"""The acceptor's desk: answered, referred, settled by the officer who found it; and whose line is whose."""

from core_city import MINUTE_MS
from core_desk import Desk, do

LI, WU = {"role": "dispatcher", "person": "li"}, {"role": "dispatcher", "person": "wu"}


def test_an_inquiry_is_answered_and_counted_apart():
    desk = Desk()
    incident = desk.report("r", "02")
    assert desk.update(incident, "answer_at_desk", "acceptor", text="office hours are …") is None
    assert (incident.state, incident.closed_ms) == ("answered_at_desk", desk.now_ms)
    assert desk.last("dept.water-bureau")["event"] == "withdraw"


def test_what_a_department_has_taken_is_no_longer_the_desks():
    desk = Desk()
    incident = desk.report("r", "02", tags=["desk"])
    taken = desk.report("t", "02", location={"lon": 114.025, "lat": 30.01})
    do(desk, taken, ("acknowledge", "water-bureau"))
    assert "allowed: " in (desk.update(taken, "answer_at_desk", "acceptor", text="x") or "")
    assert incident.state == "dispatched"


def test_another_bodys_matter_is_referred_with_its_number_there():
    desk = Desk()
    incident = desk.report("r", "02")
    assert "is not a body the policy refers to" in (desk.update(incident, "refer", "acceptor", body="nasa") or "")
    assert desk.update(incident, "refer", "acceptor", body="post-office", external_no="A-7") is None
    assert (incident.state, desk.public(incident)["external"]) == ("referred", "post-office/A-7")


def test_an_officer_settles_alone_what_the_policy_leaves_to_him():
    desk = Desk()
    other = desk.report("o", "01")
    assert "is not one an officer settles alone" in (desk.update(other, "self_handled", "officer", text="x") or "")
    incident = desk.report("r", "02")
    assert desk.update(incident, "self_handled", "officer", text="swept") is None
    assert incident.state == "self_handled"


def test_an_officer_shows_the_evidence_the_category_wants():
    desk = Desk(("severity: 3, self_handled: true", "severity: 3, self_handled: true, evidence: [photo]"))
    incident = desk.report("r", "02")
    assert "needs evidence: photo" in (desk.update(incident, "self_handled", "officer", text="swept") or "")
    media = ["https://x/1.jpg"]
    assert desk.update(incident, "self_handled", "officer", text="swept", media=media) is None


def test_what_anybody_may_read_is_what_a_person_has_reviewed_and_only_of_a_public_category():
    desk = Desk(("severity: 3, self_handled: true", "severity: 3, self_handled: true, public: true"))
    other, incident = desk.report("o", "01"), desk.report("r", "02", text="call me: 13800138000")
    assert "is not one that anybody may see" in (desk.update(other, "review", "acceptor", text="a leak") or "")
    assert "not open to the role" in (desk.update(incident, "review", "officer", text="x") or "")
    assert "text" not in desk.public(incident)
    assert desk.update(incident, "review", "acceptor", text=" A pipe leaks; 13900139000 ") is None
    assert desk.public(incident)["text"] == "A pipe leaks; ***"
    assert desk.last("events")["changes"] == [{"event": "reviewed", "shown": True}]
    assert desk.update(incident, "review", "dispatcher", text="") is None
    assert "text" not in desk.public(incident)
    assert desk.update(incident, "review", "dispatcher", text="A pipe leaks") is None
    assert desk.update(incident, "reclassify", "dispatcher", severity=2) is None
    assert desk.public(incident)["text"] == "A pipe leaks"
    assert desk.update(incident, "reclassify", "dispatcher", category="01") is None
    assert "text" not in desk.public(incident)


def test_a_claimed_line_is_one_operators_until_released_or_for_a_quarter_of_an_hour():
    desk = Desk()
    incident = desk.report("r", "02")
    assert desk.update(incident, "claim", "x", actor=LI) is None
    assert desk.last("routed")["event"] == "claimed"
    for action, fields in (
        ("claim", {}),
        ("release", {}),
        ("assign", {"lead": "gas-company"}),
        ("reclassify", {"severity": 1}),
    ):
        assert "li is working on it" in (desk.update(incident, action, "x", actor=WU, **fields) or "")
    assert desk.update(incident, "release", "x", actor={"role": "shift_lead", "person": "zhao"}) is None
    assert desk.update(incident, "claim", "x", actor=WU) is None
    desk.clock(15 * MINUTE_MS + 1)
    assert (incident.claimed_by, incident.claim_until_ms, desk.last("routed")["event"]) == (None, None, "released")
    assert "nobody has claimed it" in (desk.update(incident, "release", "x", actor=WU) or "")


def test_delegating_and_telling_how_far_it_is_change_no_state():
    desk = Desk()
    incident = desk.report("r", "02")
    assert desk.update(incident, "delegate", "water-bureau", person="team 3") is None
    assert desk.public(incident)["lead"]["person"] == "team 3"
    assert "needs unit or person" in (desk.update(incident, "delegate", "water-bureau") or "")
    do(desk, incident, ("acknowledge", "water-bureau"))
    assert desk.update(incident, "progress", "water-bureau", text="half way, 13800138000") is None
    assert "half way" not in str(desk.out("events"))
    assert incident.state == "handling"


def test_a_resident_who_was_reached_ends_the_contact_target():
    desk = Desk()
    incident = desk.report("r", "05")
    assert desk.update(incident, "contact", "water-bureau", reached=False) is None
    assert "fulfilled_at" not in desk.targets(incident, "contact")["water-bureau"]
    assert desk.update(incident, "contact", "callback", reached=True) is None
    assert "fulfilled_at" in desk.targets(incident, "contact")["water-bureau"]


def test_an_order_nobody_has_taken_is_recalled():
    desk = Desk()
    incident = desk.report("r", "03.02")
    assert desk.update(incident, "recall", "dispatcher", department="traffic-police") is None
    assert incident.assignment_of("traffic-police") is None
    due = desk.targets(incident, "resolve")["gas-company"]["due_at"]
    assert desk.update(incident, "recall", "dispatcher", department="gas-company") is None
    assert (incident.state, desk.targets(incident, "resolve")["centre"]["due_at"]) == ("returned", due)
    again = Desk()
    back = again.report("r", "03.02")
    assert again.update(back, "recall", "dispatcher", department="gas-company") is None
    assert again.update(back, "assign", "dispatcher", lead="gas-company") is None  # it may have it back
    assert desk.update(incident, "assign", "dispatcher", lead="water-bureau") is None
    assert (incident.state, desk.targets(incident, "resolve")["water-bureau"]["due_at"]) == ("dispatched", due)


def test_whoever_had_it_first_co_ordinates_after_the_third_return():
    desk = Desk()
    incident = desk.report("r", "02")
    for lead in ("gas-company", "traffic-police", "fire-brigade"):
        by = incident.lead.department
        assert desk.update(incident, "return", by, reason_code="not_ours") is None
        assert desk.update(incident, "assign", "dispatcher", lead=lead) is None
    assert (incident.counts.returned, incident.counts.upheld) == (3, 3)
    first = incident.assignment_of("water-bureau")
    assert (first.role, first.by, first.state) == ("support", ("first_recipient",), "offered")
    assert "cannot return it" in (desk.update(incident, "return", "fire-brigade", reason_code="not_ours") or "")
