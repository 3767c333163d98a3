"""Personal data rest on `reporters` and come out nowhere else; what is shown of a message is masked."""

import json
import random
from typing import Any

import orjson
import pytest
from core_city import HERE, report
from core_desk import Desk
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.core.privacy import ORIGINAL_CHARS_MAX, mask_code, mask_original, mask_text

MASKED = [
    "13812345678", "138 1234 5678", "138-1234-5678", "138.1234.5678", "138 - 1234 - 5678", "+86 138-1234-5678",
    "138—1234—5678", "138·1234·5678", "(027)8765-4321", "027 / 8765 4321", "１３８１２３４５６７８", "8765432",
    "11010119900307881X", "11010119900307881x", "+1 (555) 123-4567", "6222 0212 3456 7890 123",
    "zhang@example.com", "z.h+x-1@mail.example.co.uk", "张三@例子.中国", "zhang＠example．com",
]  # fmt: skip
SURROUNDINGS = ["{}", "call {} now", "电话:{}。", "tel.{}", "No.{}", "电话{}张先生", "a{}b", "({})", "x\n{}\ty", "3.{}"]


@pytest.mark.parametrize("around", SURROUNDINGS)
@pytest.mark.parametrize("secret", MASKED)
def test_numbers_and_addresses_are_masked_wherever_they_stand(secret: str, around: str):
    shown = mask_text(around.format(secret))
    assert "***" in shown
    assert sum(map(str.isdigit, shown)) <= 3 + around.count("3")  # at most an area code is left
    assert "@" not in shown
    assert "＠" not in shown


@pytest.mark.parametrize(
    "text", ["", "a leak at No. 12, 3rd floor", "断路器10kV，第3柱", "12:30", "110", "@home", "123456"]
)
def test_what_is_neither_stays(text: str):
    assert mask_text(text) == text


@given(st.text(max_size=200))
@settings(max_examples=300)
def test_masking_twice_is_masking_once_and_leaves_no_long_run_of_digits(text: str):
    once = mask_text(text)
    assert mask_text(once) == once
    run = longest = 0
    for character in once:
        run = run + 1 if character.isdecimal() else 0
        longest = max(longest, run)
    assert longest < 7


def test_masking_takes_no_longer_than_the_text_is_long():
    """Hostile texts of the greatest length: a search that went back and forth would take minutes."""
    for text in (
        "1 " * 2000,
        "1   " * 1000,
        "a@" * 2000,
        "a." * 2000 + "@",
        "(" * 4000,
        "@" + "a-" * 2000,
        "12345 " * 700,
    ):
        mask_text(text)


def test_codes_stay_and_what_only_looks_like_one_does_not():
    for code in ("03.02.01", "noise.residential", "530002001", "GAS-1"):
        assert mask_code(code) == code
    for text in ("13812345678", "call 8765432", "a@b.co"):
        assert "***" in mask_code(text)


# --- rejected messages ----------------------------------------------------------------------------------------------


def test_an_original_has_no_reporter_at_any_depth_and_its_texts_masked():
    message = {
        "report_id": "12345-20261122-000017",
        "reported_at": "2026-03-02T01:00:00Z",
        "reporter": {"name": "Zhang"},
        " Reporter ": {"name": "Zhang"},
        "text": "call 13812345678",
        "x": [{"reporter": "Zhang", "n": 13812345678, "f": 13812345678.5, "ok": True, "few": 3, "none": None}],
        "13812345678": 1,
        "category": "ring 13812345678",
        "at": "call 13812345678",
    }
    shown = mask_original(orjson.dumps(message))
    assert "Zhang" not in shown
    assert "1381234" not in shown
    document = orjson.loads(shown)
    assert document["report_id"] == message["report_id"]
    assert document["reported_at"] == message["reported_at"]
    assert document["x"] == [{"n": "***", "f": "***", "ok": True, "few": 3, "none": None}]


BROKEN = [
    b'{"text": "13812345678", "reporter": {"name": "Zhang", "phone": "13812345678"}',
    b'{"REPORTER" : {"name": "Zhang"}, "report_id": "r"',
    b"reporter: {name: Zhang, phone: 13812345678}",
    '{"reporter": {"name": "Zhang", "phone": "13812345678"}}'.encode("utf-16"),
    '{"reporter": {"name": "Zhang"}, "phone": "13812345678"}'.encode("utf-16-be"),
    b'\xff{"reporter": {"name": "Zhang", "phone": "13812345678"}}',
    b'{"a": "' + b"x" * (ORIGINAL_CHARS_MAX - 12) + b'13812345678", "reporter": "Zhang"',
    b'{"report_id": "\\ud800", "reporter": {"name": "Zhang", "phone": "13812345678"}}',
    b"13812345678" * 20_000,
    orjson.dumps({"a": "x" * (1 << 20), "reporter": {"name": "Zhang", "phone": "13812345678"}}),
]


@pytest.mark.parametrize("value", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_message_shows_no_reporter_either(value: bytes):
    shown = mask_original(value)
    assert "Zhang" not in shown
    assert "138123" not in shown
    assert len(shown) <= ORIGINAL_CHARS_MAX


def test_an_original_may_be_nothing_or_anything():
    assert mask_original(None) == mask_original(b"") == ""
    assert mask_original(b"[[1, 13812345678]]") == '[[1,"***"]]'
    assert mask_original(b"7") == "7"
    deep = mask_original(b'{"a":' * 500 + b'"13812345678"' + b"}" * 500)
    assert "…" in deep


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_any_bytes_are_shown_somehow(value: bytes):
    assert len(mask_original(value)) <= ORIGINAL_CHARS_MAX


# --- through the engine ---------------------------------------------------------------------------------------------

SECRETS = ("Zhang Weiming", "张伟明", "13812345678", "weiming.zhang@example.com", "11010119900307881X")
MARKS = ("Weiming", "伟明", "3812345678", "weiming", "10119900307881")


def personal(rng: random.Random) -> dict[str, Any]:
    """A report with the marks planted where a sender may put them: reporter, text, address, fields nobody asked for."""
    numbers = [secret for secret in SECRETS if secret[0] in "1w"]
    message = report(
        f"r{rng.randrange(30)}",
        rng.choice(["01", "02", "03.02", f"ring {rng.choice(numbers)}", "05"]),
        rng.choice(["hotline", "satellite", "ai_video", "nobody"]),
        location={**HERE, "address": f"{rng.choice(numbers)} Liberation Avenue"},
        text=f"please ring {rng.choice(numbers)} or {rng.choice(numbers)}",
        reporter={"name": rng.choice(SECRETS[:2]), "phone": SECRETS[2], "email": SECRETS[3]},
        tags=rng.choice([[], ["park"], ["exercise"]]),
    )
    if rng.random() < 0.3:
        message["contact"] = f"phone {SECRETS[2]}"
    if rng.random() < 0.3:
        message[rng.choice(["severity", "reported_at", "location", "whistle"])] = f"ring {SECRETS[2]}"
    return message


@pytest.mark.parametrize("seed", range(8))
def test_what_is_personal_reaches_reporters_and_nothing_else(seed: int):
    rng = random.Random(seed)
    desk = Desk()
    for _ in range(60):
        value = json.dumps(personal(rng), ensure_ascii=rng.random() < 0.5).encode()
        if rng.random() < 0.2:  # cut short, though not within a word: no longer JSON
            value = value[: rng.choice([at for at, byte in enumerate(value) if byte in b",{"])]
        desk.send("reports", value)
        for incident in list(desk.engine.state.incidents.values())[-2:]:
            for action, by in (("acknowledge", "water-bureau"), ("note", "officer"), ("return", "gas-company")):
                fields = {"text": f"rang {SECRETS[2]}", "reason_code": f"ring {SECRETS[2]}"}
                desk.update(incident, action, by, **fields)
    assert any(topic == "reporters" for topic, _ in desk.compacted)
    out = [(topic, value) for topic, _, _, value in desk.records]
    out += [(topic, value) for (topic, _), value in desk.compacted.items() if topic != "reporters" and value]
    assert {"rejected", "events", "routed", "incidents", "state"} <= {topic for topic, _ in out}
    for topic, value in out:
        shown = json.dumps(orjson.loads(value), ensure_ascii=False)
        for mark in MARKS:
            assert mark not in shown, (topic, mark, shown)


def test_an_update_that_is_refused_or_noted_shows_no_number():
    desk = Desk()
    incident = desk.report("r1", "02")
    assert desk.update(incident, "note", "officer", text="rang 13812345678", reason_code="rang 13812345678") is None
    why = desk.update(incident, "dance 13812345678", "officer")
    assert why is not None
    assert "3812345678" not in why
    assert not [value for *_, value in desk.records if b"3812345678" in value]
