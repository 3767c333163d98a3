"""A ledger that holds orders, a clock that a test moves, and a sender to a real server."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from notices_servers import HookServer

from dispatcher.config import Webhook
from dispatcher.core import NEVER_MS, Outcome, Position
from dispatcher.ledger import Ledger, MemoryLedger
from dispatcher.webhooks import Box, Endpoint, Sender, WebhookCounters

TOPIC = "dept.gas-company"
NOON_MS = 1_772_424_000_000


class Town:
    """Puts out orders as an engine would."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self.ledger = MemoryLedger(lambda: NOON_MS) if ledger is None else ledger
        self.owner = self.ledger.own(0)

    def put_out(self, keys: Iterable[str], topic: str = TOPIC) -> None:
        """One record for each incident named, numbered on."""
        expected = self.ledger.position(0)
        rows = [
            (topic, key, NOON_MS + n, json.dumps({"incident_id": key, "n": n}).encode()) for n, key in enumerate(keys)
        ]
        self.ledger.commit(
            self.owner, Outcome(Position(expected.offset, NOON_MS), 0, rows, {}, Counter(), NEVER_MS), expected
        )


class Clock:
    """Milliseconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_ms = NOON_MS

    def __call__(self) -> int:
        return self.now_ms

    def pass_s(self, seconds: float) -> None:
        self.now_ms += round(seconds * 1_000)


def settings(url: str, **more: Any) -> Webhook:
    made = {
        "name": "gas",
        "topic": TOPIC,
        "url": url,
        "secret_env": "HOOK_SECRET",
        "begin": "beginning",
        "timeout_s": 5,
    }
    return Webhook(**{**made, **more})


class Desk:
    """A sender with its box in memory of a directory, and what arrived at the server."""

    def __init__(self, town: Town, server: HookServer, directory: Path, **more: Any) -> None:
        self.town, self.server, self.clock, self.counters = town, server, Clock(), WebhookCounters()
        self.box = Box(directory / "city.db.webhooks")
        made = settings(f"{server.url}/orders", **more)
        self.sender = Sender(
            town.ledger,
            self.box,
            Endpoint(made, clock_s=lambda: self.clock() // 1_000),
            made,
            self.clock,
            self.counters,
        )

    def run(self) -> None:
        """Until there is nothing to do now."""
        while self.sender.turn():
            pass

    @property
    def arrived(self) -> list[tuple[str, int]]:
        """Incident and number of every request, in their order."""
        events = [json.loads(hook.body) for hook in self.server.hooks]
        return [(event["subject"], event["data"]["n"]) for event in events]
