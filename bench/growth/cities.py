"""A made-up city with as many leaves as wanted: the synthetic one's shapes and proportions, and little in it."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

import numpy as np

from geo import Kind, Thing
from geo.city import CELLS, LAT, LON, SIDE, SPACING_M, Cell, City, to_csv
from geo.honeycomb import Honeycomb, grow, honeycomb

__all__ = ["grown_city"]

THINGS: Final = 200  # assets, and roads in the gazetteer: what reports name instead of a position


def grown_city(seed: int, leaves: int) -> City:
    """Make one; the same seed and number of leaves give the same.

    Args:
        seed: of its shapes.
        leaves: about so many; the levels above have their share of them as in the synthetic city. In each there are as
            many people as in any other.
    """
    rng = np.random.Generator(np.random.PCG64([seed, leaves]))
    mesh = honeycomb(rng, LON, LAT, SIDE, SPACING_M)
    cells = _grown(rng, mesh, [max(1, round(count * leaves / CELLS[-1])) for count in CELLS])
    lowest = [cell for cell in cells if cell.level == len(CELLS)]
    middles = list(enumerate(_middles(mesh, lowest)))
    return City(
        seed=seed,
        things=tuple(
            [
                Thing(f"asset-{n:05d}", Kind.ASSET, lon, lat, code, f"asset {n}", MappingProxyType({}))
                for n, (lon, lat, code) in middles
            ]
        ),
        population=MappingProxyType({leaf.code: 1 for leaf in lowest}),
        gazetteer_csv=to_csv(  # a road beside each asset
            ["name", "aliases", "kind", "lon", "lat", "cell"],
            [[f"和平{n}路", "", "road", lon, lat, code] for n, (lon, lat, code) in middles],
        ),
        cells=cells,
        mesh=mesh,
    )


def _middles(mesh: Honeycomb, leaves: Sequence[Cell]) -> list[tuple[float, float, str]]:
    """Middles of hexagons of leaves all over the city."""
    found = []
    for leaf in leaves[:: max(1, len(leaves) // THINGS)]:
        lon, lat = mesh.vertices[mesh.corners[leaf.hexagons[0]]].mean(axis=0).round(6).tolist()
        found.append((lon, lat, leaf.code))
    return found


def _grown(rng: np.random.Generator, mesh: Honeycomb, counts: Sequence[int]) -> list[Cell]:
    """All levels, parents before children, each parent cut into as many as its size has a share in."""
    above, cells = [Cell("", "", 0, None, np.arange(len(mesh)))], list[Cell]()
    for level, count in enumerate(counts, start=1):
        share = count / sum(len(cell.hexagons) for cell in above)
        below = []
        for parent in above:
            parts = grow(rng, mesh, parent.hexagons, _parts(len(parent.hexagons), share))
            for serial, hexagons in enumerate(parts, start=1):
                code = f"{parent.code}{serial:03d}"
                below.append(Cell(code, code, level, parent.code or None, hexagons))
        cells += below
        above = below
    return cells


def _parts(hexagons: int, share: float) -> int:
    return min(hexagons, max(1, round(hexagons * share)))
