"""Stage 1: what is taken, what is refused and why, and that no byte string ever gets through as anything else."""

from typing import Any

import orjson
import pytest
from core_city import DAY_MS, HERE, START_MS, report, shown, tiny_placer, update
from core_desk import Desk

from dispatcher.core import Intake, Reason, Record, Rejected
from dispatcher.core.intake import reject_unread
from dispatcher.core.messages import (
    ATTRIBUTES_MAX,
    MEDIA_MAX,
    MESSAGE_BYTES_MAX,
    TEXT_CHARS_MAX,
    Report,
    Update,
    json_schema,
)
from dispatcher.core.work import Clock, CommandWork, ReportWork, UpdateWork

AHEAD = shown(START_MS + DAY_MS + 1)
SOON = shown(START_MS + DAY_MS)


def taken(topic: str, message: Any) -> Any:
    value = message if isinstance(message, bytes) else orjson.dumps(message)
    (item,) = Intake(tiny_placer()).take([Record(7, topic, 0, 3, START_MS, "key", value)]).work
    return item


def without(message: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name not in names}


REFUSED = [
    ("reports", b"", "not_json"),
    ("reports", b"{", "not_json"),
    ("reports", b'{"report_id": "\xff"}', "not_json"),
    ("reports", b'{"report_id": "\\ud800"}', "not_json"),
    ("reports", b'{"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "not_json"),
    ("reports", orjson.dumps(report("r")) + b"{}", "not_json"),
    ("reports", b"[]", "not_an_object"),
    ("reports", b"null", "not_an_object"),
    ("reports", b'"text"', "not_an_object"),
    ("updates", b"7", "not_an_object"),
    ("control", b"[]", "not_an_object"),
    ("reports", without(report("r"), "report_id"), "missing_field"),
    ("reports", without(report("r"), "source"), "missing_field"),
    ("reports", without(report("r"), "reported_at"), "missing_field"),
    ("reports", without(report("r"), "category"), "missing_field"),
    ("reports", {**without(report("r"), "category"), "unknown": 1}, "missing_field"),
    ("reports", report("r", whistle={"unit": "530001"}), "missing_field"),
    ("updates", without(update(), "actor"), "missing_field"),
    ("updates", without(update(), "incident_id"), "missing_field"),
    ("updates", without(update(), "text"), "missing_field"),
    ("updates", update(action="verify"), "missing_field"),
    ("updates", update(action="return"), "missing_field"),
    ("updates", update(action="check"), "missing_field"),
    ("updates", update(action="void"), "missing_field"),
    ("updates", update(action="confirm_arrival"), "missing_field"),
    ("updates", update(action="refuse_return"), "missing_field"),
    ("updates", update(action="accept_return"), "missing_field"),
    ("control", {"command_id": "c", "command": "activate"}, "missing_field"),
    ("reports", report(7), "wrong_type"),
    ("reports", report(""), "wrong_type"),
    ("reports", report("r", severity=0), "wrong_type"),
    ("reports", report("r", severity=5), "wrong_type"),
    ("reports", report("r", severity="2"), "wrong_type"),
    ("reports", report("r", request_kind="wish"), "wrong_type"),
    ("reports", report("r", location=[]), "wrong_type"),
    ("reports", report("r", location={"lon": "east", "lat": 1}), "wrong_type"),
    ("reports", report("r", location={**HERE, "crs": "utm"}), "wrong_type"),
    ("reports", report("r", location={**HERE, "accuracy_m": -1}), "wrong_type"),
    ("reports", report("r", confidence=1.1), "wrong_type"),
    ("reports", report("r", attributes={"a": [1]}), "wrong_type"),
    ("reports", b'{"report_id":"r","source":"s","reported_at":"2026-03-02T01:00:00Z","category":"c","severity":'
     + b"9" * 5000 + b"}", "wrong_type"),
    ("reports", orjson.dumps(report("r"))[:-1] + b',"attributes":{"a":1e999}}', "wrong_type"),
    ("updates", update(action="dance"), "wrong_type"),
    ("updates", update(action="check", result="perhaps"), "wrong_type"),
    ("updates", update(revision=-1), "wrong_type"),
    ("control", {"command_id": "c", "command": "activate", "sha256": "short"}, "wrong_type"),
    ("reports", report("r", reported_at="yesterday"), "bad_time"),
    ("reports", report("r", reported_at="2026-03-02T01:00:00"), "bad_time"),
    ("reports", report("r", reported_at="1969-12-31T23:59:59Z"), "bad_time"),
    ("reports", report("r", reported_at="0001-01-01T00:00:00+14:00"), "bad_time"),
    ("reports", report("r", reported_at=AHEAD), "bad_time"),
    ("reports", report("r", promised_at="2026-02-30T00:00:00Z"), "bad_time"),
    ("reports", report("r", promised_at="9999-12-31T23:59:59-01:00"), "bad_time"),
    ("updates", update(at="12:00"), "bad_time"),
    ("updates", update(at="9999-12-31T23:59:59.999-23:59"), "bad_time"),
    ("reports", report("r", text="x" * MESSAGE_BYTES_MAX), "too_large"),
    ("updates", b" " * (MESSAGE_BYTES_MAX + 1), "too_large"),
    ("control", b" " * (MESSAGE_BYTES_MAX + 1), "too_large"),
]  # fmt: skip


@pytest.mark.parametrize(("topic", "message", "reason"), REFUSED, ids=lambda value: str(value)[:40])
def test_each_fault_has_its_reason(topic: str, message: Any, reason: str):
    item = taken(topic, message)
    assert isinstance(item, Rejected)
    assert item.reason == reason, item.detail
    assert item.detail
    assert (item.seq, item.time_ms, item.origin.topic, item.origin.offset) == (7, START_MS, topic, 3)


BOUNDS = [
    ({"report_id": "r" * 128}, {"report_id": "r" * 129}),
    ({"source": "s" * 128}, {"source": "s" * 129}),
    ({"category": "c" * 256}, {"category": "c" * 257}),
    ({"text": "汉" * TEXT_CHARS_MAX}, {"text": "汉" * (TEXT_CHARS_MAX + 1)}),
    ({"media": ["m"] * MEDIA_MAX}, {"media": ["m"] * (MEDIA_MAX + 1)}),
    ({"media": ["m" * 1024]}, {"media": ["m" * 1025]}),
    (
        {"attributes": {str(n): n for n in range(ATTRIBUTES_MAX)}},
        {"attributes": {str(n): n for n in range(ATTRIBUTES_MAX + 1)}},
    ),
    ({"attributes": {"a" * 256: 1}}, {"attributes": {"a" * 257: 1}}),
    ({"tags": ["t"] * 32}, {"tags": ["t"] * 33}),
    ({"external_refs": ["t"] * 32}, {"external_refs": ["t"] * 33}),
    ({"severity": 1}, {"severity": 0}),
    ({"severity": 4}, {"severity": 5}),
    ({"confidence": 0}, {"confidence": -0.001}),
    ({"confidence": 1}, {"confidence": 1.001}),
    ({"location": {**HERE, "accuracy_m": 100_000}}, {"location": {**HERE, "accuracy_m": 100_001}}),
    ({"location": {"address": "a" * 256}}, {"location": {"address": "a" * 257}}),
    ({"reported_at": SOON}, {"reported_at": AHEAD}),
    ({"reported_at": "1970-01-01T00:00:00Z"}, {"reported_at": "1969-12-31T23:59:59.999Z"}),
    ({"promised_at": "9999-12-31T23:59:59.999Z"}, {"promised_at": "9999-12-31T23:59:59.999-00:01"}),
]


@pytest.mark.parametrize(("at", "over"), BOUNDS, ids=lambda value: str(value)[:30])
def test_limits_hold_at_the_bound_and_just_over_it(at: dict[str, Any], over: dict[str, Any]):
    assert isinstance(taken("reports", {**report("r"), **at}), ReportWork)
    assert isinstance(taken("reports", {**report("r"), **over}), Rejected)


def test_a_message_may_be_as_large_as_the_limit_and_no_larger():
    body = orjson.dumps(report("r"))
    assert isinstance(taken("reports", body.ljust(MESSAGE_BYTES_MAX)), ReportWork)
    over = taken("reports", body.ljust(MESSAGE_BYTES_MAX + 1))
    assert over.reason is Reason.TOO_LARGE
    assert str(MESSAGE_BYTES_MAX) in over.detail


def test_unknown_top_level_fields_are_ignored_and_counted():
    known = report("r")
    records = [
        Record(n, "reports", 0, n, START_MS, None, orjson.dumps(message))
        for n, message in enumerate([known, {**known, "colour": "red"}, {**known, "a": 1, "b": {"c": 2}}])
    ]
    found = Intake(tiny_placer()).take(records)
    assert found.unknown_fields == 2  # messages that hold some
    digests = {item.digest for item in found.work if isinstance(item, ReportWork)}
    assert len(digests) == 1  # what is ignored does not make another content


def test_the_same_content_written_otherwise_is_the_same_and_other_content_is_not():
    known = report("r", attributes={"a": 1, "b": 2}, reporter={"name": "Zhang"})
    spaced = orjson.dumps(known, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    digest = taken("reports", known).digest
    assert taken("reports", spaced).digest == digest
    assert taken("reports", {**known, "reporter": {"name": "Li"}}).digest != digest
    assert taken("reports", {**known, "attributes": {"a": 1, "b": 3}}).digest != digest


def test_a_department_is_named_by_its_topic_whatever_its_message_says():
    forged = update(action="acknowledge", unit="530001", actor={"role": "supervisor", "department": "x", "person": "P"})
    item = taken("updates.gas-company", forged)
    assert isinstance(item, UpdateWork)
    assert (item.actor.role, item.actor.department) == ("department", "gas-company")
    assert (item.actor.unit, item.actor.person) == ("530001", "P")
    nobody = taken("updates.gas-company", without(forged, "actor"))
    assert nobody.actor.person is None
    assert taken("updates", update(actor={"role": "street", "unit": "530001"})).actor.role == "street"


def test_the_same_words_of_two_departments_are_two_contents():
    said = without(update(action="acknowledge"), "actor")
    assert taken("updates.gas-company", said).digest != taken("updates.fire-brigade", said).digest


def test_the_reporter_is_set_apart():
    sent = report("r", reporter={"name": "张三", "phone": "13812345678"})
    found = Intake(tiny_placer()).take([Record(0, "reports", 0, 0, START_MS, None, orjson.dumps(sent))])
    (item,) = found.work
    assert isinstance(item, ReportWork)
    assert item.report.reporter is None
    assert item.has_reporter
    ((key, value),) = found.reporters
    assert key == "hotline/r"
    assert orjson.loads(value).items() >= sent["reporter"].items()


def test_what_only_some_may_read_is_kept_beside_who_told_it():
    pictures = ["https://media.example/1.jpg"]
    told = report("r", text="call 13812345678", media=pictures, confidential=True, request_kind="tip_off")
    told["location"] = {"address": "1 Main Street"}
    found = Intake(tiny_placer()).take([
        Record(0, "reports", 0, 0, START_MS, None, orjson.dumps(told)),
        Record(1, "reports", 0, 1, START_MS, None, orjson.dumps(without(report("s"), "text"))),
    ])  # fmt: skip
    assert [(key, orjson.loads(value)) for key, value in found.reporters] == [
        ("hotline/r", {"text": "call 13812345678", "address": "1 Main Street", "media": pictures,
                       "confidential": True, "request_kind": "tip_off"}),
    ]  # fmt: skip


def test_clock_and_control_records_become_their_work_in_order():
    records = [
        Record(0, "clock", 0, 0, START_MS, None, b""),
        Record(1, "control", 0, 0, START_MS, None,
               orjson.dumps({"command_id": "c", "command": "activate", "sha256": "a" * 64})),
        Record(2, "reports", 0, 0, START_MS, None, b"?"),
        Record(3, "reports", 0, 1, START_MS, None, orjson.dumps(report("r"))),
    ]  # fmt: skip
    work = Intake(tiny_placer()).take(records).work
    assert [type(item) for item in work] == [Clock, CommandWork, Rejected, ReportWork]
    assert [item.seq for item in work] == [0, 1, 2, 3]


def test_a_topic_nobody_follows_is_the_hosts_fault():
    with pytest.raises(ValueError, match="no-such"):
        taken("no-such", b"{}")


def test_a_record_stage_one_fails_on_is_rejected_as_our_fault():
    record = Record(0, "reports", 0, 5, START_MS, None, orjson.dumps(report("r", text="call 13812345678")))
    rejected = reject_unread(record, ZeroDivisionError("secret"))
    assert rejected.reason is Reason.ENGINE_ERROR
    assert "ZeroDivisionError" in rejected.detail
    assert "secret" not in rejected.detail
    assert "13812345678" not in rejected.original


def test_the_schema_is_made_of_the_structs():
    schema = json_schema(Report)
    found = schema["$defs"]["Report"]
    assert found["required"] == ["report_id", "source", "reported_at", "category"]
    assert found["properties"]["severity"]["anyOf"][0]["maximum"] == 4
    assert json_schema(Update)["$defs"]["Action"]["enum"]


def test_every_reason_of_the_closed_list_is_reached():
    """Through both stages; the table above and test_core_engine show the finer cases."""
    desk = Desk()
    incident = desk.report("r1")
    for topic, message, _ in REFUSED:
        desk.send(topic, message)
    desk.send("reports", report("r1", text="other"))  # conflict
    desk.send("reports", report("r2", source="nobody"))
    desk.send("reports", report("r3", source="ai_video", location={"lon": 0, "lat": 0}))
    desk.send("reports", report("r4", source="ai_video", location={"cell": "nowhere"}))
    desk.send("reports", report("r5", source="ai_video", category="no such"))
    desk.update("20260302-000-99999", "note", "officer", text="x")
    desk.update("20260302-007-00001", "note", "officer", text="x")
    desk.update(incident, "check", "checker", result="pass")
    desk.update(incident, "acknowledge", "gas-company", revision=99)
    desk.poisoned = {f"reports/0/{desk.offsets['reports']}"}
    desk.send("reports", report("r6"))
    assert {record["reason"] for record in desk.out("rejected")} == {str(reason) for reason in Reason}


def test_nothing_of_floating_point_gets_the_engine_to_fail():
    """Positions far beyond the earth, in every coordinate system and with a merge rule around them."""
    desk = Desk()
    for n, crs in enumerate(["wgs84", "cgcs2000", "gcj02", "bd09"]):
        for m, (lon, lat) in enumerate([(1e308, 1e308), (-1e308, 5e-324), (181.0, 91.0), (180.0, -90.0), (0.0, 0.0)]):
            desk.send("reports", report(f"r{n}{m}", "01", location={"lon": lon, "lat": lat, "crs": crs}))
    assert desk.engine.state.tally["reports_accepted"] == 20
