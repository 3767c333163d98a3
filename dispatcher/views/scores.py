"""Composite scores, ranks, red and black boards (红黑榜): of departments, units, areas, property companies alike. Pure.

The composite is the weighted mean of what is known of a unit; a measure without a sample leaves it over the remaining
weights and is shown as missing. What should be small (rework, returns, cases that came back) counts as 1 less its rate.
All of it is worked out in whole numbers, so equals are equal and ties are ties.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

from dispatcher.views.cohort import Basis, Group, Rate

__all__ = ["Boards", "Scored", "Scoring", "boards", "measures_of", "scored"]

LESS_IS_BETTER = frozenset({"rework_rate", "return_rate", "came_back_rate"})
_RATE_OF = {  # a measure as the policy names it -> the rate it is; the closure rate is that of the cohort's basis
    "on_time_closure_rate": "on_time_closure",
    "on_time_handling_rate": "on_time_handling",
    "dispatch_accuracy": "dispatch_accuracy",
    "response_rate": "response",
    "resolution_rate": "resolution",
    "satisfaction_rate": "satisfaction",
    "attendance_rate": "attendance",
    "rework_rate": "rework_rate",
    "return_rate": "refused_return_rate",  # an upheld return is nobody's fault, and the case is another's by then
    "came_back_rate": "came_back_rate",
}


class Scoring(NamedTuple):
    """How to compare: weights by measure, how many cases a rank needs, how long the boards are."""

    weights: Mapping[str, int]
    minimum_cases: int
    red: int
    black: int


class Scored(NamedTuple):
    """One unit: its composite (None when nothing is known of it), its rank from the best, and what was missing."""

    unit: str
    cases: int
    composite: Fraction | None
    rank: int | None  # None: fewer cases than a rank needs
    known: Mapping[str, Rate]
    missing: tuple[str, ...]


class Boards(NamedTuple):
    """The best and the worst; whoever shares the last place of a board is on it too, nobody is on both."""

    red: list[Scored]
    black: list[Scored]


def measures_of(group: Group, basis: Basis, more: Mapping[str, Rate] | None = None) -> dict[str, Rate]:
    """What the policy can weigh of a group of cases; `more` adds inspections and streets' ratings."""
    rates = {name: group.rates[rate] for name, rate in _RATE_OF.items()}
    return {"closure_rate": group.rates[f"closure_{basis}"], **rates, **(more or {})}


def scored(units: Iterable[tuple[str, int, Mapping[str, Rate]]], scoring: Scoring) -> list[Scored]:
    """Units (code, cases, rates by measure) from the best to the worst, the unranked last; equals by code.

    Those with one composite share a rank, and the next rank is skipped.
    """
    found = [_score(unit, cases, rates, scoring.weights) for unit, cases, rates in units]
    ranked = [one for one in found if _rankable(one, scoring)]
    better: dict[Fraction | None, int] = {}
    for place, one in enumerate(sorted(ranked, key=lambda one: -(one.composite or 0)), 1):
        better.setdefault(one.composite, place)
    placed = [one._replace(rank=better[one.composite]) if _rankable(one, scoring) else one for one in found]
    return sorted(placed, key=lambda one: (one.rank is None, one.rank or 0, -(one.composite or 0), one.unit))


def boards(ranked: Iterable[Scored], red: int, black: int) -> Boards:
    """The red board has the ranks up to `red`; the black one the ranks up to `black` counted from the worst."""
    placed = [one for one in ranked if one.rank is not None]
    best = [one for one in placed if (one.rank or 0) <= red]
    rest = [one for one in placed if (one.rank or 0) > red]
    ranks = sorted([one.rank or 0 for one in placed])
    worst = [one for one in rest if len(ranks) - bisect_right(ranks, one.rank or 0) < black]
    return Boards(best, worst[::-1])


def _rankable(one: Scored, scoring: Scoring) -> bool:
    return one.composite is not None and one.cases >= scoring.minimum_cases


def _score(unit: str, cases: int, rates: Mapping[str, Rate], weights: Mapping[str, int]) -> Scored:
    known = {name: rates[name] for name in weights if name in rates and rates[name].denominator}
    weight = sum(weights[name] for name in known)
    composite = sum(weights[name] * _share(name, rate) for name, rate in known.items()) / weight if weight else None
    return Scored(
        unit,
        cases,
        None if composite is None else Fraction(composite),
        None,
        known,
        tuple([name for name in weights if name not in known]),
    )


def _share(name: str, rate: Rate) -> Fraction:
    share = Fraction(rate.numerator, rate.denominator)
    return 1 - share if name in LESS_IS_BETTER else share
