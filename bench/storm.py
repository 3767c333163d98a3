"""A storm: three hours of reports, a third of them from the worst township, where an emergency mode holds.

The mode is set before anything comes. Half of the reports are alarms of sensors and cameras at hot spots, again and
again, and merge; the others are people's, about water and trees, and open incidents. Nobody answers meanwhile. Spots
are so far apart, and so short, that it is known which report merges and which opens an incident.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import orjson
import shapely

from bench.policy import CATEGORIES, DEVICE_MAJORS
from bench.reports import Subject, Writer
from bench.town import Town
from bench.workload import HOUR_MS, SPOT_DEGREES, START_MS, Day, Expected, Sent
from dispatcher.core import CONTROL, DAY_MS, REPORTS, ms_to_text

__all__ = ["storm"]

HOURS: Final = 3
SPOT_SHARE: Final = 0.5
REPORTS_PER_SPOT: Final = 40
WORST_SHARE: Final = 1 / 3  # of the spots and of the people's reports
APART_DEGREES: Final = 0.004  # about 400 m between two spots: ten times what a merge rule reaches
PEOPLES: Final = tuple(code for code in CATEGORIES if code[:2] in ("02", "06"))
ALARMS: Final = tuple(code for code in CATEGORIES if code[:2] in DEVICE_MAJORS)
MODE: Final = "emergency"

Spot = tuple[float, float, str]
"""Lon, lat and the leaf."""


def storm(town: Town, reports: int, seed: int) -> Day:
    """Make a storm of that many reports."""
    rng, numbers = random.Random(f"storm {seed} {reports}"), np.random.Generator(np.random.PCG64([seed, reports, 2]))
    worst = next(code for code in town.grid.codes if town.grid.level_of(code) == 1)
    alarms = round(reports * SPOT_SHARE)
    spots = _spots(rng, _struck(town, numbers, worst, alarms), town, -(-alarms // REPORTS_PER_SPOT))
    peoples = list(_peoples(rng, _struck(town, numbers, worst, reports - alarms)))
    subjects = [*_alarms(rng, spots, alarms), *peoples]
    writer = Writer(rng, (), (), ())
    sent = {_key(report): (report, about) for report, about in _reports(writer, subjects)}
    openers = [*spots, *peoples]
    under = sum((each.leaf or "").startswith(worst) for each in openers)
    expected = Expected(
        {"reports_accepted": reports, "reports_located": reports, "reports_merged": reports - len(openers)},
        {},
        {key: about.leaf for key, (_, about) in sent.items() if about.leaf},
        {MODE: under, "normal": len(openers) - under},
    )
    messages = sorted(Sent(about.time_ms, REPORTS, orjson.dumps(report)) for report, about in sent.values())
    return Day(messages, [], expected, [_emergency(worst)])


def _emergency(cell: str) -> Sent:
    until = ms_to_text(START_MS + 3 * DAY_MS)
    command = {"command": "set_mode", "command_id": "storm", "mode": MODE, "until": until, "cells": [cell]}
    return Sent(START_MS, CONTROL, orjson.dumps(command))


def _struck(town: Town, numbers: np.random.Generator, worst: str, count: int) -> list[Spot]:
    """So many places by population, a third of them in the worst township."""
    wanted = {True: round(count * WORST_SHARE), False: count - round(count * WORST_SHARE)}
    found: list[Spot] = []
    while any(wanted.values()):
        lons, lats, leaves = town.positions(numbers, count)
        for place in zip(lons.tolist(), lats.tolist(), leaves, strict=True):
            inside = place[2].startswith(worst)
            if wanted[inside]:
                wanted[inside] -= 1
                found.append(place)
    return found


def _spots(rng: random.Random, places: Sequence[Spot], town: Town, count: int) -> list[Subject]:
    """Those of the places that lie wholly in one leaf and far from all others, each with its beginning and category."""
    number_of = {code: number for number, code in enumerate(town.grid.codes)}
    shuffled, spots = rng.sample(places, len(places)), list[Subject]()
    for lon, lat, leaf in shuffled:
        square = shapely.box(lon, lat, lon + SPOT_DEGREES, lat + SPOT_DEGREES)
        apart = all(abs(lon - spot.lon) > APART_DEGREES or abs(lat - spot.lat) > APART_DEGREES for spot in spots)
        if apart and len(spots) < count and shapely.contains(town.grid.geometries[number_of[leaf]], square):
            time_ms = START_MS + 1 + rng.randrange((HOURS - 1) * HOUR_MS)
            spots.append(Subject(time_ms, rng.choice(ALARMS), lon, lat, leaf))
    return spots


def _alarms(rng: random.Random, spots: Sequence[Subject], count: int) -> Iterator[Subject]:
    """So many, each spot's within an hour."""
    for number in range(count):
        spot = spots[number % len(spots)]
        lon, lat = (round(at + rng.uniform(0, SPOT_DEGREES), 6) for at in (spot.lon, spot.lat))
        yield spot._replace(time_ms=spot.time_ms + rng.randrange(HOUR_MS), lon=lon, lat=lat)


def _peoples(rng: random.Random, places: Sequence[Spot]) -> Iterator[Subject]:
    for lon, lat, leaf in places:
        yield Subject(START_MS + 1 + rng.randrange(HOURS * HOUR_MS), rng.choice(PEOPLES), lon, lat, leaf)


def _reports(writer: Writer, subjects: Sequence[Subject]) -> Iterator[tuple[dict[str, Any], Subject]]:
    """With a plain position each, and no drill among them: what becomes of them is known."""
    for number, subject in enumerate(subjects):
        report = writer.report(number, subject, plainly=True)[0]
        report.pop("tags", None)
        yield report, subject


def _key(report: dict[str, Any]) -> tuple[str, str]:
    return report["source"], report["report_id"]
