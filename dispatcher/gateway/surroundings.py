"""`/v1/nearest`: what is around a position, and who answers for it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from dispatcher.gateway.access import Gate, Needs
from dispatcher.gateway.answers import json_answer
from dispatcher.gateway.atlas import Atlas
from dispatcher.gateway.documents import OBJECT, answers
from dispatcher.gateway.geography import Datum, Latitude, Longitude, in_wgs84
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.reading import LOOKING
from dispatcher.gateway.roles import Person
from dispatcher.register import around, reach_m, told_surroundings

__all__ = ["surroundings"]


def surroundings(atlas: Atlas, gate: Gate) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/v1", tags=["geography"])
    may_look = Needs(gate, *LOOKING)

    @router.get(
        "/nearest",
        responses=answers(200, "The place, who is responsible, the nearest of each kind.", OBJECT, 401, 403, 422, 429),
    )
    def nearest(
        _person: Annotated[Person, Depends(may_look)],
        lon: Longitude,
        lat: Latitude,
        crs: Datum = "wgs84",
        minutes: Annotated[float, Query(gt=0, le=600, description="On foot, to a service centre.")] = 15.0,
        count: Annotated[int, Query(ge=1, le=50, description="Of each kind.")] = 3,
    ) -> Response:
        """What is around a position: service centres, officers, compounds, assets. Names of officers are not told."""
        lon, lat = in_wgs84(lon, lat, crs)
        try:
            metres = reach_m(minutes)
            with atlas.asking():
                found = around(atlas.registry, atlas.register, lon, lat, reach_m=metres, count=count)
                place = atlas.locator.place(lon, lat)
        except ValueError as error:
            raise Problem(422, "invalid", str(error)) from error
        told = told_surroundings(atlas.grid, atlas.register, place, found)
        return json_answer({**told, "minutes": minutes, "reach_m": round(metres, 1)})

    return router
