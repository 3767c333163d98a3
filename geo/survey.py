"""What is untidy about a grid that can be used all the same: overlaps, gaps and overhang, each with its m²."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geo.grid import Grid
from geo.metric import FloatArray, area_m2


class Untidiness(StrEnum):
    """What kind of warning."""

    OVERLAP = "overlap"  # two leaves, or two children of one parent, claim the same ground
    GAP = "gap"  # part of a parent lies in none of its children
    OVERHANG = "overhang"  # part of a child lies outside its parent


@dataclass(frozen=True, slots=True)
class GridWarning:
    """`cells`: the two that overlap; the parent with the gap; the child that overhangs and its parent."""

    kind: Untidiness
    cells: tuple[str, ...]
    area_m2: float

    def __str__(self) -> str:
        match self.kind:
            case Untidiness.OVERLAP:
                said = f"{self.cells[0]} and {self.cells[1]} overlap"
            case Untidiness.GAP:
                said = f"{self.cells[0]} is not wholly covered by its children"
            case Untidiness.OVERHANG:
                said = f"{self.cells[0]} reaches outside its parent {self.cells[1]}"
        return f"{self.kind}: {said}, {self.area_m2:.0f} m²"


def survey(grid: Grid, *, min_area_m2: float = 1.0) -> list[GridWarning]:
    """Return every warning of at least `min_area_m2` (less is rounding), by kind, the largest first."""
    found = [*_overlaps(grid), *_gaps(grid), *_overhang(grid)]
    order = list(Untidiness)
    return sorted(
        (warning for warning in found if warning.area_m2 >= min_area_m2),
        key=lambda warning: (order.index(warning.kind), -warning.area_m2, warning.cells),
    )


def _overlaps(grid: Grid) -> list[GridWarning]:
    siblings: dict[int, list[int]] = {}
    for number, parent in enumerate(grid.parent_numbers.tolist()):
        siblings.setdefault(parent, []).append(number)
    pairs = _touching(grid, grid.leaf_numbers.tolist()).union(
        *(_touching(grid, family) for family in siblings.values())
    )
    if not pairs:
        return []
    one, other = np.array(sorted(pairs), dtype=np.int64).T
    shared_m2 = area_m2(shapely.intersection(grid.geometries[one], grid.geometries[other]))
    return [
        GridWarning(Untidiness.OVERLAP, (grid.codes[a], grid.codes[b]), float(area))
        for a, b, area in zip(one, other, shared_m2, strict=True)
        if area > 0.0
    ]


def _touching(grid: Grid, cells: list[int]) -> set[tuple[int, int]]:
    """Return pairs of these cells that intersect, if only in a point."""
    shapes = grid.geometries[cells]
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects").tolist()
    return {(cells[a], cells[b]) for a, b in zip(first, second, strict=True) if a < b}


def _gaps(grid: Grid) -> list[GridWarning]:
    branches = [number for number in range(len(grid)) if grid.children(number)]
    unions = np.array(
        [shapely.union_all(grid.geometries[[grid.number(child) for child in grid.children(n)]]) for n in branches],
        dtype=object,
    )
    return [
        GridWarning(Untidiness.GAP, (grid.codes[number],), float(area))
        for number, area in zip(branches, _excess_m2(grid.geometries[branches], unions), strict=True)
        if area > 0.0
    ]


def _overhang(grid: Grid) -> list[GridWarning]:
    children = np.flatnonzero(grid.parent_numbers >= 0)
    parents = grid.parent_numbers[children]
    return [
        GridWarning(Untidiness.OVERHANG, (grid.codes[child], grid.codes[parent]), float(area))
        for child, parent, area in zip(
            children, parents, _excess_m2(grid.geometries[children], grid.geometries[parents]), strict=True
        )
        if area > 0.0
    ]


def _excess_m2(shapes: npt.NDArray[Any], covers: npt.NDArray[Any]) -> FloatArray:
    """Return the square metres of each shape outside its cover."""
    return area_m2(shapely.difference(shapes, covers))
