"""Flows, and stocks at midnight: counts of periods and of instants, never divided by one another."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from dispatcher.views.cohort import Cohort
from dispatcher.views.projection import Projection
from dispatcher.views.terms import CASE_TERMS, seen, values

__all__ = ["FLOWS", "Flow", "Promises", "Stock", "behind_flow", "flows", "promises", "stocks"]

_FLOWS = {  # what is counted -> its instant, and of which incidents
    "opened": ("opened_ms", "1"),
    "filed": ("filed_ms", "filed_ms IS NOT NULL"),
    "closed": ("ended_ms", "outcome = 'closed'"),
    "ended_otherwise": ("ended_ms", "outcome <> 'closed'"),
}
FLOWS = tuple(_FLOWS)


class Flow(NamedTuple):
    """What came and went in [from_ms, to_ms): counts, never divided by another day's stock."""

    from_ms: int
    to_ms: int
    opened: int
    filed: int
    closed: int
    ended_otherwise: int


class Stock(NamedTuple):
    """What stood open at one instant, whenever it was filed."""

    at_ms: int
    open: int
    overdue_pending: int
    held_now: int


class Promises(NamedTuple):
    """Closed cases whose source had promised a date, and how many of them were done by then."""

    with_due_and_close: int
    on_time: int


def flows(view: Projection, edges_ms: Sequence[int]) -> list[Flow]:
    """Counts in the periods between consecutive edges (n + 1 rising instants make n periods, say local midnights).

    A case that was reopened counts where it ended last.

    Raises:
        ValueError: the edges do not rise.
    """
    if any(after <= before for before, after in pairwise(edges_ms)):
        raise ValueError("the edges of periods must rise")
    counts = [
        _in_periods(edges_ms, view.db.execute(f"SELECT {column} FROM incident WHERE {condition}"))  # noqa: S608
        for column, condition in _FLOWS.values()
    ]
    return [Flow(*period, *count) for period, *count in zip(pairwise(edges_ms), *counts, strict=True)]


def behind_flow(view: Projection, what: str, from_ms: int, to_ms: int) -> list[str]:
    """The ids of the incidents that one of `FLOWS` counts in [from_ms, to_ms). Raises KeyError: there is none such."""
    column, condition = _FLOWS[what]
    rows = view.db.execute(
        f"SELECT incident_id FROM incident WHERE {condition} AND {column} >= ? AND {column} < ? ORDER BY 1",  # noqa: S608
        (from_ms, to_ms),
    )
    return [incident_id for (incident_id,) in rows]


def stocks(view: Projection, instants_ms: Sequence[int]) -> list[Stock]:
    """The terms `open`, `overdue_pending` and `held_now` over all cases, as of each instant (local midnights, say).

    Worked out from the rows and their history, not from counters that were kept: the same as `measure` of all cases.
    Only what was open then is looked at.
    """
    narrow = "AND (i.ended_ms IS NULL OR i.ended_ms > :as_of OR i.reopened > 0 OR i.updated_ms > i.ended_ms)"
    sums = ", ".join(f"coalesce(sum({CASE_TERMS[name]}), 0)" for name in Stock._fields[1:])
    found = []
    for at_ms in instants_ms:
        cohort = Cohort(at_ms)
        row = view.db.execute(f"{seen(cohort, narrow)} SELECT {sums} FROM seen", values(cohort)).fetchone()  # noqa: S608
        found.append(Stock(at_ms, *row))
    return found


def promises(view: Projection) -> Promises:
    """Of the cases with both a date promised by the source and a close, how many were done by that date.

    As everywhere, judged on the `done` that was approved; a replayed close is done and checked at one instant.
    """
    row = view.db.execute(
        "SELECT count(*), coalesce(sum(coalesce(done_ms, ended_ms) <= promised_ms), 0) FROM incident"
        " WHERE promised_ms IS NOT NULL AND state = 'closed'"
    ).fetchone()
    return Promises(*row)


def _in_periods(edges_ms: Sequence[int], instants: Iterable[tuple[int]]) -> list[int]:
    counts = [0] * (len(edges_ms) + 1)
    for (instant_ms,) in instants:
        counts[bisect_right(edges_ms, instant_ms)] += 1
    return counts[1:-1]
