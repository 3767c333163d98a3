"""What a policy that loads may still get wrong, found exhaustively: dead rules, ties, holes, contradicting deadlines.

    judged = lint(policy, at_ms, paths=grid.paths)      # W101 … W201, each with its place and what to do
    for found in judged.findings: print(found)

Exact, thanks to the few facts that rules can tell apart: a rule is said never to win only when it can't. Pure, like the
rest of `rules`; the date comes as an argument, the grid as the paths of its cells.
"""

from rules.lint.findings import Check, Finding
from rules.lint.holes import Hole
from rules.lint.judge import Lint, lint
from rules.lint.reach import STEPS

__all__ = ["STEPS", "Check", "Finding", "Hole", "Lint", "lint"]
