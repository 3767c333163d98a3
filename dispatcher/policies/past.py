"""The past as `events` tells it, read once and in order, a chunk at a time: nobody holds a history in memory."""

from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec import Raw, Struct

from dispatcher.core import CONTROL
from dispatcher.core.messages import Actor
from dispatcher.ledger import Kept, Ledger

__all__ = [
    "ACTIVATED",
    "ASSIGNMENT",
    "DECISION",
    "Activated",
    "PastChange",
    "PastEvent",
    "Progress",
    "beyond",
    "end_of",
    "everything",
    "past_events",
]

CHUNK_RECORDS = 2_000  # about 4 MB
DECISION = b'"event":"decision"'
ASSIGNMENT = b'"event":"assignment"'
ACTIVATED = b'"event":"policy_activated"'

Progress = Callable[[int], None]  # told how far it has come since the last time, in `seq`; `end_of` is the whole way


class PastChange(Struct, omit_defaults=True):
    """One entry of an event: a decision with its facts, or a move of an assignment; others have but their name."""

    event: str
    seq: int = 0
    cause: str = ""
    policy: str = ""
    facts: Raw = Raw(b"")
    decision: Raw = Raw(b"")
    party: str = ""
    role: str = ""
    before: str = msgspec.field(default="", name="from")
    to: str = ""


class PastEvent(Struct):
    """One revision of one incident."""

    incident_id: str
    at: str
    what: str  # the action, `report`, `merge` or `timer`
    state: str
    note: str = ""  # a reason code, or the result of a check
    changes: list[PastChange] = []


class Activated(Struct):
    """A policy that came into force."""

    at: str
    sha256: str
    command_id: str
    before: str | None = None
    by: Actor | None = None
    reason: str = ""


_event = msgspec.json.Decoder(PastEvent)
_activated = msgspec.json.Decoder(Activated)


def everything(
    ledger: Ledger, topic: str, after: int = -1, on_progress: Progress | None = None, partition: int = 0
) -> Iterator[Kept]:
    """The records of a partition of a topic in order, those with `seq` beyond `after`."""
    while batch := ledger.follow(topic, after, CHUNK_RECORDS, partition):
        yield from batch
        if on_progress is not None:
            on_progress(batch[-1].seq - after)
        after = batch[-1].seq


def beyond(ledger: Ledger, topic: str, after: int | Sequence[int] = -1) -> Iterator[Kept]:
    """The records of all partitions of a topic, one partition after the other; `after` is for each, or for all."""
    for partition in range(ledger.partitions(topic)):
        yield from everything(ledger, topic, after if isinstance(after, int) else after[partition], None, partition)


def past_events(
    ledger: Ledger,
    wanted: tuple[bytes, ...],
    on_progress: Progress | None = None,
    after: int = -1,
    partition: int = 0,
) -> Iterator[PastEvent | Activated]:
    """Changes of incidents that hold one of `wanted`, and activations, in the order in which they happened.

    Args:
        ledger: whose `events` are read.
        wanted: of `DECISION` and `ASSIGNMENT` those that matter; an event with none of them is not even decoded.
        on_progress: told of every chunk, when all of it was given out.
        after: records of `events` up to this `seq` are left out.
        partition: of `events`; all of an incident's lie in one, and every one tells of each activation.
    """
    for kept in everything(ledger, "events", after, on_progress, partition):
        value = kept.value or b"{}"
        if kept.key == CONTROL:
            if ACTIVATED in value:  # modes, re-routings and outages are told under the same key
                yield _activated.decode(value)
        elif any(piece in value for piece in wanted):
            yield _event.decode(value)


def end_of(ledger: Ledger) -> int:
    """The `seq` of the last record put out so far, -1 for none; found by halving, without reading what lies before."""
    low, high = -1, 1
    while ledger.follow("*", high - 1, 1):
        low, high = high, high * 2
    while low + 1 < high:
        middle = (low + high) // 2
        if ledger.follow("*", middle - 1, 1):
            low = middle
        else:
            high = middle
    return low if ledger.follow("*", low - 1, 1) else -1
