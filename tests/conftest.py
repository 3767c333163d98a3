"""What every test folder shares: where the repository is, and the New York example loaded once."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NYC = ROOT / "examples" / "nyc"


@pytest.fixture(scope="session")
def nyc() -> Path:
    """The folder of the New York example."""
    return NYC
