"""Tests of a policy as they are written (`tests/**/*.yaml` of its directory): the structs are the file format.

A test is a report and what is to become of it: `expect` at once, `timeline` later on. What the rules do not know of
(actions, roles, states of incidents) is referred to by name; whoever reads the files says which names there are.
"""

from typing import Annotated

from rules.case_after import After
from rules.case_report import Attributes, Defaults, PathEntry, ReportEntry
from rules.case_steps import COMMANDS, STEP_FIELDS, TimelineEntry
from rules.case_words import Instant, Label, Moment, PartyText, Refusal, instant_ms, moment_ms
from rules.entries import Entry, Severity
from rules.model_clocks import TargetName
from rules.model_rules import OUTCOMES
from rules.shapes import BudgetText, Choice, Ref, Tag

__all__ = [
    "COMMANDS",
    "STEP_FIELDS",
    "After",
    "Attributes",
    "Defaults",
    "Expect",
    "PathEntry",
    "ReportEntry",
    "TestEntry",
    "TestsEntry",
    "TimelineEntry",
    "instant_ms",
    "moment_ms",
]


class DueEntry(Entry, frozen=True):
    """When a target of the lead is due."""

    key = "target"
    shorthand = "at"
    target: TargetName
    at: Moment


class BudgetsEntry(Entry, frozen=True):
    """All budgets of a target, as the policy writes them, in any order."""

    key = "target"
    inline = "texts"
    target: TargetName
    texts: tuple[BudgetText, ...]


class Expect(Entry, kw_only=True, frozen=True):
    """What the decision must be. Lists are exact sets; `…_includes` wants at least these. Absent = whatever it is."""

    lead: PartyText | None = None
    support: tuple[PartyText, ...] | None = None
    support_includes: tuple[PartyText, ...] | None = None
    required: tuple[PartyText, ...] | None = None
    route: Annotated[str, Ref("route")] | None = None
    fallback: Annotated[str, Choice(("no_route", "uncategorised", "unresolvable", "guard"))] | None = None
    overlays: tuple[Annotated[str, Ref("overlay")], ...] | None = None
    overlays_include: tuple[Annotated[str, Ref("overlay")], ...] | None = None
    guard: Annotated[str, Ref("guard")] | None = None
    outcome: Annotated[str, Choice(OUTCOMES)] | None = None
    severity: Severity | None = None
    tags: tuple[Tag, ...] | None = None
    tags_include: tuple[Tag, ...] | None = None
    sla: Annotated[str, Ref("sla")] | None = None
    ladder: Annotated[str, Ref("ladder")] | None = None
    won_by: Annotated[str, Choice(("guard", "priority", "specificity", "order", "fallback"))] | None = None
    reason: str | None = None
    due: tuple[DueEntry, ...] | None = None
    budgets: tuple[BudgetsEntry, ...] | None = None
    category: Annotated[str, Ref("category")] | None = None
    refused: Refusal | None = None


class TestEntry(Entry, kw_only=True, frozen=True):
    """One test."""

    __test__ = False  # not one of pytest's

    name: Label
    at: Instant | None = None
    mode: Annotated[str, Ref("mode")] | None = None
    report: ReportEntry
    expect: Expect = Expect()
    timeline: tuple[TimelineEntry, ...] = ()


class TestsEntry(Entry, kw_only=True, frozen=True):
    """A file of tests."""

    __test__ = False  # not one of pytest's

    places: tuple[PathEntry, ...] = ()
    defaults: Defaults | None = None
    tests: tuple[TestEntry, ...]
