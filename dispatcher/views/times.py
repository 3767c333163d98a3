"""Whose time it was: from its opening to its end an incident is always in somebody's hands.

The centre's while it is received, verified, filed, given back or asked to be reopened; its lead's while it is
dispatched or handled; the check's; nobody's while it is on hold, or while it lay ended before it was reopened
(`resting`). A return that was refused gives no time back: what passed until then is the lead's. The parts of an
incident sum exactly to its end less its opening, or, while it is open, to the instant less its opening.
"""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from dispatcher.views.cohort import Cohort, Grouping
from dispatcher.views.projection import Projection
from dispatcher.views.terms import seen, values

__all__ = ["HandsTime", "Span", "WhoseTime", "in_hands", "time_of", "whose_time"]


class Span(NamedTuple):
    """One piece of an incident's time: `whose` is centre, lead, check, hold or resting; `party` the lead's."""

    since_ms: int
    until_ms: int
    whose: str
    party: str | None


class WhoseTime(NamedTuple):
    """The time of the cases of one group, in ms; the parts sum to `total_ms`."""

    code: str | None
    cases: int
    centre_ms: int
    lead_ms: int
    check_ms: int
    hold_ms: int
    resting_ms: int

    @property
    def total_ms(self) -> int:
        """From opening to end, of all of them together."""
        return self.centre_ms + self.lead_ms + self.check_ms + self.hold_ms + self.resting_ms


class HandsTime(NamedTuple):
    """What passed in the hands of one department as lead, whoever leads now, and in how many cases."""

    department: str
    cases: int
    ms: int


_SPANS = """, member AS MATERIALIZED (
  SELECT {column} AS value, incident_id, coalesce(end_ms, :as_of) AS stop_ms FROM seen WHERE is_member {only}
), span AS (
  SELECT s.*, lead(s.at_ms) OVER w AS next_ms, lead(s.mark) OVER w AS next_mark FROM spell AS s
  WHERE s.at_ms <= :as_of AND s.incident_id IN (SELECT incident_id FROM member)
  WINDOW w AS (PARTITION BY s.incident_id ORDER BY s.revision)
), piece AS (
  SELECT value, incident_id, revision, at_ms, max(at_ms, min(coalesce(next_ms, stop_ms), stop_ms)) AS until_ms,
    CASE WHEN state IN ('dispatched', 'handling') OR (state = 'returned' AND next_mark = 'refused') THEN 'lead'
      WHEN state = 'on_hold' THEN 'hold' WHEN state = 'checking' THEN 'check'
      WHEN state IN ('received', 'verifying', 'filed', 'returned', 'reopen_requested') THEN 'centre'
      ELSE 'resting' END AS whose
  FROM span JOIN member USING (incident_id)
)
"""


def whose_time(view: Projection, cohort: Cohort, grouping: Grouping = Grouping()) -> list[WhoseTime]:  # noqa: B008
    """The time of the cohort's cases by group, sorted by code; one line without a grouping."""
    rows = view.db.execute(
        f"{_pieces(cohort, grouping.column)} SELECT value, count(DISTINCT incident_id), "  # noqa: S608
        + ", ".join(f"sum((until_ms - at_ms) * (whose = '{whose}'))" for whose in _WHOSE)
        + " FROM piece GROUP BY 1",
        values(cohort),
    )
    sums: dict[str | None, list[int]] = {}
    for value, *numbers in rows:
        group = sums.setdefault(grouping.code(value), [0] * (1 + len(_WHOSE)))
        for n, number in enumerate(numbers):
            group[n] += number
    return [WhoseTime(code, *sums[code]) for code in sorted(sums, key=lambda code: (code is not None, code or ""))]


_SHARED = "EXISTS (SELECT 1 FROM lead_turn AS t WHERE t.incident_id = seen.incident_id)"
_WHOSE = ("centre", "lead", "check", "hold", "resting")


def in_hands(view: Projection, cohort: Cohort) -> list[HandsTime]:
    """What each department had in its own hands of the cohort's cases, sorted by department.

    A case that changed hands counts with each department that led it.
    """
    single = view.db.execute(
        f"{_pieces(cohort, 'department', f'AND NOT {_SHARED}')}"  # noqa: S608
        " SELECT value, count(DISTINCT incident_id), sum(until_ms - at_ms) FROM piece WHERE whose = 'lead' GROUP BY 1",
        values(cohort),
    )
    hands = {department: [cases, ms] for department, cases, ms in single}
    shared = view.db.execute(
        f"{_pieces(cohort, 'department', f'AND {_SHARED}')}"  # noqa: S608
        " SELECT incident_id, at_ms, until_ms, whose FROM piece WHERE whose = 'lead' ORDER BY 1, revision",
        values(cohort),
    )
    pieces: dict[str, list[Span]] = {}
    for incident_id, at_ms, until_ms, whose in shared:
        pieces.setdefault(incident_id, []).append(Span(at_ms, until_ms, whose, None))
    for incident_id, spans in pieces.items():
        led = set()
        for span in _by_turn(view, incident_id, spans, cohort.as_of_ms):
            department = (span.party or "").partition("@")[0]
            hands.setdefault(department, [0, 0])[1] += span.until_ms - span.since_ms
            led.add(department)
        for department in led:
            hands[department][0] += 1
    return [HandsTime(department, *hands[department]) for department in sorted(hands)]


def time_of(view: Projection, incident_id: str, as_of_ms: int) -> list[Span]:
    """The time of one incident, piece by piece, as known at an instant; empty for one that was not there yet."""
    cohort = Cohort(as_of_ms)
    rows = view.db.execute(
        f"{_pieces(cohort, 'party', 'AND incident_id = :one', 'AND i.incident_id = :one')}"  # noqa: S608
        " SELECT at_ms, until_ms, whose, value FROM piece WHERE until_ms > at_ms ORDER BY revision",
        values(cohort) | {"one": incident_id},
    )
    spans = [Span(at_ms, until_ms, whose, value if whose == "lead" else None) for at_ms, until_ms, whose, value in rows]
    return list(_by_turn(view, incident_id, spans, as_of_ms))


def _pieces(cohort: Cohort, column: str, only: str = "", narrow: str = "") -> str:
    """The common tables up to `piece`: one row a spell of a member of the cohort."""
    return seen(cohort, narrow) + _SPANS.replace("{column}", column).replace("{only}", only)


def _by_turn(view: Projection, incident_id: str, spans: Iterable[Span], as_of_ms: int) -> Iterable[Span]:
    """The spans of a lead cut where the lead changed."""
    turns = view.db.execute(
        "SELECT offered_ms, party FROM lead_turn WHERE incident_id = ? AND offered_ms <= ? ORDER BY n",
        (incident_id, as_of_ms),
    ).fetchall()
    offered = [offered_ms for offered_ms, _ in turns]
    for span in spans:
        if span.whose != "lead" or not turns:
            yield span
            continue
        edges = [span.since_ms, *sorted({ms for ms in offered if span.since_ms < ms < span.until_ms}), span.until_ms]
        for since_ms, until_ms in pairwise(edges):
            yield Span(since_ms, until_ms, "lead", turns[max(bisect_right(offered, since_ms) - 1, 0)][1])
