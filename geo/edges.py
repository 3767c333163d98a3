"""Which shape's edge is nearest, in true metres, for the few points that lie in no shape."""

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geo.metric import FloatArray, metres_per_degree

TIE_M = 0.001  # edges as near as this count as equally near: two neighbours write one edge in opposite directions


class Edges:
    """Every edge of some polygons, in a tree of its own: a point looks at the edges around it, not at whole shapes."""

    def __init__(self, shapes: npt.NDArray[Any]) -> None:
        parts, shape_of_part = shapely.get_parts(shapes, return_index=True)
        rings, part_of_ring = shapely.get_rings(parts, return_index=True)
        vertices, ring = shapely.get_coordinates(rings, return_index=True)
        joined = ring[1:] == ring[:-1]
        self._start = vertices[:-1][joined]
        self._end = vertices[1:][joined]
        self._shape = shape_of_part[part_of_ring[ring[:-1][joined]]]
        self._tree = shapely.STRtree(shapely.linestrings(np.stack((self._start, self._end), axis=1)))

    def nearest_shape(self, lon: FloatArray, lat: FloatArray, within_m: float) -> npt.NDArray[np.int64]:
        """Per point (WGS84 degrees) the nearest shape within that many metres, the lowest number if tied; else -1."""
        if not len(lon):  # the usual case costs nothing
            return np.empty(0, dtype=np.int64)
        x_m, y_m = metres_per_degree(lat)
        reach_x = np.minimum(within_m * 1.001 / np.maximum(x_m, 1e-9), 360.0)  # at a pole a degree has no width
        reach_y = within_m * 1.001 / y_m
        point, edge = self._tree.query(shapely.box(lon - reach_x, lat - reach_y, lon + reach_x, lat + reach_y))
        scale = np.stack((x_m, y_m), axis=-1)[point]
        here = np.stack((lon, lat), axis=-1)[point]
        gap_m = _to_segment(scale * (self._start[edge] - here), scale * (self._end[edge] - here))
        least_m = np.full(len(lon), np.inf)
        np.minimum.at(least_m, point, gap_m)
        tied = (gap_m <= least_m[point] + TIE_M) & (least_m[point] <= within_m)
        lowest = np.full(len(lon), len(self._shape), dtype=np.int64)
        np.minimum.at(lowest, point[tied], self._shape[edge[tied]])
        return np.where(lowest < len(self._shape), lowest, -1)


def _to_segment(start_m: FloatArray, end_m: FloatArray) -> FloatArray:
    """Metres from the origin to segments given by their ends, each of shape (n, 2)."""
    along = end_m - start_m
    length_2 = np.sum(along * along, axis=1)
    part = np.divide(-np.sum(start_m * along, axis=1), length_2, out=np.zeros(len(along)), where=length_2 > 0.0)
    foot = start_m + np.clip(part, 0.0, 1.0)[:, None] * along
    return np.asarray(np.sqrt(np.sum(foot * foot, axis=1)), dtype=np.float64)
