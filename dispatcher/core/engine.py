"""The engine of one partition: work in, an outcome out. No input or output, no clock, no randomness, no threads.

The order of things, for every record: timers due strictly before it fire; then a report is merged into what is open or
opens an incident, is routed, and its departments get their orders; an update is tracked. The outcome is a function of
the log alone: where batches are cut and how often the process died change nothing.

If anything here raises, the object is thrown away and rebuilt from the ledger, and the record that broke it is given
again as poisoned: it ends as `engine_error` and the stream goes on.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from dispatcher.core.admit import admit
from dispatcher.core.due import fire_incident, mute_incident
from dispatcher.core.enact import enact, end_mode
from dispatcher.core.messages import Reason
from dispatcher.core.reroute import reroute_next
from dispatcher.core.state import PartitionState
from dispatcher.core.timers import Due
from dispatcher.core.track import track
from dispatcher.core.turn import Turn
from dispatcher.core.work import Clock, CommandWork, Position, Rejected, ReportWork, UpdateWork, Work

__all__ = ["Engine", "EngineFault", "Outcome", "Poison"]

OUTPUTS_MAX = 20_000  # records in one commit; a mass breach is put out in slices of this size
OUTPUT_BYTES_MAX = 32 << 20

Poison = str  # a record's source key, `timer/<incident>/<instant>` or `job/<command>/<incident>`


class EngineFault(RuntimeError):
    """Our own code failed on a record or a timer; `poison` names it.

    Not `sure`: it failed on writing what several of them did, and `poison` is but the last of them.
    """

    def __init__(self, poison: Poison, cause: Exception, *, sure: bool = True) -> None:
        super().__init__(f"{type(cause).__name__} on {poison}: {cause}")
        self.poison = poison
        self.sure = sure


class Outcome(NamedTuple):
    """What one call of `process` produced; commit all of it in one transaction, or throw the engine away."""

    position: Position  # after the last record consumed whole
    consumed: int  # records consumed whole; call again with the rest
    records: list[tuple[str, str, int, bytes]]  # topic, key, time_ms, value
    compacted: dict[tuple[str, str], bytes | None]
    counts: Counter[str]
    next_due_ms: int
    pending: bool = False  # a command is under way: call again, even with no work
    incidents: int = 0  # held now
    revisions: int = 0  # of these, added up: what a restore must find again


class Engine:
    """One partition's incidents and the one way to change them.

    Args:
        state: rebuilt from the ledger.
        position: how far the ledger says this partition has come.
        grid: the grid's content hash, recorded with every decision.
    """

    def __init__(self, state: PartitionState, position: Position, grid: str = "") -> None:
        self.state = state
        self.position = position
        self._grid = grid
        self._poisoned: Collection[Poison] = ()
        self._last: Poison = ""  # what was done last, and how many things were done, in this call of `process`
        self._done = 0

    @property
    def next_due_ms(self) -> int:
        """The instant of the next timer; a clock record later than this makes it fire."""
        return self.state.timers.next_due_ms

    def process(
        self,
        work: Sequence[Work],
        *,
        poisoned: Collection[Poison] = (),
        outputs_max: int = OUTPUTS_MAX,
        output_bytes_max: int = OUTPUT_BYTES_MAX,
    ) -> Outcome:
        """Take work in the order of the log.

        Stops early, between timers or records, once the outcome is large enough for one transaction.

        Raises:
            EngineFault: our own code failed; this object must not be used again.
        """
        turn, self._poisoned = Turn(self.state, self._grid), poisoned
        out = turn.out
        consumed = self._done = 0

        def full() -> bool:
            return len(out.records) >= outputs_max or out.bytes_out >= output_bytes_max

        self._go_on(turn, full)
        for item in work:
            if self.state.job is not None:
                break
            now_ms = max(item.time_ms, self.position.time_ms)
            if item.time_ms < now_ms:  # time never goes back, whatever a ledger says
                item = replace(item, time_ms=now_ms)  # noqa: PLW2901
            while due := self.state.timers.pop_before(now_ms):
                self._guarded_timer(due, turn)
                if full():
                    return self._outcome(turn, consumed)
            self._guarded_record(item, now_ms, turn)
            self.position = Position(item.seq, now_ms)
            consumed += 1
            self._go_on(turn, full)
            if full():
                break
        return self._outcome(turn, consumed)

    def _outcome(self, turn: Turn, consumed: int) -> Outcome:
        try:
            self.state.settle(turn.out)
            turn.out.settle()
        except Exception as error:
            raise EngineFault(self._last, error, sure=self._done <= 1) from error
        out, state = turn.out, self.state
        return Outcome(
            self.position, consumed, out.records, out.compacted, turn.counts, self.next_due_ms, self.pending,
            len(state.incidents), state.revisions,
        )  # fmt: skip

    @property
    def pending(self) -> bool:
        """Whether a command is under way that goes on without further work."""
        return self.state.job is not None

    def _go_on(self, turn: Turn, full: Callable[[], bool]) -> None:
        """Go on with the command under way, before anything that came after it."""
        job = self.state.job
        if job is None:
            return

        def take(incident_id: str) -> bool:
            self._last = f"job/{job.command_id}/{incident_id}"
            self._done += 1
            return self._last not in self._poisoned

        try:
            reroute_next(turn, full, take)
        except Exception as error:
            raise EngineFault(self._last, error) from error

    def _guarded_record(self, item: Work, now_ms: int, turn: Turn) -> None:
        key = self._last = item.origin.key
        self._done += 1
        if key in self._poisoned and not isinstance(item, Rejected):
            item = Rejected(
                item.seq, item.time_ms, item.origin, Reason.ENGINE_ERROR, "the engine failed on this record", ""
            )
        try:
            _take(turn, item, now_ms)
            self.state.repeats.age(now_ms, turn.out)
        except Exception as error:
            raise EngineFault(key, error) from error

    def _guarded_timer(self, due: Due, turn: Turn) -> None:
        due_ms, name, incident = due
        key = self._last = f"timer/{name}/{due_ms}"
        self._done += 1
        try:
            if incident is None:
                _ring(turn, name, due_ms)
            elif key in self._poisoned:
                mute_incident(turn, due_ms, incident, key)
            else:
                fire_incident(turn, due_ms, incident)
        except Exception as error:
            raise EngineFault(key, error) from error


def _ring(turn: Turn, alarm: str, due_ms: int) -> None:
    """An alarm of the partition's own: so far, the ends of modes."""
    kind, _, name = alarm.partition("/")
    if kind != "mode":
        raise LookupError(f"nobody answers the alarm {alarm}")
    end_mode(turn, name, due_ms)


def _take(turn: Turn, item: Work, now_ms: int) -> None:
    if type(item) is ReportWork:
        admit(turn, item, now_ms)
    elif type(item) is UpdateWork:
        track(turn, item, now_ms)
    elif type(item) is Rejected:
        turn.reject(item)
    elif type(item) is CommandWork:
        enact(turn, item)
    elif type(item) is not Clock:
        raise TypeError(f"no such work: {type(item).__name__}")
