"""Measures: cohorts as of a stated instant, every rate with both of its terms.

A rate is a fold over cases, worked out from their instants: what happened after `as_of_ms` has not happened, so a
case closed later counts as open, and a department that took over later has not taken over. Nothing is counted in the
engine.

**Cohorts.** `filed`: the cases filed (立案, which is also their dispatch) in [from, to). `due`: the cases whose
deadline fell in [from, to). The deadline of a case is that of its lead's `resolve`. A case that has no such instant
belongs to the period of the instant before it: without a deadline, of its filing; not filed, of its opening. The basis
`received` has a cohort of its own: the incidents opened in [from, to).

**Terms.** An instant counts with all that happened at it. A case is *done* when its lead's `done` stands, *closed* when
the check has passed, *late* when its deadline has come and it was neither done nor ended by then. In time is thus
judged on the `done` that was finally approved, and the check's own time is not charged. What has no deadline is in no
term about time; `no_deadline` says how many there are.

**Left out.** Cases that ended otherwise (`EXCLUDED`) are published beside and are in no numerator. They stay in `filed`
and `received`; in `need_close` only if they were late when they ended, so that voiding an overdue case improves no
figure. A case merged into another is counted there alone and is in no denominator either.

**Known limits.** What the instants of a case's newest record cannot say is as it stands now, whatever `as_of_ms` is:
its category and area (after a reclassification), its deadline, extensions and holds granted, and whether its clock
stands still. (A clock that stood still in the past has moved the deadline, which is all that lateness needs.) A case
reopened counts as never ended. Returns, reworks and changes of the lead are as of the instant; of a `done` that was
taken back later only its time in the check is known.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from dispatcher.core import NEVER_MS
from dispatcher.views.projection import Projection
from dispatcher.views.rows import OUTCOMES

__all__ = [
    "EXCLUDED",
    "RATES",
    "TERMS",
    "Cohort",
    "Flow",
    "Group",
    "GroupBy",
    "Measures",
    "Promises",
    "Rate",
    "flows",
    "incidents_behind",
    "measure",
    "promises",
]

EXCLUDED = tuple(outcome for outcome in OUTCOMES if outcome != "closed")

Basis = Literal["filed", "due"]
GroupBy = Literal["department", "area", "category", "major", "source"]


class Cohort(NamedTuple):
    """Which cases, and as of when (`Projection.latest_ms` for now). Epoch milliseconds; without bounds, all cases."""

    as_of_ms: int
    basis: Basis = "filed"
    from_ms: int = 0
    to_ms: int = NEVER_MS


class Rate(NamedTuple):
    """A rate with both terms; without a sample (a denominator of 0) there is no value, neither 0 % nor 100 %."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """The quotient, 0..1."""
        return self.numerator / self.denominator if self.denominator else None


class Group(NamedTuple):
    """One line: the terms of a department, area, category or source. `code` is None where a case has none."""

    code: str | None
    terms: Mapping[str, int]

    @property
    def rates(self) -> dict[str, Rate]:
        """Every rate of `RATES`."""
        return {name: Rate(self.terms[over], self.terms[under]) for name, (over, under) in RATES.items()}


class Measures(NamedTuple):
    """The lines, sorted by code, and their total."""

    cohort: Cohort
    by: GroupBy | None
    groups: list[Group]
    total: Group


class Flow(NamedTuple):
    """What came and went in [from_ms, to_ms): counts, never divided by another day's stock."""

    from_ms: int
    to_ms: int
    opened: int
    filed: int
    closed: int
    ended_otherwise: int


class Promises(NamedTuple):
    """Closed cases whose source had promised a date, and how many of them were done by then."""

    with_due_and_close: int
    on_time: int


# A case as of :as_of. `standing` is how it had ended by then, or 'open'.
_SEEN = """
WITH turned AS (
  SELECT *, CASE
      WHEN leads > 1 THEN (SELECT max(n) FROM lead_turn AS t
                           WHERE t.incident_id = incident.incident_id AND t.offered_ms <= :as_of)
    END AS turn,
    CASE WHEN ended_ms <= :as_of THEN outcome ELSE 'open' END AS standing
  FROM incident WHERE opened_ms <= :as_of
), known AS (
  SELECT incident_id, opened_ms, area, category, major, source, extensions, holds, held, standing,
    coalesce(filed_ms <= :as_of, 0) AS is_filed,
    CASE WHEN filed_ms <= :as_of THEN due_ms END AS due_ms,
    CASE WHEN filed_ms <= :as_of THEN filed_ms END AS filed_ms,
    CASE WHEN turn IS NOT NULL
      THEN (SELECT department FROM lead_turn AS t WHERE t.incident_id = turned.incident_id AND t.n = turn)
      WHEN filed_ms <= :as_of THEN lead END AS department,
    CASE WHEN turn > 0
      THEN (SELECT count(DISTINCT party) FROM lead_turn AS t
            WHERE t.incident_id = turned.incident_id AND t.n IN (0, turn)) = 1
      ELSE 1 END AS lead_kept,
    coalesce(done_ms <= :as_of, 0) OR (reworks > 0 AND EXISTS (
      SELECT 1 FROM setback AS s WHERE s.incident_id = turned.incident_id
      AND s.what = 'rework' AND s.done_ms <= :as_of AND :as_of < s.at_ms)) AS is_done,
    coalesce(breached_ms <= :as_of, 0) OR (NOT held AND coalesce(
      due_ms <= :as_of AND due_ms < min(coalesce(ended_ms, :never), coalesce(done_ms, :never)), 0)) AS is_late,
    CASE WHEN reworks > 0 THEN (SELECT count(*) FROM setback AS s WHERE s.incident_id = turned.incident_id
      AND s.what = 'rework' AND s.at_ms <= :as_of) ELSE 0 END AS reworked,
    CASE WHEN returns > 0 THEN (SELECT count(*) FROM setback AS s WHERE s.incident_id = turned.incident_id
      AND s.what = 'return' AND s.at_ms <= :as_of) ELSE 0 END AS returned
  FROM turned
), seen AS (
  SELECT *,
    opened_ms >= :from AND opened_ms < :to AND standing <> 'merged' AS is_received,
    coalesce({anchor}) >= :from AND coalesce({anchor}) < :to AS is_member,
    is_filed AND standing <> 'merged' AS counts,
    standing IN ('open', 'closed') AS is_regular,
    due_ms IS NOT NULL AND ((standing IN ('open', 'closed') AND is_done) OR is_late) AS needs_close
  FROM known
)
"""
_ANCHORS: dict[Basis, str] = {"filed": "filed_ms, opened_ms", "due": "due_ms, filed_ms, opened_ms"}

# Each term as a sum over cases. All but the received ones are over the members of the cohort.
_CASE = "is_member AND counts AND "
_TERMS = {
    "received": "is_received",
    "received_closed": "is_received AND standing = 'closed'",
    "unfiled": "is_member AND NOT is_filed AND standing = 'open'",
    "filed": "is_member AND counts",
    "open": _CASE + "standing = 'open'",
    "closed": _CASE + "standing = 'closed'",
    "need_close": _CASE + "needs_close",
    "need_close_closed": _CASE + "needs_close AND standing = 'closed'",
    "closed_in_time": _CASE + "needs_close AND standing = 'closed' AND NOT is_late",
    "done": _CASE + "is_regular AND is_done",
    "done_in_time": _CASE + "is_regular AND is_done AND due_ms IS NOT NULL AND NOT is_late",
    "overdue_pending": _CASE + "standing = 'open' AND is_late AND NOT is_done",
    "held_now": _CASE + "standing = 'open' AND held",
    "no_deadline": _CASE + "due_ms IS NULL",
    "first_lead_kept": _CASE + "is_regular AND lead_kept",
    "rework": "(is_member AND counts) * reworked",
    "returned": "(is_member AND counts) * returned",
    "extended": "(is_member AND counts) * extensions",
    "held": "(is_member AND counts) * holds",
    **{outcome: f"is_member AND standing = '{outcome}'" for outcome in EXCLUDED},
    "excluded_late": "is_member AND counts AND NOT is_regular AND is_late",
}
TERMS = tuple(_TERMS)

# name -> its numerator and its denominator
RATES = {
    "closure_due": ("need_close_closed", "need_close"),
    "closure_filed": ("closed", "filed"),
    "closure_received": ("received_closed", "received"),
    "on_time_closure": ("closed_in_time", "need_close"),
    "on_time_handling": ("done_in_time", "filed"),
    "dispatch_accuracy": ("first_lead_kept", "filed"),
}


def measure(view: Projection, cohort: Cohort, by: GroupBy | None = None) -> Measures:
    """All terms of a cohort, by group and in total.

    A case is in exactly one group, so every term of the total is the sum over the groups.
    """
    group = "NULL" if by is None else by
    sums = ", ".join(f"sum({term})" for term in _TERMS.values())
    rows = view.db.execute(
        f"{_seen(cohort)} SELECT {group}, {sums} FROM seen WHERE is_member OR is_received GROUP BY 1 ORDER BY 1",  # noqa: S608
        _values(cohort),
    )
    groups = [Group(row[0], dict(zip(TERMS, row[1:], strict=True))) for row in rows]
    total = Group(None, {name: sum(group.terms[name] for group in groups) for name in TERMS})
    return Measures(cohort, by, [] if by is None else groups, total)


def incidents_behind(
    view: Projection, term: str, cohort: Cohort, by: GroupBy | None = None, code: str | None = None
) -> list[str]:
    """The ids of the incidents behind a term of `measure`, of one group when `by` names a grouping.

    Raises:
        KeyError: no such term.
    """
    group = "" if by is None else f"AND {by} IS :code"
    rows = view.db.execute(
        f"{_seen(cohort)} SELECT incident_id FROM seen WHERE ({_TERMS[term]}) > 0 {group} ORDER BY 1",  # noqa: S608
        _values(cohort) | {"code": code},
    )
    return [incident_id for (incident_id,) in rows]


def flows(view: Projection, edges_ms: Sequence[int]) -> list[Flow]:
    """Counts in the periods between consecutive edges (n + 1 rising instants make n periods, say local midnights).

    Raises:
        ValueError: the edges do not rise.
    """
    if any(after <= before for before, after in pairwise(edges_ms)):
        raise ValueError("the edges of periods must rise")
    counts = [
        _in_periods(edges_ms, view.db.execute(f"SELECT {column} FROM incident WHERE {condition}"))  # noqa: S608
        for column, condition in (
            ("opened_ms", "1"),
            ("filed_ms", "filed_ms IS NOT NULL"),
            ("ended_ms", "outcome = 'closed'"),
            ("ended_ms", "outcome <> 'closed'"),
        )
    ]
    return [Flow(*period, *count) for period, *count in zip(pairwise(edges_ms), *counts, strict=True)]


def promises(view: Projection) -> Promises:
    """Of the cases with both a date promised by the source and a close, how many were done by that date.

    As everywhere, judged on the `done` that was approved; a replayed close is done and checked at one instant.
    """
    row = view.db.execute(
        "SELECT count(*), coalesce(sum(coalesce(done_ms, ended_ms) <= promised_ms), 0) FROM incident"
        " WHERE promised_ms IS NOT NULL AND state = 'closed'"
    ).fetchone()
    return Promises(*row)


def _seen(cohort: Cohort) -> str:
    return _SEEN.replace("{anchor}", _ANCHORS[cohort.basis])


def _values(cohort: Cohort) -> dict[str, Any]:
    return {"as_of": cohort.as_of_ms, "from": cohort.from_ms, "to": cohort.to_ms, "never": NEVER_MS}


def _in_periods(edges_ms: Sequence[int], instants: Iterable[tuple[int]]) -> list[int]:
    counts = [0] * (len(edges_ms) + 1)
    for (instant_ms,) in instants:
        counts[bisect_right(edges_ms, instant_ms)] += 1
    return counts[1:-1]
