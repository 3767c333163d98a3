"""The plan of a run: every size once in a round, so that what else the machine does hits all alike."""

import gc
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bench.answers import WrongAnswer, check
from bench.core import CoreDriver, Setting
from bench.growth.backlog import Backlogged
from bench.growth.cities import grown_city
from bench.parts import locate_us
from bench.policy import policy_files
from bench.town import Town
from bench.workload import as_backlog, city_day
from dispatcher.commands.memory import settle_memory
from rules import load_policy

__all__ = ["Grown", "Size", "measure"]

Progress = Callable[[str], None]
INCIDENTS, RULES, CELLS, POINTS = "open incidents", "rules", "cells", "cells, locating a point"


class Size(NamedTuple):
    """How much is done."""

    rounds: int
    reports: int  # offered to each size in a round
    seed: int = 1
    incidents: tuple[int, ...] = (10_000, 100_000, 300_000)
    rules: tuple[int, ...] = (100, 1_000, 10_000)
    cells: tuple[int, ...] = (1_000, 6_000, 30_000)
    usual_rules: int = 1_000  # where they are not what grows
    points: int = 20_000


class Grown:
    """CPU microseconds by what grew and how far, one a round; bytes of memory an open incident."""

    def __init__(self) -> None:
        self.took_us: dict[tuple[str, int], list[float]] = {}
        self.incident_bytes: dict[int, float] = {}

    def add(self, what: str, size: int, took_us: float) -> None:
        """One more round of a size."""
        self.took_us.setdefault((what, size), []).append(took_us)


def measure(size: Size, progress: Progress, town: Town | None = None) -> Grown:
    """Grow each by itself.

    Args:
        size: how much.
        progress: told what is being done.
        town: one that is there already.

    Raises:
        WrongAnswer: something came out that must not; no row may be believed then.
    """
    grown, thresholds = Grown(), gc.get_threshold()
    town = town or Town(size.seed)
    try:
        _grow_incidents(town, size, grown, progress)  # first: what others leave behind would be filled by it, unseen
        _grow_rules(town, size, grown, progress)
        _grow_cells(size, grown, progress)
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
    return grown


def _setting(town: Town, rules: int, reports: int, seed: int) -> Setting:
    return Setting(town, load_policy(policy_files(town.grid, rules, seed)), city_day(town, reports, seed))


def _day_us(setting: Setting) -> float:
    """A report of the day offered to an engine with nothing open. Raises WrongAnswer."""
    driver = CoreDriver(setting)
    took = driver.take(as_backlog(setting.day)[0])
    check(driver.answers, driver.engine, setting.day.expected, updated=False)
    return took.us_per_record


def _grow_rules(town: Town, size: Size, grown: Grown, progress: Progress) -> None:
    progress("making policies of " + _sizes(size.rules, RULES))
    settings = {rules: _setting(town, rules, size.reports, size.seed) for rules in size.rules}
    settle_memory()
    for number in range(size.rounds):
        progress(f"round {number + 1} of {size.rounds}: {RULES}")
        for rules, setting in settings.items():
            grown.add(RULES, rules, _day_us(setting))


def _grow_cells(size: Size, grown: Grown, progress: Progress) -> None:
    progress("making cities of " + _sizes(size.cells, CELLS))
    towns = {cells: Town(size.seed, grown_city(size.seed, cells)) for cells in size.cells}
    settings = {
        cells: _setting(town, size.usual_rules, size.reports, size.seed) for cells, town in towns.items() if town.intake
    }
    settle_memory()
    for number in range(size.rounds):
        progress(f"round {number + 1} of {size.rounds}: {CELLS}")
        for cells, setting in settings.items():
            grown.add(CELLS, cells, _day_us(setting))
            grown.add(POINTS, cells, locate_us(setting.town, size.points, size.seed))


def _grow_incidents(town: Town, size: Size, grown: Grown, progress: Progress) -> None:
    setting = _setting(town, size.usual_rules, size.rounds * size.reports, size.seed)
    sent = as_backlog(setting.day)[0]
    settle_memory()
    engines = []
    for incidents in size.incidents:
        progress(f"opening {incidents:,} incidents")
        engines.append(Backlogged(setting, incidents, size.seed))
        grown.incident_bytes[incidents] = engines[-1].bytes_each
    for number in range(size.rounds):
        progress(f"round {number + 1} of {size.rounds}: {INCIDENTS}")
        topics: list[Counter[str]] = []
        for engine in engines:
            took_us, told = engine.report_us(sent[number * size.reports : (number + 1) * size.reports])
            grown.add(INCIDENTS, engine.incidents, took_us)
            topics.append(told)
        if any(told != topics[0] for told in topics):
            raise WrongAnswer(f"growth: {[told - topics[0] for told in topics]} more records where more is open")


def _sizes(sizes: Sequence[int], what: str) -> str:
    return ", ".join(f"{size:,}" for size in sizes) + f" {what}"
