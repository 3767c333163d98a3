"""What is around a place, and who answers for it, as a document: the same on the command line and over HTTP."""

from typing import Any

import msgspec

from dispatcher.register.around import Near, Surroundings
from dispatcher.register.register import Register
from geo import Grid, Kind, Place

__all__ = ["NEAR_KINDS", "told_surroundings"]

NEAR_KINDS = ("centres", "reached", "officers", "compounds", "assets")


def told_surroundings(
    grid: Grid, register: Register | None, place: Place, found: Surroundings, *, people: bool = False
) -> dict[str, Any]:
    """The place, who is responsible at each level, and the things near it.

    Args:
        grid: names of cells.
        register: who stands behind them, if it is known.
        place: where.
        found: what is around it.
        people: with officers' names and telephones, which are personal data; their ids are not.
    """
    units = [_unit(register, place, level) for level in range(1, len(place.path) + 1)]
    return {
        "place": msgspec.to_builtins(place),
        "responsible": [
            {"level": level, "cell": code, "name": grid.name_of(code), "unit": unit}
            for level, (code, unit) in enumerate(zip(place.path, units, strict=True), 1)
        ],
        **{kind: [_listed(near, register, people=people) for near in getattr(found, kind)] for kind in NEAR_KINDS},
    }


def _unit(register: Register | None, place: Place, level: int) -> dict[str, str] | None:
    responsible = None if register is None else register.responsible(place.path, level)
    if responsible is None:
        return None
    return {"code": responsible.unit.code, "name": responsible.unit.name, "stated_by": responsible.stated_by}


def _listed(near: Near, register: Register | None, *, people: bool) -> dict[str, Any]:
    thing, compound = near.thing, near.compound
    listed: dict[str, Any] = {"id": thing.id, "cell": thing.cell, "metres": round(near.metres, 1)}
    if thing.kind is not Kind.OFFICER:
        listed["name"] = thing.name
    elif people:
        known = None if register is None else register.people.get(thing.id)
        listed |= {"name": known.name if known else thing.name, "phone": known.phone if known else None}
    if compound is not None and register is not None:
        listed["firm"] = None if compound.firm is None else register.firms[compound.firm].name
        listed["committee"] = compound.committee
        listed["sponsor"] = None if compound.sponsor is None else register.units[compound.sponsor].name
    return listed
