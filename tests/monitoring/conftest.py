"""Prometheus itself, and its promtool: Debian has both in one package. Without them tests are skipped, saying so."""

from pathlib import Path

import pytest
from prometheus_process import program


@pytest.fixture(scope="session")
def promtool() -> str:
    return program("promtool")


@pytest.fixture(scope="session")
def prometheus() -> str:
    return program("prometheus")


@pytest.fixture(scope="session")
def monitoring() -> Path:
    """The folder that an operator takes over."""
    return Path(__file__).parent.parent.parent / "monitoring"
