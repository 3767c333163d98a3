"""The plan of a run: everything is measured once in a round, one after the other, for as many rounds as asked.

Interleaving spreads what else the machine does over all rows alike. Every run's outputs must be the same, byte for
byte, in every round and from both drivers.
"""

import gc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from bench.answers import check_same
from bench.burst import camera_burst
from bench.core import Backlog, Setting, run_backlog, run_day, run_stages
from bench.decisions import decision_rates
from bench.embedded import EmbeddedRun, fsync_us, run_backlog_durably, run_day_durably
from bench.memory import bytes_per_incident, pause_with, restore_us
from bench.parts import floor_us, locate_us, working_time_us
from bench.policies import policy_times
from bench.policy import policy_files
from bench.rivals import WITHOUT, Rivals
from bench.storm import storm
from bench.table import Row, rows_of
from bench.town import Town
from bench.workload import Day, city_day
from dispatcher.commands.memory import settle_memory
from rules import Facts, Policy, load_policy

__all__ = ["Size", "measure"]

Progress = Callable[[str], None]
OTHER_DAYS: Final[Mapping[str, Callable[[Town, int, int], Day]]] = MappingProxyType(
    {"a storm": storm, "a camera burst": camera_burst}
)
"""Beside the city's day: what is offered as it comes, with nobody answering."""


class Size(NamedTuple):
    """How much is done."""

    rounds: int
    reports: int  # of the day
    seed: int = 1
    points: int = 20_000
    rules: int = 1_000  # of the policy everything but `decide` runs with
    other_rules: tuple[int, ...] = (100, 10_000)
    paused_incidents: int = 200_000
    rival_rules: int = 300  # routes of the policy that rivals decide by


class _Measured:
    def __init__(self) -> None:
        self.samples: dict[tuple[str, str], list[float]] = {}
        self._digests: dict[str, list[str]] = {}

    def add(self, name: str, unit: str, *values: float) -> None:
        self.samples.setdefault((name, unit), []).extend(values)

    def same(self, what: str, digest: str) -> None:
        """The outputs of one more run over the same input. Raises WrongAnswer."""
        self._digests.setdefault(what, []).append(digest)
        check_same(what, self._digests[what])


def measure(size: Size, directory: Path, progress: Progress) -> list[Row]:
    """Do all rounds.

    Args:
        size: how much.
        directory: on the disk whose durability is measured.
        progress: told what is being done.

    Raises:
        WrongAnswer: something came out that must not; no row may be believed then.
    """
    progress("making the city, its day and its policies")
    town = Town(size.seed)
    policies = {rules: _policy(town, rules, size.seed) for rules in sorted({size.rules, *size.other_rules})}
    setting = Setting(town, policies[size.rules], city_day(town, size.reports, size.seed))
    thresholds = gc.get_threshold()
    settle_memory()  # as `dispatcher run` does
    try:
        return _rounds(setting, policies, size, directory, progress)
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)


def _rounds(
    setting: Setting, policies: dict[int, Policy], size: Size, directory: Path, progress: Progress
) -> list[Row]:
    others = {
        name: setting._replace(day=make(setting.town, size.reports, size.seed)) for name, make in OTHER_DAYS.items()
    }
    measured, rivals = _Measured(), Rivals(setting.town, size.rival_rules, size.points, size.seed)
    progress("warming up: the core on a day")
    measured.same("core and embedded, a day", run_day(setting))
    backlog: Backlog | None = None
    for number in range(size.rounds):
        progress(f"round {number + 1} of {size.rounds}: core")
        backlog = _core(setting, measured)
        facts = [incident.facts for incident in backlog.engine.state.incidents.values()]
        progress(f"round {number + 1} of {size.rounds}: embedded")
        _embedded(setting, directory, measured)
        progress(f"round {number + 1} of {size.rounds}: {' and '.join(others)}")
        for name, other in others.items():
            _other_day(name, other, directory, measured)
        progress(f"round {number + 1} of {size.rounds}: parts")
        _parts(setting, policies, facts, size, measured)
        progress(f"round {number + 1} of {size.rounds}: rivals")
        rivals.round(facts, measured.add)
        restored_us = restore_us(setting, backlog.newest)
        measured.add("restore: incidents a second", "1/s", 1_000_000 / restored_us)
    if backlog is not None:
        progress("memory and garbage")
        measured.add("memory: an open incident", "B", bytes_per_incident(setting))
        pause = pause_with(setting, backlog.newest, size.paused_incidents)
        measured.add(f"garbage: a full collection, {pause.incidents:,} incidents", "ms", *pause.ms)
        measured.add("garbage: tracked objects of an incident", "1", pause.tracked_objects)
    return rows_of(measured.samples, without=WITHOUT)


def _policy(town: Town, rules: int, seed: int) -> Policy:
    return load_policy(policy_files(town.grid, rules, seed))


def _core(setting: Setting, measured: _Measured) -> Backlog:
    run = run_backlog(setting)
    measured.same("core and embedded, the reports of a backlog", run.digests[0])
    measured.same("core, a whole backlog", run.digests[1])
    report_us, update_us = run.reports.us_per_record, run.updates.us_per_record
    floor = floor_us(setting.day)
    measured.add("floor: decode a report, encode it", "µs", floor)
    measured.add("core: a report, growing", "µs", report_us)
    measured.add("core: a report, steady", "µs", run.reports.us_steady)
    measured.add("core: a report over the floor", "×", report_us / floor)
    measured.add("core: reports a second", "1/s", 1_000_000 / report_us)
    measured.add("core: an update", "µs", update_us)
    measured.add("core: a timer", "µs", run.timers.us_per_record)
    for_reports, for_updates = run_stages(setting)
    for stage, share in for_reports.items():
        measured.add(f"  a report: {stage}", "µs", share * report_us)
    for stage, share in for_updates.items():
        measured.add(f"  an update: {stage}", "µs", share * update_us)
    measured.add("core: wall time over CPU time", "×", run.reports.slowed)
    return run


def _embedded(setting: Setting, directory: Path, measured: _Measured) -> None:
    measured.add("disk: 4 KB made durable", "µs", sorted(fsync_us(directory))[10])
    run = run_backlog_durably(setting, directory)
    measured.same("core and embedded, the reports of a backlog", run.digest)
    _embedded_rows("report", run, measured)
    day = run_day_durably(setting, directory)
    measured.same("core and embedded, a day", day.digest)
    measured.add("embedded: records of the day a second, timers included", "1/s", _per_s(day))
    measured.add("embedded: ledger file, a record of the day", "B", day.file_bytes / day.records)


def _embedded_rows(what: str, run: EmbeddedRun, measured: _Measured) -> None:
    measured.add(f"embedded: {what}s a second", "1/s", _per_s(run))
    for phase, took_us in run.phase_us.items():
        measured.add(f"  a {what}, durable: {phase} (wall)", "µs", took_us)
    measured.add(f"embedded: a {what}, CPU time", "µs", run.cpu_ns / 1_000 / run.records)
    measured.add(f"embedded: records out of a {what}", "1", run.outputs / run.records)
    measured.add(f"embedded: bytes out of a {what}", "B", run.bytes_out / run.records)
    measured.add(f"embedded: ledger file, a {what}", "B", run.file_bytes / run.records)


def _other_day(name: str, setting: Setting, directory: Path, measured: _Measured) -> None:
    run = run_backlog(setting)
    measured.same(f"core and embedded, {name}", run.digests[0])
    measured.add(f"core: a report of {name}", "µs", run.reports.us_per_record)
    durably = run_backlog_durably(setting, directory)
    measured.same(f"core and embedded, {name}", durably.digest)
    measured.add(f"embedded: reports of {name} a second", "1/s", _per_s(durably))


def _per_s(run: EmbeddedRun) -> float:
    return run.records * 1e9 / run.wall_ns


def _parts(
    setting: Setting, policies: dict[int, Policy], facts: Sequence[Facts], size: Size, measured: _Measured
) -> None:
    measured.add("locate: a point in batches", "µs", locate_us(setting.town, size.points, size.seed))
    for rules, policy in policies.items():
        rates = decision_rates(policy, facts)
        measured.add(f"decide: cold, {rules:,} rules", "µs", rates.cold)
        measured.add(f"decide: cold, outcome met before, {rules:,} rules", "µs", rates.selected)
        measured.add(f"decide: cached, {rules:,} rules", "µs", rates.cached)
        measured.add(f"decide: cached, facts classified, {rules:,} rules", "µs", rates.by_atoms)
        measured.add(f"decide: hits of a day, {rules:,} rules", "%", 100 * rates.hits)
    times = policy_times(setting.town.grid, size.rules, size.seed)
    for what, took_ms in (("load", times.load_ms), ("compile", times.compile_ms), ("lint", times.lint_ms)):
        measured.add(f"policy: {what}, {size.rules:,} rules", "ms", took_ms)
    add_us, consumed_us = working_time_us(setting.policy, size.points, size.seed)
    measured.add("working time: add", "µs", add_us)
    measured.add("working time: consumed", "µs", consumed_us)
