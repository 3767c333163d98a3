"""What the rivals on Kafka decide with: our own core, an engine for each partition, one call for each report."""

import os
from collections.abc import Iterator
from pathlib import Path

from dispatcher.config import load_config
from dispatcher.core import CONTROL, REPORTS, Engine, Outcome, PartitionState, Position, Record, Rulebook
from dispatcher.core.control import Activate
from dispatcher.core.homes import Homes
from dispatcher.core.wire import encode
from dispatcher.hosts.setup import load_setup

__all__ = ["Deciding"]


class Deciding:
    """The policy of a configuration, put in force in each engine before the first report.

    Args:
        config_path: of the configuration.
    """

    def __init__(self, config_path: Path) -> None:
        config = load_config(config_path, os.environ)
        self.kafka, self.setup = config.kafka, load_setup(config)
        policy, partitions = self.setup.policy, range(self.kafka.partitions)
        books = {policy.sha256: Rulebook(policy)}
        self._homes = Homes(self.kafka.partitions, self.kafka.partition_level)
        self._engines = [
            Engine(PartitionState(n, books, partitions=len(partitions)), Position(), self.setup.grid.sha256)
            for n in partitions
        ]
        command = encode(Activate(command_id=f"first-{policy.sha256[:12]}", sha256=policy.sha256))
        for engine in self._engines:
            engine.process(self.setup.intake.take([Record(0, CONTROL, 0, 0, 0, None, command)]).work)

    def of(
        self, partition: int, offset: int, time_ms: int, value: bytes
    ) -> tuple[list[tuple[str, bytes]], Iterator[tuple[int, Outcome]]]:
        """What stage 1 sets apart of a report, for `reporters`; and what becomes of it, with the partition it is at."""
        taken = self.setup.intake.take([Record(offset, REPORTS, partition, offset, time_ms, None, value)])
        homes = ((max(self._homes.of(work), 0), work) for work in taken.work)
        return taken.reporters, ((home, self._engines[home].process([work])) for home, work in homes)
