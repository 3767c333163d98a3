"""One test in the real engine: stage 1 and stage 2 in the embedded host, on a ledger in memory, on a clock of its own.

Time is a record here as everywhere: what happens at a moment is appended with that time, and where nothing happens, a
clock record is. Timers due strictly before it have then fired.
"""

from contextlib import suppress
from typing import NamedTuple

import msgspec

from dispatcher.core import (
    CLOCK,
    CONTROL,
    REPORTS,
    UPDATES,
    IncidentRecord,
    Intake,
    Record,
    Rejected,
    Rulebook,
    decode_incident,
    ms_to_text,
)
from dispatcher.core.instants import DAY_MS
from dispatcher.core.modes import MODE_DAYS_MAX
from dispatcher.core.reroute import preview
from dispatcher.core.route import facts_of
from dispatcher.core.wire import encode
from dispatcher.core.work import ReportWork
from dispatcher.hosts.embedded import Embedded, enact_first_policy
from dispatcher.ledger import Entry, MemoryLedger
from dispatcher.policies.acting import (
    COMMANDS,
    actor_of,
    command_message,
    in_unit,
    report_id,
    report_message,
    update_fields,
)
from dispatcher.policies.places import GridCells, StatedPlacer
from rules import Case, CaseStep, Facts, Policy, ReportEntry

__all__ = ["FIRST", "Refused", "Rehearsal", "in_unit", "opening_facts"]

FIRST = "first"
"""The incident that a test's own report opens."""
_ALL = 1 << 30


class Refused(NamedTuple):
    """The engine's answer to what it does not take."""

    reason: str
    detail: str


class _Said(msgspec.Struct):
    reason: str
    detail: str = ""


class _About(msgspec.Struct):
    incident_id: str | None = None


_said = msgspec.json.Decoder(_Said)
_about = msgspec.json.Decoder(_About)


def opening_facts(policy: Policy, case: Case, cells: GridCells) -> Facts | Refused:
    """The facts of a test's report, made as the engine makes them."""
    placer = StatedPlacer(case, cells)
    placer.state(report_id(1), case.report)
    record = Record(0, REPORTS, 0, 0, case.at_ms, None, report_message(case.report, 1, case.paths, case.at_ms))
    work = Intake(placer).take([record]).work[0]
    if isinstance(work, Rejected):
        return Refused(work.reason, work.detail)
    assert isinstance(work, ReportWork)  # noqa: S101 - a record of `reports` becomes nothing else
    category = policy.resolve_category(work.report.category)
    return facts_of(policy, work, case.mode, category, case.report.reporters or 1)


class Rehearsal:
    """A ledger, a host, and the incidents that a test's reports open, by the names the test gives them.

    Args:
        book: the policy.
        case: the test; its mode is set, under the mode's own name, before anything is reported.
        cells: asked for cells the test does not state.
    """

    def __init__(self, book: Rulebook, case: Case, cells: GridCells) -> None:
        self._case, self._policy = case, book.policy
        self._placer = StatedPlacer(case, cells)
        self.ledger = MemoryLedger(clock=lambda: case.at_ms)
        self._host = Embedded(self.ledger, Intake(self._placer), {book.policy.sha256: book})
        enact_first_policy(self.ledger, book.policy)
        self._host.catch_up()
        self._sources: list[str] = []  # of the reports so far
        self._updates = 0
        self._ids: dict[str, str] = {}
        self._before = {"notices": 0, "events": 0}
        if case.mode != book.policy.modes[0]:
            until = ms_to_text(case.at_ms + MODE_DAYS_MAX * DAY_MS)
            command = {"command": "set_mode", "command_id": case.mode, "mode": case.mode, "until": until}
            self._append(CONTROL, encode(command), case.at_ms)

    # --- what happens --------------------------------------------------------------------------------------------

    def report(self, report: ReportEntry, at_ms: int) -> Refused | None:
        """Append a report; the first one opens the test's incident. Returns the refusal, if any."""
        self._sources.append(report.source or "")
        number = len(self._sources)
        self._placer.state(report_id(number), report)
        refused = self._append(REPORTS, report_message(report, number, self._case.paths, at_ms), at_ms)
        if number == 1 and refused is None:
            self.name(FIRST, at_ms)
        return refused

    def name(self, opened: str, at_ms: int, number: int | None = None) -> str | None:
        """Give the incident that holds the nth report (the last one) a name.

        Returns the name it has already, when it is none of its own.
        """
        number = number or len(self._sources)
        seen = self._host.engine.state.repeats.seen(self._sources[number - 1], report_id(number), at_ms)
        incident_id = "" if seen is None else seen.incident_id
        known = self.name_of(incident_id)
        if known == incident_id:
            self._ids[opened] = incident_id
            return None
        return known

    def act(self, step: CaseStep, action: str, by: str) -> Refused | None:
        """Append an action on an incident, or a command. Returns the refusal, if any."""
        self._updates += 1
        entry, start_ms = step.entry, self._case.at_ms
        if action in COMMANDS:
            return self._append(CONTROL, command_message(entry, f"c{self._updates}", start_ms), step.at_ms)
        path = self.incident(entry.incident or FIRST).place.path
        actor = actor_of(self._policy, action, by, path)
        message = {
            "update_id": f"u{self._updates}",
            "action": action,
            "at": ms_to_text(step.at_ms),
            **update_fields(self._policy, step, path, start_ms),
        }
        if entry.about is None:
            message["incident_id"] = self._ids[entry.incident or FIRST]
        else:
            message["report"] = {"source": self._sources[entry.about - 1], "report_id": report_id(entry.about)}
        if entry.into is not None:
            message["into"] = self._ids.get(entry.into, entry.into)
        if actor["role"] != "department":
            return self._append(UPDATES, encode(message | {"actor": actor}), step.at_ms)
        if "unit" in actor:
            message["unit"] = actor["unit"]
        return self._append(f"updates.{actor['department']}", encode(message | {"actor": actor}), step.at_ms)

    def wait(self, at_ms: int) -> None:
        """Let time pass: timers due strictly before this instant fire."""
        self._append(CLOCK, b"", at_ms)

    def end_step(self) -> None:
        """What is put out from here on happens in the next step; the first begins with the test."""
        self._before = {topic: len(self._put_out(topic)) for topic in self._before}

    def _append(self, topic: str, value: bytes, at_ms: int) -> Refused | None:
        before = len(self._put_out("rejected"))
        self.ledger.append([Entry(topic, value, None, at_ms)])
        self._host.catch_up()
        rejected = self._put_out("rejected")[before:]
        if not rejected:
            return None
        said = _said.decode(rejected[0])
        return Refused(said.reason, said.detail)

    # --- what can be seen ----------------------------------------------------------------------------------------

    def incident(self, name: str = FIRST) -> IncidentRecord:
        """An incident as it is published.

        Raises:
            LookupError: nothing has opened it.
        """
        if name not in self._ids:
            raise LookupError(f"no report has opened the incident {name}")
        value = self.ledger.newest("incidents", self._ids[name])
        return self._archived(self._ids[name]) if value is None else decode_incident(value)

    def knows(self, name: str) -> bool:
        """Whether an incident of that name has been opened."""
        return name in self._ids

    def name_of(self, incident_id: str) -> str:
        """The test's name for an incident; its id, when it has none."""
        return next((name for name, known in self._ids.items() if known == incident_id), incident_id)

    def out(self, topic: str, incident_id: str, *, in_step: bool = False) -> list[bytes]:
        """What was published on a topic about an incident; with `in_step` only what this step did."""
        values = self._put_out(topic)[self._before[topic] if in_step else 0 :]
        return [value for value in values if _about.decode(value).incident_id == incident_id]

    def rerouted(self) -> list[str]:
        """The incidents that `reroute_open` would change now."""
        return [self.name_of(each.incident_id) for each in preview(self._host.engine.state, ())]

    def _put_out(self, topic: str) -> list[bytes]:
        return [kept.value for kept in self.ledger.follow(topic, -1, _ALL) if kept.value is not None]

    def _archived(self, incident_id: str) -> IncidentRecord:
        """An ended incident that has left `incidents`: the last of `archive` that is no page of its history."""
        for value in reversed(self.out("archive", incident_id)):
            with suppress(msgspec.ValidationError):
                return decode_incident(value)
        raise AssertionError("what has left incidents is archived")
