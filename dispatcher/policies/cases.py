"""Running the tests of a policy: each report decided, then driven with its timeline through the real engine."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, get_args

from dispatcher.core import AssignmentState, IncidentState, Reason, Rulebook
from dispatcher.core.actions import ACTION_TABLE
from dispatcher.core.dossier import RequestKind
from dispatcher.core.incident import Counts
from dispatcher.hosts.setup import read_policy
from dispatcher.policies.coverage import Coverage, CoverageCount, contributing
from dispatcher.policies.failures import Failure
from dispatcher.policies.places import GridCells, grid_placer
from dispatcher.policies.rehearsal import Refused, opening_facts
from dispatcher.policies.run_case import CaseRun
from rules import Case, Policy, compile_policy, read_cases

__all__ = ["CaseResult", "Outcome", "case_files", "covered_rules", "read_suite", "run_cases"]

TESTS = "tests"
SUFFIXES = (".yaml", ".yml")
WORDS = {
    "action": tuple(map(str, ACTION_TABLE)),
    "role": tuple(sorted({role for rule in ACTION_TABLE.values() for role in rule.roles} - {"department"})),
    "refusal": tuple(map(str, Reason)),
    "state": tuple(map(str, IncidentState)),
    "state of an assignment": tuple(map(str, AssignmentState)),
    "kind of request": get_args(RequestKind),
    "state of a request": ("open", "approved", "refused", "lapsed"),
    "count": Counts.__struct_fields__,
    "order": (
        *("offer", "remind", "urge", "supervise", "rework", "held", "hold_ended", "extended", "request_refused"),
        *("withdraw", "close"),
    ),
    "notice": (
        *("urge", "notify", "supervise", "report", "supervision_overdue", "supervision_replied", "request"),
        *("desk_overdue", "verify_overdue", "reopen_requested"),
        *("accepted", "closed", "answered", "referred", "not_accepted", "merged", "reopened", "reopen_refused"),
    ),
}
"""What test files say of the engine; orders and notices as docs/messages.md lists them."""


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
    book = Rulebook(policy)
    count = CoverageCount(policy)
    results = []
    for case in cases:
        start_s = time.perf_counter()
        failures = CaseRun(book.decider, book, case, cells).failures(count)
        results.append(CaseResult(case, tuple(failures), time.perf_counter() - start_s))
        if on_progress is not None:
            on_progress()
    return Outcome(tuple(results), count.coverage())
