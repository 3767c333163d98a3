"""Points to leaves by libraries that others would reach for: an R-tree in a loop, an STR-tree in bulk.

Both get the rule by which ours settles an edge between two leaves, the smallest code, since the answers are compared.
Neither is asked for what else a locator does: the nearest leaf within a tolerance, cells above the leaves, circles,
and why a point has no cell.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from rtree import index

from bench.answers import WrongAnswer
from bench.core import BATCH_RECORDS
from bench.decisions import timed_us
from bench.town import Floats, Town

__all__ = ["Locating", "LocatingRates"]

Numbers = npt.NDArray[np.int64]


class LocatingRates(NamedTuple):
    """CPU microseconds a point."""

    ours: float
    rtree: float
    strtree: float


class Locating:
    """The same points for all, and their leaves, known from how they were drawn."""

    def __init__(self, town: Town, points: int, seed: int) -> None:
        self._lon, self._lat, leaves = town.positions(np.random.Generator(np.random.PCG64(seed)), points)
        self._locator, grid = town.locator, town.grid
        self._numbers = grid.leaf_numbers.astype(np.int64)
        self._shapes = grid.geometries[grid.leaf_numbers]
        shapely.prepare(self._shapes)
        self._rtree = index.Index(_boxes(self._shapes))
        self._strtree = shapely.STRtree(self._shapes)
        number_of = {code: number for number, code in enumerate(grid.codes)}
        self._wanted = np.array([number_of[leaf] for leaf in leaves])

    def rates(self) -> LocatingRates:
        """All of them once. Raises WrongAnswer."""
        return LocatingRates(
            ours=self._timed("ours", self._by_ours),
            rtree=self._timed("rtree in a loop", self._by_rtree),
            strtree=self._timed("STRtree in bulk", self._by_strtree),
        )

    def _timed(self, what: str, locate: Callable[[Floats, Floats], Numbers]) -> float:
        found: list[Numbers] = []

        def work() -> None:
            for start in range(0, len(self._lon), BATCH_RECORDS):
                batch = slice(start, start + BATCH_RECORDS)
                found.append(locate(self._lon[batch], self._lat[batch]))

        took_us = timed_us(work, len(self._lon))
        if wrong := int((np.concatenate(found) != self._wanted).sum()):
            raise WrongAnswer(f"locate, {what}: {wrong} of {len(self._lon)} points are not in their leaf")
        return took_us

    def _by_ours(self, lon: Floats, lat: Floats) -> Numbers:
        return self._locator.locate(lon, lat).cell.astype(np.int64)

    def _by_rtree(self, lon: Floats, lat: Floats) -> Numbers:
        """One query a point, and the exact test of each box that was hit."""
        shapes, tree, numbers = self._shapes, self._rtree, self._numbers
        cells = []
        for x, y in zip(lon.tolist(), lat.tolist(), strict=True):
            holding = [n for n in tree.intersection((x, y, x, y)) if shapely.intersects_xy(shapes[n], x, y)]
            cells.append(numbers[min(holding)] if holding else -1)
        return np.array(cells, dtype=np.int64)

    def _by_strtree(self, lon: Floats, lat: Floats) -> Numbers:
        """All points of a batch in one query; of several leaves the smallest number."""
        point, leaf = self._strtree.query(shapely.points(lon, lat), predicate="intersects")
        first = np.full(len(lon), len(self._numbers))
        np.minimum.at(first, point, leaf)
        return np.where(first < len(self._numbers), self._numbers[np.minimum(first, len(self._numbers) - 1)], -1)


def _boxes(shapes: npt.NDArray[np.object_]) -> Iterator[tuple[int, tuple[float, ...], None]]:
    """For the constructor: an index is loaded in bulk from a stream of them."""
    for number, box in enumerate(shapely.bounds(shapes).tolist()):
        yield number, tuple(box), None
