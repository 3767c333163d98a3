"""Serving the application until it is asked to stop."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence

import uvicorn
from fastapi import FastAPI

__all__ = ["bind", "serve"]

STOP_S = 3  # streams have so long to end by themselves
WAITING_MAX = 2_048  # connections that nobody has taken up yet


class _Server(uvicorn.Server):
    """Signals are the business of whoever starts it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


def bind(host: str, port: int) -> socket.socket:
    """A socket to serve on, with whoever comes waiting; 0 is any free port. Raises OSError: the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once (TCP_NODELAY) only by a socket that says it is TCP; others hold an answer's end up for 40 ms
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(WAITING_MAX)
    except BaseException:
        bound.close()
        raise
    return bound


async def serve(
    app: FastAPI,
    bound: socket.socket,
    stop: asyncio.Event,
    release: Callable[[], Awaitable[None]],
    proxies: Sequence[str] = (),
) -> None:
    """Serve until `stop` is set; requests under way are finished, those that wait are released.

    Of `proxies` (addresses or networks) it is believed for whom they ask, and whether by TLS: `X-Forwarded-For` and
    `X-Forwarded-Proto`.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # who starts it says so in words of their own
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False, server_header=False, date_header=False,
        timeout_graceful_shutdown=STOP_S, backlog=WAITING_MAX,
        proxy_headers=bool(proxies), forwarded_allow_ips=list(proxies),
    )  # fmt: skip
    server = _Server(config)
    serving = asyncio.create_task(server.serve([bound]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await release()
    await serving
