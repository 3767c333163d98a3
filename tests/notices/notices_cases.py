"""Notices as an engine puts them out, a ledger that holds them, and channels and clocks that a test moves."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from dispatcher.config import Notices
from dispatcher.core import NEVER_MS, Outcome, Position, datetime_to_ms, ms_to_text
from dispatcher.ledger import Ledger, MemoryLedger
from dispatcher.notices import Delivered, Failed, Message, Voice

ZONE = ZoneInfo("Asia/Shanghai")
VOICE = Voice("zh", ZONE)
MINUTE_MS, HOUR_MS = 60_000, 3_600_000


def at(text: str) -> int:
    """An instant of Shanghai as epoch ms."""
    return datetime_to_ms(datetime.fromisoformat(text).replace(tzinfo=ZONE))


NOON_MS = at("2026-03-02 12:00")


def record(n: int, to: str = "gas-company", at_ms: int = NOON_MS, template: str = "urge", **fields: object) -> dict:
    """A record of the topic as the engine writes it; `n` makes its id."""
    return {
        "notice_id": f"notice:20260302-000-00001:3:{n}", "incident_id": "20260302-000-00001", "revision": 3,
        "at": ms_to_text(at_ms), "to": to, "template": template, "due": ms_to_text(at_ms + HOUR_MS),
        "state": "handling", "severity": 3, "category": {"code": "03.02", "zh": "燃气", "en": "Gas"},
        "cell": "530001001", "reason": "gas plan §3.1", "target": "resolve", "source": None, "report_id": None,
        **fields,
    }  # fmt: skip


def to_reporter(n: int, report_id: str = "r1", at_ms: int = NOON_MS, template: str = "accepted") -> dict:
    to = f"report:hotline/{report_id}"
    return record(n, to, at_ms, template, source="hotline", report_id=report_id, severity=1)


class City:
    """A ledger into which records are committed as an engine would: outputs, while its position in the inputs stays."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self.ledger = MemoryLedger(lambda: NOON_MS) if ledger is None else ledger
        self.owner = self.ledger.own(0)

    def put_out(self, records: Iterable[dict | bytes], time_ms: int = NOON_MS) -> None:
        expected = self.ledger.position(0)
        position = Position(expected.offset, max(expected.time_ms, time_ms))
        rows = []
        for made in records:
            value = made if isinstance(made, bytes) else json.dumps(made).encode()
            rows.append(("notices", made["to"] if isinstance(made, dict) else "", position.time_ms, value))
        self.ledger.commit(self.owner, Outcome(position, 0, rows, {}, Counter(), NEVER_MS), expected)

    def reporter(self, report_id: str, **contact: object) -> None:
        self.ledger.put("reporters", f"hotline/{report_id}", json.dumps(contact).encode())


class Desk:
    """A channel that keeps what it is given; `answers` are what it says next, delivered when there are none."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.answers: list[Delivered | Failed | Exception] = []

    def deliver(self, message: Message) -> Delivered | Failed:
        answer = self.answers.pop(0) if self.answers else Delivered()
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Delivered):
            self.messages.append(message)
        return answer

    def told(self) -> list[list[int]]:
        """Of each message, the numbers of its notices."""
        return [[int(n.notice_id.rpartition(":")[2]) for n in message.notices] for message in self.messages]


class Clock:
    """Stands still until it is moved; `step_ms` is how long each look at it takes."""

    def __init__(self, now_ms: int = NOON_MS, step_ms: int = 0) -> None:
        self.now_ms, self.step_ms = now_ms, step_ms

    def __call__(self) -> int:
        self.now_ms += self.step_ms
        return self.now_ms


def settings(**fields: object) -> Notices:
    return Notices.model_validate(fields)
