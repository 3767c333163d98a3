import math
import random

import numpy as np
import pytest
from geo_oracles import collection, covers, feature, metres_per_degree

from geo import How, Locator, load_grid
from geo.circle import MAX_RADIUS_M, SEGMENTS

HALVES = load_grid(
    collection(
        feature("1", (10.0, 20.0, 10.02, 20.01)),
        feature("1a", (10.0, 20.0, 10.01, 20.01), parent="1"),
        feature("1b", (10.01, 20.0, 10.02, 20.01), parent="1"),
    )
)
X_M, Y_M = metres_per_degree(20.005)


def circle(lon, lat, radius_m, grid=HALVES):
    cell, how, share = Locator(grid).locate_circle(lon, lat, radius_m)
    return (None if cell < 0 else grid.codes[cell]), how, share


def segment_share(distance, radius):
    """The part of a disc beyond a line at that distance from its centre."""
    h = distance / radius
    return (math.acos(h) - h * math.sqrt(1 - h * h)) / math.pi


def test_a_circle_within_one_leaf():
    assert circle(10.005, 20.005, 100.0) == ("1a", How.EXACT, 1.0)


def test_a_circle_across_an_edge_goes_to_the_greater_part():
    cell, how, share = circle(10.01 + 30 / X_M, 20.005, 100.0)
    assert (cell, how) == ("1b", How.OVERLAP)
    assert share == pytest.approx(1 - segment_share(30, 100), abs=0.005)


def test_the_centre_need_not_lie_in_the_winner():
    wedge = load_grid(
        collection(
            feature("1", (10.0, 20.0, 10.02, 20.01)),
            feature("1a", (10.0, 20.0, 10.0101, 20.00505), parent="1"),
            feature("1b", [[[10.0101, 20.0], [10.02, 20.0], [10.02, 20.01], [10.0, 20.01], [10.0, 20.00505],
                            [10.0101, 20.00505], [10.0101, 20.0]]], parent="1"),
        )
    )  # fmt: skip
    assert Locator(wedge).place(10.01005, 20.005).cell == "1a"
    assert circle(10.01005, 20.005, 200.0, wedge)[:2] == ("1b", How.OVERLAP)


def test_equal_parts_go_to_the_smaller_code():
    assert circle(10.01, 20.005, 100.0) == ("1a", How.OVERLAP, 0.5)


def test_a_circle_that_hangs_out_of_its_only_leaf():
    cell, how, share = circle(10.0, 20.005, 100.0)
    assert (cell, how, share) == ("1a", How.EXACT, 0.5)
    cell, how, share = circle(10.0 - 60 / X_M, 20.005, 100.0)
    assert (cell, how) == ("1a", How.OVERLAP)
    assert share == pytest.approx(segment_share(60, 100), abs=0.005)
    assert Locator(HALVES).place(10.0 - 60 / X_M, 20.005).how == "outside"


def test_a_circle_that_meets_no_leaf_counts_as_its_centre():
    assert circle(10.0 - 45 / X_M, 20.005, 10.0) == ("1a", How.NEAREST, None)
    assert circle(9.0, 20.005, 100.0) == (None, How.OUTSIDE, None)


@pytest.mark.parametrize("radius_m", [0.0, -5.0, math.nan])
def test_no_radius_is_a_point(radius_m):
    assert circle(10.005, 20.005, radius_m) == ("1a", How.EXACT, None)


def test_an_absurd_radius_is_cut():
    wide = load_grid(collection(feature("1", (9.0, 19.0, 11.0, 21.0))))
    assert circle(10.0, 20.0, 1e9, wide) == circle(10.0, 20.0, MAX_RADIUS_M, wide) == ("1", How.EXACT, 1.0)
    assert circle(10.0, 20.0, math.inf, wide) == ("1", How.EXACT, 1.0)


def test_overlapping_leaves_both_hold_the_circle():
    grid = load_grid(collection(feature("2", (10.0, 20.0, 10.02, 20.01)), feature("1", (10.0, 20.0, 10.02, 20.01))))
    assert circle(10.01, 20.005, 50.0, grid) == ("1", How.OVERLAP, 1.0)


def test_a_place_tells_its_share():
    place = Locator(HALVES).place(10.01, 20.005, 100.0)
    assert (place.cell, place.how, place.share, place.note) == ("1a", "overlap", 0.5, None)


def test_shares_against_counting_points(city_grid, city_brute, city):
    """A sunflower of 1,500 points in each circle, each put to its leaf by ray casting."""
    rng = random.Random(3)
    locator = Locator(city_grid)
    golden = math.pi * (3 - math.sqrt(5))
    for thing in rng.sample(city.things, 10):
        radius_m = rng.choice([60.0, 150.0, 400.0])
        cell, _, share = locator.locate_circle(thing.lon, thing.lat, radius_m)
        x_m, y_m = metres_per_degree(thing.lat)
        near = list(city_brute.near(city_brute.leaves, thing.lon, thing.lat, 0.02))
        counts = dict.fromkeys([code for code, _ in near], 0)
        for k in range(1500):
            reach, angle = radius_m * math.sqrt((k + 0.5) / 1500), golden * k
            point = (thing.lon + reach * math.cos(angle) / x_m, thing.lat + reach * math.sin(angle) / y_m)
            for code, polygons in city_brute.near([code for code, _ in near], *point, 0.0):
                if covers(polygons, point):
                    counts[code] += 1
                    break
        best = max(counts.values()) / 1500
        assert counts[city_grid.codes[cell]] / 1500 >= best - 0.01
        assert share == pytest.approx(best, abs=0.01)


def test_the_polygon_has_the_circle_s_area():
    from geo.circle import _UNIT_CIRCLE

    x, y = np.asarray(_UNIT_CIRCLE).T
    assert len(x) == SEGMENTS + 1
    assert abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2 - math.pi) < 1e-12
