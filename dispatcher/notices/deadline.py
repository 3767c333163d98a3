"""One deadline for everything that is said over a socket: a time-out of its own counts from one read to the next."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR, socket

__all__ = ["deadline"]

AGAIN_S = 0.05  # while it connects or TLS is negotiated there is no socket to shut down; those have their own time-out


@contextmanager
def deadline(seconds: float, socket_of: Callable[[], socket | None]) -> Iterator[None]:
    """Shut the socket down when the block lasts longer; what is waiting on it then fails at once.

    Args:
        seconds: how long the block may last.
        socket_of: the socket in use at that moment, None before there is one.

    Raises:
        TimeoutError: in place of whatever the block raised after its time was over.
    """
    done, over = threading.Event(), threading.Event()

    def watch() -> None:
        wait_s = seconds
        while not done.wait(wait_s):
            over.set()
            wait_s = AGAIN_S
            if (used := socket_of()) is not None:
                with suppress(OSError):  # closed meanwhile
                    socket.shutdown(used, SHUT_RDWR)  # TLS's own would touch what the other thread reads with

    watcher = threading.Thread(target=watch, name="notices-deadline", daemon=True)
    watcher.start()
    try:
        yield
    except Exception as error:
        if over.is_set():
            raise TimeoutError(f"not done within {seconds:g} s") from error
        raise
    finally:
        done.set()
        watcher.join()
