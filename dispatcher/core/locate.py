"""The place of a report, as the source gave it: a position, an asset, a cell or an address, in that order.

Positions of a whole batch are located at once; the rest is looked up one by one. No report is refused here: what has
no usable place gets a place that says so, and why.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from msgspec.structs import replace

from dispatcher.core.messages import Location
from geo import Gazetteer, Grid, How, Locator, Note, Place, place_by, to_wgs84

__all__ = ["NOWHERE", "WGS84", "Asked", "Asset", "Placer", "Places", "Whereabouts"]

WGS84 = (None, "wgs84", "cgcs2000")  # the two agree to centimetres
NOWHERE = Place(None, None, None, (), "none", None, None)
_HOW = [how.text for how in sorted(How)]
_NOTE = [note.text for note in sorted(Note)]


class Asset(NamedTuple):
    """Where a registered thing stands (WGS84)."""

    lon: float
    lat: float


class Whereabouts(Protocol):
    """What says where it is, and in whose words: a report, or the `Asked` of an update."""

    @property
    def source(self) -> str:
        """The source, whose coordinate system holds where the location names none."""

    @property
    def location(self) -> Location | None:
        """The place as it was given."""


class Asked(NamedTuple):
    """A place asked for outside a report."""

    source: str
    location: Location | None


class Places(Protocol):
    """Whatever says where reports are."""

    def place(self, reports: Sequence[Whereabouts]) -> list[Place]:
        """A place for each report; one that cannot be found is said to be nowhere, never refused."""
        ...


class Placer:
    """Places reports on one grid.

    Args:
        grid: the cells.
        locator: built over the same grid.
        gazetteer: names of places; without one, addresses locate nothing.
        assets: places of registered things by id.
        crs_of: coordinate system of each source that does not use WGS84.
    """

    def __init__(
        self,
        grid: Grid,
        locator: Locator,
        *,
        gazetteer: Gazetteer | None = None,
        assets: Mapping[str, Asset] | None = None,
        crs_of: Mapping[str, str] | None = None,
    ) -> None:
        self.grid = grid
        self._locator = locator
        self._gazetteer = gazetteer
        self._crs_of = crs_of or {}
        self._assets = self._place_assets(assets or {})

    def _place_assets(self, assets: Mapping[str, Asset]) -> dict[str, Place]:
        """Where registered things stand, located once and all at once."""
        lons, lats = [asset.lon for asset in assets.values()], [asset.lat for asset in assets.values()]
        places = self._locate(lons, lats, [0.0] * len(assets), {}) if assets else []
        return {
            name: place if place.cell is None else replace(place, how=How.BY_ASSET.text, note=None)
            for name, place in zip(assets, places, strict=True)
        }

    def place(self, reports: Sequence[Whereabouts]) -> list[Place]:
        """A place for each of those that say where: reports, and updates that move an incident."""
        places = [NOWHERE] * len(reports)
        rows: list[int] = []
        lons: list[float] = []
        lats: list[float] = []
        radii_m: list[float] = []
        by_crs: dict[str, list[int]] = {}
        for index, report in enumerate(reports):
            location = report.location
            if location is None:
                continue
            if location.lon is None or location.lat is None:
                places[index] = self._look_up(location)
                continue
            crs = location.crs or self._crs_of.get(report.source, "wgs84")
            if crs not in WGS84:
                by_crs.setdefault(crs, []).append(len(rows))
            rows.append(index)
            lons.append(location.lon)
            lats.append(location.lat)
            radii_m.append(location.accuracy_m or 0.0)
        if rows:
            for index, place in zip(rows, self._locate(lons, lats, radii_m, by_crs), strict=True):
                places[index] = place if place.cell is not None else self._other_clue(reports[index].location, place)
        return places

    def _locate(
        self, lons: list[float], lats: list[float], radii_m: list[float], by_crs: Mapping[str, list[int]]
    ) -> list[Place]:
        """Positions -> places, all at once."""
        lon, lat = np.array(lons, dtype=np.float64), np.array(lats, dtype=np.float64)
        for crs, rows in by_crs.items():
            lon[rows], lat[rows] = to_wgs84(lon[rows], lat[rows], crs)
            lons, lats = lon.tolist(), lat.tolist()
        circles = any(radii_m)
        found = self._locator.locate(lon, lat, np.array(radii_m) if circles else None)
        shares = found.share.tolist() if circles else [float("nan")] * len(lons)
        paths = self.grid.paths
        places = []
        for x, y, cell, how, note, share in zip(
            lons, lats, found.cell.tolist(), found.how.tolist(), found.note.tolist(), shares, strict=True
        ):
            path = paths[cell] if cell >= 0 else ()
            code = path[-1] if cell >= 0 else None
            places.append(Place(x, y, code, path, _HOW[how], share if share == share else None, _NOTE[note]))  # noqa: PLR0124 - NaN
        return places

    def _other_clue(self, location: Location | None, place: Place) -> Place:
        """A position of no use leaves the asset, the cell or the address."""
        if location is not None and (location.asset or location.cell or location.address):
            other = self._look_up(location)
            if other.cell is not None:
                return other
        return place

    def _look_up(self, location: Location) -> Place:
        if location.asset is not None and location.asset in self._assets:
            return self._assets[location.asset]
        if location.cell is not None:
            if location.cell in self.grid:
                return place_by(How.BY_CELL, self.grid, location.cell)
            return _nowhere("unknown_cell")
        if location.address is not None and self._gazetteer is not None:
            return self._by_address(self._gazetteer, location.address)
        if location.asset is not None:
            return _nowhere("unknown_asset")
        if location.lon is not None or location.lat is not None:
            return _nowhere("incomplete_position")
        return NOWHERE

    def _by_address(self, gazetteer: Gazetteer, address: str) -> Place:
        match = gazetteer.find(address).entry
        if match is None:
            return _nowhere("address_not_unique")
        if match.cell is not None and match.cell in self.grid:
            return place_by(How.BY_ADDRESS, self.grid, match.cell, lon=match.lon, lat=match.lat)
        if match.lon is None or match.lat is None:
            return _nowhere("unknown_cell")
        return self._at_known(match.lon, match.lat, how=How.BY_ADDRESS)

    def _at_known(self, lon: float, lat: float, how: How) -> Place:
        found = self._locator.place(lon, lat)
        return found if found.cell is None else place_by(how, self.grid, found.cell, lon=lon, lat=lat)


def _nowhere(note: str) -> Place:
    return Place(None, None, None, (), "none", None, note)
