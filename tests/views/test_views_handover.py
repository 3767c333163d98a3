"""What a shift hands over, on the real engine: each list by what happened, and emptied by what settles it."""

from typing import Any

import pytest
import views_desk
from views_cases import MINUTE_MS
from views_desk import Desk

from dispatcher.core import ms_to_text
from dispatcher.views import HANDED_OVER, Filter, Projection, Reach, handed_over, incidents, refused_reports, within

HOUR_MS = 60 * MINUTE_MS


def at_work(desk: Desk, action: str, who: str = "", **fields: Any) -> None:
    desk.now_ms += MINUTE_MS
    actor = {"role": "dispatcher"} if not who else {"role": "department", "department": who}
    message = {"update_id": f"u{desk.sent}", "at": ms_to_text(desk.now_ms), "actor": actor, "action": action, **fields}
    desk.send("updates", message)
    desk.host.catch_up()
    assert [kept.value for kept in desk.ledger.follow("rejected", -1, 10)] == []


def reported(desk: Desk, report_id: str, category: str, **fields: Any) -> str:
    desk.send("reports", {
        "report_id": report_id, "source": "hotline", "reported_at": ms_to_text(desk.now_ms), "category": category,
        "location": {"lon": 114.005, "lat": 30.01}, **fields,
    })  # fmt: skip
    desk.host.catch_up()
    return desk.host.engine.state.repeats.seen("hotline", report_id, desk.now_ms).incident_id


def view_of(desk: Desk) -> Projection:
    view = Projection(":memory:")
    view.catch_up(desk.ledger)
    return view


def lists(desk: Desk, next_ms: int = 12 * HOUR_MS) -> dict[str, list[str]]:
    view = view_of(desk)
    return {name: handed_over(view, name, desk.now_ms, desk.now_ms + next_ms) for name in HANDED_OVER}


def test_each_list_holds_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    with_reason = views_desk.POLICY.replace("reasons: {", "reasons: {hold: {x: {zh: 等, en: Wait}}, ")
    monkeypatch.setattr(views_desk, "POLICY", with_reason)
    desk = Desk(0)
    severe = reported(desk, "severe", "03.02", severity=1)
    gas = reported(desk, "gas", "03.02", severity=3)
    nowhere = reported(desk, "nowhere", "03.02", severity=4, location=None)
    found = lists(desk)
    assert found["severe"] == [severe]
    assert found["unlocated"] == [nowhere]
    assert found["overdue"] == found["requests"] == found["returns"] == []
    assert set(found["due_next"]) == {severe, gas, nowhere}  # a budget of minutes
    assert lists(desk, 0)["due_next"] == []

    at_work(desk, "return", "gas", incident_id=gas, reason_code="not_ours")
    at_work(desk, "acknowledge", "gas", incident_id=severe)
    until = ms_to_text(desk.now_ms + HOUR_MS)
    at_work(desk, "request", "gas", incident_id=severe, kind="hold", reason_code="x", until=until)
    found = lists(desk)
    assert found["returns"] == [gas]
    assert found["requests"] == [severe]

    at_work(desk, "refuse_return", incident_id=gas, department="gas")
    at_work(desk, "refuse", incident_id=severe, number=1)
    found = lists(desk)
    assert found["returns"] == found["requests"] == []

    desk.now_ms += 2 * HOUR_MS
    desk.host.tick(desk.now_ms)
    desk.host.catch_up()
    found = lists(desk)
    assert {severe, gas, nowhere} <= set(found["overdue"])
    assert not set(found["overdue"]) & set(found["due_next"])


def test_within_reach_in_the_order_given() -> None:
    desk = Desk(0)
    ids = [reported(desk, f"r{n}", "03.02") for n in range(3)]
    view = view_of(desk)
    (row, *_) = incidents(view, Filter()).lines
    assert within(view, ids[::-1], Reach()) == ids[::-1]
    assert within(view, [*ids, "no such"], Reach(areas=(row.area or "",))) == ids
    assert within(view, ids, Reach(areas=("elsewhere",))) == []
    assert within(view, ids, Reach(areas=())) == []


def test_refusals_of_the_sources_that_are_wanted() -> None:
    desk = Desk(0)
    for report_id, source in (("a", "hotline"), ("b", "satellite"), ("c", "nobody")):
        desk.send("reports", {"report_id": report_id, "source": source, "reported_at": "2100-01-01T00:00:00Z",
                              "category": "03.02"})  # fmt: skip
    desk.send("reports", {"report_id": "d"})
    desk.host.catch_up()
    view = view_of(desk)
    found = list(refused_reports(view, 0, lambda source: source == "hotline"))
    assert [(source, row.reason) for source, row in found] == [("hotline", "bad_time")]
    assert list(refused_reports(view, desk.now_ms + HOUR_MS, lambda _: True)) == []
