"""The town of examples/city as a place where things are reported."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from dispatcher.hosts.setup import Setup
from geo import Thing

__all__ = ["SmallTown"]

Floats = npt.NDArray[np.float64]


class SmallTown:
    """See `bench.town.Where`; in each leaf cell as much happens as in any other."""

    def __init__(self, setup: Setup, things: Sequence[Thing]) -> None:
        self.assets = [thing for thing in things if thing.kind == "asset"]
        self._leaves = [setup.grid.codes[number] for number in setup.grid.leaf_numbers]
        self._shapes = setup.grid.geometries[setup.grid.leaf_numbers]

    def positions(self, rng: np.random.Generator, count: int) -> tuple[Floats, Floats, list[str]]:
        """Draw positions: lon, lat (WGS84, six decimals) and the code of the leaf each lies in."""
        leaf = rng.integers(len(self._leaves), size=count)
        inside = shapely.point_on_surface(self._shapes[leaf])
        west, south, east, north = shapely.bounds(self._shapes[leaf]).T
        lon, lat = shapely.get_x(inside), shapely.get_y(inside)
        for _ in range(8):  # what has not been hit by then stays at a point that is inside for certain
            x, y = rng.uniform(west, east), rng.uniform(south, north)
            hit = shapely.contains_xy(self._shapes[leaf], x, y)
            lon, lat = np.where(hit, x, lon), np.where(hit, y, lat)
        return np.round(lon, 6), np.round(lat, 6), [self._leaves[number] for number in leaf.tolist()]
