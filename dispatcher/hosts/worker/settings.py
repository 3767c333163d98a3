"""What every partition of a worker shares, and whom it tells what happens."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from aiokafka import AIOKafkaProducer

from dispatcher.core import Engine, EngineFault, Outcome
from dispatcher.hosts.worker.books import PolicyShelf
from dispatcher.ledger.kafka import Place

__all__ = ["Rewind", "Settings", "Watcher"]


class Watcher(Protocol):
    """Told of what happens to the partitions."""

    def committed(self, partition: int, outcome: Outcome, engine: Engine) -> None:
        """An outcome is durable."""

    def faulted(self, fault: EngineFault) -> None:
        """Our own code failed on a record."""

    def restoring(self, partition: int, done: int, total: int) -> None:
        """So many of the offsets of `incidents` are read."""

    def restored(self, partition: int, incidents: int, seconds: float) -> None:
        """A partition is ready to work."""


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
