"""Stage 2 on Kafka: one partition of `work`, owned by this process from its assignment to its revocation.

Take everything that is queued, drop repeats by the marks, process, commit, acknowledge; when nothing is queued and a
timer is overdue, append a clock record. If the engine fails on a record, the partition is opened anew from the ledger
and the record ends as `engine_error`. If anything else fails, so does the process: the ledger makes the restart exact.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from dispatcher.core import CLOCK, Engine, EngineFault, PartitionState, Position
from dispatcher.core.carried import taken_up
from dispatcher.core.control import Activate
from dispatcher.core.work import Clock, CommandWork, Work
from dispatcher.hosts.faults import Faults
from dispatcher.hosts.worker.inbox import Inbox
from dispatcher.hosts.worker.settings import Settings
from dispatcher.hosts.worker.ticking import Ticking
from dispatcher.ledger import LedgerError
from dispatcher.ledger.kafka import WORK, Holding, Standing
from dispatcher.metrics import Batch

__all__ = ["Owner", "Settings"]

log = logging.getLogger(__name__)
GO_BACK_EVERY_S, SKIPPED_MAX_S = 1.0, 30.0


class _Chunk(NamedTuple):
    event: Any  # Faust's, to be acknowledged
    last: int


class Owner:
    """One partition at work, as a task.

    Args:
        settings: what the partitions share.
        partition: its number.
    """

    def __init__(self, settings: Settings, partition: int) -> None:
        self._settings, self.partition = settings, partition
        self._inbox = Inbox()
        self._ticking = Ticking(settings.producer, settings.place.prefix + WORK, partition)
        self._work: list[Work] = []  # taken up, not committed
        self._chunks: list[_Chunk] = []  # of which something may not be committed
        self._read = -1  # the last offset taken up
        self._skipped_s: float | None = None  # since when what comes is not what comes next
        self._went_back_s = float("-inf")
        self._faults = Faults(settings.watcher.faulted)
        self._stopping = self._paused = False
        self._going = asyncio.Event()
        self._going.set()
        self.ready, self.idle = asyncio.Event(), asyncio.Event()
        self.offset = -1  # of the last record committed
        self.moved_s = time.monotonic()  # when it last had nothing to do, or did something

    async def put(self, event: Any) -> None:  # noqa: ANN401 - Faust's event
        """Hand over a chunk; waits while too many are waiting."""
        await self._inbox.put(event)

    def pause(self) -> None:
        """Stand still after the batch under way, and then be `idle`."""
        if not self._paused:
            self.idle.clear()
        self._paused = True
        self._going.clear()
        self._inbox.ring()

    def go_on(self) -> None:
        """Go on where it stood still."""
        self._paused = False
        self.idle.clear()
        self._going.set()

    def stop(self) -> None:
        """End after the batch under way."""
        self._stopping = True
        self._going.set()
        self._inbox.close()

    def progress(self, end: int) -> None:
        """Take note of where the partition of `work` ends: one that has come so far needs not move to be alive."""
        at = self.offset if self._work else max(self.offset, self._read)  # repeats are dropped, not committed
        if not self.ready.is_set() or self._paused or at + 1 >= end:
            self.moved_s = time.monotonic()

    async def run(self) -> None:
        """Work until stopped.

        Raises:
            Fenced: another process has taken the partition over.
            LedgerError, KafkaError: what was under way may or may not have been committed; the process must end.
        """
        while not self._stopping:
            self.ready.clear()
            if self._paused:  # it may be somebody else's now: opening it would end them
                self.idle.set()
                await self._going.wait()
                continue
            started_s = time.monotonic()
            told = partial(self._settings.watcher.restoring, self.partition)
            opening = Holding.open(self._settings.place, self.partition, told)
            async with opening as (holding, state, incidents, standing):
                engine = await self._restore(state, incidents, standing)
                self._settings.watcher.restored(self.partition, len(incidents), time.monotonic() - started_s)
                del state, incidents
                self.offset = holding.position.offset
                self._read = max(self._read if self._work else -1, holding.position.offset)
                self._work = [item for item in self._work if item.seq > holding.position.offset]
                await self._ticking.send()  # before anything is judged by it, the broker's clock is compared with ours
                self.moved_s = time.monotonic()
                self.ready.set()
                try:
                    while not self._stopping and (not self._paused or await self._stand_still(holding)):
                        await self._step(holding, engine)
                except EngineFault as fault:
                    self._faults.learn(fault)

    async def _stand_still(self, holding: Holding) -> bool:
        """Wait to be given back; returns whether nobody else has committed meanwhile, so that all is as it was."""
        self._inbox.clear()
        self._chunks.clear()
        self._work = []
        self._read = holding.position.offset  # what is not committed is read again
        before = await _end_of(holding)
        while self._paused and not self._stopping:
            self.idle.set()
            await self._going.wait()
        self.idle.clear()
        return not self._stopping and before is not None and await _end_of(holding) == before

    async def _restore(self, state: dict[str, bytes], incidents: dict[str, bytes], standing: Standing) -> Engine:
        shelf, place = self._settings.shelf, self._settings.place
        await shelf.read()
        kept = PartitionState(self.partition, shelf.books, partitions=place.partitions)
        try:
            kept.restore(state.items(), incidents.items())
        except LookupError as error:
            raise LedgerError(f"partition {self.partition} cannot be restored: {error}") from error
        if kept.revisions != standing.revisions:
            raise LedgerError(
                f"partition {self.partition}: the incidents on the topic have {kept.revisions} revisions,"
                f" {standing.revisions} were recorded; something is old or missing, so nothing is taken up"
            )
        return Engine(kept, standing.position, self._settings.grid)

    async def _step(self, holding: Holding, engine: Engine) -> None:
        if not self._work and not engine.pending:
            await self._take_up(holding, engine)
        if not self._work and not engine.pending:
            self._acknowledge(holding)
            self._settings.watcher.idles(self.partition, engine)
            return
        await self._require_policies()
        self._faults.go_on()
        done = 0
        while done < len(self._work) or engine.pending:
            expected = engine.position
            begun_s = time.perf_counter()
            outcome = self._faults.process(engine, self._work[done:])
            processed_s = time.perf_counter()
            marks = dict(holding.marks)
            consumed = self._work[done : done + outcome.consumed]
            for item in consumed:
                if item.origin.topic != CLOCK:
                    marks[item.origin.topic, item.origin.partition] = item.origin.offset
            await holding.commit(outcome, expected, marks=marks)
            done += outcome.consumed
            self.offset = outcome.position.offset
            self.moved_s = time.monotonic()
            batch = Batch.of(consumed, 0, processed_s - begun_s, time.perf_counter() - processed_s)
            self._settings.watcher.committed(self.partition, outcome, engine, batch)
        self._work = []
        self._acknowledge(holding)

    async def _take_up(self, holding: Holding, engine: Engine) -> None:
        """Everything that is queued; or, when nothing comes and a timer is overdue, a clock record on its way."""
        events = await self._inbox.take(self._settings.poll_s)
        if events is None:
            if self._skipped_s is not None:  # what was asked for may have been lost on the way
                await self._go_back(self._read + 2)
            if self._ticking.wanted(engine.next_due_ms):
                await self._ticking.send()
            return
        seen = dict(holding.marks)
        for event in events:
            if event.value[0].offset > self._read + 1:
                await self._go_back(event.value[0].offset)
                continue
            if event.value[-1].offset > self._read:
                self._skipped_s = None
            self._take_chunk(event.value, holding.position, seen)
            self._chunks.append(_Chunk(event, event.value[-1].offset))

    async def _go_back(self, offset: int) -> None:
        """Something is skipped: where the log goes on is what the ledger says, not what the group says.

        Raises:
            LedgerError: it has not come for too long.
        """
        now_s = time.monotonic()
        self._skipped_s = self._skipped_s or now_s
        if now_s - self._skipped_s > SKIPPED_MAX_S:
            raise LedgerError(
                f"partition {self.partition}: after {self._read} comes {offset}; what lies between is missing"
            )
        if now_s - self._went_back_s > GO_BACK_EVERY_S:  # what was fetched already still comes for a while
            self._went_back_s = now_s
            said = {"event": "going_back", "partition": self.partition, "after": self._read, "comes": offset}
            log.warning("partition %d: after %d comes %d; going back", self.partition, self._read, offset, extra=said)
            await self._settings.rewind(self.partition, self._read + 1)

    def _take_chunk(self, records: Sequence[Any], position: Position, seen: dict[tuple[str, int], int]) -> None:
        for record in records:
            if record.offset <= self._read:
                continue
            if record.offset != self._read + 1:  # within one chunk: `work` has no holes, whatever is fetched
                raise LedgerError(f"{record.topic}/{self.partition}: after {self._read} comes {record.offset}")
            self._read = record.offset
            item = taken_up(record.value, record.offset, record.timestamp)
            origin = item.origin
            if type(item) is Clock:
                self._ticking.came()
            elif origin.offset <= seen.get((origin.topic, origin.partition), -1):
                continue  # stage 1 has sent it again
            else:
                seen[origin.topic, origin.partition] = origin.offset
            if record.offset > position.offset:
                self._work.append(item)

    def _acknowledge(self, holding: Holding) -> None:
        """Tell Faust of the chunks that are committed; the group's offsets serve its start and the lag people see."""
        while self._chunks and self._chunks[0].last <= holding.position.offset:
            self._chunks.pop(0).event.ack()

    async def _require_policies(self) -> None:
        for item in self._work:
            command = item.command if isinstance(item, CommandWork) else None
            if isinstance(command, Activate):
                await self._settings.shelf.require(command.sha256, self._waits)

    def _waits(self) -> bool:
        """For a policy, alive; returns whether it may go on waiting."""
        self.moved_s = time.monotonic()
        self._settings.watcher.waits_for_policy()
        return not self._stopping


async def _end_of(holding: Holding) -> int | None:
    """Where its `state` ends; None when no broker says so."""
    try:
        return await holding.end()
    except LedgerError as error:
        log.warning("partition %d is opened anew: %s", holding.partition, error)
        return None
