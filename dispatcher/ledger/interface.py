"""The ledger: the only truth. One interface; memory, SQLite and Kafka behind it, one contract suite against all.

A ledger holds input records in one order a partition, and what the engine made of them. `commit` writes outputs, state
and position in one transaction or not at all, and only for the present owner at the expected position: a second
writer can never mix in.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from dispatcher.core import CLOCK, CONTROL, REPORTS, UPDATES, Outcome, Position, Record

__all__ = [
    "EmbeddedLedger", "Entry", "Fenced", "InDoubt", "InUse", "Kept", "Ledger", "LedgerError", "NoTopic", "Offset",
    "Owner", "is_input",
]  # fmt: skip

INPUTS = (REPORTS, UPDATES, CONTROL, CLOCK)


def is_input(topic: str) -> bool:
    """Whether a topic (or all topics that a trailing `*` takes) holds what the engine reads, not what it puts out."""
    return topic.rstrip("*").partition(".")[0] in INPUTS


class LedgerError(Exception):
    """The ledger cannot do what was asked; the message says what to do next."""


class InUse(LedgerError):
    """Another process is writing to this ledger."""


class NoTopic(LedgerError):
    """There is no topic of that name, or not for this user to see."""


class Fenced(LedgerError):
    """This owner is no longer the owner, or the position is not the one it expects: its work is thrown away."""


class InDoubt(LedgerError):
    """It is not known what of it was written; appended again, each record counts once by the id it has."""


class Offset(NamedTuple):
    """Where a record lies in its input topic: what the engine refuses names it by this."""

    partition: int
    offset: int


class Entry(NamedTuple):
    """A record to append. Without a time the ledger's clock dates it; no record is dated before the one before it.

    A broker dates every record itself. Records of one key lie in one partition of their topic, in the order they came.
    """

    topic: str
    value: bytes
    key: str | None = None
    time_ms: int | None = None


class Kept(NamedTuple):
    """A record as followers see it: `seq` orders the topic's records (for a compacted topic: its newest values)."""

    seq: int
    key: str  # empty for an input record without one
    time_ms: int
    value: bytes | None  # None: a tombstone


class Owner(NamedTuple):
    """The right to commit for one partition, until somebody else takes it."""

    partition: int
    epoch: int


class Ledger(Protocol):
    """What every driver does. On Kafka only `commit` is all or nothing: what `append` is given may arrive in part."""

    def append(self, entries: Sequence[Entry]) -> list[Offset]:
        """Add input records in this order, all or none; they are durable when this returns, with where each lies.

        Raises:
            InDoubt: on Kafka, no answer came in time, or some were refused.
            LedgerError: nothing was written.
        """
        ...

    def put(self, topic: str, key: str, value: bytes) -> None:
        """Set a value on a compacted topic outside the engine (`policies`); durable when this returns."""
        ...

    def own(self, partition: int) -> Owner:
        """Become the owner of a partition; whoever was it before can commit no more.

        Raises:
            InUse: another living process owns it.
        """
        ...

    def position(self, partition: int) -> Position:
        """How far the partition has been committed."""
        ...

    def restore(self, partition: int) -> tuple[Iterable[tuple[str, bytes]], Iterable[tuple[str, bytes]]]:
        """The newest values of `state` and of `incidents`."""
        ...

    def commit(
        self, owner: Owner, outcome: Outcome, expected: Position, also: Mapping[tuple[str, str], bytes] | None = None
    ) -> None:
        """Write an outcome, and compacted values made beside it (`reporters`), at once or not at all.

        Raises:
            Fenced: the owner or the position has changed; nothing was written.
        """
        ...

    def follow(self, topic: str, after: int, limit: int, partition: int = 0) -> list[Kept]:
        """Records of a partition of a topic with `seq` beyond `after`, in order.

        Where each topic has one partition, a trailing `*` takes all topics so named: input topics (`updates*`) or
        append topics (`dept.*`, `*`).
        """
        ...

    def end(self, topic: str, partition: int = 0) -> int:
        """A place beyond all that is there now: following from it gives what comes later, and nothing else."""
        ...

    def ends(self, topic: str) -> tuple[int, ...]:
        """A place in each partition of a topic: what comes of a record appended after this call lies beyond it."""
        ...

    def commands(self) -> list[tuple[int, Kept]]:
        """Everything ever written to `control`, in order, each with its offset there: a few a week at most."""
        ...

    def commanded(self) -> tuple[int, ...]:
        """How far each partition of the engine has come on `control`: what lies there beyond that `seq` waits for it.

        What it has put out about a command it has come to is found by `follow`.
        """
        ...

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has; whoever follows it follows each, with a place of its own.

        Raises:
            NoTopic: on Kafka, there is none of that name.
        """
        ...

    def newest(self, topic: str, key: str) -> bytes | None:
        """The newest value of a key on a compacted topic."""
        ...

    def topics(self) -> list[str]:
        """Every topic that holds a record, sorted."""
        ...

    def appended(self, topic: str) -> int:
        """How many records were ever appended to an input topic."""
        ...

    def close(self) -> None:
        """Let go of files and of the ownership."""
        ...


class EmbeddedLedger(Ledger, Protocol):
    """A ledger whose inputs lie in one order by themselves, so that one process does both stages in one step."""

    def read(self, partition: int, after: int, limit: int) -> list[Record]:
        """Input records beyond a position, in order; fewer than `limit` only at the end."""
        ...
