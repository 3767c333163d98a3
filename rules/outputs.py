"""What of the facts enters a decision besides which rules hold: filing standards, and the units of the place."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from rules.catalogue import FilingStandard
from rules.model_rules import Overlay, Route, Rule
from rules.policy import Policy

Catalogued = tuple[bool, tuple[FilingStandard, ...]]
"""Whether the catalogue has a category, and its filing standards where some limit depends on them."""


def standards_matter(policy: Policy, rules: Iterable[Rule]) -> bool:
    """Whether the SLA of some route takes a limit from the filing standard, or that of the fallback.

    The fallback's counts always: any lead may turn out to be one that the place does not have.
    """
    slas = {policy.fallback.sla, *(rule.sla for rule in rules if isinstance(rule, Route))}
    return any(target.by_standard for sla in slas for target in policy.sla(sla).targets)


class Catalogue:
    """What decisions take from the catalogue; made once for a policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._wanted = standards_matter(policy, policy.routes)
        categories = policy.categories.values() if self._wanted else ()
        self.standards = frozenset(standard.code for category in categories for standard in category.standards)
        """Codes of the filing standards on which some limit depends."""

    def of(self, code: str | None) -> Catalogued:
        """Return what it says of a category."""
        category = self._policy.category(code)
        return category is not None, category.standards if category and self._wanted else ()

    def standard(self, code: str | None) -> str | None:
        """Return a filing standard if some limit depends on it."""
        return code if code in self.standards else None


def unit_levels(rule: Rule) -> frozenset[str]:
    """Levels at which a rule looks for the units of its departments: `street-office@township`."""
    names = [rule.lead] if isinstance(rule, Route) else []
    if isinstance(rule, Overlay):
        names = [support.dept for support in rule.support]
    return frozenset(name.partition("@")[2] for name in names if "@" in name)


def places_of(policy: Policy, levels: frozenset[str], cells: frozenset[Any]) -> Callable[[Any], Hashable]:
    """Return what to keep of a path: the units at these levels, and where on it these cells of rules lie."""

    def kept(path: tuple[str, ...]) -> Hashable:
        units = tuple([pair for pair in zip(policy.grid_levels, path, strict=False) if pair[0] in levels])
        return units, tuple([(level, cell) for level, cell in enumerate(path, 1) if cell in cells])

    return kept
