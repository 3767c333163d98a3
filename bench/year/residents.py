"""The residents and the desk that phones them: soon after they reported, before some matters close, and after.

Some are called back once it is settled; some come again by themselves.
"""

from collections.abc import Sequence
from functools import partial

from bench.year.agenda import Agenda, Office
from bench.year.console import Case, Console, Notice, Queued
from bench.year.habits import Habits
from bench.year.matters import kind_of
from dispatcher.core import text_to_ms
from dispatcher.ledger import Entry

__all__ = ["REPORT", "Residents"]

REPORT = "report:"  # a notice to whoever sent a report, by its source and id
ATTEMPTS = 3  # as the policy has it
SOON_MS = 30 * 60_000  # a call that is due within so long is nearly late
SENT_OUT = ("dispatched", "handling")


class Residents(Office):
    """Everybody who reported, and the callback desk."""

    def __init__(self, seed: int, agenda: Agenda, console: Console, habits: Habits) -> None:
        super().__init__("residents", seed, agenda, console, habits)
        self._asking: set[str] = set()  # incidents that wait for their callbacks, whose reporters somebody is calling

    def read(self, queued: Queued) -> None:
        """A record of the queue: what must be asked before it closes, and calls that the lead has not made."""
        if queued.event != "urgency":
            return
        due = queued.due
        if queued.state == "checking":
            if "callback" in due and queued.incident_id not in self._asking:
                self._asking.add(queued.incident_id)
                self._plan_next(queued.incident_id)
        elif "contact" in due and queued.state in SENT_OUT:
            nearly = text_to_ms(due["contact"]) < self.agenda.now_ms + SOON_MS
            if nearly and self.chance(self.habits.desk_phones):
                act = partial(self._phone, incident_id=queued.incident_id)
                self.agenda.plan(self.after(1, 10), act)

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

    # --- soon after the report ----------------------------------------------------------------------------------

    def _phone(self, _now_ms: int, *, incident_id: str) -> Sequence[Entry]:
        case = self.console.look(incident_id)
        if case is None or case.state not in SENT_OUT or not case.call_owed:
            return []
        source, report_id = case.reports[0]
        said = {"report": {"source": source, "report_id": report_id}, "reached": self.chance(self.habits.reached)}
        return self.update(incident_id, "contact", said, role="callback")

    # --- before it closes ---------------------------------------------------------------------------------------

    def _plan_next(self, incident_id: str, low_min: float = 30, high_min: float = 20 * 60) -> None:
        self.agenda.plan(self.after(low_min, high_min), partial(self._ask_next, incident_id=incident_id))

    def _ask_next(self, _now_ms: int, *, incident_id: str) -> Sequence[Entry]:
        """Call one of those who have not answered; until one is unhappy, all have answered or three calls were vain."""
        case = self.console.look(incident_id)
        if case is None or case.state != "checking" or case.checked_at is None:
            self._asking.discard(incident_id)
            return []
        left = [report for report in self._people_of(case) if not _over(case, *report)]
        if not left:
            self._asking.discard(incident_id)
            return []
        self._plan_next(incident_id, *((5, 60) if len(left) > 1 else ()))
        return self._call_back(incident_id, *self.rng.choice(left), self.chance(self.habits.answers))

    def _people_of(self, case: Case) -> list[tuple[str, str]]:
        children = [self.console.look(child) for child in case.children]
        reports = [*case.reports, *(report for child in children if child is not None for report in child.reports)]
        return [report for report in dict.fromkeys(reports) if kind_of(report[0]) != "device"]

    # --- after it ------------------------------------------------------------------------------------------------

    def _call(self, incident_id: str, source: str, report_id: str, attempt: int) -> None:
        act = partial(self._ring, incident_id=incident_id, source=source, report_id=report_id, attempt=attempt)
        self.agenda.plan(self.after(60, 48 * 60), act)

    def _ring(self, _now_ms: int, *, incident_id: str, source: str, report_id: str, attempt: int) -> Sequence[Entry]:
        case = self.console.look(incident_id)
        if case is None or case.state != "closed":
            return []
        if _over(case, source, report_id):
            return []
        answered = self.chance(self.habits.answers)
        if not answered and attempt < ATTEMPTS:
            self._call(incident_id, source, report_id, attempt + 1)
        return self._call_back(incident_id, source, report_id, answered)

    def _call_back(self, incident_id: str, source: str, report_id: str, answered: bool) -> list[Entry]:
        habits = self.habits
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


def _over(case: Case, source: str, report_id: str) -> bool:
    """Whether this reporter is not called again."""
    known = case.called(source, report_id)
    return known is not None and (known.answered or known.attempts >= ATTEMPTS)
