"""What the page of measures shows, read at one moment: the figures, their days, boards, and the lists beside them."""

from collections.abc import Callable
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from dispatcher.console.chosen import Chosen
from dispatcher.console.names import Names
from dispatcher.core import NEVER_MS
from dispatcher.views import (
    Boards,
    CameBack,
    Cohort,
    Gaming,
    GroupBy,
    Grouping,
    Measures,
    Projection,
    Rate,
    Scored,
    Scoring,
    boards,
    came_back,
    contenders,
    gaming,
    measure,
    midnights_between,
    scored,
    trend,
)
from rules import Policy

__all__ = ["DAYS_MAX", "Day", "Measured", "compared", "group_name", "measured"]

DAYS_MAX: Final = 92  # of a trend: a quarter; more are too thin to be hit
PolicyOf = Callable[[str], Policy]


class Day(NamedTuple):
    """One day of the period with the cases that belong to it."""

    from_ms: int
    to_ms: int
    rate: Rate


class Measured(NamedTuple):
    """Everything of one cohort; `cohort` says whether the lists, days and boards are of the adjusted figures."""

    cohort: Cohort
    raw: Measures
    adjusted: Measures | None
    days: list[Day]
    ranked: list[Scored]
    boards: Boards
    again: list[CameBack]
    gaming: Gaming


def measured(view: Projection, choice: Chosen, policy: Policy, policy_of: PolicyOf) -> Measured:
    """Read it; `policy_of` finds the policies that incidents were decided under."""
    plan, said = policy.measures, choice.said
    raw = choice.cohort(view.latest_ms, plan.came_back_ms)
    shown, grouping = raw._replace(adjusted=said.adjusted), Grouping(said.by)
    scoring = Scoring(plan.weights, max(plan.minimum_cases, 1), plan.red, plan.black)
    figures = measure(view, raw, grouping)
    adjusted = measure(view, shown, grouping) if said.adjusted else None
    known = (adjusted or figures) if compared(said.by) == said.by else None
    ranked = scored(contenders(view, shown, compared(said.by), known=known), scoring)
    wanted = {code for code, category in policy.categories.items() if category.evidence}
    return Measured(
        shown,
        figures,
        adjusted,
        _days(view, shown, policy),
        ranked,
        boards(ranked, plan.red, plan.black),
        came_back(view, shown),
        gaming(view, shown, lambda sha256, clock: policy_of(sha256).clock(clock), wanted),
    )


def compared(by: GroupBy) -> Literal["department", "party", "area"]:
    """Whom the boards compare, beside figures grouped so."""
    return by if by in ("party", "area") else "department"


def _days(view: Projection, cohort: Cohort, policy: Policy) -> list[Day]:
    """None of all time, nor of more than `DAYS_MAX`."""
    if cohort.to_ms >= NEVER_MS or (cohort.to_ms - cohort.from_ms) // 86_400_000 > DAYS_MAX:
        return []
    edges = midnights_between(cohort.from_ms, cohort.to_ms, policy.timezone)
    return [Day(*span, rate) for span, rate in zip(pairwise(edges), trend(view, cohort, edges), strict=True)]


def group_name(names: Names, by: GroupBy | None, code: str | None) -> str:
    """What a group is called."""
    if code is None:
        return names.texts("none")
    match by:
        case "department" | "party":
            return names.party(code)
        case "area":
            return names.cell(code)
        case "category" | "major":
            return names.category(code, code)
        case _:
            return names.source(code)
