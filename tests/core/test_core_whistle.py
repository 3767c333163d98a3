"""吹哨: a street compels departments to come, confirms them, ends the whistle, rates."""

from core_city import DAY_MS, HOUR_MS, MINUTE_MS, START_MS, shown
from core_desk import Desk, do, gas

STREET = {"role": "street", "unit": "530001"}
WHISTLE = {"kind": "joint", "departments": ["fire-brigade", "street-office@township"], "actor": STREET}


def test_a_whistle_on_an_open_incident_makes_required_supports_that_must_attend():
    desk = Desk()
    incident = desk.report("r", "02")
    assert desk.update(incident, "whistle", "street", **WHISTLE) is None
    assert [(a.party, a.required, a.by) for a in incident.support] == [
        ("fire-brigade", True, ("whistle",)), ("street-office@530001", True, ("whistle",)),
    ]  # fmt: skip
    attend = desk.targets(incident, "attend")
    assert {of: target["due_at"] for of, target in attend.items()} == {
        "fire-brigade": shown(START_MS + HOUR_MS), "street-office@530001": shown(START_MS + HOUR_MS),
    }  # fmt: skip
    assert set(desk.targets(incident, "resolve")) == {"water-bureau", "fire-brigade", "street-office@530001"}
    call = desk.public(incident)["whistle"]
    assert (call["kind"], call["unit"], call["departments"]) == ("joint", "530001", list(WHISTLE["departments"]))
    assert incident.facts.whistle == "joint"


def test_the_street_confirms_who_came_and_ends_the_whistle():
    desk = Desk()
    incident = desk.report("r", "02")
    assert desk.update(incident, "whistle", "street", **WHISTLE) is None
    do(desk, incident, ("acknowledge", "fire-brigade"), ("acknowledge", "street-office@530001"))
    desk.now_ms += 20 * MINUTE_MS
    confirm = {"actor": STREET, "department": "fire-brigade"}
    assert desk.update(incident, "confirm_arrival", "street", **confirm) is None
    assert desk.targets(incident, "attend")["fire-brigade"]["fulfilled_at"] == shown(desk.now_ms)
    desk.clock(DAY_MS)
    assert desk.targets(incident, "attend")["street-office@530001"]["breached_at"] == shown(START_MS + HOUR_MS)
    other = {"role": "street", "unit": "530002"}
    assert "the whistle is 530001's to end" in (desk.update(incident, "end_whistle", "street", actor=other) or "")
    assert "sounding already" in (desk.update(incident, "whistle", "street", **WHISTLE) or "")
    assert desk.update(incident, "end_whistle", "street", actor=STREET) is None
    assert "no whistle is sounding" in (desk.update(incident, "end_whistle", "street", actor=STREET) or "")
    ended = desk.last("events")["changes"][-1]
    assert (ended["event"], ended["came"]) == ("whistle_ended", ["fire-brigade"])
    score = {"actor": STREET, "department": "fire-brigade", "score": 5}
    assert desk.update(incident, "rate", "street", **score) is None
    assert desk.public(incident)["support"][0]["score"] == 5


def test_a_support_that_might_help_must_come_once_it_is_named():
    desk = Desk()
    incident = gas(desk)
    police = incident.assignment_of("traffic-police")
    fields = {"kind": "joint", "departments": ["traffic-police", "gas-company"]}
    assert desk.update(incident, "whistle", "street", **fields) is None
    assert police.required
    assert "traffic-police" in desk.targets(incident, "resolve")
    assert {"traffic-police", "gas-company", "fire-brigade"} == set(desk.targets(incident, "attend"))
    assert desk.last("dept.traffic-police")["event"] == "remind"
    do(desk, incident, ("acknowledge", "gas-company"), ("done", "gas-company"))
    do(desk, incident, ("acknowledge", "fire-brigade"), ("done", "fire-brigade"))
    assert incident.state == "handling"  # not without the police


def test_a_report_may_be_the_whistle():
    desk = Desk()
    whistle = {"unit": "530001", "kind": "joint", "departments": ["gas-company", "nobody"]}
    incident = desk.report("r", "02", whistle=whistle)
    assert [(a.party, a.required) for a in incident.support] == [("gas-company", True)]
    assert ("whistle_unknown", "") in desk.events(incident)
    assert "nobody" not in {n["to"] for n in desk.out("notices")}


def test_one_more_report_of_an_incident_may_be_the_whistle_too():
    desk = Desk()
    first = desk.report("r1", "01")
    whistle = {"unit": "530001", "kind": "emergency", "departments": ["fire-brigade"]}
    assert desk.report("r2", "01", whistle=whistle) is first
    assert [(a.party, a.required) for a in first.support] == [("fire-brigade", True)]
    assert (first.whistle.kind, first.facts.whistle) == ("emergency", "emergency")
    assert desk.report("r3", "01", whistle={**whistle, "departments": ["gas-company"]}) is first
    assert len([a for a in first.support if a.by == ("whistle",)]) == 1  # one sounds already


def test_what_is_no_whistle():
    desk = Desk()
    incident = desk.report("r", "02")
    assert "horn is not a kind of whistle" in (desk.update(incident, "whistle", "street", kind="horn") or "")
    why = desk.update(incident, "whistle", "street", kind="joint", departments=["nobody"])
    assert "no department nobody" in (why or "")
    assert (incident.whistle, incident.support) == (None, ())


def test_closing_ends_a_whistle():
    desk = Desk()
    incident = desk.report("r", "02")
    assert desk.update(incident, "whistle", "street", kind="joint") is None
    do(desk, incident, ("acknowledge", "water-bureau"), ("done", "water-bureau"))
    assert desk.update(incident, "check", "checker", result="pass") is None
    assert incident.whistle.ended_at == shown(START_MS)
