"""The drivers under one contract: how each is opened, and opened again as a new process would."""

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from bench.broker import Broker
from dispatcher.config import Kafka
from dispatcher.core import Outcome, Position
from dispatcher.ledger import Ledger, MemoryLedger, SqliteLedger
from dispatcher.ledger.kafka import Connection, KafkaLedger, Out, Place, create_topics, put_values, topic_specs

EMBEDDED = ("memory", "sqlite")  # the inputs lie in one order, dated by a clock that is given
DRIVERS = (*EMBEDDED, "kafka")


class Clock:
    """A clock that stands where it is put."""

    def __init__(self, now_ms: int = 1_000) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


class Driver:
    """One ledger of a driver; `reopen` is what a restarted process does."""

    def __init__(self, name: str, directory: Path, broker: Broker | None = None) -> None:
        self.name = name
        self.clock = Clock()
        self._path = directory / "city.db"
        self._place = None if broker is None else new_place(broker)
        self.ledger: Any = self._open()

    def _open(self) -> Ledger:
        opened: dict[str, Callable[[], Ledger]] = {
            "memory": lambda: MemoryLedger(self.clock),
            "sqlite": lambda: SqliteLedger(self._path, clock=self.clock),
            "kafka": lambda: KafkaLedger(self._place),
        }
        return opened[self.name]()

    def reopen(self) -> Any:
        """A memory ledger lives as long as its object; anything else is closed and opened again."""
        self.ledger.close()
        if self.name != "memory":
            self.ledger = self._open()
        return self.ledger

    def close(self) -> None:
        self.ledger.close()


def new_place(broker: Broker) -> Place:
    """Topics of one partition under a prefix of their own, and enough of `work` for the positions of the tests."""
    prefix = f"contract{next(_numbers)}."
    kafka = Kafka(
        bootstrap=broker.bootstrap, prefix=prefix, application=prefix, partitions=1, input_partitions=1,
        department_partitions=1, replication=1,
    )  # fmt: skip
    forever = {"retention.ms": "-1"}  # the times of the tests lie in 1970
    specs = [
        spec._replace(
            settings=spec.settings if spec.settings["cleanup.policy"] == "compact" else spec.settings | forever
        )
        for spec in topic_specs(kafka, ["gas", "fire"])
    ]
    connection = Connection(broker.bootstrap)

    async def make() -> None:
        await create_topics(connection, specs)
        await put_values(connection, [Out(f"{prefix}work", 0, None, b"") for _ in range(40)])

    asyncio.run(make())
    return Place(connection, prefix, prefix, 1, 1)


_numbers = count()


def outcome(
    position: Position,
    *records: tuple[str, str, bytes],
    compacted: dict[tuple[str, str], bytes | None] | None = None,
    incidents: int = 0,
) -> Outcome:
    """An outcome that ends at a position, with so many incidents held; its records carry the position's time."""
    dated = [(topic, key, position.time_ms, value) for topic, key, value in records]
    return Outcome(position, 1, dated, compacted or {}, Counter(), 1 << 62, incidents=incidents)
