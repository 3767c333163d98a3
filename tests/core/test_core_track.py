"""Tracking as timelines: at this instant this is asked for, and that is what comes out."""

import pytest
from core_city import DAY_MS, HERE, HOUR_MS, MINUTE_MS, START_MS, shown
from core_desk import Desk, do, gas, orders

NEAR = {"lon": HERE["lon"] + 0.002, "lat": HERE["lat"]}  # 193 m
FAR = {"lon": HERE["lon"] + 0.0022, "lat": HERE["lat"]}  # 212 m

# --- the whole way ---


def test_from_report_to_closure():
    desk = Desk()
    incident = gas(desk)
    assert desk.last("routed")["event"] == "entered"
    order = desk.out("dept.gas-company")[0]
    assert (order["event"], order["role"]) == ("offer", "lead")
    assert order["may"] == ["acknowledge", "delegate", "note", "contact", "return", "request"]
    assert order["due"] == {"acknowledge": shown(START_MS + 2 * MINUTE_MS), "resolve": shown(START_MS + 4 * HOUR_MS)}
    assert [other["party"] for other in order["others"]] == ["gas-company", "fire-brigade", "traffic-police"]
    assert order["why"] == "gas plan §3.1"
    assert desk.out("dept.fire-brigade")[0]["task"] == "rescue"
    assert desk.out("dept.traffic-police")[0]["task"] == 'close the "road"'

    desk.now_ms += MINUTE_MS
    do(desk, incident, ("acknowledge", "gas-company"), ("acknowledge", "fire-brigade"))
    assert incident.state == "handling"
    desk.now_ms += 10 * MINUTE_MS
    assert desk.update(incident, "arrive", "fire-brigade", position=NEAR) is None
    assert desk.targets(incident, "attend")["fire-brigade"]["fulfilled_at"] == shown(START_MS + 11 * MINUTE_MS)
    desk.now_ms = START_MS + HOUR_MS
    do(desk, incident, ("done", "gas-company"))
    assert incident.state == "handling"  # a required support is still at it
    desk.now_ms += HOUR_MS
    do(desk, incident, ("done", "fire-brigade"))
    assert incident.state == "checking"
    check = desk.targets(incident, "check")["centre"]
    assert check["due_at"] == shown(desk.now_ms + DAY_MS)
    desk.now_ms += HOUR_MS
    assert desk.update(incident, "check", "checker", result="pass") is None

    public = desk.public(incident)
    assert (public["state"], public["stage"], public["responsible"]) == ("closed", "结案", None)
    assert public["closed_at"] == shown(START_MS + 3 * HOUR_MS)
    resolve = desk.targets(incident, "resolve")
    assert resolve["gas-company"]["fulfilled_at"] == shown(START_MS + HOUR_MS)  # the check's own time is not charged
    assert resolve["gas-company"]["consumed_ms"] == HOUR_MS
    assert resolve["fire-brigade"]["fulfilled_at"] == shown(START_MS + 2 * HOUR_MS)
    assert not [t for t in public["targets"] if t["name"] == "resolve" and t["of"] == "traffic-police"]
    assert all("fulfilled_at" in target or "revoked_at" in target for target in public["targets"])
    assert orders(desk, "gas-company")[-1] == ("close", "approved")
    assert orders(desk, "traffic-police")[-1] == ("withdraw", "withdrawn")  # it never answered
    assert desk.last("routed")["event"] == "left"
    assert [record["state"] for record in desk.out("archive")] == ["closed"]
    assert desk.out("events", incident.incident_id)[0]["changes"][2]["decision"]["lead"]["department"] == "gas-company"


def test_the_revision_rises_by_one_with_every_change_and_events_tell_each():
    desk = Desk()
    incident = gas(desk)
    do(desk, incident, ("acknowledge", "gas-company"), ("arrive", "gas-company"), ("done", "gas-company"))
    desk.clock(DAY_MS)
    revisions = [event["revision"] for event in desk.out("events", incident.incident_id)]
    assert revisions == list(range(1, incident.revision + 1))
    times = [event["at"] for event in desk.out("events", incident.incident_id)]
    assert times == sorted(times)


def test_lead_only_does_not_wait_for_required_supports():
    desk = Desk()
    incident = desk.report(category="05", location={"asset": "lamp-1"})
    do(desk, incident, ("acknowledge", "water-bureau"))
    why = desk.update(incident, "done", "water-bureau")
    assert why == "not_allowed: done needs evidence: photo"
    assert desk.update(incident, "done", "water-bureau", media=["https://x/1.jpg"]) is None
    assert incident.state == "checking"


def test_targets_that_are_the_leads_alone_are_opened_for_it_alone():
    desk = Desk()
    incident = desk.report(category="05", location={"asset": "lamp-1"})
    assert {t.of for t in incident.targets if t.name in {"attend", "contact"}} == {"water-bureau"}
    assert {t.of for t in incident.targets if t.name == "resolve"} == {"water-bureau", "fire-brigade"}


# --- arriving ---


ARRIVALS = [
    (NEAR, True),
    (FAR, False),
    (None, False),
    ({"lon": 114.005}, False),
    ({"cell": "530001001"}, False),
    ({"lon": 1e308, "lat": -1e308}, False),
]


@pytest.mark.parametrize(("position", "there"), ARRIVALS)
def test_an_arrival_counts_within_the_radius(position: dict[str, float] | None, there: bool):
    desk = Desk()
    incident = gas(desk)
    do(desk, incident, ("acknowledge", "fire-brigade"))
    assert desk.update(incident, "arrive", "fire-brigade", position=position) is None
    attend = desk.targets(incident, "attend")["fire-brigade"]
    assert ("fulfilled_at" in attend) == there
    assert (("arrival_unconfirmed", "") in desk.events(incident)) == (not there)
    assert incident.support[0].state == "arrived"


def test_an_arrival_is_measured_in_the_datum_it_was_sent_in():
    """GCJ-02 lies some 500 m off here, BD-09 a kilometre: unconverted, nobody would ever be there."""
    from geo import gcj02_to_bd09, wgs84_to_gcj02

    lon, lat = wgs84_to_gcj02([HERE["lon"]], [HERE["lat"]])
    for crs, (x, y) in (("gcj02", (lon, lat)), ("bd09", gcj02_to_bd09(lon, lat))):
        desk = Desk()
        incident = gas(desk)
        do(desk, incident, ("acknowledge", "fire-brigade"))
        position = {"lon": float(x[0]), "lat": float(y[0]), "crs": crs}
        assert desk.update(incident, "arrive", "fire-brigade", position=position) is None
        assert "fulfilled_at" in desk.targets(incident, "attend")["fire-brigade"], crs


def test_the_street_confirms_an_arrival():
    desk = Desk()
    incident = gas(desk)
    do(desk, incident, ("acknowledge", "fire-brigade"), ("arrive", "fire-brigade"), ("acknowledge", "gas-company"))
    assert desk.update(incident, "confirm_arrival", "street", department="fire-brigade") is None
    assert "fulfilled_at" in desk.targets(incident, "attend")["fire-brigade"]
    assert desk.update(incident, "confirm_arrival", "street", department="gas-company") is None  # which sent no word
    assert incident.lead is not None
    assert (incident.lead.state, incident.lead.arrived_ms) == ("arrived", desk.now_ms)
    assert desk.update(incident, "confirm_arrival", "street", department="water-bureau") == (
        "not_allowed: water-bureau has no part in the incident"
    )


def test_where_no_position_is_known_nobody_is_near():
    desk = Desk()
    incident = desk.report(location=None)
    do(desk, incident, ("acknowledge", "fire-brigade"))
    assert desk.update(incident, "arrive", "fire-brigade", position=NEAR) is None
    assert "fulfilled_at" not in desk.targets(incident, "attend")["fire-brigade"]


def test_who_is_done_need_not_arrive():
    desk = Desk()
    incident = gas(desk)
    do(desk, incident, ("acknowledge", "fire-brigade"), ("done", "fire-brigade"))
    assert "revoked_at" in desk.targets(incident, "attend")["fire-brigade"]
