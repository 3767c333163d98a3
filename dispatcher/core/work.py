"""What stage 1 reads and what it makes: records of the ledger, and the work they become for stage 2."""

from msgspec import Struct

from dispatcher.core.control import Command
from dispatcher.core.messages import Actor, Reason, Report, Update
from geo import Place

__all__ = [
    "Clock",
    "CommandWork",
    "Position",
    "Record",
    "Rejected",
    "ReportWork",
    "Source",
    "UpdateWork",
    "Work",
]


class Record(Struct, frozen=True, gc=False):
    """One record of the ledger as stage 1 reads it.

    `seq` is its place in the one order the engine follows; `offset` its place in its own topic, which does not depend
    on what other topics hold (clock records may stand anywhere without changing an output).
    """

    seq: int
    topic: str
    partition: int
    offset: int
    time_ms: int
    key: str | None
    value: bytes


class Source(Struct, frozen=True, gc=False):
    """Where a record came from: its topic, partition, offset there, and when it was appended."""

    topic: str
    partition: int
    offset: int
    time_ms: int

    @property
    def key(self) -> str:
        """As one word: the key of a rejection."""
        return f"{self.topic}/{self.partition}/{self.offset}"


# Every work record has its place (`seq`) and time in the log the engine follows, and the `origin` it came from.


class ReportWork(Struct, frozen=True, gc=False, tag="report"):
    """A located report; `report` has lost its reporter, `digest` is over its whole content."""

    seq: int
    time_ms: int
    origin: Source
    report: Report
    place: Place
    digest: int
    has_reporter: bool
    reported_ms: int
    promised_ms: int | None


class UpdateWork(Struct, frozen=True, gc=False, tag="update"):
    """An update with its authenticated actor; `digest` is over its content."""

    seq: int
    time_ms: int
    origin: Source
    update: Update
    actor: Actor
    digest: int
    at_ms: int
    place: Place | None = None  # where its `location` lies, when it gives one


class CommandWork(Struct, frozen=True, gc=False, tag="command"):
    """A command, in the one order of `control`."""

    seq: int
    time_ms: int
    origin: Source
    command: Command


class Rejected(Struct, frozen=True, gc=False, tag="rejected"):
    """A record that stage 1 refused; `original` is masked."""

    seq: int
    time_ms: int
    origin: Source
    reason: Reason
    detail: str
    original: str
    key: str | None = None


class Clock(Struct, frozen=True, gc=False, tag="clock"):
    """Nothing but the time: appended by the owner of the partition when its next timer is due."""

    seq: int
    time_ms: int
    origin: Source


Work = ReportWork | UpdateWork | CommandWork | Rejected | Clock


class Position(Struct, frozen=True, gc=False):
    """How far a partition's log has been consumed: the last record's place in the log, and its time."""

    offset: int = -1
    time_ms: int = 0
