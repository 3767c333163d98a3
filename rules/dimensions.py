"""Which facts there are, and what makes a rule's condition on each of them true."""

from bisect import bisect_right
from collections.abc import Hashable, Iterable
from datetime import date, timedelta

import msgspec

from rules.budgets import MINUTE_MS
from rules.calendars import Calendar
from rules.catalogue import ancestors
from rules.conditions import ATTRIBUTE, KEYWORD
from rules.facts import Scalar
from rules.index import Dimension, ScalarTerms, typed, whistle_terms
from rules.layout import Layout
from rules.model_rules import Rule
from rules.moments import Moments
from rules.outputs import Catalogue, places_of, standards_matter, unit_levels
from rules.policy import Policy

_FACT = {"grid": "path", KEYWORD: "keywords", "calendar": "time"}
"""Keys of a `when` whose fact has another name."""

AttributePairs = tuple[tuple[str, Scalar], ...]

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(AttributePairs).decode


class Attributes(Dimension):
    """All attributes as one fact: the AND of one dimension per name that rules ask for."""

    def __init__(self, width: int, values: dict[str, list[Scalar]]) -> None:
        super().__init__(width, tuple, memo_key=self._key)
        self.by_name: dict[str, Dimension] = {}
        for name, asked in values.items():
            terms = ScalarTerms(asked)
            self.by_name[name] = Dimension(width, terms.terms, memo_key=terms.key)

    def mask_for(self, value: AttributePairs) -> int:
        """Return the rules whose conditions on every attribute hold."""
        given = dict(value)
        mask = self._all
        for name, dimension in self.by_name.items():
            mask &= dimension.mask_for(given.get(name))
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

    def _key(self, value: AttributePairs) -> tuple[int, ...]:
        if not self.by_name:
            return ()
        given = dict(value)
        return tuple(dimension.class_of(given.get(name)) for name, dimension in self.by_name.items())


def sign_of(attributes: AttributePairs) -> Hashable:
    """Return what attributes can be looked up by: 1 and true are equal, and rules tell them apart."""
    try:
        return _pack(attributes)
    except (OverflowError, UnicodeEncodeError):  # a number or a letter that messages can't hold
        return tuple((name, type(value), value) for name, value in attributes)


def attributes_of(sign: Hashable) -> AttributePairs:
    """Undo `sign_of`."""
    if isinstance(sign, bytes):
        return _unpack(sign)
    return tuple((name, value) for name, _, value in sign)  # type: ignore[attr-defined]


class Time(Dimension):
    """Minutes since the epoch: which calendars are open, and which dated rules are in force."""

    def __init__(self, policy: Policy, layout: Layout) -> None:
        super().__init__(len(layout.rows), tuple)
        self._policy = policy
        self._calendars: list[str] = []
        edges: dict[int, tuple[int, int]] = {}  # from this instant on: rows that come into force, rows that end
        always = self._all
        for index, row in enumerate(layout.rows):
            begin_ms, end_ms = in_force_ms(policy, row.rule)
            if begin_ms is not None:
                begun, ended = edges.get(begin_ms, (0, 0))
                edges[begin_ms] = begun | 1 << index, ended
                always &= ~(1 << index)
            if end_ms is not None:
                begun, ended = edges.get(end_ms, (0, 0))
                edges[end_ms] = begun, ended | 1 << index
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
        return self.mask_at(value * MINUTE_MS)

    def mask_at(self, at_ms: int) -> int:
        """Return the rules in force at an instant whose calendars are open."""
        opened = [name for name in self._calendars if self._policy.clock(name).contains(at_ms)]
        return self.mask_of(opened) & self._in_force[bisect_right(self._edges, at_ms)]

    def classify_at(self, at_ms: int) -> int:
        """Return the class of an instant."""
        return self.intern(self.mask_at(at_ms), None)


def in_force_ms(policy: Policy, rule: Rule) -> tuple[int | None, int | None]:
    """Return from when on, and until when, a rule is in force (epoch ms); None = no date says so."""
    if rule.valid_from is None and rule.expires is None:
        return None, None
    midnights = Calendar(policy.timezone, ())
    begin, last = (date.fromisoformat(day) if day else None for day in (rule.valid_from, rule.expires))
    return (
        None if begin is None else midnights.instant_ms(begin),
        None if last is None else midnights.instant_ms(last + timedelta(1)),
    )


def build_moments(policy: Policy) -> Moments:
    """The moments of all calendars and dates that rules ask for."""
    rules: tuple[Rule, ...] = (*policy.guards, *policy.overlays, *policy.routes)
    parts = (part for rule in rules for part in (*rule.when.require, *rule.when.exclude) if part.key == "calendar")
    names = dict.fromkeys(str(name) for part in parts for name in part.values)
    edges = (edge_ms for rule in rules for edge_ms in in_force_ms(policy, rule) if edge_ms is not None)
    return Moments((policy.clock(name) for name in names), edges)


def build_dimensions(policy: Policy, layout: Layout, catalogue: Catalogue | None = None) -> dict[str, Dimension]:
    """Every fact's dimension with the conditions of all rows in it."""
    catalogue = catalogue or Catalogue(policy)
    rules = [row.rule for row in layout.rows]
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
    levels = frozenset[str]().union(*map(unit_levels, rules))
    cells = frozenset(asked.get("grid", ()))
    dimensions = {
        "category": Dimension(width, _category_terms, extra=catalogue.of, in_decisions=True),
        "path": Dimension(width, tuple, extra=places_of(policy, levels, cells), in_decisions=bool(levels)),
        "severity": Dimension(width, numbers["severity"].terms, extra=lambda value: value, in_decisions=True),
        "confidence": Dimension(width, numbers["confidence"].terms, memo_key=numbers["confidence"].key),
        "reporters": Dimension(width, numbers["reporters"].terms, memo_key=numbers["reporters"].key),
        "tags": Dimension(width, tuple, extra=lambda tags: tuple(sorted(mentioned.intersection(tags)))),
        "whistle": Dimension(width, whistle_terms),
        "keywords": Dimension(width, tuple),
        "attributes": attributes,
        "standard": Dimension(
            width,
            lambda value: (value,),
            extra=catalogue.standard,
            in_decisions=bool(catalogue.standards) and standards_matter(policy, rules),
        ),
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


def build_categories(layout: Layout) -> Dimension:
    """The categories alone, with the conditions of all rows on them."""
    dimension = Dimension(len(layout.rows), _category_terms)
    for index, row in enumerate(layout.rows):
        for part in row.require:
            if part.key == "category":
                dimension.require(index, part.values)
        for part in row.rule.when.exclude:
            if part.key == "category":
                dimension.exclude(index, part.values)
    return dimension


def _category_terms(code: str | None) -> Iterable[str]:
    return ancestors(code) if code else ()
