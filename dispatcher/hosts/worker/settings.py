"""What every partition of a worker shares, and whom it tells what happens."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol

from aiokafka import AIOKafkaProducer

from dispatcher.core import Engine, EngineFault, Outcome
from dispatcher.hosts.worker.books import PolicyShelf
from dispatcher.ledger.kafka import Place
from dispatcher.metrics import Batch

__all__ = ["Rewind", "Settings", "Watcher"]


class Watcher(Protocol):
    """Told of what happens to the partitions."""

    def committed(self, partition: int, outcome: Outcome, engine: Engine, batch: Batch) -> None:
        """An outcome is durable."""

    def idles(self, partition: int, engine: Engine) -> None:
        """A partition has nothing to do at the moment."""

    def carried(self, unknown_fields: int, seconds: float) -> None:
        """A step of stage 1 is durable."""

    def faulted(self, fault: EngineFault) -> None:
        """Our own code failed on a record."""

    def restoring(self, partition: int, done: int, total: int) -> None:
        """So many of the offsets of `incidents` are read."""

    def restored(self, partition: int, incidents: int, seconds: float) -> None:
        """A partition is ready to work."""

    def released(self, partition: int) -> None:
        """A partition is somebody else's now."""

    def lags(self, behind: Mapping[tuple[str, int], int]) -> None:
        """How many records wait in each partition of each topic that is ours."""

    def waits_for_policy(self) -> None:
        """A policy is to be put in force, and is not there."""


Rewind = Callable[[int, int], Awaitable[None]]  # have a partition fetched from an offset on


class Settings(NamedTuple):
    """What every partition of a worker shares."""

    place: Place
    shelf: PolicyShelf
    grid: str
    producer: AIOKafkaProducer  # idempotent, for clock records
    watcher: Watcher
    rewind: Rewind
    poll_s: float
