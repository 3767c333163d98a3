"""What every test folder shares: where the repository is, the New York example, and a real Apache Kafka.

The broker is one for a test process, started by the first test that wants it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bench.broker import Broker, ToolMissing, fetch_libraries, find_java

ROOT = Path(__file__).parent.parent
NYC = ROOT / "examples" / "nyc"

# How long a busy machine takes over an example, or over its tables of letters in a fresh checkout, is no failure.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def nyc() -> Path:
    """The folder of the New York example."""
    return NYC


@pytest.fixture(scope="session")
def kafka_libraries() -> Path:
    """Kafka's jars. Without Java or Maven what wants them is skipped, saying so; where CI is set, it fails."""
    try:
        find_java()
        return fetch_libraries()
    except ToolMissing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"NOT TESTED AGAINST A REAL KAFKA: {missing}")


@pytest.fixture(scope="session")
def broker(kafka_libraries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Running, and shared: topics need names of their own, and whoever kills it starts one of its own instead."""
    with Broker(tmp_path_factory.mktemp("kafka"), libraries=kafka_libraries) as broker:
        yield broker
