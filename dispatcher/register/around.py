"""What is near a place: service centres, officers, compounds, assets."""

from dataclasses import dataclass

import numpy as np

from dispatcher.register.records import Compound
from dispatcher.register.register import Register
from geo import Kind, Registry, Thing, distance_m

__all__ = ["Near", "Surroundings", "around"]


@dataclass(frozen=True, slots=True)
class Near:
    """A thing and how far it is as the crow flies; for a compound, what the register says of it."""

    thing: Thing
    metres: float
    compound: Compound | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The nearest of each kind, nearest first (ties: the smallest id); `reached` are all centres within the reach."""

    centres: tuple[Near, ...]
    reached: tuple[Near, ...]
    officers: tuple[Near, ...]
    compounds: tuple[Near, ...]
    assets: tuple[Near, ...]


def around(
    registry: Registry, register: Register | None, lon: float, lat: float, *, reach_m: float, count: int = 3
) -> Surroundings:
    """Find the `count` nearest of each kind, and all service centres within a straight line of `reach_m`.

    A compound that is a thing too (same id) stands where the thing stands; one that only the register has stands where
    the register says, or nowhere. WGS84 degrees. Raises ValueError for a position, reach or count that is none.
    """

    def nearest(kind: Kind) -> tuple[Near, ...]:
        return tuple(Near(thing, metres) for thing, metres in registry.nearest(lon, lat, count, kind))

    return Surroundings(
        centres=nearest(Kind.SERVICE_CENTRE),
        reached=tuple(Near(*found) for found in registry.within(lon, lat, reach_m, Kind.SERVICE_CENTRE)),
        officers=nearest(Kind.OFFICER),
        compounds=_compounds(registry, register, lon, lat, nearest(Kind.COMPOUND))[:count],
        assets=nearest(Kind.ASSET),
    )


def _compounds(
    registry: Registry, register: Register | None, lon: float, lat: float, things: tuple[Near, ...]
) -> tuple[Near, ...]:
    if register is None:
        return things
    known = register.compounds
    unmapped = [compound for compound in known.values() if compound.id not in registry]
    placed = [(compound, compound.lonlat) for compound in unmapped if compound.lonlat is not None]
    lonlat = np.array([position for _, position in placed], dtype=np.float64).reshape(-1, 2)
    metres = distance_m(lon, lat, lonlat[:, 0], lonlat[:, 1]).tolist()
    found = [Near(near.thing, near.metres, known.get(near.thing.id)) for near in things]
    for (compound, position), away_m in zip(placed, metres, strict=True):
        thing = Thing(compound.id, Kind.COMPOUND, *position, compound.cell, compound.name)
        found.append(Near(thing, away_m, compound))
    return tuple(sorted(found, key=lambda near: (near.metres, near.thing.id)))
