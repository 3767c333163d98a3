"""Engines with as many open incidents as wanted, and what a report of the city's day costs each of them.

The backlog is made by the engine itself, of many small reports: a category, a position, a source, all at one instant,
so that no timer fires in between. People's matters merge with nothing, so each opens an incident. Then every engine is
offered the same slices of one day, and before each its decider forgets what it has learnt: what differs is how much is
open, not how much of the policy was met on the way.
"""

import gc
import os
import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import orjson

from bench.answers import Answers, WrongAnswer, wrong_decisions
from bench.core import CoreDriver, Setting
from bench.policy import CATEGORIES, DEVICE_MAJORS
from bench.workload import START_MS, Sent
from dispatcher.core import DAY_MS, REPORTS, Outcome, ms_to_text

__all__ = ["Backlogged", "resident_bytes"]

AT_ONCE: Final = 10_000
PEOPLES: Final = tuple(code for code in CATEGORIES if code[:2] not in DEVICE_MAJORS)
BACKLOG_MS: Final = START_MS + DAY_MS - 1


class _Tally(Answers):
    """Counts what comes out and which incidents are told of, and keeps none of it: there is too much."""

    def add(self, outcome: Outcome) -> None:
        """Take what one batch produced."""
        for topic, key, _, _ in outcome.records:
            self.topics[topic] += 1
            if topic == "routed":
                self.reported.add(key)


class Backlogged:
    """One engine with so many incidents open."""

    def __init__(self, setting: Setting, incidents: int, seed: int) -> None:
        """Open them. Raises WrongAnswer."""
        self.incidents = incidents
        before = resident_bytes()
        self._driver = CoreDriver(setting, _Tally())
        small = _small_reports(setting, incidents, seed)
        while some := list(islice(small, AT_ONCE)):
            self._driver.take(some)
        gc.collect()
        self.bytes_each = (resident_bytes() - before) / incidents
        if len(self._driver.engine.state.incidents) != incidents:
            raise WrongAnswer(f"growth: {len(self._driver.engine.state.incidents)} incidents, not {incidents}")
        self._forget()

    def _forget(self) -> None:
        self._driver.answers.topics.clear()
        self._driver.answers.reported.clear()

    def report_us(self, sent: list[Sent]) -> tuple[float, Counter[str]]:
        """CPU microseconds a report, and how many records each topic was given. Raises WrongAnswer."""
        engine, answers = self._driver.engine, self._driver.answers
        self._forget()
        engine.state.book.decider.start_anew()
        took = self._driver.take(sent).us_per_record
        opened = [engine.state.incidents[key] for key in sorted(answers.reported)]
        if wrong := list(wrong_decisions(engine, opened)):
            raise WrongAnswer("; ".join(wrong))
        return took, Counter(answers.topics)


def _small_reports(setting: Setting, count: int, seed: int) -> Iterator[Sent]:
    rng, numbers = random.Random(f"backlog {seed}"), np.random.Generator(np.random.PCG64([seed, count, 4]))
    at = ms_to_text(BACKLOG_MS)
    lons, lats, _ = setting.town.positions(numbers, count)
    for number, (lon, lat) in enumerate(zip(lons.tolist(), lats.tolist(), strict=True)):
        report = {
            "report_id": f"backlog-{number:07d}",
            "source": "app",
            "reported_at": at,
            "category": rng.choice(PEOPLES),
            "location": {"lon": lon, "lat": lat},
        }
        yield Sent(BACKLOG_MS, REPORTS, orjson.dumps(report))


def resident_bytes() -> int:
    """What this process holds of the machine's memory; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
