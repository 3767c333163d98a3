"""Measures: cohorts as of a stated instant, every rate with both of its terms.

A rate is a fold over cases, worked out from their instants: what happened after `as_of_ms` has not happened, so a
case closed later counts as open, and a department that took over later has not taken over. Nothing is counted in the
engine. docs/measures.md has every term with its formula; `terms` has them as SQL.

**Cohorts.** `received`: the cases opened in [from, to). `filed`: those filed (立案, which is also their dispatch) in
it. `due`: those whose deadline fell in it; the deadline of a case is that of its lead's `resolve`. A case that has no
such instant belongs to the period of the instant before it: without a deadline, of its filing; not filed, of its
opening.

**Groups.** A case is in one group, by its lead as of the instant, its place, category or source; a term about one
department's part (attendance) is in that department's group. So every total is the sum over the groups.
"""

from collections.abc import Iterable, Mapping

from dispatcher.views.cohort import Cohort, Group, Grouping, Measures, Rate
from dispatcher.views.projection import Projection
from dispatcher.views.terms import CASE_TERMS, PART_TERMS, RATES, TERMS, exempted, seen, values

__all__ = ["group_of", "incidents_behind", "measure"]

_ATTENDANCE = "FROM seen JOIN attendance AS a USING (incident_id) WHERE seen.attendances > 0 AND is_member AND counts"
_CALLED = "AND i.attendances > 0"
# What leaves a case out is its lead's; whoever a whistle called has a promise of their own, and reasons of their own.
_ADJUSTED_PART = (
    f" AND NOT {exempted('a')}"  # noqa: S608 - our own words
    " AND NOT EXISTS (SELECT 1 FROM outage WHERE told_ms <= :as_of AND a.due_ms BETWEEN since_ms AND until_ms)"
)

Sums = dict[str | None, dict[str, int]]


def group_of(code: str | None, terms: Mapping[str, int]) -> Group:
    """A line with its rates."""
    return Group(code, terms, {name: Rate(terms[over], terms[under]) for name, (over, under) in RATES.items()})


def measure(view: Projection, cohort: Cohort, grouping: Grouping = Grouping()) -> Measures:  # noqa: B008 - frozen
    """All terms of a cohort, by group and in total."""
    sums: Sums = {}
    column = grouping.column
    cases = ", ".join(f"sum({term})" for term in CASE_TERMS.values())
    statement = f"{seen(cohort)} SELECT {column}, {cases} FROM seen WHERE is_member OR is_received GROUP BY 1"  # noqa: S608
    _add(sums, grouping, tuple(CASE_TERMS), view.db.execute(statement, values(cohort)))
    parts = ", ".join(f"coalesce(sum({term}), 0)" for term in PART_TERMS.values())
    whole = cohort._replace(adjusted=False)
    statement = f"{seen(whole, _CALLED)} SELECT {_part_column(grouping)}, {parts} {_attendance(cohort)} GROUP BY 1"
    _add(sums, grouping, tuple(PART_TERMS), view.db.execute(statement, values(cohort)))
    groups = [group_of(code, sums[code]) for code in sorted(sums, key=lambda code: (code is not None, code or ""))]
    total = group_of(None, {name: sum(group.terms[name] for group in groups) for name in TERMS})
    return Measures(cohort, grouping, [] if grouping.by is None else groups, total)


def incidents_behind(
    view: Projection,
    term: str,
    cohort: Cohort,
    grouping: Grouping = Grouping(),  # noqa: B008 - frozen
    code: str | None = None,
) -> list[str]:
    """The ids of the incidents behind a term of `measure`, of one group when `grouping` names one.

    Raises:
        KeyError: no such term.
    """
    whole = cohort
    if term in PART_TERMS:
        whole = cohort._replace(adjusted=False)
        found = f"SELECT DISTINCT incident_id, {_part_column(grouping)} {_attendance(cohort)} AND {PART_TERMS[term]}"
    else:
        found = f"SELECT incident_id, {grouping.column} FROM seen WHERE ({CASE_TERMS[term]}) > 0"  # noqa: S608
    rows = view.db.execute(f"{seen(whole)} {found} ORDER BY 1", values(cohort))
    return [incident_id for incident_id, value in rows if grouping.by is None or grouping.code(value) == code]


def _attendance(cohort: Cohort) -> str:
    return _ATTENDANCE + (_ADJUSTED_PART if cohort.adjusted else "")


def _part_column(grouping: Grouping) -> str:
    return f"a.{grouping.by}" if grouping.by in ("department", "party") else grouping.column


def _add(sums: Sums, grouping: Grouping, names: tuple[str, ...], rows: Iterable[tuple[str | int | None, ...]]) -> None:
    for value, *counts in rows:
        group = sums.setdefault(grouping.code(value), dict.fromkeys(TERMS, 0))  # type: ignore[arg-type]
        for name, count in zip(names, counts, strict=True):
            group[name] += int(count or 0)
