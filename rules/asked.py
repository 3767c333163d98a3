"""The attributes a policy's rules ask for, category by category: what is worth asking whoever reports."""

from collections.abc import Iterator
from typing import NamedTuple

from rules.catalogue import ancestors
from rules.conditions import ATTRIBUTE, test_of
from rules.facts import Scalar
from rules.model_rules import Condition, Rule
from rules.policy import Policy

__all__ = ["AskedAttribute", "asked_attributes"]


class AskedAttribute(NamedTuple):
    """An attribute (`voltage_kv`) and the values that rules know, in the order of the files; without any, a number."""

    name: str
    values: tuple[Scalar, ...]


def asked_attributes(policy: Policy, category: str) -> tuple[AskedAttribute, ...]:
    """The attributes that can make a difference to a report of this category, in the order of the files.

    Those of rules that name the category or one it lies under: what a rule asks of every report alike (whether it is a
    drill) is for programs to say.
    """
    lineage = frozenset(ancestors(category))
    found: dict[str, dict[Scalar, None]] = {}
    numbers: set[str] = set()
    for rule in (*policy.guards, *policy.routes, *policy.overlays):
        if not _may_take(rule, lineage):
            continue
        for condition in _attributes(rule):
            name = condition.key.removeprefix(ATTRIBUTE)
            values = found.setdefault(name, {})
            for value in condition.values:
                values[value] = None
                if isinstance(test_of(value).value, int | float) and not isinstance(value, bool):
                    numbers.add(name)
    return tuple(AskedAttribute(name, () if name in numbers else tuple(values)) for name, values in found.items())


def _may_take(rule: Rule, lineage: frozenset[str]) -> bool:
    missed = [lineage.isdisjoint(map(str, part.values)) for part in rule.when.require if part.key == "category"]
    barred = [not lineage.isdisjoint(map(str, part.values)) for part in rule.when.exclude if part.key == "category"]
    return bool(missed) and not any(missed) and not any(barred)


def _attributes(rule: Rule) -> Iterator[Condition]:
    return (part for part in (*rule.when.require, *rule.when.exclude) if part.key.startswith(ATTRIBUTE))
