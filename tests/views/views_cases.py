"""Incidents as the engine would publish them, with their true history kept beside, so that reads can be judged.

`Life` leads one incident through its states and writes what the engine writes: a record on `events` and the newest
value on `incidents` at every change, full pages of history and the final record on `archive`. After every change it
keeps a `Moment`: what was true from then on. Measures derive the past from the newest record; oracles read the moments.
"""

from bisect import bisect_right
from typing import Any, NamedTuple

import msgspec

from dispatcher.core import AssignmentState, IncidentRecord, IncidentState, ms_to_text
from dispatcher.core.dossier import Request
from dispatcher.core.incident import HISTORY_MAX, REPORTS_MAX, Counts, Decided, party
from dispatcher.core.lifecycle import ENDED_STATES, STAGE_OF
from dispatcher.core.records import AssignmentRecord, TargetRecord
from geo import Place
from rules import Facts

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
START_MS = 1_790_000_000_000 // MINUTE_MS * MINUTE_MS
DECIDED = Decided("r", (), None, "a" * 64, 1, "report", "s", None, "because", "specificity")
ENDED = {*ENDED_STATES}


class Moment(NamedTuple):
    """What was true of an incident from `at_ms` on."""

    at_ms: int
    state: str
    filed: bool
    first_lead: str | None
    lead: str | None  # party
    department: str | None
    due_ms: int | None
    done_ms: int | None
    breached: bool
    reworks: int
    returns: int
    done_known: bool = True  # False: a `done` that the newest record can no longer tell (see measures, known limits)


class Life:
    """One incident from its opening on; every method is one revision."""

    def __init__(
        self,
        incident_id: str,
        at_ms: int,
        *,
        source: str = "hotline",
        report_id: str | None = None,
        category: str | None = "03.02",
        path: tuple[str, ...] = ("1", "105"),
        severity: int = 3,
        promised_ms: int | None = None,
        lonlat: tuple[float, float] | None = None,
    ) -> None:
        at = ms_to_text(at_ms)
        lon, lat = lonlat or (None, None)
        place = Place(lon, lat, path[-1] if path else None, path, "exact" if path else "none")
        self.report = (source, report_id or f"r-{incident_id}")
        facts = Facts(category, severity, "normal", path, source, "people", at_ms, attributes=(("voltage_kv", 10),))
        self.record = IncidentRecord(
            incident_id, 0, IncidentState.RECEIVED, "", None, category, "as said", severity, "normal", place,
            [self.report], 1, 1, at, at, at, at, DECIDED, 1, facts,
            promised_at=None if promised_ms is None else ms_to_text(promised_ms),
        )  # fmt: skip
        self.outputs: list[tuple[int, str, bytes, bytes]] = []  # at_ms, events value, incidents value, ...
        self.archived: list[tuple[int, bytes]] = []
        self.moments: list[Moment] = []
        self.history: list[dict[str, Any]] = []
        self.paused_ms = 0
        self.now_ms = at_ms
        self._publish(at_ms, "report", [{"event": "reported", "source": source, "report_id": self.report[1]}])

    # --- what can happen ----------------------------------------------------------------------------------------

    def merge(self, at_ms: int, report_id: str) -> None:
        record = self.record
        record.report_count += 1
        if len(record.reports) < REPORTS_MAX:
            record.reports = [*record.reports, (self.report[0], report_id)]
        entry = {"event": "merged", "source": self.report[0], "report_id": report_id, "reports": record.report_count}
        self._publish(at_ms, "merge", [entry])

    def dispatch(self, at_ms: int, lead: str, budget_ms: int | None, unit: str | None = None) -> None:
        self.record.dispatched_at = ms_to_text(at_ms)
        self._offer(at_ms, lead, unit)
        self._owe("acknowledge", at_ms, 5 * MINUTE_MS)
        if budget_ms is not None:
            self._owe("resolve", at_ms, budget_ms)
        self._state(IncidentState.DISPATCHED)
        self._publish(at_ms, "report" if not self.moments else "file")

    def support(self, at_ms: int, department: str) -> None:
        at = ms_to_text(at_ms)
        offered = AssignmentRecord(department, "support", AssignmentState.OFFERED, at, at)
        self.record.support = [*self.record.support, offered]
        self._publish(at_ms, "assign")

    def reassign(self, at_ms: int, lead: str, unit: str | None = None) -> None:
        old = self.record.lead
        assert old is not None
        old.state, old.role = AssignmentState.WITHDRAWN, "former_lead"
        self.record.support = [*self.record.support, old]
        self._offer(at_ms, lead, unit)
        for target in self._owed("resolve"):
            if target.of == party(old.department, old.unit):
                target.of = party(lead, unit)
        for target in self._owed("acknowledge"):
            target.revoked_at, target.since = ms_to_text(at_ms), None
        self._owe("acknowledge", at_ms, 5 * MINUTE_MS)
        self._state(IncidentState.DISPATCHED)
        self._publish(at_ms, "assign")

    def acknowledge(self, at_ms: int) -> None:
        lead = self.lead
        lead.state, lead.acknowledged_at = AssignmentState.ACKNOWLEDGED, ms_to_text(at_ms)
        self._fulfil("acknowledge", at_ms)
        self._state(IncidentState.HANDLING)
        self._publish(at_ms, "acknowledge")

    def give_back(self, at_ms: int) -> None:
        self.lead.state = AssignmentState.RETURNED
        self._tally().returned += 1
        self._state(IncidentState.RETURNED)
        self._publish(at_ms, "return", note="not_ours")

    def done(self, at_ms: int) -> None:
        lead = self.lead
        lead.state, lead.done_at = AssignmentState.DONE, ms_to_text(at_ms)
        for target in self._owed("resolve"):
            target.since, target.paused_by = None, "done"
        self.paused_ms = at_ms
        self._owe("check", at_ms, 24 * 60 * MINUTE_MS, "centre")
        self._state(IncidentState.CHECKING)
        self._publish(at_ms, "done")

    def check(self, at_ms: int, passed: bool, note: str | None = None) -> None:
        lead = self.lead
        self._fulfil("check", at_ms)
        if passed:
            lead.state = AssignmentState.APPROVED
            for target in self._owed("resolve"):
                target.fulfilled_at, target.paused_by = lead.done_at, None
            self.record.closed_at = ms_to_text(at_ms)
            self._end(at_ms, IncidentState.CLOSED)
        else:
            self._tally().rework += 1
            lead.state, lead.done_at = AssignmentState.ACKNOWLEDGED, None
            for target in self._owed("resolve"):
                target.since, target.paused_by = ms_to_text(at_ms), None
                if target.breached_at is None:
                    target.due_at = ms_to_text(self._ms(target.due_at) + at_ms - self.paused_ms)
            self._state(IncidentState.HANDLING)
        self._publish(at_ms, "check", note=note or ("pass" if passed else "fail"))

    def hold(self, at_ms: int) -> None:
        for target in self._owed("resolve"):
            target.since, target.paused_by = None, "hold"
        self._tally().held += 1
        self._granted("hold", at_ms)
        self._state(IncidentState.ON_HOLD)
        self._publish(at_ms, "approve")

    def extend(self, at_ms: int, by_ms: int) -> None:
        for target in self._owed("resolve"):
            target.due_at = ms_to_text(self._ms(target.due_at) + by_ms)
        self._tally().extended += 1
        self._granted("extension", at_ms)
        self._publish(at_ms, "approve")

    def appeal(self, at_ms: int, of: str | None = None) -> None:
        self._granted("exempt", at_ms, of)
        self._publish(at_ms, "approve")

    def reopen(self, asked_ms: int, at_ms: int) -> None:
        self._state(IncidentState.REOPEN_REQUESTED)
        self._publish(asked_ms, "reopen_request")
        self._tally().reopened += 1
        lead = self.lead
        lead.state, lead.done_at, self.record.closed_at = AssignmentState.ACKNOWLEDGED, None, None
        for target in self.record.targets:
            if target.name == "resolve" and target.revoked_at is None:
                target.since, target.fulfilled_at = ms_to_text(at_ms), None
                if target.breached_at is None:
                    target.due_at = ms_to_text(self._ms(target.due_at) + at_ms - self.paused_ms)
        self._state(IncidentState.HANDLING)
        self._publish(at_ms, "reopen")

    def breach(self) -> None:
        for target in self._owed("resolve"):
            target.breached_at = target.due_at
            self._publish(self._ms(target.due_at), "timer", [{"event": "target", "what": "breach"}])

    def end(self, at_ms: int, state: IncidentState, what: str = "void") -> None:
        if state is IncidentState.CLOSED:
            self.record.closed_at = ms_to_text(at_ms)
        self._end(at_ms, state)
        self._publish(at_ms, what)

    def note(self, at_ms: int) -> None:
        self._publish(at_ms, "note")

    # --- what was true ------------------------------------------------------------------------------------------

    def at(self, as_of_ms: int) -> Moment | None:
        """The last moment not after an instant."""
        n = bisect_right([moment.at_ms for moment in self.moments], as_of_ms)
        return self.moments[n - 1] if n else None

    @property
    def lead(self) -> AssignmentRecord:
        assert self.record.lead is not None
        return self.record.lead

    @property
    def running_due_ms(self) -> int | None:
        """When the resolve clock that runs now will breach."""
        for target in self._owed("resolve"):
            if target.since is not None and target.breached_at is None:
                return self._ms(target.due_at)
        return None

    @staticmethod
    def _ms(text: str) -> int:
        from dispatcher.core import text_to_ms

        return text_to_ms(text)

    def _offer(self, at_ms: int, lead: str, unit: str | None) -> None:
        at = ms_to_text(at_ms)
        self.record.lead = AssignmentRecord(lead, "lead", AssignmentState.OFFERED, at, at, unit=unit)

    def _owe(self, name: str, at_ms: int, budget_ms: int, of: str | None = None) -> None:
        of = of or party(self.lead.department, self.lead.unit)
        due, at = ms_to_text(at_ms + budget_ms), ms_to_text(at_ms)
        self.record.targets = [
            *self.record.targets,
            TargetRecord(name, of, f"{budget_ms // MINUTE_MS}m", "always", "s", budget_ms, due, since=at),
        ]

    def _owed(self, name: str) -> list[TargetRecord]:
        return [t for t in self.record.targets if t.name == name and t.fulfilled_at is None and t.revoked_at is None]

    def _fulfil(self, name: str, at_ms: int) -> None:
        for target in self._owed(name):
            target.fulfilled_at, target.since = ms_to_text(at_ms), None

    def _tally(self) -> Counts:
        if self.record.counts is None:
            self.record.counts = Counts()
        return self.record.counts

    def _granted(self, kind: Any, at_ms: int, of: str | None = None) -> None:
        at, of = ms_to_text(at_ms), of or party(self.lead.department, self.lead.unit)
        asked = Request(len(self.record.requests) + 1, kind, of, "x", at, "approved", decided_at=at)
        self.record.requests = (*self.record.requests, asked)

    def _state(self, state: IncidentState) -> None:
        self.record.state = state

    def _end(self, at_ms: int, state: IncidentState) -> None:
        for target in self.record.targets:
            if target.fulfilled_at is None and target.revoked_at is None:
                target.revoked_at, target.since = ms_to_text(at_ms), None
        for assignment in (self.record.lead, *self.record.support):
            if assignment is not None and assignment.state is not AssignmentState.APPROVED:
                assignment.state = AssignmentState.WITHDRAWN
        self.record.drop_at = ms_to_text(at_ms + 7 * 86_400_000)
        self._state(state)

    def _publish(
        self, at_ms: int, what: str, changes: list[dict[str, Any]] | None = None, note: str | None = None
    ) -> None:
        record = self.record
        assert at_ms >= self.now_ms
        self.now_ms = at_ms
        record.revision += 1
        record.updated_at = ms_to_text(at_ms)
        record.stage = STAGE_OF[record.state]
        entry = {"revision": record.revision, "at": record.updated_at, "what": what, "state": str(record.state)}
        if note is not None:
            entry["note"] = note
        if len(record.history) >= HISTORY_MAX:
            record.history_pages += 1
            page = {"incident_id": record.incident_id, "page": record.history_pages, "history": record.history}
            self.archived.append((at_ms, msgspec.json.encode(page)))
            self.outputs.append((at_ms, "archive", b"", self.archived[-1][1]))
            record.history = []
        self.history.append(entry)
        record.history = [*record.history, msgspec.Raw(msgspec.json.encode(entry))]
        event = {"incident_id": record.incident_id, **entry, "changes": changes or []}
        value = msgspec.json.encode(record)
        self.outputs.append((at_ms, "events", msgspec.json.encode(event), value))
        if record.state in ENDED:
            self.outputs.append((at_ms, "archive", b"", value))
        self.moments.append(self._moment(at_ms))

    def _moment(self, at_ms: int) -> Moment:
        record, before = self.record, self.moments[-1] if self.moments else None
        lead = record.lead
        who = None if lead is None else party(lead.department, lead.unit)
        resolve = [t for t in record.targets if t.name == "resolve"]
        counts = record.counts or Counts()
        return Moment(
            at_ms, str(record.state), record.dispatched_at is not None,
            (before.first_lead if before else None) or who, who, None if lead is None else lead.department,
            self._ms(resolve[0].due_at) if resolve else None,
            None if lead is None or lead.done_at is None else self._ms(lead.done_at),
            any(t.breached_at is not None for t in resolve), counts.rework, counts.returned,
        )  # fmt: skip
