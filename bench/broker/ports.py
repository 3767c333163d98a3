"""Ports of the loopback interface that stay ours: free now, and not handed out to others later."""

import errno
import random
import socket
from typing import Final

__all__ = ["HOST", "choose_ports", "is_free"]

HOST: Final = "127.0.0.1"

# Below the ports that systems hand out to outgoing connections (Linux from 32768, macOS from 49152). Out of those, a
# client that tries again and again to reach a broker that is down ends up connected to itself, and the broker cannot
# have its port back.
CHOSEN_FROM: Final = range(20_000, 32_000)
TRIES: Final = 1_000


def choose_ports(count: int) -> list[int]:
    """Different free ports, drawn by chance so that processes starting together seldom draw the same.

    Raises:
        OSError: no free ones were found.
    """
    drawing = random.SystemRandom()  # not the shared generator: tests seed that, alike in every process
    chosen: set[int] = set()
    for _ in range(TRIES):
        if len(chosen) == count:
            return list(chosen)
        port = drawing.choice(CHOSEN_FROM)
        if is_free(port):
            chosen.add(port)
    raise OSError(errno.EADDRINUSE, f"no {count} free ports in {CHOSEN_FROM} after {TRIES} tries")


def is_free(port: int) -> bool:
    """Whether a server could listen on it now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: closed connections may linger
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
