"""What people wait for who write rules: loading, compiling and linting a policy, on rules of the bench's own making.

CPU time. The lint's answers are checked: what it says never wins doesn't, for facts drawn at random; every tie is
decided by the order of the files, every hole by the fallback; nothing is left undecided.
"""

import random
from collections.abc import Callable
from time import process_time_ns
from typing import NamedTuple, TypeVar

from bench.answers import WrongAnswer
from bench.policy import ATTRIBUTES, CATEGORIES, WORDS, policy_files
from bench.workload import START_MS
from dispatcher.core import DAY_MS
from geo import Grid
from rules import Decider, Facts, Policy, Scalar, compile_policy, load_policy
from rules.lint import Check, Lint, lint

__all__ = ["PolicyTimes", "policy_times"]

SAMPLE = 5_000  # facts drawn to catch a rule that was said never to win
NEVER = frozenset({Check.SHADOWED, Check.COVERED, Check.IMPOSSIBLE, Check.CHANGED, Check.UNEXPLAINED})

T = TypeVar("T")


class PolicyTimes(NamedTuple):
    """Milliseconds of CPU time, and what the lint found."""

    load_ms: float
    compile_ms: float
    lint_ms: float
    never_win: int
    ties: int
    undecided: int


def policy_times(grid: Grid, rules: int, seed: int) -> PolicyTimes:
    """Load, compile and lint a policy of that many rules. Raises WrongAnswer."""
    files = policy_files(grid, rules, seed)
    load_ms, policy = _timed(lambda: load_policy(files))
    compile_ms, decider = _timed(lambda: compile_policy(policy))
    lint_ms, judged = _timed(lambda: lint(policy, START_MS, paths=grid.paths))
    never = {found.rules[0] for found in judged.findings if found.check in NEVER}
    tied = sum(found.check is Check.TIE for found in judged.findings)
    undecided = sum(found.check is Check.UNDECIDED for found in judged.findings)
    _check(policy, decider, judged, never, _facts(policy, grid, seed))
    return PolicyTimes(load_ms, compile_ms, lint_ms, len(never), tied, undecided)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    start_ns = process_time_ns()
    done = work()
    return (process_time_ns() - start_ns) / 1_000_000, done


def _facts(policy: Policy, grid: Grid, seed: int) -> list[Facts]:
    rng = random.Random(f"lint {seed}")
    sources = list(policy.sources.values())
    drawn = []
    for _ in range(SAMPLE):
        source = rng.choice(sources)
        attributes: list[tuple[str, Scalar]] = [
            (name, rng.choice(values)) for name, values in sorted(ATTRIBUTES.items()) if rng.random() < 0.5
        ]
        drawn.append(
            Facts(
                category=rng.choice(CATEGORIES),
                severity=rng.randint(1, 4),
                mode=rng.choice(policy.modes),
                path=grid.paths[rng.randrange(len(grid.paths))],
                source=source.code,
                platform=source.platform,
                at_ms=START_MS + rng.randrange(14 * DAY_MS),
                reporters=rng.choice((1, 1, 3, 5)),
                keywords=tuple(sorted(rng.sample(WORDS, rng.choice((0, 0, 1, 2))))),
                attributes=tuple(attributes),
            )
        )
    return drawn


def _check(policy: Policy, decider: Decider, judged: Lint, never: set[str], drawn: list[Facts]) -> None:
    for facts in drawn:
        decision = decider.decide(facts)
        used = {rule for rule in (decision.guard, decision.route, *decision.overlays) if rule is not None}
        if used & never:
            raise WrongAnswer(f"lint: {sorted(used & never)} are said never to take effect, and do for {facts}")
    for found in judged.findings:
        if found.check is Check.TIE and found.example is not None:
            decision = decider.decide(found.example)
            if decision.route is not None and (decision.route != found.rules[1] or decision.won_by != "order"):
                raise WrongAnswer(f"lint: {found} is no tie, since {decision.route} wins by {decision.won_by}")
    for hole in judged.holes:
        if hole.example is None or decider.decide(hole.example).route is not None:
            raise WrongAnswer(f"lint: the fallback of {policy.name} does not lead for {hole}")
