"""The webhook: one signed POST of what somebody is told."""

import os
import time
from collections.abc import Callable

import msgspec

from dispatcher.config import ConfigError, WebhookChannel
from dispatcher.notices.channel import Delivered, Failed
from dispatcher.notices.compose import Message
from dispatcher.notices.posting import post
from dispatcher.notices.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, signature_of

__all__ = ["Webhook"]

_encoder = msgspec.json.Encoder()
_TRANSIENT = frozenset({408, 425, 429})  # time-out, too early, too many (RFC 9110, 8470, 6585): the same may work later


class Webhook:
    """See `channel.Channel`; a message's address is its URL, http or https.

    Args:
        name: of the channel, for messages about it.
        settings: from the configuration.
        clock_s: epoch seconds, for the timestamp.

    Raises:
        ConfigError: the secret is not in the environment.
    """

    def __init__(
        self, name: str, settings: WebhookChannel, *, clock_s: Callable[[], int] = lambda: int(time.time())
    ) -> None:
        secret = os.environ.get(settings.secret_env, "")
        if not secret:
            raise ConfigError(f"notices.channels.{name}: the environment has no {settings.secret_env}; set the secret")
        self._secret = secret.encode()
        self._timeout_s = settings.timeout_s
        self._clock_s = clock_s

    def deliver(self, message: Message) -> Delivered | Failed:
        """POST it; a status of 2xx is delivered, others are tried again unless they will always be the same."""
        body = _body(message)
        timestamp = str(self._clock_s())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "city-dispatch",
            "X-Dispatch-Message": message.message_id,
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: signature_of(self._secret, timestamp, body),
        }
        status = post(message.address or "", body, headers, self._timeout_s)
        if isinstance(status, Failed):
            return status
        if 200 <= status < 300:
            return Delivered()
        return Failed(f"http {status}", retry=status >= 500 or status in _TRANSIENT)


def _body(message: Message) -> bytes:
    return _encoder.encode(
        {
            "message_id": message.message_id,
            "to": message.to,
            "subject": message.subject,
            "text": message.text,
            "late": message.late,
            "notices": message.notices,
        }
    )
