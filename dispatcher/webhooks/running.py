"""Sending beside a running engine: a thread a webhook with connections of its own, started anew when it fails."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dispatcher.config import Webhook
from dispatcher.ledger import SqliteLedger
from dispatcher.webhooks.box import BOX_SUFFIX, Box
from dispatcher.webhooks.counters import WebhookCounters
from dispatcher.webhooks.endpoint import Endpoint
from dispatcher.webhooks.sender import Sender

__all__ = ["opened_sender", "sending"]

POLL_S: Final = 0.2  # how often a topic is looked at for something new
RESTART_S: Final = 5.0  # after a fault of our own, a full disk for one
STOP_S: Final = 5.0  # beyond a webhook's own time-out
log = logging.getLogger(__name__)


def wall_clock_ms() -> int:
    """The host's clock."""
    return time.time_ns() // 1_000_000


@contextmanager
def opened_sender(ledger_path: Path, settings: Webhook, counters: WebhookCounters) -> Iterator[Sender]:
    """A sender of a ledger's file, with the letter box beside it.

    Raises:
        BoxError: the letter box cannot be used.
        ConfigError: the secret is not there.
    """
    endpoint = Endpoint(settings)
    ledger = SqliteLedger(ledger_path, read_only=True)
    try:
        box = Box(ledger_path.with_name(ledger_path.name + BOX_SUFFIX))
        try:
            yield Sender(ledger, box, endpoint, settings, wall_clock_ms, counters)
        finally:
            box.close()
    finally:
        ledger.close()


@contextmanager
def sending(ledger_path: Path, webhooks: Sequence[Webhook], counters: WebhookCounters) -> Iterator[None]:
    """Send as long as the block runs; what is under way is finished first, unless that takes too long.

    Raises:
        BoxError, ConfigError: as `opened_sender`, before anything is started.
    """
    for settings in webhooks:
        with opened_sender(ledger_path, settings, counters):
            pass  # what a person must put right is said at the start, not in a thread
    stop = threading.Event()

    def work(settings: Webhook) -> None:
        while not stop.is_set():
            try:
                with opened_sender(ledger_path, settings, counters) as sender:
                    while not stop.is_set():
                        if not sender.turn(stop.is_set):
                            stop.wait(POLL_S)
            except Exception:
                log.exception("webhook %s has stopped; it starts again in %g s", settings.name, RESTART_S)
                counters.stopped(settings.name)
                stop.wait(RESTART_S)

    threads = [
        threading.Thread(target=work, args=(settings,), name=f"webhook-{settings.name}", daemon=True)
        for settings in webhooks
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        until_s = time.monotonic() + STOP_S + max((settings.timeout_s for settings in webhooks), default=0.0)
        for thread in threads:
            thread.join(max(0.0, until_s - time.monotonic()))
        if any(thread.is_alive() for thread in threads):
            log.warning("a record under way was not finished; it is sent again after the next start")
