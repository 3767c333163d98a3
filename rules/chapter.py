"""The rules that are left once the category is known, ready to select from: a few dozen of thousands.

Most rules name categories. Those left for one of them read fewer facts and tell them apart less, so that decisions
repeat more often, and their masks are a machine word or two.
"""

from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import Any

from rules.decision import Decision, Selection, Surroundings, WonBy
from rules.dimensions import Time, attributes_of, build_dimensions, sign_of
from rules.facts import Facts
from rules.index import Learning, Room
from rules.layout import Layout, bits
from rules.model_rules import Overlay
from rules.moments import Moments
from rules.outputs import Catalogue, Catalogued, standards_matter, unit_levels
from rules.policy import Policy

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
"""The facts, in the order of an atoms tuple."""

STANDING = ("severity", "mode", "source", "platform", "whistle", "reporters", "place", "standard", "request_kind")
"""Facts with few values stand for themselves in a key: to look a class up costs more than the classes would save."""

Key = tuple[Any, ...]
"""What a chapter reads of some facts: classes of those with many values, then those that stand for themselves."""


Chosen = tuple[int, WonBy, int, str | None, tuple[tuple[str, str], ...], int]
"""The rows selected (a guard; or overlays and at most one route), by what the route won, and what of the facts these
make use of: severity, filing standard, units of the place, class of the category (0 where the chapter has but one)."""


class Chapter:
    """Some rules of a policy. `reads` names the facts that decisions by them depend on, in the order of a key.

    Args:
        policy: whose rules they are.
        layout: the rules.
        catalogue: of the policy.
        moments: of the whole policy.
        room: for what is remembered of facts.
        catalogued: what all categories of the chapter have in common; None when they are told apart here.
    """

    def __init__(
        self,
        policy: Policy,
        layout: Layout,
        catalogue: Catalogue,
        moments: Moments,
        room: Room,
        catalogued: Catalogued | None = None,
    ) -> None:
        self.layout = layout
        self.dimensions = build_dimensions(policy, layout, catalogue)
        self._moments, self._catalogued = moments, catalogued
        read = [name for name in ATOMS if self._is_read(name)]
        self.reads = *(name for name in read if name not in STANDING), *(name for name in read if name in STANDING)
        self.reads_time = "time" in self.reads
        self._tables = {name: Learning(self._work_out(name), room) for name in self.reads}
        self.key = self._written_key()
        self.decisions: dict[Key, Decision] = {}
        self.outcomes: dict[Chosen, Decision] = {}

        at = {name: number for number, name in enumerate(self.reads)}
        self._category_at, self._path_at, self._standard_at = (
            at.get(name) for name in ("category", "path", "standard")
        )
        self._severity_at, self._tags_at = at["severity"], at.get("tags")
        self._by_severity = self._tables["severity"]
        self._plain = tuple(
            (self._tables[name] if name in STANDING else self.dimensions[name].masks, at[name])
            for name in self.reads
            if name not in {"severity", "tags"} and self.dimensions[name].is_used
        )
        self._rivals: dict[int, tuple[int, int]] = {}
        self._with_tags: dict[tuple[int, int], int] = {}
        self._mark_rows(policy)

    def _is_read(self, name: str) -> bool:
        if self._catalogued is not None:
            if name == "category":
                return False
            if name == "standard" and not self._catalogued[1]:
                return self.dimensions[name].is_used
        return self.dimensions[name].is_read

    def _work_out(self, name: str) -> Callable[[Any], int]:
        """How to find the mask of a fact that stands for itself, or the class of another."""
        dimension = self.dimensions[name]
        if name in STANDING:
            return dimension.mask_for
        if isinstance(dimension, Time):
            return lambda moment: dimension.classify_at(self._moments.instants[moment])
        if name == "attributes":
            return lambda sign: dimension.classify(attributes_of(sign))
        return dimension.classify

    def _written_key(self) -> Callable[[Facts, int], Key]:
        """Return the function that makes a key of facts and their moment.

        It is written out, `lambda facts, moment: (path[facts.path], time[moment], facts.severity)`, because a loop over
        the same look-ups takes two to three times as long.
        """
        values = {"time": "moment", "attributes": "sign_of(facts.attributes)"}
        parts = [f"{name}[{values.get(name, f'facts.{name}')}]" for name in self.reads if name not in STANDING]
        parts += [f"facts.{name}" for name in self.reads if name in STANDING]
        names: dict[str, object] = {"sign_of": sign_of, **self._tables}
        key: Callable[[Facts, int], Key] = eval(_compiled(", ".join(parts)), names)  # noqa: S307 - names of ATOMS only
        return key

    def _mark_rows(self, policy: Policy) -> None:
        """Note which rows raise the severity, to what; which add tags; into whose decisions other facts enter."""
        raising: dict[int, int] = {}
        self._at_level: dict[str, int] = {}  # rows that look for units of a level
        self._tagging = self._read_standards = self._read_units = 0
        for number, row in enumerate(self.layout.rows):
            rule, bit = row.rule, 1 << number
            if isinstance(rule, Overlay):
                if rule.severity:
                    raising[rule.severity.raise_to] = raising.get(rule.severity.raise_to, 0) | bit
                if rule.tags:
                    self._tagging |= bit
            for level in unit_levels(rule):
                self._at_level[level] = self._at_level.get(level, 0) | bit
                self._read_units |= bit
            if standards_matter(policy, [rule]):
                self._read_standards |= bit
        self._falls_on_standards = standards_matter(policy, ())
        self._raising = sorted(raising.items())

    def forget(self) -> None:
        """Forget every class and decision; keys and atoms taken before mean nothing afterwards."""
        for dimension in self.dimensions.values():
            dimension.forget()
        for table in self._tables.values():
            table.clear()
        self.forget_decisions()

    def forget_decisions(self, *, outcomes: bool = True) -> None:
        """Forget what was decided; without `outcomes`, not the decisions made."""
        self.decisions.clear()
        if outcomes:
            self.outcomes.clear()
            self._with_tags.clear()

    def key_of(self, atoms: dict[str, int]) -> Key:
        """Return the key of facts of these classes, by their names."""
        return tuple(
            self.dimensions[name].examples[atoms[name]] if name in STANDING else atoms[name] for name in self.reads
        )

    def choose(self, key: Key) -> Chosen:
        """Return the rows that hold for facts with this key."""
        layout = self.layout
        base = -1
        for table, at in self._plain:
            base &= table[key[at]]
        severity: int = key[self._severity_at]
        by_severity, by_tags = self._by_severity[severity], -1
        if self._tags_at is not None:
            tags_class: int = key[self._tags_at]
            by_tags = self.dimensions["tags"].masks[tags_class]
        guards = base & layout.guards & by_severity & by_tags
        if guards:
            return self._chosen(guards & -guards, "guard", key)
        overlays = base & layout.severity
        if overlays:
            for level, rows in self._raising:
                if overlays & rows:
                    by_severity = self._by_severity[min(level, severity)]
                    break
        overlays |= base & layout.tags & by_severity
        if overlays & self._tagging and self._tags_at is not None:
            by_tags = self._tags_with(tags_class, overlays & self._tagging)
        rest = base & by_severity & by_tags
        overlays |= rest & layout.rest
        routes = rest & layout.routes
        if not routes:
            return self._chosen(overlays, "fallback", key)
        winner, won_by = self._winner(routes, key)
        return self._chosen(overlays | 1 << winner, won_by, key)

    def _chosen(self, rows: int, won_by: WonBy, key: Key) -> Chosen:
        standard, units = None, ()
        if self._standard_at is not None and (self._falls_on_standards or rows & self._read_standards):
            standard = self.dimensions["standard"].extra_of(key[self._standard_at])
        if rows & self._read_units and self._path_at is not None:
            units = self.dimensions["path"].extras[key[self._path_at]][0]
        category = 0 if self._category_at is None else key[self._category_at]
        return rows, won_by, key[self._severity_at], standard, units, category

    def selection(self, chosen: Chosen) -> tuple[Selection, Surroundings]:
        """Return what a decision is assembled from, and of the facts no more than it makes use of.

        What a decision does not depend on must not tell decisions apart: each is shared by all incidents decided alike.
        """
        rows, won_by, severity, standard, units, category = chosen
        layout = self.layout
        guard, route = rows & layout.guards, rows & layout.routes
        selection = Selection(
            layout.guard(guard.bit_length() - 1) if guard else None,
            layout.overlays(rows),
            layout.route(route.bit_length() - 1) if route else None,
            won_by,
        )
        categorised, standards = self._catalogued or self.dimensions["category"].extras[category]
        if not (self._falls_on_standards or rows & self._read_standards):
            standards = ()
        if all(each.code != standard for each in standards):
            standard = None
        units = tuple([unit for unit in units if rows & self._at_level[unit[0]]])
        return selection, Surroundings(severity, categorised, standards, standard, units)

    def _winner(self, routes: int, key: Key) -> tuple[int, WonBy]:
        """Find the row that wins, and by what."""
        index = (routes & -routes).bit_length() - 1
        row = self.layout.rows[index]
        if row.cells:
            candidates = routes & self.layout.same_cells[row.priority, row.category_depth]
            index, equal = self._deepest(candidates, key)
            if equal & ~self.layout.same_rule[self.layout.rows[index].rule.id]:
                return index, "order"
        rivals = self._rivals.get(index)
        if rivals is None:
            rivals = self._rivals[index] = self.layout.rivals(index)
        if routes & rivals[0]:
            return index, "order"
        return index, "specificity" if routes & rivals[1] else "priority"

    def _deepest(self, candidates: int, key: Key) -> tuple[int, int]:
        """Among rows alike but for their cells: the best one, and the mask of those as good as it."""
        levels: tuple[tuple[int, str], ...] = self.dimensions["path"].extras[key[self._path_at or 0]][1][::-1]
        best: tuple[int, int] | None = None
        winner, equal = 0, 0
        for index in bits(candidates):
            row = self.layout.rows[index]
            rank = next(level for level, cell in levels if cell in row.cells), row.keys
            if best is None or rank > best:
                best, winner, equal = rank, index, 1 << index
            elif rank == best:
                equal |= 1 << index
                winner = min(winner, index, key=lambda at: self.layout.rows[at].order)
        return winner, equal

    def _tags_with(self, tags_class: int, overlays: int) -> int:
        """Return the mask of the tags once those of the overlays are added."""
        known = self._with_tags.get((tags_class, overlays))
        if known is None:
            tags = self.dimensions["tags"]
            added = [tag for overlay in self.layout.overlays(overlays) for tag in overlay.tags]
            known = self._with_tags[tags_class, overlays] = tags.mask_of((*tags.extras[tags_class], *added))
        return known


@lru_cache(maxsize=1024)
def _compiled(parts: str) -> CodeType:
    """Chapters that read the same facts share the code of their keys; to compile one takes as long as 30 decisions."""
    return compile(f"lambda facts, moment: ({parts},)", "<key of a chapter>", "eval")
