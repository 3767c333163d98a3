"""The street offices: they whistle departments together, confirm who came, rate, and supervise."""

from collections.abc import Callable, Sequence
from functools import partial

from bench.year.agenda import Agenda, Office
from bench.year.console import Case, Console, Queued
from bench.year.habits import Habits
from bench.year.season import HOUR_MS
from dispatcher.core import ms_to_text
from dispatcher.ledger import Entry

__all__ = ["Streets"]

KINDS = ("joint_enforcement", "key_livelihood", "emergency")
CALLED = ((), ("city-management",), ("market-supervision", "fire-brigade"), ("community-office@community",))
WHISTLED = ("02.01", "02.02", "03.01", "05.04", "06", "09")  # what streets call for
SENT_OUT = ("dispatched", "handling", "on_hold")

# What a street does about one incident: (now, the incident as it is) -> what is written.
_Deed = Callable[[int, Case], list[Entry]]


class Streets(Office):
    """All street offices; each looks after its own ground."""

    def __init__(self, seed: int, agenda: Agenda, console: Console, habits: Habits) -> None:
        super().__init__("streets", seed, agenda, console, habits)

    def read(self, queued: Queued) -> None:
        """A record of the queue."""
        if not queued.place.path:
            return
        if queued.event == "entered" and queued.state == "dispatched":
            habits = self.habits
            if "whistle" in queued.tags:
                self._attend(queued.incident_id)
            elif (queued.category.code or "").startswith(WHISTLED) and self.chance(habits.whistles):
                self._later(queued.incident_id, 20, 20 * 60, self._whistle)
            elif self.chance(habits.street_supervises):
                self._later(queued.incident_id, 24 * 60, 72 * 60, self._supervise)
        elif queued.event == "left" and queued.state == "closed" and self.chance(self.habits.rates):
            self._later(queued.incident_id, 60, 48 * 60, self._rate)

    def _attend(self, incident_id: str) -> None:
        """Stand there and see who comes; end it some hours later."""
        for low_min, high_min in ((15, 30), (45, 70), (100, 180)):
            self._later(incident_id, low_min, high_min, self._confirm)
        self._later(incident_id, 181, 600, self._end)

    def _later(self, incident_id: str, low_min: float, high_min: float, act: _Deed) -> None:
        self.agenda.plan(self.after(low_min, high_min), partial(self._do, incident_id=incident_id, act=act))

    def _do(self, now_ms: int, *, incident_id: str, act: _Deed) -> Sequence[Entry]:
        case = self.console.look(incident_id)
        return [] if case is None or not case.place.path else act(now_ms, case)

    def _says(self, case: Case, action: str, **fields: object) -> list[Entry]:
        return self.update(case.incident_id, action, fields, role="street", unit=case.place.path[0])

    def _whistle(self, _now_ms: int, case: Case) -> list[Entry]:
        if case.state not in SENT_OUT or (case.whistle is not None and case.whistle.ended_at is None):
            return []
        self._attend(case.incident_id)
        return self._says(case, "whistle", kind=self.rng.choice(KINDS), departments=self.rng.choice(CALLED))

    def _confirm(self, _now_ms: int, case: Case) -> list[Entry]:
        """Confirm those who came, whom nobody has confirmed."""
        if case.state not in SENT_OUT or case.whistle is None or case.whistle.ended_at is not None:
            return []
        return [
            entry
            for part in case.support
            if part.state == "arrived" and self.chance(self.habits.confirms)
            for entry in self._says(case, "confirm_arrival", department=part.department, unit=part.unit)
        ]

    def _end(self, _now_ms: int, case: Case) -> list[Entry]:
        call = case.whistle
        if case.state not in SENT_OUT or call is None or call.ended_at is not None:
            return []
        return self.update(case.incident_id, "end_whistle", {}, role="street", unit=call.unit)

    def _rate(self, _now_ms: int, case: Case) -> list[Entry]:
        lead = case.lead
        if case.state != "closed" or lead is None:
            return []
        score = self.rng.choices((1, 2, 3, 4, 5), (2, 4, 14, 40, 40))[0]
        return self._says(case, "rate", department=lead.department, unit=lead.unit, score=score)

    def _supervise(self, now_ms: int, case: Case) -> list[Entry]:
        if case.state not in SENT_OUT:
            return []
        if self.chance(0.5):
            return self._says(case, "urge")
        until = ms_to_text(now_ms + 48 * HOUR_MS)
        return self._says(case, "supervise", text="请抓紧办理并答复。", until=until)
