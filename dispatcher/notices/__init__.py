"""What departments, officers and reporters are told: from the topic `notices` to the channel that reaches each.

A `Follower` takes notices from the ledger into an `Outbox`, `plan` decides what goes out when, `compose` finds the
words and a `Channel` delivers. `verify` is for those who receive our webhooks.
"""

from dispatcher.notices.channel import Channel, Delivered, Failed
from dispatcher.notices.compose import Message, Voice, compose
from dispatcher.notices.counters import NoticeCounters
from dispatcher.notices.follower import Follower
from dispatcher.notices.notice import Notice
from dispatcher.notices.outbox import OUTBOX_SUFFIX, Outbox, OutboxError, Row, Status
from dispatcher.notices.plan import Delivery, Plan, Timing, Waiting, plan
from dispatcher.notices.quiet import QuietHours
from dispatcher.notices.routes import Routes, open_channels
from dispatcher.notices.running import delivering
from dispatcher.notices.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, signature_of, verify

__all__ = [
    "OUTBOX_SUFFIX",
    "SIGNATURE_HEADER",
    "TIMESTAMP_HEADER",
    "Channel",
    "Delivered",
    "Delivery",
    "Failed",
    "Follower",
    "Message",
    "Notice",
    "NoticeCounters",
    "Outbox",
    "OutboxError",
    "Plan",
    "QuietHours",
    "Routes",
    "Row",
    "Status",
    "Timing",
    "Voice",
    "Waiting",
    "compose",
    "delivering",
    "open_channels",
    "plan",
    "signature_of",
    "verify",
]
