"""The residents, once they are told that it is settled: some are called back, some come again by themselves."""

from collections.abc import Sequence
from functools import partial

from bench.year.agenda import Agenda, Office
from bench.year.console import Console, Notice
from bench.year.habits import Habits
from dispatcher.ledger import Entry

__all__ = ["REPORT", "Residents"]

REPORT = "report:"  # a notice to whoever sent a report, by its source and id


class Residents(Office):
    """Everybody who reported, and the callback desk that phones them."""

    def __init__(self, seed: int, agenda: Agenda, console: Console, habits: Habits) -> None:
        super().__init__("residents", seed, agenda, console, habits)

    def hear(self, notice: Notice) -> None:
        """A reporter is told something."""
        if notice.template != "closed":
            return
        source, _, report_id = notice.to.removeprefix(REPORT).partition("/")
        if self.chance(self.habits.called_back):
            self._call(notice.incident_id, source, report_id, 1)
        elif self.chance(self.habits.asks_again):
            act = partial(self._ask, incident_id=notice.incident_id, source=source, report_id=report_id)
            self.agenda.plan(self.after(60, 5 * 24 * 60), act)

    def _call(self, incident_id: str, source: str, report_id: str, attempt: int) -> None:
        act = partial(self._ring, incident_id=incident_id, source=source, report_id=report_id, attempt=attempt)
        self.agenda.plan(self.after(60, 48 * 60), act)

    def _ring(self, _now_ms: int, *, incident_id: str, source: str, report_id: str, attempt: int) -> Sequence[Entry]:
        case, habits = self.console.look(incident_id), self.habits
        if case is None or case.state != "closed":
            return []
        known = next((c for c in case.callbacks if (c.source, c.report_id) == (source, report_id)), None)
        if known is not None and (known.answered or known.attempts >= 3):
            return []
        answered = self.chance(habits.answers)
        if not answered and attempt < 3:
            self._call(incident_id, source, report_id, attempt + 1)
        said: dict[str, object] = {"report": {"source": source, "report_id": report_id}, "answered": answered}
        if answered:
            said |= {"resolved": self.chance(habits.resolved), "satisfied": self.chance(habits.satisfied)}
        return self.update(incident_id, "callback", said, role="callback")

    def _ask(self, _now_ms: int, *, incident_id: str, source: str, report_id: str) -> Sequence[Entry]:
        case = self.console.look(incident_id)
        if case is None or case.state != "closed":
            return []
        said = {"report": {"source": source, "report_id": report_id}, "text": "没有解决。"}
        return self.update(incident_id, "reopen_request", said, role="reporter")
