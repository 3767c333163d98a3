"""How fast decisions are, by what is known beforehand; and how often a city's day asks for the same one again.

`python -m bench.decisions` prints a table for 100, 1,000 and 10,000 rules, beside what a plain look-up of a few facts
costs at the same moment. CPU time; decisions are compared with the plain loop over all rules.
"""

import gc
import sys
from collections.abc import Callable, Iterable, Sequence
from time import process_time_ns
from typing import NamedTuple

from bench.answers import WrongAnswer
from bench.core import CoreDriver, Setting
from bench.options import bench_parser
from bench.policy import policy_files
from bench.running import run_bench
from bench.table import format_table, row_json, rows_of
from bench.town import Town
from bench.workload import as_day, city_day
from dispatcher.commands.memory import settle_memory
from rules import Decider, Facts, Policy, compile_policy, decide_plainly, load_policy

__all__ = ["DecisionRates", "decision_rates", "timed_us"]

ROUNDS, REPORTS = 5, 20_000
QUICK_ROUNDS, QUICK_REPORTS = 1, 500
SAMPLE = 40  # of decisions compared with the plain loop
RULES = (100, 1_000, 10_000)
DAY_RULES = 1_000  # of the policy under which the engine takes the day


class DecisionRates(NamedTuple):
    """CPU microseconds per decision, and what a day's facts have in common."""

    never_seen: float  # no fact is known: the first pass of a day
    cold: float  # the facts are classified on the way; neither decision nor, the first time, outcome is known
    selected: float  # as cold, but all outcomes have been decided before
    cached: float
    by_atoms: float  # everything is known, and the classes of the facts are at hand
    look_up: float  # beside them: a tuple of five facts, looked up in a dict
    hits: float  # share of the day's decisions found in the first cache
    shared: float  # share of the day's decisions that are an object decided before
    chapters_ms: float  # to make the chapters of all categories of the day


def timed_us(work: Callable[[], object], count: int) -> float:
    """CPU microseconds per piece of work."""
    start_ns = process_time_ns()
    work()
    return (process_time_ns() - start_ns) / 1_000 / max(1, count)


def decision_rates(policy: Policy, facts: Sequence[Facts]) -> DecisionRates:
    """Decide a day's facts with more and more known beforehand. Raises WrongAnswer."""
    decider: Decider = compile_policy(policy)
    first_of = {each.category: each for each in facts}.values()
    chapters_us = timed_us(lambda: _decide(decider, first_of), 1)
    decider.start_anew()
    met = decider.hits + decider.misses, decider.misses
    never_seen = timed_us(lambda: _decide(decider, facts), len(facts))
    hits = 1 - (decider.misses - met[1]) / (decider.hits + decider.misses - met[0])
    shared = 1 - len({id(decider.decide(each)) for each in facts}) / len(facts)
    decider.forget_decisions()
    different = [each for each in facts if _is_new(decider, each)]
    times = []
    for outcomes in (True, False):
        decider.forget_decisions(outcomes=outcomes)
        misses = decider.misses
        times.append(timed_us(lambda: _decide(decider, different), len(different)))
        if not different or decider.misses - misses != len(different):
            raise WrongAnswer(f"decide: {decider.misses - misses} decisions for {len(different)} classes of facts")
    cached = timed_us(lambda: _decide(decider, facts), len(facts))
    look_up = _look_up_us(facts)
    for each in facts[:: max(1, len(facts) // SAMPLE)]:
        if decider.decide(each) != decide_plainly(policy, each):
            raise WrongAnswer(f"decide: not what the plain loop says of {each}")
    return DecisionRates(
        never_seen=never_seen,
        cold=times[0],
        selected=times[1],
        cached=cached,
        by_atoms=_by_atoms_us(decider, facts),
        look_up=look_up,
        hits=hits,
        shared=shared,
        chapters_ms=chapters_us / 1_000,
    )


def _decide(decider: Decider, facts: Iterable[Facts]) -> None:
    for each in facts:
        decider.decide(each)


def _is_new(decider: Decider, facts: Facts) -> bool:
    misses = decider.misses
    decider.decide(facts)
    return decider.misses > misses


def _by_atoms_us(decider: Decider, facts: Sequence[Facts]) -> float:
    atoms = [decider.atoms(each) for each in facts]
    if any(decider.decide_atoms(one) is not decider.decide(each) for one, each in zip(atoms, facts, strict=True)):
        raise WrongAnswer("decide: atoms give other decisions than the facts they are of")

    def by_atoms() -> None:
        for each in atoms:
            decider.decide_atoms(each)

    return timed_us(by_atoms, len(facts))


def _look_up_us(facts: Sequence[Facts]) -> float:
    """What a decision can't be cheaper than, much: five facts in a tuple, looked up in a plain dict."""
    known = {(each.category, each.path, each.severity, each.mode, each.source): each for each in facts}

    def look_up() -> None:
        for each in facts:
            known.get((each.category, each.path, each.severity, each.mode, each.source))

    return timed_us(look_up, len(facts))


def _day(town: Town, policy: Policy, reports: int, seed: int) -> tuple[list[Facts], float]:
    """The facts of a day's incidents, and the share of hits when the engine decided them, some again."""
    driver = CoreDriver(Setting(town, policy, city_day(town, reports, seed)))
    driver.take(as_day(city_day(town, reports, seed)))
    decider = driver.engine.state.book.decider
    facts = [incident.facts for incident in driver.engine.state.incidents.values()]
    return facts, decider.hits / (decider.hits + decider.misses)


def _compile_ms(policy: Policy) -> float:
    return timed_us(lambda: compile_policy(policy), 1) / 1_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; returns the exit code: 1 when an answer is wrong."""
    parser = bench_parser("python -m bench.decisions", __doc__, ROUNDS, REPORTS, "not used: all in memory")
    options = parser.parse_args(arguments)
    few = (QUICK_ROUNDS, QUICK_REPORTS, RULES[:-1]) if options.quick else (ROUNDS, REPORTS, RULES)
    rounds, reports = options.rounds or few[0], options.reports or few[1]
    return run_bench(
        "decisions",
        options.json,
        {"rounds": rounds, "reports": reports, "seed": options.seed},
        lambda: rows_of(_measure(rounds, reports, few[2], options.seed)),
        lambda rows, _took_s: format_table(rows),
        lambda rows: {"rows": [row_json(row) for row in rows]},
    )


def _measure(rounds: int, reports: int, rules: Sequence[int], seed: int) -> dict[tuple[str, str], list[float]]:
    town, samples = Town(seed), dict[tuple[str, str], list[float]]()

    def add(count: int, name: str, unit: str, value: float) -> None:
        samples.setdefault((f"{count:,} rules: {name}", unit), []).append(value)

    policies = {}
    for count in rules:
        files = policy_files(town.grid, count, seed)
        start_ns = process_time_ns()
        policies[count] = load_policy(files)
        add(count, "load", "ms", (process_time_ns() - start_ns) / 1e6)
    facts, engine_hits = _day(town, policies[DAY_RULES], reports, seed)
    add(DAY_RULES, "hits of the engine's day", "%", 100 * engine_hits)
    settle_memory()
    for _ in range(rounds):
        for count, policy in policies.items():
            add(count, "compile", "ms", _compile_ms(policy))
            rates = decision_rates(policy, facts)
            add(count, "make all chapters", "ms", rates.chapters_ms)
            for name in ("never_seen", "cold", "selected", "cached", "by_atoms", "look_up"):
                add(count, name.replace("_", " "), "µs", getattr(rates, name))
            add(count, "hits", "%", 100 * rates.hits)
            add(count, "shared", "%", 100 * rates.shared)
            gc.collect()
    return samples


if __name__ == "__main__":
    sys.exit(main())
