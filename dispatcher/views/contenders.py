"""Who is compared on a board: departments, units or areas, each with its cases and all that can be weighed of them."""

from collections.abc import Mapping
from typing import Literal

from dispatcher.views.cohort import Cohort, Grouping, Measures, Rate
from dispatcher.views.measures import measure
from dispatcher.views.projection import Projection
from dispatcher.views.ratings import ratings
from dispatcher.views.scores import measures_of

__all__ = ["Contender", "contenders"]

Contender = tuple[str, int, dict[str, Rate]]  # a unit, its cases, its rates by the policy's names


def contenders(
    view: Projection,
    cohort: Cohort,
    by: Literal["department", "party", "area"],
    level: int = 0,
    inspected: Mapping[str, Rate] | None = None,
    known: Measures | None = None,
) -> list[Contender]:
    """The units that have cases in a cohort, with their measures, streets' ratings, and inspections where given.

    `known` are the measures of this cohort by these units, from whoever has them already.
    """
    looked = inspected or {}
    rated = {} if by == "area" else {each.unit: each.rate for each in ratings(view, cohort, by)}
    found: list[Contender] = []
    measures = known or measure(view, cohort, Grouping(by, level if by == "area" else 0))
    for group in measures.groups:
        if group.code is None:
            continue
        more = {"inspection": looked[group.code]} if group.code in looked else {}
        if group.code in rated:
            more["street_rating"] = rated[group.code]
        found.append((group.code, group.terms["filed"], measures_of(group, cohort.basis, more)))
    return found
