"""The city of four squares with a past: reports and updates at chosen times, and policies that come and go."""

from collections.abc import Callable
from typing import Any

import orjson

from dispatcher.core import CLOCK, REPORTS, UPDATES, ms_to_text, text_to_ms
from dispatcher.hosts.embedded import Embedded, enact_first_policy
from dispatcher.hosts.setup import Books
from dispatcher.ledger import Entry, Ledger, MemoryLedger
from dispatcher.policies.activation import Written, activate
from rules import Policy, load_policy
from tests.simulation.sim_city import POLICY, grid, intake, policy

ALL = 1 << 30
SYSTEM = {"role": "system"}
DISPATCHER = {"role": "dispatcher", "person": "li"}


def local(text: str) -> int:
    """`2026-03-05 16:00` on the city's wall, in epoch ms."""
    return text_to_ms(f"{text.replace(' ', 'T')}:00+08:00")


def changed(*replacements: tuple[str, str]) -> Policy:
    """The city's policy with pieces of its text replaced; each of them must be there."""
    text = POLICY
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return load_policy({"policy.yaml": text.encode()})


class Town:
    """A ledger, its engine, and a clock that stands still unless it is set."""

    def __init__(
        self,
        make: Callable[[Callable[[], int]], Ledger] = MemoryLedger,
        first: Policy | None = None,
        at: str = "2026-03-05 15:00",  # a Thursday afternoon
    ) -> None:
        self.now_ms = local(at)
        self.ledger = make(lambda: self.now_ms)
        enact_first_policy(self.ledger, first or policy())
        self._number = 0
        self.restart()

    def restart(self) -> None:
        self.host = Embedded(self.ledger, intake(), Books(self.ledger), grid=grid().sha256)

    def at(self, text: str) -> "Town":
        self.now_ms = local(text)
        return self

    def report(self, report_id: str, category: str, cell: str | None = "T1C0", **fields: Any) -> str:
        """Report something and work it through; returns its incident."""
        message: dict[str, Any] = {
            "report_id": report_id, "source": "hotline", "reported_at": ms_to_text(self.now_ms), "category": category,
        }  # fmt: skip
        if cell is not None:
            message["location"] = {"cell": cell}
        self.send(REPORTS, {**message, **fields})
        seen = self.host.engine.state.repeats.seen(fields.get("source", "hotline"), report_id, self.now_ms)
        assert seen is not None, self.out("rejected")
        return seen.incident_id

    def update(self, incident_id: str, action: str, **fields: Any) -> None:
        """Something done about an incident; it must be taken."""
        self._number += 1
        before = len(self.out("rejected"))
        message = {
            "update_id": f"u{self._number}", "incident_id": incident_id, "action": action, "actor": SYSTEM,
            "at": ms_to_text(self.now_ms),
        }  # fmt: skip
        self.send(UPDATES, {**message, **fields})
        assert self.out("rejected")[before:] == []

    def send(self, topic: str, message: dict[str, Any]) -> None:
        self.ledger.append([Entry(topic, orjson.dumps(message))])
        self.host.catch_up()

    def pass_time(self, to: str) -> None:
        self.at(to)
        self.ledger.append([Entry(CLOCK, b"")])
        self.host.catch_up()

    def activate(self, candidate: Policy, **options: Any) -> Written | None:
        """Write it and work it through."""
        written = activate(self.ledger, candidate, **options)
        self.host.catch_up()
        return written

    def out(self, topic: str, key: str | None = None) -> list[dict[str, Any]]:
        kept = self.ledger.follow(topic, -1, ALL)
        return [orjson.loads(each.value) for each in kept if key in (None, each.key) and each.value is not None]

    def incident(self, incident_id: str) -> dict[str, Any]:
        value = self.ledger.newest("incidents", incident_id)
        assert value is not None
        return orjson.loads(value)
