"""The words: both languages say the same, no text is too long, nothing personal in it, instants in the city's time."""

import string
from dataclasses import fields
from random import Random

import msgspec
import pytest
from notices_cases import HOUR_MS, NOON_MS, VOICE, ZONE, record, to_reporter

from dispatcher.notices import Message, Notice, Voice, compose
from dispatcher.notices.compose import SUBJECT_MAX, TEXT_MAX
from dispatcher.notices.notice import Unreadable, decode_notice, is_urgent
from dispatcher.notices.words import DIGEST, FOR_REPORTERS, OTHER, PARTS, TARGETS, TEMPLATES, Language

ENGLISH = Voice("en", ZONE)


def notice(*args, make=record, **more) -> Notice:
    return msgspec.convert(make(*args, **more), Notice)


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("template", [*TEMPLATES, "other"])
def test_both_languages_say_the_same(template: str) -> None:
    words = TEMPLATES.get(template, OTHER)
    assert holes(words["zh"].sentence) == holes(words["en"].sentence)
    assert all(words[language].title for language in ("zh", "en"))
    assert not holes(words["zh"].title) | holes(words["en"].title)
    assert any("一" <= letter <= "鿿" for letter in words["zh"].title + words["zh"].sentence)
    assert (words["en"].title + words["en"].sentence).isascii()


def test_parts_are_the_same_in_both_languages() -> None:
    for table in (PARTS, DIGEST):
        assert {key: holes(text) for key, text in table["zh"].items()} == {
            key: holes(text) for key, text in table["en"].items()
        }
    assert all(set(names) == {"zh", "en"} for names in TARGETS.values())


def test_one_notice() -> None:
    message = compose("gas-company", [notice(1)], VOICE)
    assert message.subject == "催办 案件 20260302-000-00001（燃气）"
    assert message.text == (
        "案件 20260302-000-00001（燃气）请抓紧办理。紧急程度 3 级；处置期限 2026-03-02 13:00 +08:00；网格 530001001；"
        "依据：gas plan §3.1。"
    )
    message = compose("gas-company", [notice(1)], ENGLISH)
    assert message.subject == "Reminder incident 20260302-000-00001 (Gas)"
    assert message.text == (
        "Incident 20260302-000-00001 (Gas): please get on with it. Severity 3; resolution due 2026-03-02 13:00 +08:00;"
        " cell 530001001; reason: gas plan §3.1."
    )


def test_notice_of_a_mode() -> None:
    made = notice(
        1, "city", template="mode_set", incident_id=None, category=None, target=None, cell=None, severity=None
    )
    assert compose("city", [made], VOICE).text.endswith("截止 2026-03-02 13:00 +08:00；依据：gas plan §3.1。")
    assert compose("city", [made], ENGLISH).subject == "Mode set"


def test_reporters_are_told_what_concerns_them() -> None:
    told = compose("report:hotline/r1", [notice(1, make=to_reporter)], VOICE).text
    assert "编号 r1" in told
    assert "紧急程度" not in told
    assert "gas plan" not in told
    refused = notice(1, make=to_reporter, template="not_accepted")
    assert "gas plan" in compose("report:hotline/r1", [refused], VOICE).text
    assert set(TEMPLATES) >= FOR_REPORTERS


@pytest.mark.parametrize("language", ["zh", "en"])
def test_sparse_notices_and_unknown_templates_can_be_told(language: Language) -> None:
    bare = {"notice_id": "n", "at": "2026-03-02T04:00:00.000Z", "to": "centre"}
    due = {"due": "2026-03-02T04:00:00.000Z"}
    case = {"incident_id": "i"}
    for template in (*TEMPLATES, "of-tomorrow"):
        for more in ({}, case, case | {"category": {"code": "9"}}, {"target": "t"}, due, due | {"target": "odd"}):
            message = compose("centre", [msgspec.convert({**bare, "template": template, **more}, Notice)],
                              Voice(language, ZONE))  # fmt: skip
            assert message.subject
            assert message.text
            assert "None" not in message.text
            assert "{" not in message.text


def test_digest() -> None:
    rows = [notice(n, at_ms=NOON_MS + n * 60_000, severity=None if n == 2 else 4 - n) for n in range(1, 4)]
    rows.append(notice(4, template="supervise", severity=4, due=None))
    message = compose("gas-company", rows, VOICE, late=True)
    assert message.subject == "补发通知 4 条"
    head, *lines = message.text.split("\n")
    assert head == "2026-03-02 12:00 +08:00 至 2026-03-02 12:03 +08:00 共 4 条通知：催办 3、督办 1。"
    due = "案件 20260302-000-00001（燃气） 2026-03-02 13:0{} +08:00 前"
    assert lines == [f"· 催办 {due.format(n)}" for n in (3, 1, 2)] + ["· 督办 案件 20260302-000-00001（燃气）"]
    assert compose("gas-company", rows, ENGLISH).subject == "4 notices"
    assert message.notices == tuple(rows)


def test_digest_says_how_many_it_leaves_out() -> None:
    rows = [notice(n) for n in range(5_000)]
    *lines, last = compose("gas-company", rows, ENGLISH).text.split("\n")
    assert last == f"… and {5_000 - (len(lines) - 1)} more"


@pytest.mark.parametrize("seed", range(80))
def test_nothing_is_too_long_or_breaks_a_line(seed: int) -> None:
    random = Random(seed)

    def text(most: int) -> str:
        return "".join(random.choice("催a\n\r\t\x00\x1b\u202e 1{}") for _ in range(random.randrange(most)))

    rows = [
        notice(n, "x", NOON_MS + random.randrange(HOUR_MS), random.choice([*TEMPLATES, "odd"]), reason=text(900),
               category={"code": "9", "zh": text(300), "en": text(300)}, incident_id=text(300) or None,
               cell=text(200), target=text(100), report_id=text(300))
        for n in range(random.choice([1, 1, 2, 30]))
    ]  # fmt: skip
    message = compose("x", rows, Voice(random.choice(["zh", "en"]), ZONE))
    assert len(message.text) <= TEXT_MAX
    assert len(message.subject) <= SUBJECT_MAX
    assert (message.subject + message.text).replace("\n", "").isprintable()
    assert len(message.text.split("\n")) <= len(rows) + 2


def test_what_a_person_wrote_as_a_reason_is_masked() -> None:
    made = decode_notice(msgspec.json.encode(record(1, reason="call 13812345678 or li@example.org")))
    assert made.reason == "call *** or ***"
    assert decode_notice(msgspec.json.encode(record(1, reason=None))).reason is None


def test_the_id_of_a_message_follows_from_its_notices() -> None:
    one, two = notice(1), notice(2)
    ids = [compose("x", rows, VOICE).message_id for rows in ([one], [two], [one, two], [two, one])]
    assert len(set(ids)) == 4
    assert compose("y", [one], ENGLISH).message_id == ids[0]


def test_an_address_is_not_shown() -> None:
    message = compose("x", [notice(1)], VOICE, address="li@example.org")
    assert "example" not in repr(message)
    assert "address" in {each.name for each in fields(Message)}


@pytest.mark.parametrize(
    ("change", "urgent"),
    [({"severity": 1}, True), ({"severity": 2}, True), ({"severity": 3}, False), ({"severity": None}, False),
     ({"template": "supervise", "severity": 4}, True), ({"template": "report", "severity": None}, False)],
)  # fmt: skip
def test_urgent(change: dict, urgent: bool) -> None:
    assert is_urgent(msgspec.convert({**record(1), **change}, Notice)) is urgent


@pytest.mark.parametrize(
    "change",
    [{"at": "yesterday"}, {"at": "2026-03-02T04:00:00"}, {"at": "0001-01-01T00:00:00Z"}, {"due": "soon"}, {"to": ""},
     {"due": "9999-12-31T23:59:59Z"}, {"notice_id": ""}, {"severity": "high"}, {"template": None}, {"category": "gas"}],
)  # fmt: skip
def test_what_is_no_notice(change: dict) -> None:
    with pytest.raises(Unreadable):
        decode_notice(msgspec.json.encode({**record(1), **change}))
    assert decode_notice(msgspec.json.encode(record(1))).at_ms == NOON_MS


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_no_catalogue_knows_is_told_as_it_was_said(language: Language) -> None:
    made = decode_notice(msgspec.json.encode(record(1, category={"code": None, "said": "heating"})))
    assert "heating" in Voice(language, ZONE).case(made)
    unsaid = decode_notice(msgspec.json.encode(record(1, category={"code": None, "said": ""})))
    assert Voice(language, ZONE).case(unsaid) == Voice(language, ZONE).case(
        msgspec.structs.replace(unsaid, category=None)
    )
