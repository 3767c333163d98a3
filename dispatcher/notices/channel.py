"""How a message leaves: the protocol that every channel follows, and the one that is always there, the log."""

import logging
from typing import NamedTuple, Protocol

from dispatcher.notices.compose import Message

__all__ = ["Channel", "Delivered", "Failed", "LogChannel"]

log = logging.getLogger("dispatcher.notices")


class Delivered(NamedTuple):
    """The other side has taken the message."""


class Failed(NamedTuple):
    """It has not. `reason` never holds an address or what a server said, which may repeat one."""

    reason: str
    retry: bool


class Channel(Protocol):
    """Delivers messages; one call, one attempt, within its own time-out. It does not raise for what others do."""

    def deliver(self, message: Message) -> Delivered | Failed:
        """Hand a message over."""
        ...


class LogChannel:
    """One structured line in the log: who was told what about which incident. The text itself is not logged."""

    def deliver(self, message: Message) -> Delivered | Failed:
        """See the protocol; a line in the log cannot fail."""
        told = [
            {"notice_id": n.notice_id, "template": n.template, "incident_id": n.incident_id}
            for n in message.notices[:_NAMED_MAX]
        ]
        line = {
            "notice_to": message.to,
            "message_id": message.message_id,
            "late": message.late,
            "count": len(message.notices),
            "notices": told,
        }
        log.info("%s is told %d notices", message.to, len(message.notices), extra={"event": "notice", **line})
        return Delivered()


_NAMED_MAX = 100  # a line of about 15 kB; the outbox lists them all
