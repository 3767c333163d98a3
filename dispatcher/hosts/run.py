"""The running engine: follow the ledger, append clock records, serve metrics and health, stop cleanly."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from dispatcher.hosts.embedded import PARTITION, Embedded
from dispatcher.hosts.watchdog import Watchdog
from dispatcher.metrics import EngineMetrics

__all__ = ["Health", "run_until", "serve_health"]

log = logging.getLogger(__name__)
_INPUT = "input", PARTITION  # all inputs of the one file lie in one order
STALLED_AFTER_S = 30.0  # a loop that has not turned for this long is not alive: a batch takes well under a second


class Health:
    """What the loop says of itself to whoever watches."""

    def __init__(self) -> None:
        self.ready = False
        self.turned_s = time.monotonic()

    @property
    def live(self) -> bool:
        """The loop has turned lately."""
        return time.monotonic() - self.turned_s < STALLED_AFTER_S


def run_until(stop: threading.Event, host: Embedded, metrics: EngineMetrics, health: Health, poll_ms: int) -> None:
    """Work until `stop` is set; a batch under way is finished first.

    Anything that fails here fails the process: the ledger makes the restart exact.
    """
    watchdog = Watchdog(partial(metrics.watched, PARTITION))
    metrics.ready_if(lambda: health.ready and health.live)
    _tell(host, metrics)
    while not stop.is_set():
        consumed = host.step()
        health.turned_s = time.monotonic()
        metrics.lives()
        metrics.turned(PARTITION, host.engine.next_due_ms)
        if consumed:
            _tell(host, metrics)
            watchdog.turn(host.engine.state, host.engine.position.time_ms)
            continue
        health.ready = True  # everything that was waiting has been worked through
        metrics.lags({_INPUT: 0})
        now_ms = time.time_ns() // 1_000_000
        if not host.tick(now_ms):
            watchdog.turn(host.engine.state, now_ms)
            stop.wait(poll_ms / 1000)


def _tell(host: Embedded, metrics: EngineMetrics) -> None:
    state = host.engine.state
    metrics.lags({_INPUT: host.behind})
    metrics.holds(PARTITION, len(state.incidents))
    if state.policy_sha is not None:
        metrics.policy(state.book.policy)
        metrics.modes(state.book.policy.modes, [span.mode for span in state.modes.spans.values()])


@contextmanager
def serve_health(address: str, port: int, registry: CollectorRegistry, health: Health) -> Iterator[int]:
    """Serve `/metrics`, `/health/live` and `/health/ready` in a thread of its own; yields the port.

    Raises:
        OSError: the address is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest(registry))
            elif self.path == "/health/live":
                self._say(health.live)
            elif self.path == "/health/ready":
                self._say(health.ready and health.live)
            else:
                self._answer(404, "text/plain; charset=utf-8", b"/metrics, /health/live, /health/ready\n")

        def _say(self, well: bool) -> None:
            self._answer(200 if well else 503, "text/plain; charset=utf-8", b"ok\n" if well else b"not yet\n")

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            log.debug(format, *args)

    server = ThreadingHTTPServer((address, port), Handler)
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
