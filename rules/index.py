"""One fact against all rules at once: a bit mask over the rules, and the classes of values that no rule tells apart.

A dimension is one fact (category, path, severity …). A rule's condition on it names *terms*; a value of the fact makes
some terms true ("03.02.01" makes "03", "03.02" and itself true). The rules that a value satisfies are then

    mask(value) = (rules without a condition | rules with a true term) & ~(rules with a true excluded term)

Values with the same mask fall into one class, a small number; a batch can look classes up by column.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from rules.conditions import ANY_WHISTLE, test_of
from rules.facts import Scalar

T = TypeVar("T")

MAX_MEMO = 65_536
"""Values remembered per dimension: ten times the cells of a large city; beyond it the memory starts anew."""

Fact = Any
"""A value of whatever type the fact has."""

Terms = Callable[[Any], Iterable[Hashable]]


class Room:
    """How many values of facts may still be remembered, by all tables together."""

    def __init__(self, values: int) -> None:
        self._values = self.left = values

    def clear(self) -> None:
        """Everything has been forgotten."""
        self.left = self._values


class Learning(dict[Any, T]):
    """A table of what follows from values, which works out and remembers what it does not know."""

    def __init__(self, work_out: Callable[[Any], T], room: Room) -> None:
        super().__init__()
        self._work_out = work_out
        self._room = room

    def __missing__(self, value: Fact) -> T:
        """Remember one more; when there is no room left, it takes that of the table's own values."""
        self._room.left -= 1
        if self._room.left < 0:
            self.clear()
        found = self[value] = self._work_out(value)
        return found


class Dimension:
    """Masks and classes of one fact.

    Args:
        width: how many rules there are.
        terms: the terms a value makes true.
        extra: what else a class must keep apart besides its mask.
        memo_key: what a value is remembered by, where that is not the value itself.
        in_decisions: whether a decision depends on the extra too, whichever rules hold.
    """

    def __init__(
        self,
        width: int,
        terms: Terms,
        extra: Callable[[Any], Hashable] | None = None,
        memo_key: Callable[[Any], Hashable] | None = None,
        *,
        in_decisions: bool = False,
    ) -> None:
        self._all = (1 << width) - 1
        self._terms = terms
        self._extra = extra
        self._memo_key = memo_key
        self._in_decisions = in_decisions
        self._positive: dict[Hashable, int] = {}
        self._negative: dict[Hashable, int] = {}
        self._bound = 0  # rules with a condition here
        self.masks: list[int] = []
        self.extras: list[Any] = []
        self.examples: dict[int, Any] = {}  # a value of each class that `class_of` has given
        self._ids: dict[tuple[int, Hashable], int] = {}
        self.memo: dict[Hashable, int] = {}

    def forget(self) -> None:
        """Start the classes anew."""
        for part in (self.masks, self.extras, self.examples, self._ids, self.memo):
            part.clear()

    def require(self, row: int, terms: Iterable[Hashable]) -> None:
        """Rule `row` wants one of the terms."""
        self._bound |= 1 << row
        for term in terms:
            self._positive[term] = self._positive.get(term, 0) | 1 << row

    def exclude(self, row: int, terms: Iterable[Hashable]) -> None:
        """Rule `row` wants none of the terms."""
        for term in terms:
            self._negative[term] = self._negative.get(term, 0) | 1 << row

    @property
    def is_used(self) -> bool:
        """Whether some rule asks for it."""
        return bool(self._bound or self._negative)

    @property
    def is_read(self) -> bool:
        """Whether a decision can depend on it: a fact that isn't read need not even be looked at."""
        return self.is_used or self._in_decisions

    def mask_of(self, terms: Iterable[Hashable]) -> int:
        """Return the rules satisfied when exactly these terms are true."""
        hit = self._all ^ self._bound
        miss = 0
        for term in terms:
            hit |= self._positive.get(term, 0)
            miss |= self._negative.get(term, 0)
        return hit & ~miss

    def mask_for(self, value: Fact) -> int:
        """Return the rules that a value satisfies."""
        return self.mask_of(self._terms(value))

    def extra_of(self, value: Fact) -> Fact:
        """Return what else than its mask tells a value from others."""
        return self._extra(value) if self._extra else None

    def classify(self, value: Fact) -> int:
        """Return the class of a value without remembering the value."""
        return self.intern(self.mask_for(value), self.extra_of(value))

    def class_of(self, value: Fact) -> int:
        """Return the class of a value; `masks` and `extras` are indexed by it."""
        key = value if self._memo_key is None else self._memo_key(value)
        found = self.memo.get(key)
        if found is None:
            found = self.classify(value)
            self.examples.setdefault(found, value)
            if len(self.memo) >= MAX_MEMO:
                self.memo.clear()
            self.memo[key] = found
        return found

    def intern(self, mask: int, extra: Hashable) -> int:
        """Return the class with this mask and extra."""
        known = self._ids.get((mask, extra))
        if known is None:
            known = self._ids[mask, extra] = len(self.masks)
            self.masks.append(mask)
            self.extras.append(extra)
        return known


def whistle_terms(kind: str | None) -> tuple[str | None, ...]:
    """Return a whistle of any kind also makes `any` true."""
    return () if kind is None else (kind, ANY_WHISTLE)


class ScalarTerms:
    """Terms of a number or attribute: the tests that hold. Numbers between the same thresholds share one memory."""

    def __init__(self, values: Iterable[Scalar]) -> None:
        tests = {typed(value): test_of(value) for value in values}
        self._literal = {term for term, test in tests.items() if test.op == "=" and not _is_number(test.value)}
        self._numeric = [(term, test) for term, test in tests.items() if _is_number(test.value)]
        self._limits = sorted({float(test.value) for _, test in self._numeric})

    def terms(self, fact: Scalar | None) -> list[Hashable]:
        """Return the typed values of the rules that hold for a fact."""
        if fact is None:
            return []
        if not _is_number(fact):
            return [typed(fact)] if typed(fact) in self._literal else []
        return [term for term, test in self._numeric if test.holds(fact)]

    def key(self, fact: Scalar | None) -> Hashable:
        """Return what to remember a fact by: its interval; texts and flags stand for themselves."""
        if _is_number(fact):
            return bisect_left(self._limits, fact), bisect_right(self._limits, fact)  # type: ignore[type-var]
        return type(fact), fact


def typed(value: Scalar | None) -> Hashable:
    """Return a value as a term that keeps 1, 1.0 and true apart from each other and from "1"."""
    return type(value), value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
