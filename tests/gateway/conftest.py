"""One running gateway for the tests that do it no harm: on a file; a module that says `ON = ON_BOTH`, on Kafka too."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway_kafka import gateway_on_kafka
from gateway_process import Gateway, Serving, gateway_at


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "gateway" in metafunc.fixturenames:
        metafunc.parametrize("gateway", getattr(metafunc.module, "ON", ("file",)), indirect=True, scope="module")


@pytest.fixture(scope="module")
def gateway(request: pytest.FixtureRequest) -> Serving:
    return request.getfixturevalue(f"gateway_on_{request.param}")


@pytest.fixture(scope="session")
def gateway_on_file(nyc: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway_at(nyc / "config.yaml", tmp_path_factory.mktemp("gateway")) as made:
        yield made


@pytest.fixture(scope="session", name="gateway_on_kafka")
def _gateway_on_kafka(
    request: pytest.FixtureRequest, nyc: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serving]:
    broker = request.getfixturevalue("broker")
    with gateway_on_kafka(nyc / "config.yaml", tmp_path_factory.mktemp("gateway-on-kafka"), broker) as made:
        yield made


@pytest.fixture
def own_gateway(nyc: Path, tmp_path: Path) -> Iterator[Gateway]:
    """One that may be killed."""
    with gateway_at(nyc / "config.yaml", tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def open_city(nyc: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a city of which some is public: streets. It has one more source, and lights merge."""
    directory = tmp_path_factory.mktemp("open-city")
    shutil.copytree(nyc / "policy", directory / "policy", ignore=shutil.ignore_patterns("tests"))
    for name in ("config.yaml", "grid.geojson"):
        shutil.copy(nyc / name, directory / name)
    catalogue = directory / "policy" / "catalogue"
    edit(catalogue / "sources.yaml", "sources:\n", "sources:\n  hotline: {platform: people, verify: false}\n")
    edit(
        catalogue / "categories.yaml",
        '"street": {zh: 道路设施, en: Streets,',
        '"street": {zh: 道路设施, en: Streets, public: true,',
    )
    edit(
        catalogue / "categories.yaml",
        'aliases: ["Sidewalk Condition"]',
        'aliases: ["Sidewalk Condition"], standards:'
        " {a: {zh: 破损, en: Cracked, limit: 2d, close: mended}, b: {zh: 塌陷, en: Sunken, limit: 1d, close: mended}}",
    )
    light = '"street.light": {radius_m: 25, gap: 7d, life: 30d, mode: '
    edit(directory / "policy" / "merge.yaml", f"{light}suggest", f"{light}auto")
    return directory / "config.yaml"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path}: {old}"
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="session")
def open_gateway(open_city: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Open311 of that city; strangers may ask as fast as tests do."""
    limits = {"DISPATCHER__GATEWAY__STRANGERS_PER_S": "10000", "DISPATCHER__GATEWAY__STRANGERS_BURST": "10000"}
    with gateway_at(open_city, tmp_path_factory.mktemp("open-gateway"), limits) as made:
        yield made
