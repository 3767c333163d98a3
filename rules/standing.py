"""How every rule stands towards some facts: which held, which key of the others failed. The basis of test coverage.

Each rule is asked as the engine asks it: an overlay with what the strata before its own have raised and added, a route
with all of that. Where a guard ends evaluation, the rules after it are not asked at all.
"""

from collections.abc import Iterator

from rules.decision import Selection
from rules.facts import Facts
from rules.match import (
    KeyResult,
    asked,
    facts_for_routes,
    guards_for,
    in_force,
    key_results,
    select,
    specificity,
    stratum,
)
from rules.model_rules import Guard, Overlay, Route, Rule
from rules.policy import Policy


def when_keys(rule: Rule) -> tuple[str, ...]:
    """The keys of a rule's `when`; those of its `not:` block as `not tags`."""
    return (*(part.key for part in rule.when.require), *(f"not {part.key}" for part in rule.when.exclude))


class Standing:
    """All rules of a policy against some facts. `selection` is what held."""

    def __init__(self, policy: Policy, facts: Facts) -> None:
        self.policy = policy
        self.selection: Selection = select(policy, facts)
        held = self.selection.overlays
        self._stages = [
            facts_for_routes(facts, [overlay for overlay in held if stratum(overlay) < at]) for at in range(3)
        ]

    def facts_for(self, rule: Rule) -> Facts:
        """The facts as this rule is asked with."""
        if isinstance(rule, Guard):
            return self._stages[0]
        return self._stages[stratum(rule) if isinstance(rule, Overlay) else 2]

    def failing(self, rule: Rule) -> tuple[KeyResult, ...]:
        """The keys (and dates) of a rule that do not hold; none when it holds."""
        results = key_results(self.policy, rule, self.facts_for(rule))
        return tuple(result for result in results if not result.passes)

    def rank(self, route: Route) -> tuple[int, int, int, int]:
        """What a route that holds is ranked by: priority, depth of category, depth of cell, number of keys."""
        return route.priority, *specificity(self.policy, route, self.facts_for(route))

    def asked_rules(self) -> Iterator[Rule]:
        """The rules in the order they are asked, as far as evaluation goes."""
        for guard in guards_for(self.policy, self._stages[0]):
            yield guard
            if guard is self.selection.guard:
                return
        yield from self.policy.overlays
        yield from self.policy.routes

    def near_misses(self) -> Iterator[tuple[str, str]]:
        """(rule, key) of every rule that would have held but for this one key."""
        for rule in self.asked_rules():
            key = self._only_failure(rule)
            if key is not None:
                yield rule.id, key

    def _only_failure(self, rule: Rule) -> str | None:
        facts = self.facts_for(rule)
        failed: str | None = None
        conditions = [(part, False) for part in rule.when.require] + [(part, True) for part in rule.when.exclude]
        for part, negated in conditions:
            if asked(self.policy, part, facts) is negated:
                if failed is not None:
                    return None
                failed = f"not {part.key}" if negated else part.key
        return failed if in_force(self.policy, rule, facts) else None
