"""Cases that came back: the same category at the same place or asset, within so many days of closing."""

from typing import NamedTuple

from dispatcher.views.cohort import Cohort
from dispatcher.views.projection import Projection
from dispatcher.views.terms import AGAIN, CASE_TERMS, seen, values

__all__ = ["CameBack", "came_back"]


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
        f"{seen(cohort)}, back AS (SELECT * FROM seen WHERE {CASE_TERMS['came_back']})"  # noqa: S608
        " SELECT seen.incident_id, seen.end_ms, y.incident_id, y.filed_ms, seen.department, seen.category, seen.cell,"
        " seen.asset FROM back AS seen JOIN incident AS y"
        f" ON y.category = seen.category AND (y.cell = seen.cell OR y.asset = seen.asset) AND {AGAIN}"
        " ORDER BY seen.end_ms, seen.incident_id, y.filed_ms, y.incident_id",
        values(cohort),
    )
    first: dict[str, CameBack] = {}
    for row in rows:
        first.setdefault(row[0], CameBack(*row))
    return list(first.values())
