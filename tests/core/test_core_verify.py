"""Before and beside the work: verifying, filing, voiding, and leaving after the end."""

import pytest
from core_city import DAY_MS, HERE, MINUTE_MS, START_MS, shown
from core_desk import Desk, do, gas, orders

# --- verifying ---


@pytest.mark.parametrize(("source", "fields", "state"), [
    ("satellite", {}, "verifying"), ("ai_video", {"confidence": 0.89}, "verifying"), ("ai_video", {}, "verifying"),
    ("ai_video", {"confidence": 0.9}, "dispatched"), ("hotline", {"confidence": 0.1}, "dispatched"),
])  # fmt: skip
def test_doubtful_sources_are_verified_first(source: str, fields: dict[str, float], state: str):
    location = {**HERE, "crs": "wgs84"}
    assert Desk().report(category="02", source=source, location=location, **fields).state == state


def test_verified_as_there_it_is_dispatched_and_its_clocks_start_then():
    desk = Desk()
    incident = desk.report(category="02", source="satellite")
    assert incident.lead is None
    assert not incident.targets
    assert not desk.out("dept.water-bureau")
    desk.now_ms += 10 * MINUTE_MS
    assert desk.update(incident, "verify", "officer", result="exists") is None
    assert incident.state == "dispatched"
    assert desk.targets(incident, "acknowledge")["water-bureau"]["since"] == shown(desk.now_ms)
    desk.clock(30 * MINUTE_MS)
    assert "verify_overdue" not in incident.tags
    assert desk.update(incident, "verify", "officer", result="exists") == "not_allowed: there is nothing to verify"


def test_verified_as_not_there_it_ends():
    desk = Desk()
    incident = desk.report(category="02", source="satellite")
    assert desk.update(incident, "verify", "officer", result="not_exists") is None
    assert (incident.state, incident.verify_ms) == ("not_accepted", None)
    assert desk.last("archive")["state"] == "not_accepted"
    assert desk.last("routed")["event"] == "left"
    assert desk.update(incident, "verify", "officer", result="exists") is not None


def test_what_nobody_could_verify_waits_for_the_centre():
    desk = Desk()
    incident = desk.report(category="02", source="satellite")
    assert desk.update(incident, "verify", "officer", result="unable") is None
    assert (incident.state, "unverified" in incident.tags) == ("verifying", True)
    assert desk.update(incident, "verify", "officer", result="pass") is not None
    assert desk.update(incident, "file", "acceptor") is None
    assert incident.state == "dispatched"


def test_an_overdue_verification_alarms_and_drops_nothing():
    desk = Desk()
    incident = desk.report(category="02", source="satellite")
    desk.clock(30 * MINUTE_MS)
    assert "verify_overdue" not in incident.tags  # due at that instant, and not before
    desk.clock(1)
    assert "verify_overdue" in incident.tags
    assert incident.state == "verifying"
    routed = desk.last("routed")
    assert (routed["event"], routed["at"]) == ("urgency", shown(START_MS + 30 * MINUTE_MS))
    assert desk.update(incident, "verify", "officer", result="exists") is None


def test_life_safety_is_dispatched_at_once_and_verified_beside_it():
    desk = Desk()
    one, two, three = (
        desk.report(f"r{n}", source="satellite", location={"lon": 114.001 + n / 200, "lat": 30.001}) for n in range(3)
    )
    assert {incident.state for incident in (one, two, three)} == {"dispatched"}
    assert one.verify_ms == START_MS + 20 * MINUTE_MS  # the SLA's own
    assert desk.update(one, "verify", "officer", result="exists") is None
    assert (one.state, one.verify_ms) == ("dispatched", None)
    assert desk.update(two, "verify", "officer", result="not_exists") is None
    assert (two.state, "not_found" in two.tags) == ("dispatched", True)  # the centre voids it, or not
    assert desk.last("routed")["event"] == "urgency"
    desk.clock(20 * MINUTE_MS + 1)
    assert "verify_overdue" in three.tags
    assert "verify_overdue" not in one.tags


# --- filing ---


def test_filing_sets_category_standard_and_severity_and_decides_on_them():
    desk = Desk()
    incident = desk.report(category="what is this", source="hotline", tags=["park"])
    assert (incident.state, incident.category) == ("received", None)
    assert {"uncategorised"} <= set(incident.tags)
    assert desk.update(incident, "file", "acceptor", category="no such") == (
        "unknown_category: no category no such in this policy"
    )
    assert desk.update(incident, "file", "acceptor", category="04", standard="z") == (
        "not_allowed: category 04 has no filing standard z"
    )
    assert desk.update(incident, "file", "acceptor", standard="a") is not None
    assert desk.update(incident, "file", "acceptor", category="gas leak", standard="b", severity=1) is None
    assert (incident.category, incident.standard, incident.severity) == ("03.02", "b", 1)
    assert incident.reported_category == "what is this"
    routed = desk.last("routed")
    assert routed["category"]["code"] == "03.02"
    assert routed["standard"] == {"code": "b", "zh": "标识破损", "en": "", "close": "修复"}


def test_filing_moves_an_incident_to_where_its_new_category_is_looked_for():
    """Filed as something else, it must be found among its new kind, and never again among the old one."""
    desk = Desk()
    filed = desk.report("r1", "01", tags=["park"])
    assert desk.update(filed, "file", "acceptor", category="02") is None
    fresh = desk.report("r2", "01")
    assert fresh is not filed
    assert desk.report("r3", "02").suggested == (filed.incident_id,)
    assert desk.update(filed, "void", "supervisor", reason_code="test") is None
    assert desk.report("r4", "01") is fresh  # an ended incident takes no more reports
    assert filed.report_count == 1
    unknown = desk.report("r5", "no idea", tags=["park"])
    assert desk.update(unknown, "file", "acceptor", category="01.02") is None
    assert desk.report("r6", "01.02") is unknown


# --- void ---


def test_voiding_withdraws_every_order_and_leaves_nothing_owed():
    desk = Desk()
    incident = gas(desk)
    do(desk, incident, ("acknowledge", "gas-company"))
    assert desk.update(incident, "void", "supervisor", reason_code="bored") == (
        "not_allowed: bored is not a reason for voiding in this policy"
    )
    assert desk.update(incident, "void", "supervisor", reason_code="test") is None
    assert {a.state for a in incident.assignments()} == {"withdrawn"}
    for department in ("gas-company", "fire-brigade", "traffic-police"):
        assert orders(desk, department)[-1] == ("withdraw", "withdrawn")
    assert not [t for t in incident.targets if t.active]
    desk.clock(DAY_MS)
    assert not [t for t in incident.targets if t.breached_ms is not None]


def test_an_ended_incident_leaves_after_its_reopen_window():
    desk = Desk()
    short, plain = gas(desk), desk.report("r2", "02", text="see")
    for incident in (short, plain):
        assert desk.update(incident, "void", "supervisor", reason_code="test") is None
    assert short.drop_ms == START_MS + 2 * DAY_MS  # its SLA's window
    assert plain.drop_ms == START_MS + 7 * DAY_MS
    desk.clock(2 * DAY_MS + 1)
    assert desk.compacted["incidents", short.incident_id] is None
    assert desk.compacted["incidents", plain.incident_id] is not None
    assert desk.update(short, "note", "officer", text="late").startswith("unknown_incident: ")  # type: ignore[union-attr]
    assert desk.compacted["state", f"brief/{plain.incident_id}"] is not None
    desk.clock(5 * DAY_MS)
    assert desk.compacted["state", f"brief/{plain.incident_id}"] is None
    assert desk.engine.state.incidents == {}
    assert [record["incident_id"] for record in desk.out("archive")] == [short.incident_id, plain.incident_id]
