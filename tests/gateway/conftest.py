"""One running gateway for the tests that do it no harm."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway_process import Gateway, gateway_at


@pytest.fixture(scope="session")
def gateway(nyc: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway_at(nyc / "config.yaml", tmp_path_factory.mktemp("gateway")) as made:
        yield made


@pytest.fixture
def own_gateway(nyc: Path, tmp_path: Path) -> Iterator[Gateway]:
    """One that may be killed."""
    with gateway_at(nyc / "config.yaml", tmp_path) as made:
        yield made
