"""Every action of the engine, taken in a browser by somebody who may."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from console_city import ERRAND, department_of, last_told, picture, record, told
from console_visits import Visit
from gateway_process import Gateway, update

from dispatcher.core import Action

SOON = (datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")  # as the browser has it


class Desk:
    """All who work on the city's incidents, each with a browser."""

    def __init__(self, visit: Callable[..., Visit], city: Gateway) -> None:
        self._visit, self.city = visit, city
        self._visits: dict[str, Visit] = {}

    def opened(self, report_id: str, **fields: Any) -> str:
        return self.city.opened("resident", told(report_id, **fields))

    def act(self, name: str, incident_id: str, action: str, given: dict[str, Any] | None = None, **fields: Any) -> None:
        """By whoever is named; `lead` is somebody of the department that leads now."""
        if name == "lead":
            name = department_of(self.city, record(self.city, incident_id)["lead"])
        if name not in self._visits:
            self._visits[name] = self._visit(name)
        self._visits[name].act(incident_id, action, given, **fields)
        assert last_told(self.city, incident_id) == action

    def by_program(self, name: str, incident_id: str, action: str, **fields: Any) -> None:
        """What is only the way to what is tried."""
        if name == "lead":
            name = department_of(self.city, record(self.city, incident_id)["lead"])
        made = update(
            incident_id, f"{incident_id}-{action}-{record(self.city, incident_id)['revision']}", action, **fields
        )
        with self.city.client(name) as client:
            answer = client.post("/v1/updates", params={"wait_s": 10}, json=made)
        assert answer.json()["updates"][0]["state"] == "taken", answer.text

    def state(self, incident_id: str) -> str:
        return str(record(self.city, incident_id)["state"])


@pytest.fixture
def desk(visit: Callable[..., Visit], city: Gateway) -> Desk:
    return Desk(visit, city)


def test_from_the_order_to_the_check_and_what_comes_after(desk: Desk):
    one = desk.opened("story-1")
    desk.act("dispatcher", one, "claim")
    desk.act("dispatcher", one, "release")
    desk.act("acceptor", one, "review", text="Refuse at a gate")
    desk.act("lead", one, "acknowledge")
    desk.act("lead", one, "delegate", person="Wang")
    desk.act("lead", one, "contact", reached="true", text="will be cleared today")
    desk.act("lead", one, "progress", text="a lorry is on its way", media=picture())
    desk.act("lead", one, "arrive")
    desk.act("street", one, "note", text="it smells")
    desk.act("lead", one, "done", text="cleared", media=picture(), flags="photo")
    desk.act("checker", one, "check", result="fail", reason_code="not_fixed")
    assert desk.state(one) == "handling"
    desk.act("lead", one, "done", media=picture(), flags="photo")
    desk.act("checker", one, "check", result="pass")
    assert desk.state(one) == "closed"
    desk.act("street", one, "rate", score=4)
    desk.act(
        "callback", one, "callback", report="hotline/story-1", answered="true", resolved="false", satisfied="false"
    )
    if desk.state(one) == "closed":
        desk.act("callback", one, "reopen_request", text="it is back")
    assert desk.state(one) == "reopen_requested"
    desk.act("dispatcher", one, "refuse_reopen", reason_code="partly")
    desk.act("street", one, "reopen_request", text="it is back indeed")
    desk.act("supervisor", one, "reopen")
    assert desk.state(one) in ("handling", "dispatched")


def test_what_a_department_asks_for_and_the_centre_grants(desk: Desk):
    one = desk.opened("story-2")
    desk.by_program("lead", one, "acknowledge")
    desk.act("lead", one, "request", {"kind": "extension"}, reason_code="parts")
    desk.act("shift_lead", one, "refuse", {"number": 1}, text="no")
    desk.act("lead", one, "request", {"kind": "hold"}, reason_code="weather", until=SOON)
    desk.act("dispatcher", one, "approve", {"number": 2})
    assert desk.state(one) == "on_hold"
    desk.act("dispatcher", one, "end_hold")
    assert desk.state(one) == "handling"


def test_supervision_is_written_answered_and_cleared(desk: Desk):
    one = desk.opened("story-3")
    desk.by_program("lead", one, "acknowledge")
    desk.act("dispatcher", one, "urge")
    desk.act("supervisor", one, "supervise", text="report by tomorrow", until=SOON)
    desk.act("lead", one, "reply", {"number": 1}, text="half done")
    desk.act("supervisor", one, "clear", {"number": 1})
    at = (datetime.now().astimezone() + timedelta(days=1)).isoformat()
    desk.by_program("supervisor", one, "supervise", text="a project", milestones=[{"name": "dug up", "due": at}])
    desk.act("supervisor", one, "milestone", {"name": "dug up"})


def test_who_works_on_it_is_changed_by_hand(desk: Desk):
    one = desk.opened("story-4")
    desk.act("lead", one, "return", reason_code="not_ours", text="a private road")
    assert desk.state(one) == "returned"
    desk.act("dispatcher", one, "refuse_return")
    assert desk.state(one) == "dispatched"
    desk.act("dispatcher", one, "recall")
    desk.act("dispatcher", one, "assign", lead="police", support="market-supervision")
    assert record(desk.city, one)["lead"]["department"] == "police"
    market = department_of(
        desk.city, next(p for p in record(desk.city, one)["support"] if p["department"] == "market-supervision")
    )
    desk.act(market, one, "return", reason_code="not_ours")
    desk.act("dispatcher", one, "accept_return", {"department": "market-supervision"})
    desk.act("acceptor", one, "reclassify", category="02.02.02", severity="2")
    assert record(desk.city, one)["category"] == "02.02.02"
    desk.act("supervisor", one, "void", reason_code="test")


def test_a_street_whistles(desk: Desk):
    one = desk.opened("story-5")
    desk.act("street", one, "whistle", kind="joint_enforcement", departments="police")
    police = next(part for part in record(desk.city, one)["support"] if part["department"] == "police")
    desk.by_program(department_of(desk.city, police), one, "acknowledge")
    desk.act("street", one, "confirm_arrival", {"department": "police"})
    desk.act("street", one, "end_whistle")
    desk.act("supervisor", one, "close_forced", reason_code="superseded")


def test_what_is_one_matter_is_joined_and_parted(desk: Desk):
    one, other = desk.opened("story-6a"), desk.opened("story-6b", category=ERRAND)
    desk.act("dispatcher", other, "merge", into=one)
    assert record(desk.city, other)["parent"] == one
    desk.act("dispatcher", other, "split")
    assert desk.state(other) != "merged"


def test_before_anybody_is_sent_out(desk: Desk):
    seen = desk.opened("story-7a", source="satellite")
    assert desk.state(seen) == "verifying"
    desk.act("officer", seen, "verify", result="unable", text="the gate is locked")
    desk.act("acceptor", seen, "file", severity="3")
    assert desk.state(seen) == "dispatched"
    asked = desk.opened("story-7b")
    desk.act("acceptor", asked, "answer_at_desk", text="the collection is on Monday")
    assert desk.state(asked) == "answered_at_desk"
    elsewhere = desk.opened("story-7c")
    desk.act("acceptor", elsewhere, "refer", body="power-company", external_no="P-7")
    assert desk.state(elsewhere) == "referred"
    errand = desk.opened("story-7d", category=ERRAND)
    desk.act("officer", errand, "self_handled", text="done on the way")
    assert desk.state(errand) == "self_handled"


def test_no_action_was_left_out():
    """Each is tried above: in their own processes the tests do not know of each other."""
    tried = set(re.findall(r'desk\.act\(\s*"?\w+"?, \w+, "(\w+)"', Path(__file__).read_text()))
    assert set(Action) - tried == set()
