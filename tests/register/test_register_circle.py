"""The fifteen-minute circle: known answers, and towns against brute force in metres measured another way."""

import math
import random

import numpy as np
import pytest
import shapely
from register_small import GRID, straight_m

from dispatcher.register import AreaReach, reach_m, reaches, walks
from geo import Kind, Thing, load_grid
from geo.city import synthetic_city


def centre(name, lon, lat):
    return Thing(name, Kind.SERVICE_CENTRE, lon, lat)


def test_how_far_one_walks():
    assert reach_m() == pytest.approx(830.769, abs=1e-3)
    assert 800 < reach_m(15, 1.0) * 1.3 < 1000  # on foot, as GB 50180-2018 plans the circle of 15 minutes
    assert reach_m(10, 1.0, 1.0) == 600
    directions = [math.tau * step / 3600 for step in range(3600)]
    assert sum(abs(math.cos(x)) + abs(math.sin(x)) for x in directions) / 3600 == pytest.approx(4 / math.pi, abs=1e-6)


@pytest.mark.parametrize("asked", [(0,), (-1,), (15, 0), (15, 1.2, 0.9), (math.nan,), (1e6,), (math.inf,)])
def test_no_walk(asked):
    with pytest.raises(ValueError, match=r"walk"):
        reach_m(*asked)


def test_a_town_by_hand():
    ways = walks(GRID, [centre("b", 100.005, 25.005), centre("a", 100.03, 25.01)])
    assert [(way.cell, way.centre) for way in ways] == [("111", "b"), ("112", "b"), ("12", "b"), ("2", "a")]
    assert ways[0].metres < 1
    assert ways[1].metres == pytest.approx(straight_m(100.005, 25.005, 100.005, 25.015), rel=1e-6)
    people = {"111": 100, "112": 50, "12": 7}
    assert reaches(GRID, ways, 1120.0, people.get) == (
        AreaReach("1", 3, 2, 157, 150, 0),
        AreaReach("2", 1, 1, 0, 0, 1),
        AreaReach(None, 4, 3, 157, 150, 1),
    )


def test_at_the_very_edge_is_within():
    [first, *_] = walks(GRID, [centre("b", 100.005, 25.012)])
    assert reaches(GRID, [first], first.metres, {}.get)[-1].leaves_reached == 1
    assert reaches(GRID, [first], math.nextafter(first.metres, 0), {}.get)[-1].leaves_reached == 0


def test_ties_go_to_the_smallest_id():
    twins = [centre(name, 100.005, 25.005) for name in ("c", "a", "b")]
    assert {way.centre for way in walks(GRID, twins)} == {"a"}


def test_a_town_without_centres():
    ways = walks(GRID, [])
    assert {(way.centre, way.metres) for way in ways} == {(None, math.inf)}
    assert reaches(GRID, ways, 50_000.0, lambda _: 10)[-1] == AreaReach(None, 4, 0, 40, 0, 0)


@pytest.mark.parametrize("seed", [2, 3])
def test_a_random_city_against_brute_force(seed):
    city = synthetic_city(seed)
    grid = load_grid(city.grid_geojson())
    centres = [thing for thing in city.things if thing.kind is Kind.SERVICE_CENTRE]
    random.Random(seed).shuffle(centres)
    done = []
    ways = walks(grid, centres, done.append)
    assert sum(done) == len(ways) == len(grid.leaves) == 6063
    assert len(done) > 20  # in steps that a bar can show
    assert [way.cell for way in ways] == list(grid.leaves)

    metres = reach_m()
    reached = {}
    for way in ways:
        shape = grid.geometries[grid.number(way.cell)]
        point = shapely.point_on_surface(shape)
        assert shapely.contains_properly(shape, point)
        true_m = {each.id: straight_m(point.x, point.y, each.lon, each.lat) for each in centres}
        least = min(true_m.values())
        assert true_m[way.centre] == pytest.approx(least, rel=2e-6)
        assert way.metres == pytest.approx(least, rel=1e-4)
        reached[way.cell] = least <= metres
        assert abs(least - metres) > 1e-3  # no leaf is so near the edge that the two ways of measuring could differ
    areas = reaches(grid, ways, metres, city.population.get)
    assert [area.area for area in areas] == [*grid.cells_at(1), None]
    for area in areas:
        leaves = [leaf for leaf in grid.leaves if area.area in (None, grid.path(leaf)[0])]
        inside = [leaf for leaf in leaves if reached[leaf]]
        assert (area.leaves, area.leaves_reached, area.leaves_uncounted) == (len(leaves), len(inside), 0)
        assert area.people == sum(city.population[leaf] for leaf in leaves)
        assert area.people_reached == sum(city.population[leaf] for leaf in inside)
    assert 0 < areas[-1].leaves_reached < areas[-1].leaves


def test_the_batch_does_not_matter(monkeypatch):
    rng = np.random.Generator(np.random.PCG64(5))
    towns = [centre(f"c{n}", *(np.array([100.0, 25.0]) + rng.random(2) * [0.04, 0.02])) for n in range(20)]
    whole = walks(GRID, towns)
    monkeypatch.setattr("dispatcher.register.circle._LEAVES_AT_ONCE", 1)
    assert walks(GRID, towns) == whole
