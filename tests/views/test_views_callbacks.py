"""The callback desk's work list: per report, until it is answered, tried often enough, or the window is over."""

from typing import Any

from views_cases import MINUTE_MS
from views_desk import Desk

from dispatcher.core import DAY_MS, ms_to_text
from dispatcher.views import Filter, Projection, callbacks_due, doubled_reports, incidents, incidents_of_report


def at_work(desk: Desk, action: str, department: str = "", **fields: Any) -> None:
    desk.now_ms += MINUTE_MS
    actor = {"role": "system"} if not department else {"role": "department", "department": department}
    message = {"update_id": f"u{desk.sent}", "at": ms_to_text(desk.now_ms), "actor": actor, "action": action, **fields}
    desk.send("updates", message)
    desk.host.catch_up()
    assert not desk.ledger.follow("rejected", -1, 10)


def reported(desk: Desk, report_id: str, category: str, source: str = "hotline", **fields: Any) -> str:
    desk.send("reports", {
        "report_id": report_id, "source": source, "reported_at": ms_to_text(desk.now_ms), "category": category,
        "location": {"lon": 114.005, "lat": 30.01}, **fields,
    })  # fmt: skip
    desk.host.catch_up()
    return desk.host.engine.state.repeats.seen(source, report_id, desk.now_ms).incident_id


def worked(desk: Desk, incident_id: str) -> None:
    for action, fields in (("acknowledge", {}), ("done", {"media": ["https://x"]}), ("check", {"result": "pass"})):
        at_work(desk, action, incident_id=incident_id, **fields)


def due(desk: Desk, after_ms: int = 0) -> list[tuple[str, str, bool, int]]:
    view = Projection(":memory:")
    view.catch_up(desk.ledger)
    found = callbacks_due(view, lambda source: source == "hotline", lambda _sha, _sla: 3, desk.now_ms + after_ms)
    return [(line.incident_id, line.report_id, line.waits, line.attempts) for line in found]


def test_the_list_is_per_report_and_what_waits_for_it_comes_first() -> None:
    desk = Desk(0)
    gas, part = reported(desk, "g", "03.02", severity=4), reported(desk, "p", "05")
    device = reported(desk, "s", "03.02", "satellite", severity=4)
    at_work(desk, "verify", incident_id=device, result="exists")
    assert due(desk) == []
    for incident_id in (gas, device, part):
        worked(desk, incident_id)
    assert due(desk) == [(part, "p", True, 0), (gas, "g", False, 0)]  # nobody calls a satellite
    at_work(desk, "callback", report={"source": "hotline", "report_id": "g"}, answered=False)
    assert due(desk) == [(part, "p", True, 0), (gas, "g", False, 1)]
    at_work(desk, "callback", report={"source": "hotline", "report_id": "p"}, answered=True, satisfied=True)
    for _ in range(2):
        at_work(desk, "callback", report={"source": "hotline", "report_id": "g"}, answered=False)
    assert due(desk) == []


def test_what_was_merged_is_the_parents_to_ask_about_and_the_window_ends_it() -> None:
    desk = Desk(0)
    gas, other = reported(desk, "g", "03.02", severity=4), reported(desk, "o", "03.02", severity=4)
    at_work(desk, "merge", incident_id=other, into=gas)
    worked(desk, gas)
    assert due(desk) == [(gas, "g", False, 0), (gas, "o", False, 0)]
    assert due(desk, 2 * DAY_MS) == []


def test_more_reports_than_the_record_lists_are_all_asked_about_but_not_what_was_split_off() -> None:
    desk = Desk(0)
    flood = reported(desk, "w00", "07")
    for n in range(1, 25):
        assert reported(desk, f"w{n:02}", "07") == flood
    desk.now_ms += 6 * MINUTE_MS  # of another time: an incident of its own, then a child of the first
    child = reported(desk, "c", "07")
    at_work(desk, "merge", incident_id=child, into=flood)
    at_work(desk, "split", report={"source": "hotline", "report_id": "w03"})
    at_work(desk, "split", report={"source": "hotline", "report_id": "w23"})
    worked(desk, flood)
    asked = [f"w{n:02}" for n in range(25) if n not in (3, 23)]
    assert [report_id for _, report_id, _, _ in due(desk)] == ["c", *asked]
    at_work(desk, "callback", report={"source": "hotline", "report_id": "w24"}, answered=True)
    assert [report_id for _, report_id, _, _ in due(desk)] == ["c", *asked[:-1]]
    view = Projection(":memory:")
    view.catch_up(desk.ledger)
    assert doubled_reports(view) == []
    (elsewhere,) = incidents_of_report(view, "hotline", "w23")
    assert elsewhere not in (flood, child)


def test_incidents_of_an_asset() -> None:
    desk = Desk(0)
    lamp = reported(desk, "l", "05", location={"lon": 114.005, "lat": 30.01, "asset": "lamp-7"})
    reported(desk, "p", "05")
    view = Projection(":memory:")
    view.catch_up(desk.ledger)
    assert [row.incident_id for row in incidents(view, Filter(asset="lamp-7")).lines] == [lamp]
