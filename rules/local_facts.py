"""The facts that the few rules left at a category and a place can tell apart, for two policies at once."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from msgspec.structs import replace

from rules.facts import Facts
from rules.index import typed
from rules.lint.times import instants
from rules.lint.values import SETS, assembled, values_of
from rules.match import asked, in_force
from rules.model_rules import Condition, Rule
from rules.policy import Policy

Key = tuple[str, object]
"""A key of a `when`; of tags and keywords, with the one that is there or not."""

Rules = Sequence[Sequence[Rule]]
"""Those of the first policy, and those of the second."""

_GIVEN = ("category", "grid")
_MADE = ("severity", *SETS)
"""Facts that a rule's conditions don't bound: overlays may make of them what it asks for."""


class Choice(NamedTuple):
    """A value, and all those for which the same rules hold."""

    key: Key
    value: Any
    like: tuple[Any, ...]


class _Asks(NamedTuple):
    """A condition of a rule, or its dates (None)."""

    side: int
    rule: Rule
    part: Condition | None
    negated: bool


class LocalFacts:
    """Values by key, of both policies together: sources and modes are those that both have, if there are any."""

    def __init__(self, before: Policy, after: Policy, at_ms: int) -> None:
        self._policies = before, after
        one, other = (values_of(policy, at_ms) for policy in self._policies)
        self._values: dict[str, tuple[Any, ...]] = {}
        for key in dict.fromkeys([*one, *other]):
            known = {_name(key, value): value for value in (*one.get(key, ()), *other.get(key, ()))}
            if key in {"source", "mode"}:
                both = {_name(key, value) for value in one[key]} & {_name(key, value) for value in other[key]}
                known = {name: value for name, value in known.items() if not both or name in both}
            self._values[key] = tuple(known.values())
        codes = [
            part.code for policy in self._policies for each in policy.categories.values() for part in each.standards
        ]
        self._values["standard"] = tuple(dict.fromkeys([*self._values["standard"], *codes]))
        self._values["calendar"] = instants(self._policies, at_ms)
        self._plain = {(key, None): Choice((key, None), values[0], values) for key, values in self._values.items()}
        self._samples = {
            key: [self.facts(None, [Choice((key, None), value, ())]) for value in values]
            for key, values in self._values.items()
        }
        self._held: dict[tuple[int, int, int], tuple[bool, ...]] = {}

    def facts(self, category: str | None, chosen: Iterable[Choice]) -> Facts:
        """Return facts with these values, without a place, and as plain as can be otherwise."""
        values = self._plain | {choice.key: choice for choice in chosen}
        return assembled(((*choice.key, choice.value) for choice in values.values()), category, ())

    def everything(self, key: str) -> tuple[Any, ...]:
        """Return all values of a key."""
        return self._values[key]

    def choices(self, rules: Rules, start: Rule | None, standards: Collection[str]) -> list[list[Choice]]:
        """Return, by key, the values that the rules tell apart, but only those for which `start` may hold.

        `standards`: the filing standards that make a difference, each by itself.
        """
        keys: dict[Key, list[_Asks]] = {("standard", None): []} if standards else {}
        for side, part in enumerate(rules):
            for rule in part:
                for key, asks in _asking(side, rule):
                    keys.setdefault(key, []).append(asks)
        return [self._told_apart(key, asking, start, standards) for key, asking in keys.items()]

    def _told_apart(
        self, key: Key, asking: list[_Asks], start: Rule | None, standards: Collection[str]
    ) -> list[Choice]:
        if key[0] in SETS:
            return [Choice(key, value, (value,)) for value in (False, True)]
        held = [self._passes(key[0], asks) for asks in asking]
        bounds = [passes for asks, passes in zip(asking, held, strict=True) if asks.rule is start]
        alike: dict[object, list[Any]] = {}
        for at, value in enumerate(self._values[key[0]]):
            if key[0] in _MADE or all(passes[at] for passes in bounds):
                is_itself = key[0] == "severity" or value in standards  # overlays raise some severities, not others
                itself = value if is_itself else None
                alike.setdefault((itself, *(passes[at] for passes in held)), []).append(value)
        return [Choice(key, like[0], tuple(like)) for like in alike.values()]

    def _passes(self, key: str, asks: _Asks) -> tuple[bool, ...]:
        """Whether a condition lets each of the values pass."""
        known = asks.side, id(asks.rule), id(asks.part)
        if known not in self._held:
            policy, part = self._policies[asks.side], asks.part
            self._held[known] = tuple(
                in_force(policy, asks.rule, facts) if part is None else asked(policy, part, facts) != asks.negated
                for facts in map(partial(on_platform, policy), self._samples[key])
            )
        return self._held[known]


def on_platform(policy: Policy, facts: Facts) -> Facts:
    """Return facts with the platform that a policy gives their source."""
    source = policy.source(facts.source)
    return facts if source is None else replace(facts, platform=source.platform)


def _name(key: str, value: Any) -> object:  # noqa: ANN401 - a fact's value can be anything
    """What makes two values of a key the same; a source is one also on another platform."""
    return value[0] if key == "source" else typed(value)


def _asking(side: int, rule: Rule) -> Iterator[tuple[Key, _Asks]]:
    for parts, negated in ((rule.when.require, False), (rule.when.exclude, True)):
        for part in parts:
            if part.key in SETS:
                for value in part.values:
                    yield (part.key, value), _Asks(side, rule, part, negated)
            elif part.key not in _GIVEN:
                yield ("source" if part.key == "platform" else part.key, None), _Asks(side, rule, part, negated)
    if rule.valid_from or rule.expires:
        yield ("calendar", None), _Asks(side, rule, None, negated=False)
