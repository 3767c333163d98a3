"""Merging what is the same and taking it apart again; every report is counted once, every reporter told."""

from typing import Any

from core_city import DAY_MS, HERE, MINUTE_MS, START_MS, shown
from core_desk import Desk, do

from dispatcher.core import Incident

FAR = {"lon": 114.025, "lat": 30.01}


def two(desk: Desk) -> tuple[Incident, Incident]:
    return desk.report("r1", "02"), desk.report("r2", "02", location=FAR)


def told(desk: Desk, template: str) -> list[str]:
    return [n["to"] for n in desk.out("notices") if n["template"] == template]


def test_a_merged_incident_ends_and_its_reporters_are_told_when_the_parent_closes():
    desk = Desk()
    parent, child = two(desk)
    assert told(desk, "accepted") == ["report:hotline/r1", "report:hotline/r2"]
    assert desk.update(child, "merge", "dispatcher", into=parent.incident_id) is None
    assert (child.state, child.parent, parent.children) == ("merged", parent.incident_id, (child.incident_id,))
    assert (parent.report_count, parent.reporter_count, parent.facts.reporters) == (2, 2, 2)
    assert told(desk, "merged") == ["report:hotline/r2"]
    assert desk.last("dept.water-bureau")["event"] == "withdraw"
    do(desk, parent, ("acknowledge", "water-bureau"), ("done", "water-bureau"))
    assert desk.update(parent, "check", "checker", result="pass") is None
    assert told(desk, "closed") == ["report:hotline/r1", "report:hotline/r2"]


def test_a_merged_incident_stays_as_long_as_its_parent_does():
    desk = Desk()
    parent, child = two(desk)
    assert desk.update(child, "merge", "dispatcher", into=parent.incident_id) is None
    desk.clock(20 * DAY_MS)
    assert child.incident_id in desk.engine.state.incidents
    assert desk.update(parent, "void", "supervisor", reason_code="test") is None
    desk.clock(40 * DAY_MS)
    assert not set(desk.engine.state.incidents)


def test_what_cannot_be_merged():
    desk = Desk()
    parent, child = two(desk)
    assert "not merged into itself" in (desk.update(child, "merge", "dispatcher", into=child.incident_id) or "")
    assert "is not an incident's id" in (desk.update(child, "merge", "dispatcher", into="that one") or "")
    assert "unknown_incident" in (desk.update(child, "merge", "dispatcher", into="20260302-000-09999") or "")
    assert desk.update(parent, "void", "supervisor", reason_code="test") is None
    assert "merge into one that is open" in (desk.update(child, "merge", "dispatcher", into=parent.incident_id) or "")
    assert (child.state, child.parent) == ("dispatched", None)


def test_more_reporters_by_merging_bring_in_more_departments():
    desk = Desk(('01": {radius_m: 50', '01": {radius_m: 1'))
    first = desk.report("r1", "01")
    for n, east in ((2, 0.0005), (3, 0.001)):
        other = desk.report(f"r{n}", "01", location={"lon": HERE["lon"] + east, "lat": HERE["lat"]})
        assert desk.update(other, "merge", "dispatcher", into=first.incident_id) is None
    assert first.report_count == 3
    assert [(a.department, a.required) for a in first.support] == [("traffic-police", True)]


def test_a_child_taken_out_again_goes_on_by_itself():
    desk = Desk()
    parent, child = two(desk)
    do(desk, child, ("acknowledge", "water-bureau"))
    assert desk.update(child, "merge", "dispatcher", into=parent.incident_id) is None
    desk.now_ms += 20 * MINUTE_MS
    assert desk.update(child, "split", "dispatcher") is None
    assert (child.state, child.parent, parent.children, parent.report_count) == ("dispatched", None, (), 1)
    assert child.dispatched_ms == START_MS  # it was dispatched when it was
    assert desk.targets(child, "resolve")["water-bureau"]["since"] == shown(START_MS + 20 * MINUTE_MS)
    assert child.drop_ms is None
    assert [a.role for a in child.support] == ["former_lead"]
    near = desk.report("r3", "02", location=FAR)
    assert near.suggested == (child.incident_id,)


def test_a_report_that_was_merged_by_itself_becomes_an_incident_of_its_own():
    desk = Desk()
    first = desk.report("r1", "01")
    assert desk.report("r2", "01") is first
    report = {"report": {"source": "hotline", "report_id": "r2"}, "incident_id": None}
    assert desk.update(first, "split", "dispatcher", **report) is None
    seen = desk.engine.state.repeats.seen("hotline", "r2", desk.now_ms)
    other = desk.engine.state.incidents[seen.incident_id]
    assert (other.reports, other.state, other.category) == ((("hotline", "r2"),), "dispatched", "01")
    assert (first.reports, first.report_count) == ((("hotline", "r1"),), 1)
    assert desk.reborn().state.repeats.seen("hotline", "r2", desk.now_ms) == seen
    report["report"] = {"source": "hotline", "report_id": "r1"}
    assert "was opened by r1" in (desk.update(first, "split", "dispatcher", **report) or "")
    desk.send("reports", {**_again("r2"), "category": "01"})
    assert desk.engine.state.tally["reports_repeated"] == 1


def _again(report_id: str) -> dict[str, Any]:
    from core_city import report

    return report(report_id, "01")


def test_a_child_may_have_its_home_elsewhere():
    here, there = Desk(), Desk()
    there.engine.state.partition = 1
    parent = there.report("r9", "02")
    child = here.report("r1", "02")
    assert parent.incident_id.split("-")[1] == "001"
    assert here.update(child, "merge", "dispatcher", into=parent.incident_id) is None
    assert (child.state, child.parent) == ("merged", parent.incident_id)
    assert here.update(child, "split", "dispatcher") is None
    assert (child.state, child.parent) == ("dispatched", None)


def test_a_callback_about_a_merged_report_is_the_parents():
    desk = Desk()
    parent, child = two(desk)
    assert desk.update(child, "merge", "dispatcher", into=parent.incident_id) is None
    about = {"incident_id": None, "report": {"source": "hotline", "report_id": "r2"}}
    assert desk.update(parent, "contact", "acceptor", reached=True, **about) is None
    assert desk.last("events")["incident_id"] == parent.incident_id


def test_more_reports_than_an_incident_lists_are_all_told():
    desk = Desk()
    first = desk.report("r0", "01")
    for n in range(1, 25):
        assert desk.report(f"r{n}", "01") is first
    assert len(first.reports) == 20
    assert desk.update(first, "void", "supervisor", reason_code="test") is None
    assert sorted(told(desk, "not_accepted")) == sorted(f"report:hotline/r{n}" for n in range(25))


def test_devices_are_not_told():
    desk = Desk()
    incident = desk.report("r1", "02", "satellite")
    assert desk.update(incident, "void", "supervisor", reason_code="test") is None
    assert desk.out("notices") == []


def test_the_partition_an_id_names():
    from dispatcher.core.joining import partition_of

    assert [partition_of(text) for text in ("20260302-007-00001", "20260302-007-1", "1-7-1", "a-b-c", "")] == [
        7,
        *[None] * 4,
    ]
