"""The grid: nested cells known by their codes, and the content hash by which a decision remembers which grid it saw.

Who is whose parent comes from the file's `parent`, never from the shapes: real boundaries overhang.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import shapely

from geo.features import Feature, GridProblem, read_features
from geo.metric import FloatArray, area_m2


class GridError(ValueError):
    """The grid can't be used; `problems` lists every reason found, in the order of the file."""

    def __init__(self, problems: list[GridProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Grid:
    """Cells in the order of their codes; a cell's number is its place in that order. Columns are parallel to `codes`.

    A method takes a cell as code or number and raises KeyError for a code, IndexError for a number that isn't one.
    """

    sha256: str
    codes: tuple[str, ...]
    names: tuple[str, ...]
    levels: int
    """The deepest level; level 1 is the coarsest. A cell at any level may be a leaf."""
    level_numbers: npt.NDArray[np.int32]
    parent_numbers: npt.NDArray[np.int32]
    """-1 for a cell of level 1."""
    leaf_numbers: npt.NDArray[np.int32]
    """The cells without children, ascending."""
    geometries: npt.NDArray[Any]
    area_m2: FloatArray
    paths: tuple[tuple[str, ...], ...]
    """From the root down to and including the cell itself."""
    _numbers: Mapping[str, int]
    _children: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.codes)

    def __contains__(self, code: object) -> bool:
        return code in self._numbers

    def __repr__(self) -> str:
        return f"<Grid {self.sha256[:12]} {len(self.codes)} cells, {self.levels} levels>"

    def number(self, cell: str | int | np.integer[Any]) -> int:
        """Return the cell's number."""
        if isinstance(cell, str):
            return self._numbers[cell]
        if not 0 <= cell < len(self.codes):
            raise IndexError(f"no cell has the number {cell}")
        return int(cell)

    def level_of(self, cell: str | int | np.integer[Any]) -> int:
        """Return the level, 1 for the coarsest."""
        return int(self.level_numbers[self.number(cell)])

    def name_of(self, cell: str | int | np.integer[Any]) -> str:
        """Return the name the file gives."""
        return self.names[self.number(cell)]

    def parent_of(self, cell: str | int | np.integer[Any]) -> str | None:
        """Return the parent's code, None at level 1."""
        parent = self.parent_numbers[self.number(cell)]
        return None if parent < 0 else self.codes[parent]

    def path(self, cell: str | int | np.integer[Any]) -> tuple[str, ...]:
        """Return the codes from the root down to and including the cell itself."""
        return self.paths[self.number(cell)]

    def children(self, cell: str | int | np.integer[Any]) -> tuple[str, ...]:
        """Return the codes of the cells directly below, ascending; empty for a leaf."""
        return self._children[self.number(cell)]

    @property
    def leaves(self) -> tuple[str, ...]:
        """Codes of the cells without children, ascending."""
        return tuple(self.codes[number] for number in self.leaf_numbers)

    def cells_at(self, level: int) -> tuple[str, ...]:
        """Return the codes of the cells at that level, ascending; empty if there is no such level."""
        return tuple(self.codes[number] for number in np.flatnonzero(self.level_numbers == level))


def load_grid(data: bytes) -> Grid:
    """Read a GeoJSON FeatureCollection of WGS84 polygons with the properties `code`, `name`, `level` and `parent`.

    Levels count from 1 (whose `parent` is null); other properties are ignored. Raises GridError with every problem.
    """
    features, problems = read_features(data)
    by_code: dict[str, Feature] = {}
    for feature in features:
        first = by_code.setdefault(feature.code, feature)
        if first is not feature:
            message = f"duplicate code, already used by feature {first.index}"
            problems.append(GridProblem(feature.index, feature.code, message))
    for feature in features:
        message_or_none = _family_problem(feature, by_code)
        if message_or_none is not None:
            problems.append(GridProblem(feature.index, feature.code, message_or_none))
    problems += _outside_parent(features, by_code)
    if problems:
        raise GridError(sorted(problems, key=lambda problem: -1 if problem.feature is None else problem.feature))
    return _build([by_code[code] for code in sorted(by_code)])


def _family_problem(feature: Feature, by_code: Mapping[str, Feature]) -> str | None:
    if not feature.parent_known or feature.level is None:
        return None
    if feature.parent is None:
        return None if feature.level == 1 else f"level {feature.level} without a parent; only level 1 has none"
    if feature.level == 1:
        return f"level 1 has the parent {feature.parent}; it must be null"
    parent = by_code.get(feature.parent)
    if parent is None:
        return f"its parent {feature.parent} is not in the file"
    if parent.level is not None and feature.level != parent.level + 1:
        return f"level {feature.level} under {feature.parent} of level {parent.level}; it must be one more"
    return None


def _outside_parent(features: list[Feature], by_code: Mapping[str, Feature]) -> list[GridProblem]:
    pairs = [
        (feature, parent)
        for feature in features
        if feature.parent is not None and feature.geometry is not None
        for parent in [by_code.get(feature.parent)]
        if parent is not None and parent.geometry is not None
    ]
    cells = np.array([feature.geometry for feature, _ in pairs], dtype=object)
    parents = np.array([parent.geometry for _, parent in pairs], dtype=object)
    shapely.prepare(parents)
    inside = shapely.covers(parents, cells)
    shared_m2 = np.zeros(len(pairs))
    shared_m2[~inside] = area_m2(shapely.intersection(cells[~inside], parents[~inside]))
    total_m2 = area_m2(cells)
    return [
        GridProblem(
            feature.index,
            feature.code,
            f"{1 - shared / total:.0%} of its {total:.0f} m² lie outside its parent {parent.code}; at most half may",
        )
        for (feature, parent), covered, shared, total in zip(pairs, inside, shared_m2, total_m2, strict=True)
        if not covered and shared < 0.5 * total
    ]


def _build(features: list[Feature]) -> Grid:
    """From features without problems, in the order of their codes."""
    codes = tuple(feature.code for feature in features)
    numbers = {code: number for number, code in enumerate(codes)}
    levels = np.array([feature.level for feature in features], dtype=np.int32)
    parents = np.array([-1 if f.parent is None else numbers[f.parent] for f in features], dtype=np.int32)
    paths: list[tuple[str, ...]] = [()] * len(codes)
    children: list[list[str]] = [[] for _ in codes]
    for number in np.argsort(levels, kind="stable").tolist():  # parents before their children
        parent = int(parents[number])
        if parent < 0:
            paths[number] = (codes[number],)
        else:
            paths[number] = (*paths[parent], codes[number])
            children[parent].append(codes[number])
    geometries = np.array([feature.geometry for feature in features], dtype=object)
    grid = Grid(
        sha256=_content_hash(features, geometries),
        codes=codes,
        names=tuple(str(feature.name) for feature in features),
        levels=int(levels.max()),
        level_numbers=levels,
        parent_numbers=parents,
        leaf_numbers=np.array([n for n, below in enumerate(children) if not below], dtype=np.int32),
        geometries=geometries,
        area_m2=area_m2(geometries),
        paths=tuple(paths),
        _numbers=MappingProxyType(numbers),
        _children=tuple(map(tuple, children)),
    )
    for column in (grid.level_numbers, grid.parent_numbers, grid.leaf_numbers, grid.geometries, grid.area_m2):
        column.flags.writeable = False
    return grid


def _content_hash(features: list[Feature], geometries: npt.NDArray[Any]) -> str:
    """Of codes, names, levels, parents and every vertex as a float64.

    The order of features, the spelling of the JSON and of its numbers, and other properties don't matter; nor does
    whether a single polygon is written as a MultiPolygon. The order of a ring's vertices does.
    """
    digest = hashlib.sha256(orjson.dumps([(f.code, f.name, f.level, f.parent) for f in features]))
    polygons, owner = shapely.get_parts(geometries, return_index=True)
    _, vertices, offsets = shapely.to_ragged_array(shapely.multipolygons(polygons, indices=owner))
    digest.update((vertices + 0.0).astype("<f8").tobytes())  # + 0.0 makes -0.0 the same number as 0.0
    for offset in offsets:
        digest.update(np.asarray(offset).astype("<i8").tobytes())
    return digest.hexdigest()
