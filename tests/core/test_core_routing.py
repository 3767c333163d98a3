"""What a report comes to: guards, fallback, strict sources, and policies activated on the way."""

import pytest
from core_city import HERE, START_MS, report, shown, tiny_book
from core_desk import Desk

from dispatcher.core import Engine, EngineFault, PartitionState, Position, Rulebook

# --- guards, strictness and whom it may concern ---


def test_an_exercise_is_put_aside_and_archived_and_sends_nobody():
    desk = Desk()
    incident = desk.report("r1", "03.02", "satellite", tags=["exercise"])
    assert (incident.state, incident.lead, incident.verify_ms) == ("not_accepted", None, None)
    assert [topic for topic, *_ in desk.records if topic not in {"events", "archive"}] == []
    assert desk.public(incident)["decision"]["reason"] == "an exercise"


def test_what_a_guard_parks_waits_for_the_centre_and_is_filed_by_hand():
    desk = Desk()
    incident = desk.report("r1", "02", tags=["park"])
    assert (incident.state, incident.lead) == ("received", None)
    assert desk.last("routed")["event"] == "entered"
    assert desk.update(incident, "file", "dispatcher") is None
    assert incident.state == "dispatched"


def test_what_no_route_takes_or_a_guard_sends_there_goes_to_the_one_fallback():
    desk = Desk()
    for n, (category, tags) in enumerate([("03", []), ("no such", []), ("02", ["desk"])]):
        incident = desk.report(f"r{n}", category, tags=tags, location={"lon": 114.001 + n / 100, "lat": 30.001})
        assert incident.lead is not None
        assert incident.lead.department == "centre-desk"
        assert incident.decided.sla == "triage"
    assert desk.counts["fallback:no_route"] == 1
    assert desk.counts["fallback:uncategorised"] == 1
    assert desk.counts["fallback:guard"] == 1
    assert desk.counts["uncategorised"] == 1


def test_a_report_without_a_place_is_routed_all_the_same():
    desk = Desk()
    for n, location in enumerate([None, {"lon": 0, "lat": 0}, {"cell": "nowhere"}, {"address": "Nowhere 1"}]):
        incident = desk.report(f"r{n}", "02", location=location)
        assert "unlocated" in incident.tags
        assert incident.lead is not None
    nowhere = desk.report("r9", "01", location=None)  # its route's lead is an office of the place
    assert nowhere.lead is not None
    assert nowhere.lead.department == "centre-desk"
    assert desk.engine.state.tally["reports_located"] == 0


STRICT = [
    ("02", {"lon": 0, "lat": 0}, "bad_location", "zero_island"),
    ("02", {"lon": 30.01, "lat": 114.0}, "bad_location", "swapped"),
    ("02", {"lon": 120, "lat": 10}, "bad_location", "far_away"),
    ("02", {"cell": "nowhere"}, "unknown_cell", "unknown_cell"),
    ("02", {"asset": "nothing"}, "bad_location", "unknown_asset"),
    ("no such", HERE, "unknown_category", "no such"),
    ("call 13812345678", HERE, "unknown_category", "***"),
]


@pytest.mark.parametrize(("category", "location", "reason", "detail"), STRICT)
def test_devices_may_ask_for_strictness_people_never_meet_it(category: str, location: object, reason: str, detail: str):
    desk = Desk()
    desk.send("reports", report("r1", category, "ai_video", confidence=1, location=location))
    rejected = desk.last("rejected")
    assert rejected["reason"] == reason
    assert detail in rejected["detail"]
    desk.send("reports", report("r1", category, "hotline", confidence=1, location=location))
    assert desk.engine.state.tally["reports_accepted"] == 1
    assert desk.report("r2", "02", "ai_video", confidence=1, location=None).lead is not None  # none given: none wrong


def test_a_source_the_policy_does_not_know_is_refused():
    desk = Desk()
    desk.send("reports", report("r1", source="13812345678"))
    assert desk.last("rejected")["detail"] == "no source *** in the policy"
    assert desk.last("rejected")["original"].startswith('{"report_id":"r1"')


def test_an_update_for_another_partition_is_not_taken_for_an_unknown_one():
    desk = Desk()
    assert desk.update("20260302-012-00001", "note", "officer", text="x") == (
        "unknown_partition: 20260302-012-00001 is an incident of another partition"
    )
    for odd in ("20260302-000-00001", "20260302-x-1", "nonsense", "a-b-c-d", "2026-²-1"):
        why = desk.update(odd, "note", "officer", text="x")
        assert why is not None
        assert why.startswith("unknown_incident")


# --- commands ---


def other_book() -> Rulebook:
    return tiny_book(("radius_m: 50,", "radius_m: 500,"))


def test_an_activation_is_in_force_from_its_place_on_and_decided_incidents_keep_theirs():
    other = other_book()
    desk = Desk(books=[other])
    old = desk.report("r1", "01")
    desk.activate(other, expects=desk.book.policy.sha256)
    event = desk.last("events")
    assert event == {
        "event": "policy_activated", "at": shown(START_MS), "sha256": other.policy.sha256,
        "before": desk.book.policy.sha256, "command_id": "c", "by": None,
    }  # fmt: skip
    far = {"lon": HERE["lon"] + 0.004, "lat": HERE["lat"]}  # 385 m: near enough from now on
    assert desk.report("r2", "01", location=far) is old
    new = desk.report("r3", "01", location={"lon": 114.03, "lat": 30.005})
    assert (old.decided.policy, new.decided.policy) == (desk.book.policy.sha256, other.policy.sha256)
    desk.engine = desk.reborn()
    assert desk.engine.state.policy_sha == other.policy.sha256
    assert desk.report("r4", "01", location=far).incident_id == old.incident_id


def test_an_activation_that_expects_another_policy_is_stale_and_so_is_a_repeat():
    other = other_book()
    desk = Desk(books=[other])
    first = desk.book.policy.sha256
    desk.activate(other, expects=None)
    assert (desk.last("rejected")["reason"], desk.engine.state.policy_sha) == ("stale", first)
    desk.activate(other, expects=first)
    desk.activate(other, expects=first)
    assert desk.engine.state.tally["commands_accepted"] == 2
    assert len(desk.out("rejected")) == 2


def test_a_policy_that_is_not_stored_stops_the_partition_aloud():
    desk = Desk()
    with pytest.raises(EngineFault, match="not stored"):
        desk.activate(other_book(), expects=desk.book.policy.sha256)


def test_without_any_policy_a_report_is_not_swallowed():
    desk = Desk()
    desk.engine = Engine(PartitionState(0, {}), Position())
    with pytest.raises(EngineFault, match="no policy"):
        desk.send("reports", report("r1"))
