"""An alert's areas: read from their texts, and turned into the cells of a grid that cover them. Pure.

Positions are WGS84 (CAP 1.2, 3.2.4); a polygon is `lat,lon` pairs of which the last is the first, a circle is
`lat,lon radius` with the radius in kilometres. Nothing wraps at the antimeridian.
"""

import math
from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from geo import Grid, distance_m

__all__ = ["Area", "Circle", "Point", "coarsest", "leaves_in", "read_circle", "read_polygon"]

RADIUS_MAX_KM = 20_038.0  # half the earth's circumference


class Point(NamedTuple):
    """A position in degrees."""

    lon: float
    lat: float


class Circle(NamedTuple):
    """All within `radius_m` of a position."""

    centre: Point
    radius_m: float


class Area(NamedTuple):
    """The union of its shapes and of what its geocodes (system, code) name."""

    described: str
    polygons: tuple[tuple[Point, ...], ...]
    circles: tuple[Circle, ...]
    geocodes: tuple[tuple[str, str], ...]


def read_polygon(text: str) -> tuple[Point, ...]:
    """A closed ring of at least four positions, the last being the first. Raises ValueError."""
    ring = tuple(_position(pair) for pair in text.split())
    if len(ring) < 4:
        raise ValueError(f"{len(ring)} positions; at least four are needed")
    if ring[0] != ring[-1]:
        raise ValueError("the last position is not the first one")
    return ring


def read_circle(text: str) -> Circle:
    """A position and a radius in kilometres. Raises ValueError."""
    parts = text.split()
    if len(parts) != 2:
        raise ValueError(f"expected lat,lon radius, not {text[:40]!r}")
    radius_km = _number(parts[1])
    if not 0 <= radius_km <= RADIUS_MAX_KM:
        raise ValueError(f"a radius of {parts[1][:20]} km")
    return Circle(_position(parts[0]), radius_km * 1_000.0)


def _position(pair: str) -> Point:
    lat, comma, lon = pair.partition(",")
    if not comma:
        raise ValueError(f"expected lat,lon, not {pair[:40]!r}")
    point = Point(_number(lon), _number(lat))
    if not (abs(point.lon) <= 180 and abs(point.lat) <= 90):
        raise ValueError(f"{pair[:40]!r} is not on the earth; latitude comes first")
    return point


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]!r} is not a number")
    return number


def leaves_in(area: Area, grid: Grid, systems: Collection[str]) -> set[str]:
    """Codes of the leaf cells that share ground with an area.

    Args:
        area: as read.
        grid: whose cells are meant.
        systems: the geocode systems (`valueName`) whose codes are this grid's; a code names all leaves below it.
    """
    leaf_shapes = grid.geometries[grid.leaf_numbers]
    hit = np.zeros(len(leaf_shapes), dtype=np.bool_)
    for ring in area.polygons:
        # rings that cross themselves are common; of such a one its ground counts, and lines hold none
        shape = shapely.make_valid(shapely.Polygon(ring), method="structure", keep_collapsed=False)
        hit |= shapely.intersects(leaf_shapes, shape) & ~shapely.touches(leaf_shapes, shape)
    for circle in area.circles:
        hit |= _within(leaf_shapes, circle)
    named = {code for system, code in area.geocodes if system in systems and code in grid}
    leaves = grid.leaf_numbers.tolist()
    return {
        grid.codes[number]
        for number, struck in zip(leaves, hit.tolist(), strict=True)
        if struck or not named.isdisjoint(grid.paths[number])
    }


def _within(shapes: npt.NDArray[Any], circle: Circle) -> npt.NDArray[np.bool_]:
    """Which shapes come as near to the centre as the radius, in metres on the plane that touches the earth there."""
    (lon, lat), radius_m = circle
    metres = np.array([distance_m(lon, lat, lon + 1.0, lat), distance_m(lon, lat - 0.5, lon, lat + 0.5)])
    near = shapely.transform(shapes, lambda lonlat: (lonlat - np.array([lon, lat])) * metres)
    within: npt.NDArray[np.bool_] = shapely.distance(near, shapely.Point(0.0, 0.0)) <= radius_m
    return within


def coarsest(grid: Grid, leaves: Collection[str]) -> tuple[str, ...]:
    """The fewest cells that hold exactly these leaves: a cell stands for its children when all of them are in."""
    wanted = frozenset(leaves)

    def fold(code: str) -> tuple[bool, list[str]]:
        children = grid.children(code)
        if not children:
            return (True, [code]) if code in wanted else (False, [])
        below = [fold(child) for child in children]
        if all(whole for whole, _ in below):
            return True, [code]
        return False, [found for _, codes in below for found in codes]

    return tuple(sorted(code for root in grid.cells_at(1) for code in fold(root)[1]))
