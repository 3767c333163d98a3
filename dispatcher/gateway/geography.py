"""`/v1/grid.geojson` and `/v1/locate`: the cells of the city, and the one a position lies in."""

from typing import Annotated, Final, Literal

import msgspec
import numpy as np
import shapely
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from dispatcher.gateway.access import Gate, Needs
from dispatcher.gateway.answers import json_answer
from dispatcher.gateway.atlas import Atlas
from dispatcher.gateway.documents import OBJECT, answers
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.reading import LOOKING
from dispatcher.gateway.roles import Person
from geo import to_wgs84

__all__ = ["Datum", "Latitude", "Longitude", "box_of", "geography", "in_wgs84"]

CELLS_MAX: Final = 10_000  # in one answer
KEPT: Final = {"Cache-Control": "private, max-age=600"}  # a grid changes with a new start only
Longitude = Annotated[float, Query(ge=-180, le=180)]
Latitude = Annotated[float, Query(ge=-90, le=90)]
Datum = Literal["wgs84", "gcj02", "bd09"]


def geography(atlas: Atlas, gate: Gate) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1", tags=["geography"])
    may_ask = Needs(gate, "reporter", *LOOKING)
    grid = atlas.grid

    @router.get("/locate", responses=answers(200, "The cell and how it was found.", OBJECT, 401, 403, 422, 429))
    def locate(
        _person: Annotated[Person, Depends(may_ask)],
        lon: Longitude,
        lat: Latitude,
        accuracy_m: Annotated[float | None, Query(gt=0, le=100_000)] = None,
        crs: Datum = "wgs84",
    ) -> Response:
        """The cell of a position, with the cells around it."""
        lon, lat = in_wgs84(lon, lat, crs)
        with atlas.asking():
            return json_answer(atlas.locator.place(lon, lat, accuracy_m))

    @router.get("/grid.geojson", responses=answers(200, "A FeatureCollection.", OBJECT, 401, 403, 413, 422, 429))
    def cells(
        _person: Annotated[Person, Depends(may_ask)],
        level: Annotated[int, Query(ge=1, le=9)] = 1,
        leaves: Annotated[bool, Query(description="Instead: the cells with no cells in them, of any level.")] = False,
        bbox: Annotated[str | None, Query(max_length=100, description="west,south,east,north in degrees")] = None,
    ) -> Response:
        """The cells of a level, all of them or those that meet a box."""
        if level > grid.levels:
            raise Problem(422, "invalid", f"the grid has {grid.levels} levels")
        numbers = grid.leaf_numbers if leaves else np.flatnonzero(grid.level_numbers == level)
        box = None if bbox is None else shapely.box(*box_of(bbox))
        with atlas.asking():
            if box is not None:
                numbers = numbers[shapely.intersects(grid.geometries[numbers], box)]
            if len(numbers) > CELLS_MAX:
                raise Problem(413, "too_many", f"{len(numbers):,} cells, at most {CELLS_MAX:,} at once; give a bbox")
            shapes = shapely.to_geojson(grid.geometries[numbers]).tolist()
        features = [
            {
                "type": "Feature",
                "properties": {
                    "code": grid.codes[n],
                    "name": grid.names[n],
                    "level": grid.level_of(n),
                    "path": grid.paths[n],
                },
                "geometry": msgspec.Raw(shape.encode()),
            }
            for n, shape in zip(numbers.tolist(), shapes, strict=True)
        ]
        return json_answer({"type": "FeatureCollection", "features": features}, headers=KEPT)

    return router


def in_wgs84(lon: float, lat: float, crs: Datum) -> tuple[float, float]:
    """A position of any of the datums as all of ours are."""
    if crs == "wgs84":
        return lon, lat
    xs, ys = to_wgs84([lon], [lat], crs)
    return float(xs[0]), float(ys[0])


def box_of(text: str) -> tuple[float, float, float, float]:
    """What an address says. Raises Problem: 422, it is none."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise Problem(422, "invalid", "bbox is west,south,east,north in degrees") from error
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise Problem(422, "invalid", "bbox is west,south,east,north in degrees, west and south first")
    return west, south, east, north
