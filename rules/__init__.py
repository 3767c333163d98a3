"""Facts in, a decision out: the written policy of a city, loaded strictly, decided fast, explained on demand.

    policy = load_policy({"policy.yaml": b"..."})      # every problem at once, or a Policy known by its sha256
    decider = compile_policy(policy)
    decision = decider.decide(Facts(...))               # one lead, its supports, severity, targets; a shared object
    opened = policy.open(decision.targets[0].budgets[0].budget, at_ms)   # due on the budget's own clock

Knows no incident and no geometry; reads no disk and no clock. `load_policy` takes the files as bytes.
"""

from rules.asked import AskedAttribute, asked_attributes
from rules.budgets import ALWAYS, Budget, parse_budget
from rules.case_files import Case, CaseStep, read_cases
from rules.case_model import STEP_FIELDS, After, Expect, ReportEntry, TimelineEntry, moment_ms
from rules.catalogue import Category, FilingStandard, Merge, claimed_severity
from rules.clock import AlwaysClock, Clock, Opened
from rules.decide import ATOMS, Atoms, Decider, compile_policy
from rules.decision import Decision, Party, SupportPlan, TargetBudget, TargetPlan
from rules.duties import Duty, MatrixBasis, duties, matrix_basis, united
from rules.facts import PLACE_HOWS, REQUEST_KINDS, SEVERITIES, Facts, Scalar
from rules.ladders import Ladder, Recipient, Step, Trigger
from rules.loader import load_canonical, load_policy
from rules.match import KeyResult, decide_plainly
from rules.measures import MEASURES, Measures
from rules.model import REASON_KINDS
from rules.model_catalogue import Department, Source
from rules.model_rules import Guard, Overlay, Route, Rule
from rules.policy import Policy, is_people, needs_verification
from rules.problems import Code, Place, PolicyError, Problem
from rules.promises import Sla, SlaTarget
from rules.requirements import Unmet, unmet_requirements
from rules.standing import Standing, when_keys
from rules.trace import NearMiss, RouteTrace, RuleTrace, Trace, explain
from rules.worktime import WorkingClock

__all__ = [
    "ALWAYS",
    "ATOMS",
    "MEASURES",
    "PLACE_HOWS",
    "REASON_KINDS",
    "REQUEST_KINDS",
    "SEVERITIES",
    "STEP_FIELDS",
    "After",
    "AlwaysClock",
    "AskedAttribute",
    "Atoms",
    "Budget",
    "Case",
    "CaseStep",
    "Category",
    "Clock",
    "Code",
    "Decider",
    "Decision",
    "Department",
    "Duty",
    "Expect",
    "Facts",
    "FilingStandard",
    "Guard",
    "KeyResult",
    "Ladder",
    "MatrixBasis",
    "Measures",
    "Merge",
    "NearMiss",
    "Opened",
    "Overlay",
    "Party",
    "Place",
    "Policy",
    "PolicyError",
    "Problem",
    "Recipient",
    "ReportEntry",
    "Route",
    "RouteTrace",
    "Rule",
    "RuleTrace",
    "Scalar",
    "Sla",
    "SlaTarget",
    "Source",
    "Standing",
    "Step",
    "SupportPlan",
    "TargetBudget",
    "TargetPlan",
    "TimelineEntry",
    "Trace",
    "Trigger",
    "Unmet",
    "WorkingClock",
    "asked_attributes",
    "claimed_severity",
    "compile_policy",
    "decide_plainly",
    "duties",
    "explain",
    "is_people",
    "load_canonical",
    "load_policy",
    "matrix_basis",
    "moment_ms",
    "needs_verification",
    "parse_budget",
    "read_cases",
    "united",
    "unmet_requirements",
    "when_keys",
]
