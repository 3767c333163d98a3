import random

import pytest
from geo_oracles import collection, feature, metres_per_degree, plain_distance_m

import geo.registry
from geo import Kind, Locator, Registry, TableError, Thing, load_grid, load_things

GRID = load_grid(
    collection(
        feature("1", (10.0, 20.0, 10.02, 20.01)),
        feature("1a", (10.0, 20.0, 10.01, 20.01), parent="1"),
        feature("1b", (10.01, 20.0, 10.02, 20.01), parent="1"),
    )
)
LOCATOR = Locator(GRID)


def camera(thing_id, lon, lat, cell=None):
    return Thing(thing_id, Kind.CAMERA, lon, lat, cell)


def ids(things):
    return [thing.id for thing in things]


def near_ids(near):
    return [thing.id for thing, _ in near]


@pytest.fixture
def registry():
    return Registry(
        LOCATOR,
        [camera("c1", 10.001, 20.005), camera("c2", 10.015, 20.005), Thing("o1", Kind.OFFICER, 10.002, 20.005)],
    )


def test_cells_are_looked_up_unless_given(registry):
    assert [registry.get(thing_id).cell for thing_id in ("c1", "c2", "o1")] == ["1a", "1b", "1a"]
    assert registry.add(camera("c3", 10.001, 20.005, "1b")).cell == "1b"
    assert registry.add(camera("c4", 50.0, 20.0)).cell is None
    assert ids(registry.in_cell("1a")) == ["c1", "o1"]
    assert ids(registry.in_cell("1b", Kind.CAMERA)) == ["c2", "c3"]
    assert ids(registry.in_cell("1")) == ["c1", "c2", "c3", "o1"]
    assert ids(registry.in_cell("1", Kind.COMPOUND)) == []
    assert (len(registry), "c4" in registry, "c5" in registry) == (5, True, False)
    assert ids(registry) == ["c1", "c2", "o1", "c3", "c4"]


def test_moved(registry):
    moved = registry.move("c1", 10.0149, 20.005)
    assert (moved.cell, registry.get("c1")) == ("1b", moved)
    assert ids(registry.in_cell("1a")) == ["o1"]
    assert near_ids(registry.nearest(10.0148, 20.005, 1)) == ["c1"]
    assert near_ids(registry.within(10.001, 20.005, 50)) == []
    assert registry.move("c1", 10.0149, 20.005, "1a").cell == "1a"


def test_removed(registry):
    assert registry.remove("c1").id == "c1"
    assert near_ids(registry.nearest(10.001, 20.005, 5)) == ["o1", "c2"]
    assert ids(registry.in_cell("1a")) == ["o1"]
    with pytest.raises(KeyError):
        registry.get("c1")
    with pytest.raises(KeyError):
        registry.remove("c1")
    registry.add(camera("c1", 10.001, 20.005))
    assert near_ids(registry.within(10.001, 20.005, 1)) == ["c1"]


def test_metres_not_degrees_decide():
    x_m, y_m = metres_per_degree(60.0)
    registry = Registry(LOCATOR, [camera("east", 10 + 90 / x_m, 60.0), camera("north", 10.0, 60 + 100 / y_m)])
    assert 90 / x_m > 100 / y_m  # in degrees the northern one is nearer
    [(thing, metres)] = registry.nearest(10.0, 60.0, 1)
    assert (thing.id, metres) == ("east", pytest.approx(90))
    assert near_ids(registry.within(10.0, 60.0, 95)) == ["east"]


def test_ties_go_to_the_smallest_id():
    registry = Registry(LOCATOR, [camera(thing_id, 10.001, 20.005) for thing_id in ("c", "a", "d", "b")])
    assert near_ids(registry.nearest(10.0, 20.0, 2)) == ["a", "b"]
    assert near_ids(registry.within(10.001, 20.005, 0.0)) == ["a", "b", "c", "d"]


def test_an_empty_registry():
    registry = Registry(LOCATOR)
    assert registry.nearest(10.0, 20.0, 3) == []
    assert registry.within(10.0, 20.0, 1000) == []
    assert ids(registry.in_cell("1")) == []
    registry.add(camera("c1", 10.0, 20.0))
    assert near_ids(registry.nearest(10.0, 20.0, 3)) == ["c1"]


def test_refused(registry, monkeypatch):
    with pytest.raises(ValueError, match="there already is a thing c1"):
        registry.add(camera("c1", 10.0, 20.0))
    with pytest.raises(ValueError, match="there already is a thing x"):
        Registry(LOCATOR, [camera("x", 10.0, 20.0), camera("x", 11.0, 20.0)])
    with pytest.raises(KeyError):
        registry.add(camera("c9", 10.0, 20.0, "9"))
    for lon, lat in ((179.5, 0.0), (0.0, -86.0), (float("nan"), 0.0)):
        for refused in (
            lambda x, y: registry.add(camera("c9", x, y)),
            lambda x, y: registry.move("c1", x, y),
            lambda x, y: registry.nearest(x, y, 1),
            lambda x, y: registry.within(x, y, 1),
        ):
            with pytest.raises(ValueError, match="beyond ±179°"):
                refused(lon, lat)
    for radius_m in (-1.0, 50_001.0, float("nan")):
        with pytest.raises(ValueError, match="radius_m"):
            registry.within(10.0, 20.0, radius_m)
    with pytest.raises(ValueError, match="k must be"):
        registry.nearest(10.0, 20.0, 0)
    with pytest.raises(KeyError):
        registry.in_cell("9")
    with pytest.raises(KeyError):
        registry.move("c1", 10.0, 20.0, "9")
    with pytest.raises(KeyError):
        registry.move("c9", 10.0, 20.0)
    monkeypatch.setattr(geo.registry, "MAX_THINGS", 3)
    with pytest.raises(ValueError, match="more than 3 things"):
        registry.add(camera("c9", 10.0, 20.0))
    assert ids(registry) == ["c1", "c2", "o1"]
    assert near_ids(registry.nearest(10.0, 20.0, 9)) == ["c1", "o1", "c2"]


def test_against_brute_force_while_things_move_and_go(city, city_grid):
    registry = Registry(Locator(city_grid), city.things)
    model = {thing.id: thing for thing in city.things}
    rng = random.Random(31)

    def check(lon, lat, kind):
        rows = sorted(
            (plain_distance_m(lon, lat, thing.lon, thing.lat), thing.id)
            for thing in model.values()
            if kind is None or thing.kind is kind
        )
        k, radius_m = rng.choice([1, 5, 40]), rng.choice([80.0, 500.0, 3000.0])
        nearest = registry.nearest(lon, lat, k, kind)
        assert near_ids(nearest) == [thing_id for _, thing_id in rows[:k]]
        assert [metres for _, metres in nearest] == pytest.approx([metres for metres, _ in rows[:k]], rel=1e-9)
        assert near_ids(registry.within(lon, lat, radius_m, kind)) == [i for metres, i in rows if metres <= radius_m]
        code = rng.choice(city_grid.codes[:2000])
        inside = sorted(
            thing.id
            for thing in model.values()
            if (kind is None or thing.kind is kind) and thing.cell is not None and code in city_grid.path(thing.cell)
        )
        assert ids(registry.in_cell(code, kind)) == inside

    names = sorted(model)
    for _ in range(8):
        for _ in range(100):
            thing_id = rng.choice(names)
            if thing_id not in model:
                continue
            if rng.random() < 0.4:
                registry.remove(thing_id)
                del model[thing_id]
            else:
                at = city.things[rng.randrange(len(city.things))]
                model[thing_id] = registry.move(thing_id, at.lon + rng.gauss(0, 1e-4), at.lat + rng.gauss(0, 1e-4))
        assert len(registry) == len(model)
        for _ in range(3):
            at = rng.choice(city.things)
            check(at.lon + rng.gauss(0, 0.01), at.lat + rng.gauss(0, 0.01), rng.choice([None, *Kind]))
    check(103.9, 25.9, Kind.CAMERA)  # from far outside


HEAD = "id,kind,lon,lat,cell,name,colour\n"


def test_things_from_csv():
    data = HEAD + "a1,asset,10.5,20.5,1a,Lamp,red\nc1,camera,10.6,20.6,,,\n"
    lamp, eye = load_things(data.encode(), cells=GRID)
    assert (lamp, dict(lamp.attributes)) == (
        Thing("a1", Kind.ASSET, 10.5, 20.5, "1a", "Lamp", {"colour": "red"}),
        {"colour": "red"},
    )
    assert (eye.cell, eye.name, dict(eye.attributes)) == (None, "", {})
    assert hash(lamp) != hash(eye)


def test_all_problems_of_things_are_listed_at_once():
    data = HEAD + ",asset,1,2,,,\na,tank,1,2,,,\nb,asset,,x,9,,\nb,asset,179.5,86,,,\nc,,1,2,,,\n"
    with pytest.raises(TableError) as caught:
        load_things(data.encode(), cells=GRID)
    assert list(map(str, caught.value.problems)) == [
        "line 2: `id` is empty",
        "line 3: `kind` must be one of asset, camera, officer, compound, service_centre, not 'tank'",
        "line 4: `lon` is empty",
        "line 4: `lat` must be degrees within ±85, not 'x'",
        "line 4: there is no cell '9'",
        "line 5: id b is already used in line 4",
        "line 5: `lon` must be degrees within ±179, not '179.5'",
        "line 5: `lat` must be degrees within ±85, not '86'",
        "line 6: `kind` is empty",
    ]


def test_the_city_s_things_survive_csv(city, city_grid):
    assert load_things(city.things_csv(), cells=city_grid) == city.things
