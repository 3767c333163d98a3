"""One running gateway for the tests that do it no harm: on a file; a module that says `ON = ON_BOTH`, on Kafka too."""

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
