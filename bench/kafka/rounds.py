"""The plan of a run: each kind once in a round, one after the other, so that what else the machine does hits all alike.

Ratios are taken within a round. Each run has topics of its own on one broker, and every one checks its answers.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench.kafka.latency import Latency
from bench.kafka.restoring import hold_incidents, restored
from bench.kafka.runs import Day, Worked, run_latencies, run_passing, run_plain, run_quix, run_workers
from bench.kafka.scene import Message, Scene, make_scene, reports_of_a_day
from bench.town import Town
from bench.workload import Expected

__all__ = ["Measured", "Size", "measure"]

Progress = Callable[[str], None]


class Size(NamedTuple):
    """How much is done."""

    rounds: int
    reports: int  # put on the topic at once, beyond the warm-up
    rates: tuple[int, ...]  # offered, reports a second, rising
    rate_s: float  # how long each
    restored: int  # incidents
    seed: int = 1
    rules: int = 1_000
    warm_up: int = 2_000  # reports before the time runs, of each kind


class Measured:
    """The figures of all rounds, by name and unit, and the latencies by rate."""

    def __init__(self) -> None:
        self.samples: dict[tuple[str, str], list[float]] = {}
        self.latencies: dict[float, list[Latency]] = {}

    def add(self, name: str, unit: str, value: float) -> None:
        """One more figure of a row."""
        self.samples.setdefault((name, unit), []).append(value)


async def measure(size: Size, town: Town, directory: Path, bootstrap: str, progress: Progress) -> Measured:
    """Do all rounds.

    Args:
        size: how much.
        town: where.
        directory: for the files of the runs, its own; its name begins the names of their topics.
        bootstrap: of an empty broker.
        progress: told what is being done.

    Raises:
        WrongAnswer: something came out that must not; no row may be believed then.
        ProgramEnded: a process failed.
    """
    progress("making the city, its policy and its day")
    scene = make_scene(town, directory, bootstrap, size.rules, size.seed)
    measured = Measured()
    progress(f"putting {size.restored:,} incidents on a topic")
    held = await hold_incidents(scene, f"{scene.name}held.", size.restored, size.seed)
    for number in range(size.rounds):
        await _round(scene, size, number, measured, partial(_numbered, progress, number, size))
        _numbered(progress, number, size, "a restart")
        once = await restored(scene, held, size.restored)
        measured.add("restore: incidents a second", "1/s", once.rate)
        measured.add("restore: reading the topics", "s", once.reading_s)
        measured.add("restore: into memory", "s", once.restoring_s)
    return measured


def _numbered(progress: Progress, number: int, size: Size, what: str) -> None:
    progress(f"round {number + 1} of {size.rounds}: {what}")


async def _round(scene: Scene, size: Size, number: int, measured: Measured, progress: Progress) -> None:
    messages, expected = reports_of_a_day(scene.town, size.warm_up + size.reports, size.seed)
    day = Day(messages[: size.warm_up], messages[size.warm_up :], expected)
    progress("one worker")
    one = await run_workers(scene, f"{scene.name}one-{number}.", day, 1)
    measured.add("one worker: reports a second", "1/s", one.rate)
    _sizes(one, len(messages), measured)
    progress("the pass-through")
    passing = await run_passing(scene, f"{scene.name}passing-{number}.", day, one)
    measured.add("pass-through: reports a second", "1/s", passing)
    measured.add("one worker: share of the pass-through", "%", 100 * one.rate / passing)
    progress("two workers")
    two = await run_workers(scene, f"{scene.name}two-{number}.", day, 2)
    measured.add("two workers: reports a second", "1/s", two.rate)
    measured.add("two workers: times one", "×", two.rate / one.rate)
    progress("plain Faust")
    plain = await run_plain(scene, f"{scene.name}plain-{number}.", day)
    measured.add("plain Faust: reports a second", "1/s", plain)
    measured.add("one worker: times plain Faust", "×", one.rate / plain)
    progress("Quix Streams")
    quix = await run_quix(scene, f"{scene.name}quix-{number}.", day)
    measured.add("Quix Streams: reports a second", "1/s", quix)
    measured.add("one worker: times Quix Streams", "×", one.rate / quix)
    progress("latency")
    warm_up, parts, expected = _offered(scene, size)
    for latency in await run_latencies(scene, f"{scene.name}latency-{number}.", warm_up, parts, expected):
        measured.latencies.setdefault(latency.rate, []).append(latency)


def _sizes(worked: Worked, reports: int, measured: Measured) -> None:
    outs = [out for of in worked.recording.commits for commit in of for out in commit.outs]
    measured.add("one worker: reports in a transaction", "1", reports / worked.commits)
    measured.add("one worker: records out of a report", "1", len(outs) / reports)
    measured.add("one worker: bytes out of a report", "B", sum(len(out.value or b"") for out in outs) / reports)


def _offered(scene: Scene, size: Size) -> tuple[Sequence[Message], list[tuple[float, Sequence[Message]]], Expected]:
    """A day long enough for the warm-up and every rate; the last rate takes what the day has beyond its reports."""
    counts = [round(rate * size.rate_s) for rate in size.rates]
    messages, expected = reports_of_a_day(scene.town, size.warm_up + sum(counts), size.seed + 1)
    parts: list[tuple[float, Sequence[Message]]] = []
    start = size.warm_up
    for n, (rate, count) in enumerate(zip(size.rates, counts, strict=True)):
        end = len(messages) if n == len(counts) - 1 else start + count
        parts.append((rate, messages[start:end]))
        start = end
    return messages[: size.warm_up], parts, expected
