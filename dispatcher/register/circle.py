"""The fifteen-minute circle (15分钟服务圈): who can walk to a service centre.

How far somebody walks is taken as a straight line of `reach_m`: speed × time / detour. Nets of streets, rivers and
railways are not looked at; a cell counts as a whole, by a point inside it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from geo import Grid, Thing, distance_m
from geo.registry import MAX_RADIUS_M

__all__ = ["DETOUR", "WALKING_M_S", "AreaReach", "Walk", "reach_m", "reaches", "walks"]

WALKING_M_S = 1.2
"""The design speed of pedestrians that FHWA-RD-98-107 (*Capacity Analysis of Pedestrian and Bicycle Facilities*, 1998,
section 2.2) recommends for most conditions; it recommends 1.0 where many of them are old."""

DETOUR = 1.3
"""Metres of street to a metre as the crow flies. In a net of right angles it is |cos| + |sin| of the direction, which
is 4/π = 1.273 on average over all directions; rounded up. 15 min at 1.2 m/s are 1,080 m of street, 831 m straight. To
compare: GB 50180-2018 (*Standard for urban residential area planning and design*) plans this circle with 800 to 1,000 m
on foot, 615 to 769 m straight; 1.0 m/s gives 692 m."""

_LEAVES_AT_ONCE = 256  # by all centres: a few megabytes


def reach_m(minutes: float = 15.0, speed_m_s: float = WALKING_M_S, detour: float = DETOUR) -> float:
    """Metres as the crow flies that somebody walks in that time.

    Raises ValueError unless minutes and speed are above 0, the detour is at least 1 and the reach at most MAX_RADIUS_M.
    """
    if not (minutes > 0.0 and speed_m_s > 0.0 and detour >= 1.0):
        raise ValueError(f"{minutes} min at {speed_m_s} m/s with a detour of {detour}: no walk")
    metres = minutes * 60.0 * speed_m_s / detour
    if not metres <= MAX_RADIUS_M:
        raise ValueError(f"a walk of {metres:.0f} m; at most {MAX_RADIUS_M:.0f} m are measured")
    return metres


@dataclass(frozen=True, slots=True)
class Walk:
    """From a leaf's representative point to the nearest centre (ties: the smallest id), straight. No centre: inf."""

    cell: str
    centre: str | None
    metres: float


@dataclass(frozen=True, slots=True)
class AreaReach:
    """How much of a cell of level 1 can walk to a centre; `area` is None for the whole grid.

    `people` counts the leaves whose population is known; `leaves_uncounted` have none.
    """

    area: str | None
    leaves: int
    leaves_reached: int
    people: int
    people_reached: int
    leaves_uncounted: int


def walks(grid: Grid, centres: Sequence[Thing], advance: Callable[[float], None] | None = None) -> tuple[Walk, ...]:
    """The way from every leaf, by code, to its nearest centre; `advance` is told how many more leaves are done.

    The representative point is shapely's point on the surface: always inside, unlike a centroid.
    """
    ordered = sorted(centres, key=lambda centre: centre.id)
    lonlat = np.array([(centre.lon, centre.lat) for centre in ordered], dtype=np.float64).reshape(-1, 2)
    points = shapely.get_coordinates(shapely.point_on_surface(grid.geometries[grid.leaf_numbers]))
    found: list[Walk] = []
    for first in range(0, len(points), _LEAVES_AT_ONCE):
        codes = grid.leaves[first : first + _LEAVES_AT_ONCE]
        lon, lat = points[first : first + _LEAVES_AT_ONCE].T
        if ordered:
            metres = distance_m(lon[:, None], lat[:, None], lonlat[:, 0], lonlat[:, 1])
            nearest = np.argmin(metres, axis=1)
            least = metres[np.arange(len(codes)), nearest].tolist()
            found += [Walk(code, ordered[at].id, m) for code, at, m in zip(codes, nearest, least, strict=True)]
        else:
            found += [Walk(code, None, float("inf")) for code in codes]
        if advance is not None:
            advance(len(codes))
    return tuple(found)


def reaches(
    grid: Grid, ways: Sequence[Walk], metres: float, people_of: Callable[[str], int | None]
) -> tuple[AreaReach, ...]:
    """Per cell of level 1, and last for the whole grid, what lies within that many metres of a centre."""
    areas = [_area_reach(area, of_area, metres, people_of) for area, of_area in _by_area(grid, ways)]
    return (*areas, _area_reach(None, ways, metres, people_of))


def _by_area(grid: Grid, ways: Sequence[Walk]) -> Iterator[tuple[str, list[Walk]]]:
    for area in grid.cells_at(1):
        yield area, [way for way in ways if grid.path(way.cell)[0] == area]


def _area_reach(
    area: str | None, ways: Sequence[Walk], metres: float, people_of: Callable[[str], int | None]
) -> AreaReach:
    people = {way.cell: people_of(way.cell) for way in ways}
    reached = [way.cell for way in ways if way.metres <= metres]
    return AreaReach(
        area,
        len(ways),
        len(reached),
        sum(count or 0 for count in people.values()),
        sum(people[cell] or 0 for cell in reached),
        sum(count is None for count in people.values()),
    )
