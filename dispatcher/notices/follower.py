"""The follower: takes notices from the ledger into the outbox, and delivers what the plan says.

One turn: take everything in, plan, deliver, write what became of each message. At least once by `notice_id`; in the
order of the ledger for each recipient. What is due is decided anew after a few seconds of delivering, so that a slow
endpoint does not hold up what has become urgent meanwhile.
"""

import logging
import zlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from dispatcher.config import Notices
from dispatcher.core.instants import DAY_MS, MINUTE_MS, SECOND_MS
from dispatcher.ledger import Kept, Ledger
from dispatcher.notices.channel import Channel, Delivered, Failed
from dispatcher.notices.compose import Message, Voice, compose
from dispatcher.notices.counters import NoticeCounters
from dispatcher.notices.notice import Notice, Unreadable, decode_notice
from dispatcher.notices.outbox import Mark, Outbox, OutboxError, Status
from dispatcher.notices.plan import Delivery, Timing, Waiting, pause_ms, plan
from dispatcher.notices.quiet import QuietHours
from dispatcher.notices.routes import Routes

__all__ = ["TOPIC", "Follower", "timing_of"]

TOPIC = "notices"
BATCH = 2_000  # records in one transaction of the outbox
TURN_MS = 2_000  # after so long a turn ends, and the next one looks at everything again
log = logging.getLogger(__name__)


class _Outcome(NamedTuple):
    """What became of a message, as the outbox and the counters are told."""

    status: Status
    retry: bool = False
    detail: str | None = None


class Follower:
    """Delivers what one ledger puts on `notices`.

    Args:
        ledger: to follow; reporters' contacts are looked up in it.
        outbox: its position and what became of each notice.
        channels: by name, `log` among them.
        settings: from the configuration.
        voice: language, and the zone of instants and quiet hours.
        counters: told what became of everything.
        on_step: called between delivering and writing so; tests die there.

    Raises:
        OutboxError: the outbox belongs to another ledger.
    """

    def __init__(
        self,
        ledger: Ledger,
        outbox: Outbox,
        channels: Mapping[str, Channel],
        settings: Notices,
        voice: Voice,
        *,
        counters: NoticeCounters | None = None,
        on_step: Callable[[str], None] | None = None,
    ) -> None:
        self._ledger, self._outbox, self._channels, self._voice = ledger, outbox, channels, voice
        self._routes = Routes(settings, ledger)
        self._timing = timing_of(settings, voice)
        self._expire_ms = round(settings.expire_days * DAY_MS)
        self._counters = counters or NoticeCounters()
        self._on_step = on_step or (lambda _: None)
        self._require_same_ledger()

    def turn(self, clock_ms: Callable[[], int], *, stopping: Callable[[], bool] = lambda: False) -> int:
        """Take in and deliver once; returns how many messages were attempted.

        Args:
            clock_ms: now, in epoch ms; asked again for every message.
            stopping: asked between messages; when so, the rest is left for the next turn.
        """
        began_ms = clock_ms()
        self.take_in(began_ms)
        quiet = self._timing.quiet.until_ms(began_ms) is not None
        waiting = self._outbox.waiting(held=not quiet)  # a night's worth is not read again at every turn of it
        self._counters.waits(self._outbox.waiting_count())
        planned = plan(waiting, began_ms, self._timing)
        self._counters.taken("held", self._outbox.hold(planned.held))
        rows = {row.notice_id: row for row in waiting}
        paused: set[str] = set()
        attempts = 0
        for delivery in planned.deliveries:
            if stopping() or clock_ms() - began_ms >= TURN_MS:
                break
            if delivery.to in paused:  # what follows a message that failed waits with it
                continue
            attempts += 1
            if not self._deliver(delivery, rows, clock_ms):
                paused.add(delivery.to)
        return attempts

    def take_in(self, now_ms: int) -> int:
        """Take everything new from the ledger into the outbox; returns how many records that was."""
        taken = 0
        while kept := self._ledger.follow(TOPIC, self._outbox.mark().seq, BATCH):
            notices = [(record.seq, notice) for record in kept if (notice := _read(record)) is not None]
            mark = Mark(kept[-1].seq, _checksum(kept[-1]))
            expired = self._outbox.take(notices, mark, now_ms, now_ms - self._expire_ms)
            self._counters.taken("unreadable", len(kept) - len(notices))
            self._counters.taken("expired", expired)
            self._counters.taken("kept", len(notices) - expired)
            taken += len(kept)
        return taken

    def _deliver(self, delivery: Delivery, rows: Mapping[str, Waiting], clock_ms: Callable[[], int]) -> bool:
        """Attempt one message and write what became of it; whether the recipient's next one may follow."""
        notices = self._outbox.notices(delivery.notice_ids)
        reached = self._routes.of(delivery.to)
        if reached.why is not None:
            outcome = _Outcome(Status.UNREACHABLE, detail=reached.why)
        else:
            message = compose(delivery.to, notices, self._voice, late=delivery.late, address=reached.address)
            outcome = self._attempt(message, reached.channel)
        self._on_step(f"attempted:{outcome.status}")
        now_ms = clock_ms()
        if not outcome.retry:
            self._outbox.settle(delivery.notice_ids, outcome.status, now_ms, reached.channel, outcome.detail)
            self._counters.settled(notices, reached.channel, outcome.status)
            return True
        most = max(rows[notice_id].attempts for notice_id in delivery.notice_ids) + 1
        next_ms = now_ms + pause_ms(most, self._timing)
        failed = self._outbox.postpone(
            delivery.notice_ids, self._timing.attempts_max, now_ms, next_ms, reached.channel, outcome.detail or ""
        )
        for notice in notices:
            ended = notice.notice_id in failed
            self._counters.settled([notice], reached.channel, Status.FAILED if ended else "retry")
        return False

    def _attempt(self, message: Message, channel: str) -> _Outcome:
        try:
            answer = self._channels[channel].deliver(message)
        except Exception as error:  # noqa: BLE001 - a channel's own fault must not stop the others
            answer = Failed(f"fault: {type(error).__name__}", retry=True)
        if isinstance(answer, Delivered):
            return _Outcome(Status.DELIVERED)
        said = {"event": "notice_failed", "message_id": message.message_id, "channel": channel}
        log.warning("message %s by %s: %s", message.message_id, channel, answer.reason, extra=said)
        return _Outcome(Status.FAILED, answer.retry, answer.reason)

    def _require_same_ledger(self) -> None:
        """Ids of two ledgers may be alike: what one was told must not keep the other's from going out."""
        mark = self._outbox.mark()
        if mark == Mark():
            return
        kept = self._ledger.follow(TOPIC, mark.seq - 1, 1)
        if not kept or Mark(kept[0].seq, _checksum(kept[0])) != mark:
            raise OutboxError("the outbox beside the ledger (….notices) is that of another ledger; move it away")


def timing_of(settings: Notices, voice: Voice) -> Timing:
    """What planning needs of the settings."""
    return Timing(
        window_ms=round(settings.digest_minutes * MINUTE_MS),
        late_ms=round(settings.late_minutes * MINUTE_MS),
        attempts_max=settings.attempts_max,
        retry_first_ms=round(settings.retry_first_s * SECOND_MS),
        retry_longest_ms=round(settings.retry_longest_s * SECOND_MS),
        quiet=QuietHours(settings.quiet_from, settings.quiet_until, voice.zone),
    )


def _read(record: Kept) -> Notice | None:
    try:
        return decode_notice(record.value or b"")
    except Unreadable:  # it stays on the topic; what it says is not repeated here
        log.error("record %d of %s is no notice of this version; it is left out", record.seq, TOPIC)  # noqa: TRY400
        return None


def _checksum(record: Kept) -> int:
    return zlib.crc32(record.value or b"", zlib.crc32(record.key.encode()))
