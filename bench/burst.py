"""A camera burst: one camera sees one thing and says so several times a second for ten minutes.

Thousands of reports that differ in their ids, a second and a hundredth of confidence; one in fifty is sent twice. All
are about one incident. It is what a misconfigured video platform does to whoever listens to it.
"""

import random
from datetime import UTC, datetime
from typing import Final

import numpy as np
import orjson

from bench.town import Town
from bench.workload import START_MS, Day, Expected, Sent
from dispatcher.core import REPORTS

__all__ = ["camera_burst"]

MINUTES: Final = 10
REPEATED_EVERY: Final = 50
CATEGORY, SOURCE = "07.01", "ai_video"  # merges by itself
SURE: Final = 0.95  # nobody has to verify it


def camera_burst(town: Town, reports: int, seed: int) -> Day:
    """Make a burst of that many different reports."""
    rng = random.Random(f"burst {seed} {reports}")
    (lon,), (lat,), (leaf,) = town.positions(np.random.Generator(np.random.PCG64([seed, reports, 3])), 1)
    sent, leaf_of = [], {}
    for number in range(reports):
        time_ms = START_MS + number * MINUTES * 60_000 // reports
        report_id = f"camera-{number:07d}"
        leaf_of[SOURCE, report_id] = leaf
        value = orjson.dumps({
            "report_id": report_id,
            "source": SOURCE,
            "reported_at": datetime.fromtimestamp(time_ms // 1000, UTC).isoformat(),
            "category": CATEGORY,
            "request_kind": "observation",
            "confidence": round(rng.uniform(SURE, 1.0), 2),
            "location": {"lon": float(lon), "lat": float(lat)},
            "media": [f"https://media.example/{number:010x}.jpg"],
        })  # fmt: skip
        sent += [Sent(time_ms, REPORTS, value)] * (1 + (number % REPEATED_EVERY == 0))
    counts = {
        "reports_accepted": reports,
        "reports_located": reports,
        "reports_merged": reports - 1,
        "reports_repeated": len(sent) - reports,
    }
    return Day(sent, [], Expected(counts, {}, leaf_of))
