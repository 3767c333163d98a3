"""A third reading of the rules, besides the plain loop and the index: written from the policy page, sharing no code.

Only calendars are asked whether they are open; they have oracles of their own.
"""

import re
from datetime import UTC, datetime

from rules import Facts, Policy
from rules.model_rules import Overlay, Rule
from rules.trace import NEAR_MISSES

TIMED = {"<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}


class Keyed(tuple):
    """(key, negated, held values, passes) for each key of a rule, its dates last."""

    @property
    def holds(self) -> bool:
        return all(passes for *_, passes in self)

    @property
    def near(self) -> bool:
        """One key fails and one that asks for something holds."""
        positive = [key for key, negated, _, passes in self if passes and not negated and key != "dates"]
        return sum(not passes for *_, passes in self) == 1 and bool(positive)


class Reading:
    """What the policy page says of some facts, rule by rule."""

    def __init__(self, policy: Policy, facts: Facts) -> None:
        self.policy, self.facts = policy, facts
        self.day = datetime.fromtimestamp(facts.at_ms / 1000, UTC).astimezone(policy.timezone).strftime("%Y-%m-%d")
        self.severity, self.tags = facts.severity, list(facts.tags)
        self.overlays: list[Overlay] = []
        self.keyed: dict[str, Keyed] = {}
        guards = [] if facts.filed else sorted(policy.guards, key=lambda guard: -guard.priority)
        self.guard = next((guard for guard in guards if self.read(guard).holds), None)
        for guard in guards:
            self.read(guard)
        if self.guard is None:
            for stratum in ("severity", "tags", None):
                self.take(stratum)
        self.routes = [] if self.guard else [route for route in policy.routes if self.read(route).holds]
        self.routes.sort(key=lambda route: [-number for number in self.rank(route)])

    def take(self, stratum: str | None) -> None:
        """All overlays of a stratum see the same facts."""
        chosen = [each for each in self.policy.overlays if kind_of(each) == stratum]
        held = [overlay for overlay in chosen if self.read(overlay).holds]
        self.overlays += held
        self.severity = min([self.severity, *(each.severity.raise_to for each in held if each.severity)])
        self.tags += [tag for overlay in held for tag in overlay.tags if tag not in self.tags]

    def read(self, rule: Rule) -> Keyed:
        found = []
        for negated, parts in ((False, rule.when.require), (True, rule.when.exclude)):
            for part in parts:
                held = [value for value in part.values if self.true(part.key, value)]
                found.append((part.key, negated, tuple(held), bool(held) is not negated))
        if rule.valid_from or rule.expires:
            found.append(("dates", False, (), (rule.valid_from or "0") <= self.day <= (rule.expires or "9")))
        self.keyed[rule.id] = Keyed(found)
        return self.keyed[rule.id]

    def true(self, key: str, value: object) -> bool:
        facts = self.facts
        if key == "category":
            return f"{facts.category}.".startswith(f"{value}.")
        if key == "calendar":
            return self.policy.clock(str(value)).contains(facts.at_ms)
        if key == "whistle":
            return facts.whistle == value or (value == "any" and facts.whistle is not None)
        if key in {"grid", "tags", "text.any"}:
            return value in {"grid": facts.path, "tags": self.tags, "text.any": facts.keywords}[key]
        if key == "severity":
            return compares(self.severity, value)
        if key in {"confidence", "reporters"} or key.startswith("attributes."):
            given = {f"attributes.{name}": found for name, found in facts.attributes}
            return compares(given.get(key, getattr(facts, key, None)), value)
        return getattr(facts, key) == value

    def rank(self, rule: Rule) -> tuple[int, int, int, int]:
        held = {key: values for key, negated, values, _ in self.keyed[rule.id] if not negated}
        category = max((len(str(code).split(".")) for code in held.get("category", ())), default=0)
        grid = max((self.facts.path.index(cell) + 1 for cell in held.get("grid", ())), default=0)
        return rule.priority, category, grid, len(rule.when.require) + len(rule.when.exclude)

    @property
    def won_by(self) -> str:
        if self.guard or not self.routes:
            return "guard" if self.guard else "fallback"
        first, second = [self.rank(route) for route in (self.routes * 2)[:2]]
        if len(self.routes) == 1 or first[0] != second[0]:
            return "priority"
        return "order" if first == second else "specificity"

    def level(self, route: Rule | None, lead: str) -> tuple[int, str | None]:
        """The widest of what the route (or its lead's own level, which no rule says) and the overlays name."""
        numbers = {name: number for number, name in enumerate(("city", *self.policy.grid_levels))}
        own = {each.code: each.level for each in self.policy.document.sections.departments}[lead]
        named = [(numbers[rule.level], rule.id) for rule in (route, *self.overlays) if rule and rule.level]
        if not (route and route.level) and own not in (None, "city"):
            named.insert(0, (numbers[own], None))
        return min(named, key=lambda pair: pair[0], default=(0, None))

    def near(self, rules: tuple[Rule, ...]) -> list[tuple[str, str]]:
        """(rule, the key that failed): its own category first, then those with the most keys that hold."""
        near = [rule.id for rule in rules if self.keyed[rule.id].near]
        failed = {rule: next(key for key, *_, passes in self.keyed[rule] if not passes) for rule in near}
        near.sort(key=lambda rule: (failed[rule] == "category", -len(self.keyed[rule])))
        return [(rule, failed[rule]) for rule in near[:NEAR_MISSES]]


def kind_of(overlay: Overlay) -> str | None:
    return "severity" if overlay.severity else "tags" if overlay.tags else None


def compares(fact: object, value: object) -> bool:
    """`"<=2"` compares numbers; anything else equals, and true is no number."""
    test = re.fullmatch(r"(<=|>=|<|>)\s*([-+]?\d+(?:\.\d+)?)", value) if isinstance(value, str) else None
    is_number = isinstance(fact, int | float) and not isinstance(fact, bool)
    if test is not None:
        return is_number and getattr(float(fact), TIMED[test[1]])(float(test[2]))
    return fact == value and isinstance(fact, bool) == isinstance(value, bool)
