"""Stage 1: bytes -> typed report, update or command, or a rejection with its reason -> place.

Stateless: what a record becomes depends on the record, `config.yaml` and the grid alone, so a record read again after
a crash becomes the same work. Everything the policy decides (sources, categories, roles) is left to stage 2.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import DecodeError, ValidationError

from dispatcher.core.actions import ACTION_TABLE
from dispatcher.core.control import Command
from dispatcher.core.instants import DAY_MS, datetime_to_ms
from dispatcher.core.locate import NOWHERE, Asked, Places, Whereabouts
from dispatcher.core.messages import (
    MESSAGE_BYTES_MAX,
    Action,
    Actor,
    LenientReport,
    LenientUpdate,
    Reason,
    Report,
    Update,
    private_of,
)
from dispatcher.core.privacy import mask_original, mask_text
from dispatcher.core.work import Clock, CommandWork, Record, Rejected, ReportWork, Source, UpdateWork, Work

__all__ = ["CLOCK", "CONTROL", "REPORTS", "UPDATES", "Intake", "Taken", "digest_of", "is_report", "reject_unread"]

REPORTS, UPDATES, CONTROL, CLOCK = "reports", "updates", "control", "clock"
DEPARTMENT_UPDATES: Final = "updates."
AHEAD_MAX_MS = DAY_MS  # a report may be dated this far ahead of its record: clocks of phones are wrong by hours
ACTED_ON: Final = "update"  # positions of updates are of no source: WGS 84 unless they say otherwise
EARLIEST_MS = 0  # nothing is dated before 1970
LATEST_MS = 253_402_300_799_999  # nor after the year 9999 in UTC, which text could not say

_report = msgspec.json.Decoder(Report)
_report_lenient = msgspec.json.Decoder(LenientReport)
_update = msgspec.json.Decoder(Update)
_update_lenient = msgspec.json.Decoder(LenientUpdate)
_command: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_canonical = msgspec.json.Encoder(order="deterministic")

_TIME_FIELDS = ("$.reported_at", "$.promised_at", "$.at", "$.until", "$.since")


T = TypeVar("T")
M = TypeVar("M", Report, Update)


class Taken(NamedTuple):
    """What one batch became: work in the order of the records, personal data apart, and what was ignored."""

    work: list[Work]
    reporters: list[tuple[str, bytes]]
    unknown_fields: int


class _Refusal(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class Intake:
    """Takes batches of records in; knows where things are, not what the policy says of them."""

    def __init__(self, placer: Places) -> None:
        self._placer = placer

    def take(self, records: Sequence[Record]) -> Taken:
        """Turn records into work, one for one and in order.

        Never raises for what a record holds: that becomes a `Rejected` with its reason.
        """
        taken = Taken([], [], 0)
        work, unknown_fields = taken.work, 0
        unplaced: list[tuple[int, Whereabouts]] = []
        for record in records:
            try:
                item, lenient = self._read(record)
            except _Refusal as refusal:
                work.append(_rejected(record, refusal.reason, refusal.detail))
                continue
            unknown_fields += lenient
            if type(item) is ReportWork:
                unplaced.append((len(work), item.report))
                item = _set_apart(item, taken.reporters)
            elif type(item) is UpdateWork and item.update.location is not None:
                unplaced.append((len(work), Asked(ACTED_ON, item.update.location)))
            work.append(item)
        self._place(work, unplaced)
        return taken._replace(unknown_fields=unknown_fields)

    def _read(self, record: Record) -> tuple[Work, int]:
        topic = record.topic
        if len(record.value) > MESSAGE_BYTES_MAX:
            raise _Refusal(Reason.TOO_LARGE, f"{len(record.value)} bytes; at most {MESSAGE_BYTES_MAX}")
        if topic == REPORTS:
            return _read_report(record)
        if topic == UPDATES or topic.startswith(DEPARTMENT_UPDATES):
            return _read_update(record)
        if topic == CLOCK:
            return Clock(record.seq, record.time_ms, _source(record)), 0
        if topic == CONTROL:
            return _read_command(record), 0
        raise ValueError(f"the engine does not follow the topic {topic}")

    def _place(self, work: list[Work], unplaced: Sequence[tuple[int, Whereabouts]]) -> None:
        if not unplaced:
            return
        places = self._placer.place([asked for _, asked in unplaced])
        for (index, _), place in zip(unplaced, places, strict=True):
            item = work[index]
            if isinstance(item, UpdateWork):
                work[index] = msgspec.structs.replace(item, place=place)
                continue
            assert isinstance(item, ReportWork)  # noqa: S101 - the index was made from it
            work[index] = ReportWork(
                item.seq, item.time_ms, item.origin, item.report, place, item.digest, item.has_reporter,
                item.reported_ms, item.promised_ms,
            )  # fmt: skip


def _set_apart(item: ReportWork, reporters: list[tuple[str, bytes]]) -> ReportWork:
    """What is private of a report goes to `reporters`; who told it goes no further."""
    report = item.report
    private = private_of(report)
    if private is not None:
        reporters.append((f"{report.source}/{report.report_id}", _canonical.encode(private)))
    if report.reporter is None:
        return item
    return msgspec.structs.replace(item, report=msgspec.structs.replace(report, reporter=None))


def is_report(value: bytes, time_ms: int) -> bool:
    """Whether stage 1 would take these bytes, received at that time, as a report."""
    record = Record(0, REPORTS, 0, 0, time_ms, None, value)
    try:
        return len(value) <= MESSAGE_BYTES_MAX and bool(_read_report(record))
    except _Refusal:
        return False


def reject_unread(record: Record, error: Exception) -> Rejected:
    """The rejection of a record that stage 1 itself failed on: our bug, not the record's fault.

    Without the original, since masking it may be what fails; the record itself lies at its offset.
    """
    detail = f"stage 1 failed: {type(error).__name__}"
    return Rejected(record.seq, record.time_ms, _source(record), Reason.ENGINE_ERROR, detail, "", record.key)


def _source(record: Record) -> Source:
    return Source(record.topic, record.partition, record.offset, record.time_ms)


def _rejected(record: Record, reason: Reason, detail: str) -> Rejected:
    return Rejected(
        record.seq, record.time_ms, _source(record), reason, detail, mask_original(record.value), record.key
    )


def _read_report(record: Record) -> tuple[ReportWork, int]:
    report, lenient = _decode_counting(_report, _report_lenient, record.value)
    reported_ms = _instant(report.reported_at, "reported_at")
    if reported_ms > record.time_ms + AHEAD_MAX_MS:
        raise _Refusal(Reason.BAD_TIME, "reported_at is more than a day ahead of the time it was received")
    promised_ms = None if report.promised_at is None else _instant(report.promised_at, "promised_at")
    return ReportWork(
        record.seq,
        record.time_ms,
        _source(record),
        report,
        NOWHERE,
        digest_of(report),
        report.reporter is not None,
        reported_ms,
        promised_ms,
    ), lenient


def _read_update(record: Record) -> tuple[UpdateWork, int]:
    update, lenient = _decode_counting(_update, _update_lenient, record.value)
    at_ms = _instant(update.at, "at")
    if record.topic == UPDATES:
        if update.actor is None:
            raise _Refusal(Reason.MISSING_FIELD, "actor: updates on this topic come from the gateway, which names it")
        actor = update.actor
    else:  # whatever a department's message says of its actor, it is that department
        person = update.actor.person if update.actor is not None else None
        unit = update.unit
        if update.action is Action.DELEGATE:  # there `unit` says to whom
            unit = None if update.actor is None else update.actor.unit
        actor = Actor("department", record.topic.removeprefix(DEPARTMENT_UPDATES), unit, person)
    if update.incident_id is None and update.report is None:
        raise _Refusal(Reason.MISSING_FIELD, "name the incident by incident_id or by report {source, report_id}")
    for moment in (update.until, *(milestone.due for milestone in update.milestones)):
        if moment is not None:
            _instant(moment, "until")
    for field in ACTION_TABLE[update.action].needs:
        if getattr(update, field) is None:
            raise _Refusal(Reason.MISSING_FIELD, f"{update.action} needs {field}")
    # the same words of two departments are two contents
    digest = digest_of(msgspec.structs.replace(update, actor=actor))
    return UpdateWork(record.seq, record.time_ms, _source(record), update, actor, digest, at_ms), lenient


def _read_command(record: Record) -> CommandWork:
    command = _decode(_command, record.value)
    for field in ("since", "until"):
        moment = getattr(command, field, None)
        if moment is not None:
            _instant(moment, field)
    return CommandWork(record.seq, record.time_ms, _source(record), command)


def _decode_counting(
    strict: msgspec.json.Decoder[M], lenient: msgspec.json.Decoder[Any], value: bytes
) -> tuple[M, int]:
    try:
        return strict.decode(value), 0
    except ValidationError as error:
        if not str(error).startswith("Object contains unknown field"):
            raise _refused(error) from None
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refused(error) from None
    return _decode(lenient, value), 1


def _decode(decoder: msgspec.json.Decoder[T], value: bytes) -> T:
    try:
        return decoder.decode(value)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refused(error) from None


def _refused(error: Exception) -> _Refusal:
    text = mask_text(str(error))  # it may quote the message
    if not isinstance(error, ValidationError):
        return _Refusal(Reason.NOT_JSON, text)
    if "missing required field" in text:
        return _Refusal(Reason.MISSING_FIELD, text)
    if text.startswith("Expected `object`") and " - at `$" not in text:
        return _Refusal(Reason.NOT_AN_OBJECT, text)
    if text.endswith(tuple(f"at `{field}`" for field in _TIME_FIELDS)):
        return _Refusal(Reason.BAD_TIME, text)
    return _Refusal(Reason.WRONG_TYPE, text)


def _instant(moment: datetime, field: str) -> int:
    try:
        instant_ms = datetime_to_ms(moment)
    except OverflowError:
        instant_ms = -1
    if not EARLIEST_MS <= instant_ms <= LATEST_MS:
        raise _Refusal(Reason.BAD_TIME, f"{field} lies before 1970 or after 9999")
    return instant_ms


def digest_of(message: msgspec.Struct) -> int:
    """What tells the contents of two messages apart."""
    return int.from_bytes(blake2b(_canonical.encode(message), digest_size=6).digest(), "big")
