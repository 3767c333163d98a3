"""An answer of server-sent events: what all of them have in common, and how one ends that cannot go on."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Final

from starlette.responses import Response, StreamingResponse

from dispatcher.ledger import LedgerError

__all__ = ["HEARTBEAT_S", "RETRY_MS", "event_stream"]

HEARTBEAT_S: Final = 15.0
RETRY_MS: Final = 2_000  # after which a browser that was cut off comes back
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
log = logging.getLogger(__name__)


def event_stream(events: AsyncGenerator[bytes], name: str) -> Response:
    """Events as an answer.

    Args:
        events: without end, or until the reader is to be let go.
        name: of the stream, for the log.
    """
    return StreamingResponse(_while_it_goes(events, name), headers=HEADERS, media_type="text/event-stream")


async def _while_it_goes(events: AsyncGenerator[bytes], name: str) -> AsyncIterator[bytes]:
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
