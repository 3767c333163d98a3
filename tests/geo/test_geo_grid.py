import copy
import random

import numpy as np
import orjson
import pytest
from geo_oracles import collection, feature, ring_of_box

import geo.features
from geo import GridError, load_grid

TOWN = feature("1", (10, 20, 12, 21))
WEST = feature("11", (10, 20, 11, 21), parent="1")
EAST = feature("12", (11, 20, 12, 21), parent="1")
ROOM = feature("121", (11, 20, 11.5, 21), parent="12", level=3)
PLAIN = [TOWN, WEST, EAST, ROOM]


def problems(*features):
    with pytest.raises(GridError) as caught:
        load_grid(collection(*features))
    return [(problem.feature, problem.code, problem.message) for problem in caught.value.problems]


def changed(original, **properties):
    item = copy.deepcopy(original)
    item["properties"] |= properties
    return item


def test_a_ragged_grid():
    grid = load_grid(collection(ROOM, EAST, TOWN, WEST))
    assert grid.codes == ("1", "11", "12", "121")
    assert grid.names == ("cell 1", "cell 11", "cell 12", "cell 121")
    assert (len(grid), grid.levels) == (4, 3)
    assert grid.leaves == ("11", "121")
    assert grid.leaf_numbers.tolist() == [1, 3]
    assert grid.children("1") == ("11", "12")
    assert grid.children("121") == ()
    assert grid.path("121") == grid.path(3) == grid.path(np.int32(3)) == grid.paths[3] == ("1", "12", "121")
    assert [grid.level_of(code) for code in grid.codes] == [1, 2, 2, 3]
    assert [grid.parent_of(number) for number in range(4)] == [None, "1", "1", "12"]
    assert grid.name_of("12") == "cell 12"
    assert [grid.cells_at(level) for level in (1, 2, 3, 4)] == [("1",), ("11", "12"), ("121",), ()]
    assert "12" in grid
    assert "13" not in grid
    assert 1 not in grid
    assert grid.area_m2[0] == pytest.approx(grid.area_m2[1] + grid.area_m2[2])
    assert grid.sha256[:12] in repr(grid)


def test_unknown_cells_are_refused():
    grid = load_grid(collection(*PLAIN))
    with pytest.raises(KeyError):
        grid.path("13")
    for number in (-1, 4):
        with pytest.raises(IndexError):
            grid.name_of(number)


def test_a_grid_cannot_be_changed():
    grid = load_grid(collection(*PLAIN))
    with pytest.raises(AttributeError):
        grid.levels = 7
    for column in (grid.level_numbers, grid.parent_numbers, grid.leaf_numbers, grid.geometries, grid.area_m2):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = column[1]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "not a GeoJSON FeatureCollection"),
        (b'{"type": "Feature"}', "not a GeoJSON FeatureCollection"),
        (b'{"type": "FeatureCollection"}', "non-empty list `features`"),
        (b'{"type": "FeatureCollection", "features": []}', "non-empty list `features`"),
        (b'{"type": "FeatureCollection", "features": {}}', "non-empty list `features`"),
    ],
)
def test_files_that_hold_no_features(data, said):
    with pytest.raises(GridError, match=said) as caught:
        load_grid(data)
    assert [problem.feature for problem in caught.value.problems] == [None]
    assert str(caught.value) == caught.value.problems[0].message


@pytest.mark.parametrize("item", [None, 3, {}, {"type": "Feature"}, {"type": "Feature", "properties": None}])
def test_items_that_are_no_features(item):
    assert problems(TOWN, item) == [(1, None, "not a GeoJSON Feature with properties")]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("code", 105, "`code` must be a non-empty string, not 105"),
        ("code", "", '`code` must be a non-empty string, not ""'),
        ("code", None, "`code` must be a non-empty string, not null"),
        ("name", 7, "`name` must be a string, not 7"),
        ("level", "1", '`level` must be a whole number from 1, not "1"'),
        ("level", 0, "`level` must be a whole number from 1, not 0"),
        ("level", 1.0, "`level` must be a whole number from 1, not 1.0"),
        ("level", True, "`level` must be a whole number from 1, not true"),
        ("parent", 1, "`parent` must be a string or null, not 1"),
    ],
)
def test_properties_of_a_wrong_type(key, value, said):
    broken = changed(WEST, **{key: value})
    assert problems(TOWN, broken) == [(1, None if key == "code" else "11", said)]


@pytest.mark.parametrize("key", ["code", "name", "level", "parent"])
def test_missing_properties(key):
    broken = copy.deepcopy(WEST)
    del broken["properties"][key]
    [(index, _, message)] = problems(TOWN, broken)
    assert index == 1
    assert message.startswith(f"`{key}` is missing; it must be ")


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ([TOWN, WEST, changed(EAST, code="11")], (2, "11", "duplicate code, already used by feature 1")),
        ([TOWN, changed(WEST, parent="9")], (1, "11", "its parent 9 is not in the file")),
        ([TOWN, changed(WEST, level=3)], (1, "11", "level 3 under 1 of level 1; it must be one more")),
        ([TOWN, changed(WEST, level=1)], (1, "11", "level 1 has the parent 1; it must be null")),
        ([TOWN, changed(WEST, parent=None)], (1, "11", "level 2 without a parent; only level 1 has none")),
    ],
)
def test_families_that_do_not_fit(features, said):
    assert problems(*features) == [said]


def test_two_cells_cannot_be_each_other_s_parent():
    found = problems(TOWN, changed(WEST, parent="12"), changed(EAST, parent="11"))
    assert (1, "11", "level 2 under 12 of level 2; it must be one more") in found
    assert (2, "12", "level 2 under 11 of level 2; it must be one more") in found


BOW_TIE = [[[10, 20], [11, 21], [11, 20], [10, 21], [10, 20]]]
UNCLOSED = [[[10, 20], [11, 20], [11, 21], [10, 21]]]


@pytest.mark.parametrize(
    ("geometry", "said"),
    [
        (None, "geometry must be a Polygon or MultiPolygon, not missing"),
        ({"type": "Point", "coordinates": [10, 20]}, "geometry must be a Polygon or MultiPolygon, not Point"),
        ({"type": "Polygon", "coordinates": []}, "geometry is empty"),
        ({"type": "MultiPolygon", "coordinates": []}, "geometry is empty"),
        ({"type": "Polygon", "coordinates": BOW_TIE}, "geometry is invalid: Self-intersection"),
        ({"type": "Polygon", "coordinates": UNCLOSED}, "geometry can't be read: "),
        ({"type": "Polygon", "coordinates": [[["a", 20]]]}, "geometry can't be read: "),
        ({"type": "Polygon"}, "geometry can't be read: "),
        ({"type": "Polygon", "coordinates": [ring_of_box(500000, 20, 500001, 21)]}, "coordinates lie outside ±180°"),
        ({"type": "Polygon", "coordinates": [ring_of_box(10, 90, 11, 91)]}, "coordinates lie outside ±180°"),
    ],
)
def test_geometries_that_are_no_cells(geometry, said):
    broken = copy.deepcopy(WEST)
    broken["geometry"] = geometry
    [(index, code, message)] = problems(TOWN, broken)
    assert (index, code) == (1, "11")
    assert message.startswith(said)


def test_more_than_half_outside_the_parent():
    [(index, code, message)] = problems(TOWN, feature("11", (9.4, 20, 10.4, 21), parent="1"))
    assert (index, code) == (1, "11")
    assert message.startswith("60% of its ")
    assert message.endswith(" m² lie outside its parent 1; at most half may")
    assert load_grid(collection(TOWN, feature("11", (9.6, 20, 10.6, 21), parent="1"))).leaves == ("11",)


def test_all_problems_are_listed_at_once_in_the_order_of_the_file():
    found = problems(
        TOWN,
        changed(feature("11", BOW_TIE, parent="1"), name=None),
        changed(EAST, parent="1", code="11", level=5),
        feature("13", (40, 20, 41, 21), parent="1"),
        changed(EAST, code=12, parent=3),
        feature("131", (40, 20, 41, 21), parent="13", level=3),
        changed(ROOM, parent="4"),
    )
    assert [index for index, _, _ in found] == [1, 1, 2, 2, 3, 4, 4, 6]
    assert str(GridError([]).problems) == "()"


def test_an_unusable_cell_is_still_known_as_a_parent():
    assert len(problems(feature("1", BOW_TIE, name="x"), WEST)) == 1
    assert len(problems(changed(TOWN, level="one"), WEST)) == 1
    assert len(problems(changed(TOWN, parent=7), WEST)) == 1


def test_limits(monkeypatch):
    monkeypatch.setattr(geo.features, "MAX_FEATURES", 3)
    assert problems(*PLAIN) == [(None, None, "4 features; at most 3 are allowed")]
    monkeypatch.setattr(geo.features, "MAX_FEATURES", 4)
    monkeypatch.setattr(geo.features, "MAX_VERTICES", 19)
    assert problems(*PLAIN) == [(None, None, "20 vertices in all; at most 19 are allowed")]
    monkeypatch.setattr(geo.features, "MAX_FEATURE_VERTICES", 4)
    assert (0, "1", "geometry has 5 vertices; at most 4 are allowed") in problems(*PLAIN)


def test_the_hash_ignores_what_means_nothing(city_geojson, city_grid):
    plain = load_grid(collection(*PLAIN)).sha256
    assert load_grid(collection(*reversed(PLAIN), indent=3)).sha256 == plain
    assert load_grid(collection(*(changed(item, area=3, note="x") for item in PLAIN))).sha256 == plain
    spelt = collection(*PLAIN).replace(b"[10, 20]", b"[1.0e1, 20.000, 7.5]")
    assert spelt != collection(*PLAIN)
    assert load_grid(spelt).sha256 == plain
    multi = copy.deepcopy(PLAIN)
    multi[1]["geometry"] = {"type": "MultiPolygon", "coordinates": [PLAIN[1]["geometry"]["coordinates"]]}
    assert load_grid(collection(*multi)).sha256 == plain
    at_zero = [feature("1", (0.0, 0.0, 1.0, 1.0))]
    assert (
        load_grid(collection(*at_zero)).sha256
        == load_grid(collection(*at_zero).replace(b"[0.0, 0.0]", b"[-0.0, 0.0]")).sha256
    )
    document = orjson.loads(city_geojson)
    random.Random(4).shuffle(document["features"])
    assert load_grid(orjson.dumps(document, option=orjson.OPT_INDENT_2)).sha256 == city_grid.sha256


# Both children of the town hold the room, so that its parent can change and nothing else.
WIDE = [TOWN, feature("11", (10, 20, 11.6, 21), parent="1"), feature("12", (10.4, 20, 12, 21), parent="1")]
ROOM_WITH_HOLE = [ring_of_box(10.8, 20, 11.2, 21), ring_of_box(11, 20.1, 11.1, 20.2)]
SHARED_ROOM = feature("121", (10.8, 20, 11.2, 21), parent="12", level=3)


@pytest.mark.parametrize(
    "room",
    [
        changed(SHARED_ROOM, code="122"),
        changed(SHARED_ROOM, name="another"),
        changed(SHARED_ROOM, parent="11"),
        changed(SHARED_ROOM, parent="1", level=2),
        {**SHARED_ROOM, "geometry": feature("", (10.8, 20, 11.200001, 21))["geometry"]},
        {**SHARED_ROOM, "geometry": feature("", ROOM_WITH_HOLE)["geometry"]},
    ],
)
def test_the_hash_notices_what_means_something(room):
    assert load_grid(collection(*WIDE, room)).sha256 != load_grid(collection(*WIDE, SHARED_ROOM)).sha256


def test_the_hash_tells_parts_from_holes():
    outer, inner, aside = ring_of_box(10, 20, 11, 21), ring_of_box(10.1, 20.1, 10.2, 20.2), ring_of_box(12, 20, 13, 21)
    one = {"type": "MultiPolygon", "coordinates": [[outer, inner], [aside]]}
    hashes = {
        load_grid(collection(feature("1", shape))).sha256
        for shape in (one, [outer, inner], [outer], {"type": "MultiPolygon", "coordinates": [[outer], [aside]]})
    }
    assert len(hashes) == 4


def test_the_new_york_grid(nyc_grid):
    assert (nyc_grid.levels, len(nyc_grid.cells_at(1)), len(nyc_grid.leaves)) == (2, 5, 71)
    assert nyc_grid.path("105") == ("1", "105")
    assert nyc_grid.area_m2[nyc_grid.leaf_numbers].sum() / 1e6 == pytest.approx(784, rel=0.01)  # the city's own figure
