"""Cases that came back: the same category at the same place or asset, within so many days of closing."""

from typing import NamedTuple

from dispatcher.views.cohort import Cohort
from dispatcher.views.projection import Projection
from dispatcher.views.terms import AGAIN, CASE_TERMS, seen, values

__all__ = ["CameBack", "came_back"]


# The first at its place, the first at its asset: each by its index. One condition with OR reads all of a category.
_FIRST = (
    f"(SELECT y.incident_id FROM incident AS y WHERE y.category = seen.category AND {{where}} AND {AGAIN}"  # noqa: S608
    " ORDER BY y.filed_ms, y.incident_id LIMIT 1)"
)


class CameBack(NamedTuple):
    """A closed case and the first one after it that says it was not settled."""

    incident_id: str
    closed_ms: int
    again_id: str
    filed_ms: int
    department: str | None
    category: str
    cell: str | None
    asset: str | None


def came_back(view: Projection, cohort: Cohort) -> list[CameBack]:
    """The cases behind the term `came_back`, in the order of their closing."""
    rows = view.db.execute(
        f"{seen(cohort)}, back AS MATERIALIZED (SELECT seen.*, {_FIRST.format(where='y.cell = seen.cell')} AS at_cell,"  # noqa: S608
        f" {_FIRST.format(where='y.asset = seen.asset')} AS at_asset FROM seen WHERE {CASE_TERMS['came_back']})"
        " SELECT back.incident_id, back.end_ms, y.incident_id, y.filed_ms, back.department, back.category, back.cell,"
        " back.asset FROM back JOIN incident AS y ON y.incident_id IN (at_cell, at_asset)"
        " ORDER BY back.end_ms, back.incident_id, y.filed_ms, y.incident_id",
        values(cohort),
    )
    first: dict[str, CameBack] = {}
    for row in rows:
        first.setdefault(row[0], CameBack(*row))
    return list(first.values())
