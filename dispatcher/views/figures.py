# ruff: noqa: S608 - the statements are our own words; values are bound
"""What a monitoring system asks of the projection: open incidents by light, the terms of closure, targets by outcome.

Every rate is left to whoever asks: both of its terms are here, by department and area, so that they can be added up.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from dispatcher.core import datetime_to_ms
from dispatcher.views.cohort import Basis, Cohort
from dispatcher.views.projection import Projection
from dispatcher.views.terms import CASE_TERMS, seen, values

__all__ = [
    "BASIS_TERMS",
    "LIGHTS",
    "OUTCOMES",
    "PERIODS",
    "ClosureTerm",
    "Figures",
    "OpenCount",
    "TargetCount",
    "figures",
    "periods",
]

Period = Literal["today", "this_month", "last_month"]
PERIODS: Final[tuple[Period, ...]] = get_args(Period)
LIGHTS: Final = ("green", "amber", "red", "none")
OUTCOMES: Final = ("in_time", "late", "overdue", "running", "revoked")
# What closing is judged by on each basis (docs/measures.md has the words): no more, since each is a series for every
# department, area and period.
BASIS_TERMS: Final[dict[Basis, tuple[str, ...]]] = {
    "received": ("received", "received_closed"),
    "filed": ("filed", "closed", "done", "done_in_time", "open", "overdue_pending"),
    "due": ("need_close", "need_close_closed", "closed_in_time", "done_in_time", "overdue_pending"),
}
_AREA = "CASE WHEN path = '/' THEN '' ELSE substr(path, 2, instr(substr(path, 2), '/') - 1) END"  # "/area/…/cell/"


def _of_target(name: str) -> str:
    return f"json_extract(t.value, '$.{name}')"


_RESOLVE = f"""
  SELECT max(coalesce({_of_target("warned")}, 0)) FROM json_each(CAST(r.value AS TEXT), '$.targets') AS t
  WHERE {_of_target("name")} = 'resolve' AND {_of_target("of")} = i.party AND {_of_target("revoked_at")} IS NULL
"""
_OPEN = f"""
SELECT coalesce(lead, ''), state, CASE
    WHEN due_ms IS NULL OR done_ms IS NOT NULL THEN 'none'
    WHEN breached_ms IS NOT NULL THEN 'red'
    WHEN held THEN 'none'
    WHEN ({_RESOLVE}) > 0 THEN 'amber'
    ELSE 'green' END AS light, count(*)
FROM incident AS i JOIN record AS r USING (incident_id) WHERE queue_rank IS NOT NULL GROUP BY 1, 2, 3
"""
_TARGETS = f"""
SELECT {_of_target("name")}, CASE
    WHEN {_of_target("revoked_at")} IS NOT NULL THEN 'revoked'
    WHEN {_of_target("fulfilled_at")} IS NOT NULL
      THEN CASE WHEN {_of_target("breached_at")} IS NULL THEN 'in_time' ELSE 'late' END
    WHEN {_of_target("breached_at")} IS NOT NULL THEN 'overdue'
    ELSE 'running' END, {_of_target("of")}, coalesce(i.area, ''), count(*)
FROM incident AS i JOIN record AS r USING (incident_id), json_each(CAST(r.value AS TEXT), '$.targets') AS t
WHERE i.filed_ms >= :from AND i.filed_ms < :to AND i.state <> 'merged' GROUP BY 1, 2, 3, 4
"""


class OpenCount(NamedTuple):
    """Open incidents of a lead ("": none) in a state, by the light of its own deadline."""

    department: str
    state: str
    light: str
    incidents: int


class ClosureTerm(NamedTuple):
    """One term of the closure rates, of the cases of a lead in an area of level 1 ("": none)."""

    term: str
    basis: Basis
    department: str
    area: str
    period: Period
    incidents: int


class TargetCount(NamedTuple):
    """Targets of a department, of incidents filed in a period, by how they stand."""

    target: str
    outcome: str
    department: str
    area: str
    period: Period
    targets: int


class Figures(NamedTuple):
    """All of them, of one moment of the projection."""

    as_of_ms: int
    open: list[OpenCount]
    closure: list[ClosureTerm]
    targets: list[TargetCount]


def periods(now_ms: int, zone: ZoneInfo) -> dict[Period, tuple[int, int]]:
    """The days and months that are told, as [from, to) in epoch milliseconds, in the policy's zone."""
    now = datetime.fromtimestamp(now_ms // 1_000, UTC).astimezone(zone)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    this_month = today.replace(day=1)
    edges = {
        "today": (today, today + timedelta(days=1)),
        "this_month": (this_month, (this_month + timedelta(days=32)).replace(day=1)),
        "last_month": ((this_month - timedelta(days=1)).replace(day=1), this_month),
    }
    instants = {name: tuple(datetime_to_ms(day.replace(tzinfo=zone)) for day in edges[name]) for name in PERIODS}
    return {name: (begin, end) for name, (begin, end) in instants.items()}


def figures(view: Projection, now_ms: int, zone: ZoneInfo) -> Figures:
    """Everything as it is known, by the periods of a calendar that says it is `now_ms`.

    What is known is as of the latest record applied, as in `/v1/measures`; only what a period is, the clock says.
    """
    as_of_ms = view.latest_ms
    closure: list[ClosureTerm] = []
    targets: list[TargetCount] = []
    for period, (from_ms, to_ms) in periods(now_ms, zone).items():
        for basis in BASIS_TERMS:
            closure += _closure(view, Cohort(as_of_ms, basis, from_ms, to_ms), period)
        targets += _targets(view, period, from_ms, to_ms)
    return Figures(as_of_ms, [OpenCount(*row) for row in view.db.execute(_OPEN)], closure, targets)


def _closure(view: Projection, cohort: Cohort, period: Period) -> list[ClosureTerm]:
    names = BASIS_TERMS[cohort.basis]
    sums = ", ".join(f"sum({CASE_TERMS[name]})" for name in names)
    statement = (
        f"{seen(cohort)} SELECT coalesce(department, ''), {_AREA}, {sums} FROM seen WHERE is_member OR is_received"
        " GROUP BY 1, 2"
    )
    return [
        ClosureTerm(name, cohort.basis, department, area, period, count)
        for department, area, *counts in view.db.execute(statement, values(cohort))
        if any(counts)
        for name, count in zip(names, counts, strict=True)
    ]


def _targets(view: Projection, period: Period, from_ms: int, to_ms: int) -> list[TargetCount]:
    found: dict[tuple[str, str, str, str], int] = {}
    for target, outcome, party, area, count in view.db.execute(_TARGETS, {"from": from_ms, "to": to_ms}):
        key = target, outcome, str(party or "").partition("@")[0], area  # units are told with their department
        found[key] = found.get(key, 0) + count
    return [
        TargetCount(target, outcome, department, area, period, count)
        for (target, outcome, department, area), count in found.items()
    ]
