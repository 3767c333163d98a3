"""The lively city of `tests/core`, its histories and its auditor are simulated here too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))
