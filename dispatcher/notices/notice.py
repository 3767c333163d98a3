"""A notice as it stands on the topic `notices`: that somebody is to be told something about an incident.

Only the fields named here are read and kept, so nothing else that a record might carry reaches a message or the
outbox. The reason is a rule's or a person's words: what looks like a number or an address of a person is blotted out.
"""

import msgspec
from msgspec import Struct

from dispatcher.core import text_to_ms
from dispatcher.core.instants import DAY_MS
from dispatcher.core.privacy import mask_text

__all__ = ["REPORTER", "Category", "Notice", "Unreadable", "decode_notice", "encode_notice", "is_urgent"]

REPORTER = "report:"  # how a recipient begins that is the reporter of a report: `report:<source>/<report_id>`
URGENT_SEVERITY = 2  # 1 is the worst
_LATEST_MS = 2_932_000 * DAY_MS  # in the year 9997: a zone's offset does not lead out of what a date can say


class Unreadable(ValueError):
    """A record that is no notice as this version knows them."""


class Category(Struct, frozen=True, gc=False, omit_defaults=True):
    """An incident's category by code and by its names; what the source said where the catalogue has none."""

    code: str | None
    zh: str = ""
    en: str = ""
    said: str = ""


class Notice(Struct, frozen=True, gc=False, omit_defaults=True):
    """One thing to tell one recipient. `at` and `due` are RFC 3339 text; `to` is who, as the engine names them."""

    notice_id: str
    at: str
    to: str
    template: str
    incident_id: str | None = None
    revision: int | None = None
    due: str | None = None
    state: str | None = None
    severity: int | None = None
    category: Category | None = None
    cell: str | None = None
    reason: str | None = None
    target: str | None = None
    source: str | None = None
    report_id: str | None = None

    @property
    def at_ms(self) -> int:
        """When it arose, in epoch ms."""
        return text_to_ms(self.at)


_decoder = msgspec.json.Decoder(Notice)
_encoder = msgspec.json.Encoder()


def decode_notice(value: bytes) -> Notice:
    """Read a record.

    Raises:
        Unreadable: it is not a notice.
    """
    try:
        notice = _decoder.decode(value)
        instants = [text_to_ms(text) for text in (notice.at, notice.due) if text is not None]
    except (msgspec.MsgspecError, ValueError) as error:
        raise Unreadable(str(error)) from None
    if not (notice.notice_id and notice.to):
        raise Unreadable("notice_id and to must not be empty")
    if not all(DAY_MS <= instant <= _LATEST_MS for instant in instants):
        raise Unreadable("an instant that no calendar of the city has")
    if notice.reason:
        return msgspec.structs.replace(notice, reason=mask_text(notice.reason))
    return notice


def encode_notice(notice: Notice) -> bytes:
    """The same as JSON, without what is not known."""
    return _encoder.encode(notice)


def is_urgent(notice: Notice) -> bool:
    """Whether it goes out at once: severity 1 or 2, or a higher level has become co-owner."""
    severe = notice.severity is not None and notice.severity <= URGENT_SEVERITY
    return severe or notice.template == "supervise"
