"""What comes in: reports and updates as typed records; commands are in `control`.

Field names are the wire's (see docs/messages.md). Structs are the one source: JSON Schema is generated from them.
Unknown top-level fields are ignored and counted; unknown values of known fields are refused.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

__all__ = [
    "ACTIONS",
    "MESSAGE_BYTES_MAX",
    "Action",
    "Actor",
    "Location",
    "MilestonePlan",
    "Private",
    "Reason",
    "Report",
    "ReportRef",
    "Reporter",
    "Update",
    "Whistle",
    "private_of",
]

MESSAGE_BYTES_MAX = 65_536  # one message; 4,000 characters of text, 20 links and 64 attributes fit three times over
TEXT_CHARS_MAX = 4_000
MEDIA_MAX = 20
ATTRIBUTES_MAX = 64
MILESTONES_MAX = 20  # of one supervised project

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


class Private(Reporter, frozen=True, gc=False, omit_defaults=True):
    """What `reporters` keeps of one report: who told it and the words as they were told, not masked.

    Read by the gateway for whose business they are; `confidential` and `request_kind` say from whom they are kept.
    """

    confidential: bool = False
    request_kind: RequestKind | None = None
    text: Text | None = None
    address: Label | None = None
    media: Annotated[tuple[Link, ...], Meta(max_length=MEDIA_MAX)] = ()


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


def private_of(report: Report) -> Private | None:
    """What of a report only some may read; None when there is nothing."""
    told, where = report.reporter, report.location
    address = None if where is None else where.address
    if told is None and not report.text and not report.media and address is None:
        return None
    told = told or Reporter()
    return Private(
        told.name, told.phone, told.email, told.anonymous,
        report.confidential, report.request_kind, report.text, address, report.media,
    )  # fmt: skip


class Action(StrEnum):
    """What an update may ask for. The table of who may and when is in `actions`."""

    VERIFY = "verify"
    FILE = "file"
    ANSWER_AT_DESK = "answer_at_desk"
    REFER = "refer"
    SELF_HANDLED = "self_handled"
    CLAIM = "claim"
    RELEASE = "release"
    ACKNOWLEDGE = "acknowledge"
    ARRIVE = "arrive"
    DELEGATE = "delegate"
    PROGRESS = "progress"
    NOTE = "note"
    REVIEW = "review"
    CONTACT = "contact"
    RETURN = "return"
    DONE = "done"
    REQUEST = "request"
    APPROVE = "approve"
    REFUSE = "refuse"
    END_HOLD = "end_hold"
    REFUSE_RETURN = "refuse_return"
    ACCEPT_RETURN = "accept_return"
    ASSIGN = "assign"
    RECALL = "recall"
    RECLASSIFY = "reclassify"
    URGE = "urge"
    SUPERVISE = "supervise"
    REPLY = "reply"
    MILESTONE = "milestone"
    CLEAR = "clear"
    WHISTLE = "whistle"
    CONFIRM_ARRIVAL = "confirm_arrival"
    END_WHISTLE = "end_whistle"
    RATE = "rate"
    MERGE = "merge"
    SPLIT = "split"
    CHECK = "check"
    CALLBACK = "callback"
    REOPEN_REQUEST = "reopen_request"
    REOPEN = "reopen"
    REFUSE_REOPEN = "refuse_reopen"
    VOID = "void"
    CLOSE_FORCED = "close_forced"


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


class MilestonePlan(Struct, frozen=True, gc=False):
    """A step of a supervised project, and by when it is to be reached."""

    name: Label
    due: Instant


class Update(Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """One action on one incident. (incident, update_id) is the idempotency key.

    The action's own fields are flat and optional here; `actions.ACTION_TABLE` says which action needs which. An update
    that is about one report (a contact, a callback, a split) names it by `report`.
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
    location: Location | None = None
    person: Label | None = None
    body: Code | None = None
    external_no: Label | None = None
    kind: Code | None = None
    number: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    until: Instant | None = None
    name: Label | None = None
    milestones: Annotated[tuple[MilestonePlan, ...], Meta(max_length=MILESTONES_MAX)] = ()
    into: Id | None = None
    score: Annotated[int, Meta(ge=1, le=5)] | None = None
    reached: bool | None = None
    answered: bool | None = None
    resolved: bool | None = None
    satisfied: bool | None = None


class LenientUpdate(Update, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=False):
    """The same with unknown top-level fields ignored."""


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


def json_schema(kind: type[Any]) -> dict[str, Any]:
    """JSON Schema of one of the structs above."""
    from msgspec.json import schema

    return schema(kind)
