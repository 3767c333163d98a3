"""The whole lint: every check of the table, in one pass over a policy."""

from collections.abc import Collection, Iterator, Sequence

import msgspec

from rules.lint.calendar_dates import coverages, expiries
from rules.lint.climbs import ladder_findings
from rules.lint.contest import Contest
from rules.lint.deadlines import deadline_findings
from rules.lint.dues import Dues
from rules.lint.findings import Check, Finding, described, finding, listed
from rules.lint.holding import level_findings
from rules.lint.holes import Hole, holes
from rules.lint.places import Path, named_cells
from rules.lint.reach import STEPS, Fate, Useless, useless_rules
from rules.lint.ties import Tie, ties
from rules.policy import Policy

_CHECKS = {
    Fate.SHADOWED: Check.SHADOWED,
    Fate.COVERED: Check.COVERED,
    Fate.OVERLAYS: Check.CHANGED,
    Fate.IMPOSSIBLE: Check.IMPOSSIBLE,
    Fate.UNEXPLAINED: Check.UNEXPLAINED,
}


class Lint(msgspec.Struct, frozen=True, gc=False):
    """Findings by file and line, and the table of what the fallback serves by category and level-1 cell."""

    findings: tuple[Finding, ...]
    holes: tuple[Hole, ...]


def lint(
    policy: Policy,
    at_ms: int,
    *,
    paths: Sequence[Path] | None = None,
    covered: Collection[str] | None = None,
    steps: int = STEPS,
) -> Lint:
    """Judge a policy as of a day.

    `at_ms`: dates are judged as of the policy's local day of this instant; what was before is not looked at.
    `paths`: every cell of the grid with the cells around it, root first; without them cells lie in each other as their
    codes do. `covered`: ids of the rules that tests show at work; None = tests are not judged. `steps`: how long to
    think about one rule, in clauses looked at; beyond it the rule is W109, undecided.
    """
    contest = Contest(policy, at_ms, paths)
    expired = {found.rules[0] for found in expiries(policy, at_ms) if found.check is Check.EXPIRED}
    rules = [rule for rule in (*policy.guards, *policy.routes, *policy.overlays) if rule.id not in expired]
    useless = useless_rules(contest, rules, steps)
    dead = expired.union(found.rule for found in useless if found.fate is not Fate.UNDECIDED)
    tied = ties(contest, dead, steps)
    table = holes(contest, steps)
    dues = Dues(policy, at_ms)
    found = [
        *(_useless(policy, each) for each in useless),
        *(_tie(policy, each) for each in tied),
        *_holes(contest, table),
        *deadline_findings(contest, dues),
        *ladder_findings(contest, dues),
        *level_findings(contest),
        *expiries(policy, at_ms),
        *coverages(policy, at_ms),
        *_unknown_cells(policy, paths),
        *_untested(policy, covered),
    ]
    return Lint(tuple(sorted(found, key=_position)), tuple(table))


def _position(found: Finding) -> tuple[str, int, int, str]:
    place = found.place
    return (place.file, place.line, place.column, found.number) if place else ("", 0, 0, found.number)


def _useless(policy: Policy, useless: Useless) -> Finding:
    place = policy.place("rule", useless.rule)
    if useless.fate is Fate.UNDECIDED:
        return finding(Check.UNDECIDED, place, rules=[useless.rule], name=useless.rule)
    return finding(
        _CHECKS[useless.fate],
        place,
        rules=[useless.rule, *useless.by],
        rule=useless.rule,
        by=listed(useless.by),
    )


def _tie(policy: Policy, tie: Tie) -> Finding:
    place = policy.place("rule", tie.loser)
    both = [tie.loser, tie.winner]
    if tie.example is None:
        return finding(Check.UNDECIDED, place, rules=both, name=f"{tie.loser}, {tie.winner}")
    example = described(policy, tie.example)
    return finding(Check.TIE, place, rules=both, example=tie.example, rule=tie.loser, by=tie.winner, said=example)


def _holes(contest: Contest, table: Sequence[Hole]) -> Iterator[Finding]:
    """Categories with the same holes in the same areas are told together."""
    policy = contest.policy
    by_category: dict[tuple[str, bool, bool], list[Hole]] = {}
    for hole in table:
        by_category.setdefault((hole.category, hole.always, hole.example is None), []).append(hole)
    groups: dict[tuple[bool, bool, tuple[str, ...]], list[list[Hole]]] = {}
    for (_, always, undecided), row in by_category.items():
        groups.setdefault((always, undecided, tuple(hole.area for hole in row)), []).append(row)
    areas = {area for spot in contest.spots for area in spot.leaves}
    for (always, undecided, where), rows in groups.items():
        first = rows[0][0]
        place = policy.place("category", first.category)
        categories = listed(row[0].category for row in rows)
        if undecided:
            yield finding(Check.UNDECIDED, place, name=f"{categories} / {listed(where)}")
            continue
        assert first.example is not None  # noqa: S101
        yield finding(
            Check.ONLY_FALLBACK if always else Check.SOME_FALLBACK,
            place,
            example=first.example,
            categories=categories,
            areas=f"{len(where)}/{len(areas)}: {listed(where)}",
            said=described(policy, first.example),
        )


def _unknown_cells(policy: Policy, paths: Sequence[Path] | None) -> Iterator[Finding]:
    if paths is None:
        return
    known = {path[-1] for path in paths if path}
    unknown = set(named_cells(policy)) - known
    for rule in (*policy.guards, *policy.routes, *policy.overlays):
        parts = [part for part in (*rule.when.require, *rule.when.exclude) if part.key == "grid"]
        cells = sorted({str(value) for part in parts for value in part.values} & unknown)
        if cells:
            place = policy.place("rule", rule.id)
            yield finding(Check.UNKNOWN_CELL, place, rules=[rule.id], rule=rule.id, cells=listed(cells))


def _untested(policy: Policy, covered: Collection[str] | None) -> Iterator[Finding]:
    for rule in (*policy.guards, *policy.routes, *policy.overlays) if covered is not None else ():
        if covered is not None and rule.id not in covered:
            yield finding(Check.UNTESTED, policy.place("rule", rule.id), rules=[rule.id], rule=rule.id)
