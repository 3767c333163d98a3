"""Whatever bytes come in: one item of work each, one end each, and never an exception."""

from typing import Any

import orjson
from core_city import START_MS, report, tiny_placer, update
from core_desk import Desk
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.core import Intake, Reason, Record, Report, Update

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
)
REPORT_FIELDS = tuple(Report.__struct_fields__)
UPDATE_FIELDS = tuple(Update.__struct_fields__)
FULL = report(
    "r", severity=2, standard="a", text="gas", attributes={"kv": 10}, media=["https://x/1"], confidence=0.9,
    tags=["park"], promised_at="2026-03-05T00:00:00Z", whistle={"unit": "530001", "kind": "joint"},
    reporter={"name": "Zhang", "phone": "13812345678"}, request_kind="help",
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A valid message with some fields replaced by anything, or with some bytes changed."""
    topic = draw(st.sampled_from(["reports", "updates", "updates.gas-company", "control"]))
    fields, body = {
        "reports": (REPORT_FIELDS, FULL),
        "control": (("command_id", "sha256"), {"command_id": "c", "command": "activate", "sha256": "a" * 64}),
    }.get(topic, (UPDATE_FIELDS, update()))
    changes = draw(st.dictionaries(st.sampled_from(fields) | st.text(max_size=5), JSON, max_size=3))
    value = orjson.dumps({**body, **changes}, default=str, option=orjson.OPT_NON_STR_KEYS) if _plain(changes) else b"{"
    for at, byte in draw(st.lists(st.tuples(st.integers(0, len(value)), st.integers(0, 255)), max_size=2)):
        value = value[:at] + bytes([byte]) + value[at + 1 :]
    return topic, value


def _plain(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):  # an integer beyond 64 bits, a lone surrogate
        return False
    return True


BYTES = st.tuples(st.sampled_from(["reports", "updates", "updates.x", "control", "clock"]), st.binary(max_size=200))


@given(st.lists(BYTES | mutated(), min_size=1, max_size=6))
@settings(max_examples=400)
def test_any_bytes_become_one_item_of_work_each(messages: list[tuple[str, bytes]]):
    records = [Record(n, topic, 0, n, START_MS, None, value) for n, (topic, value) in enumerate(messages)]
    work = Intake(tiny_placer()).take(records).work
    assert [item.seq for item in work] == list(range(len(records)))
    for item, record in zip(work, records, strict=True):
        assert item.origin.topic == record.topic


@given(st.lists(BYTES | mutated(), min_size=1, max_size=8))
@settings(max_examples=300)
def test_every_record_ends_as_accepted_rejected_or_repeated(messages: list[tuple[str, bytes]]):
    desk = Desk()
    desk.report("r", category="02")
    before = dict(desk.engine.state.tally)
    # an activation of a policy nobody stored is not bad input but a ledger without its policy: see test_core_engine
    messages = [message for message in messages if message[0] != "control" or b'"' + b"a" * 64 not in message[1]]
    rejected = len(desk.out("rejected"))
    desk.take([desk.record(topic, value) for topic, value in messages])
    tally = desk.engine.state.tally
    for kind in ("reports", "updates"):
        given_in = sum(topic.startswith(kind) for topic, _ in messages)
        ends = (f"{kind}_accepted", f"{kind}_rejected", f"{kind}_repeated")
        assert sum(tally[end] - before.get(end, 0) for end in ends) == given_in
    new = desk.out("rejected")[rejected:]
    assert len(new) == sum(tally[name] - before.get(name, 0) for name in tally if name.endswith("_rejected"))
    assert all(record["reason"] in set(Reason) for record in new)
