"""Deciding fast: AND the masks of the facts, take the lowest bit, look the answer up.

Two caches, both of shared `Decision` objects: by the tuple of atoms (the classes of all facts), and behind it by what
was selected, so that different atoms with the same outcome share one object too. Hang anything derived from a decision
on the object itself (a dict keyed by the decision's id must keep the decision alive).
"""

from collections.abc import Callable, Hashable
from typing import Any

from rules.budgets import MINUTE_MS
from rules.decision import Decision, Selection, Surroundings, WonBy, assemble, raised
from rules.dimensions import build_dimensions
from rules.facts import Facts
from rules.index import Dimension
from rules.layout import Layout, bits
from rules.policy import Policy

MAX_DECISIONS = 65_536
"""Of each cache. A city's day needs a few thousand; a decision is about 1 KB."""
MAX_CLASSES = 65_536
"""Per fact. Hostile attributes could make one per report; beyond it all classes start anew (`generation`)."""

Atoms = tuple[int, ...]

ATOMS = (
    "category",
    "path",
    "severity",
    "mode",
    "source",
    "platform",
    "confidence",
    "tags",
    "whistle",
    "reporters",
    "place",
    "keywords",
    "attributes",
    "standard",
    "request_kind",
    "time",
)
"""The order of an atoms tuple."""


class Decider:
    """A policy compiled. `hits` and `misses` count the first cache, `generation` how often the classes started anew."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.hits = self.misses = self.generation = 0
        self.layout = Layout(policy)
        self.dimensions = build_dimensions(policy, self.layout)
        self._classes = tuple(self.dimensions[name] for name in ATOMS)
        self._plain = tuple(
            (dimension.masks, at)
            for at, dimension in enumerate(self._classes)
            if dimension.is_used and ATOMS[at] not in {"severity", "tags"}
        )
        self._rivals: dict[int, tuple[int, int]] = {}
        self._severity, self._tags = self.dimensions["severity"], self.dimensions["tags"]
        self._known = tuple(dimension.memo.get for dimension in self._classes)
        self._confidence, self._reporters, self._attributes = (
            _class_function(self.dimensions[name]) for name in ("confidence", "reporters", "attributes")
        )
        self._attribute_masks = self.dimensions["attributes"].masks
        self._by_atoms: dict[Atoms, Decision] = {}
        self._what_is_read: dict[tuple[int | None, int], tuple[bool, bool]] = {}
        self._by_outcome: dict[Hashable, Decision] = {}
        self._with_tags: dict[tuple[int, int], int] = {}

    def category_class(self, code: str | None) -> int:
        """Give the class of a category."""
        return self.dimensions["category"].class_of(code)

    def path_class(self, path: tuple[str, ...]) -> int:
        """Give the class of a path (root first)."""
        return self.dimensions["path"].class_of(path)

    def time_class(self, at_ms: int) -> int:
        """By the minute: calendars and dates change on minutes only."""
        return self.dimensions["time"].class_of(at_ms // MINUTE_MS)

    def atom(self, name: str, value: object) -> int:
        """Return the class of a fact's value, by its name in `ATOMS` (`time`: epoch ms). Valid for one `generation`."""
        if name == "time":
            return self.time_class(value)  # type: ignore[arg-type]
        return self.dimensions[name].class_of(value)

    def atoms(self, facts: Facts) -> Atoms:
        """Return the classes of all facts, in the order of `ATOMS`."""
        known = self._known
        atoms = (
            known[0](facts.category, -1),
            known[1](facts.path, -1),
            known[2](facts.severity, -1),
            known[3](facts.mode, -1),
            known[4](facts.source, -1),
            known[5](facts.platform, -1),
            self._confidence(facts.confidence),
            known[7](facts.tags, -1),
            known[8](facts.whistle, -1),
            self._reporters(facts.reporters),
            known[10](facts.place, -1),
            known[11](facts.keywords, -1),
            self._attributes(facts.attributes),
            known[13](facts.standard, -1),
            known[14](facts.request_kind, -1),
            known[15](facts.at_ms // MINUTE_MS, -1),
        )
        full = len(self._attribute_masks) > MAX_CLASSES  # attributes are as many as reports like
        return self._learned(facts) if full or -1 in atoms else atoms

    def _learned(self, facts: Facts) -> Atoms:
        """Return the atoms of facts with a value not met before."""
        if self.is_full:
            self.start_anew()
        values = [getattr(facts, name) for name in ATOMS[:-1]]
        return tuple(
            dimension.class_of(value)
            for dimension, value in zip(self._classes, (*values, facts.at_ms // MINUTE_MS), strict=True)
        )

    @property
    def is_full(self) -> bool:
        """Whether some fact has too many classes: a batch caller asks between batches and then starts anew."""
        return any(len(dimension.masks) > MAX_CLASSES for dimension in self._classes)

    def start_anew(self) -> None:
        """Forget every class and decision; atoms taken before mean nothing afterwards."""
        for dimension in self._classes:
            dimension.forget()
        self._by_atoms.clear()
        self._by_outcome.clear()
        self._with_tags.clear()
        self.generation += 1

    def decide(self, facts: Facts) -> Decision:
        """Return the decision for these facts. Never raises for facts of the right types."""
        return self.decide_atoms(self.atoms(facts))

    def decide_atoms(self, atoms: Atoms) -> Decision:
        """Return the decision for facts of these classes."""
        decision = self._by_atoms.get(atoms)
        if decision is not None:
            self.hits += 1
            return decision
        self.misses += 1
        decision = self._select(atoms)
        if len(self._by_atoms) >= MAX_DECISIONS:
            self._by_atoms.clear()
        self._by_atoms[atoms] = decision
        return decision

    def _select(self, atoms: Atoms) -> Decision:
        layout = self.layout
        base = -1
        for masks, at in self._plain:
            base &= masks[atoms[at]]
        severity_class, tags_class = atoms[2], atoms[7]
        by_severity, by_tags = self._severity.masks[severity_class], self._tags.masks[tags_class]
        guard = base & layout.guards & by_severity & by_tags
        if guard:
            return self._outcome(atoms, (guard & -guard).bit_length() - 1, 0, None, "guard")
        overlays = base & layout.severity
        if overlays:
            claimed: int = self._severity.extras[severity_class]
            worst, _ = raised(claimed, layout.overlays(overlays))
            by_severity = self._severity.masks[self._severity.class_of(worst)]
        overlays |= base & layout.tags & by_severity
        if overlays:
            by_tags = self._tags_with(tags_class, overlays)
        rest = base & by_severity & by_tags
        overlays |= rest & layout.rest
        routes = rest & layout.routes
        if not routes:
            return self._outcome(atoms, None, overlays, None, "fallback")
        return self._outcome(atoms, None, overlays, *self._winner(routes, atoms[1]))

    def _winner(self, routes: int, path_class: int) -> tuple[int, WonBy]:
        """Find the row that wins, and by what."""
        index = (routes & -routes).bit_length() - 1
        row = self.layout.rows[index]
        if row.cells:
            candidates = routes & self.layout.same_cells[row.priority, row.category_depth]
            index, equal = self._deepest(candidates, path_class)
            if equal & ~self.layout.same_rule[self.layout.rows[index].rule.id]:
                return index, "order"
        rivals = self._rivals.get(index)
        if rivals is None:
            rivals = self._rivals[index] = self.layout.rivals(index)
        if routes & rivals[0]:
            return index, "order"
        return index, "specificity" if routes & rivals[1] else "priority"

    def _deepest(self, candidates: int, path_class: int) -> tuple[int, int]:
        """Among rows alike but for their cells: the best one, and the mask of those as good as it."""
        levels: tuple[tuple[int, str], ...] = self.dimensions["path"].extras[path_class][1]
        best: tuple[int, int] | None = None
        winner, equal = 0, 0
        for index in bits(candidates):
            row = self.layout.rows[index]
            rank = max(level for level, cell in levels if cell in row.cells), row.keys
            if best is None or rank > best:
                best, winner, equal = rank, index, 1 << index
            elif rank == best:
                equal |= 1 << index
                winner = min(winner, index, key=lambda at: self.layout.rows[at].order)
        return winner, equal

    def _tags_with(self, tags_class: int, overlays: int) -> int:
        """Return the mask of the tags once those of the overlays are added."""
        key = tags_class, overlays
        mask = self._with_tags.get(key)
        if mask is None:
            added = [tag for overlay in self.layout.overlays(overlays) for tag in overlay.tags]
            mask = self._tags.mask_of((*self._tags.extras[tags_class], *added))
            if len(self._with_tags) >= MAX_DECISIONS:
                self._with_tags.clear()
            self._with_tags[key] = mask
        return mask

    def _reads(self, route: int | None, overlays: int) -> tuple[bool, bool]:
        """Whether a decision by these rules depends on the filing standard, and on the units of the place.

        What it does not depend on must not tell decisions apart: each is shared by all incidents decided alike.
        """
        known = self._what_is_read.get((route, overlays))
        if known is None:
            slas = [self.policy.fallback.sla]
            names = [support.dept for overlay in self.layout.overlays(overlays) for support in overlay.support]
            if route is not None:
                slas.append(self.layout.route(route).sla)
                names.append(self.layout.route(route).lead)
            if len(self._what_is_read) >= MAX_DECISIONS:
                self._what_is_read.clear()
            known = self._what_is_read[route, overlays] = (
                any(target.by_standard for sla in slas for target in self.policy.sla(sla).targets),
                any("@" in name for name in names),
            )
        return known

    def _outcome(self, atoms: Atoms, guard: int | None, overlays: int, route: int | None, won_by: WonBy) -> Decision:
        categorised, standards = self.dimensions["category"].extras[atoms[0]]
        units = self.dimensions["path"].extras[atoms[1]][0]
        severity = self._severity.extras[atoms[2]]
        standard = self.dimensions["standard"].extras[atoms[13]]
        rule = self.layout.rows[route].rule.id if route is not None else None
        around = Surroundings(severity, categorised, standards, standard, units)
        reads_standards, reads_units = self._reads(route, overlays)
        key = (
            guard, overlays, rule, won_by, categorised, severity,
            (standards, standard) if reads_standards else None, units if reads_units else None,
        )  # fmt: skip
        decision = self._by_outcome.get(key)
        if decision is None:
            selection = Selection(
                self.layout.guard(guard) if guard is not None else None,
                self.layout.overlays(overlays),
                self.layout.route(route) if route is not None else None,
                won_by,
            )
            decision = assemble(self.policy, selection, around)
            if len(self._by_outcome) >= MAX_DECISIONS:
                self._by_outcome.clear()
            self._by_outcome[key] = decision
        return decision


def _class_function(dimension: Dimension) -> Callable[[Any], int]:
    """Return how to class a fact that is not remembered by its value; one that no rule asks for is always class 0."""
    return dimension.class_of if dimension.is_used else lambda _: 0


def compile_policy(policy: Policy) -> Decider:
    """Return the policy ready to decide."""
    return Decider(policy)
