"""Single pieces beside the whole: how fast each is alone, on what the day gives it.

All in CPU time, all checked: cells against the leaves the positions were drawn from, working time against its own
inverse; decisions are in `decisions.py`.
"""

import random

import msgspec
import numpy as np

from bench.answers import WrongAnswer
from bench.core import BATCH_RECORDS
from bench.decisions import timed_us
from bench.town import Town
from bench.workload import START_MS, Day
from dispatcher.core import DAY_MS, Report
from rules import Policy

__all__ = ["floor_us", "locate_us", "working_time_us"]

MINUTE_MS = 60_000


def floor_us(day: Day) -> float:
    """Decode a report and encode it again: what nothing that reads and writes JSON here can be faster than."""
    decode, encode = msgspec.json.Decoder(Report).decode, msgspec.json.Encoder().encode
    values = []
    for sent in day.reports:
        try:
            decode(sent.value)
        except msgspec.MsgspecError:
            continue
        values.append(sent.value)

    def work() -> None:
        for value in values:
            encode(decode(value))

    return timed_us(work, len(values))


def locate_us(town: Town, points: int, seed: int) -> float:
    """Locate positions drawn by population, in batches. Raises WrongAnswer."""
    lon, lat, leaves = town.positions(np.random.Generator(np.random.PCG64(seed)), points)
    locator, cells = town.locator, []

    def work() -> None:
        for start in range(0, points, BATCH_RECORDS):
            batch = slice(start, start + BATCH_RECORDS)
            cells.append(locator.locate(lon[batch], lat[batch]).cell)

    took = timed_us(work, points)
    wrong = sum(town.grid.codes[cell] != leaf for cell, leaf in zip(np.concatenate(cells), leaves, strict=True))
    if wrong:
        raise WrongAnswer(f"locate: {wrong} of {points} points are not in the leaf they were drawn from")
    return took


def working_time_us(policy: Policy, calls: int, seed: int) -> tuple[float, float]:
    """`add` and `consumed` on a calendar with split hours and holidays. Raises WrongAnswer."""
    rng = random.Random(f"clock {seed}")
    clock = policy.clock("cn-office")
    spans = [(START_MS + rng.randrange(60 * DAY_MS), rng.randrange(1, 2_400) * MINUTE_MS) for _ in range(calls)]
    due: list[int] = []
    consumed: list[int] = []
    clock.add(START_MS, 400 * 60 * MINUTE_MS)  # the years are compiled on first use

    def add() -> None:
        due.extend([clock.add(at_ms, amount_ms) for at_ms, amount_ms in spans])

    def consume() -> None:
        consumed.extend([clock.consumed(at_ms, due_ms) for (at_ms, _), due_ms in zip(spans, due, strict=True)])

    took = timed_us(add, calls), timed_us(consume, calls)
    if consumed != [amount_ms for _, amount_ms in spans]:
        raise WrongAnswer("working time: consumed(t, add(t, amount)) is not the amount")
    return took
