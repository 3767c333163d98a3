"""The real servers of the tests of notices take webhooks here, too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "notices"))
