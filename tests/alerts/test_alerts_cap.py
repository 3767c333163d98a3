"""Reading CAP 1.2: what is read, every problem with its line, and files that are made to do harm."""

from pathlib import Path
from random import Random

import pytest
from alerts_cases import HEAD, NOW_MS, alert, area, box, info

from dispatcher.alerts import AlertError, Reference, Severity, read_cap
from dispatcher.alerts.areas import Area, Circle, Point
from dispatcher.alerts.cap import NAMESPACE, Certainty, MessageType, Scope, Status, Urgency
from dispatcher.alerts.xml_nodes import BYTES_MAX, DEPTH_MAX

EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "city" / "alerts"


def problems(data: bytes) -> list[tuple[int, str]]:
    with pytest.raises(AlertError) as error:
        read_cap(data)
    assert str(error.value) == "\n".join(f"{line}: {message}" for line, message in error.value.problems)
    return list(error.value.problems)


def test_everything_that_is_read() -> None:
    square = box(100, 20, 101, 21)
    where = area(polygons=[square], circles=["20.5,100.5 2.5"], geocodes=[("cell", "W"), ("SAME", "006109")])
    said = info(where, area(name="south"), language="zh-CN", effective="2026-07-20T18:40:00+08:00",
                onset="2026-07-20T19:00:00+08:00")  # fmt: skip
    later = info(certainty="Very Likely", urgency="Past", expires=None, severity="Minor")
    named = "a@b,X,2026-07-20T10:00:00-00:00\n c@d,Y,2026-07-20T11:00:00Z"
    made = read_cap(alert(said, later, msgType="Update", references=named))
    assert (made.identifier, made.sender, made.status) == ("A1", "weather@example.org", Status.ACTUAL)
    assert (made.message_type, made.scope, made.sent_ms) == (MessageType.UPDATE, Scope.PUBLIC, NOW_MS - 1_800_000)
    assert made.reference == Reference("weather@example.org", "A1", HEAD["sent"])
    assert made.references == (Reference("a@b", "X", "2026-07-20T10:00:00-00:00"),
                               Reference("c@d", "Y", "2026-07-20T11:00:00Z"))  # fmt: skip
    first, second = made.infos
    assert (first.event, first.language, first.headline, first.sender_name) == (
        "暴雨",
        "zh-CN",
        "暴雨红色预警",
        "气象台",
    )
    assert (first.urgency, first.severity, first.certainty) == (Urgency.IMMEDIATE, Severity.EXTREME, Certainty.LIKELY)
    assert (first.effective_ms, first.onset_ms) == (NOW_MS - 1_200_000, NOW_MS)
    assert first.expires_ms == NOW_MS + 6 * 3_600_000
    ring = (Point(100, 20), Point(101, 20), Point(101, 21), Point(100, 21), Point(100, 20))
    assert first.areas == (
        Area("north", (ring,), (Circle(Point(100.5, 20.5), 2_500),), (("cell", "W"), ("SAME", "006109"))),
        Area("south", (), (), ()),
    )
    assert (second.certainty, second.urgency, second.expires_ms) == (Certainty.LIKELY, Urgency.PAST, None)
    assert (second.language, second.areas) == ("en-US", ())


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.xml")))
def test_examples_can_be_read(name: str) -> None:
    assert read_cap((EXAMPLES / name).read_bytes()).infos


def test_encodings_prefixes_and_namespaces() -> None:
    text = alert(info(area(polygons=[box(1, 2, 3, 4)]))).decode()
    declared = '<?xml version="1.0" encoding="UTF-16"?>' + text
    assert read_cap(declared.encode("utf-16")) == read_cap(text.encode())
    prefixed = text.replace("</", "</c:").replace("<", "<c:").replace("<c:/c:", "</c:").replace("xmlns=", "xmlns:c=")
    assert read_cap(prefixed.encode()) == read_cap(text.encode())
    mixed = text.replace("<identifier>", '<identifier xmlns="urn:other">x</identifier><identifier>')
    assert read_cap(mixed.encode()) == read_cap(text.encode())
    for other in (text.replace(":1.2", ":1.1"), text.replace(f' xmlns="{NAMESPACE}"', ""), "<html/>"):
        ((line, message),) = problems(other.encode())
        assert line == 1
        assert message.startswith(f"expected alert of {NAMESPACE}, not ")


WRONG = {
    "identifier": (alert(identifier=None), 1, "identifier is missing"),
    "empty": (alert(identifier=" "), 2, "identifier is empty"),
    "a space in it": (alert(identifier="a b"), 2, "identifier: no spaces"),
    "a comma in it": (alert(sender="a,b"), 3, "sender: no spaces"),
    "sent": (alert(sent=None), 1, "sent is missing"),
    "without an offset": (alert(sent="2026-07-20T18:30:00"), 4, "sent: expected an instant"),
    "no instant": (alert(sent="today"), 4, "not 'today'"),
    "status": (alert(status="Real"), 5, "status: expected one of Actual, Exercise"),
    "type": (alert(msgType="actual"), 6, "msgType: expected one of Alert"),
    "scope": (alert(scope=None), 1, "scope is missing"),
    "restricted": (alert(scope="Restricted"), 1, "restriction is missing"),
    "private": (alert(scope="Private"), 1, "addresses is missing"),
    "cancel": (alert(msgType="Cancel"), 1, "references is missing: Cancel says"),
    "cancel of nothing": (alert(msgType="Cancel", references=""), 8, "references is empty: Cancel says"),
    "update of nothing": (alert(msgType="Update", references=" "), 8, "references is empty: Update says"),
    "update of rubbish": (alert(msgType="Update", references="a,b"), 8, "references: expected sender"),
    "references": (alert(references="a,b"), 8, "references: expected sender,identifier,sent, not 'a,b'"),
    "empty reference": (alert(references="a,,c"), 8, "references: expected"),
    "twice": (alert() .replace(b"<scope>", b"<scope>Public</scope>\n<scope>"), 8, "scope stands there twice"),
    "event": (alert(info(event=None)), 8, "event is missing"),
    "severity": (alert(info(severity="Bad")), 12, "severity: expected one of Extreme"),
    "expires": (alert(info(expires="soon")), 14, "expires: expected an instant"),
    "areaDesc": (alert(info("<area></area>")), 17, "areaDesc is missing"),
    "open ring": (alert(info(area(polygons=["1,1 1,2 2,2 2,1"]))), 17, "polygon: the last position is not the first"),
    "short ring": (alert(info(area(polygons=["1,1 1,2 1,1"]))), 17, "polygon: 3 positions"),
    "no comma": (alert(info(area(polygons=["1 2 3 4"]))), 17, "polygon: expected lat,lon, not '1'"),
    "longitude first": (alert(info(area(circles=["103.5,25.2 1"]))), 17, "is not on the earth; latitude comes first"),
    "not finite": (alert(info(area(circles=["nan,25.2 1"]))), 17, "circle: 'nan' is not a number"),
    "no number": (alert(info(area(circles=["x,25.2 1"]))), 17, "circle: 'x' is not a number"),
    "no radius": (alert(info(area(circles=["20,25.2"]))), 17, "circle: expected lat,lon radius"),
    "negative": (alert(info(area(circles=["20,25.2 -1"]))), 17, "circle: a radius of -1 km"),
    "endless": (alert(info(area(circles=["20,25.2 inf"]))), 17, "circle: 'inf' is not a number"),
    "geocode": (alert(info(area(geocodes=[("cell", "")]))), 17, "value is empty"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "line", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong(data: bytes, line: int, said: str) -> None:
    ((found_line, message),) = problems(data)
    assert found_line == line, message
    assert said in message


def test_all_problems_at_once_in_the_order_of_the_file() -> None:
    data = alert(info(area(polygons=["1"], circles=["2"]), severity="Bad", event=None), status="Real", sent="x")
    found = problems(data)
    assert [line for line, _ in found] == [4, 5, 8, 11, 16, 16]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not XML: no element found"),
        (b"{}", "not XML"),
        (b"<alert>", "not XML: no element found"),
        (b"<a><b></a>", "not XML: mismatched tag"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "not XML"),
        (b"<a>\xff</a>", "not XML"),
        (b"<!DOCTYPE alert><alert/>", "a document type declaration is not allowed"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "a document type declaration is not allowed"),
        (b'<!DOCTYPE a [<!ENTITY b "b"><!ENTITY c "&b;&b;">]><a>&c;</a>', "a document type declaration"),
        ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>'.encode("utf-16"),
         "a document type declaration"),
        (b"<a>&nbsp;</a>", "not XML: undefined entity"),
        (b"<a>" * (DEPTH_MAX + 1), "elements inside each other"),
        (b"<a>" * 50_000, "elements inside each other"),
        (b" " * (BYTES_MAX + 1), "at most 2000000 are read"),
    ],
)  # fmt: skip
def test_what_is_no_xml_or_is_made_to_do_harm(data: bytes, said: str) -> None:
    ((_, message),) = problems(data)
    assert said in message


def test_damaged_files_are_refused_with_words() -> None:
    """Any bytes at all: an alert, or an AlertError with at least one problem."""
    random = Random(5)
    whole = alert(info(area(polygons=[box(1, 2, 3, 4)], circles=["1,2 3"], geocodes=[("cell", "W")])),
                  msgType="Update", references="a,b,c")  # fmt: skip
    refused, found = 0, []
    for _ in range(2_000):
        damaged = bytearray(whole)
        for _ in range(random.randint(1, 4)):
            place = random.randrange(len(damaged))
            if random.random() < 0.5:
                damaged[place] = random.randrange(256)
            else:
                del damaged[place : place + random.randrange(40)]
        try:
            read_cap(bytes(damaged))
        except AlertError as error:
            refused += 1
            found.append(error.problems)
    assert 500 < refused < 2_000
    assert all(problems for problems in found)
    assert all(line >= 1 and message for problems in found for line, message in problems)


def test_a_large_alert_is_read_in_reasonable_time() -> None:
    ring = " ".join(f"{20 + n / 1e5:.5f},{100 + n % 7 / 1e3:.3f}" for n in range(30_000))
    data = alert(info(area(polygons=[f"{ring} {ring.split()[0]}"])))
    assert len(read_cap(data).infos[0].areas[0].polygons[0]) == 30_001
