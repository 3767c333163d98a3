"""Clock records of one partition: appended to its own log, dated by the broker like everything in it.

Timers go by the broker's clock. Each record that comes back shows how far it is from ours.
"""

import time

from aiokafka import AIOKafkaProducer

from dispatcher.core import CLOCK, ms_to_text
from dispatcher.core.carried import carried
from dispatcher.core.work import Clock, Source
from dispatcher.ledger import LedgerError

__all__ = ["Ticking"]

AGAIN_S = 1.0  # a clock record that has not come back by then is sent again
SKEW_MAX_MS = 60_000  # between the broker's clock and ours; more, and deadlines would be judged by the wrong one


class Ticking:
    """When a clock record is wanted, and the sending of it.

    Args:
        producer: idempotent, not of a transaction.
        topic: `work`, with its prefix.
        partition: of it.
    """

    def __init__(self, producer: AIOKafkaProducer, topic: str, partition: int) -> None:
        self._producer, self._topic, self._partition = producer, topic, partition
        self._sent_s = float("-inf")
        self._ahead_ms = 0  # of the broker's clock before ours, at most 0

    def wanted(self, next_due_ms: int) -> bool:
        """Whether a timer is overdue and no clock record is on its way."""
        overdue = next_due_ms < time.time_ns() // 1_000_000 + self._ahead_ms
        return overdue and time.monotonic() - self._sent_s > AGAIN_S

    def came(self) -> None:
        """One has come back."""
        self._sent_s = float("-inf")

    async def send(self) -> None:
        """Append one.

        Raises:
            LedgerError: the clocks are too far apart.
            KafkaError: it was not taken.
        """
        now_ms = time.time_ns() // 1_000_000
        clock = Clock(0, 0, Source(CLOCK, self._partition, 0, now_ms))
        sent = await self._producer.send_and_wait(self._topic, carried(clock), partition=self._partition)
        self._sent_s = time.monotonic()
        self._ahead_ms = min(0, sent.timestamp - now_ms)  # what it is ahead may be the way there
        if abs(sent.timestamp - now_ms) > SKEW_MAX_MS:
            raise LedgerError(
                f"the broker's clock says {ms_to_text(sent.timestamp)}, ours {ms_to_text(now_ms)}: set right which is"
                " wrong, every deadline hangs on it"
            )
