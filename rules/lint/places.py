"""Categories and places that the rules of a policy can tell apart.

Given the grid, places are its cells. Without it they are the cells that rules name, one inside the other when its code
begins with the other's (530002001 lies in 530002), and any other place.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rules.index import Dimension
from rules.layout import Layout, bits
from rules.policy import Policy

Path = tuple[str, ...]
"""Cells around a place, root first."""

ANY = "any "
"""Before a level's name: a cell of that level that no rule names. Not a code, since codes have no spaces."""


class Kind(NamedTuple):
    """Categories that no rule tells apart: the rows of the layout that they satisfy."""

    codes: tuple[str | None, ...]
    rows: int


class Spot(NamedTuple):
    """Places that no rule tells apart.

    `cells`: the named cells around them (level, code, rows that name it), deepest first. `levels`: those of which they
    have a unit that some route may have as lead. `leaves`: the level-1 cells in which they are cells without parts.
    """

    path: Path
    rows: int
    cells: tuple[tuple[int, str, int], ...]
    levels: frozenset[str]
    leaves: frozenset[str]


def named_cells(policy: Policy) -> tuple[str, ...]:
    """Return the cells that conditions of rules name, sorted."""
    rules = (*policy.guards, *policy.routes, *policy.overlays)
    parts = [part for rule in rules for part in (*rule.when.require, *rule.when.exclude) if part.key == "grid"]
    return tuple(sorted({str(value) for part in parts for value in part.values}))


def guessed_paths(cells: Iterable[str], levels: Sequence[str]) -> tuple[Path, ...]:
    """Return a path for each cell, and one for any other place, down to the last level."""
    known = sorted(cells, key=lambda code: (len(code), code))
    paths = [tuple(outer for outer in known if code.startswith(outer)) for code in known]
    return tuple(filled(path, levels) for path in [(), *paths])


def filled(path: Path, levels: Sequence[str]) -> Path:
    """Return a path that goes on, with cells that no rule names, down to the last level."""
    return path + tuple(ANY + level for level in levels[len(path) :])


def kinds_of(policy: Policy, dimension: Dimension) -> list[Kind]:
    """Every category of the catalogue and none at all, by class."""
    found: dict[int, list[str | None]] = {}
    for code in (*policy.categories, None):
        found.setdefault(dimension.mask_for(code), []).append(code)
    return [Kind(tuple(codes), rows) for rows, codes in found.items()]


def spots_of(policy: Policy, layout: Layout, dimension: Dimension, paths: Sequence[Path] | None) -> list[Spot]:
    """Every place and none at all, by class: those around which the fewest cells are named come first."""
    named = named_cells(policy)
    naming = dict.fromkeys(named, 0)
    for index in bits(layout.routes):
        for cell in layout.rows[index].cells:
            naming[cell] |= 1 << index
    if paths is None:
        paths = guessed_paths(named, policy.grid_levels)
    asked = {name.partition("@")[2] for name in (route.lead for route in policy.routes)}
    outer = {path[:length] for path in paths for length in range(len(path))}
    found: dict[tuple[int, tuple[tuple[int, str], ...], frozenset[str]], tuple[Path, set[str]]] = {}
    for path in dict.fromkeys([(), *paths]):
        cells = tuple((level, cell) for level, cell in enumerate(path, 1) if naming.get(cell))
        alike = dimension.mask_for(path), cells, frozenset(policy.grid_levels[: len(path)]) & asked
        _, leaves = found.setdefault(alike, (path, set()))
        leaves.update(path[:1] if path not in outer else ())
    spots = [
        Spot(
            path=path,
            rows=rows,
            cells=tuple((level, cell, naming[cell]) for level, cell in reversed(cells)),
            levels=levels,
            leaves=frozenset(leaves),
        )
        for (rows, cells, levels), (path, leaves) in found.items()
    ]
    return sorted(spots, key=lambda spot: len(spot.cells))
