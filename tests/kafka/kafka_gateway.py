"""Gateways on a small city on Kafka, as processes; each with a projection of its own, all with one file of keys."""

import time
from pathlib import Path
from typing import Any

from kafka_city import SIDE, SOUTH, WEST, City

from tests.gateway.gateway_process import Serving, wait_until

ROLES: dict[str, dict[str, Any]] = {
    "reporter": {"roles": ["reporter"], "sources": ["*"]},
    "dispatcher": {"roles": ["dispatcher"], "areas": ["*"]},
    "analyst": {"roles": ["analyst"], "areas": ["*"]},
    **{code: {"roles": [f"department:{code}"], "areas": ["*"]} for code in ("gas", "fire", "roads", "police")},
}


def report(report_id: str, category: str = "01", cell: tuple[int, int] = (0, 0), **fields: Any) -> dict[str, Any]:
    """In the middle of a square of the grid; `03` is gas with the fire brigade, `01` roads alone."""
    column, row = cell
    place = {"lon": WEST + (column + 0.5) * SIDE, "lat": SOUTH + (row + 0.5) * SIDE}
    made = {"report_id": report_id, "source": "hotline", "category": category, "location": place, **fields}
    return {"reported_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **made}


class KafkaGateway(Serving):
    """One `dispatcher gateway`."""

    def __init__(self, city: City, number: int, **environment: str) -> None:
        self.view: Path = city.directory / f"gateway-{number}.view"
        own = {
            "DISPATCHER__GATEWAY__KEYS": str(city.directory / "keys"),
            "DISPATCHER__GATEWAY__PROJECTION": str(self.view),
        }
        log = city.directory / f"gateway-{number}.log"
        command = ["-c", str(city.config), "gateway"]
        super().__init__(command, city.directory / "keys", log, {**city.env, **own, **environment}, ROLES)

    def start(self) -> None:
        """And wait until it says that it is ready."""
        super().start()
        with self.client() as client:
            wait_until(lambda: client.get("/health/ready").status_code == 200)
