"""How much of a policy its tests show: rules that some test made win or contribute, and the keys of their `when`.

A rule is covered when a test's report made it win (a guard, a route) or contribute (an overlay); its keys held then.
A covered key is *shown to matter* when, besides, some test missed the rule by this key alone: without it, the rule
would have held there too. Only opening decisions count, not what timelines bring later.
"""

from collections.abc import Iterable
from typing import NamedTuple

from rules import Decision, Place, Policy, Rule, Standing, when_keys

__all__ = ["Coverage", "CoverageCount", "Share", "contributing"]


class Share(NamedTuple):
    """So many of so many."""

    n: int
    of: int

    @property
    def percent(self) -> float:
        """In percent; all of nothing is everything."""
        return 100.0 * self.n / self.of if self.of else 100.0


class Coverage(NamedTuple):
    """What tests have shown, with both terms, and what they have not, in the order of the policy."""

    rules: Share
    keys: Share
    keys_that_matter: Share
    uncovered_rules: tuple[tuple[str, Place | None], ...]
    uncovered_keys: tuple[tuple[str, str, Place | None], ...]
    keys_not_shown: tuple[tuple[str, str, Place | None], ...]  # of covered rules: no test misses the rule by them


def contributing(decision: Decision) -> tuple[str, ...]:
    """The rules that made a decision."""
    leading = tuple(rule for rule in (decision.guard, decision.route) if rule is not None)
    return (*leading, *decision.overlays)


class CoverageCount:
    """Gathers coverage, test by test."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._covered: set[str] = set()
        self._missed_by: set[tuple[str, str]] = set()

    def add(self, decision: Decision, standing: Standing) -> None:
        """Count one test's opening decision."""
        self._covered.update(contributing(decision))
        self._missed_by.update(standing.near_misses())

    def coverage(self) -> Coverage:
        """What has been shown so far."""
        policy = self._policy
        rules: tuple[Rule, ...] = (*policy.guards, *policy.routes, *policy.overlays)
        keys = [(rule.id, key) for rule in rules for key in when_keys(rule)]
        covered = [rule.id for rule in rules if rule.id in self._covered]
        held = [pair for pair in keys if pair[0] in self._covered]
        shown = [pair for pair in held if pair in self._missed_by]
        return Coverage(
            Share(len(covered), len(rules)),
            Share(len(held), len(keys)),
            Share(len(shown), len(keys)),
            tuple((rule.id, self._place(rule.id)) for rule in rules if rule.id not in self._covered),
            self._placed(pair for pair in keys if pair[0] not in self._covered),
            self._placed(pair for pair in held if pair not in self._missed_by),
        )

    def _placed(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str, Place | None], ...]:
        return tuple((rule, key, self._place(rule)) for rule, key in pairs)

    def _place(self, rule: str) -> Place | None:
        return self._policy.place("rule", rule)
