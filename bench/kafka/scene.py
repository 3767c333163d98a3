"""Where a run takes place: the bench's city and policy as files that processes read, and a day's reports in order."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

from bench.policy import policy_files
from bench.town import Town
from bench.workload import Expected, city_day
from dispatcher.hosts.setup import Setup
from rules import load_policy

__all__ = ["INPUT_PARTITIONS", "Message", "Scene", "make_scene", "reports_of_a_day"]

INPUT_PARTITIONS: Final = 4
_REPORT_ID: Final = re.compile(rb'"report_id":"([^"]*)"')

Message = tuple[int, bytes]
"""A partition of `reports`, and a value."""


class Scene(NamedTuple):
    """What all runs share."""

    town: Town
    setup: Setup
    directory: Path  # with the files, and for what processes say
    bootstrap: str

    @property
    def name(self) -> str:
        """Begins the names of all topics of this run: others may be on the same broker."""
        return f"{self.directory.name}."


def make_scene(town: Town, directory: Path, bootstrap: str, rules: int, seed: int) -> Scene:
    """Write the city and a policy of that many rules where processes find them."""
    files = policy_files(town.grid, rules, seed)
    for name, value in files.items():
        file = directory / "policy" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(value)
    (directory / "grid.geojson").write_bytes(town.city.grid_geojson())
    (directory / "gazetteer.csv").write_bytes(town.city.gazetteer_csv)
    (directory / "things.csv").write_bytes(town.city.things_csv())
    setup = Setup(town.grid, town.placer, town.intake, load_policy(files))
    return Scene(town, setup, directory, bootstrap)


def reports_of_a_day(town: Town, reports: int, seed: int) -> tuple[Sequence[Message], Expected]:
    """A city day's reports in the order of their times, and what must become of them.

    All that is said under one report id goes to one partition: which of two contradicting reports is taken must not
    depend on who is faster.
    """
    day = city_day(town, reports, seed)
    messages = [(_partition(sent.value), sent.value) for sent in day.reports]
    return messages, day.expected


def _partition(value: bytes) -> int:
    found = _REPORT_ID.search(value)
    return crc32(found[1] if found else value) % INPUT_PARTITIONS
