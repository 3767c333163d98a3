"""The sender of one webhook: takes records in their order, posts them, keeps what was not taken until it is.

An incident's records go out in their order: behind one that waits, its others wait. Those of other incidents do not;
but after a failure that is about the endpoint the whole webhook pauses, longer each time, so that a system that is down
is asked now and then and not by every record. A record itself waits twice as long: when the pause is over another one
shows whether it was the endpoint. A record the receiver refuses, or that was tried often enough, is given
up: it stays in the box until somebody lets it be tried again, and its incident goes on without it.
"""

import logging
from collections.abc import Callable
from typing import Final

from dispatcher.config import Webhook
from dispatcher.core.instants import SECOND_MS
from dispatcher.ledger import Kept, Ledger
from dispatcher.notices.channel import Delivered, Failed
from dispatcher.webhooks.box import Box, BoxError, Letter, checksum
from dispatcher.webhooks.counters import WebhookCounters
from dispatcher.webhooks.endpoint import Endpoint

__all__ = ["Sender"]

BATCH: Final = 100  # records read at once
WAITING_MAX: Final = 10_000  # letters of one webhook; the topic is not read on before there is room
log = logging.getLogger(__name__)


class Sender:
    """Sends one topic to one endpoint.

    Args:
        ledger: to follow.
        box: where the webhook's place and its letters are.
        endpoint: that takes them.
        settings: from the configuration.
        clock_ms: epoch milliseconds.
        counters: of what became of the records.

    Raises:
        BoxError: the box is that of another ledger, or of another topic of the same name.
    """

    def __init__(
        self,
        ledger: Ledger,
        box: Box,
        endpoint: Endpoint,
        settings: Webhook,
        clock_ms: Callable[[], int],
        counters: WebhookCounters,
    ) -> None:
        self._ledger, self._box, self._endpoint = ledger, box, endpoint
        self._settings, self._clock_ms, self._counters = settings, clock_ms, counters
        self._name, self._topic = settings.name, settings.topic
        self._failures, self._paused_until_ms = 0, 0
        self._begin()

    def turn(self, stopping: Callable[[], bool] = lambda: False) -> bool:
        """Send what can be sent now; returns whether there may be more at once."""
        if self._clock_ms() < self._paused_until_ms:
            return False
        worked = False
        while not stopping() and (letter := self._box.due(self._name, self._clock_ms())) is not None:
            worked = True
            if not self._again(letter):
                return False
        waiting, _ = self._box.counts(self._name)
        self._counters.waits(self._name, waiting)
        if waiting >= WAITING_MAX or stopping():
            return False
        cursor = self._box.cursor(self._name)
        assert cursor is not None  # noqa: S101 - it was made when we began
        for record in self._ledger.follow(self._topic, cursor.seq, BATCH):
            worked = True
            if stopping() or not self._first(record):
                return False
        return worked

    def _first(self, record: Kept) -> bool:
        """A record that was never tried; returns whether to go on."""
        letter = Letter(record.seq, record.key, record.time_ms, record.value or b"null")
        if self._box.holds(self._name, record.key):
            self._box.advance(self._name, record, letter)
            return True
        answer = self._endpoint.deliver(letter)
        if isinstance(answer, Delivered):
            self._box.advance(self._name, record)
            return self._well()
        self._box.advance(self._name, record, self._failed(letter, answer))
        return not answer.retry

    def _again(self, letter: Letter) -> bool:
        """A letter whose time has come; returns whether to go on."""
        answer = self._endpoint.deliver(letter)
        if isinstance(answer, Delivered):
            self._box.delivered(self._name, letter.seq)
            return self._well()
        self._box.keep(self._name, self._failed(letter, answer))
        return not answer.retry

    def _well(self) -> bool:
        self._failures = 0
        self._counters.settled(self._name, "delivered")
        return True

    def _failed(self, letter: Letter, answer: Failed) -> Letter:
        """The letter as it waits from now on, or is given up; a failure of the endpoint makes the webhook pause."""
        now_ms, attempts = self._clock_ms(), letter.attempts + 1
        if answer.retry:
            self._failures += 1
            self._paused_until_ms = now_ms + self._pause_ms(self._failures)
        dead = not answer.retry or attempts >= self._settings.attempts_max
        self._counters.settled(self._name, "dead" if dead else "retry")
        log.warning("webhook %s, record %d: %s", self._name, letter.seq, answer.reason)
        next_ms = now_ms + 2 * self._pause_ms(attempts)
        return letter._replace(
            attempts=attempts, next_ms=next_ms, detail=answer.reason, dead_ms=now_ms if dead else None
        )

    def _pause_ms(self, failures: int) -> int:
        settings = self._settings
        pause_s = min(settings.retry_first_s * 2.0 ** min(failures - 1, 30), settings.retry_longest_s)
        return round(pause_s * SECOND_MS)

    def _begin(self) -> None:
        cursor = self._box.cursor(self._name)
        if cursor is None:
            seq = -1 if self._settings.begin == "beginning" else self._ledger.end(self._topic)
            self._box.begin(self._name, self._topic, seq)
            return
        if cursor.topic != self._topic:
            said = f"sends {cursor.topic} so far, not {self._topic}"
            raise BoxError(f"webhook {self._name} {said}; give another topic another name")
        if cursor.checksum is None:
            return
        kept = self._ledger.follow(self._topic, cursor.seq - 1, 1)
        if not kept or kept[0].seq != cursor.seq or checksum(kept[0]) != cursor.checksum:
            raise BoxError("the letter box beside the ledger (….webhooks) is that of another ledger; move it away")
