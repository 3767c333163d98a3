"""One report of the synthetic day: what a resident, a camera, a sensor or a satellite would send.

A report says where it is in one of five ways; `Placed` is what must come of that: its leaf when a plain position was
given, and whether it can be placed at all.
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final, NamedTuple

import numpy as np
import orjson

from bench.policy import ATTRIBUTES, DEVICE_MAJORS, STANDARDS, WORDS
from geo import wgs84_to_gcj02

__all__ = ["BAD_KINDS", "PEOPLE", "Placed", "Subject", "Writer", "spoil"]

PEOPLE: Final = ("hotline", "app", "rider")
FOUND_BY: Final = {  # who reports what kind of thing, and how often
    True: (("ai_video", "sensor", "app"), (50, 35, 15)),
    False: (("hotline", "app", "rider", "satellite"), (52, 36, 8, 4)),
}
WHERE: Final = {"position": 74, "circle": 10, "gcj02": 6, "asset": 3, "address": 2, "cell": 1, "nowhere": 4}
SHANGHAI: Final = timezone(timedelta(hours=8))
PHRASES: Final = (
    "路面破损影响通行，请尽快安排处理。",
    "垃圾多日无人清运，异味明显。",
    "井盖松动，车辆经过有响声，",
    "夜间施工噪声扰民，已持续三天。",
    "路灯不亮，晚上出行不便，",
    "树枝倒伏，占用人行道。",
    "小区门口积水，老人出行困难，",
    "店铺占道经营，多次反映未果。",
)
BAD_KINDS: Final = ("not_json", "missing_field", "wrong_type", "bad_time", "unknown_source", "conflict")


class Subject(NamedTuple):
    """What a report is about. `leaf` is known when the position was drawn from a leaf's shape."""

    time_ms: int
    category: str
    lon: float
    lat: float
    leaf: str | None


class Placed(NamedTuple):
    """What must come of a report's location."""

    located: bool
    leaf: str | None  # None: not known beforehand


class Writer:
    """Writes reports from one stream of random numbers.

    Args:
        rng: where all choices come from.
        things: ids of assets whose places are known.
        addresses: names that the gazetteer knows once.
        leaves: codes of cells.
    """

    def __init__(
        self, rng: random.Random, things: Sequence[str], addresses: Sequence[str], leaves: Sequence[str]
    ) -> None:
        self._rng, self._things, self._addresses, self._leaves = rng, things, addresses, leaves

    def report(self, number: int, subject: Subject, *, plainly: bool = False) -> tuple[dict[str, Any], Placed]:
        """A report that will be accepted; `plainly` says where by a position, and by nothing else."""
        rng = self._rng
        is_device_matter = subject.category[:2] in DEVICE_MAJORS
        source = rng.choices(*FOUND_BY[is_device_matter])[0]
        seen_at = datetime.fromtimestamp((subject.time_ms - rng.randint(0, 5_000)) / 1000, UTC)
        location, placed = self._location(subject, "position" if plainly else None)
        report: dict[str, Any] = {
            "report_id": f"{source}-20261123-{number:07d}",
            "source": source,
            "reported_at": seen_at.astimezone(SHANGHAI).isoformat(timespec="seconds"),
            "category": subject.category,
            "attributes": {name: rng.choice(values) for name, values in ATTRIBUTES.items() if rng.random() < 0.4},
        }
        if location:
            report["location"] = location
        if rng.random() < 0.3:
            report["severity"] = rng.randint(1, 4)
        if rng.random() < 0.25:
            report["standard"] = rng.choice(tuple(STANDARDS))
        if rng.random() < 0.002:
            report["tags"] = ["exercise"]
        report |= self._by_people() if source in PEOPLE else self._by_device(source)
        return report, placed

    def _by_people(self) -> dict[str, Any]:
        rng = self._rng
        words = rng.choice(WORDS) if rng.random() < 0.2 else ""
        phone = f"1{rng.randrange(10**10):010d}"
        said: dict[str, Any] = {
            "request_kind": rng.choice(("complaint", "help", "tip_off")),
            "text": "".join(rng.sample(PHRASES, rng.randint(1, 3))) + words + (phone if rng.random() < 0.2 else ""),
        }
        if rng.random() < 0.6:
            said["reporter"] = {"name": "市民", "phone": phone}
        if rng.random() < 0.3:
            said["media"] = [f"https://media.example/{rng.randrange(1 << 40):010x}.jpg"]
        return said

    def _by_device(self, source: str) -> dict[str, Any]:
        rng = self._rng
        seen = {"request_kind": "observation", "media": [f"https://media.example/{rng.randrange(1 << 40):010x}.jpg"]}
        return seen if source == "sensor" else seen | {"confidence": round(rng.uniform(0.7, 1.0), 2)}

    def _location(self, subject: Subject, way: str | None) -> tuple[dict[str, Any], Placed]:
        rng = self._rng
        way = way or rng.choices(tuple(WHERE), tuple(WHERE.values()))[0]
        position = {"lon": subject.lon, "lat": subject.lat}
        match way:
            case "position":
                return position, Placed(True, subject.leaf)
            case "circle":
                return position | {"accuracy_m": rng.randint(5, 60)}, Placed(True, None)
            case "gcj02":
                lon, lat = wgs84_to_gcj02(np.array([subject.lon]), np.array([subject.lat]))
                return {"lon": round(float(lon[0]), 6), "lat": round(float(lat[0]), 6), "crs": way}, Placed(True, None)
            case "asset":
                return {"asset": rng.choice(self._things)}, Placed(True, None)
            case "address":
                return {"address": rng.choice(self._addresses)}, Placed(True, None)
            case "cell":
                leaf = rng.choice(self._leaves)
                return {"cell": leaf}, Placed(True, leaf)
            case _:
                useless: tuple[dict[str, Any], ...] = (
                    {},
                    {"lon": 0.0, "lat": 0.0},
                    {"lon": subject.lat, "lat": subject.lon},
                    {"address": f"东门外大槐树下{rng.randint(1, 99)}号"},
                    {"asset": "asset-99999"},
                )
                return rng.choice(useless), Placed(False, None)


def spoil(report: dict[str, Any], kind: str) -> bytes:
    """A report that will be rejected, for the reason named (`conflict`: once the report itself has been accepted)."""
    match kind:
        case "not_json":
            return orjson.dumps(report)[:-7]
        case "missing_field":
            return orjson.dumps({key: value for key, value in report.items() if key != "category"})
        case "wrong_type":
            return orjson.dumps(report | {"severity": "high"})
        case "bad_time":
            return orjson.dumps(report | {"reported_at": "2027-01-01T00:00:00+08:00"})
        case "unknown_source":
            return orjson.dumps(report | {"source": "pigeon-post"})
        case "conflict":
            return orjson.dumps(report | {"category": "12.01" if report["category"] != "12.01" else "12.02"})
        case _:
            raise ValueError(kind)
