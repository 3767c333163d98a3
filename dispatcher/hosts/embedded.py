"""The embedded host: both stages in one step, one partition, any ledger.

read -> take (stage 1) -> process (stage 2) -> commit. If the engine fails on a record, the engine is thrown away and
rebuilt, and that record ends as `engine_error`. If anything else fails, so does the process: the ledger makes the
restart exact.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from dispatcher.core import (
    CLOCK,
    CONTROL,
    NEVER_MS,
    REPORTS,
    Engine,
    EngineFault,
    Intake,
    Outcome,
    PartitionState,
    Rulebook,
)
from dispatcher.core.control import Activate
from dispatcher.core.repeats import SEEN_WINDOW_MS
from dispatcher.core.wire import encode
from dispatcher.core.work import CommandWork, Work
from dispatcher.hosts.faults import Faults
from dispatcher.hosts.taking import take
from dispatcher.ledger import EmbeddedLedger, Entry, Ledger, LedgerError, Owner
from dispatcher.metrics import Batch
from rules import Policy

__all__ = ["IMPORTS", "PARTITION", "REPLAY_KEY", "Embedded", "Observer", "enact_first_policy"]

PARTITION = 0
IMPORTS, REPLAY_KEY = "imports", "replay"  # what a ledger was made of
log = logging.getLogger(__name__)


class Observer(Protocol):
    """Told of every commit; metrics are made from it."""

    def committed(self, outcome: Outcome, batch: Batch) -> None:
        """An outcome is durable."""

    def faulted(self, fault: EngineFault) -> None:
        """Our own code failed on a record."""


class Embedded:
    """Follows the ledger's inputs as the owner of its one partition.

    Args:
        ledger: any driver.
        intake: stage 1.
        books: policies by sha256.
        grid: the grid's content hash.
        batch_records: most records a step reads.
        observer: told of commits and faults.
        on_step: called between the phases; tests crash here.
    """

    def __init__(
        self,
        ledger: EmbeddedLedger,
        intake: Intake,
        books: Mapping[str, Rulebook],
        *,
        grid: str = "",
        batch_records: int = 1_000,
        observer: Observer | None = None,
        on_step: Callable[[str], None] | None = None,
    ) -> None:
        self._ledger, self._intake, self._books, self._grid = ledger, intake, books, grid
        self._batch_records = batch_records
        self._observer = observer
        self._on_step = on_step or (lambda _: None)
        self._owner: Owner = ledger.own(PARTITION)
        self._faults = Faults(self._faulted)
        self._unknown_fields = 0
        self.engine = self._rebuild()

    @property
    def tally(self) -> Counter[str]:
        """What has been counted since the ledger began."""
        return self.engine.state.tally

    @property
    def behind(self) -> int:
        """How many records wait to be taken through."""
        return max(0, self._ledger.end(REPORTS) - self.engine.position.offset)  # all inputs lie in one order

    def step(self) -> int:
        """Take one batch through, or one slice of a command that takes many incidents.

        Returns how many records it consumed (1 for a slice that consumed none), 0 when there is nothing to do.
        """
        records = self._ledger.read(PARTITION, self.engine.position.offset, self._batch_records)
        if not records and not self.engine.pending:
            return 0
        taken = take(self._intake, records, self._faulted)
        work = taken.work
        also = {("reporters", key): value for key, value in taken.reporters}
        self._unknown_fields += taken.unknown_fields
        self._require_policies(work)
        self._on_step("step:taken")
        done = 0
        self._faults.go_on()
        while done < len(work) or self.engine.pending:
            expected = self.engine.position
            begun_s = time.perf_counter()
            outcome = self._process(work[done:])
            processed_s = time.perf_counter()
            self._on_step("step:processed")
            self._ledger.commit(self._owner, outcome, expected, also)
            self._on_step("step:committed")
            consumed = work[done : done + outcome.consumed]
            if self._observer is not None:
                took_s = processed_s - begun_s, time.perf_counter() - processed_s
                self._observer.committed(outcome, Batch.of(consumed, self._unknown_fields, *took_s))
            self._unknown_fields = 0
            done += outcome.consumed
            if outcome.pending:  # slices are steps of their own: whoever watches the loop sees it turn
                break
        return max(done, 1)

    def catch_up(self, on_progress: Callable[[int], None] | None = None) -> int:
        """Step until there is nothing left to read; returns the number of records consumed."""
        total = 0
        while consumed := self.step():
            total += consumed
            if on_progress is not None:
                on_progress(consumed)
        return total

    def tick(self, now_ms: int) -> bool:
        """Append a clock record when a timer is overdue and nothing else is waiting; returns whether it did."""
        if self.engine.next_due_ms >= now_ms:
            return False
        self._ledger.append([Entry(CLOCK, b"", None, now_ms)])
        return True

    def _require_policies(self, work: Sequence[Work]) -> None:
        """A policy that is put in force must be stored: a host that cannot load it stops, it never skips."""
        for item in work:
            command = item.command if isinstance(item, CommandWork) else None
            if isinstance(command, Activate) and command.sha256 not in self._books:
                raise LedgerError(f"policy {command.sha256} is activated but not on the topic policies; store it")

    def _process(self, work: Sequence[Work]) -> Outcome:
        while True:
            try:
                return self._faults.process(self.engine, work)
            except EngineFault as fault:
                self._faults.learn(fault)
                self.rebuild()

    def _faulted(self, fault: EngineFault) -> None:
        if self._observer is not None:
            self._observer.faulted(fault)

    def rebuild(self) -> None:
        """Throw the engine away and make it anew from the ledger."""
        self.engine = self._rebuild()

    def _rebuild(self) -> Engine:
        replayed = self._ledger.newest(IMPORTS, REPLAY_KEY) is not None  # a closed set: an id is one report throughout
        state = PartitionState(PARTITION, self._books, seen_window_ms=NEVER_MS if replayed else SEEN_WINDOW_MS)
        state.restore(*self._ledger.restore(PARTITION))
        return Engine(state, self._ledger.position(PARTITION), self._grid)


def enact_first_policy(ledger: Ledger, policy: Policy) -> bool:
    """In a new ledger, store the policy and append the event that puts it in force; returns whether it did."""
    if ledger.appended(CONTROL):
        return False
    ledger.put("policies", policy.sha256, policy.canonical)
    command = Activate(command_id=f"first-{policy.sha256[:12]}", sha256=policy.sha256)
    ledger.append([Entry(CONTROL, encode(command), None, 0)])
    return True
