"""A stream as a browser's EventSource reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec

from tests.gateway.gateway_process import Serving


class Event(msgspec.Struct):
    id: str
    data: dict[str, Any]


@contextmanager
def streaming(gateway: Serving, name: str, path: str, last: str | None = None) -> Iterator[Iterator[Event]]:
    headers = {} if last is None else {"Last-Event-ID": last}
    with gateway.client(name) as client, client.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer)


def _events(answer: httpx.Response) -> Iterator[Event]:
    """As a browser's EventSource reads them."""
    event_id, data = "", ""
    for line in answer.iter_lines():
        if line.startswith("id: "):
            event_id = line[4:]
        elif line.startswith("data: "):
            data += line[6:]
        elif not line and data:
            yield Event(event_id, msgspec.json.decode(data))
            data = ""
