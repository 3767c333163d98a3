"""What random histories have found, as timelines: each of these was once done wrong."""

from itertools import pairwise

from core_city import DAY_MS, HOUR_MS, MINUTE_MS, START_MS, shown, tiny_book
from core_desk import Desk, do, gas

from dispatcher.core import NEVER_MS, Incident
from dispatcher.core.waiting import unwatched
from dispatcher.core.wire import incident_json

STEPS = """ladders:
  steep:
    steps: [{trigger: "resolve breach", to: lead, do: urge}, {trigger: "resolve breach", after: 1h, to: lead, do: urge}]
"""
LADDER = ("ladders:\n", STEPS)
STEEP = ("sla: works, ladder: city-desk", "sla: works, ladder: steep")


def ask(desk: Desk, incident: Incident, action: str, by: str, **fields: object) -> None:
    assert desk.update(incident, action, by, **fields) is None


def running(incident: Incident, name: str = "resolve") -> list[tuple[str, bool]]:
    """Who owes it, and whether the clock runs."""
    return [(target.of, target.since_ms >= 0) for target in incident.targets if target.name == name and target.active]


def finished(desk: Desk, category: str = "03.02") -> Incident:
    """Closed, the support's part approved like the lead's."""
    incident = desk.report("r", category)
    do(desk, incident, ("acknowledge", "gas-company"), ("acknowledge", "fire-brigade"))
    do(desk, incident, ("done", "gas-company"), ("done", "fire-brigade"))
    ask(desk, incident, "check", "checker", result="pass")
    return incident


def test_what_its_lead_has_returned_may_be_referred():
    """It was refused: somebody had once taken it."""
    desk = Desk()
    incident = desk.report("r", "02")
    do(desk, incident, ("acknowledge", "water-bureau"))
    ask(desk, incident, "return", "water-bureau", reason_code="not_ours")
    before = incident_json(incident)
    assert desk.update(incident, "refer", "dispatcher", body="nasa", external_no="7") is not None
    assert incident_json(incident) == before
    ask(desk, incident, "refer", "dispatcher", body="post-office", external_no="7")
    assert (incident.state, incident.external) == ("referred", "post-office/7")


def test_a_recalled_lead_that_a_whistle_calls_owes_its_own_part_only():
    """Its two clocks both went over to the next lead."""
    desk = Desk()
    incident = desk.report("r", "02")
    ask(desk, incident, "recall", "dispatcher", department="water-bureau")
    ask(desk, incident, "whistle", "street", kind="joint", departments=["water-bureau"])
    ask(desk, incident, "assign", "dispatcher", lead="gas-company")
    assert sorted(running(incident)) == [("gas-company", True), ("water-bureau", True)]


def test_a_lead_that_had_it_before_keeps_its_clock_when_it_is_decided_anew():
    """Its former part was withdrawn, and with it went what the present one owed."""
    desk = Desk()
    incident = desk.report("r", "02")
    for lead in ("gas-company", "water-bureau"):
        ask(desk, incident, "assign", "dispatcher", lead=lead)
    ask(desk, incident, "reclassify", "acceptor", severity=1)
    assert running(incident) == [("water-bureau", True)]


def test_what_is_reclassified_while_it_is_returned_warns_by_the_new_rules():
    """The warnings of the old SLA were still awaited under the new one: the engine failed on them."""
    desk = Desk()
    incident = desk.report("r", "03.02")
    ask(desk, incident, "return", "gas-company", reason_code="not_ours")
    ask(desk, incident, "reclassify", "acceptor", category="04", standard="b")
    (target,) = [t for t in incident.targets if (t.name, t.of) == ("resolve", "gas-company")]
    assert (target.by, target.budget) == ("by-standard", "5wh")
    desk.clock(9 * DAY_MS)
    assert target.breached_ms == target.due_ms


def test_another_ladder_never_climbs_in_the_past():
    """A target whose budget stayed was put on warnings whose instants lay behind."""
    waits = "targets: {acknowledge: 1h, attend: {within: 2h, of: lead}"
    desk = Desk(("within: 30m, of: attending", "within: 30m, of: lead"), (waits, f"warn: [50%]\n    {waits}"))
    incident = desk.report("r", "05", attributes={}, location={"asset": "lamp-1"})
    do(desk, incident, ("acknowledge", "water-bureau"))
    desk.clock(90 * MINUTE_MS)
    ask(desk, incident, "assign", "dispatcher", lead="gas-company")
    desk.clock(50 * MINUTE_MS)
    ask(desk, incident, "reclassify", "acceptor", category="03.02")
    desk.clock(DAY_MS)
    times = [time_ms for _, _, time_ms, _ in desk.records]
    assert times == sorted(times)


def test_what_is_decided_anew_and_comes_out_as_it_was_climbs_no_step_twice():
    """Its breach was told again, and the ladder began at the bottom."""
    desk = Desk(LADDER, STEEP)
    incident = desk.report("r", "02")
    desk.clock(DAY_MS)
    assert [change for change, _ in desk.events(incident)].count("escalated") == 2
    ask(desk, incident, "reclassify", "acceptor", severity=2)
    desk.clock(3 * DAY_MS)
    lines = [change for change, of in desk.events(incident)]
    assert (lines.count("escalated"), lines.count("resolve breach")) == (2, 1)


def test_a_support_whose_part_was_approved_may_become_the_lead_of_what_is_reopened():
    """The tables had no way for it: the engine failed."""
    desk = Desk()
    incident = finished(desk)
    ask(desk, incident, "reopen_request", "reporter")
    ask(desk, incident, "reopen", "dispatcher")
    ask(desk, incident, "assign", "dispatcher", lead="fire-brigade")
    live = [part.party for part in incident.assignments() if part.state != "withdrawn"]
    assert live.count("fire-brigade") == 1
    assert ("fire-brigade", True) in running(incident)


def test_a_support_that_is_done_owes_no_running_clock_when_it_becomes_required():
    """The clock of one that had reported it done ran until it was breached."""
    desk = Desk()
    incident = desk.report("r", "03.02")
    do(desk, incident, ("acknowledge", "traffic-police"), ("done", "traffic-police"))
    ask(desk, incident, "whistle", "street", kind="joint", departments=["traffic-police"])
    assert ("traffic-police", False) in running(incident)


def test_one_department_by_two_names_is_asked_for_once():
    desk = Desk()
    incident = desk.report("r", "02")
    do(desk, incident, ("acknowledge", "water-bureau"))
    names = ["street-office@township", "street-office@530001"]
    fields = {"kind": "support", "reason_code": "equipment", "departments": names}
    assert desk.update(incident, "request", "water-bureau", **fields) == "not_allowed: a department is named twice"


def merged(desk: Desk, *names: str) -> list[Incident]:
    """Incidents, each merged into the next."""
    found = [
        desk.report(name, "02", location={"lon": 114.002 + n / 200, "lat": 30.005}) for n, name in enumerate(names)
    ]
    for child, parent in pairwise(found):
        ask(desk, child, "merge", "dispatcher", into=parent.incident_id)
    return found


def test_a_report_split_off_a_chain_of_merges_is_counted_once():
    """The incident that its parent had been merged into went on counting it."""
    desk = Desk()
    child, parent, last = merged(desk, "r1", "r2", "r3")
    assert last.report_count == 3
    ask(desk, child, "split", "dispatcher")
    assert (child.report_count, parent.report_count, last.report_count) == (1, 1, 2)


def test_what_was_merged_into_something_long_gone_stays_there():
    """Its reports are in the archive of what it was merged into: taken out, they would count twice."""
    desk = Desk(("sla: works, ladder: city-desk", "sla: triage, ladder: city-desk"))
    child, parent = merged(desk, "r1", "r2")
    ask(desk, parent, "void", "supervisor", reason_code="test")
    while parent.incident_id in desk.engine.state.incidents:
        desk.clock(HOUR_MS)
    why = desk.update(child, "split", "dispatcher")
    assert why is not None
    assert "has been closed for good" in why or "unknown_incident" in why


def test_a_supervision_that_fell_due_while_it_was_closed_is_told_when_it_is_reopened():
    """Its timer fired at an instant of the past: time ran backwards."""
    desk = Desk()
    incident = desk.report("r", "04")
    ask(desk, incident, "supervise", "supervisor", text="x", until=shown(START_MS + HOUR_MS))
    do(desk, incident, ("acknowledge", "water-bureau"), ("done", "water-bureau"))
    ask(desk, incident, "check", "checker", result="pass")
    desk.clock(DAY_MS)
    ask(desk, incident, "reopen_request", "reporter")
    assert incident.supervision[0].overdue
    desk.clock(HOUR_MS)
    times = [time_ms for _, _, time_ms, _ in desk.records]
    assert times == sorted(times)


def test_a_calendar_that_a_later_policy_lacks_stops_nothing():
    """A met target named a calendar of the former policy, and a restored incident asked for it."""
    desk = Desk()
    incident = desk.report("r", "02")
    do(desk, incident, ("acknowledge", "water-bureau"))
    other = tiny_book(
        ("  cn-office:\n    hours", "  cn-desk:\n    hours"), ("calendar: cn-office", "calendar: cn-desk")
    )
    desk.books[other.policy.sha256] = other
    desk.activate(other, desk.book.policy.sha256)
    desk.send("control", {"command_id": "rr", "command": "reroute_open"})
    desk.engine = desk.reborn()
    assert desk.update(incident.incident_id, "note", "dispatcher", text="still here") is None
    assert desk.targets(incident, "resolve")["water-bureau"]["clock"] == "cn-desk"


def test_whoever_was_unhappy_is_asked_again_after_the_rework():
    """The old answer counted, and the incident waited for a callback that nobody could make."""
    desk = Desk(("    hold: {max: 5d, times: 1}\n", "    hold: {max: 5d, times: 1}\n    close_after: callback\n"))
    incident = desk.report("r", "02")
    for satisfied in (False, True):
        if incident.state == "dispatched":
            do(desk, incident, ("acknowledge", "water-bureau"))
        do(desk, incident, ("done", "water-bureau"))
        ask(desk, incident, "check", "checker", result="pass")
        ask(desk, incident, "callback", "callback", answered=True, satisfied=satisfied)
    assert incident.state == "closed"
    assert [(c.round, c.satisfied) for c in incident.callbacks] == [(0, False), (1, True)]


def test_a_part_that_might_help_owes_an_end_once_it_is_sent_back():
    """Nothing was owed any more, and nothing would ever have moved the incident on."""
    desk = Desk()
    incident = gas(desk)
    for department in ("gas-company", "fire-brigade", "traffic-police"):
        do(desk, incident, ("acknowledge", department), ("done", department))
    ask(desk, incident, "check", "checker", result="fail", departments=["traffic-police"])
    assert incident.part_of("traffic-police").required
    assert unwatched(incident, desk.now_ms) is None
    assert incident.next_ms < NEVER_MS


def test_a_support_that_was_recalled_and_is_back_is_the_one_that_counts():
    """Its dead part was found first."""
    desk = Desk()
    incident = gas(desk)
    ask(desk, incident, "recall", "dispatcher", department="fire-brigade")
    ask(desk, incident, "assign", "dispatcher", support=["fire-brigade"])
    do(desk, incident, ("acknowledge", "gas-company"), ("acknowledge", "fire-brigade"))
    fields = {"kind": "support", "reason_code": "equipment", "departments": ["water-bureau"]}
    ask(desk, incident, "request", "fire-brigade", **fields)
    ask(desk, incident, "approve", "dispatcher", number=1)


def test_a_unit_is_known_by_its_code_however_long():
    """Codes of twelve digits were masked like telephone numbers, and then anybody's."""
    desk = Desk()
    incident = desk.report("r", "02")
    own, other = ({"role": "street", "unit": unit} for unit in ("530001001002", "530002009009"))
    ask(desk, incident, "whistle", "street", actor=own, kind="joint")
    why = desk.update(incident, "end_whistle", "street", actor=other)
    assert why == "not_allowed: the whistle is 530001001002's to end"
    ask(desk, incident, "end_whistle", "street", actor=own)


def test_a_promise_of_the_source_stays_when_it_is_the_stricter_one():
    """Reclassifying forgot it."""
    desk = Desk()
    incident = desk.report("r", "02", promised_at="2026-03-02T10:00:00+08:00")
    ask(desk, incident, "reclassify", "dispatcher", severity=4)
    target = desk.targets(incident, "resolve")["water-bureau"]
    assert (target["due_at"], target["by"]) == ("2026-03-02T02:00:00.000Z", "promise:hotline")


def test_a_lead_that_a_person_named_is_not_sent_away_by_a_command_for_many():
    desk = Desk()
    incident = desk.report("r", "02")
    ask(desk, incident, "assign", "dispatcher", lead="gas-company")
    other = tiny_book(
        ("{id: water, when", "{id: water, priority: 101, when"), ("sla: works, ladder", "sla: triage, ladder")
    )
    desk.books[other.policy.sha256] = other
    desk.activate(other, desk.book.policy.sha256)
    desk.send("control", {"command_id": "rr", "command": "reroute_open"})
    assert (incident.lead.department, incident.decided.sla) == ("gas-company", "triage")


def test_whistles_give_an_incident_no_more_parts_than_its_record_has_room_for():
    desk = Desk()
    incident = desk.report("r", "02")
    for n in range(4):
        departments = [f"gas-company@{n}{m:02d}" for m in range(32)]
        refused = desk.update(incident, "whistle", "street", kind="joint", departments=departments)
        if refused is None:
            ask(desk, incident, "end_whistle", "shift_lead")
    assert "at most 64 parts" in (refused or "")
    assert len(incident.assignments()) <= 64


def test_a_supervision_of_whoever_was_let_go_can_be_cleared():
    """Nobody could reply to it any more, and without a reply it could not be cleared."""
    desk = Desk()
    incident = desk.report("r", "02")
    ask(desk, incident, "supervise", "supervisor", text="today")
    assert "no reply yet" in (desk.update(incident, "clear", "supervisor", number=1) or "")
    ask(desk, incident, "assign", "dispatcher", lead="gas-company")
    ask(desk, incident, "clear", "supervisor", number=1)


def test_an_appeal_keeps_its_incident_until_it_is_decided():
    desk = Desk()
    incident = finished(desk)
    ask(desk, incident, "request", "fire-brigade", kind="exempt", reason_code="weather")
    desk.clock(30 * DAY_MS)
    assert incident.incident_id in desk.engine.state.incidents
    ask(desk, incident, "refuse", "supervisor", number=1)
    desk.clock(30 * DAY_MS)
    assert incident.incident_id not in desk.engine.state.incidents


def test_who_acts_is_published_without_numbers_and_residents_by_their_role():
    desk = Desk()
    incident = finished(desk)
    resident = {"role": "reporter", "person": "张三 13800138000"}
    ask(desk, incident, "reopen_request", "reporter", actor=resident)
    staff = {"role": "dispatcher", "person": "13900139000"}
    ask(desk, incident, "reopen", "dispatcher", actor=staff)
    said = str([value for _, _, _, value in desk.records]) + str(desk.public(incident))
    assert "13800138000" not in said
    assert "13900139000" not in said
    assert "张三" not in desk.records[-1][3].decode() + str(desk.public(incident))


def test_one_part_cannot_use_up_the_requests_of_the_others():
    desk = Desk()
    incident = gas(desk)
    do(desk, incident, ("acknowledge", "gas-company"), ("acknowledge", "fire-brigade"))
    fields = {"kind": "support", "reason_code": "equipment", "departments": ["water-bureau"]}
    for number in range(1, 9):
        ask(desk, incident, "request", "fire-brigade", **fields)
        ask(desk, incident, "refuse", "dispatcher", number=number)
    assert "8 requests, which is the most" in (desk.update(incident, "request", "fire-brigade", **fields) or "")
    ask(desk, incident, "request", "gas-company", **fields)


def test_an_extension_is_not_granted_anew_because_the_incident_was_reclassified():
    """The count went with the budget: a department could have had as many as it was reclassified."""
    desk = Desk(("    hold: {max: 5d, times: 1}\n", "    hold: {max: 5d, times: 1}\n    extend_times: 1\n"))
    incident = desk.report("r", "02")
    do(desk, incident, ("acknowledge", "water-bureau"))
    ask(desk, incident, "request", "water-bureau", kind="extension", reason_code="parts")
    ask(desk, incident, "approve", "shift_lead", number=1)
    ask(desk, incident, "reclassify", "acceptor", severity=2)
    again = desk.update(incident, "request", "water-bureau", kind="extension", reason_code="parts")
    assert again == "not_allowed: works allows 1 extensions"


def test_a_whistle_may_sound_before_the_incident_is_filed_and_calls_when_it_is():
    desk = Desk()
    doubtful = desk.report("r", "02", source="satellite")
    ask(desk, doubtful, "whistle", "street", kind="joint", departments=["fire-brigade"])
    assert (doubtful.state, doubtful.support, doubtful.facts.whistle) == ("verifying", (), "joint")
    ask(desk, doubtful, "verify", "officer", result="exists")
    assert [(part.party, part.required) for part in doubtful.support] == [("fire-brigade", True)]
    assert ("fire-brigade", "attend") in [(target.of, target.name) for target in doubtful.targets]


def test_an_update_is_taken_once_however_many_came_after_it():
    """The ids of the last 200 were remembered."""
    desk = Desk()
    incident = desk.report("r", "02")
    for number in range(450):
        ask(desk, incident, "note", "officer", update_id=f"n{number}", text="x")
    desk.engine = desk.reborn()
    incident = desk.engine.state.incidents[incident.incident_id]
    revision = incident.revision
    for number in (0, 199, 200, 399, 400, 449):
        assert desk.update(incident, "note", "officer", update_id=f"n{number}", text="x") is None
        assert desk.update(incident, "note", "officer", update_id=f"n{number}", text="y") == (
            f"conflict: n{number} was taken with other content"
        )
    assert (incident.revision, desk.engine.state.tally["updates_repeated"]) == (revision, 6)
    assert len(incident.updates or {}) == 50
    pages = [key for (topic, key), value in desk.compacted.items() if topic == "state" and key.startswith("taken/")]
    assert pages == [f"taken/{incident.incident_id}/{n}" for n in range(2)]
    ask(desk, incident, "void", "supervisor", reason_code="test")
    desk.clock(8 * DAY_MS)
    assert [desk.compacted["state", page] for page in pages] == [None, None]


def test_a_partition_there_is_not_takes_no_incident_in():
    desk = Desk()
    incident = desk.report("r", "02")
    said = desk.update(incident, "merge", "dispatcher", into="20260302-008-00001")
    assert said == "unknown_partition: 20260302-008-00001 names a partition there is not"
    assert incident.state == "dispatched"


def test_a_person_who_files_what_a_guard_has_parked_sends_it_out_by_the_rules():
    """It met the guard again and went to the fallback."""
    desk = Desk()
    incident = desk.report("r", "02", tags=["park"])
    assert (incident.state, incident.lead) == ("received", None)
    ask(desk, incident, "file", "acceptor")
    assert incident.lead is not None
    assert (incident.lead.party, incident.decided.route, incident.decided.fallback) == ("water-bureau", "water", None)
    assert incident.facts.filed


def test_what_is_named_as_a_unit_is_a_code():
    """Whatever stood behind the @ was published."""
    desk = Desk()
    incident = desk.report("r", "02")
    do(desk, incident, ("acknowledge", "water-bureau"))
    fields = {"kind": "support", "reason_code": "equipment", "departments": ["street-office@13812345678"]}
    assert (
        desk.update(incident, "request", "water-bureau", **fields)
        == "not_allowed: no department street-office@*** here"
    )
    ask(desk, incident, "whistle", "street", kind="joint", departments=["fire-brigade@13812345678"])
    assert incident.whistle is not None
    assert incident.whistle.departments == ("fire-brigade@***",)
    assert not any(b"13812345678" in value for topic, _, _, value in desk.records if topic != "rejected")


def test_rounds_of_rework_and_reopening_have_an_end():
    """Each lengthens the record by a span of every clock: the hundred and first is refused, and nothing else is."""
    desk = Desk()
    incident = desk.report("r", "02")
    do(desk, incident, ("acknowledge", "water-bureau"), ("done", "water-bureau"))
    incident.tally().rework = 100
    assert desk.update(incident, "check", "checker", result="fail") == (
        "not_allowed: sent back or reopened 100 times: a supervisor ends it"
    )
    ask(desk, incident, "check", "checker", result="pass")
    ask(desk, incident, "reopen_request", "reporter")
    assert desk.update(incident, "reopen", "shift_lead") == (
        "not_allowed: sent back or reopened 100 times: let it be reported anew"
    )
    ask(desk, incident, "refuse_reopen", "shift_lead", reason_code="settled")
    assert incident.state == "closed"


def test_what_runs_out_while_the_centre_thinks_about_a_return_is_not_charged_to_who_was_right():
    """Its acknowledgement fell due while the return lay at the centre."""
    desk = Desk()
    for agreed in (True, False):
        incident = desk.report(f"r{agreed}", "03.02")
        desk.now_ms += MINUTE_MS
        ask(desk, incident, "return", "fire-brigade", reason_code="not_ours")
        desk.clock(5 * MINUTE_MS)
        (target,) = [t for t in incident.targets if (t.name, t.of) == ("acknowledge", "fire-brigade")]
        assert target.breached_ms == target.due_ms
        ask(desk, incident, "accept_return" if agreed else "refuse_return", "dispatcher", department="fire-brigade")
        assert (target.breached_ms is None, target.active) == (agreed, not agreed)
