"""Things on the map that can be added, moved and removed: what is near here, what is in this cell.

One mutable R-tree (degrees) per kind proposes; true metres decide. The tree's own idea of "nearest" is in degrees,
where north is longer than east, so it only yields a distance within which k things surely lie; all things in the box
around that circle are then measured. Ties go to the smallest id.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
from rtree import index

from geo.locator import Locator
from geo.metric import distance_m, metres_per_degree
from geo.things import MAX_LAT, MAX_LON, Kind, Thing

MAX_THINGS = 1_000_000  # about a gigabyte
MAX_RADIUS_M = 50_000.0  # across a city; metres are only true near by


class Registry:
    """Things by id, place and cell. Not safe for threads: the R-tree isn't."""

    def __init__(self, locator: Locator, things: Iterable[Thing] = ()) -> None:
        """Raise ValueError or KeyError as `add` does."""
        self._locator = locator
        self._things: dict[str, Thing] = {}
        self._serial_of: dict[str, int] = {}
        self._id_of: dict[int, str] = {}
        self._next_serial = 0
        self._in_cell: dict[tuple[str, Kind], set[str]] = defaultdict(set)
        self._trees: dict[Kind, index.Index] = {}
        placed = self._placed(list(things))
        for thing in placed:
            self._enter(thing)
        for kind in Kind:
            boxes = [(self._serial_of[t.id], _box(t), None) for t in placed if t.kind is kind]
            # The stream constructor packs the tree: twenty times faster to build than thing by thing.
            self._trees[kind] = index.Index(boxes) if boxes else index.Index()

    def __len__(self) -> int:
        return len(self._things)

    def __iter__(self) -> Iterator[Thing]:
        """Iterate in the order in which they were added or last moved."""
        return iter(self._things.values())

    def __contains__(self, thing_id: object) -> bool:
        return thing_id in self._things

    def get(self, thing_id: str) -> Thing:
        """Return the thing, with its cell. Raises KeyError."""
        return self._things[thing_id]

    def add(self, thing: Thing) -> Thing:
        """Take a thing in and return it with its cell.

        Raises ValueError for an id already used or a position out of bounds, KeyError for an unknown cell.
        """
        [placed] = self._placed([thing])
        self._enter(placed)
        self._trees[placed.kind].insert(self._serial_of[placed.id], _box(placed))
        return placed

    def move(self, thing_id: str, lon: float, lat: float, cell: str | None = None) -> Thing:
        """Put a thing elsewhere and return it; its cell is looked up unless given. Raises KeyError and ValueError."""
        moved = replace(self._things[thing_id], lon=lon, lat=lat, cell=cell)
        [moved] = self._placed([moved], known=thing_id)
        self.remove(thing_id)
        return self.add(moved)

    def remove(self, thing_id: str) -> Thing:
        """Forget a thing and return it. Raises KeyError."""
        thing = self._things.pop(thing_id)
        serial = self._serial_of.pop(thing_id)
        del self._id_of[serial]
        self._trees[thing.kind].delete(serial, _box(thing))
        for code in self._path(thing):
            self._in_cell[code, thing.kind].discard(thing_id)
        return thing

    def nearest(self, lon: float, lat: float, k: int, kind: Kind | None = None) -> list[tuple[Thing, float]]:
        """Return the k nearest things with their metres, nearest first; fewer if there are fewer. Raises ValueError."""
        _check_position(lon, lat)
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        found: list[tuple[Thing, float]] = []
        for one in self._kinds(kind):
            likely = list(islice(self._trees[one].nearest((lon, lat, lon, lat), k), k))
            if likely:
                reach_m = max(metres for _, metres in self._measured(lon, lat, likely))
                found += self._near(lon, lat, reach_m, one)
        return sorted(found, key=_by_distance)[:k]

    def within(self, lon: float, lat: float, radius_m: float, kind: Kind | None = None) -> list[tuple[Thing, float]]:
        """Return all things at most that far, with their metres, nearest first. Raises ValueError."""
        _check_position(lon, lat)
        if not 0.0 <= radius_m <= MAX_RADIUS_M:
            raise ValueError(f"radius_m must be 0..{MAX_RADIUS_M:.0f}, not {radius_m}")
        return sorted(
            (near for one in self._kinds(kind) for near in self._near(lon, lat, radius_m, one)), key=_by_distance
        )

    def in_cell(self, code: str, kind: Kind | None = None) -> list[Thing]:
        """Return the things in that cell or in any below it, by id. Raises KeyError for an unknown cell."""
        self._locator.grid.number(code)
        ids = sorted(thing_id for one in self._kinds(kind) for thing_id in self._in_cell.get((code, one), ()))
        return [self._things[thing_id] for thing_id in ids]

    def _kinds(self, kind: Kind | None) -> Iterable[Kind]:
        return Kind if kind is None else (kind,)

    def _path(self, thing: Thing) -> tuple[str, ...]:
        return () if thing.cell is None else self._locator.grid.path(thing.cell)

    def _placed(self, things: list[Thing], known: str | None = None) -> list[Thing]:
        """Return the things with their cells, all checked before any is taken in."""
        fresh: set[str] = set()
        for thing in things:
            _check_position(thing.lon, thing.lat)
            self._path(thing)
            if thing.id in fresh or (thing.id in self._things and thing.id != known):
                raise ValueError(f"there already is a thing {thing.id}")
            fresh.add(thing.id)
        if len(self._things) + len(fresh) > MAX_THINGS:
            raise ValueError(f"more than {MAX_THINGS} things")
        homeless = [thing for thing in things if thing.cell is None]
        found = self._locator.locate([thing.lon for thing in homeless], [thing.lat for thing in homeless])
        codes = self._locator.grid.codes
        cell_of = {
            thing.id: None if number < 0 else codes[number]
            for thing, number in zip(homeless, found.cell.tolist(), strict=True)
        }
        return [replace(thing, cell=cell_of[thing.id]) if thing.id in cell_of else thing for thing in things]

    def _enter(self, thing: Thing) -> None:
        self._things[thing.id] = thing
        self._serial_of[thing.id] = self._next_serial
        self._id_of[self._next_serial] = thing.id
        self._next_serial += 1
        for code in self._path(thing):
            self._in_cell[code, thing.kind].add(thing.id)

    def _near(self, lon: float, lat: float, radius_m: float, kind: Kind) -> list[tuple[Thing, float]]:
        # A degree of longitude is shortest at the box's poleward edge, one of latitude at the equator: the box is never
        # too small. The margin is for rounding.
        _, shortest_m = metres_per_degree(0.0)
        reach_y = radius_m / float(shortest_m) * 1.000001 + 1e-9
        narrowest_m, _ = metres_per_degree(min(abs(lat) + reach_y, 89.9))
        reach_x = radius_m / float(narrowest_m) * 1.000001 + 1e-9
        box = (lon - reach_x, lat - reach_y, lon + reach_x, lat + reach_y)
        near = self._measured(lon, lat, self._trees[kind].intersection(box))
        return [(thing, metres) for thing, metres in near if metres <= radius_m]

    def _measured(self, lon: float, lat: float, serials: Iterable[int]) -> list[tuple[Thing, float]]:
        things = [self._things[self._id_of[serial]] for serial in serials]
        positions = np.array([(thing.lon, thing.lat) for thing in things], dtype=np.float64).reshape(-1, 2)
        return list(zip(things, distance_m(lon, lat, positions[:, 0], positions[:, 1]).tolist(), strict=True))


def _by_distance(near: tuple[Thing, float]) -> tuple[float, str]:
    return near[1], near[0].id


def _box(thing: Thing) -> tuple[float, float, float, float]:
    return (thing.lon, thing.lat, thing.lon, thing.lat)


def _check_position(lon: float, lat: float) -> None:
    if not (abs(lon) <= MAX_LON and abs(lat) <= MAX_LAT):
        raise ValueError(f"({lon}, {lat}) lies beyond ±{MAX_LON:g}° of longitude or ±{MAX_LAT:g}° of latitude")
