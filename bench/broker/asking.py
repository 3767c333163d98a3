"""Does a broker answer a client? Asked with the client that the workers use, not by looking at its port."""

import asyncio
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

__all__ = ["answers"]

TIMEOUT_S: Final = 5.0
GOODBYE_S: Final = 0.1  # by TLS, closing a connection takes an answer; the client does not wait for its first one's


def answers(client: Mapping[str, Any]) -> bool:
    """Whether a broker tells who is in its cluster, within a few seconds.

    Args:
        client: what an aiokafka client is made with; `bootstrap_servers` has one address.
    """
    host, _, port = client["bootstrap_servers"].rpartition(":")
    try:
        socket.create_connection((host, int(port)), TIMEOUT_S).close()  # first: the client logs refusals as errors
    except OSError:
        return False
    # On a thread of its own, since the caller's may be running an event loop.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _ask(client)).result()


async def _ask(options: Mapping[str, Any]) -> bool:
    client = AIOKafkaClient(request_timeout_ms=int(TIMEOUT_S * 1_000), **options)
    try:
        await client.bootstrap()
        return bool(client.cluster.brokers())
    except KafkaError:
        return False
    finally:
        await client.close()
        if "ssl_context" in options:
            await asyncio.sleep(GOODBYE_S)
