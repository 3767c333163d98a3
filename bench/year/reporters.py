"""Whoever reports: day by day so many matters, some of them told by several, some sent twice, some no report at all."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import orjson

from bench.town import Where
from bench.year.agenda import MINUTE_MS, Agenda, Office
from bench.year.console import Console
from bench.year.habits import Habits
from bench.year.matters import BLUNDERS, Matters, kind_of
from bench.year.season import Season, Storm
from dispatcher.core import ms_to_text
from dispatcher.ledger import Entry
from rules import Policy

__all__ = ["Reporters"]

ECHOES = (1, 1, 1, 2, 2, 3, 6)  # further reports of one matter
ECHO_METRES = 0.0001  # degrees, about ten metres: two of them are within the radius of any merge rule
URGENT_MAJORS = ("08", "05.02", "06.04.02", "01.03.03", "03.01.03", "03.03")
WHISTLES = ("joint_enforcement", "joint_enforcement", "key_livelihood", "emergency")


class Reporters(Office):
    """Plans each day's reports. `sent` counts what was sent: `good` (each once), `repeated`, `bad`."""

    def __init__(
        self, seed: int, agenda: Agenda, console: Console, habits: Habits, town: Where, policy: Policy, season: Season
    ) -> None:
        super().__init__("reporters", seed, agenda, console, habits)
        self._town, self._season = town, season
        self._matters = Matters(policy, self.rng)
        self._numbers = np.random.Generator(np.random.PCG64([seed, 2026]))
        self._things = town.assets
        self._serial = 0
        self.sent: Counter[str] = Counter()
        self.urgent = False  # whether one of the last acts wants an answer within minutes

    def plan_day(self, day: date, matters: int) -> None:
        """Plan that many matters for a day."""
        storm = self._season.storm_on(day)
        instants = self._season.instants(day, matters, self.rng)
        lon, lat, _ = self._town.positions(self._numbers, matters)
        for at_ms, x, y in zip(instants, lon.tolist(), lat.tolist(), strict=True):
            self.agenda.plan(at_ms, partial(self._tell, day=day, storm=storm, lon=x, lat=y))

    def plan_plain(self, start_ms: int, every_ms: int, matters: int) -> None:
        """Plan matters that nothing can be merged with: each opens one incident."""
        lon, lat, _ = self._town.positions(self._numbers, matters)
        for n, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True)):
            self.agenda.plan(start_ms + n * every_ms, partial(self._plain, lon=x, lat=y))

    def _plain(self, now_ms: int, *, lon: float, lat: float) -> Sequence[Entry]:
        place = {"lon": lon, "lat": lat}
        self.sent["good"] += 1
        return self.report(orjson.dumps(self._report("hotline", "03.01.01", now_ms, place)))

    def _tell(self, now_ms: int, *, day: date, storm: Storm | None, lon: float, lat: float) -> Sequence[Entry]:
        """One matter comes up."""
        rng, kind = self.rng, None if storm is None else storm.kind
        source = self._matters.source()
        category = self._matters.category(source, day, kind)
        location = self._location(source, category, lon, lat)
        report = self._report(source, category, now_ms, location)
        if self.chance(self.habits.echoed) and location.keys() >= {"lon", "lat"}:
            for n in range(rng.choice(ECHOES)):
                act = partial(self._echo, category=category, location=location)
                self.agenda.plan(now_ms + (n + 1) * rng.uniform(1, 25) * MINUTE_MS, act)
        return self._send(report, now_ms)

    def _echo(self, now_ms: int, *, category: str, location: dict[str, Any]) -> Sequence[Entry]:
        """Somebody else sees the same."""
        rng = self.rng
        source = rng.choice(("hotline", "app", "app", "rider", "grid_officer"))
        near = {
            name: round(value + rng.uniform(-ECHO_METRES, ECHO_METRES), 6) if name in ("lon", "lat") else value
            for name, value in location.items()
        }
        return self._send(self._report(source, category, now_ms, near), now_ms)

    def _send(self, report: dict[str, Any], now_ms: int) -> Sequence[Entry]:
        rng, habits = self.rng, self.habits
        value = orjson.dumps(report)
        self.urgent |= report["category"].startswith(URGENT_MAJORS) or "whistle" in report
        if self.chance(habits.bad):
            self.agenda.plan(now_ms + rng.uniform(1, 30) * MINUTE_MS, partial(self._bad, report=report))
        self.sent["good"] += 1
        if self.chance(habits.repeated):
            self.agenda.plan(now_ms + rng.uniform(0.1, 90) * MINUTE_MS, partial(self._again, value=value))
        return self.report(value)

    def _again(self, _now_ms: int, *, value: bytes) -> Sequence[Entry]:
        self.sent["repeated"] += 1
        return self.report(value)

    def _bad(self, now_ms: int, *, report: dict[str, Any]) -> Sequence[Entry]:
        """What is no report: the id of a good one, with something wrong."""
        self.sent["bad"] += 1
        wrong: tuple[bytes, ...] = (
            orjson.dumps(report)[:-9],
            orjson.dumps({name: value for name, value in report.items() if name != "category"}),
            orjson.dumps(report | {"severity": "high"}),
            orjson.dumps(report | {"reported_at": ms_to_text(now_ms + 3 * 86_400_000)}),
            orjson.dumps(report | {"source": "pigeon-post"}),
            orjson.dumps(report | {"text": "说法变了。"}),  # a conflict: the id was taken with other words
            orjson.dumps(report | {"report_id": f"{report['report_id']}-x", "source": "sensor", "category": "99"}),
        )
        return self.report(self.rng.choice(wrong))

    def _location(self, source: str, category: str, lon: float, lat: float) -> dict[str, Any]:
        device = kind_of(source) == "device"
        if not device and self.chance(self.habits.nowhere):
            return {}
        if category.startswith(("11", "06.04")) and self.chance(0.4):
            thing = self.rng.choice(self._things)
            return {"asset": thing.id}
        accuracy = {} if device or self.chance(0.7) else {"accuracy_m": self.rng.randint(5, 60)}
        return {"lon": lon, "lat": lat, **accuracy}

    def _report(self, source: str, category: str, now_ms: int, location: dict[str, Any]) -> dict[str, Any]:
        rng, habits = self.rng, self.habits
        self._serial += 1
        kind = kind_of(source)
        report: dict[str, Any] = {
            "report_id": f"{source}-{self._serial:07d}",
            "source": source,
            "reported_at": ms_to_text(now_ms - rng.randrange(120_000)),
            "category": category,
        }
        if location:
            report["location"] = location
        if kind != "resident" and (standard := self._matters.standard(category)) is not None:
            report["standard"] = standard
        if self.chance(habits.drill):
            report["tags"] = [rng.choice(("exercise", "test"))]
        if kind == "device":
            report |= {"request_kind": "observation", "media": ["https://media.example/1.jpg"]}
            return report if source in ("sensor", "camera") else report | {"confidence": self._confidence()}
        report |= {"text": self._matters.words(category), "request_kind": self._request_kind()}
        if kind == "resident" and self.chance(habits.uncategorised):
            report["category"] = rng.choice(BLUNDERS)
        if source in ("hotline", "app") and self.chance(0.6):
            report["reporter"] = {"name": "市民", "phone": f"1{rng.randrange(10**10):010d}"}
        if source == "hotline" and self.chance(0.05):
            report["promised_at"] = ms_to_text(now_ms + rng.randint(1, 15) * 86_400_000)
        if self.chance(0.1):
            report["severity"] = rng.randint(2, 4)
        if source == "street_office" and location and self.chance(0.5):
            report["whistle"] = {"unit": "530002001", "kind": rng.choice(WHISTLES), "departments": ["city-management"]}
        return report

    def _confidence(self) -> float:
        return round(self.rng.uniform(0.85, 1.0) if self.chance(0.8) else self.rng.uniform(0.2, 0.9), 2)

    def _request_kind(self) -> str:
        draw = self.rng.random()
        if draw < self.habits.inquiry:
            return "inquiry"
        if draw < self.habits.inquiry + self.habits.praise:
            return "praise"
        return self.rng.choice(("complaint", "complaint", "help", "tip_off", "suggestion"))
