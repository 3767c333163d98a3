"""Which cases two policies decide differently: by category and area, with the severities, modes and sources it is for.

Only meetings of a category and an area at which some rule counts otherwise are looked at; there every combination of
facts that the rules left can tell apart is decided under both policies (of a category that only one of them has, those
its routes tell apart). An area is a cell that some rule names, less
those inside it that have a line of their own; all others are one; so is having no place at all.
"""

from collections.abc import Iterator, Sequence
from itertools import islice, product
from math import prod
from typing import Any, NamedTuple

import msgspec

from rules.changes import Change, changes
from rules.decide import Decider, compile_policy
from rules.decision import Decision
from rules.dimensions import build_dimensions
from rules.facts import Facts
from rules.layout import Layout, bits
from rules.lint.places import ANY, Path, filled, guessed_paths, named_cells
from rules.local_facts import Choice, LocalFacts, on_platform
from rules.model_rules import Route, Rule
from rules.policy import Policy

MOST = 20_000
"""Combinations of facts looked at for one rule in one category and area; where there are more, that is said."""

ELSEWHERE, NOWHERE = "elsewhere", "-"
"""The areas of what lies in no cell that a rule names, and of what has no place."""


class DiffRow(msgspec.Struct, frozen=True, gc=False):
    """One difference. `severities`, `modes`, `sources` are those it is for; empty = whichever.

    `area` is a cell, "elsewhere" for all that no rule names, or "-" for no place. Leads and supports are named as
    rules name them, the same lead with the level that holds the case where only that differs ("police (level city)");
    a guard that ends evaluation is told by its outcome.
    """

    category: str | None
    area: str
    severities: tuple[int, ...]
    modes: tuple[str, ...]
    sources: tuple[str, ...]
    lead: tuple[str, str]
    support_removed: tuple[str, ...]
    support_added: tuple[str, ...]
    sla: tuple[str, str]
    example: Facts


class Diff(msgspec.Struct, frozen=True, gc=False):
    """What is defined otherwise, what is decided otherwise, and where (category, area) not everything was looked at.

    `areas` are all that were told apart.
    """

    changes: tuple[Change, ...]
    rows: tuple[DiffRow, ...]
    areas: tuple[str, ...]
    incomplete: tuple[tuple[str | None, str], ...]


_FAR_REACHING = ("fallback", "modes", "grid_levels", "timezone")
"""What of `policy.yaml` may change any decision."""

Difference = tuple[tuple[str, str], tuple[str, ...], tuple[str, ...], tuple[str, str]]


def diff_policies(
    before: Policy, after: Policy, at_ms: int, *, paths: Sequence[Path] | None = None, most: int = MOST
) -> Diff:
    """Compare two policies from the day of `at_ms` on.

    `paths`: every cell of the grid with the cells around it, root first; without them cells lie in each other as their
    codes do.
    """
    found = changes(before, after)
    compared = _Comparison(before, after, found, LocalFacts(before, after, at_ms), most)
    rows: list[DiffRow] = []
    incomplete: list[tuple[str | None, str]] = []
    areas = _areas(before, after, paths)
    if found:
        for category in (*dict.fromkeys([*before.categories, *after.categories]), None):
            for path in areas:
                complete, more = compared.at(category, path)
                rows += more
                if not complete:
                    incomplete.append((category, _area(path)))
    return Diff(found, tuple(rows), tuple(map(_area, areas)), tuple(incomplete))


def _areas(before: Policy, after: Policy, paths: Sequence[Path] | None) -> list[Path]:
    """Paths from the root to the last cell that is named; () elsewhere, ("",) for no place."""
    named = {*named_cells(before), *named_cells(after)}
    if paths is None:
        paths = guessed_paths(named, ())
    lasts = [max((level for level, cell in enumerate(path, 1) if cell in named), default=0) for path in paths]
    return [*sorted({(), *(path[:last] for path, last in zip(paths, lasts, strict=True))}), ("",)]


def _area(path: Path) -> str:
    return (path[-1] or NOWHERE) if path else ELSEWHERE


class _Side:
    """One of the two policies: its rows and its decisions."""

    def __init__(self, policy: Policy, counting: set[str]) -> None:
        self.policy = policy
        self.decider: Decider = compile_policy(policy)
        self.layout = Layout(policy)
        self.dimensions = build_dimensions(policy, self.layout)
        self._said: dict[int, tuple[Decision, _Said]] = {}
        self.counting = sum(1 << at for at, row in enumerate(self.layout.rows) if row.rule.id in counting)

    def path(self, path: Path) -> Path:
        return () if path == ("",) else filled(path, self.policy.grid_levels)

    def rule(self, row: int) -> Rule:
        return self.layout.rows[row].rule

    def meeting(self, category: str | None, path: Path) -> tuple[int, list[Rule]]:
        """Return the mask of the rows at a meeting, and their rules."""
        code = category if category in self.policy.categories else None
        rows = self.dimensions["category"].mask_for(code) & self.dimensions["path"].mask_for(self.path(path))
        return rows, list({self.rule(at).id: self.rule(at) for at in bits(rows)}.values())

    def decide(self, facts: Facts, path: Path) -> "_Said":
        """Decide in words; each decision is put into words once."""
        category = facts.category if facts.category in self.policy.categories else None
        placed = msgspec.structs.replace(facts, category=category, path=self.path(path))
        decision = self.decider.decide(on_platform(self.policy, placed))
        said = self._said.get(id(decision))
        if said is None:
            # the decision is kept, so that its id stays its own
            said = self._said[id(decision)] = decision, _said(self.policy, decision)
        return said[1]


class _Comparison:
    def __init__(self, before: Policy, after: Policy, found: Sequence[Change], facts: LocalFacts, most: int) -> None:
        self.facts = facts
        self.most = most
        elsewhere = _moved_departments(before, after)
        self.sides = [_Side(policy, set(_counting(policy, found, elsewhere))) for policy in (before, after)]
        self.everything = not elsewhere.isdisjoint((before.fallback.lead, after.fallback.lead)) or any(
            change.kind == "policy" and change.name in _FAR_REACHING for change in found
        )

    def at(self, category: str | None, path: Path) -> tuple[bool, list[DiffRow]]:
        """Return the differences at a meeting, and whether everything was looked at."""
        masks, rules = zip(*(side.meeting(category, path) for side in self.sides), strict=True)
        is_recast = self.everything or self.is_recast(category)
        starts: dict[tuple[int, str], Rule | None] = {}
        for side, mask in zip(self.sides, masks, strict=True):
            starts |= {(at, side.policy.sha256): side.rule(at) for at in bits(mask & side.counting)}
        if self.is_one_sided(category):
            rules = tuple([rule for rule in each if isinstance(rule, Route)] for each in rules)
        complete = True
        found: dict[Difference, list[tuple[Choice, ...]]] = {}
        for start in [None] if is_recast else starts.values():
            choices = self.facts.choices(rules, start, self.standards(category))
            complete = complete and prod(map(len, choices)) <= self.most
            for chosen in islice(product(*choices), self.most):
                differs = self.difference(self.facts.facts(category, chosen), path)
                if differs is not None:
                    found.setdefault(differs, []).append(chosen)
        return complete, [self.row(category, path, differs, cases) for differs, cases in found.items()]

    def difference(self, facts: Facts, path: Path) -> Difference | None:
        old, new = (side.decide(facts, path) for side in self.sides)
        return _difference(old, new)

    def standards(self, category: str | None) -> set[str]:
        """Return the filing standards of a category, in whichever policy."""
        known = [side.policy.category(category) for side in self.sides]
        return {standard.code for each in known if each for standard in each.standards}

    def is_one_sided(self, category: str | None) -> bool:
        """Whether only one of the policies has a category: then only its routes tell cases apart.

        Beside a fallback that knows nothing of it everything differs, in as many ways as overlays can be combined.
        """
        one, other = (side.policy.category(category) for side in self.sides)
        return (one is None) != (other is None)

    def is_recast(self, category: str | None) -> bool:
        """Whether a category has come or gone, or has other filing standards."""
        one, other = (side.policy.category(category) for side in self.sides)
        return one is not other and (one is None or other is None or one.standards != other.standards)

    def row(self, category: str | None, path: Path, differs: Difference, cases: Sequence[Sequence[Choice]]) -> DiffRow:
        lead, removed, added, sla = differs
        return DiffRow(
            category=category,
            area=_area(path),
            severities=tuple(sorted(self.only("severity", cases))),
            modes=self.only("mode", cases),
            sources=tuple(code for code, _ in self.only("source", cases)),
            lead=lead,
            support_removed=removed,
            support_added=added,
            sla=sla,
            example=msgspec.structs.replace(self.facts.facts(category, cases[0]), path=self.sides[1].path(path)),
        )

    def only(self, key: str, cases: Sequence[Sequence[Choice]]) -> tuple[Any, ...]:
        """Return the values of a key in these cases; none when it is whichever."""
        found: dict[object, None] = {}
        for chosen in cases:
            like = [choice.like for choice in chosen if choice.key == (key, None)]
            if not like:
                return ()
            found |= dict.fromkeys(like[0])
        return () if len(found) == len(self.facts.everything(key)) else tuple(found)


class _Said(NamedTuple):
    """A decision in words."""

    lead: str
    support: tuple[str, ...]
    sla: str
    targets: tuple[str, ...]
    level: str


def _said(policy: Policy, decision: Decision) -> _Said:
    ended = decision.outcome if decision.outcome in ("discard", "park") else None
    support = (
        _unit(plan.department, plan.unit)
        + (f" {plan.attend.text}" if plan.attend else "")
        + (" required" if plan.required else "")
        for plan in decision.support
    )
    targets = (
        f"{target.name} {budget.budget.text}{f' {budget.budget.calendar}' if budget.budget.calendar else ''}"
        for target in decision.targets
        for budget in target.budgets
    )
    lead = ended or _unit(decision.lead.department, decision.lead.unit)
    level = "" if ended else policy.level_name(decision.level)
    return _Said(lead, tuple(support), decision.sla, tuple(targets), level)


def _unit(department: str, unit: str | None) -> str:
    return department if unit is None else f"{department}@{unit.removeprefix(ANY)}"


def _difference(old: _Said, new: _Said) -> Difference | None:
    if old == new:
        return None
    removed = tuple(sorted(set(old.support) - set(new.support)))
    added = tuple(sorted(set(new.support) - set(old.support)))
    moves = old.lead == new.lead and old.level != new.level
    leads, slas = [], []
    for one, other in ((old, new), (new, old)):
        leads.append(f"{one.lead} (level {one.level})" if moves else one.lead)
        differing = [text for text in dict.fromkeys(one.targets) if text not in other.targets]
        slas.append(f"{one.sla} ({', '.join(differing)})" if differing else one.sla)
    is_other = leads[0] != leads[1] or removed or added or slas[0] != slas[1]
    return ((leads[0], leads[1]), removed, added, (slas[0], slas[1])) if is_other else None


def _moved_departments(before: Policy, after: Policy) -> set[str]:
    """Departments that work at another level than before."""
    both = before.departments.keys() & after.departments.keys()
    return {code for code in both if before.departments[code].level != after.departments[code].level}


def _counting(policy: Policy, found: Sequence[Change], elsewhere: set[str]) -> Iterator[str]:
    """Rules that count otherwise: changed themselves, or in the SLA, the calendars or the sources they name.

    `elsewhere` are departments that work at another level: it may be what says which level holds a case they lead.
    """
    changed: dict[str, set[str]] = {}
    for change in found:
        changed.setdefault(change.kind, set()).add(change.name)
    slas = changed.get("sla", set())
    keys = {"calendar": "calendar", "source": "source", "platform": "source"}
    for rule in (*policy.guards, *policy.overlays, *policy.routes):
        named = rule.id in changed.get("rule", ())
        if isinstance(rule, Route):
            named = named or rule.sla in slas or rule.lead.partition("@")[0] in elsewhere
        for part in (*rule.when.require, *rule.when.exclude):
            names = changed.get(keys.get(part.key, ""), set())
            named = named or bool(names if part.key == "platform" else names.intersection(map(str, part.values)))
        if named:
            yield rule.id
