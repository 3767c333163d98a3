"""What is near a place, against measuring everything, in random towns."""

import random

import pytest
from register_small import GRID, load, straight_m

from dispatcher.register import around
from geo import Kind, Locator, Registry, Thing

LOCATOR = Locator(GRID)
KINDS = {
    "centres": Kind.SERVICE_CENTRE,
    "officers": Kind.OFFICER,
    "compounds": Kind.COMPOUND,
    "assets": Kind.ASSET,
}


def town(seed, count):
    """Things all over the place, and a register that knows some compounds of the map and some that it doesn't have."""
    rng = random.Random(seed)

    def position():
        return round(100 + rng.random() * 0.04, 6), round(25 + rng.random() * 0.02, 6)

    things = [Thing(f"t{n}", rng.choice(list(Kind)), *position(), "1") for n in range(count)]
    rows = []
    for number in range(count):
        lon, lat = position()
        rows.append(f"{rng.choice('tr')}{number},Name {number},1,f1,,,{lon},{lat}")  # a t… may be on the map
    rows.append("nowhere,Unplaced,1,f1,,,,")
    kept = [thing for thing in things if thing.kind is Kind.COMPOUND or f"{thing.id}," not in "\n".join(rows)]
    register = load(compounds="id,name,cell,firm,committee,sponsor,lon,lat\n" + "\n".join(rows) + "\n")
    return kept, register, position


@pytest.mark.parametrize("seed", range(6))
def test_random_towns_against_measuring_everything(seed):
    things, register, position = town(seed, 60)
    registry = Registry(LOCATOR, things)
    places = {thing.id: (thing.lon, thing.lat) for thing in things if thing.kind is Kind.COMPOUND}
    places = {each.id: each.lonlat for each in register.compounds.values() if each.lonlat} | places
    for _ in range(40):
        lon, lat = position()
        count, reach = random.Random(lon).choice([(1, 300.0), (3, 831.0), (200, 2000.0)])
        found = around(registry, register, lon, lat, reach_m=reach, count=count)
        for name, kind in KINDS.items():
            at = {thing.id: (thing.lon, thing.lat) for thing in things if thing.kind is kind}
            at = places if kind is Kind.COMPOUND else at
            brute = sorted((straight_m(lon, lat, *where), thing_id) for thing_id, where in at.items())
            near = getattr(found, name)
            assert len(near) == min(count, len(at))
            # in this order, unless two are so near each other in distance that measuring another way may turn them
            for each, (metres, _) in zip(near, brute, strict=False):
                assert each.metres == pytest.approx(metres, abs=0.01)
                assert each.metres == pytest.approx(straight_m(lon, lat, *at[each.thing.id]), abs=0.01)
            assert len({each.thing.id for each in near}) == len(near)
        centres = {thing.id for thing in things if thing.kind is Kind.SERVICE_CENTRE}
        within = {t.id for t in things if t.id in centres and straight_m(lon, lat, t.lon, t.lat) <= reach}
        assert {near.thing.id for near in found.reached} == within
        for near in found.compounds:
            known = register.compounds.get(near.thing.id)
            assert near.compound == known
            assert known is not None or near.thing in things


def test_a_compound_of_the_map_stands_where_the_map_says():
    registry = Registry(LOCATOR, [Thing("c1", Kind.COMPOUND, 100.03, 25.01, "2", "On the map")])
    register = load()  # puts c1 at 100.005, 25.005
    [near] = around(registry, register, 100.03, 25.01, reach_m=831.0).compounds
    assert (near.metres, near.thing.name, near.compound.firm) == (0.0, "On the map", "f1")
    [near] = around(Registry(LOCATOR), register, 100.005, 25.005, reach_m=831.0).compounds
    assert (near.metres, near.thing.name, near.thing.cell) == (0.0, "Rose Court", "111")


def test_without_a_register():
    registry = Registry(LOCATOR, [Thing("x", Kind.COMPOUND, 100.03, 25.01), Thing("y", Kind.CAMERA, 100.03, 25.01)])
    found = around(registry, None, 100.03, 25.01, reach_m=831.0)
    assert [(near.thing.id, near.compound) for near in found.compounds] == [("x", None)]
    assert found.centres == found.reached == found.officers == found.assets == ()


@pytest.mark.parametrize("wrong", [{"count": 0}, {"reach_m": -1.0}, {"lat": 89.0}])
def test_what_is_no_question(wrong):
    asked = {"lon": 100.0, "lat": 25.0, "reach_m": 831.0} | wrong
    with pytest.raises(ValueError, match=r"must be|lies beyond"):
        around(Registry(LOCATOR), None, **asked)
