import math
import random

import numpy as np
import pytest
from geo_oracles import collection, feature, metres_per_degree, ring_of_box

from geo import How, Locator, Note, Place, load_grid, place_by


def spelt(grid, found):
    cells = [None if number < 0 else grid.codes[number] for number in found.cell.tolist()]
    return list(zip(cells, [How(how).text for how in found.how.tolist()], strict=True))


def check_against_brute_force(grid, brute, points, tolerance_m=50.0):
    """Every point by both; returns how often each answer came, so that a test can see that all did."""
    lon, lat = np.array(points, dtype=np.float64).T
    located = spelt(grid, Locator(grid, tolerance_m=tolerance_m).locate(lon, lat))
    expected = [brute.locate(x, y, tolerance_m) for x, y in points]
    wrong = [(p, ours, theirs) for p, ours, theirs in zip(points, located, expected, strict=True) if ours != theirs]
    assert wrong == []
    hows = [how for _, how in expected]
    return {how: hows.count(how) for how in set(hows)}


def random_points(rng, bounds, count, margin=0.02):
    west, south, east, north = bounds
    return [
        (rng.uniform(west - margin, east + margin), rng.uniform(south - margin, north + margin)) for _ in range(count)
    ]


def points_on_edges(rng, brute, count, codes=None):
    """Vertices, midpoints of edges, and points beside them by nothing to some 70 m."""
    edges = rng.sample(list(brute.edges(codes)), count)
    vertices = [tuple(a) for a, _ in edges]
    midpoints = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in edges]
    beside = [
        (x + rng.gauss(0, 10.0 ** -rng.randint(3, 16)), y + rng.gauss(0, 10.0 ** -rng.randint(3, 16)))
        for x, y in midpoints
    ]
    return vertices + midpoints + beside


def test_new_york_equals_brute_force(nyc_grid, nyc_brute):
    rng = random.Random(11)
    points = random_points(rng, nyc_brute.bounds, 700) + points_on_edges(rng, nyc_brute, 350)
    assert set(check_against_brute_force(nyc_grid, nyc_brute, points)) == {"exact", "nearest", "outside"}
    points = points_on_edges(rng, nyc_brute, 350, nyc_grid.cells_at(1))
    seen = check_against_brute_force(nyc_grid, nyc_brute, points, tolerance_m=5.0)
    assert set(seen) == {"exact", "nearest", "gap", "outside"}


def test_synthetic_city_equals_brute_force(city_grid, city_brute):
    rng = random.Random(12)
    points = random_points(rng, city_brute.bounds, 700) + points_on_edges(rng, city_brute, 300)
    points += points_on_edges(rng, city_brute, 150, city_grid.cells_at(1))
    seen = check_against_brute_force(city_grid, city_brute, points)
    assert set(seen) == {"exact", "nearest", "outside"}


@pytest.mark.parametrize("which", ["nyc", "city"])
def test_the_batch_does_not_matter(which, request):
    grid, brute = request.getfixturevalue(f"{which}_grid"), request.getfixturevalue(f"{which}_brute")
    rng = random.Random(13)
    lon, lat = np.array(random_points(rng, brute.bounds, 400) + points_on_edges(rng, brute, 200)).T
    lon[::97], lat[::89] = math.nan, 400.0
    accuracy_m = np.array([rng.choice([0.0, math.nan, 30.0, 300.0]) for _ in lon])
    locator = Locator(grid)
    whole = locator.locate(lon, lat, accuracy_m)
    for size in (1, 7, 256):
        parts = [locator.locate(lon[i : i + size], lat[i : i + size], accuracy_m[i : i + size])
                 for i in range(0, len(lon), size)]  # fmt: skip
        for column in ("cell", "how", "note", "share"):
            joined = np.concatenate([getattr(part, column) for part in parts])
            assert joined.tobytes() == getattr(whole, column).tobytes()


@pytest.mark.parametrize(
    ("place", "lon", "lat", "district"),
    [
        ("Empire State Building", -73.985656, 40.748433, "105"),
        ("Central Park, the Lake", -73.9718, 40.7760, "164"),
        ("Yankee Stadium", -73.9262, 40.8296, "204"),
        ("Coney Island, the Cyclone", -73.9779, 40.5745, "313"),
        ("Prospect Park, the Long Meadow", -73.9690, 40.6602, "355"),
        ("JFK airport, terminal 4", -73.7822, 40.6440, "483"),
        ("St. George ferry terminal", -74.0739, 40.6437, "501"),
    ],
)
def test_known_places(nyc_grid, place, lon, lat, district):
    assert Locator(nyc_grid).place(lon, lat) == Place(lon, lat, district, (district[0], district), "exact")


# A town of 0.02° by 0.01°: B and A side by side, C laid over A's east, nothing in the last quarter.
TOWN = load_grid(
    collection(
        feature("1", (10.0, 20.0, 10.02, 20.01)),
        feature("1b", (10.0, 20.0, 10.005, 20.01), parent="1"),
        feature("1a", (10.005, 20.0, 10.01, 20.01), parent="1"),
        feature("1c", (10.0075, 20.0, 10.015, 20.01), parent="1"),
        feature("2", (10.0, 19.0, 10.02, 20.0)),
    )
)
X_M, Y_M = metres_per_degree(20.005)


@pytest.mark.parametrize(
    ("lon", "lat", "cell", "how"),
    [
        (10.001, 20.005, "1b", "exact"),
        (10.005, 20.005, "1a", "exact"),  # shared edge: the smaller code
        (10.005, 20.01, "1a", "exact"),  # shared corner
        (10.008, 20.005, "1a", "exact"),  # overlap: the smaller code
        (10.011, 20.005, "1c", "exact"),
        (10.0, 20.0, "1b", "exact"),  # corner of 1b and of 2: "1b" < "2"
        (10.012, 20.0, "1c", "exact"),
        (10.016, 20.0, "2", "exact"),  # on the edge of 2, in the gap of 1
        (10.015 + 49.9 / X_M, 20.005, "1c", "nearest"),
        (10.015 + 50.1 / X_M, 20.005, "1", "gap"),
        (10.003, 20.01 + 49.9 / Y_M, "1b", "nearest"),
        (10.003, 20.01 + 50.1 / Y_M, None, "outside"),
        (10.005, 20.0101, "1a", "nearest"),  # as near to 1a as to 1b
        (10.008, 20.0101, "1a", "nearest"),
        (10.5, 20.0, None, "outside"),
    ],
)
def test_rules_one_by_one(lon, lat, cell, how):
    place = Locator(TOWN, tolerance_m=50.0).place(lon, lat)
    assert (place.cell, place.how) == (cell, how)
    assert place.path == (() if cell is None else TOWN.path(cell))
    assert (place.share, place.note) == (None, None)


def test_two_leaves_that_meet_in_the_nearest_corner():
    """Roofs of two leaves; the point lies above the ridge, which one leaf's edge starts at and the other's ends at."""
    rng = random.Random(5)
    features, points = [], []
    for number in range(300):
        x, y = 10 + 0.01 * number + rng.uniform(0, 0.001), 20 + rng.uniform(0, 0.001)
        west, foot, east = [x - 0.002, y - 0.003], [x + 0.0001, y - 0.004], [x + 0.002, y - 0.003]
        features.append(feature(f"b{number}", [[west, foot, [x, y], west]]))
        features.append(feature(f"a{number}", [[[x, y], foot, east, [x, y]]]))
        points.append((x + rng.uniform(-1e-5, 1e-5), y + 0.0003))
    grid = load_grid(collection(*features))
    lon, lat = np.array(points).T
    assert spelt(grid, Locator(grid).locate(lon, lat)) == [(f"a{number}", "nearest") for number in range(300)]


def test_metres_are_true_at_the_latitude():
    north = load_grid(collection(feature("1", (10.0, 69.0, 10.1, 69.1))))
    locator = Locator(north, tolerance_m=100.0)
    x_m, _ = metres_per_degree(69.05)
    assert x_m < 0.4 * X_M
    assert locator.place(10.1 + 99 / x_m, 69.05).how == "nearest"
    assert locator.place(10.1 + 101 / x_m, 69.05).how == "outside"


def test_no_tolerance_and_one_level():
    grid = load_grid(collection(feature("1", (10.0, 20.0, 10.1, 20.1))))
    locator = Locator(grid, tolerance_m=0.0)
    assert locator.place(10.1, 20.05).how == "exact"
    assert locator.place(10.1000001, 20.05).how == "outside"


def test_holes_and_islands():
    ring = [ring_of_box(10.0, 20.0, 10.1, 20.1), ring_of_box(10.04, 20.04, 10.06, 20.06)]
    islands = {"type": "MultiPolygon", "coordinates": [ring, [ring_of_box(10.2, 20.0, 10.3, 20.1)]]}
    locator = Locator(load_grid(collection(feature("1", islands))))
    assert locator.place(10.05, 20.05).how == "outside"
    assert locator.place(10.0401, 20.05).how == "nearest"
    assert locator.place(10.04, 20.05).how == "exact"
    assert locator.place(10.25, 20.05).how == "exact"
    assert locator.place(10.15, 20.05).how == "outside"


def test_the_deepest_cell_above_a_gap():
    grid = load_grid(
        collection(
            feature("1", (10.0, 20.0, 10.1, 20.1)),
            feature("12", (10.0, 20.0, 10.05, 20.1), parent="1"),
            feature("11", (10.0, 20.0, 10.05, 20.1), parent="1"),
            feature("111", (10.0, 20.0, 10.01, 20.1), parent="11", level=3),
            feature("121", (10.0, 20.0, 10.01, 20.1), parent="12", level=3),
        )
    )
    locator = Locator(grid)
    assert locator.place(10.03, 20.05).path == ("1", "11")
    assert locator.place(10.08, 20.05).path == ("1",)
    assert locator.place(10.005, 20.05).path == ("1", "11", "111")


@pytest.mark.parametrize(
    ("lon", "lat", "how", "note"),
    [
        (math.nan, 20.0, How.NONE, Note.NOTHING),
        (10.0, math.nan, How.NONE, Note.NOTHING),
        (math.nan, math.inf, How.NONE, Note.NOTHING),
        (math.inf, 20.0, How.NONE, Note.OUT_OF_RANGE),
        (10.0, -math.inf, How.NONE, Note.OUT_OF_RANGE),
        (180.1, 20.0, How.NONE, Note.OUT_OF_RANGE),
        (10.0, 90.1, How.NONE, Note.OUT_OF_RANGE),
        (1e300, -1e300, How.NONE, Note.OUT_OF_RANGE),
        (0.0, 0.0, How.NONE, Note.ZERO_ISLAND),
        (-0.0, 0.0, How.NONE, Note.ZERO_ISLAND),
        (20.005, 10.001, How.OUTSIDE, Note.SWAPPED),
        (10.5, 20.0, How.OUTSIDE, Note.NOTHING),
        (10.95, 20.0, How.OUTSIDE, Note.NOTHING),  # 97 km from the eastern bound
        (11.0, 20.0, How.OUTSIDE, Note.FAR_AWAY),  # 102 km
        (10.0, 90.0, How.OUTSIDE, Note.FAR_AWAY),
        (-180.0, -90.0, How.OUTSIDE, Note.FAR_AWAY),
    ],
)
def test_positions_that_are_none(lon, lat, how, note):
    locator = Locator(TOWN)
    found = locator.locate([lon], [lat], [20.0])
    assert (found.cell[0], found.how[0], found.note[0]) == (-1, how, note)
    assert math.isnan(found.share[0])
    assert locator.place(lon, lat).note == (None if note is Note.NOTHING else note.name.lower())
    assert locator.place(lon, lat).how == how.name.lower()


def test_swapped_beyond_the_pole():
    wuhan = load_grid(collection(feature("1", (114.0, 30.0, 114.6, 30.9))))
    found = Locator(wuhan).locate([30.5, 31.5], [114.3, 114.3])
    assert found.how.tolist() == [How.NONE, How.NONE]
    assert found.note.tolist() == [Note.SWAPPED, Note.OUT_OF_RANGE]


def test_zero_is_no_place_even_where_the_grid_covers_it():
    locator = Locator(load_grid(collection(feature("1", (-1.0, -1.0, 1.0, 1.0)))))
    assert locator.place(0.0, 0.0).note == "zero_island"
    assert locator.place(0.0, 1e-9).cell == "1"


def test_columns():
    locator = Locator(TOWN)
    empty = locator.locate([], [], [])
    assert [len(column) for column in (empty.cell, empty.how, empty.note, empty.share)] == [0, 0, 0, 0]
    one = locator.locate([10.001], [20.005])
    assert [column.dtype.name for column in (one.cell, one.how, one.note, one.share)] == [
        "int32",
        "uint8",
        "uint8",
        "float64",
    ]
    with pytest.raises(ValueError, match="columns of one length"):
        locator.locate([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="columns of one length"):
        locator.locate(1.0, 2.0)
    with pytest.raises(ValueError, match="accuracy_m must have the shape"):
        locator.locate([1.0], [1.0], [1.0, 2.0])


@pytest.mark.parametrize("options", [{"tolerance_m": -1}, {"tolerance_m": 1001}, {"far_m": -1}, {"far_m": math.nan}])
def test_options_out_of_bounds(options):
    with pytest.raises(ValueError, match=r"tolerance_m must be 0\.\.1000"):
        Locator(TOWN, **options)


def test_places_known_by_their_cell():
    assert place_by(How.BY_CELL, TOWN, "1a") == Place(None, None, "1a", ("1", "1a"), "by_cell")
    assert place_by(How.BY_ASSET, TOWN, 1, lon=10.0, lat=20.0) == Place(10.0, 20.0, "1a", ("1", "1a"), "by_asset")
    assert place_by(How.BY_ADDRESS, TOWN, None, lon=1.0, lat=2.0) == Place(1.0, 2.0, None, (), "by_address")
    with pytest.raises(KeyError):
        place_by(How.BY_CELL, TOWN, "9")


MESSAGE_WORDS = ("exact", "nearest", "overlap", "by_cell", "by_asset", "by_address", "gap", "outside", "none")


def test_every_how_of_the_messages_has_its_word():
    assert {how.text for how in How} == {
        "exact",
        "nearest",
        "overlap",
        "by_cell",
        "by_asset",
        "by_address",
        "gap",
        "outside",
        "none",
    }
