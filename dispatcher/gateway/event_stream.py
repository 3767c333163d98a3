"""An answer of server-sent events: what all of them have in common, and how one ends that cannot go on."""

import logging
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Final

from starlette.responses import Response, StreamingResponse

from dispatcher.gateway.problems import Problem
from dispatcher.ledger import LedgerError

__all__ = ["HEARTBEAT_S", "RETRY_MS", "EventStreams"]

HEARTBEAT_S: Final = 15.0
RETRY_MS: Final = 2_000  # after which a browser that was cut off comes back
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
log = logging.getLogger(__name__)


class EventStreams:
    """Streams, and how many of them each key reads.

    Args:
        readers_max: of one key; each holds memory and a connection for as long as it likes.
    """

    def __init__(self, readers_max: int) -> None:
        self._readers_max = readers_max
        self.readers: Counter[str] = Counter()  # by key

    def answer(self, key_id: str, events: AsyncGenerator[bytes], name: str) -> Response:
        """Events as an answer.

        Args:
            key_id: of whoever reads.
            events: without end, or until the reader is to be let go.
            name: of the stream, for the log.

        Raises:
            Problem: 429 the key reads as many streams as it may.
        """
        if self.readers[key_id] >= self._readers_max:
            said = f"{self._readers_max:,} streams are read with this key already; close one"
            raise Problem(429, "too_many", said, {"Retry-After": "60"})
        told = self._counted(key_id, _while_it_goes(events, name))
        return StreamingResponse(told, headers=HEADERS, media_type="text/event-stream")

    async def _counted(self, key_id: str, events: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
        self.readers[key_id] += 1
        try:
            async with aclosing(events):
                async for some in events:
                    yield some
        finally:
            self.readers[key_id] -= 1
            if not self.readers[key_id]:
                del self.readers[key_id]


async def _while_it_goes(events: AsyncGenerator[bytes], name: str) -> AsyncGenerator[bytes]:
    """In the middle of a stream a failure is answered by its end, and a good one: its reader comes back and goes on."""
    try:
        async with aclosing(events):
            async for some in events:
                yield some
    except LedgerError as error:
        log.warning(
            "the stream %s cannot go on and ends: %s", name, error, extra={"event": "stream_ended", "stream": name}
        )
    except Exception:
        log.exception("the stream %s has failed and ends", name, extra={"event": "stream_failed", "stream": name})
