"""CAP 1.2 in, a typed alert out (OASIS Common Alerting Protocol Version 1.2, 1 July 2010; chapter 3 names the fields).

Read are the fields that say what, how bad, when and where; texts for the public and resources are left alone. Where
the standard asks for more than a reader needs, the reader is lenient and says so: an instant may end in `Z` and may
have fractions of a second (3.3.2 forbids both; many senders write them).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeVar

from dispatcher.alerts.areas import Area, Circle, Point, read_circle, read_polygon
from dispatcher.alerts.xml_nodes import Node, XmlError, read_xml
from dispatcher.core import datetime_to_ms

__all__ = [
    "NAMESPACE",
    "Alert",
    "AlertError",
    "AlertProblem",
    "Area",
    "Circle",
    "Info",
    "MessageType",
    "Point",
    "Reference",
    "Scope",
    "Severity",
    "Status",
    "read_cap",
]

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
_RESTRICTED = frozenset(" ,<&")  # 3.2.1: not in an identifier or a sender; references are told apart by them


class Status(StrEnum):
    """How an alert is meant; only `Actual` is about the world."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    SYSTEM = "System"
    TEST = "Test"
    DRAFT = "Draft"


class MessageType(StrEnum):
    """What an alert is to those before it."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"
    ACK = "Ack"
    ERROR = "Error"


class Scope(StrEnum):
    """Whom it may be told."""

    PUBLIC = "Public"
    RESTRICTED = "Restricted"
    PRIVATE = "Private"


class Severity(StrEnum):
    """How bad, the worst first."""

    EXTREME = "Extreme"
    SEVERE = "Severe"
    MODERATE = "Moderate"
    MINOR = "Minor"
    UNKNOWN = "Unknown"


class Urgency(StrEnum):
    """How soon."""

    IMMEDIATE = "Immediate"
    EXPECTED = "Expected"
    FUTURE = "Future"
    PAST = "Past"
    UNKNOWN = "Unknown"


class Certainty(StrEnum):
    """How sure; CAP 1.0's `Very Likely` counts as `Likely` (3.2.2)."""

    OBSERVED = "Observed"
    LIKELY = "Likely"
    POSSIBLE = "Possible"
    UNLIKELY = "Unlikely"
    UNKNOWN = "Unknown"


class Reference(NamedTuple):
    """What names one alert for good: its sender, its identifier, and when it was sent, as written."""

    sender: str
    identifier: str
    sent: str


@dataclass(frozen=True, slots=True)
class Info:
    """One event of an alert in one language. Instants in epoch ms; None where the alert does not say."""

    event: str
    urgency: Urgency
    severity: Severity
    certainty: Certainty
    language: str
    effective_ms: int | None
    onset_ms: int | None
    expires_ms: int | None
    sender_name: str
    headline: str
    areas: tuple[Area, ...]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert. `reference` is how others will refer to it."""

    identifier: str
    sender: str
    sent_ms: int
    status: Status
    message_type: MessageType
    scope: Scope
    reference: Reference
    references: tuple[Reference, ...]
    infos: tuple[Info, ...]


class AlertProblem(NamedTuple):
    """One reason why a file is no alert; `line` counts from 1."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.line}: {self.message}"


class AlertError(ValueError):
    """The file cannot be used; `problems` lists every reason, in the order of the file."""

    def __init__(self, problems: list[AlertProblem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


def read_cap(data: bytes) -> Alert:
    """Read an alert.

    Raises:
        AlertError: with every problem found.
    """
    try:
        root = read_xml(data)
    except XmlError as error:
        raise AlertError([AlertProblem(error.line, error.message)]) from None
    if (root.namespace, root.name) != (NAMESPACE, "alert"):
        found = f"{root.name} of {root.namespace or 'no namespace'}"
        raise AlertError([AlertProblem(root.line, f"expected alert of {NAMESPACE}, not {found}")])
    reader = _Reader()
    alert = reader.alert(root)
    if reader.problems:
        raise AlertError(reader.problems)
    return alert


E_ = TypeVar("E_", bound=StrEnum)


class _Reader:
    """Collects problems; what could not be read has a value that is never seen, because the alert is refused."""

    def __init__(self) -> None:
        self.problems: list[AlertProblem] = []

    def alert(self, root: Node) -> Alert:
        identifier, sender = self.name(root, "identifier"), self.name(root, "sender")
        sent = self.text(root, "sent")
        message_type = self.one_of(root, "msgType", MessageType)
        scope = self.one_of(root, "scope", Scope)
        for need, wanted in (("restriction", Scope.RESTRICTED), ("addresses", Scope.PRIVATE)):
            if scope is wanted:
                self.text(root, need)
        references = self.references(root)
        if message_type in (MessageType.UPDATE, MessageType.CANCEL) and not references:
            node, what = next(((node, "empty") for node in root.all("references")), (root, "missing"))
            if not node.text:  # what could not be read is a problem already
                self.problem(node, f"references is {what}: {message_type} says what it is about")
        return Alert(
            identifier=identifier,
            sender=sender,
            sent_ms=self.instant(root, "sent") or 0,
            status=self.one_of(root, "status", Status),
            message_type=message_type,
            scope=scope,
            reference=Reference(sender, identifier, sent),
            references=references,
            infos=tuple(self.info(node) for node in root.all("info")),
        )

    def info(self, node: Node) -> Info:
        certainty = node.all("certainty")
        if certainty and certainty[0].text == "Very Likely":
            certainty[0].text = Certainty.LIKELY
        return Info(
            event=self.text(node, "event"),
            urgency=self.one_of(node, "urgency", Urgency),
            severity=self.one_of(node, "severity", Severity),
            certainty=self.one_of(node, "certainty", Certainty),
            language=self.text(node, "language", needed=False) or "en-US",  # 3.2.2: the default
            effective_ms=self.instant(node, "effective"),
            onset_ms=self.instant(node, "onset"),
            expires_ms=self.instant(node, "expires"),
            sender_name=self.text(node, "senderName", needed=False),
            headline=self.text(node, "headline", needed=False),
            areas=tuple(self.area(area) for area in node.all("area")),
        )

    def area(self, node: Node) -> Area:
        polygons, circles = [], []
        for child in node.all("polygon"):
            try:
                polygons.append(read_polygon(child.text))
            except ValueError as error:
                self.problem(child, f"polygon: {error}")
        for child in node.all("circle"):
            try:
                circles.append(read_circle(child.text))
            except ValueError as error:
                self.problem(child, f"circle: {error}")
        geocodes = tuple((self.text(code, "valueName"), self.text(code, "value")) for code in node.all("geocode"))
        return Area(self.text(node, "areaDesc"), tuple(polygons), tuple(circles), geocodes)

    def references(self, root: Node) -> tuple[Reference, ...]:
        found = []
        for node in root.all("references"):
            for triple in node.text.split():
                parts = triple.split(",")
                if len(parts) != 3 or not all(parts):
                    self.problem(node, f"references: expected sender,identifier,sent, not {triple[:80]!r}")
                else:
                    found.append(Reference(*parts))
        return tuple(found)

    def name(self, node: Node, name: str) -> str:
        text = self.text(node, name)
        if _RESTRICTED & set(text):
            self.problem(node.all(name)[0], f"{name}: no spaces, commas, < or & may stand in it")
        return text

    def instant(self, node: Node, name: str) -> int | None:
        text = self.text(node, name, needed=False)
        if not text:
            return None
        try:
            return datetime_to_ms(datetime.fromisoformat(text))
        except ValueError:
            expected = "expected an instant with its offset, as 2026-07-20T18:30:00+08:00"
            self.problem(node.all(name)[0], f"{name}: {expected}, not {text[:40]!r}")
            return None

    def one_of(self, node: Node, name: str, kind: type[E_]) -> E_:
        text = self.text(node, name)
        try:
            return kind(text)
        except ValueError:
            if text:
                self.problem(node.all(name)[0], f"{name}: expected one of {', '.join(kind)}, not {text[:40]!r}")
            return next(iter(kind))

    def text(self, node: Node, name: str, *, needed: bool = True) -> str:
        found = node.all(name)
        if len(found) > 1:
            self.problem(found[1], f"{name} stands there twice")
        if found and (found[0].text or not needed):
            return found[0].text
        if needed:
            self.problem(found[0] if found else node, f"{name} is {'empty' if found else 'missing'}")
        return ""

    def problem(self, node: Node, message: str) -> None:
        self.problems.append(AlertProblem(node.line, message))
