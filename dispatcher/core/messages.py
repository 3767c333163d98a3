"""What comes in: reports, updates and commands as typed records, and the work they become after stage 1.

Field names are the wire's (see docs/messages.md). Structs are the one source: JSON Schema is generated from them.
Unknown top-level fields are ignored and counted; unknown values of known fields are refused.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from geo import Place

__all__ = [
    "ACTIONS",
    "MESSAGE_BYTES_MAX",
    "Action",
    "Actor",
    "Clock",
    "Command",
    "Location",
    "Position",
    "Reason",
    "Record",
    "Rejected",
    "Report",
    "ReportRef",
    "ReportWork",
    "Reporter",
    "Source",
    "Update",
    "UpdateWork",
    "Whistle",
    "Work",
]

MESSAGE_BYTES_MAX = 65_536  # one message; 4,000 characters of text, 20 links and 64 attributes fit three times over
TEXT_CHARS_MAX = 4_000
MEDIA_MAX = 20
ATTRIBUTES_MAX = 64

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Code = Annotated[str, Meta(min_length=1, max_length=128)]
Text = Annotated[str, Meta(max_length=TEXT_CHARS_MAX)]
Label = Annotated[str, Meta(max_length=256)]
Link = Annotated[str, Meta(max_length=1_024)]
Instant = Annotated[datetime, Meta(tz=True)]
Scalar = str | int | float | bool | None
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Degrees = float
RequestKind = Literal["inquiry", "help", "complaint", "tip_off", "suggestion", "praise", "observation"]


class Location(Struct, frozen=True, gc=False, omit_defaults=True):
    """Where, as the source says it: a position, a cell, an asset or an address."""

    lon: Degrees | None = None
    lat: Degrees | None = None
    crs: Literal["wgs84", "cgcs2000", "gcj02", "bd09"] | None = None
    accuracy_m: Annotated[float, Meta(ge=0, le=100_000)] | None = None
    cell: Code | None = None
    asset: Code | None = None
    address: Label | None = None


class Reporter(Struct, frozen=True, gc=False, omit_defaults=True):
    """Personal data: read by stage 1 only, kept on `reporters`, never passed on."""

    name: Label | None = None
    phone: Label | None = None
    email: Label | None = None
    anonymous: bool = False


class Whistle(Struct, frozen=True, gc=False, omit_defaults=True):
    """A street's call that compels departments to attend."""

    unit: Code
    kind: Label
    departments: Annotated[tuple[Code, ...], Meta(max_length=32)] = ()


class Report(Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """One message from one source about one thing; (source, report_id) is unique."""

    report_id: Id
    source: Code
    reported_at: Instant
    category: Label
    request_kind: RequestKind | None = None
    standard: Code | None = None
    severity: Annotated[int, Meta(ge=1, le=4)] | None = None
    location: Location | None = None
    text: Text | None = None
    attributes: Annotated[dict[Label, Scalar], Meta(max_length=ATTRIBUTES_MAX)] = {}
    media: Annotated[tuple[Link, ...], Meta(max_length=MEDIA_MAX)] = ()
    confidence: Share | None = None
    tags: Annotated[tuple[Label, ...], Meta(max_length=32)] = ()
    promised_at: Instant | None = None
    whistle: Whistle | None = None
    confidential: bool = False
    external_refs: Annotated[tuple[Label, ...], Meta(max_length=32)] = ()
    reporter: Reporter | None = None


class LenientReport(Report, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=False):
    """The same with unknown top-level fields ignored: tried second, so that they can be counted for free."""


class Action(StrEnum):
    """What an update may ask for. The table of who may and when is in `lifecycle`."""

    VERIFY = "verify"
    FILE = "file"
    ACKNOWLEDGE = "acknowledge"
    ARRIVE = "arrive"
    CONFIRM_ARRIVAL = "confirm_arrival"
    NOTE = "note"
    RETURN = "return"
    REFUSE_RETURN = "refuse_return"
    ACCEPT_RETURN = "accept_return"
    ASSIGN = "assign"
    DONE = "done"
    CHECK = "check"
    VOID = "void"


ACTIONS = tuple(Action)


class Actor(Struct, frozen=True, gc=False, omit_defaults=True):
    """Who acts, as authenticated: never what a message says of itself (except on `updates`, which the gateway writes).

    `role` is one of surfaces.md's (department, street, officer, dispatcher, checker, …) or `system`.
    """

    role: Label
    department: Code | None = None
    unit: Code | None = None
    person: Label | None = None


class ReportRef(Struct, frozen=True, gc=False):
    """An incident named by one of its reports."""

    source: Code
    report_id: Id


class Update(Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """One action on one incident. (incident, update_id) is the idempotency key.

    The action's own fields are flat and optional here; `lifecycle.NEEDS` says which action needs which.
    """

    update_id: Id
    action: Action
    at: Instant
    incident_id: Id | None = None
    report: ReportRef | None = None
    revision: Annotated[int, Meta(ge=0)] | None = None
    actor: Actor | None = None
    result: Literal["exists", "not_exists", "unable", "pass", "fail"] | None = None
    category: Label | None = None
    severity: Annotated[int, Meta(ge=1, le=4)] | None = None
    standard: Code | None = None
    department: Code | None = None
    unit: Code | None = None
    departments: Annotated[tuple[Code, ...], Meta(max_length=32)] = ()
    lead: Code | None = None
    support: Annotated[tuple[Code, ...], Meta(max_length=32)] = ()
    reason_code: Code | None = None
    text: Text | None = None
    media: Annotated[tuple[Link, ...], Meta(max_length=MEDIA_MAX)] = ()
    position: Location | None = None
    flags: Annotated[tuple[Label, ...], Meta(max_length=8)] = ()


class LenientUpdate(Update, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=False):
    """The same with unknown top-level fields ignored."""


class Command(Struct, frozen=True, gc=False, omit_defaults=True):
    """An administrator's event on `control`; refused when `expects` is not the policy in force."""

    command_id: Id
    command: Literal["activate"]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    expects: str | None = None
    actor: Actor | None = None
    reason: Label | None = None


class Reason(StrEnum):
    """Why a record was rejected: a closed list."""

    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    TOO_LARGE = "too_large"
    UNKNOWN_SOURCE = "unknown_source"
    BAD_TIME = "bad_time"
    UNKNOWN_INCIDENT = "unknown_incident"
    UNKNOWN_PARTITION = "unknown_partition"
    NOT_ALLOWED = "not_allowed"
    CONFLICT = "conflict"
    STALE = "stale"
    ENGINE_ERROR = "engine_error"
    BAD_LOCATION = "bad_location"
    UNKNOWN_CELL = "unknown_cell"
    UNKNOWN_CATEGORY = "unknown_category"


class Record(Struct, frozen=True, gc=False):
    """One record of the ledger as stage 1 reads it.

    `seq` is its place in the one order the engine follows; `offset` its place in its own topic, which does not depend
    on what other topics hold (clock records may stand anywhere without changing an output).
    """

    seq: int
    topic: str
    partition: int
    offset: int
    time_ms: int
    key: str | None
    value: bytes


class Source(Struct, frozen=True, gc=False):
    """Where a record came from: its topic, partition, offset there, and when it was appended."""

    topic: str
    partition: int
    offset: int
    time_ms: int

    @property
    def key(self) -> str:
        """As one word: the key of a rejection."""
        return f"{self.topic}/{self.partition}/{self.offset}"


# Every work record has its place (`seq`) and time in the log the engine follows, and the `origin` it came from.


class ReportWork(Struct, frozen=True, gc=False, tag="report"):
    """A located report; `report` has lost its reporter, `digest` is over its whole content."""

    seq: int
    time_ms: int
    origin: Source
    report: Report
    place: Place
    digest: int
    has_reporter: bool
    reported_ms: int
    promised_ms: int | None


class UpdateWork(Struct, frozen=True, gc=False, tag="update"):
    """An update with its authenticated actor; `digest` is over its content."""

    seq: int
    time_ms: int
    origin: Source
    update: Update
    actor: Actor
    digest: int
    at_ms: int


class CommandWork(Struct, frozen=True, gc=False, tag="command"):
    """A command, in the one order of `control`."""

    seq: int
    time_ms: int
    origin: Source
    command: Command


class Rejected(Struct, frozen=True, gc=False, tag="rejected"):
    """A record that stage 1 refused; `original` is masked."""

    seq: int
    time_ms: int
    origin: Source
    reason: Reason
    detail: str
    original: str
    key: str | None = None


class Clock(Struct, frozen=True, gc=False, tag="clock"):
    """Nothing but the time: appended by the owner of the partition when its next timer is due."""

    seq: int
    time_ms: int
    origin: Source


Work = ReportWork | UpdateWork | CommandWork | Rejected | Clock


class Position(Struct, frozen=True, gc=False):
    """How far a partition's log has been consumed: the last record's place in the log, and its time."""

    offset: int = -1
    time_ms: int = 0


def json_schema(kind: type[Any]) -> dict[str, Any]:
    """JSON Schema of one of the structs above."""
    from msgspec.json import schema

    return schema(kind)
