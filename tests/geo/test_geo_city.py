import hashlib
import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import orjson
import shapely

from geo import How, Kind, Locator, load_gazetteer
from geo.city import CELLS, COMPOUNDS, SERVICE_CENTRES, STREETS, _quotas, synthetic_city

# Of seed 1. They change when the generator changes on purpose; every machine and version must agree on them.
GRID_SHA256 = "81c810703f9a"


def test_the_numbers_of_cells(city_grid):
    assert [len(city_grid.cells_at(level)) for level in range(1, 7)] == [13, 109, 946, 4193, 6063, 0]
    assert set(city_grid.leaves) == set(city_grid.cells_at(5))
    assert all(city_grid.children(code) for level in range(1, 5) for code in city_grid.cells_at(level))


def test_codes_are_neutral_and_nested(city_grid):
    for number, code in enumerate(city_grid.codes):
        level = city_grid.level_of(number)
        assert code.startswith("530002")
        assert len(code) == 6 + 3 * level
        assert city_grid.parent_of(number) == (None if level == 1 else code[:-3])
    assert city_grid.cells_at(1)[0] == "530002001"


def test_children_partition_their_parent_vertex_for_vertex(city_grid):
    """Each edge of a level occurs twice in opposite directions, or once and then on the city's own outline."""
    outlines = []
    for level in range(1, 6):
        numbers = [city_grid.number(code) for code in city_grid.cells_at(level)]
        edges: Counter = Counter()
        for polygon in city_grid.geometries[numbers]:
            for ring in (polygon.exterior, *polygon.interiors):
                points = shapely.get_coordinates(ring).tolist()
                edges.update((tuple(a), tuple(b)) for a, b in itertools.pairwise(points))
        assert set(edges.values()) == {1}
        outlines.append({edge for edge in edges if edge[::-1] not in edges})
    assert all(outline == outlines[0] for outline in outlines)
    for level in range(1, 5):
        for code in city_grid.cells_at(level)[:200]:
            parts = city_grid.area_m2[[city_grid.number(child) for child in city_grid.children(code)]]
            assert abs(parts.sum() / city_grid.area_m2[city_grid.number(code)] - 1) < 1e-9


def test_shapes_are_irregular(city_grid):
    leaves = city_grid.geometries[city_grid.leaf_numbers]
    filled = shapely.area(leaves) / shapely.area(shapely.envelope(leaves))
    assert filled.max() < 0.95
    assert np.median(shapely.get_num_coordinates(leaves)) >= 12
    areas = city_grid.area_m2[city_grid.leaf_numbers]
    assert np.percentile(areas, 95) > 3 * np.percentile(areas, 5)


def test_people_and_things(city, city_grid):
    assert set(city.population) == set(city_grid.leaves)
    assert min(city.population.values()) > 0
    assert Counter(thing.kind for thing in city.things) == {
        Kind.ASSET: 13_000,
        Kind.CAMERA: 8_500,
        Kind.COMPOUND: COMPOUNDS,
        Kind.SERVICE_CENTRE: 50,
    }
    centres = Counter(t.attributes["level"] for t in city.things if t.kind is Kind.SERVICE_CENTRE)
    assert centres == dict(SERVICE_CENTRES) == {"street": 5, "community": 29, "compound": 16}
    names = [thing.name for thing in city.things if thing.kind in {Kind.COMPOUND, Kind.SERVICE_CENTRE}]
    assert len(set(names)) == len(names)
    assert len({thing.id for thing in city.things}) == len(city.things)
    assert sum(city_grid.name_of(code).endswith("街道") for code in city_grid.cells_at(1)) == STREETS


def test_everything_stands_in_the_cell_it_says(city, city_grid):
    locator = Locator(city_grid)
    found = locator.locate([t.lon for t in city.things], [t.lat for t in city.things])
    assert set(found.how.tolist()) == {How.EXACT}
    assert [city_grid.codes[number] for number in found.cell] == [thing.cell for thing in city.things]


def test_the_gazetteer_loads_and_finds_its_own(city, city_grid):
    book = load_gazetteer(city.gazetteer_csv, cells=city_grid)
    assert Counter(entry.kind for entry in book.entries)["compound"] == COMPOUNDS
    for entry in book.entries:
        assert book.find(entry.name).entry == entry
        for alias in entry.aliases:  # some romanise alike
            match = book.find(alias)
            assert entry in [candidate.entry for candidate in match.candidates]
            assert match.entry in {entry, None}


def digests(city, grid_geojson):
    population = json.dumps(dict(city.population)).encode()
    parts = (grid_geojson, city.gazetteer_csv, city.things_csv(), population)
    return [hashlib.sha256(data).hexdigest() for data in parts]


def test_the_same_seed_gives_the_same_city_in_any_process(city, city_geojson):
    program = (
        "import json, sys; sys.path[:0] = json.loads(sys.argv[1]);"
        "from test_geo_city import digests; from geo.city import synthetic_city;"
        "city = synthetic_city(); print(json.dumps(digests(city, city.grid_geojson())))"
    )
    path = json.dumps([str(Path(__file__).parent), str(Path(__file__).parents[2])])
    result = subprocess.run(
        [sys.executable, "-c", program, path],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "12345"},
    )
    assert json.loads(result.stdout) == digests(city, city_geojson)


def test_the_city_of_seed_1_is_always_the_same(city_grid):
    assert city_grid.sha256.startswith(GRID_SHA256)


def test_another_seed_gives_another_city(city, city_geojson):
    other = synthetic_city(seed=2)
    grid = other.grid_geojson()
    levels = Counter(item["properties"]["level"] for item in orjson.loads(grid)["features"])
    assert levels == dict(enumerate(CELLS, start=1))
    assert grid != city_geojson
    assert other.gazetteer_csv != city.gazetteer_csv


def test_quotas_keep_their_bounds():
    rng = np.random.default_rng(2)
    for _ in range(200):
        sizes = rng.integers(1, 30, rng.integers(1, 40))
        total = int(rng.integers(len(sizes), sizes.sum() + 1))
        quotas = _quotas(sizes, total)
        assert sum(quotas) == total
        assert all(1 <= quota <= size for quota, size in zip(quotas, sizes, strict=True))
