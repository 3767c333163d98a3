"""Keywords nobody looked for: what a candidate might have found in texts that are no longer there.

Facts hold the keywords that the policy of their time asked for, never the text. Of a candidate's other keywords some
follow all the same ("gas" stood in a text that held "gas leak"; "gas leak" did not in one without "gas"); each of the
rest may have stood there or not. A case is undecidable exactly when some text that fits everything known would be
decided otherwise than one without any of them.

To find out, words are put together that the same conditions of the same rules ask for, leaving out rules that these
facts exclude anyway and conditions that hold already; then every combination is decided. Cases with more than
`GROUPS_MAX` groups are not examined, and counted apart: that they are undecidable is then a safe guess.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Literal, NamedTuple

import msgspec

from rules import Decider, Decision, Facts, Policy

__all__ = ["GROUPS_MAX", "Redecided", "Unread"]

GROUPS_MAX = 10  # 1,024 combinations at some microseconds each
REMEMBERED_MAX = 65_536

KEYWORD = "text.any"
_FACT = {"mode": "mode", "source": "source", "platform": "platform", "place": "place", "standard": "standard",
         "request_kind": "request_kind"}  # fmt: skip

Certainty = Literal["certain", "undecidable", "unexamined"]


class Redecided(NamedTuple):
    """What the candidate decides if none of the unread words stood in the text, and whether they matter."""

    decision: Decision
    certainty: Certainty


class Unread:
    """Decides under a candidate on facts whose keywords another policy has looked for.

    Args:
        decider: of the candidate.
        asked: the keywords of the policy under which the facts were taken.
    """

    def __init__(self, decider: Decider, asked: Iterable[str]) -> None:
        self._decider = decider
        policy = decider.policy
        self._asked = frozenset(asked)
        self._words = frozenset(policy.keywords)
        self._new = tuple(word for word in policy.keywords if word not in self._asked)
        self._conditions = tuple(_conditions(policy, frozenset(self._new)))
        self._known: dict[object, Redecided] = {}

    def decide(self, facts: Facts) -> Redecided:
        """Decide, and say whether an unread word could change it."""
        if not self._new:
            return Redecided(self._decider.decide(facts), "certain")
        key = self._decider.atoms(facts), self._decider.generation, facts.keywords
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= REMEMBERED_MAX:
                self._known.clear()
            known = self._known[key] = self._decide(facts)
        return known

    def _decide(self, facts: Facts) -> Redecided:
        found = frozenset(facts.keywords)
        absent = self._asked - found
        present = {word for word in self._new if any(word in longer for longer in found)}
        free = {word for word in self._new if word not in present and not any(shorter in word for shorter in absent)}
        surely = present | (found & self._words)
        base = self._decider.decide(_with(facts, surely))
        groups = self._groups(facts, free, surely)
        if len(groups) > GROUPS_MAX:
            return Redecided(base, "unexamined")
        for words in _combinations(groups):
            if self._decider.decide(_with(facts, surely | words)) != base:
                return Redecided(base, "undecidable")
        return Redecided(base, "certain")

    def _groups(self, facts: Facts, free: set[str], surely: Iterable[str]) -> list[frozenset[str]]:
        """Free words by the conditions that ask for them and that could matter here."""
        held = frozenset(surely)
        asking: dict[str, list[int]] = {}
        for number, (rule, words) in enumerate(self._conditions):
            if words.isdisjoint(held) and rule.may_hold(facts):
                for word in words & free:
                    asking.setdefault(word, []).append(number)
        groups: dict[tuple[int, ...], set[str]] = {}
        for word, numbers in sorted(asking.items()):
            groups.setdefault(tuple(numbers), set()).add(word)
        return [frozenset(words) for words in groups.values()]


class _Rule(NamedTuple):
    """The plain keys of a rule: those whose fact is one code, or a list of codes above it."""

    require: tuple[tuple[str, frozenset[object]], ...]
    exclude: tuple[tuple[str, frozenset[object]], ...]

    def may_hold(self, facts: Facts) -> bool:
        """False only when a plain key says that the rule cannot hold on these facts, whatever the text."""
        return all(_meets(key, values, facts) for key, values in self.require) and not any(
            _meets(key, values, facts) for key, values in self.exclude
        )


def _conditions(policy: Policy, new: frozenset[str]) -> Iterator[tuple[_Rule, frozenset[str]]]:
    """Every condition on keywords that asks for a new one: the rule's plain keys, and all words it asks for."""
    for rule in (*policy.guards, *policy.routes, *policy.overlays):
        plain = _Rule(*(
            tuple((c.key, frozenset(c.values)) for c in part if c.key in ("category", "grid") or c.key in _FACT)
            for part in (rule.when.require, rule.when.exclude)
        ))  # fmt: skip
        for condition in (*rule.when.require, *rule.when.exclude):
            if condition.key == KEYWORD and not new.isdisjoint(words := set(map(str, condition.values))):
                yield plain, frozenset(words)


def _meets(key: str, values: frozenset[object], facts: Facts) -> bool:
    if key == "grid":
        return not values.isdisjoint(facts.path)
    if key == "category":
        segments = (facts.category or "").split(".")
        return any(".".join(segments[: n + 1]) in values for n in range(len(segments)))
    return getattr(facts, _FACT[key]) in values


def _combinations(groups: list[frozenset[str]]) -> Iterator[frozenset[str]]:
    """For every choice of groups that some text can have, words that such a text holds; none at all is left out.

    A word brings every shorter one that is part of it. So a group can be chosen together with others exactly when one
    of its words has nothing in it from a group that is not chosen.
    """
    parts: Mapping[str, frozenset[int]] = {
        word: frozenset(n for n, group in enumerate(groups) if any(shorter in word for shorter in group))
        for group in groups
        for word in group
    }
    for choice in product((False, True), repeat=len(groups)):
        chosen = frozenset(n for n, yes in enumerate(choice) if yes)
        words = frozenset(word for n in chosen for word in groups[n] if parts[word] <= chosen)
        if chosen and all(words & groups[n] for n in chosen):
            yield words | {part for word in words for n in chosen for part in groups[n] if part in word}


def _with(facts: Facts, words: Iterable[str]) -> Facts:
    return msgspec.structs.replace(facts, keywords=tuple(sorted(words)))
