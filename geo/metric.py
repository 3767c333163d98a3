"""Degrees to metres and square metres on the WGS84 ellipsoid: as exact as a city needs, and no more.

Lengths use the ellipsoid's two radii of curvature at a latitude (local equirectangular projection; Snyder, chapter 4).
Below 60° of latitude a distance differs from the geodesic by less than 1e-6 of itself up to 10 km and by less than 1e-4
up to 100 km (measured in the tests).

Areas use Lambert's cylindrical equal-area projection of the ellipsoid (Snyder, chapter 10; q is his (3-12)), which
keeps area exactly. One liberty is taken: an edge is straight in that projection rather than in longitude and latitude.
An edge of 10 km bends by a metre, and what one cell gains its neighbour loses.

J. P. Snyder, *Map Projections: A Working Manual*, USGS Professional Paper 1395, 1987.
"""

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import shapely

from geo.trigonometry import cos_pi, sin_pi

FloatArray: TypeAlias = npt.NDArray[np.float64]

# WGS84 (NIMA TR8350.2): the semi-major axis, and the first eccentricity squared that follows from 1/f = 298.257223563.
SEMI_MAJOR_M = 6378137.0
ECCENTRICITY_2 = 0.0066943799901413165
_ECCENTRICITY = math.sqrt(ECCENTRICITY_2)
_DEGREE = math.pi / 180.0


def metres_per_degree(lat: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Metres in one degree of longitude and in one of latitude, at latitudes given in degrees (finite)."""
    turns = np.asarray(lat, dtype=np.float64) / 180.0
    w = 1.0 - ECCENTRICITY_2 * sin_pi(turns) ** 2
    root = np.sqrt(w)
    return (
        _DEGREE * SEMI_MAJOR_M * cos_pi(turns) / root,
        _DEGREE * SEMI_MAJOR_M * (1.0 - ECCENTRICITY_2) / (w * root),
    )


def distance_m(lon: npt.ArrayLike, lat: npt.ArrayLike, to_lon: npt.ArrayLike, to_lat: npt.ArrayLike) -> FloatArray:
    """Metres between points given in degrees, measured at their middle latitude; doesn't wrap at the antimeridian."""
    lat_a, lat_b = np.asarray(lat, dtype=np.float64), np.asarray(to_lat, dtype=np.float64)
    x_m, y_m = metres_per_degree(0.5 * (lat_a + lat_b))
    dx = x_m * (np.asarray(to_lon, dtype=np.float64) - np.asarray(lon, dtype=np.float64))
    dy = y_m * (lat_b - lat_a)
    return np.asarray(np.sqrt(dx * dx + dy * dy), dtype=np.float64)


def area_m2(geometries: shapely.Geometry | npt.NDArray[Any]) -> FloatArray:
    """Square metres of one shapely geometry or an array of them (lon/lat degrees); an empty or linear one has 0."""
    return np.asarray(shapely.area(shapely.transform(geometries, _equal_area)), dtype=np.float64)


def _equal_area(lonlat: FloatArray) -> FloatArray:
    sine = sin_pi(lonlat[:, 1] / 180.0)
    e_sine = _ECCENTRICITY * sine
    q = (1.0 - ECCENTRICITY_2) * (sine / (1.0 - e_sine * e_sine) + np.arctanh(e_sine) / _ECCENTRICITY)
    return np.column_stack((SEMI_MAJOR_M * _DEGREE * lonlat[:, 0], 0.5 * SEMI_MAJOR_M * q))
