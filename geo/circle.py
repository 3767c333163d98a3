"""How much of an accuracy circle lies in which shape."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from geo.metric import FloatArray, metres_per_degree
from geo.trigonometry import cos_pi, sin_pi

SEGMENTS = 32  # a regular polygon of the circle's area; its corners stand out by 0.5 % of the radius
MAX_RADIUS_M = 10_000.0  # a phone's cell-tower fix; a larger circle is drawn this large, for it would touch every cell

_TURNS = np.arange(SEGMENTS + 1) % SEGMENTS * (2.0 / SEGMENTS)
_RADIUS = math.sqrt(2.0 * math.pi / (SEGMENTS * math.sin(2.0 * math.pi / SEGMENTS)))
_UNIT_CIRCLE = _RADIUS * np.column_stack((cos_pi(_TURNS), sin_pi(_TURNS)))


class Shares(NamedTuple):
    """One row per circle and shape that overlap, ordered by circle, then shape. `share` is of the circle, 0..1."""

    circle: npt.NDArray[np.int64]
    shape: npt.NDArray[np.int64]
    share: FloatArray


def circle_shares(lon: FloatArray, lat: FloatArray, radius_m: FloatArray, tree: shapely.STRtree) -> Shares:
    """Overlap circles (WGS84 degrees, metres > 0) with the shapes of an STRtree, prepared; arrays of one length.

    Shares are ratios of areas in degrees: across one circle a degree is the same number of metres.
    """
    x_m, y_m = metres_per_degree(lat)
    radius = np.minimum(radius_m, MAX_RADIUS_M)
    scale = np.stack((radius / x_m, radius / y_m), axis=-1)
    circles = shapely.polygons(np.stack((lon, lat), axis=-1)[:, None, :] + _UNIT_CIRCLE * scale[:, None, :])
    circle, shape = tree.query(circles)
    order = np.lexsort((shape, circle))
    circle, shape = circle[order], shape[order]
    shapes, drawn = tree.geometries[shape], circles[circle]
    share = np.ones(len(circle))
    cut = ~shapely.contains_properly(shapes, drawn)  # prepared shapes answer this far faster than an intersection
    share[cut] = shapely.area(shapely.intersection(shapes[cut], drawn[cut])) / shapely.area(drawn[cut])
    real = share > 0.0
    return Shares(circle[real], shape[real], share[real])
