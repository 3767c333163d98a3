"""The steps of a test in order: at their instants, with what their kind of step has, naming what is there by then."""

from collections.abc import Iterable
from typing import NamedTuple

from rules.case_after import After
from rules.case_report import ReportEntry
from rules.case_steps import COMMAND_FIELDS, COMMANDS, FIRST, STEP_FIELDS, TimelineEntry
from rules.case_words import moment_ms
from rules.entries import Entry
from rules.phrases import Phrase, said
from rules.problems import Code, Place, Problems
from rules.readers import Reading

OPENING = "split"
"""The one action that may open an incident; otherwise reports do."""
_ABOUT_INCIDENTS = ("parent", "children", "suggested", "would_reroute")


def is_written(reading: Reading, entry: Entry, *fields: str) -> bool:
    """Whether any of these was given, readable or not: what has been reported as wrong is not missing as well."""
    whole = reading.place(entry)
    return any(reading.place(entry, field) != whole for field in fields)


class CaseStep(NamedTuple):
    """A step of a timeline at its instant; `report` is complete."""

    at_ms: int
    entry: TimelineEntry
    report: ReportEntry | None


class StepCheck:
    """Follows one test through its steps: the time, the incidents there are, and how many reports there were."""

    def __init__(self, reading: Reading, problems: Problems, at_ms: int, reports: int) -> None:
        self._reading, self._problems = reading, problems
        self._at_ms = self._before_ms = at_ms
        self._reports = reports
        self._incidents: dict[str, Place | None] = {FIRST: None}

    def check(self, step: TimelineEntry, report: ReportEntry | None) -> CaseStep:
        """Report what is wrong with a step; later steps are checked as what comes after it."""
        at_ms = moment_ms(step.at, self._at_ms)
        if at_ms < self._before_ms:
            self._wrong(step, "at", step.at, "at or after the step before it")
        self._before_ms = max(self._before_ms, at_ms)
        if report is not None:
            self._reports += report.reporters or 1
        self._check_kind(step)
        self._check_incidents(step)
        if step.about is not None and step.about > self._reports:
            self._wrong(step, "about", str(step.about), said("one of the {count} reports so far", count=self._reports))
        return CaseStep(at_ms, step, report)

    def _wrong(self, step: TimelineEntry, field: str, text: str, expected: str | Phrase) -> None:
        self._problems.add(Code.BAD_VALUE, self._reading.place(step, field), text=text, expected=expected)

    # --- the kind of step ----------------------------------------------------------------------------------------

    def _check_kind(self, step: TimelineEntry) -> None:
        if not is_written(self._reading, step, "do", "report", "expect"):
            self._missing(step, "do, report or expect", "a step")
        if step.do is None:
            self._check_plain(step)
            return
        if not is_written(self._reading, step, "by"):
            self._missing(step, "by", "a step with do")
        self._check_absent(step, ("report",), "a step with do")
        if step.do in COMMANDS:
            needed, possible = COMMANDS[step.do]
            for field in needed:
                if not is_written(self._reading, step, field):
                    self._missing(step, field, "a command")
            others = [field for field in STEP_FIELDS if field not in (*needed, *possible)]
            self._check_absent(step, (*others, "incident", "about", "opens"), "a command")
        else:
            self._check_absent(step, COMMAND_FIELDS, "an action")
            if step.do != OPENING:
                self._check_absent(step, ("opens",), "an action")
        self._check_because(step)

    def _check_plain(self, step: TimelineEntry) -> None:
        self._check_absent(step, ("by", "about", *STEP_FIELDS), "a step without do")
        if step.report is None:
            self._check_absent(step, ("refused", "because", "opens"), "a step without do or report")
        else:
            self._check_because(step)

    def _check_because(self, step: TimelineEntry) -> None:
        if step.refused is None and not is_written(self._reading, step, "refused"):
            self._check_absent(step, ("because",), "a step that is not refused")
        else:
            self._check_absent(step, ("opens",), "a step that is refused")

    # --- incidents -----------------------------------------------------------------------------------------------

    def _check_incidents(self, step: TimelineEntry) -> None:
        for field in ("incident", "into"):
            self._check_incident(getattr(step, field), self._reading.place(step, field))
        if step.opens is not None:
            place = self._reading.place(step, "opens")
            first = self._incidents.setdefault(step.opens, place)
            if first is not place:
                known_as = said("the test's own report") if first is None else first
                self._problems.add(Code.DUPLICATE_ID, place, kind="incident", name=step.opens, first=known_as)
        if step.expect is not None:
            self._check_expected(step.expect)

    def _check_expected(self, expect: After) -> None:
        for field in _ABOUT_INCIDENTS:
            named = getattr(expect, field)
            for name in (named,) if isinstance(named, str) else named or ():
                self._check_incident(name, self._reading.place(expect, field))
        for called in expect.callbacks or ():
            if called.report > self._reports:
                text, place = str(called.report), self._reading.place(called)
                expected = said("one of the {count} reports so far", count=self._reports)
                self._problems.add(Code.BAD_VALUE, place, text=text, expected=expected)

    def _check_incident(self, name: str | None, place: Place) -> None:
        if name is not None and name not in self._incidents:
            known = dict.fromkeys(self._incidents)
            self._problems.suggest(Code.DANGLING, place, name, known, kind="incident", name=name)

    # --- what is written -----------------------------------------------------------------------------------------

    def _missing(self, step: TimelineEntry, key: str, where: str) -> None:
        self._problems.add(Code.MISSING_KEY, self._reading.place(step), key=key, where=where)

    def _check_absent(self, step: TimelineEntry, fields: Iterable[str], where: str) -> None:
        for field in fields:
            if getattr(step, field) is not None:
                self._problems.add(Code.UNKNOWN_KEY, self._reading.place(step, field), key=field, where=where)
