"""Which facts there are, and what makes a rule's condition on each of them true."""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable
from datetime import date, timedelta
from typing import Any

from rules.budgets import MINUTE_MS
from rules.calendars import Calendar
from rules.catalogue import ancestors
from rules.conditions import ATTRIBUTE, KEYWORD
from rules.facts import Scalar
from rules.index import Dimension, ScalarTerms, typed, whistle_terms
from rules.layout import Layout
from rules.policy import Policy
from rules.shapes import STANDARD

_FACT = {"grid": "path", KEYWORD: "keywords", "calendar": "time"}
"""Keys of a `when` whose fact has another name."""


class Attributes(Dimension):
    """All attributes as one fact: the AND of one dimension per name that rules ask for."""

    def __init__(self, width: int, values: dict[str, list[Scalar]]) -> None:
        super().__init__(width, tuple, memo_key=self._key)
        self.by_name: dict[str, Dimension] = {}
        for name, asked in values.items():
            terms = ScalarTerms(asked)
            self.by_name[name] = Dimension(width, terms.terms, memo_key=terms.key)

    def mask_for(self, value: tuple[tuple[str, Scalar], ...]) -> int:
        """Return the rules whose conditions on every attribute hold."""
        mask = self._all
        for dimension, found in zip(self.by_name.values(), self._key(value), strict=True):
            mask &= dimension.masks[found]
        return mask

    @property
    def is_used(self) -> bool:
        """Whether some rule asks for it."""
        return bool(self.by_name)

    def forget(self) -> None:
        """Start the classes anew, those of every name too."""
        super().forget()
        for dimension in self.by_name.values():
            dimension.forget()

    def _key(self, value: tuple[tuple[str, Scalar], ...]) -> tuple[int, ...]:
        if not self.by_name:
            return ()
        given = dict(value)
        return tuple(dimension.class_of(given.get(name)) for name, dimension in self.by_name.items())


class Time(Dimension):
    """Minutes since the epoch: which calendars are open, and which dated rules are in force."""

    def __init__(self, policy: Policy, layout: Layout) -> None:
        super().__init__(len(layout.rows), tuple)
        self._policy = policy
        self._calendars: list[str] = []
        edges: dict[int, tuple[int, int]] = {}  # from this instant on: rows that come into force, rows that end
        always = self._all
        calendar = Calendar(policy.timezone, ())
        for index, row in enumerate(layout.rows):
            for day, after, ends in ((row.rule.valid_from, 0, False), (row.rule.expires, 1, True)):
                if day is not None:
                    at_ms = calendar.instant_ms(date.fromisoformat(day) + timedelta(after))
                    begun, ended = edges.get(at_ms, (0, 0))
                    edges[at_ms] = (begun, ended | 1 << index) if ends else (begun | 1 << index, ended)
            if row.rule.valid_from is not None:
                always &= ~(1 << index)
        self._edges = sorted(edges)
        self._in_force = [always]
        for at_ms in self._edges:
            begun, ended = edges[at_ms]
            self._in_force.append((self._in_force[-1] | begun) & ~ended)

    @property
    def is_used(self) -> bool:
        """Whether some rule asks for it."""
        return bool(self._edges) or super().is_used

    def watch(self, names: Iterable[str]) -> None:
        """Rules ask for these calendars."""
        self._calendars += [name for name in names if name not in self._calendars]

    def mask_for(self, value: int) -> int:
        """Return the rules in force at a minute whose calendars are open."""
        at_ms = value * MINUTE_MS
        opened = [name for name in self._calendars if self._policy.clock(name).contains(at_ms)]
        return self.mask_of(opened) & self._in_force[bisect_right(self._edges, at_ms)]


def build_dimensions(policy: Policy, layout: Layout) -> dict[str, Dimension]:
    """Every fact's dimension with the conditions of all rows in it."""
    width = len(layout.rows)
    asked: dict[str, list[Scalar]] = {}
    for row in layout.rows:
        for part in (*row.require, *row.rule.when.exclude):
            asked.setdefault(part.key, []).extend(part.values)
    numbers = {name: ScalarTerms(asked.get(name, ())) for name in ("severity", "confidence", "reporters")}
    attributes = Attributes(
        width, {key.removeprefix(ATTRIBUTE): asked[key] for key in asked if key.startswith(ATTRIBUTE)}
    )
    mentioned = frozenset(asked.get("tags", ()))
    dimensions = {
        "category": Dimension(width, lambda code: ancestors(code) if code else (), extra=_category_extra(policy)),
        "path": Dimension(width, tuple, extra=_path_extra(policy, frozenset(asked.get("grid", ())))),
        "severity": Dimension(width, numbers["severity"].terms, extra=lambda value: value),
        "confidence": Dimension(width, numbers["confidence"].terms, memo_key=numbers["confidence"].key),
        "reporters": Dimension(width, numbers["reporters"].terms, memo_key=numbers["reporters"].key),
        "tags": Dimension(width, tuple, extra=lambda tags: tuple(sorted(mentioned.intersection(tags)))),
        "whistle": Dimension(width, whistle_terms),
        "keywords": Dimension(width, tuple),
        "attributes": attributes,
        "standard": Dimension(width, lambda value: (value,), extra=_standard_extra(policy)),
        "time": Time(policy, layout),
    }
    for name in ("mode", "source", "platform", "place", "request_kind"):
        dimensions[name] = Dimension(width, lambda value: (value,))
    for index, row in enumerate(layout.rows):
        for part in row.require:
            _dimension(dimensions, part.key).require(index, _terms(part.key, part.values))
        for part in row.rule.when.exclude:
            _dimension(dimensions, part.key).exclude(index, _terms(part.key, part.values))
    time = dimensions["time"]
    assert isinstance(time, Time)  # noqa: S101
    time.watch(str(name) for name in asked.get("calendar", ()))
    return dimensions


def _dimension(dimensions: dict[str, Dimension], key: str) -> Dimension:
    attributes = dimensions["attributes"]
    if key.startswith(ATTRIBUTE) and isinstance(attributes, Attributes):
        return attributes.by_name[key.removeprefix(ATTRIBUTE)]
    return dimensions[_FACT.get(key, key)]


def _terms(key: str, values: tuple[Scalar, ...]) -> Iterable[Hashable]:
    is_scalar = key.startswith(ATTRIBUTE) or key in {"severity", "confidence", "reporters"}
    return map(typed, values) if is_scalar else values


def _uses_standards(policy: Policy) -> bool:
    return any(target.within == STANDARD for sla in policy.document.sections.sla for target in sla.targets)


def _category_extra(policy: Policy) -> Callable[[Any], Hashable]:
    """Whether the catalogue has it, and its filing standards where some limit depends on them."""
    wanted = _uses_standards(policy)

    def extra(code: str | None) -> Hashable:
        category = policy.category(code)
        return category is not None, category.standards if category and wanted else ()

    return extra


def _standard_extra(policy: Policy) -> Callable[[Any], Hashable]:
    codes = {standard.code for category in policy.categories.values() for standard in category.standards}
    known = codes if _uses_standards(policy) else set[str]()
    return lambda standard: standard if standard in known else None


def _path_extra(policy: Policy, cells: frozenset[Scalar]) -> Callable[[Any], Hashable]:
    """Return the units that some `department@level` may mean, and the levels at which cells of rules lie."""
    names = [route.lead for route in policy.routes]
    names += [support.dept for overlay in policy.overlays for support in overlay.support]
    levels = {name.partition("@")[2] for name in names}

    def extra(path: tuple[str, ...]) -> Hashable:
        units = tuple(pair for pair in zip(policy.grid_levels, path, strict=False) if pair[0] in levels)
        return units, tuple((level, cell) for level, cell in enumerate(path, 1) if cell in cells)

    return extra
