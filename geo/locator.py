"""A batch of points in, a column of cells out.

The rules, in order
1. No position (NaN, beyond ±180° or ±90°, exactly (0, 0)): NONE.
2. In a leaf, edges and corners included: EXACT. Where leaves share an edge or overlap, the smallest code has it.
3. Within `tolerance_m` of a leaf: NEAREST, the nearest one; of those as near to a millimetre, the smallest code.
4. In a cell above the leaves: GAP, the deepest such cell; of several, the smallest code.
5. Else OUTSIDE, without a cell.

What a point gets depends on the point and the grid alone, not on the batch it came in. Nothing wraps at the
antimeridian: a grid that crosses it must be cut there, as GeoJSON asks.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from geo.circle import circle_shares
from geo.edges import Edges
from geo.grid import Grid
from geo.metric import FloatArray, distance_m
from geo.place import How, Note, Place

MAX_TOLERANCE_M = 1_000.0  # the search for the nearest edge is meant for slivers, not for the next town
TIE_SHARE = 1e-9  # shares of a circle closer than this are the same

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """Columns, one row per point."""

    cell: npt.NDArray[np.int32]
    """The cell's number in the grid, -1 for none."""
    how: npt.NDArray[np.uint8]
    """A `How`."""
    note: npt.NDArray[np.uint8]
    """A `Note`."""
    share: FloatArray
    """The cell's part of the accuracy circle, to three decimals; NaN where there was no circle or it met no leaf."""


class Locator:
    """Finds cells of one grid. Building it indexes every edge; locating changes nothing."""

    def __init__(self, grid: Grid, *, tolerance_m: float = 50.0, far_m: float = 100_000.0) -> None:
        """Raise ValueError unless 0 <= tolerance_m <= MAX_TOLERANCE_M and far_m >= 0."""
        if not (0.0 <= tolerance_m <= MAX_TOLERANCE_M and far_m >= 0.0):
            raise ValueError(f"tolerance_m must be 0..{MAX_TOLERANCE_M:.0f} and far_m at least 0")
        self.grid = grid
        self.tolerance_m = tolerance_m
        self.far_m = far_m
        self._leaf_numbers = grid.leaf_numbers
        leaves = grid.geometries[grid.leaf_numbers]
        shapely.prepare(leaves)
        self._leaves = shapely.STRtree(leaves)
        self._edges = Edges(leaves)
        # Deepest first, then by code: the first that holds a point is the answer.
        order = np.lexsort((np.arange(len(grid)), -grid.level_numbers))
        self._branch_numbers = order[~np.isin(order, grid.leaf_numbers)].astype(np.int32)
        branches = grid.geometries[self._branch_numbers]
        shapely.prepare(branches)
        self._branches = shapely.STRtree(branches)
        self._bounds: tuple[float, ...] = tuple(shapely.total_bounds(grid.geometries).tolist())

    def locate(self, lon: npt.ArrayLike, lat: npt.ArrayLike, accuracy_m: npt.ArrayLike | None = None) -> Located:
        """Cells of WGS84 degrees; columns of one length, else ValueError.

        Where `accuracy_m` is a number above 0, the leaf with most of that circle wins, the smallest code if several
        have as much: OVERLAP, or EXACT if the circle meets one leaf only and its centre lies in it. A circle that meets
        no leaf counts as its centre.
        """
        x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        if x.ndim != 1 or x.shape != y.shape:
            raise ValueError(f"lon and lat must be columns of one length, not of shapes {x.shape} and {y.shape}")
        found = self._locate_points(x, y)
        if accuracy_m is not None:
            radius_m = np.asarray(accuracy_m, dtype=np.float64)
            if radius_m.shape != x.shape:
                raise ValueError(f"accuracy_m must have the shape {x.shape} of lon, not {radius_m.shape}")
            self._prefer_overlap(found, x, y, radius_m)
        return found

    def locate_circle(self, lon: float, lat: float, accuracy_m: float) -> tuple[int, How, float | None]:
        """`locate` for one circle: the cell's number or -1, how, and its share of the circle."""
        found = self.locate([lon], [lat], [accuracy_m])
        share = float(found.share[0])
        return int(found.cell[0]), How(int(found.how[0])), None if np.isnan(share) else share

    def place(self, lon: float, lat: float, accuracy_m: float | None = None) -> Place:
        """`locate` for one position, with the codes spelt out."""
        found = self.locate([lon], [lat], None if accuracy_m is None else [accuracy_m])
        cell, share = int(found.cell[0]), float(found.share[0])
        path = () if cell < 0 else self.grid.paths[cell]
        return Place(
            lon,
            lat,
            path[-1] if path else None,
            path,
            How(int(found.how[0])).text,
            None if np.isnan(share) else share,
            Note(int(found.note[0])).text,
        )

    def _locate_points(self, lon: FloatArray, lat: FloatArray) -> Located:
        count = len(lon)
        found = Located(
            cell=np.full(count, -1, dtype=np.int32),
            how=np.full(count, How.NONE, dtype=np.uint8),
            note=np.full(count, Note.NOTHING, dtype=np.uint8),
            share=np.full(count, np.nan),
        )
        zero = (lon == 0.0) & (lat == 0.0)
        possible = (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0)
        rows = np.flatnonzero(possible & ~zero)
        # A raster of "this square lies wholly in that leaf" belongs here, before the exact test.
        rows = self._settle(found, rows, How.EXACT, self._leaf_numbers, _first_holding(self._leaves, lon, lat, rows))
        nearest = self._edges.nearest_shape(lon[rows], lat[rows], self.tolerance_m)
        rows = self._settle(found, rows, How.NEAREST, self._leaf_numbers, nearest)
        rows = self._settle(found, rows, How.GAP, self._branch_numbers, _first_holding(self._branches, lon, lat, rows))
        found.how[rows] = How.OUTSIDE
        found.note[rows[self._outside_bounds_m(lon[rows], lat[rows]) > self.far_m]] = Note.FAR_AWAY
        found.note[~possible & ~(np.isnan(lon) | np.isnan(lat))] = Note.OUT_OF_RANGE
        lost = np.flatnonzero(found.cell < 0)
        west, south, east, north = self._bounds
        swapped = (lat[lost] >= west) & (lat[lost] <= east) & (lon[lost] >= south) & (lon[lost] <= north)
        found.note[lost[swapped]] = Note.SWAPPED
        found.note[zero] = Note.ZERO_ISLAND
        return found

    def _settle(
        self, found: Located, rows: Indices, how: How, numbers: npt.NDArray[np.int32], shape: Indices
    ) -> Indices:
        """Write down the rows that have a shape (not -1) and return those left over."""
        hit = shape >= 0
        found.cell[rows[hit]] = numbers[shape[hit]]
        found.how[rows[hit]] = how
        return rows[~hit]

    def _outside_bounds_m(self, lon: FloatArray, lat: FloatArray) -> FloatArray:
        west, south, east, north = self._bounds
        return distance_m(lon, lat, np.clip(lon, west, east), np.clip(lat, south, north))

    def _prefer_overlap(self, found: Located, lon: FloatArray, lat: FloatArray, radius_m: FloatArray) -> None:
        rows = np.flatnonzero((found.how != How.NONE) & (radius_m > 0.0) & (np.abs(lat) <= 89.0))
        shares = circle_shares(lon[rows], lat[rows], radius_m[rows], self._leaves)
        best = np.zeros(len(rows))
        np.maximum.at(best, shares.circle, shares.share)
        winner = np.full(len(rows), -1, dtype=np.int64)
        among = np.flatnonzero(shares.share >= best[shares.circle] - TIE_SHARE)[::-1]
        winner[shares.circle[among]] = shares.shape[among]  # shapes ascend, so reversed the smallest code stays
        met = winner >= 0
        alone = np.bincount(shares.circle, minlength=len(rows)) == 1
        leaf = self._leaf_numbers[winner[met]]
        exact = alone[met] & (found.how[rows[met]] == How.EXACT) & (found.cell[rows[met]] == leaf)
        found.cell[rows[met]] = leaf
        found.how[rows[met]] = np.where(exact, How.EXACT, How.OVERLAP)
        found.note[rows[met]] = Note.NOTHING
        found.share[rows[met]] = np.round(np.minimum(best[met], 1.0), 3)


def _first_holding(tree: shapely.STRtree, lon: FloatArray, lat: FloatArray, rows: Indices) -> Indices:
    """Per row the lowest position in the tree of a shape that covers the point, or -1."""
    first = np.full(len(rows), len(tree), dtype=np.int64)
    if len(rows):
        x, y = lon[rows], lat[rows]
        point, shape = tree.query(shapely.points(x, y))
        inside = shapely.intersects_xy(tree.geometries[shape], x[point], y[point])
        np.minimum.at(first, point[inside], shape[inside])
    first[first == len(tree)] = -1
    return first
