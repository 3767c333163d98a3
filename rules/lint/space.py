"""All combinations of facts that a policy can tell apart, except category and place: variables, and rules as boxes.

A variable is a fact with one value (severity, mode, source with its platform, time …), one attribute, or one tag or
keyword, there or not. Its values are representatives: of a number its thresholds and what lies between them, of a
text those that rules name and one that none does. A rule's conditions are then a few *boxes*: a box allows each
variable some of its values. Several boxes only come of "any of these tags" and "any of these keywords".

What is taken to be independent although it may not be in the city: place and how it was located, source and anything
else but its platform, one attribute and another. So a combination may be counted as possible that never comes.

Guards see the severity as claimed and the tags as reported, all others what overlays have made of them: facts that
guards ask for are variables twice.
"""

from collections.abc import Hashable, Sequence
from itertools import product
from math import prod

from rules.conditions import KEYWORD
from rules.facts import Facts, Scalar
from rules.index import typed
from rules.lint.solver import Clause, Domains, Literal
from rules.lint.values import SETS, SEVERITIES, asked_by, assembled, values_of
from rules.match import in_force, value_holds
from rules.model_rules import Condition, Guard, Overlay, Rule
from rules.policy import Policy

Box = tuple[Literal, ...]
"""Each variable at most once, and never with all of its values."""

MAX_BOXES = 1_000
"""As many as one condition may have values; a rule that asks for any of many tags and any of many words has more."""

ABSENT, PRESENT = 0b01, 0b10
CLAIMED = "claimed "


class Space:
    """The variables of a policy from a day on. A variable is a number; `values[variable]` are its values."""

    def __init__(self, policy: Policy, from_ms: int) -> None:
        self.policy = policy
        self.values: list[tuple[object, ...]] = []
        self._number: dict[tuple[str, object], int] = {}
        self._masks: dict[tuple[str, Hashable], int] = {}
        self._dates: dict[tuple[str | None, str | None], int] = {}
        asked = asked_by(policy)
        for key, values in values_of(policy, from_ms).items():
            self._add(key, None, values)
        for key in SETS:
            for value in asked.get(key, {}).values():
                self._add(key, value, (False, True))
        claimed: set[tuple[str, object]] = set()
        for guard in policy.guards:
            for part in (*guard.when.require, *guard.when.exclude):
                if part.key in {"severity", "tags"}:
                    claimed.update((part.key, value if part.key == "tags" else None) for value in part.values)
        self.claimed: dict[int, int] = {}  # what overlays make of it → as it was reported
        for key, term in sorted(claimed, key=repr):
            plain = self._number[key, term]
            self.claimed[plain] = self._add(CLAIMED + key, term, self.values[plain])
        self.tags = {str(term): number for (key, term), number in self._number.items() if key == "tags"}
        """The variables of the tags that rules ask for."""
        self._tag_variables = frozenset(self.tags.values())
        words = {str(term): number for (key, term), number in self._number.items() if key == KEYWORD}
        self._inside = {
            number: [words[inner] for inner in policy.keywords_in(word) if inner != word]
            for word, number in words.items()
        }
        self._samples = {
            key: [self.facts({self._number[key, None]: 1 << at}, None, ()) for at in range(len(self.values[number]))]
            for (key, term), number in self._number.items()
            if term is None and not key.startswith(CLAIMED)
        }
        self._samples["platform"] = self._samples["source"]

    def _add(self, key: str, term: object, values: Sequence[object]) -> int:
        number = self._number[key, term] = len(self.values)
        self.values.append(tuple(values))
        return number

    @property
    def severity(self) -> int:
        """The variable of the severity that routes see."""
        return self._number["severity", None]

    def is_changed(self, variables: set[int]) -> bool:
        """Whether overlays may act on one of the variables."""
        return self.severity in variables or not variables.isdisjoint(self._tag_variables)

    def all_of(self, variable: int) -> int:
        """Return the mask of all values."""
        return (1 << len(self.values[variable])) - 1

    def helps(self, rule: Rule) -> bool:
        """Whether an overlay makes what guards ask for as it was claimed."""
        if not isinstance(rule, Overlay):
            return False
        made = {self.tags[tag] for tag in rule.tags if tag in self.tags} | ({self.severity} if rule.severity else set())
        return not made.isdisjoint(self.claimed)

    def at_most(self, severity: int) -> int:
        """Return the mask of the severities that are this or worse."""
        return sum(1 << at for at, value in enumerate(SEVERITIES) if value <= severity)

    def is_severity(self, severity: int) -> int:
        """Return the mask of one severity."""
        return 1 << SEVERITIES.index(severity)

    def boxes(self, rule: Rule) -> tuple[Box, ...] | None:
        """Return what a rule asks besides category and cell: no box when its conditions can't hold together.

        None when there are more than MAX_BOXES.
        """
        choices: list[list[Box]] = []
        for part in rule.when.require:
            if part.key in SETS:
                choices.append([((self._of(rule, part.key, value), PRESENT),) for value in part.values])
            elif part.key not in {"category", "grid"}:
                choices.append([((self._of(rule, part.key), self._mask(part)),)])
        for part in rule.when.exclude:
            if part.key in SETS:
                choices.append([tuple((self._of(rule, part.key, value), ABSENT) for value in part.values)])
            elif part.key not in {"category", "grid"}:
                variable = self._of(rule, part.key)
                choices.append([((variable, self.all_of(variable) & ~self._mask(part)),)])
        if rule.valid_from or rule.expires:
            choices.append([((self._number["calendar", None], self._in_force(rule)),)])
        if prod(map(len, choices)) > MAX_BOXES:
            return None
        return tuple(box for chosen in product(*choices) if (box := self._joined(chosen)) is not None)

    def _joined(self, parts: Sequence[Box]) -> Box | None:
        masks: dict[int, int] = {}
        for part in parts:
            for variable, mask in part:
                masks[variable] = masks.get(variable, self.all_of(variable)) & mask
        if not all(masks.values()):
            return None
        return tuple((variable, mask) for variable, mask in masks.items() if mask != self.all_of(variable))

    def _of(self, rule: Rule, key: str, term: object = None) -> int:
        number = self._number["source" if key == "platform" else key, term]
        return self.claimed.get(number, number) if isinstance(rule, Guard) else number

    def _mask(self, part: Condition) -> int:
        mask = 0
        for value in part.values:
            known = part.key, typed(value)
            if known not in self._masks:
                self._masks[known] = self._mask_of(part.key, value)
            mask |= self._masks[known]
        return mask

    def _mask_of(self, key: str, value: Scalar) -> int:
        samples = self._samples[key]
        return sum(1 << at for at, facts in enumerate(samples) if value_holds(self.policy, key, value, facts))

    def _in_force(self, rule: Rule) -> int:
        dates = rule.valid_from, rule.expires
        if dates not in self._dates:
            samples = self._samples["calendar"]
            self._dates[dates] = sum(1 << at for at, each in enumerate(samples) if in_force(self.policy, rule, each))
        return self._dates[dates]

    def implications(self, variables: set[int]) -> list[Clause]:
        """Return that a text with a keyword has the keywords inside it too, as far as they are among the variables."""
        pairs = [(word, inner) for word in sorted(variables) for inner in self._inside.get(word, ())]
        return [((word, ABSENT), (inner, PRESENT)) for word, inner in pairs if inner in variables]

    def facts(self, domains: Domains, category: str | None, path: tuple[str, ...]) -> Facts:
        """Return facts with one of the values that each variable may have; what is not said is as plain as can be."""
        chosen = []
        for (key, term), number in self._number.items():
            if not key.startswith(CLAIMED):
                domain = domains.get(self.claimed.get(number, number), domains.get(number, self.all_of(number)))
                chosen.append((key, term, self.values[number][(domain & -domain).bit_length() - 1]))
        return assembled(chosen, category, path)
