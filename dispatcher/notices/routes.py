"""Which recipient is reached by which channel, and where: the configuration's routes, and reporters' own addresses."""

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from dispatcher.config import Notices, SmtpChannel, WebhookChannel
from dispatcher.core.messages import Reporter
from dispatcher.ledger import Ledger
from dispatcher.notices.channel import Channel, LogChannel
from dispatcher.notices.notice import REPORTER
from dispatcher.notices.smtp import Smtp
from dispatcher.notices.webhook import Webhook

__all__ = ["LOG", "Reached", "Routes", "open_channels"]

LOG = "log"
_MAILBOX = re.compile(r"[^\s@<>,;:\"()\\]{1,64}@[^\s@<>,;:\"()\\]{1,190}")  # RFC 5321 has 64 and 255 at most

_reporter = msgspec.json.Decoder(Reporter)


class Reached(NamedTuple):
    """How a recipient is reached. Without an `address` where the channel needs one, not at all: `why` says why."""

    channel: str
    address: str | None = None
    why: str | None = None


class Routes:
    """The first route that takes a recipient; the log for whom none does.

    Args:
        settings: from the configuration.
        ledger: where reporters' contacts rest, looked up when a message leaves and kept nowhere.
    """

    def __init__(self, settings: Notices, ledger: Ledger) -> None:
        self._routes = settings.routes
        self._mail = {name for name, channel in settings.channels.items() if isinstance(channel, SmtpChannel)}
        self._ledger = ledger

    def of(self, to: str) -> Reached:
        """How this recipient is reached."""
        for route in self._routes:
            if to == route.to or (route.to.endswith("*") and to.startswith(route.to[:-1])):
                if route.channel in self._mail and to.startswith(REPORTER):
                    return self._at_home(to, route.channel)
                return Reached(route.channel, route.address)
        return Reached(LOG)

    def _at_home(self, to: str, channel: str) -> Reached:
        value = self._ledger.newest("reporters", to.removeprefix(REPORTER))
        if value is None:
            return Reached(channel, why="no contact")
        try:
            reporter = _reporter.decode(value)
        except msgspec.MsgspecError:
            return Reached(channel, why="contact unreadable")
        if reporter.anonymous:
            return Reached(channel, why="anonymous")
        address = (reporter.email or "").strip()
        return Reached(channel, address) if _MAILBOX.fullmatch(address) else Reached(channel, why="no e-mail")


def open_channels(settings: Notices) -> Mapping[str, Channel]:
    """Every channel by its name, the log among them.

    Raises:
        ConfigError: a secret is not in the environment.
    """
    channels: dict[str, Channel] = {LOG: LogChannel()}
    for name, channel in settings.channels.items():
        if isinstance(channel, WebhookChannel):
            channels[name] = Webhook(name, channel)
        elif isinstance(channel, SmtpChannel):
            channels[name] = Smtp(name, channel)
        else:
            channels[name] = LogChannel()
    return channels
