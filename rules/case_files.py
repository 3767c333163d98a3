"""From test files to cases ready to run, or to every problem they have, with file, line and column.

Pure, and as strict as the policy's own loader. Names of the policy are looked up in it, cells in the file's `places`
and in whatever the caller knows; names of the engine's (actions, roles, states, refusals) come from the caller too.
"""

from collections.abc import Container, Iterable, Sequence
from collections.abc import Mapping as Files
from typing import NamedTuple

import msgspec

from rules.case_model import COMMANDS, Attributes, Defaults, Expect, ReportEntry, TestEntry, TestsEntry, instant_ms
from rules.case_names import Known, NameCheck, known_names
from rules.case_order import CaseStep, StepCheck, is_written
from rules.entries import Entry
from rules.phrases import Phrase, said
from rules.policy import Policy
from rules.problems import Code, Place, Problems
from rules.readers import MISSING, Reading, Value, read_entry, read_number, read_text
from rules.yaml_nodes import Mapping, Node, describe, read_nodes
from rules.yaml_nodes import Scalar as ScalarNode

__all__ = ["Case", "CaseStep", "Paths", "read_cases"]

Paths = Files[str, tuple[str, ...]]
"""Cells by code: each with its path, root first."""

NOWHERE = ("none", "outside")
"""Where `place` says so, a report is in no cell, whatever the defaults name."""


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
    `refusal`, `state`, `state of an assignment`, `kind of request`, `state of a request`, `count`, `order`, `notice`.

    Raises:
        PolicyError: with every problem at once.
    """
    problems = Problems()
    known = known_names(policy, words, COMMANDS)
    cases: list[Case] = []
    for file in sorted(files):
        cases += _File(file, files[file], policy, cells, known, problems).cases()
    problems.raise_if_any()
    return tuple(cases)


class _File:
    def __init__(
        self,
        file: str,
        content: bytes,
        policy: Policy,
        cells: Container[str],
        known: Known,
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
        names = NameCheck(self.policy, self.known, self.paths, self.cells, self.problems)
        for kind, name, written in self.reading.refs:
            names.check(kind, name, written)
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

    # --- whole tests ---------------------------------------------------------------------------------------------

    def _case(self, entry: TestEntry, file: TestsEntry) -> Case | None:
        place = self.reading.place(entry)
        first = self.names.setdefault(entry.name, place)
        if first is not place:
            self.problems.add(Code.DUPLICATE_ID, place, kind="test", name=entry.name, first=first)
        if file.defaults is None and is_written(self.reading, file, "defaults"):
            return None  # what the test leaves out can't be known
        written = [] if file.defaults is None else [file.defaults]
        defaults = file.defaults or Defaults()
        report = _completed(entry.report, defaults)
        self._check_report(report, [entry.report, *written])
        at = entry.at or defaults.at
        if at is None:
            if not any(is_written(self.reading, part, "at") for part in (entry, *written)):
                self.problems.add(Code.MISSING_KEY, place, key="at", where="a test")
            return None
        at_ms = instant_ms(at)
        mode = entry.mode or defaults.mode or self.policy.modes[0]
        check = StepCheck(self.reading, self.problems, at_ms, report.reporters or 1)
        later = msgspec.structs.replace(report, reporters=None)
        steps = tuple(check.check(step, self._later(step.report, entry, later)) for step in entry.timeline)
        return Case(entry.name, place, at_ms, mode, report, entry.expect, steps, self.paths, self.reading)

    def _later(self, report: ReportEntry | None, entry: TestEntry, first: ReportEntry) -> ReportEntry | None:
        """One more report of a test: what it leaves out is as in the first."""
        if report is None:
            return None
        complete = _completed(report, first)
        self._check_report(complete, [report, entry.report])
        return complete

    def _check_report(self, report: ReportEntry, written: Sequence[ReportEntry]) -> None:
        place = self.reading.place(written[0])
        needed = [("category", "a report"), ("source", "a report")]
        for one, other in (("lon", "lat"), ("lat", "lon")):
            if getattr(report, one) is not None:
                needed.append((other, f"a report with {one}"))
        for field, where in needed:
            if getattr(report, field) is None and not any(is_written(self.reading, part, field) for part in written):
                self.problems.add(Code.MISSING_KEY, place, key=field, where=where)


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
