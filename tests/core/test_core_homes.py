"""Where records live, and how they get there: the partitioner, and work as it is carried on the topic `work`."""

import orjson
import pytest
from core_city import HERE, report
from core_desk import Desk

from dispatcher.core import Record
from dispatcher.core.carried import carried, taken_up
from dispatcher.core.homes import EVERY, Homes
from dispatcher.core.work import Clock, Source


def stage_1(topic: str, message: dict | bytes):
    desk = Desk()
    desk.send(topic, message)
    return desk.work[-1]


def update(**fields):
    return {"update_id": "u", "action": "note", "text": "x", "at": "2026-03-02T09:00:00+08:00",
            "actor": {"role": "officer"}, **fields}  # fmt: skip


def test_reports_of_one_cell_of_the_level_live_together():
    homes = Homes(32, 1)
    there = {homes.of(stage_1("reports", report(f"r{n}", "02", location=HERE))) for n in range(5)}
    assert len(there) == 1
    cell = {homes.of(stage_1("reports", report(f"r{n}", "02", location={"cell": "530001"}))) for n in range(3)}
    assert cell == there  # the township itself, and a cell of it


def test_reports_without_a_place_are_spread_by_their_ids():
    homes = Homes(32, 2)
    spread = [homes.of(stage_1("reports", report(f"r{n}", "02", location=None))) for n in range(60)]
    assert len(set(spread)) > 15
    assert spread == [homes.of(stage_1("reports", report(f"r{n}", "03", location=None))) for n in range(60)]


def test_an_update_goes_where_its_incident_lives():
    homes = Homes(8, 2)
    assert homes.of(stage_1("updates", update(incident_id="20260302-005-00001"))) == 5
    for nobodys in ("20260302-008-00001", "nonsense"):
        assert homes.of(stage_1("updates", update(incident_id=nobodys))) in range(8)


def test_a_command_is_everybodys_and_a_rejection_has_one_home():
    command = {"command": "end_mode", "command_id": "c", "mode_id": "m"}
    assert Homes(8, 2).of(stage_1("control", command)) == EVERY
    assert Homes(8, 2).of(stage_1("reports", b"{")) in range(8)
    with pytest.raises(TypeError):
        Homes(8, 2).of(Clock(0, 0, Source("clock", 0, 0, 0)))


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        ("reports", report("r", "03.02", location=HERE, text="gas", attributes={"kv": 10, "x": None}, tags=["a"])),
        ("reports", b"not json"),
        ("updates", update(incident_id="20260302-005-00001", location=HERE)),
        ("control", {"command": "set_mode", "command_id": "c", "mode": "emergency", "until": "2026-03-03T00:00:00Z"}),
        ("clock", b""),
    ],
)
def test_work_arrives_as_it_was_sent_dated_by_the_log(topic, message):
    sent = stage_1(topic, message)
    arrived = taken_up(carried(sent), 77, 5)
    assert (arrived.seq, arrived.time_ms) == (77, 5)
    assert taken_up(carried(arrived), sent.seq, sent.time_ms) == sent
    assert arrived.origin == sent.origin


def test_who_reported_is_not_carried():
    desk = Desk()
    message = report("r", "02", reporter={"name": "Li Si", "phone": "13812345678"})
    taken = desk.intake.take([Record(0, "reports", 0, 0, desk.now_ms, None, orjson.dumps(message))])
    assert b"13812345678" not in carried(taken.work[0])
    assert b"13812345678" in taken.reporters[0][1]


def test_an_update_may_name_its_incident_and_one_of_its_reports():
    desk = Desk()
    incident, other = desk.report("r1", "02"), desk.report("r2", "04")
    fields = {"report": {"source": "hotline", "report_id": "r1"}, "reached": True}
    assert desk.update(incident, "contact", "dispatcher", **fields) is None
    assert desk.update(other, "contact", "dispatcher", **fields) == (
        f"not_allowed: r1 is no report of {other.incident_id}"
    )
    assert desk.update(other, "merge", "dispatcher", into=incident.incident_id) is None
    fields["report"]["report_id"] = "r2"
    assert desk.update(incident, "contact", "dispatcher", **fields) is None
