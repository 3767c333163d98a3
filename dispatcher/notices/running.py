"""Delivering beside a running engine: a thread of its own with its own connections, started anew when it fails."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dispatcher.config import Notices, SmtpChannel, WebhookChannel
from dispatcher.ledger import SqliteLedger
from dispatcher.notices.compose import Voice
from dispatcher.notices.counters import NoticeCounters
from dispatcher.notices.follower import Follower
from dispatcher.notices.outbox import OUTBOX_SUFFIX, Outbox
from dispatcher.notices.routes import open_channels

__all__ = ["delivering", "opened_follower"]

RESTART_S = 5.0  # after a fault of our own, a full disk for one
STOP_S = 5.0  # beyond the longest time-out of a channel
log = logging.getLogger(__name__)


def wall_clock_ms() -> int:
    """The host's clock."""
    return time.time_ns() // 1_000_000


@contextmanager
def opened_follower(ledger_path: Path, settings: Notices, voice: Voice, counters: NoticeCounters) -> Iterator[Follower]:
    """A follower of a ledger's file, with the outbox beside it.

    Raises:
        OutboxError: the outbox cannot be used.
        ConfigError: a secret is not in the environment.
    """
    channels = open_channels(settings)
    ledger = SqliteLedger(ledger_path, read_only=True)
    try:
        outbox = Outbox(ledger_path.with_name(ledger_path.name + OUTBOX_SUFFIX))
        try:
            yield Follower(ledger, outbox, channels, settings, voice, counters=counters)
        finally:
            outbox.close()
    finally:
        ledger.close()


@contextmanager
def delivering(ledger_path: Path, settings: Notices, voice: Voice, counters: NoticeCounters) -> Iterator[None]:
    """Deliver as long as the block runs; the message under way is finished first, unless that takes too long.

    One that is not finished by then is left to its thread, which ends with the process; it is delivered again.

    Raises:
        OutboxError, ConfigError: as `opened_follower`, before anything is started.
    """
    with opened_follower(ledger_path, settings, voice, counters):
        pass  # what a person must put right is said at the start, not in a thread
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                with opened_follower(ledger_path, settings, voice, counters) as follower:
                    while not stop.is_set():
                        if not follower.turn(wall_clock_ms, stopping=stop.is_set):
                            stop.wait(settings.poll_ms / 1000)
            except Exception:
                log.exception(
                    "delivering notices has stopped; it starts again in %g s",
                    RESTART_S,
                    extra={"event": "notices_stopped"},
                )
                counters.stopped()
                stop.wait(RESTART_S)

    thread = threading.Thread(target=work, name="notices", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_longest_s(settings) + STOP_S)
        if thread.is_alive():
            log.warning("a message under way was not finished; it is delivered again after the next start")


def _longest_s(settings: Notices) -> float:
    remote = [each for each in settings.channels.values() if isinstance(each, SmtpChannel | WebhookChannel)]
    return max((each.timeout_s for each in remote), default=0.0)
