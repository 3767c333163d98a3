"""What only some incidents carry: requests, supervisions, a whistle, callbacks.

Frozen values in the form in which they are published, instants as text: they are few, seldom change and are read by
people; an engine that needs an instant as a number has `text_to_ms`.
"""

from typing import Literal

from msgspec import Struct

from dispatcher.core.instants import text_to_ms

__all__ = ["Callback", "Milestone", "Request", "RequestKind", "Supervision", "WhistleCall", "due_ms_of"]

RequestKind = Literal["hold", "extension", "transfer", "support", "exempt"]


class Request(Struct, frozen=True, gc=False, omit_defaults=True):
    """What a department asks for; its clocks run until it is approved."""

    number: int
    kind: RequestKind
    party: str
    reason_code: str
    asked_at: str
    state: Literal["open", "approved", "refused", "lapsed"] = "open"
    until: str | None = None
    departments: tuple[str, ...] = ()
    decided_at: str | None = None


class Milestone(Struct, frozen=True, gc=False, omit_defaults=True):
    """A step of a supervised project."""

    name: str
    due: str
    reached_at: str | None = None
    overdue: bool = False  # whoever supervises was told


class Supervision(Struct, frozen=True, gc=False, omit_defaults=True):
    """A written supervision (督办): instructed, to be replied to, cleared (销号)."""

    number: int
    by: str  # a role of the centre, a party, `cell:<code>` or `city`
    party: str  # who is to reply
    opened_at: str
    reply_due: str
    replied_at: str | None = None
    cleared_at: str | None = None
    overdue: bool = False  # whoever supervises was told
    milestones: tuple[Milestone, ...] = ()


def due_ms_of(supervision: Supervision) -> list[int]:
    """When its reply and its milestones fall due, of those still owed that nobody was told of."""
    if supervision.cleared_at is not None:
        return []
    due = [text_to_ms(m.due) for m in supervision.milestones if m.reached_at is None and not m.overdue]
    if supervision.replied_at is None and not supervision.overdue:
        due.append(text_to_ms(supervision.reply_due))
    return due


class WhistleCall(Struct, frozen=True, gc=False, omit_defaults=True):
    """A street's whistle on the incident."""

    kind: str
    unit: str | None
    called_at: str
    departments: tuple[str, ...] = ()
    ended_at: str | None = None


class Callback(Struct, frozen=True, gc=False, omit_defaults=True):
    """What one reporter said when called back; `answered` is that of the last attempt."""

    source: str
    report_id: str
    attempts: int
    last_at: str
    round: int = 0  # how often the incident had been sent back or reopened by then
    answered: bool = False
    resolved: bool | None = None
    satisfied: bool | None = None
