from pathlib import Path

import orjson
import pytest
from geo_oracles import BruteGrid

from geo import load_grid
from geo.city import synthetic_city

NYC_GRID = Path(__file__).parents[2] / "examples" / "nyc" / "grid.geojson"


@pytest.fixture(scope="session")
def city():
    return synthetic_city()


@pytest.fixture(scope="session")
def city_geojson(city):
    return city.grid_geojson()


@pytest.fixture(scope="session")
def city_grid(city_geojson):
    return load_grid(city_geojson)


@pytest.fixture(scope="session")
def city_brute(city_geojson):
    return BruteGrid(orjson.loads(city_geojson))


@pytest.fixture(scope="session")
def nyc_geojson():
    return NYC_GRID.read_bytes()


@pytest.fixture(scope="session")
def nyc_grid(nyc_geojson):
    return load_grid(nyc_geojson)


@pytest.fixture(scope="session")
def nyc_brute(nyc_geojson):
    return BruteGrid(orjson.loads(nyc_geojson))
