"""The plain way to decide: a loop over the rules, each key asked of the facts. The index must agree with it, always.

Order of evaluation (policy.md): guards → overlays that set severity → overlays that set tags → the route → the
remaining overlays. Guards and the first overlays see the claimed severity and the tags the report came with.
"""

from collections.abc import Sequence

import msgspec

from rules.catalogue import ancestors
from rules.conditions import ANY_WHISTLE, ATTRIBUTE, test_of
from rules.decision import Decision, Selection, Surroundings, WonBy, assemble, raised
from rules.facts import Facts, Scalar
from rules.model_rules import Condition, Guard, Overlay, Route, Rule
from rules.policy import Policy

DATES = "dates"
"""The key under which a rule's `valid_from` and `expires` are reported."""


class KeyResult(msgspec.Struct, frozen=True, gc=False):
    """One key of a rule against the facts: what was asked, what the fact is, which values held, whether it passes."""

    key: str
    negated: bool
    wanted: tuple[Scalar, ...]
    fact: object
    held: tuple[Scalar, ...]
    passes: bool


def fact_of(policy: Policy, key: str, facts: Facts) -> object:
    """Return what the facts say about a key."""
    if key.startswith(ATTRIBUTE):
        return dict(facts.attributes).get(key.removeprefix(ATTRIBUTE))
    if key == "calendar":
        return tuple(
            entry.name for entry in policy.document.sections.calendars if policy.clock(entry.name).contains(facts.at_ms)
        )
    names = {"grid": "path", "text.any": "keywords"}
    return getattr(facts, names.get(key, key))


def value_holds(policy: Policy, key: str, value: Scalar, facts: Facts) -> bool:
    """Whether one value of a key is true of the facts."""
    if key == "calendar":
        return policy.clock(str(value)).contains(facts.at_ms)
    fact = fact_of(policy, key, facts)
    if key.startswith(ATTRIBUTE) or key in {"severity", "confidence", "reporters"}:
        return fact is not None and test_of(value).holds(fact)  # type: ignore[arg-type]
    if key == "category":
        return facts.category is not None and value in ancestors(facts.category)
    if key in {"grid", "tags", "text.any"}:
        return value in fact  # type: ignore[operator]
    if key == "whistle" and value == ANY_WHISTLE:
        return fact is not None
    return fact == value


def asked(policy: Policy, condition: Condition, facts: Facts) -> bool:
    """Whether any value of a condition is true of the facts."""
    return any(value_holds(policy, condition.key, value, facts) for value in condition.values)


def in_force(policy: Policy, rule: Rule, facts: Facts) -> bool:
    """Whether the facts' day, in the policy's zone, lies within the rule's dates."""
    if rule.valid_from is None and rule.expires is None:
        return True
    today = policy.local_date(facts.at_ms)
    return (rule.valid_from or today) <= today <= (rule.expires or today)


def holds(policy: Policy, rule: Rule, facts: Facts) -> bool:
    """All of `when`, none of its `not`, and in force."""
    return (
        all(asked(policy, condition, facts) for condition in rule.when.require)
        and not any(asked(policy, condition, facts) for condition in rule.when.exclude)
        and in_force(policy, rule, facts)
    )


def specificity(policy: Policy, rule: Rule, facts: Facts) -> tuple[int, int, int]:
    """Depth of the deepest category and of the deepest cell that hold, and the number of keys."""
    category = grid = 0
    for condition in rule.when.require:
        held = [value for value in condition.values if value_holds(policy, condition.key, value, facts)]
        if condition.key == "category":
            category = max(str(value).count(".") + 1 for value in held)
        if condition.key == "grid":
            grid = max(level for level, cell in enumerate(facts.path, 1) if cell in held)
    return category, grid, len(rule.when.require) + len(rule.when.exclude)


def key_results(policy: Policy, rule: Rule, facts: Facts) -> list[KeyResult]:
    """Every key of a rule with what it found, its dates last when it has any."""
    results = [_key_result(policy, condition, facts, negated=False) for condition in rule.when.require]
    results += [_key_result(policy, condition, facts, negated=True) for condition in rule.when.exclude]
    if rule.valid_from or rule.expires:
        wanted = (rule.valid_from or "", rule.expires or "")
        today = policy.local_date(facts.at_ms)
        results.append(KeyResult(DATES, False, wanted, today, (), in_force(policy, rule, facts)))
    return results


def _key_result(policy: Policy, condition: Condition, facts: Facts, *, negated: bool) -> KeyResult:
    held = tuple(value for value in condition.values if value_holds(policy, condition.key, value, facts))
    fact = fact_of(policy, condition.key, facts)
    return KeyResult(condition.key, negated, condition.values, fact, held, bool(held) != negated)


def stratum(overlay: Overlay) -> int:
    """0 = sets severity, 1 = sets tags, 2 = the rest."""
    return 0 if overlay.severity else 1 if overlay.tags else 2


def facts_for_routes(facts: Facts, overlays: Sequence[Overlay]) -> Facts:
    """Return the facts with what overlays have raised and added so far."""
    tags = tuple(dict.fromkeys((*facts.tags, *(tag for overlay in overlays for tag in overlay.tags))))
    return msgspec.structs.replace(facts, severity=raised(facts.severity, overlays)[0], tags=tags)


def ranking(policy: Policy, routes: Sequence[Route], facts: Facts) -> list[Route]:
    """Routes that hold, best first: priority, then specificity, then the order of the files."""
    return sorted(routes, key=lambda route: (route.priority, *specificity(policy, route, facts)), reverse=True)


def won_by(policy: Policy, ranked: Sequence[Route], facts: Facts) -> WonBy:
    """Return the criterion that puts the first of a ranking before the second; `fallback` when there is none."""
    if not ranked:
        return "fallback"
    if len(ranked) == 1 or ranked[0].priority != ranked[1].priority:
        return "priority"
    first, second = (specificity(policy, route, facts) for route in ranked[:2])
    return "order" if first == second else "specificity"


def guards_for(policy: Policy, facts: Facts) -> list[Guard]:
    """Return the guards that are asked, in their order: none of what a person has filed."""
    return [] if facts.filed else sorted(policy.guards, key=lambda guard: -guard.priority)


def select(policy: Policy, facts: Facts) -> Selection:
    """Return the rules that hold, one after the other."""
    for guard in guards_for(policy, facts):
        if holds(policy, guard, facts):
            return Selection(guard, (), None, "guard")
    overlays: list[Overlay] = []
    seen = facts
    for wanted in range(3):
        overlays += [
            overlay for overlay in policy.overlays if stratum(overlay) == wanted and holds(policy, overlay, seen)
        ]
        seen = facts_for_routes(facts, overlays)
    ranked = ranking(policy, [route for route in policy.routes if holds(policy, route, seen)], seen)
    return Selection(None, tuple(overlays), ranked[0] if ranked else None, won_by(policy, ranked, seen))


def surroundings(policy: Policy, facts: Facts) -> Surroundings:
    """Return what else of the facts enters a decision."""
    category = policy.category(facts.category)
    return Surroundings(
        severity=facts.severity,
        categorised=category is not None,
        standards=category.standards if category else (),
        standard=facts.standard,
        units=tuple(zip(policy.grid_levels, facts.path, strict=False)),
    )


def decide_plainly(policy: Policy, facts: Facts) -> Decision:
    """Return the decision by the plain loop."""
    return assemble(policy, select(policy, facts), surroundings(policy, facts))
