"""`python -m bench.year`: a city's year of incidents, its measures, what it took. Exit 1 when something is wrong."""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from bench.town import Town
from bench.year.findings import Memory, export, memory
from bench.year.simulate import Simulation, Span
from dispatcher.commands.memory import settle_memory
from dispatcher.commands.talk import progress
from dispatcher.hosts.setup import read_policy
from dispatcher.views import EXCLUDED, Measures, percent

INCIDENTS = 325_600  # the city's cumulative total that the year replays
POLICY = Path(__file__).parent.parent.parent / "rules" / "city"
SHOWN = ("received", "filed", "open", "need_close", "closed", "done_in_time", "overdue_pending", "held_now", "reopened")


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate, measure, export; returns the exit code."""
    options = _parser().parse_args(arguments)
    options.directory.mkdir(parents=True, exist_ok=True)
    for name in ("archive.jsonl", "view.sqlite", "view.sqlite-wal", "view.sqlite-shm"):
        (options.directory / name).unlink(missing_ok=True)
    policy, town = read_policy(POLICY), Town(options.seed + 1)
    town.placer  # noqa: B018 - what is located once is part of the start, not of the year
    settle_memory()
    span = Span(options.first, options.days, options.incidents)
    simulation = Simulation(town, policy, span, options.seed, options.directory)
    started = time.perf_counter()
    with progress(f"{options.days} days", options.incidents) as advance:
        simulation.run(advance)
    took_s = time.perf_counter() - started
    totals = export(simulation, options.directory)
    _show(simulation, totals, memory(simulation), took_s)
    simulation.close()
    return int(bool(simulation.forgotten or simulation.faults))


def _show(simulation: Simulation, totals: list[Measures], held: Memory, took_s: float) -> None:
    for measures in totals:
        terms = measures.total.terms
        _say(f"\n{measures.cohort.basis} in the {simulation.span.days} days, as they ended")
        for name in (*SHOWN, *EXCLUDED):
            _say(f"  {name:<22}{terms[name]:>12,}")
        for name, rate in measures.total.rates.items():
            _say(f"  {name:<22}{percent(rate):>12}  {rate.numerator:,} / {rate.denominator:,}")
    tally = simulation.host.tally
    _say("\nwhat it took")
    for name, value in (
        ("incidents opened", f"{simulation.opened:,}"),
        ("reports accepted", f"{tally['reports_accepted']:,}"),
        ("updates accepted", f"{tally['updates_accepted']:,}"),
        ("records refused", f"{tally['reports_rejected'] + tally['updates_rejected']:,}"),
        ("breaches, steps climbed", f"{simulation.counts['target:breach']:,}, {simulation.counts['target:climb']:,}"),
        ("wall time", f"{took_s:,.0f} s"),
        ("incidents a second", f"{simulation.opened / took_s:,.0f}"),
        ("most open, most held", f"{simulation.most_open:,}, {simulation.most_held:,}"),
        ("peak resident memory", f"{held.peak_bytes / 2**20:,.0f} MiB"),
        ("memory of one held", f"{held.bytes_each / 1024:.2f} KiB ({held.held:,} held, {held.open:,} of them open)"),
        ("restart with them", f"{held.restart_s:.1f} s"),
        ("engine errors", f"{len(simulation.faults):,}"),
        ("forgotten at a midnight", f"{len(simulation.forgotten):,}"),
    ):
        _say(f"  {name:<24}{value}")
    for line in (*simulation.faults, *(f"{key}: {why}" for key, why in simulation.forgotten.items())):
        _say(f"  {line}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.year", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of everything people do")
    parser.add_argument("--incidents", type=int, default=INCIDENTS, help=f"default {INCIDENTS:,}")
    parser.add_argument("--first", type=date.fromisoformat, default=date(2026, 1, 1), help="the first day")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--directory", type=Path, default=Path("var/year"), help="for the export")
    return parser


if __name__ == "__main__":
    sys.exit(main())
