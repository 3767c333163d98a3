"""A client that costs little: HTTP/1.1 over kept connections, bodies made beforehand, latencies measured."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from bench.answers import WrongAnswer

__all__ = ["Posted", "post_all"]


class Posted(NamedTuple):
    """How posting went. Latencies in ms, in the order of the answers."""

    seconds: float
    late_ms: list[float]


async def post_all(
    url: str, path: str, key: str, bodies: Sequence[bytes], connections: int, per_s: float | None = None
) -> Posted:
    """Post everything, each answered with 201.

    Args:
        url: of the server.
        path: to post to.
        key: shown with each.
        bodies: JSON.
        connections: at once.
        per_s: so often a second, whatever the answers do, latencies from the intended instant; None: as fast as they
            come, latencies from the sending.

    Raises:
        WrongAnswer: something else was answered.
    """
    host, port = urlsplit(url).hostname or "", urlsplit(url).port or 80
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    left = iter(enumerate(bodies))
    late_ms: list[float] = []
    begun = time.perf_counter()

    async def one() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        for number, body in left:
            intended = time.perf_counter() if per_s is None else begun + number / per_s
            if (early := intended - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            said = await reader.readexactly(length)
            if not answer.startswith(b"HTTP/1.1 201"):
                raise WrongAnswer(f"{answer.splitlines()[0]!r}: {said[:500]!r}")
            late_ms.append((time.perf_counter() - intended) * 1_000)
        writer.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(one())
    return Posted(time.perf_counter() - begun, late_ms)
