"""Running the tests of a policy: each report decided, then driven with its timeline through the real engine.

The engine decides in the ordinary mode, the first of `modes` (modes become events in a later issue). A test in another
mode is therefore rehearsed under the same policy with its modes in another order, so that this mode is the ordinary
one; no rule depends on the order of modes, so nothing else changes but the policy's sha256.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import orjson

from dispatcher.core import AssignmentState, IncidentState, Reason, Rulebook
from dispatcher.core.lifecycle import ACTION_TABLE
from dispatcher.hosts.setup import read_policy
from dispatcher.policies.coverage import Coverage, CoverageCount, contributing
from dispatcher.policies.failures import Failure
from dispatcher.policies.places import GridCells, grid_placer
from dispatcher.policies.rehearsal import Refused, opening_facts
from dispatcher.policies.run_case import CaseRun
from rules import Case, Policy, compile_policy, load_canonical, read_cases

__all__ = ["CaseResult", "Outcome", "case_files", "covered_rules", "read_suite", "run_cases"]

TESTS = "tests"
SUFFIXES = (".yaml", ".yml")
WORDS = {
    "action": tuple(map(str, ACTION_TABLE)),
    "role": tuple(sorted({role for rule in ACTION_TABLE.values() for role in rule.roles} - {"department"})),
    "refusal": tuple(map(str, Reason)),
    "state": tuple(map(str, IncidentState)),
    "state of an assignment": tuple(map(str, AssignmentState)),
}
"""What test files say of the engine."""


class CaseResult(NamedTuple):
    """One test, run; without failures it has passed."""

    case: Case
    failures: tuple[Failure, ...]
    seconds: float


class Outcome(NamedTuple):
    """All tests, run. `coverage` is of the tests that were run."""

    results: tuple[CaseResult, ...]
    coverage: Coverage

    @property
    def failed(self) -> int:
        """How many did not pass."""
        return sum(1 for result in self.results if result.failures)


def case_files(directory: Path) -> dict[str, bytes] | None:
    """The test files of a policy directory by their path in it; None when it has no folder of tests."""
    tests = directory / TESTS
    if not tests.is_dir():
        return None
    files = (file for file in sorted(tests.rglob("*")) if file.is_file() and file.suffix in SUFFIXES)
    return {file.relative_to(directory).as_posix(): file.read_bytes() for file in files}


def read_suite(directory: Path, policy: Policy, cells: GridCells) -> tuple[Case, ...] | None:
    """The tests of a policy directory; None when it has no folder of them.

    Raises:
        PolicyError: with every problem of the test files.
    """
    files = case_files(directory)
    return None if files is None else read_cases(files, policy, cells, WORDS)


def covered_rules(directory: Path, grid: Path | None = None) -> frozenset[str] | None:
    """The rules that some test of a policy directory makes win or contribute; None when it has no folder of tests.

    Decisions only: no timeline is played. A cell that the tests do not state is looked up in `grid`; without one it
    stands for itself alone.

    Raises:
        PolicyError: with every problem of the policy or its test files.
    """
    policy = read_policy(directory)
    cells = _AnyCell() if grid is None else GridCells(lambda: grid_placer(grid))
    cases = read_suite(directory, policy, cells)
    if cases is None:
        return None
    decider = compile_policy(policy)
    covered: set[str] = set()
    for case in cases:
        facts = opening_facts(policy, case, cells)
        if not isinstance(facts, Refused) and case.expect.refused is None:
            covered.update(contributing(decider.decide(facts)))
    return frozenset(covered)


class _AnyCell(GridCells):
    def __contains__(self, code: object) -> bool:
        return True


def run_cases(
    policy: Policy, cases: tuple[Case, ...], cells: GridCells, on_progress: Callable[[], None] | None = None
) -> Outcome:
    """Run tests one after the other. Never raises for what a test says."""
    books = _Books(policy)
    decider = books[policy.modes[0]].decider
    count = CoverageCount(policy)
    results = []
    for case in cases:
        start_s = time.perf_counter()
        failures = CaseRun(decider, books[case.mode], case, cells).failures(count)
        results.append(CaseResult(case, tuple(failures), time.perf_counter() - start_s))
        if on_progress is not None:
            on_progress()
    return Outcome(tuple(results), count.coverage())


class _Books(dict[str, Rulebook]):
    """The policy by the mode that is the ordinary one, compiled once each."""

    def __init__(self, policy: Policy) -> None:
        super().__init__({policy.modes[0]: Rulebook(policy)})
        self._policy = policy

    def __missing__(self, mode: str) -> Rulebook:
        document = orjson.loads(self._policy.canonical)
        document["header"]["modes"] = [mode, *(name for name in self._policy.modes if name != mode)]
        canonical = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
        book = self[mode] = Rulebook(load_canonical(canonical))
        return book
