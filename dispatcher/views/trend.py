"""A closure rate day by day: the days of a cohort's period, whose terms add up to the terms of the whole."""

from collections.abc import Sequence
from itertools import pairwise

from dispatcher.views.cohort import Cohort, Rate
from dispatcher.views.projection import Projection
from dispatcher.views.terms import CASE_TERMS, RATES, anchor, seen, values

__all__ = ["trend"]


def trend(view: Projection, cohort: Cohort, edges_ms: Sequence[int]) -> list[Rate]:
    """The closure rate of the cohort's basis for the cases of each period between consecutive edges.

    Args:
        view: the projection.
        cohort: which cases; the edges lie in its period and rise (local midnights, say).
        edges_ms: n + 1 of them make n periods.
    """
    numerator, denominator = RATES[f"closure_{cohort.basis}"]
    spans = ", ".join(f"({n}, {from_ms}, {to_ms})" for n, (from_ms, to_ms) in enumerate(pairwise(edges_ms)))
    found = [Rate(0, 0)] * (len(edges_ms) - 1)
    if not found:
        return found
    rows = view.db.execute(
        f"{seen(cohort)}, day (n, from_ms, to_ms) AS (VALUES {spans})"  # noqa: S608 - numbers of our own
        f" SELECT n, sum({CASE_TERMS[numerator]}), sum({CASE_TERMS[denominator]}) FROM seen JOIN day"
        f" ON {anchor(cohort)} >= from_ms AND {anchor(cohort)} < to_ms GROUP BY n",
        values(cohort),
    )
    for n, over, under in rows:
        found[n] = Rate(over, under)
    return found
