"""A made-up city with as many leaves as wanted: the synthetic one's shapes and proportions, and little in it."""

import csv
import io
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson

from geo import Kind, Thing
from geo.city import CELLS
from geo.honeycomb import Honeycomb, grow, honeycomb, outline

__all__ = ["GrownCity"]

SIDE, SPACING_M, LON, LAT = 260, 270.0, 103.0, 25.0  # about 35,000 hexagons: the most leaves there can be
THINGS: Final = 200  # assets, and roads in the gazetteer: what reports name instead of a position

Indices = npt.NDArray[np.int64]


class _Cell(NamedTuple):
    code: str
    level: int
    parent: str | None
    hexagons: Indices


class GrownCity:
    """See `bench.town.Made`. The same seed and number of leaves give the same city.

    Args:
        seed: of its shapes.
        leaves: about so many; the levels above have their share of them as in the synthetic city.
    """

    def __init__(self, seed: int, leaves: int) -> None:
        self._rng = np.random.Generator(np.random.PCG64([seed, leaves]))
        self._mesh: Honeycomb = honeycomb(self._rng, LON, LAT, SIDE, SPACING_M)
        self._cells = self._grown([max(1, round(count * leaves / CELLS[-1])) for count in CELLS])
        self._leaves = [cell for cell in self._cells if cell.level == len(CELLS)]

    @cached_property
    def population(self) -> Mapping[str, int]:
        """As many people in each leaf as in any other."""
        return MappingProxyType({leaf.code: 1 for leaf in self._leaves})

    def grid_geojson(self) -> bytes:
        """For `load_grid`."""
        features: list[dict[str, Any]] = [
            {
                "type": "Feature",
                "properties": {"code": cell.code, "name": cell.code, "level": cell.level, "parent": cell.parent},
                "geometry": {"type": "Polygon", "coordinates": outline(self._mesh, cell.hexagons)},
            }
            for cell in self._cells
        ]
        return orjson.dumps({"type": "FeatureCollection", "features": features})

    @cached_property
    def things(self) -> tuple[Thing, ...]:
        """Assets, each in the middle of a hexagon."""
        return tuple(
            Thing(f"asset-{n:05d}", Kind.ASSET, lon, lat, code, f"asset {n}", MappingProxyType({}))
            for n, (lon, lat, code) in enumerate(self._middles())
        )

    @cached_property
    def gazetteer_csv(self) -> bytes:
        """A road beside each asset."""
        rows = [[f"和平{n}路", "", "road", lon, lat, code] for n, (lon, lat, code) in enumerate(self._middles())]
        return _csv(["name", "aliases", "kind", "lon", "lat", "cell"], rows)

    def things_csv(self) -> bytes:
        """For `load_things`."""
        rows = [[each.id, each.kind, each.lon, each.lat, each.cell, each.name] for each in self.things]
        return _csv(["id", "kind", "lon", "lat", "cell", "name"], rows)

    def _middles(self) -> list[tuple[float, float, str]]:
        """Middles of hexagons of leaves all over the city."""
        found = []
        for leaf in self._leaves[:: max(1, len(self._leaves) // THINGS)]:
            lon, lat = self._mesh.vertices[self._mesh.corners[leaf.hexagons[0]]].mean(axis=0).round(6).tolist()
            found.append((lon, lat, leaf.code))
        return found

    def _grown(self, counts: list[int]) -> list[_Cell]:
        """All levels, parents before children, each parent cut into as many as its size has a share in."""
        above, cells = [_Cell("", 0, None, np.arange(len(self._mesh)))], list[_Cell]()
        for level, count in enumerate(counts, start=1):
            share = count / sum(len(cell.hexagons) for cell in above)
            below = [
                _Cell(f"{parent.code}{serial:03d}", level, parent.code or None, hexagons)
                for parent in above
                for serial, hexagons in enumerate(
                    grow(self._rng, self._mesh, parent.hexagons, _parts(len(parent.hexagons), share)), start=1
                )
            ]
            cells += below
            above = below
        return cells


def _parts(hexagons: int, share: float) -> int:
    return min(hexagons, max(1, round(hexagons * share)))


def _csv(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return text.getvalue().encode()
