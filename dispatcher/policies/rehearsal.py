"""One test in the real engine: stage 1 and stage 2 in the embedded host, on a ledger in memory, on a clock of its own.

Time is a record here as everywhere: what happens at a moment is appended with that time, and where nothing happens, a
clock record is. Timers due strictly before it have then fired.
"""

from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from dispatcher.core import (
    CLOCK,
    REPORTS,
    UPDATES,
    Action,
    IncidentRecord,
    Intake,
    Record,
    Rejected,
    Rulebook,
    decode_incident,
    ms_to_text,
)
from dispatcher.core.route import facts_of
from dispatcher.core.wire import encode
from dispatcher.core.work import ReportWork
from dispatcher.hosts.embedded import Embedded, enact_first_policy
from dispatcher.ledger import Entry, MemoryLedger
from dispatcher.policies.places import GridCells, StatedPlacer
from rules import STEP_FIELDS, Case, CaseStep, Facts, Policy, ReportEntry, TimelineEntry

__all__ = ["Refused", "Rehearsal", "in_unit", "opening_facts"]

FIRST = "r1"
CENTRE = "centre"
_CENTRE_ROLES = {Action.CHECK: "checker", Action.VOID: "supervisor"}  # who acts for the centre; otherwise:
_DISPATCHER = "dispatcher"
_PARTIES = ("lead", "support", "departments")  # fields of an action that name departments or units
_ALL = 1 << 30


class Refused(NamedTuple):
    """The engine's answer to what it does not take."""

    reason: str
    detail: str


class _Said(msgspec.Struct):
    reason: str
    detail: str = ""


_said = msgspec.json.Decoder(_Said)


def in_unit(party: str, path: tuple[str, ...], policy: Policy) -> str:
    """`department@level` as the unit of that level's cell of a path; anything else as it is."""
    department, _, unit = party.partition("@")
    depth = policy.grid_levels.index(unit) if unit in policy.grid_levels else len(path)
    return f"{department}@{path[depth]}" if depth < len(path) else party


def opening_facts(policy: Policy, case: Case, cells: GridCells) -> Facts | Refused:
    """The facts of a test's report, made as the engine makes them."""
    placer = StatedPlacer(case, cells)
    placer.state(FIRST, case.report)
    record = Record(0, REPORTS, 0, 0, case.at_ms, None, _message(case.report, FIRST, case))
    work = Intake(placer).take([record]).work[0]
    if isinstance(work, Rejected):
        return Refused(work.reason, work.detail)
    assert isinstance(work, ReportWork)  # noqa: S101 - a record of `reports` becomes nothing else
    category = policy.resolve_category(work.report.category)
    return facts_of(policy, work, case.mode, category, case.report.reporters or 1)


class Rehearsal:
    """A ledger, a host, and the incident that the test's first report opens.

    Args:
        book: the policy, with the test's mode as its ordinary one.
        case: the test.
        cells: asked for cells the test does not state.
    """

    def __init__(self, book: Rulebook, case: Case, cells: GridCells) -> None:
        self._case, self._policy = case, book.policy
        self._placer = StatedPlacer(case, cells)
        self._ledger = MemoryLedger(clock=lambda: case.at_ms)
        intake = Intake(self._placer)
        self._host = Embedded(self._ledger, intake, {book.policy.sha256: book})
        enact_first_policy(self._ledger, book.policy)
        self._host.catch_up()
        self._reports = self._updates = 0
        self._incident_id: str | None = None

    def report(self, report: ReportEntry, at_ms: int) -> Refused | None:
        """Append a report; the first one opens the test's incident. Returns the refusal, if any."""
        self._reports += 1
        report_id = f"r{self._reports}"
        self._placer.state(report_id, report)
        refused = self._append(REPORTS, _message(report, report_id, self._case, at_ms), at_ms)
        if self._reports == 1 and refused is None:
            seen = self._host.engine.state.seen(report.source or "", report_id, at_ms)
            self._incident_id = None if seen is None else seen.incident_id
        return refused

    def act(self, step: CaseStep, action: str, by: str) -> Refused | None:
        """Append an action on the incident. Returns the refusal, if any."""
        self._updates += 1
        message: dict[str, Any] = {
            "update_id": f"u{self._updates}",
            "incident_id": self._incident_id,
            "action": action,
            "at": ms_to_text(step.at_ms),
            **self._fields(step.entry),
        }
        department, _, unit = in_unit(by, self.incident().place.path, self._policy).partition("@")
        if self._policy.department(department) is not None:
            return self._append(f"updates.{department}", encode(message | ({"unit": unit} if unit else {})), step.at_ms)
        role = _CENTRE_ROLES.get(Action(action), _DISPATCHER) if by == CENTRE else by
        message["actor"] = {"role": role, "person": role}
        return self._append(UPDATES, encode(message), step.at_ms)

    def wait(self, at_ms: int) -> None:
        """Let time pass: timers due strictly before this instant fire."""
        self._append(CLOCK, b"", at_ms)

    def incident(self) -> IncidentRecord:
        """The incident as it is published.

        Raises:
            LookupError: the first report was refused, or none was sent.
        """
        if self._incident_id is None:
            raise LookupError("no report has opened an incident")
        value = self._ledger.newest("incidents", self._incident_id)
        return self._archived() if value is None else decode_incident(value)

    def out(self, topic: str) -> list[bytes]:
        """What was published on a topic about the incident."""
        kept = self._ledger.follow(topic, -1, _ALL)
        return [each.value for each in kept if each.key == self._incident_id and each.value is not None]

    def _append(self, topic: str, value: bytes, at_ms: int) -> Refused | None:
        before = len(self._ledger.follow("rejected", -1, _ALL))
        self._ledger.append([Entry(topic, value, None, at_ms)])
        self._host.catch_up()
        rejected = self._ledger.follow("rejected", -1, _ALL)[before:]
        if not rejected or rejected[0].value is None:
            return None
        said = _said.decode(rejected[0].value)
        return Refused(said.reason, said.detail)

    def _archived(self) -> IncidentRecord:
        """An ended incident that has left `incidents`: the last of `archive` that is no page of its history."""
        for value in reversed(self.out("archive")):
            with suppress(msgspec.ValidationError):
                return decode_incident(value)
        raise AssertionError("what has left incidents is archived")

    def _fields(self, step: TimelineEntry) -> dict[str, Any]:
        """The action's own fields as the wire has them."""
        fields = {name: getattr(step, name) for name in STEP_FIELDS}
        fields = {name: value for name, value in fields.items() if value is not None}
        path, policy = self.incident().place.path, self._policy
        for name in _PARTIES:
            value = fields.get(name)
            if isinstance(value, str):
                fields[name] = in_unit(value, path, policy)
            elif value is not None:
                fields[name] = [in_unit(party, path, policy) for party in value]
        if step.department is not None:
            department, _, unit = in_unit(step.department, path, policy).partition("@")
            fields |= {"department": department} | ({"unit": unit} if unit else {})
        if step.position is not None:
            fields["position"] = {"lon": step.position.lon, "lat": step.position.lat}
        return fields


def _message(report: ReportEntry, report_id: str, case: Case, at_ms: int | None = None) -> bytes:
    """A report as a source sends it."""
    location = {name: getattr(report, name) for name in ("lon", "lat", "cell", "asset")}
    location = {name: value for name, value in location.items() if value is not None}
    message: dict[str, Any] = {
        "report_id": report_id,
        "source": report.source,
        "reported_at": ms_to_text(case.at_ms if at_ms is None else at_ms),
        "category": report.category,
    }
    if location or report.place not in (None, "none"):
        message["location"] = location
    for name in ("severity", "text", "tags", "confidence", "standard", "request_kind"):
        if getattr(report, name) is not None:
            message[name] = getattr(report, name)
    if report.attributes is not None:
        message["attributes"] = dict(report.attributes.values)
    if report.whistle is not None:
        path = case.paths.get(report.cell or "", ())
        unit = report.whistle.unit or (path[0] if path else report.cell or CENTRE)
        message["whistle"] = {
            "unit": unit, "kind": report.whistle.kind, "departments": report.whistle.departments,
        }  # fmt: skip
    return encode(message)
