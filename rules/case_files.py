"""From test files to cases ready to run, or to every problem they have, with file, line and column.

Pure, and as strict as the policy's own loader. Names of the policy are looked up in it, cells in the file's `places`
and in whatever the caller knows; names of the engine's (actions, roles, states, refusals) come from the caller too.
"""

from collections.abc import Container, Iterable, Sequence
from collections.abc import Mapping as Files
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from rules.case_model import (
    STEP_FIELDS,
    Attributes,
    Defaults,
    Expect,
    ReportEntry,
    TestEntry,
    TestsEntry,
    TimelineEntry,
    instant_ms,
    moment_ms,
)
from rules.entries import Entry
from rules.phrases import Phrase, said
from rules.policy import Policy
from rules.problems import Code, Place, Problems
from rules.readers import MISSING, Reading, Value, read_entry, read_number, read_text
from rules.yaml_nodes import Mapping, Node, describe, read_nodes
from rules.yaml_nodes import Scalar as ScalarNode

Paths = Files[str, tuple[str, ...]]
"""Cells by code: each with its path, root first."""

NOWHERE = ("none", "outside")
"""Where `place` says so, a report is in no cell, whatever the defaults name."""
CENTRE = "centre"

E = TypeVar("E", bound=ReportEntry)


class CaseStep(NamedTuple):
    """A step of a timeline at its instant; `report` is complete."""

    at_ms: int
    entry: TimelineEntry
    report: ReportEntry | None


class Case(NamedTuple):
    """A test: the report is complete, times are epoch milliseconds. `paths` are the cells its file states."""

    name: str
    place: Place
    at_ms: int
    mode: str
    report: ReportEntry
    expect: Expect
    steps: tuple[CaseStep, ...]
    paths: Paths
    reading: Reading

    def where(self, entry: Entry, field: str = "") -> Place:
        """Where a part of the test, or a field of it, was written."""
        return self.reading.place(entry, field)


def read_cases(
    files: Files[str, bytes], policy: Policy, cells: Container[str], words: Files[str, Iterable[str]]
) -> tuple[Case, ...]:
    """Read test files, in the order of their names.

    `cells` are known beside those the files state; `words` are the names of the engine's, by kind: `action`, `role`,
    `refusal`, `state`, `state of an assignment`.

    Raises:
        PolicyError: with every problem at once.
    """
    problems = Problems()
    known = _known(policy, words)
    cases: list[Case] = []
    for file in sorted(files):
        cases += _File(file, files[file], policy, cells, known, problems).cases()
    problems.raise_if_any()
    return tuple(cases)


def _known(policy: Policy, words: Files[str, Iterable[str]]) -> dict[str, dict[str, None]]:
    sections = policy.document.sections
    return {kind: dict.fromkeys(names) for kind, names in words.items()} | {
        "department": dict.fromkeys(policy.departments),
        "source": dict.fromkeys(policy.sources),
        "category": dict.fromkeys(policy.categories),
        "mode": dict.fromkeys(policy.modes),
        "sla": dict.fromkeys(entry.name for entry in sections.sla),
        "ladder": dict.fromkeys(entry.name for entry in sections.ladders),
        "route": dict.fromkeys(rule.id for rule in policy.routes),
        "overlay": dict.fromkeys(rule.id for rule in policy.overlays),
        "guard": dict.fromkeys(rule.id for rule in policy.guards),
    }


class _File:
    def __init__(
        self,
        file: str,
        content: bytes,
        policy: Policy,
        cells: Container[str],
        known: dict[str, dict[str, None]],
        problems: Problems,
    ) -> None:
        self.file, self.content, self.policy, self.cells = file, content, policy, cells
        self.known, self.problems = known, problems
        self.reading = Reading(problems, {Attributes: _read_attributes})
        self.paths: dict[str, tuple[str, ...]] = {}
        self.names: dict[str, Place] = {}

    def cases(self) -> list[Case]:
        """The tests that can be read; the problems of all the others have been noted."""
        before = len(self.problems)
        root = read_nodes(self.file, self.content, self.problems)
        if not isinstance(root, Mapping):
            if root is not None or len(self.problems) == before:
                place, found = (root.place, describe(root)) if root else (Place(self.file), "nothing")
                self.problems.add(Code.WRONG_TYPE, place, expected="a mapping", found=found)
            return []
        entry = read_entry(TestsEntry, root, self.reading)
        if entry is MISSING:
            return []
        self._state_paths(entry)
        self._check_references()
        cases = [self._case(case, entry) for case in entry.tests]
        return [case for case in cases if case is not None]

    def _state_paths(self, entry: TestsEntry) -> None:
        depth = len(self.policy.grid_levels)
        for stated in entry.places:
            place = self.reading.place(stated)
            if not stated.path or stated.path[-1] != stated.code:
                self._wrong(place, stated.code, "the last of its own path")
            elif len(stated.path) > depth:
                self._wrong(place, stated.code, said("at most {depth} levels deep", depth=depth))
            for level, code in enumerate(stated.path, 1):
                self.paths.setdefault(code, stated.path[:level])

    def _wrong(self, place: Place, text: str, expected: str | Phrase) -> None:
        self.problems.add(Code.BAD_VALUE, place, text=text, expected=expected)

    # --- names that lead nowhere ---------------------------------------------------------------------------------

    def _check_references(self) -> None:
        for kind, name, place in self.reading.refs:
            if kind == "party":
                self._check_party(name, place)
            elif kind == "actor":
                roles = {CENTRE: None, **self.known["role"]}
                if name not in roles or name in self.known["department"]:
                    self._check_party(name, place, roles)
            elif kind == "whose":
                party = name.partition(" of ")[2]
                if party and party != CENTRE:
                    self._check_party(party, place)
            elif kind == "cell":
                self._check_cell(name, place)
            elif name not in self.known[kind]:
                self.problems.suggest(Code.DANGLING, place, name, self.known[kind], kind=kind, name=name)

    def _check_party(self, text: str, place: Place, besides: dict[str, None] | None = None) -> None:
        code, _, unit = text.partition("@")
        department = self.policy.department(code)
        if department is None:
            known = {**self.known["department"], **(besides or {})}
            self.problems.suggest(Code.DANGLING, place, code, known, kind="department", name=code)
        elif unit and department.units is None:
            why = said("department '{department}' has no units", department=code)
            self.problems.add(Code.UNRESOLVABLE, place, text=text, why=why)
        elif unit and unit not in self.policy.grid_levels:
            self._check_cell(unit, place)

    def _check_cell(self, code: str, place: Place) -> None:
        if code not in self.paths and code not in self.cells:
            self.problems.suggest(Code.DANGLING, place, code, self.paths, kind="cell", name=code)

    # --- whole tests ---------------------------------------------------------------------------------------------

    def _is_written(self, entry: Entry, *fields: str) -> bool:
        """Whether any of these was given, readable or not: what has been reported as wrong is not missing as well."""
        whole = self.reading.place(entry)
        return any(self.reading.place(entry, field) != whole for field in fields)

    def _case(self, entry: TestEntry, file: TestsEntry) -> Case | None:
        place = self.reading.place(entry)
        first = self.names.setdefault(entry.name, place)
        if first is not place:
            self.problems.add(Code.DUPLICATE_ID, place, kind="test", name=entry.name, first=first)
        if file.defaults is None and self._is_written(file, "defaults"):
            return None  # what the test leaves out can't be known
        written = [] if file.defaults is None else [file.defaults]
        defaults = file.defaults or Defaults()
        report = _completed(entry.report, defaults)
        self._check_report(report, [entry.report, *written])
        at = entry.at or defaults.at
        if at is None:
            if not any(self._is_written(part, "at") for part in (entry, *written)):
                self.problems.add(Code.MISSING_KEY, place, key="at", where="a test")
            return None
        at_ms = instant_ms(at)
        mode = entry.mode or defaults.mode or self.policy.modes[0]
        steps = self._steps(entry, report, at_ms)
        return Case(entry.name, place, at_ms, mode, report, entry.expect, steps, self.paths, self.reading)

    def _check_report(self, report: ReportEntry, written: Sequence[ReportEntry]) -> None:
        place = self.reading.place(written[0])
        needed = [("category", "a report"), ("source", "a report")]
        for one, other in (("lon", "lat"), ("lat", "lon")):
            if getattr(report, one) is not None:
                needed.append((other, f"a report with {one}"))
        for field, where in needed:
            if getattr(report, field) is None and not any(self._is_written(part, field) for part in written):
                self.problems.add(Code.MISSING_KEY, place, key=field, where=where)

    def _steps(self, entry: TestEntry, first: ReportEntry, at_ms: int) -> tuple[CaseStep, ...]:
        steps: list[CaseStep] = []
        before_ms, first = at_ms, msgspec.structs.replace(first, reporters=None)
        for step in entry.timeline:
            step_ms = moment_ms(step.at, at_ms)
            if step_ms < before_ms:
                self._wrong(self.reading.place(step, "at"), step.at, "at or after the step before it")
            before_ms = max(before_ms, step_ms)
            self._check_step(step)
            report = None if step.report is None else _completed(step.report, first)
            if step.report is not None and report is not None:
                self._check_report(report, [step.report, entry.report])
            steps.append(CaseStep(step_ms, step, report))
        return tuple(steps)

    def _check_step(self, step: TimelineEntry) -> None:
        missing = partial(self.problems.add, Code.MISSING_KEY, self.reading.place(step))
        if not self._is_written(step, "do", "report", "expect"):
            missing(key="do, report or expect", where="a step")
        if step.do is not None:
            if not self._is_written(step, "by"):
                missing(key="by", where="a step with do")
            self._check_absent(step, ("report",), "a step with do")
            return
        self._check_absent(step, ("by", *STEP_FIELDS), "a step without do")
        if step.report is None:
            self._check_absent(step, ("refused",), "a step without do or report")

    def _check_absent(self, step: TimelineEntry, fields: Iterable[str], where: str) -> None:
        for field in fields:
            if getattr(step, field) is not None:
                self.problems.add(Code.UNKNOWN_KEY, self.reading.place(step, field), key=field, where=where)


def _completed(report: ReportEntry, fallback: ReportEntry) -> ReportEntry:
    """A report with what it leaves out. One that says it is nowhere has no cell."""
    given = {name: getattr(report, name) for name in ReportEntry.__struct_fields__}
    if report.cell is not None and report.lon is None:  # elsewhere than the fallback's position
        given["lon"] = given["lat"] = MISSING
    complete = {name: getattr(fallback, name) if value is None else value for name, value in given.items()}
    complete = {name: None if value is MISSING else value for name, value in complete.items()}
    if complete["place"] in NOWHERE:
        complete["cell"] = None
    return ReportEntry(**complete)


def _read_attributes(node: Node, reading: Reading) -> Value:
    if not isinstance(node, Mapping):
        reading.problems.add(Code.WRONG_TYPE, node.place, expected="a mapping", found=describe(node))
        return MISSING
    found = [(name, _attribute(value, reading)) for name, value in node.values.items()]
    return Attributes(tuple((name, value) for name, value in found if value is not MISSING))


def _attribute(node: Node, reading: Reading) -> Value:
    if isinstance(node, ScalarNode) and not node.quoted and node.text in {"true", "false"}:
        return node.text == "true"
    number = read_number(node)
    return number if number is not None else read_text(node, reading)
