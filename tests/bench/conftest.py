import pytest

from bench.town import Town


@pytest.fixture(scope="session")
def town() -> Town:
    return Town(1)
