"""Deciding an open incident again: reclassified with its clock, re-routed by a command, modes that come and go."""

from typing import Any

from core_city import DAY_MS, HERE, HOUR_MS, MINUTE_MS, START_MS, local, shown
from core_desk import Desk, do, gas

from dispatcher.core import Incident

STORM = (
    "overlays:\n",
    """overlays:
  - {id: storm, when: {mode: [emergency], category: ["02"]}, severity: {raise_to: 1}, tags: [storm],
     targets: {resolve: 2h}, support: [{dept: fire-brigade, required: true}]}
""",
)
EAST = {"lon": 114.025, "lat": 30.01}


def command(desk: Desk, what: str, **fields: Any) -> str | None:
    """Send a command; gives its refusal, if any."""
    before = len(desk.records)
    desk.send("control", {"command_id": f"c{before}", "command": what, **fields})
    refused = [r for r in desk.out("rejected") if r["topic"] == "control"]
    return refused[-1]["detail"] if any(name == "rejected" for name, *_ in desk.records[before:]) else None


def until(after_ms: int, desk: Desk) -> str:
    return shown(desk.now_ms + after_ms)


# --- reclassify -----------------------------------------------------------------------------------------------------


def test_reclassified_it_goes_to_whom_it_belongs_and_the_clock_runs_from_the_first_start():
    desk = Desk()
    incident = desk.report("r", "02")
    do(desk, incident, ("acknowledge", "water-bureau"))
    desk.now_ms += HOUR_MS
    assert desk.update(incident, "reclassify", "dispatcher", category="GAS LEAK", standard="a") is None
    assert (incident.lead.department, incident.category, incident.standard) == ("gas-company", "03.02", "a")
    assert {a.department for a in incident.support if a.role == "support"} == {"fire-brigade", "traffic-police"}
    target = desk.targets(incident, "resolve")["gas-company"]
    assert (target["budget"], target["due_at"], target["consumed_ms"]) == ("4h", shown(START_MS + 4 * HOUR_MS), HOUR_MS)
    assert incident.decided.sla == "gas-leak"
    cause = [
        c["cause"] for e in desk.out("events", incident.incident_id) for c in e["changes"] if c["event"] == "decision"
    ]
    assert cause == ["report", "reclassify"]


def test_a_budget_that_had_run_out_before_is_breached_as_of_then():
    desk = Desk()
    incident = desk.report("r", "02")
    desk.now_ms += 5 * HOUR_MS  # 14:00: three and a half of five working hours, but five of four hours by the clock
    assert desk.update(incident, "reclassify", "dispatcher", category="03.02") is None
    target = desk.targets(incident, "resolve")["gas-company"]
    assert target["breached_at"] == shown(START_MS + 4 * HOUR_MS)
    assert desk.reborn().next_due_ms == desk.engine.next_due_ms


def test_earlier_pauses_count_on_the_new_clock():
    desk = Desk()
    incident = desk.report("r", "02")
    do(desk, incident, ("acknowledge", "water-bureau"))
    fields = {"kind": "hold", "reason_code": "season", "until": "2026-03-03T09:00:00+08:00"}
    desk.now_ms += HOUR_MS
    assert desk.update(incident, "request", "water-bureau", **fields) is None
    assert desk.update(incident, "approve", "dispatcher", number=1) is None
    desk.now_ms = local("2026-03-03 10:00")
    desk.clock()
    assert desk.update(incident, "reclassify", "acceptor", category="03.02") is None
    target = desk.targets(incident, "resolve")["gas-company"]
    assert target["consumed_ms"] == 2 * HOUR_MS  # 09:00 to 10:00 on Monday, 09:00 to 10:00 on Tuesday
    assert target["due_at"] == shown(local("2026-03-03 12:00"))


def test_a_better_place_changes_who_is_responsible():
    desk = Desk()
    incident = desk.report("r", "01", location=None)
    assert incident.lead.party == "centre-desk"
    assert "unlocated" in incident.tags
    assert desk.update(incident, "reclassify", "dispatcher", location=EAST) is None
    assert (incident.lead.party, incident.place.cell) == ("street-office@530002", "530002001")
    assert "unlocated" not in incident.tags
    assert desk.report("r2", "01", location=EAST) is incident  # found where it is now
    nowhere = desk.update(incident, "reclassify", "dispatcher", location={"cell": "999"})
    assert nowhere == "bad_location: unknown_cell"
    assert "needs category" in (desk.update(incident, "reclassify", "dispatcher") or "")


def test_whom_the_new_decision_does_not_name_is_let_go_unless_at_work_or_named_by_people():
    desk = Desk()
    incident = gas(desk)
    do(desk, incident, ("acknowledge", "fire-brigade"))
    assert desk.update(incident, "assign", "dispatcher", support=["street-office@township"]) is None
    assert desk.update(incident, "reclassify", "dispatcher", category="02") is None
    states = {a.department: str(a.state) for a in incident.support}
    assert states == {
        "fire-brigade": "acknowledged", "traffic-police": "withdrawn", "street-office": "offered",
        "gas-company": "withdrawn",
    }  # fmt: skip


# --- modes ----------------------------------------------------------------------------------------------------------


def test_a_mode_holds_for_new_reports_in_its_cells_until_it_ends_by_itself():
    desk = Desk(STORM)
    assert command(desk, "set_mode", mode="emergency", cells=["530001"], until=until(2 * HOUR_MS, desk)) is None
    inside, outside = desk.report("r1", "02"), desk.report("r2", "02", location=EAST)
    assert [(i.mode, i.severity) for i in (inside, outside)] == [("emergency", 1), ("normal", 3)]
    assert [a.department for a in inside.support] == ["fire-brigade"]
    ends_ms = desk.now_ms + 2 * HOUR_MS
    desk.engine = desk.reborn()
    assert desk.engine.state.modes.at(desk.book.policy.modes, ("530001",)) == "emergency"
    desk.clock(3 * HOUR_MS)
    ended = [e for e in desk.out("events", "control") if e["event"] == "mode_ended"]
    assert [e["at"] for e in ended] == [shown(ends_ms)]
    assert desk.report("r3", "02", location={"lon": 114.015, "lat": 30.005}).mode == "normal"
    assert inside.mode == "emergency"  # decisions are frozen
    assert desk.compacted["state", "modes"] is None


def test_a_mode_is_ended_before_its_time():
    desk = Desk(STORM)
    assert command(desk, "set_mode", mode="emergency", until=until(DAY_MS, desk), reason="storm 13800138000") is None
    said = desk.out("events", "control")[-1]
    assert (said["event"], said["reason"]) == ("mode_set", "storm ***")
    assert command(desk, "end_mode", mode_id="none") == "no mode none holds"
    assert command(desk, "end_mode", mode_id=said["mode_id"]) is None
    assert desk.report("r", "02").mode == "normal"
    desk.clock(2 * DAY_MS)
    assert [e["event"] for e in desk.out("events", "control")].count("mode_ended") == 1


def test_modes_that_make_no_sense():
    desk = Desk()
    assert "cannot be set; the policy has emergency" in (
        command(desk, "set_mode", mode="party", until=until(1, desk)) or ""
    )
    assert "cannot be set" in (command(desk, "set_mode", mode="normal", until=until(1, desk)) or "")
    assert "within 31 days" in (command(desk, "set_mode", mode="emergency", until=until(32 * DAY_MS, desk)) or "")
    assert "in the future" in (command(desk, "set_mode", mode="emergency", until=until(0, desk)) or "")


def test_a_number_is_used_up_even_by_what_is_refused_for_what_it_asks():
    """One that comes at the end of a mode is refused where the mode is over; the next is nevertheless the next."""
    desks = Desk(), Desk()
    for desk in desks:
        assert command(desk, "set_mode", mode="emergency", until=until(HOUR_MS, desk), number=2) is None
        (mode_id,) = desk.engine.state.modes.spans
    ended = []
    for desk, after_ms in zip(desks, (HOUR_MS, HOUR_MS + 1), strict=True):
        desk.now_ms += after_ms
        ended.append(command(desk, "end_mode", mode_id=mode_id, number=3))
    assert ended == [None, f"no mode {mode_id} holds"]
    for desk in desks:
        assert "this was to be command 3" in (command(desk, "reroute_open", number=3) or "")
        assert command(desk, "reroute_open", number=4) is None


def test_a_command_sent_twice_is_one():
    desk = Desk()
    message = {"command_id": "storm", "command": "set_mode", "mode": "emergency", "until": until(HOUR_MS, desk)}
    desk.send("control", message)
    desk.send("control", message)
    assert "is set already" in desk.last("rejected")["detail"]


def test_an_outage_is_written_down():
    desk = Desk()
    since, to = shown(desk.now_ms - 2 * HOUR_MS), shown(desk.now_ms - HOUR_MS)
    assert command(desk, "outage", since=since, until=to) is None
    assert {k: desk.out("events", "control")[-1][k] for k in ("event", "since", "until")} == {
        "event": "outage", "since": since, "until": to,
    }  # fmt: skip
    assert "lies in the past" in (command(desk, "outage", since=to, until=until(1, desk)) or "")


# --- re-routing -----------------------------------------------------------------------------------------------------


def storm(desk: Desk, reports: int = 6) -> list[Incident]:
    found = [desk.report(f"r{n}", "02", location=HERE if n % 2 else EAST) for n in range(reports)]
    assert command(desk, "set_mode", mode="emergency", cells=["530001"], until=until(DAY_MS, desk)) is None
    return found


def test_open_incidents_are_re_routed_only_by_command_and_as_previewed():
    from dispatcher.core.reroute import preview

    desk = Desk(STORM)
    incidents = storm(desk)
    desk.now_ms += 30 * MINUTE_MS
    foreseen = list(preview(desk.engine.state, ["530001"]))
    assert [r.incident_id for r in foreseen] == [i.incident_id for i in incidents[1::2]]
    assert {(r.support_added, r.severity_before, r.severity_after) for r in foreseen} == {(("fire-brigade",), 3, 1)}
    assert {i.severity for i in incidents} == {3}
    assert command(desk, "reroute_open") is None
    assert [(i.mode, i.severity) for i in incidents] == [("normal", 3), ("emergency", 1)] * 3
    due = {desk.targets(i, "resolve")["water-bureau"]["due_at"] for i in incidents[1::2]}
    assert due == {shown(START_MS + 2 * HOUR_MS)}  # two hours from the first start
    ended = desk.out("events", "control")[-1]
    assert (ended["event"], ended["looked_at"], ended["changed"]) == ("reroute_ended", 6, 3)
    assert command(desk, "reroute_open") is None
    assert desk.out("events", "control")[-1]["changed"] == 0


def test_a_re_routing_is_cut_into_slices_that_commit_their_progress():
    whole, sliced = Desk(STORM), Desk(STORM)
    for desk in (whole, sliced):
        storm(desk, 8)
    again = b'{"command_id":"again","command":"reroute_open"}'
    whole.send("control", again)
    taken = sliced.intake.take([sliced.record("control", again)])
    work, slices = taken.work, 0
    while work or sliced.engine.pending:
        outcome = sliced.engine.process(work, outputs_max=1)
        work = work[outcome.consumed :]
        sliced.records += outcome.records
        sliced.compacted.update(outcome.compacted)
        assert outcome.pending == (sliced.compacted["state", "job"] is not None)
        sliced.engine = sliced.reborn()
        slices += 1
    assert slices >= 4
    assert sliced.records == whole.records


def test_another_policy_takes_open_incidents_over_by_command():
    from core_city import tiny_book

    desk = Desk()
    incident = desk.report("r", "02")
    other = tiny_book(("lead: water-bureau, sla: works", "lead: gas-company, sla: works"))
    desk.books[other.policy.sha256] = other
    desk.activate(other, desk.book.policy.sha256)
    assert incident.lead.department == "water-bureau"
    assert command(desk, "reroute_open") is None
    assert (incident.lead.department, incident.decided.policy) == ("gas-company", other.policy.sha256)
