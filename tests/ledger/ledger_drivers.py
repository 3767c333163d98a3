"""The drivers under one contract: how each is opened, and opened again as a new process would."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from dispatcher.core import Outcome, Position
from dispatcher.ledger import Ledger, MemoryLedger, SqliteLedger

DRIVERS = ("memory", "sqlite")


class Clock:
    """A clock that stands where it is put."""

    def __init__(self, now_ms: int = 1_000) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


class Driver:
    """One ledger of a driver; `reopen` is what a restarted process does."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.clock = Clock()
        self._path = directory / "city.db"
        self.ledger: Ledger = self._open()

    def _open(self) -> Ledger:
        opened: dict[str, Callable[[], Ledger]] = {
            "memory": lambda: MemoryLedger(self.clock),
            "sqlite": lambda: SqliteLedger(self._path, clock=self.clock),
        }
        return opened[self.name]()

    def reopen(self) -> Ledger:
        """A memory ledger lives as long as its object; anything else is closed and opened again."""
        self.ledger.close()
        if self.name != "memory":
            self.ledger = self._open()
        return self.ledger

    def close(self) -> None:
        self.ledger.close()


def outcome(
    position: Position,
    *records: tuple[str, str, bytes],
    compacted: dict[tuple[str, str], bytes | None] | None = None,
) -> Outcome:
    """An outcome that ends at a position; its records carry the position's time."""
    dated = [(topic, key, position.time_ms, value) for topic, key, value in records]
    return Outcome(position, 1, dated, compacted or {}, Counter(), 1 << 62)
