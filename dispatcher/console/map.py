"""The map: cells, what is open and where, and what stands there; a list beside it says the same to the keyboard.

Cells and what is around a place are asked of `/v1`; what is open, and the things within a box, are told here in the
short form that a thousand of them on a map need.
"""

import time
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec
import numpy as np
import shapely
from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.config import ConsoleSettings
from dispatcher.console.listing import cells_of, majors
from dispatcher.console.names import Names
from dispatcher.console.visiting import CSP, PAGES, Front, Visitor
from dispatcher.core.incident import party
from dispatcher.gateway.answers import json_answer
from dispatcher.gateway.atlas import Atlas
from dispatcher.gateway.geography import box_of
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.reading import Wanted, wanted
from dispatcher.views import IncidentRow, Projection, queue
from geo import Kind, Thing, distance_m
from geo.registry import MAX_RADIUS_M

__all__ = ["map_pages"]

DOTS_MAX: Final = 1_000  # incidents on the map: the first to work on
THINGS_MAX: Final = 1_000
KINDS: Final = {"centres": Kind.SERVICE_CENTRE, "compounds": Kind.COMPOUND, "assets": Kind.ASSET}
_Ids = Annotated[list[str] | None, Query(max_length=DOTS_MAX)]


class Dot(NamedTuple):
    """An incident on the map. `exact`: at the position it was reported at, else in the middle of its cell."""

    id: str
    order: str
    lon: float
    lat: float
    exact: bool
    severity: int
    overdue: bool
    category: str
    place: str
    lead: str


def map_pages(front: Front, atlas: Atlas, settings: ConsoleSettings) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/console/map")
    Asked = Annotated[Wanted, Depends(wanted)]  # noqa: N806 - a type
    bounds = [round(float(edge), 6) for edge in shapely.total_bounds(atlas.grid.geometries)]

    @router.get("")
    async def map_page(request: Request, asked: Asked) -> Response:
        visitor = await front.visitor(request)
        if not visitor.person.has(*PAGES["map"]):
            return front.problem(request, visitor)
        answer = front.page(
            "map.html", request, visitor, title="map", where=asked.where, bounds=bounds,
            levels=visitor.names.policy.grid_levels, categories=majors(visitor.names),
            departments=visitor.names.departments(), cells=cells_of(visitor.names), kinds=list(KINDS),
            tiles=settings.tiles or "", credit=settings.tiles_credit,
        )  # fmt: skip
        if settings.tiles is not None:
            answer.headers["Content-Security-Policy"] = CSP.replace("img-src", f"img-src {_origin(settings.tiles)}")
        return answer

    @router.get("/incidents")
    async def map_incidents(request: Request, asked: Asked, ids: _Ids = None) -> Response:
        visitor = await front.visitor(request)
        _require(visitor)
        where = msgspec.structs.replace(asked.where, ids=tuple(ids or ()), reach=visitor.person.reach())
        now_ms = time.time_ns() // 1_000_000

        def read(view: Projection) -> dict[str, Any]:
            found = queue(view, where, None, DOTS_MAX)
            dots = [dot for row in found.lines if (dot := _dot(row, atlas, visitor.names, now_ms)) is not None]
            return {"dots": [dot._asdict() for dot in dots], "more": found.next is not None}

        return json_answer(await front.city.read(read))

    @router.get("/things")
    async def map_things(request: Request, kind: str, bbox: Annotated[str, Query(max_length=100)]) -> Response:
        visitor = await front.visitor(request)
        _require(visitor)
        if kind not in KINDS:
            raise Problem(422, "invalid", f"kind is one of {', '.join(KINDS)}")
        box = box_of(bbox)
        found = await front.city.work(lambda: _things(atlas, KINDS[kind], box))
        shown = [{"id": each.id, "lon": each.lon, "lat": each.lat, "name": each.name} for each in found[:THINGS_MAX]]
        return json_answer({"things": shown, "more": len(found) > THINGS_MAX})

    return router


def _require(visitor: Visitor) -> None:
    if not visitor.person.has(*PAGES["map"]):
        raise Problem(403, "forbidden", visitor.texts("not_yours"))


def _dot(row: IncidentRow, atlas: Atlas, names: Names, now_ms: int) -> Dot | None:
    """None for what lies nowhere."""
    lon, lat, exact = row.lon, row.lat, True
    if lon is None or lat is None:
        if row.cell is None or row.cell not in atlas.grid:
            return None
        (lon, lat), exact = atlas.middle(row.cell), False
    overdue = row.breached_ms is not None or row.queue_rank == 1 or row.queue_due_ms < now_ms
    return Dot(
        row.incident_id,
        f"{row.queue_rank}{row.queue_severity}{row.queue_due_ms:020d}{row.incident_id}",
        lon,
        lat,
        exact,
        row.severity,
        overdue,
        names.category(row.category, "–"),
        names.path(tuple(row.path.strip("/").split("/"))[-2:]) if row.cell else names.texts("unlocated"),
        names.party(None if row.lead is None else party(row.lead, row.unit)),
    )


def _things(atlas: Atlas, kind: Kind, box: tuple[float, float, float, float]) -> list[Thing]:
    """The things within a box, those nearest its middle first; one more than are shown says that there are more."""
    west, south, east, north = box
    lon, lat = (west + east) / 2, (south + north) / 2
    reach_m = float(distance_m(lon, lat, np.array([west]), np.array([south]))[0])
    with atlas.asking():
        try:
            near = atlas.registry.within(lon, lat, min(reach_m, MAX_RADIUS_M), kind)
        except ValueError as error:
            raise Problem(422, "invalid", str(error)) from error
    found = [thing for thing, _ in near]
    if kind is Kind.COMPOUND and atlas.register is not None:
        found += [
            Thing(each.id, kind, *each.lonlat, each.cell, each.name)
            for each in atlas.register.compounds.values()
            if each.lonlat is not None and each.id not in atlas.registry
        ]
    inside = [each for each in found if west <= each.lon <= east and south <= each.lat <= north]
    return inside[: THINGS_MAX + 1]


def _origin(address: str) -> str:
    """Where a background's pictures come from, as a policy of content names it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
