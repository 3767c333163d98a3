"""Updates as records: repeated, stale, late, and by whom."""

from core_city import HOUR_MS, MINUTE_MS, START_MS, shown
from core_desk import Desk, do, gas

from dispatcher.core import Actor, Incident, Update
from dispatcher.core.messages import ReportRef
from dispatcher.core.wire import incident_json
from dispatcher.core.work import Source, UpdateWork

# --- ids, revisions, lag ---


def test_a_stale_revision_is_refused_and_the_right_one_is_not():
    desk = Desk()
    incident = gas(desk)
    assert desk.update(incident, "acknowledge", "gas-company", revision=0) == (
        "stale: the incident is at revision 1, not 0"
    )
    assert desk.update(incident, "acknowledge", "gas-company", revision=1) is None
    assert incident.revision == 2


def test_a_repeated_update_is_taken_once_and_a_changed_one_refused():
    desk = Desk()
    incident = gas(desk)
    assert desk.update(incident, "acknowledge", "gas-company", update_id="same") is None
    before, records = incident_json(incident), len(desk.records)
    assert desk.update(incident, "acknowledge", "gas-company", update_id="same") is None
    assert desk.engine.state.tally["updates_repeated"] == 1
    assert len(desk.records) == records
    assert desk.update(incident, "done", "gas-company", update_id="same") == (
        "conflict: same was taken with other content"
    )
    assert desk.update(incident, "acknowledge", "fire-brigade", update_id="same") is not None  # another's word
    assert incident_json(incident) == before
    other = desk.report("r2", "02")
    assert desk.update(other, "acknowledge", "water-bureau", update_id="same") is None  # unique within its incident


def test_a_refused_update_may_be_sent_again():
    desk = Desk()
    incident = gas(desk)
    assert desk.update(incident, "done", "gas-company", update_id="u") is not None
    do(desk, incident, ("acknowledge", "gas-company"))
    assert desk.update(incident, "done", "gas-company", update_id="u") is None


def test_an_incident_is_named_by_one_of_its_reports_too():
    desk = Desk()
    incident = desk.report("r1", "02")
    named = {"source": "hotline", "report_id": "r1"}
    fields = {"incident_id": None, "report": named}
    assert desk.update(incident, "acknowledge", "water-bureau", **fields) is None
    assert incident.state == "handling"
    named["report_id"] = "r9"
    assert desk.update(incident, "done", "water-bureau", **fields) == (
        "unknown_incident: no incident with the report hotline/r9 in this partition"
    )


def lagging(desk: Desk, incident: Incident, action: str, department: str, appended_ms: int) -> None:
    """An update that was appended at its source earlier than the engine gets to see it."""
    desk.seq += 1
    desk.updates += 1
    update = Update(f"l{desk.updates}", action, None, report=ReportRef("hotline", "r1"))  # type: ignore[arg-type]
    origin = Source(f"updates.{department}", 0, desk.updates, appended_ms)
    work = UpdateWork(desk.seq, desk.now_ms, origin, update, Actor("department", department), desk.updates, 0)
    outcome = desk.engine.process([work])
    desk.records += outcome.records
    desk.compacted.update(outcome.compacted)


def test_lag_is_never_a_departments_fault():
    desk = Desk()
    incident = desk.report()
    desk.clock(5 * MINUTE_MS)
    assert "breached_at" in desk.targets(incident, "acknowledge")["gas-company"]
    lagging(
        desk, incident, "acknowledge", "gas-company", START_MS + 2 * MINUTE_MS
    )  # at the last instant, at its source
    target = desk.targets(incident, "acknowledge")["gas-company"]
    assert "breached_at" not in target
    assert target["fulfilled_at"] == shown(START_MS + 2 * MINUTE_MS)
    assert ("acknowledge withdraw_breach", "gas-company") in desk.events(incident)
    lagging(desk, incident, "acknowledge", "fire-brigade", START_MS + 2 * MINUTE_MS + 1)  # a millisecond too late
    assert "breached_at" in desk.targets(incident, "acknowledge")["fire-brigade"]
    desk.clock(5 * HOUR_MS)
    assert "breached_at" in desk.targets(incident, "resolve")["gas-company"]
    lagging(desk, incident, "done", "gas-company", START_MS + 4 * HOUR_MS)
    resolve = desk.targets(incident, "resolve")["gas-company"]
    assert "breached_at" not in resolve
    assert (resolve["consumed_ms"], resolve["paused_by"]) == (4 * HOUR_MS, "done")


def test_nothing_is_judged_before_the_order_was_sent():
    desk = Desk()
    incident = desk.report("r1")
    desk.now_ms += 1
    lagging(desk, incident, "acknowledge", "gas-company", START_MS - HOUR_MS)
    assert incident.lead is not None
    assert incident.lead.acknowledged_ms == incident.lead.offered_ms


# --- what an actor may not smuggle in ---


def test_only_our_own_drivers_flag_an_incident():
    desk = Desk()
    incident = gas(desk)
    assert desk.update(incident, "note", "officer", text="x", flags=["call 13812345678"]) is None
    assert incident.flags == ("reported_late",)
    assert desk.update(incident, "acknowledge", "system", flags=["clock_skew", "clock_skew"]) is None
    assert incident.flags == ("reported_late", "clock_skew")


def test_the_system_drives_the_lead_when_it_names_nobody():
    desk = Desk()
    incident = desk.report(category="02")
    for action in ("acknowledge", "done", "check"):
        assert desk.update(incident, action, "system", **({"result": "pass"} if action == "check" else {})) is None
    assert incident.state == "closed"
