"""Where the bench takes place: the synthetic city, ready to be asked for positions and to place reports."""

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
import shapely

from dispatcher.core import Asset, Intake, Placer
from geo import Grid, Locator, Thing, load_gazetteer, load_grid
from geo.city import City, synthetic_city

__all__ = ["Town", "Where"]

Floats = npt.NDArray[np.float64]


class Where(Protocol):
    """What whoever reports has to know of a place."""

    @property
    def assets(self) -> Sequence[Thing]:
        """What is registered and may be named in a report."""

    def positions(self, rng: np.random.Generator, count: int) -> tuple[Floats, Floats, list[str]]:
        """Draw positions: lon, lat and the code of the leaf each lies in."""


class Town:
    """6,063 leaves with their people, 13,000 assets and a gazetteer, made from a seed in about five seconds.

    Args:
        seed: of the synthetic city.
        city: another one.
    """

    def __init__(self, seed: int, city: City | None = None) -> None:
        self.city: City = synthetic_city(seed) if city is None else city
        self.grid: Grid = load_grid(self.city.grid_geojson())
        self.leaves: list[str] = [self.grid.codes[number] for number in self.grid.leaf_numbers]
        self._shapes = self.grid.geometries[self.grid.leaf_numbers]
        shapely.prepare(self._shapes)
        people = np.array([self.city.population[code] for code in self.leaves], dtype=np.float64)
        self._share = people / people.sum()

    @cached_property
    def assets(self) -> Sequence[Thing]:
        """What is registered and may be named in a report."""
        return [thing for thing in self.city.things if thing.kind == "asset"]

    @cached_property
    def locator(self) -> Locator:
        """Over all leaves."""
        return Locator(self.grid)

    @cached_property
    def placer(self) -> Placer:
        """With every clue a report may give: position, asset, cell, address."""
        assets = {thing.id: Asset(thing.lon, thing.lat) for thing in self.city.things}
        gazetteer = load_gazetteer(self.city.gazetteer_csv, cells=self.grid)
        return Placer(self.grid, self.locator, gazetteer=gazetteer, assets=assets)

    @cached_property
    def intake(self) -> Intake:
        """Stage 1."""
        return Intake(self.placer)

    def positions(self, rng: np.random.Generator, count: int) -> tuple[Floats, Floats, list[str]]:
        """Draw positions by population: lon, lat (WGS84, six decimals) and the code of the leaf each lies in.

        The leaf is drawn first and its shape is then asked about every point, so the codes are known without locating.
        """
        leaf = rng.choice(len(self.leaves), count, p=self._share)
        west, south, east, north = shapely.bounds(self._shapes[leaf]).T
        lon, lat = np.empty(count), np.empty(count)
        missing = np.arange(count)
        while len(missing):
            x = np.round(rng.uniform(west[missing], east[missing]), 6)
            y = np.round(rng.uniform(south[missing], north[missing]), 6)
            inside = shapely.contains_xy(self._shapes[leaf[missing]], x, y)
            lon[missing], lat[missing] = x, y
            missing = missing[~inside]
        return lon, lat, [self.leaves[number] for number in leaf.tolist()]
