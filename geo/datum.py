"""GCJ-02 and BD-09, the shifted coordinates of Chinese maps, to WGS84 and back.

GCJ-02: the polynomial-and-sine shift on the Krasovsky 1940 ellipsoid, as made public by "EvilTransform" (on4wp7,
`Transform.cs`) and described on Wikipedia's page "Restrictions on geographic data in China". Outside the published
rectangle nothing is shifted. BD-09 adds a small rotation and an offset on top of GCJ-02, everywhere.

Both inverses iterate the forward formula a fixed number of times: each step shrinks the error at least fortyfold, so
the result is within 1e-11 degree, and no point's answer depends on its neighbours in the batch. Within some 700 m of
the rectangle's edge the shift is not invertible: there the side on which the *given* point lies decides, as published.
"""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from geo.metric import FloatArray
from geo.trigonometry import cos_pi, sin_pi

WEST, EAST, SOUTH, NORTH = 72.004, 137.8347, 0.8293, 55.8271  # degrees; "outside China" is outside this rectangle
_A_M = 6378245.0  # Krasovsky 1940
_E2 = 0.00669342162296594323
_BD_LON, _BD_LAT = 0.0065, 0.006
_STEPS = 6

LonLat = tuple[FloatArray, FloatArray]


class Crs(StrEnum):
    """Coordinate systems taken at the door. CGCS2000 agrees with WGS84 within centimetres and counts as the same."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


def to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike, crs: str) -> LonLat:
    """Convert degrees in `crs`, any shape; NaN and impossible values pass. Raises ValueError for an unknown crs."""
    match Crs(crs):
        case Crs.WGS84:
            return _floats(lon), _floats(lat)
        case Crs.GCJ02:
            return gcj02_to_wgs84(lon, lat)
        case Crs.BD09:
            return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))


def wgs84_to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> LonLat:
    """Shift what lies in the rectangle; degrees."""
    x, y = _floats(lon).copy(), _floats(lat).copy()
    shifted = _in_rectangle(x, y)
    d_lon, d_lat = _shift(x[shifted], y[shifted])
    x[shifted] += d_lon
    y[shifted] += d_lat
    return x, y


def gcj02_to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike) -> LonLat:
    """Undo the shift of what lies in the rectangle; degrees."""
    x, y = _floats(lon).copy(), _floats(lat).copy()
    shifted = _in_rectangle(x, y)
    given_x, given_y = x[shifted], y[shifted]
    true_x, true_y = given_x, given_y
    for _ in range(_STEPS):
        d_lon, d_lat = _shift(true_x, true_y)
        true_x, true_y = given_x - d_lon, given_y - d_lat
    x[shifted], y[shifted] = true_x, true_y
    return x, y


def gcj02_to_bd09(lon: npt.ArrayLike, lat: npt.ArrayLike) -> LonLat:
    """Turn and offset what is possible; degrees."""
    x, y = _floats(lon).copy(), _floats(lat).copy()
    known = _possible(x, y)
    x[known], y[known] = _rotate(x[known], y[known])
    return x, y


def bd09_to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> LonLat:
    """Undo turn and offset; degrees."""
    x, y = _floats(lon).copy(), _floats(lat).copy()
    known = _possible(x, y)
    given_x, given_y = x[known], y[known]
    true_x, true_y = given_x - _BD_LON, given_y - _BD_LAT
    for _ in range(_STEPS):
        there_x, there_y = _rotate(true_x, true_y)
        true_x, true_y = true_x + (given_x - there_x), true_y + (given_y - there_y)
    x[known], y[known] = true_x, true_y
    return x, y


def _floats(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(values, dtype=np.float64)


def _in_rectangle(lon: FloatArray, lat: FloatArray) -> npt.NDArray[np.bool_]:
    return (lon >= WEST) & (lon <= EAST) & (lat >= SOUTH) & (lat <= NORTH)


def _possible(lon: FloatArray, lat: FloatArray) -> npt.NDArray[np.bool_]:
    return (np.abs(lon) <= 181.0) & (np.abs(lat) <= 91.0)  # a degree more: BD-09 of a possible point may lie beyond


def _shift(lon: FloatArray, lat: FloatArray) -> LonLat:
    """Degrees by which GCJ-02 lies off WGS84 at a WGS84 position."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    common = 20.0 * sin_pi(6.0 * x) + 20.0 * sin_pi(2.0 * x)
    north = common + 20.0 * sin_pi(y) + 40.0 * sin_pi(y / 3.0) + 160.0 * sin_pi(y / 12.0) + 320.0 * sin_pi(y / 30.0)
    east = common + 20.0 * sin_pi(x) + 40.0 * sin_pi(x / 3.0) + 150.0 * sin_pi(x / 12.0) + 300.0 * sin_pi(x / 30.0)
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + north * 2.0 / 3.0
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + east * 2.0 / 3.0
    w = 1.0 - _E2 * sin_pi(lat / 180.0) ** 2
    d_lat = north_m * 180.0 / ((_A_M * (1.0 - _E2)) / (w * np.sqrt(w)) * np.pi)
    d_lon = east_m * 180.0 / (_A_M / np.sqrt(w) * cos_pi(lat / 180.0) * np.pi)
    return d_lon, d_lat


def _rotate(lon: FloatArray, lat: FloatArray) -> LonLat:
    """GCJ-02 to BD-09: stretch the radius vector by up to 2e-5 degree, turn it by up to 3e-6 radian, add the offset.

    The published form takes the angle by atan2 and turns it by cosine and sine. For a turn this small the addition
    theorem with the first terms of both series says the same to 1e-23, without a function that libraries round freely.
    """
    radius = np.sqrt(lon * lon + lat * lat)
    stretched = 1.0 + np.divide(
        0.00002 * sin_pi(lat * 3000.0 / 180.0), radius, out=np.zeros_like(radius), where=radius > 0.0
    )
    turn = 0.000003 * cos_pi(lon * 3000.0 / 180.0)
    cosine, sine = 1.0 - 0.5 * turn * turn, turn - turn * turn * turn / 6.0
    return (
        stretched * (lon * cosine - lat * sine) + _BD_LON,
        stretched * (lat * cosine + lon * sine) + _BD_LAT,
    )
