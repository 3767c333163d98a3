import math
import random

import numpy as np
import pytest
import shapely
from geo_oracles import metres_per_degree as plain_metres_per_degree
from geo_oracles import vincenty_m

from geo.metric import area_m2, distance_m, metres_per_degree
from geo.trigonometry import cos_pi, sin_pi


def test_sine_and_cosine_agree_with_the_library():
    turns = np.concatenate([np.linspace(-220.0, 220.0, 9001), np.arange(-8, 9) / 4])
    exact = np.array([math.sin(math.pi * (t - 2 * round(t / 2))) for t in turns])
    assert np.abs(sin_pi(turns) - exact).max() < 4e-16
    latitudes = np.linspace(-90.0, 90.0, 1801)
    assert np.abs(cos_pi(latitudes / 180.0) - np.cos(np.radians(latitudes))).max() < 4e-16
    assert sin_pi([0.0, 1.0, -1.0, 2.0, 200.0]).tolist() == [0.0, 0.0, 0.0, 0.0, 0.0]
    assert sin_pi([0.5, -0.5, 1.5, 2.5]).tolist() == [1.0, -1.0, -1.0, 1.0]


def test_sine_does_not_depend_on_the_batch():
    turns = np.random.default_rng(5).uniform(-220, 220, 4001)
    whole = sin_pi(turns)
    assert whole.tobytes() == np.concatenate([sin_pi(turns[i : i + 7]) for i in range(0, 4001, 7)]).tobytes()
    assert whole[::3].tobytes() == sin_pi(turns[::3]).tobytes()


def test_known_degrees():
    x_m, y_m = metres_per_degree([0.0, 45.0, 90.0])
    assert x_m == pytest.approx([111_320, 78_847, 0], abs=0.6)
    assert y_m == pytest.approx([110_574, 111_132, 111_694], abs=0.6)
    for lat in (-60.0, 1.5, 25.0, 40.7):
        assert [float(m) for m in metres_per_degree(lat)] == pytest.approx(plain_metres_per_degree(lat), rel=1e-14)


@pytest.mark.parametrize(("reach", "tolerance"), [(0.09, 1e-6), (0.9, 1e-4)])
def test_distance_against_the_geodesic(reach, tolerance):
    rng = random.Random(7)
    for _ in range(2000):
        lon, lat = rng.uniform(-170, 170), rng.uniform(-60, 60)
        to_lon, to_lat = lon + rng.uniform(-reach, reach), lat + rng.uniform(-reach, reach)
        assert float(distance_m(lon, lat, to_lon, to_lat)) == pytest.approx(
            vincenty_m(lon, lat, to_lon, to_lat), rel=tolerance
        )


def test_area_of_the_whole_earth_and_of_a_small_box():
    assert float(area_m2(shapely.box(-180, -90, 180, 90))) == pytest.approx(510_065_621_724_088, rel=1e-12)
    x_m, y_m = plain_metres_per_degree(40.7005)
    assert float(area_m2(shapely.box(-74.0, 40.7, -73.999, 40.701))) == pytest.approx(x_m * y_m * 1e-6, rel=1e-8)


def test_area_of_nothing_is_zero():
    nothing = np.array([shapely.Polygon(), shapely.LineString([(0, 0), (1, 1)])], dtype=object)
    assert area_m2(nothing).tolist() == [0.0, 0.0]
    assert area_m2(np.array([], dtype=object)).tolist() == []
