"""Where the records of a webhook go: one address, one secret, one POST a record.

The body is a CloudEvents 1.0 event in structured mode with the record under `data`, so that the signature covers the
event's id, too: what was overheard cannot be sent again as something new.
"""

import os
import time
from collections.abc import Callable
from typing import Final

import msgspec

from dispatcher.config import ConfigError, Webhook
from dispatcher.core import ms_to_text
from dispatcher.notices.channel import Delivered, Failed
from dispatcher.notices.posting import post
from dispatcher.notices.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, signature_of
from dispatcher.webhooks.box import Letter

__all__ = ["Endpoint", "event_of"]

SOURCE: Final = "/dispatcher"
# What the receiver says of this very record: the same again would be answered alike. Anything else (a key that is
# wrong, a path that is not there) is about the endpoint, and somebody may put it right.
OF_THE_RECORD: Final = frozenset({400, 409, 413, 422})


class Endpoint:
    """One webhook's receiver.

    Args:
        settings: from the configuration.
        clock_s: epoch seconds, for the timestamp.

    Raises:
        ConfigError: the secret is not there.
    """

    def __init__(self, settings: Webhook, *, clock_s: Callable[[], int] = lambda: int(time.time())) -> None:
        self._settings, self._clock_s = settings, clock_s
        self._secret = _secret_of(settings)

    def deliver(self, letter: Letter) -> Delivered | Failed:
        """POST it. Answered 2xx it is delivered; `retry` is False where the same would be refused again."""
        body = event_of(self._settings.topic, letter)
        timestamp = str(self._clock_s())
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "User-Agent": "city-dispatch",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: signature_of(self._secret, timestamp, body),
        }
        status = post(self._settings.url, body, headers, self._settings.timeout_s)
        if isinstance(status, Failed):
            return status
        if 200 <= status < 300:
            return Delivered()
        return Failed(f"http {status}", retry=status not in OF_THE_RECORD)


def event_of(topic: str, letter: Letter) -> bytes:
    """The event: its id is the record's for good, its subject the incident."""
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": f"{topic}:{letter.seq}",
            "source": SOURCE,
            "type": f"dispatcher.{topic.partition('.')[0]}",
            "subject": letter.key,
            "time": ms_to_text(letter.time_ms),
            "datacontenttype": "application/json",
            "data": msgspec.Raw(letter.value),
        }
    )


def _secret_of(settings: Webhook) -> bytes:
    if settings.secret_file is not None:
        try:
            secret = settings.secret_file.read_bytes().strip()
        except OSError as error:
            raise ConfigError(f"webhooks.{settings.name}: {settings.secret_file}: {error.strerror}") from None
        if not secret:
            raise ConfigError(f"webhooks.{settings.name}: {settings.secret_file} is empty")
        return secret
    found = os.environ.get(settings.secret_env or "", "")
    if not found:
        raise ConfigError(f"webhooks.{settings.name}: the environment has no {settings.secret_env}; set the secret")
    return found.encode()
