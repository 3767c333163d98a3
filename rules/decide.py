"""Deciding fast: find the chapter of the category, look the facts' classes up, look the decision up; or select it.

Two caches, both of shared `Decision` objects: each chapter's by its atoms (the classes of the facts it reads), and
behind it one by what was selected, so that different atoms with the same outcome share one object too. Hang anything
derived from a decision on the object itself (a dict keyed by the decision's id must keep the decision alive).
"""

import dataclasses
from collections.abc import Hashable
from functools import cached_property

import msgspec

from rules.budgets import MINUTE_MS
from rules.chapter import ATOMS, Chapter, Chosen, Key
from rules.decision import Decision, Selection, Surroundings, assemble, raised
from rules.dimensions import build_categories, build_moments
from rules.facts import Facts
from rules.index import Dimension, Learning, Room
from rules.layout import Layout
from rules.outputs import Catalogue, Catalogued
from rules.policy import Policy

__all__ = ["ATOMS", "MAX_CLASSES", "MAX_DECISIONS", "Atoms", "Decider", "compile_policy"]

Atoms = tuple[int, ...]

MAX_DECISIONS = 65_536
"""Remembered at a time; a city's day needs a few thousand. A decision is about 1 KB."""
MAX_VALUES = 4 * MAX_DECISIONS
"""Of facts, with what they mean to a chapter's rules: about 100 bytes each."""
MAX_CLASSES = 65_536
"""Per fact of all rules. Hostile attributes could make one per report."""
MAX_MASK_BYTES = 64 << 20
"""Of all chapters, if each of their rules named a term of its own. Where the category tells too little, as when
thousands of rules name none, the chapters beyond are one: that of all rules."""


class Decider:
    """A policy compiled. `hits` and `misses` count the first cache, `generation` how often the classes started anew."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.hits = self.misses = self.generation = 0
        self.layout = Layout(policy)
        self._moments = build_moments(policy)
        self._categories = build_categories(self.layout)
        self._catalogue = Catalogue(policy)
        self._room = Room(MAX_VALUES)
        self._chapters = Learning(self._chapter, self._room)
        self._by_rows: dict[tuple[int, Catalogued], Chapter] = {}
        self._mask_bytes = self._decided = 0
        self._by_atoms: dict[Atoms, Decision] = {}
        self._by_outcome: dict[Hashable, Decision] = {}
        self._alike: dict[Hashable, Decision] = {}

    @cached_property
    def _whole(self) -> Chapter:
        """The chapter of all rules: for atoms taken by hand, and for categories that are given no chapter."""
        return Chapter(self.policy, self.layout, self._catalogue, self._moments, self._room)

    @cached_property
    def _unguarded(self) -> "Decider":
        """For what a person has filed: no guard ends evaluation."""
        sections = msgspec.structs.replace(self.policy.document.sections, guards=())
        document = msgspec.structs.replace(self.policy.document, sections=sections)
        return Decider(dataclasses.replace(self.policy, document=document))

    @property
    def dimensions(self) -> dict[str, Dimension]:
        """Every fact with the conditions of all rules on it, by its name in `ATOMS`."""
        return self._whole.dimensions

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
        if self.is_full:
            self.start_anew()
        plain = [self.dimensions[name].class_of(getattr(facts, name)) for name in ATOMS[:-1]]
        return *plain, self.time_class(facts.at_ms)

    @property
    def is_full(self) -> bool:
        """Whether too much is remembered: a batch caller asks between batches and then starts anew."""
        by_hand = self._whole.dimensions.values() if "_whole" in self.__dict__ else ()
        return self._room.left <= 0 or any(len(dimension.masks) > MAX_CLASSES for dimension in by_hand)

    def start_anew(self) -> None:
        """Forget every class and decision; atoms taken before mean nothing afterwards."""
        self.forget_decisions()
        for chapter in self._made():
            chapter.forget()
        self._chapters.clear()
        self._room.clear()
        self.generation += 1

    def _made(self) -> list[Chapter]:
        return [*self._by_rows.values(), *([self._whole] if "_whole" in self.__dict__ else ())]

    def forget_decisions(self, *, outcomes: bool = True) -> None:
        """Forget what was decided, not what the values of facts mean; without `outcomes`, not the decisions made."""
        for chapter in self._made():
            chapter.forget_decisions(outcomes=outcomes)
        self._by_atoms.clear()
        if outcomes:
            self._by_outcome.clear()
            self._alike.clear()
        self._decided = 0

    def decide(self, facts: Facts) -> Decision:
        """Return the decision for these facts. Never raises for facts of the right types."""
        if facts.filed and self.policy.guards:
            return self._unguarded.decide(facts)
        chapter = self._chapters[facts.category]
        key = chapter.key(facts, self._moments.at(facts.at_ms) if chapter.reads_time else 0)
        decision = chapter.decisions.get(key)
        if decision is None:
            return self._decide(chapter, key, facts)
        self.hits += 1
        return decision

    def _decide(self, chapter: Chapter, key: Key, facts: Facts) -> Decision:
        if self._decided >= MAX_DECISIONS:
            self.forget_decisions()
        if self._room.left <= 0:
            self.start_anew()
            chapter = self._chapters[facts.category]
            key = chapter.key(facts, self._moments.at(facts.at_ms) if chapter.reads_time else 0)
        self._decided += 1
        self.misses += 1
        decision = chapter.decisions[key] = self._chosen(chapter, chapter.choose(key))
        return decision

    def decide_atoms(self, atoms: Atoms) -> Decision:
        """Return the decision for facts of these classes."""
        decision = self._by_atoms.get(atoms)
        if decision is not None:
            self.hits += 1
            return decision
        self.misses += 1
        if len(self._by_atoms) >= MAX_DECISIONS:
            self._by_atoms.clear()
        key = self._whole.key_of(dict(zip(ATOMS, atoms, strict=True)))
        decision = self._by_atoms[atoms] = self._chosen(self._whole, self._whole.choose(key))
        return decision

    def _chapter(self, category: str | None) -> Chapter:
        """Return the chapter of a category not met before."""
        rows, catalogued = self._categories.mask_for(category), self._catalogue.of(category)
        chapter = self._by_rows.get((rows, catalogued))
        if chapter is not None:
            return chapter
        mask_bytes = rows.bit_count() ** 2 // 8
        if self._mask_bytes + mask_bytes > MAX_MASK_BYTES:
            return self._whole
        self._mask_bytes += mask_bytes
        layout = self.layout.within(rows)
        chapter = Chapter(self.policy, layout, self._catalogue, self._moments, self._room, catalogued)
        self._by_rows[rows, catalogued] = chapter
        return chapter

    def _chosen(self, chapter: Chapter, chosen: Chosen) -> Decision:
        """Return the decision by the rows chosen; the same object for the same rules, whatever chapter they are in."""
        known = chapter.outcomes.get(chosen)
        if known is None:
            known = self._outcome(*chapter.selection(chosen))
            if len(chapter.outcomes) >= MAX_DECISIONS:
                chapter.outcomes.clear()
            chapter.outcomes[chosen] = known
        return known

    def _outcome(self, selection: Selection, around: Surroundings) -> Decision:
        guard, overlays, route, won_by = selection.guard, selection.overlays, selection.route, selection.won_by
        rules = guard and guard.id, tuple([overlay.id for overlay in overlays]), route and route.id, won_by
        alike = rules, around.categorised, around.standards, around.standard, around.units
        decision = self._by_outcome.get((alike, around.severity))
        if decision is not None:
            return decision
        if len(self._by_outcome) >= MAX_DECISIONS:
            self._by_outcome.clear()
            self._alike.clear()
        decision = self._alike.get(alike)
        if decision is None:
            decision = self._alike[alike] = assemble(self.policy, selection, around)
        elif decision.severity_from != around.severity:  # nothing else of a decision depends on it
            severity, by = raised(around.severity, overlays)
            changes = {"severity": severity, "severity_from": around.severity, "severity_by": by}
            decision = msgspec.structs.replace(decision, **changes)
        self._by_outcome[alike, around.severity] = decision
        return decision


def compile_policy(policy: Policy) -> Decider:
    """Return the policy ready to decide."""
    return Decider(policy)
