"""`/v1/measures`: rates of the whole city, each with both of its terms, as of an instant."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from dispatcher.core import text_to_ms
from dispatcher.gateway.access import Gate, Needs
from dispatcher.gateway.answers import json_answer
from dispatcher.gateway.city import City
from dispatcher.gateway.documents import OBJECT, answers
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.roles import CITY, Person
from dispatcher.views import Basis, Cohort, GroupBy, Grouping, Projection, measure, measures_document, period

__all__ = ["MEASURING", "measuring"]

MEASURING: Final = ("analyst", "inspector", "supervisor", "shift_lead")

_Period = Annotated[
    str | None, Query(max_length=24, description="2026, 2026-11, 2026-11-30, or two of them with `..` between.")
]

_Instant = Annotated[
    str | None,
    Query(max_length=40, description="As known then; by default now.", json_schema_extra={"format": "date-time"}),
]


def measuring(city: City, gate: Gate) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/measures", tags=["measures"])
    may_measure = Needs(gate, *MEASURING)

    @router.get("", responses=answers(200, "Terms and rates, by group and in total.", OBJECT, 401, 403, 422, 429, 503))
    async def get_measures(
        person: Annotated[Person, Depends(may_measure)],
        basis: Basis = "filed",
        during: _Period = None,
        as_of: _Instant = None,
        by: GroupBy | None = None,
        level: Annotated[int, Query(ge=0, le=9, description="Of areas: the grid's level; of categories: depth.")] = 0,
        adjusted: Annotated[bool, Query(description="Without what an appeal or an outage exempts.")] = False,
    ) -> Response:
        """Closure, timeliness, satisfaction and the rest, of the cases received, filed or due in a period."""
        if CITY not in person.areas:
            raise Problem(403, "forbidden", "measures are of the whole city; this key reaches parts of it")
        if level and by not in ("area", "category"):
            raise Problem(422, "invalid", "level goes with by=area (a level of the grid) or by=category (how deep)")
        policy = await city.policy()
        try:
            from_ms, to_ms = period(during, policy.timezone)
            as_of_ms = None if as_of is None else text_to_ms(as_of)
        except (ValueError, OverflowError) as error:
            raise Problem(422, "invalid", str(error)) from error

        def measured(view: Projection) -> dict[str, Any]:
            known_ms = view.latest_ms if as_of_ms is None else as_of_ms
            cohort = Cohort(known_ms, basis, from_ms, to_ms, adjusted, policy.measures.came_back_ms)
            return measures_document(measure(view, cohort, Grouping(by, level)))

        return json_answer(await city.read(measured))

    return router
