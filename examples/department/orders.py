"""What an order asks of us, what we answer to it and when, and which orders are still open.

An answer follows from the order alone, its `update_id` and its `at` included. So an order that is read again, after a
crash or by another process, gets the very same updates, and the dispatcher takes each of them once. The same id with
other content, such as a fresh `at`, would be refused as a conflict.
"""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from aiokafka import ConsumerRebalanceListener, TopicPartition

__all__ = ["Answer", "Jobs", "answers"]

# What is still to be said, by how far our part has come; each at its share of the time the work takes.
STEPS = (("acknowledge", 0.0), ("arrive", 0.3), ("done", 1.0))
BEGIN_AT = {"offered": 0, "acknowledged": 1, "arrived": 2}


class Answer(NamedTuple):
    """One update, and when it is to be sent."""

    due_ms: int
    update: dict[str, Any]


def answers(order: dict[str, Any], time_ms: int, work_s: float) -> list[Answer]:
    """What we answer to an order dated `time_ms`: nothing to one that asks for no work."""
    if order["event"] not in ("offer", "rework") or order["state"] not in BEGIN_AT:
        return []
    found = []
    for action, share in STEPS[BEGIN_AT[order["state"]] :]:
        due_ms = time_ms + int(work_s * 1000 * share)
        update = {
            "update_id": f"{order['order_id']}/{action}",
            "incident_id": order["incident_id"],
            "action": action,
            "at": datetime.fromtimestamp(due_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        }
        if order["unit"] is not None:  # the offices of a department share its topic
            update["unit"] = order["unit"]
        place = order["place"]
        if action == "arrive" and place.get("lon") is not None:
            update["position"] = {"lon": place["lon"], "lat": place["lat"], "crs": "wgs84"}
        if action == "done":  # an order does not say whether its category asks for evidence, so there always is some
            update["media"] = [f"https://photos.example/{order['order_id']}.jpg"]
        found.append(Answer(due_ms, update))
    return found


class Jobs(ConsumerRebalanceListener):
    """The orders we are working on, by where they lie: what is before the first of them is answered for good."""

    def __init__(self, work_s: float) -> None:
        self._work_s = work_s
        self._read: dict[TopicPartition, int] = {}  # the next offset to read
        self.open: dict[tuple[TopicPartition, int], list[Answer]] = {}
        self._parts: dict[tuple[TopicPartition, int], tuple[str, str | None]] = {}

    def take(self, partition: TopicPartition, offset: int, time_ms: int, value: bytes) -> None:
        """Take an order up; one that ends our part ends what we still wanted to say about it."""
        order = json.loads(value)
        self._read[partition] = offset + 1
        part = (order["incident_id"], order["unit"])
        if order["event"] in ("withdraw", "close"):
            for at in [at for at, of in self._parts.items() if of == part]:
                self.end(at)
        elif wanted := answers(order, time_ms, self._work_s):
            self.open[partition, offset] = wanted
            self._parts[partition, offset] = part

    def end(self, at: tuple[TopicPartition, int]) -> None:
        """Nothing more is to be said about it."""
        self.open.pop(at, None)
        self._parts.pop(at, None)

    def offsets(self) -> dict[TopicPartition, int]:
        """What may be committed."""
        found = dict(self._read)
        for partition, offset in self.open:
            found[partition] = min(found[partition], offset)
        return found

    def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Whoever reads them next, we or another process, starts at what is committed."""
        for partition in revoked:
            self._read.pop(partition, None)
        for at in [at for at in self.open if at[0] in revoked]:
            self.end(at)

    def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Reading starts by itself."""
