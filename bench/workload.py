"""A city's day as data: what is sent, when, and what must become of it.

Reports come from where people live, by the hour; one in six is about a hot spot, reported again and again within the
hour (what cameras and sensors report there merges, what people report is suggested). About 2 % are sent twice, 1 % are
bad in one of six ways, 4 % can't be placed. Half of the incidents that nothing merges with are then verified where
need be, acknowledged, done and checked; 1 % of these updates are sent twice, and some name no known incident.

The day is a function of its seed, the town and the number of reports. It is offered in two ways: `as_day`, everything
at its own time, timers firing between; or `as_backlog`, as after an outage: the reports a millisecond apart, then the
updates, so that hardly any timer fires and the cost of a report and of an update can be told apart.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import orjson

from bench.policy import CATEGORIES, DEVICE_MAJORS
from bench.reports import BAD_KINDS, Placed, Subject, Writer, spoil
from bench.town import Town
from dispatcher.core import DAY_MS, REPORTS, UPDATES, ms_to_text
from dispatcher.ledger import Entry

__all__ = [
    "HOUR_MS",
    "SPOT_DEGREES",
    "START_MS",
    "Day",
    "Expected",
    "Sent",
    "as_backlog",
    "as_day",
    "city_day",
    "entries",
]

START_MS: Final = int(datetime(2026, 11, 23, 2, tzinfo=UTC).timestamp() * 1000)  # a Monday, 10:00 in Shanghai
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
# Reports by the hour from 10:00, after the shape of a hotline's day: two rush hours, a quiet night.
BY_HOUR: Final = (6, 6, 4, 5, 5, 5, 6, 8, 9, 7, 5, 4, 3, 2, 1, 1, 1, 1, 1, 2, 5, 9, 9, 7)
DEVICE_SHARE, SPOT_SHARE, REPEATED_SHARE, BAD_SHARE, FOLLOWED_SHARE = 0.25, 0.16, 0.02, 0.01, 0.5
REPORTS_PER_SPOT = 12
SPOT_DEGREES = 0.0002  # about 20 m: within the 50 m of the merge rules whichever two are taken


class Sent(NamedTuple):
    """One message on an input topic."""

    time_ms: int
    topic: str
    value: bytes


class Expected(NamedTuple):
    """What must become of a day, known from how it was made."""

    counts: dict[str, int]  # reports_accepted, reports_repeated, reports_rejected, reports_located, updates_…
    reasons: dict[str, int]  # rejections
    leaf_of: dict[tuple[str, str], str]  # of (source, report id), where the position was plain
    modes: Mapping[str, int] = MappingProxyType({})  # incidents opened in each mode; not counted when empty


class Day(NamedTuple):
    """Reports and updates, each in the order of their times; commands come before all of them."""

    reports: list[Sent]
    updates: list[Sent]
    expected: Expected
    commands: Sequence[Sent] = ()


def as_day(day: Day) -> list[Sent]:
    """Everything at its own time."""
    return sorted((*day.commands, *day.reports, *day.updates), key=lambda sent: sent.time_ms)


def as_backlog(day: Day) -> tuple[list[Sent], list[Sent]]:
    """The commands, the reports a millisecond apart from the end of the day on, then the updates."""
    start_ms = START_MS + DAY_MS
    reports = [sent._replace(time_ms=start_ms + n) for n, sent in enumerate((*day.commands, *day.reports))]
    start_ms += len(reports)
    return reports, [sent._replace(time_ms=start_ms + n) for n, sent in enumerate(day.updates)]


def entries(sent: Iterable[Sent]) -> list[Entry]:
    """As a ledger takes them."""
    return [Entry(topic, value, None, time_ms) for time_ms, topic, value in sent]


def city_day(town: Town, reports: int, seed: int) -> Day:
    """Make a day of that many different reports."""
    return _Maker(town, reports, seed).day()


class _Maker:
    def __init__(self, town: Town, reports: int, seed: int) -> None:
        self._rng = rng = random.Random(f"day {seed} {reports}")
        numbers = np.random.Generator(np.random.PCG64([seed, reports]))
        self._subjects = [*_background(rng, town, numbers, reports), *_hot_spots(rng, town, numbers, reports)]
        addresses = [row.split(b",", 1)[0].decode() for row in town.city.gazetteer_csv.splitlines()[1:]]
        things = [thing.id for thing in town.city.things]
        self._writer = Writer(rng, things, addresses, town.leaves)
        self._reports: list[Sent] = []
        self._updates: list[Sent] = []
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._leaf_of: dict[tuple[str, str], str] = {}

    def day(self) -> Day:
        rng = self._rng
        for number, subject in enumerate(self._subjects):
            report, placed = self._writer.report(number, subject)
            kind = rng.choice(BAD_KINDS) if rng.random() < BAD_SHARE else None
            if kind is None or kind == "conflict":
                self._accepted(report, subject, placed)
            if kind is not None:
                late_ms = rng.randint(1, 10 * MINUTE_MS)
                self._reports.append(Sent(subject.time_ms + late_ms, REPORTS, spoil(report, kind)))
                self._counts["reports_rejected"] += 1
                self._reasons[kind] += 1
        for sent in (self._reports, self._updates):
            sent.sort(key=lambda message: message.time_ms)
        return Day(self._reports, self._updates, Expected(dict(self._counts), dict(self._reasons), dict(self._leaf_of)))

    def _accepted(self, report: dict[str, Any], subject: Subject, placed: Placed) -> None:
        rng, counts = self._rng, self._counts
        value = orjson.dumps(report)
        self._reports.append(Sent(subject.time_ms, REPORTS, value))
        counts["reports_accepted"] += 1
        counts["reports_located"] += placed.located
        if placed.leaf is not None:
            self._leaf_of[report["source"], report["report_id"]] = placed.leaf
        if rng.random() < REPEATED_SHARE:
            self._reports.append(Sent(subject.time_ms + rng.randint(1, 10 * MINUTE_MS), REPORTS, value))
            counts["reports_repeated"] += 1
        if subject.category[:2] not in DEVICE_MAJORS and "tags" not in report and rng.random() < FOLLOWED_SHARE:
            self._follow(report, subject.time_ms)

    def _follow(self, report: dict[str, Any], time_ms: int) -> None:
        """The updates of one incident, from the verification to the check."""
        rng = self._rng
        system, officer = {"role": "system", "person": "bench"}, {"role": "officer", "person": "officer-1"}
        steps: list[tuple[str, int, dict[str, Any]]] = [
            ("acknowledge", rng.randint(1, 40), {"actor": system}),
            ("done", rng.randint(20, 300), {"actor": system}),
            ("check", rng.randint(10, 120), {"actor": {"role": "checker", "person": "checker-1"}, "result": "pass"}),
        ]
        if report["source"] == "satellite":
            steps.insert(0, ("verify", rng.randint(1, 20), {"actor": officer, "result": "exists"}))
        about = {"source": report["source"], "report_id": report["report_id"]}
        if rng.random() < 0.005:
            about["report_id"] += "-unknown"
        for action, minutes, more in steps:
            time_ms += minutes * MINUTE_MS + rng.randint(0, MINUTE_MS - 1)
            update = {"update_id": action, "action": action, "at": ms_to_text(time_ms), "report": about, **more}
            self._update(Sent(time_ms, UPDATES, orjson.dumps(update)), known=not about["report_id"].endswith("unknown"))

    def _update(self, sent: Sent, *, known: bool) -> None:
        self._updates.append(sent)
        if not known:
            self._counts["updates_rejected"] += 1
            self._reasons["unknown_incident"] += 1
            return
        self._counts["updates_accepted"] += 1
        if self._rng.random() < 0.01:
            self._updates.append(sent._replace(time_ms=sent.time_ms + 2_000))
            self._counts["updates_repeated"] += 1


def _background(rng: random.Random, town: Town, numbers: np.random.Generator, reports: int) -> Iterator[Subject]:
    count = reports - round(reports * SPOT_SHARE)
    lons, lats, leaves = town.positions(numbers, count)
    for lon, lat, leaf in zip(lons.tolist(), lats.tolist(), leaves, strict=True):
        yield Subject(_time_ms(rng), _category(rng), lon, lat, leaf)


def _hot_spots(rng: random.Random, town: Town, numbers: np.random.Generator, reports: int) -> Iterator[Subject]:
    left = round(reports * SPOT_SHARE)
    lons, lats, _ = town.positions(numbers, -(-left // REPORTS_PER_SPOT))
    for lon, lat in zip(lons.tolist(), lats.tolist(), strict=True):
        start_ms, category = _time_ms(rng), _category(rng, 0.5)
        for _ in range(min(left, REPORTS_PER_SPOT)):
            x, y = (round(at + rng.uniform(0, SPOT_DEGREES), 6) for at in (lon, lat))
            yield Subject(start_ms + rng.randrange(HOUR_MS), category, x, y, None)
        left -= REPORTS_PER_SPOT


def _category(rng: random.Random, device_share: float = DEVICE_SHARE) -> str:
    wanted = rng.random() < device_share
    while True:
        category = rng.choice(CATEGORIES)
        if (category[:2] in DEVICE_MAJORS) == wanted:
            return category


def _time_ms(rng: random.Random) -> int:
    hour = rng.choices(range(24), BY_HOUR)[0]
    return START_MS + hour * HOUR_MS + rng.randrange(HOUR_MS)
