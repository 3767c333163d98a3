"""Readers of streams, cheap enough to have hundreds of; they are cut off anywhere, in the middle of an event too."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import NamedTuple
from urllib.parse import urlsplit

import httptools

from tests.gateway.gateway_process import Serving

CUT_BYTES = 12_000  # a reader is cut off after so many at the latest: twenty events


class Told(NamedTuple):
    """One block of a stream: an event, or with no data what only tells how far it is."""

    id: str
    kind: str
    data: bytes


class Answer:
    """What has come of an answer, as far as its blocks are whole."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._held = b""

    def on_headers_complete(self) -> None:
        assert self._parser.get_status_code() == 200

    def on_body(self, body: bytes) -> None:
        self._held += body

    def feed(self, data: bytes) -> list[Told]:
        self._parser.feed_data(data)
        *whole, self._held = self._held.split(b"\n\n")
        return [_told(block) for block in whole]


def _told(block: bytes) -> Told:
    said = dict(line.split(b": ", 1) for line in block.split(b"\n"))
    return Told(said.get(b"id", b"").decode(), said.get(b"event", b"").decode(), said.get(b"data", b""))


def asking(gateway: Serving, name: str, path: str, last: str | None = None) -> bytes:
    """A request for a stream, as it goes over the line."""
    lines = [f"GET {path} HTTP/1.1", "Host: city", f"Authorization: Bearer {gateway.keys[name]}"]
    lines += [] if last is None else [f"Last-Event-ID: {last}"]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


async def told(
    gateway: Serving, name: str, path: str, last: str | None = None, bytes_max: int | None = None
) -> AsyncGenerator[Told]:
    """A stream until it is left, or cut off after so many bytes of its answer."""
    there, answer, left = urlsplit(gateway.url), Answer(), 1 << 62 if bytes_max is None else bytes_max
    reader, writer = await asyncio.open_connection(there.hostname, there.port)
    try:
        writer.write(asking(gateway, name, path, last))
        while left:
            data = await reader.read(min(left, 1 << 16))
            assert data, "a stream has no end"
            left -= len(data)
            for block in answer.feed(data):
                yield block
    finally:
        writer.transport.abort()


async def end_of(gateway: Serving, name: str, path: str) -> str:
    """The id behind all there is now."""
    async with aclosing(told(gateway, name, path)) as blocks:
        return (await anext(blocks)).id


async def cut_at_random(
    gateways: Sequence[Serving], name: str, path: str, last: str, seed: int, take: Callable[[Told, str], bool]
) -> int:
    """Read on until `take` says that it is enough, cut off time and again and moved to any gateway; returns how often.

    `take` is given each event, with the id of what came before it.
    """
    chance, cuts = random.Random(seed), 0
    while True:
        cut_after = chance.randrange(1, CUT_BYTES)
        async with aclosing(told(chance.choice(gateways), name, path, last, cut_after)) as blocks:
            async for block in blocks:
                enough = bool(block.data) and take(block, last)
                last = block.id
                if enough:
                    return cuts
        cuts += 1
