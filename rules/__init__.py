"""Facts in, a decision out: the written policy of a city, loaded strictly, decided fast, explained on demand.

    policy = load_policy({"policy.yaml": b"..."})      # every problem at once, or a Policy known by its sha256
    decider = compile_policy(policy)
    decision = decider.decide(Facts(...))               # one lead, its supports, severity, targets; a shared object
    opened = policy.open(decision.targets[0].budgets[0].budget, at_ms)   # due on the budget's own clock

Knows no incident and no geometry; reads no disk and no clock. `load_policy` takes the files as bytes.
"""

from rules.budgets import ALWAYS, Budget, parse_budget
from rules.catalogue import Category, FilingStandard, Merge, claimed_severity
from rules.clock import AlwaysClock, Clock, Opened
from rules.decide import ATOMS, Atoms, Decider, compile_policy
from rules.decision import Decision, Party, SupportPlan, TargetBudget, TargetPlan
from rules.facts import PLACE_HOWS, REQUEST_KINDS, SEVERITIES, Facts, Scalar
from rules.ladders import Ladder, Recipient, Step, Trigger
from rules.loader import load_canonical, load_policy
from rules.match import KeyResult, decide_plainly
from rules.model_catalogue import Department, Source
from rules.policy import Policy, is_people, needs_verification
from rules.problems import Code, Place, PolicyError, Problem
from rules.promises import Sla, SlaTarget
from rules.trace import NearMiss, RouteTrace, RuleTrace, Trace, explain
from rules.worktime import WorkingClock

__all__ = [
    "ALWAYS",
    "ATOMS",
    "PLACE_HOWS",
    "REQUEST_KINDS",
    "SEVERITIES",
    "AlwaysClock",
    "Atoms",
    "Budget",
    "Category",
    "Clock",
    "Code",
    "Decider",
    "Decision",
    "Department",
    "Facts",
    "FilingStandard",
    "KeyResult",
    "Ladder",
    "Merge",
    "NearMiss",
    "Opened",
    "Party",
    "Place",
    "Policy",
    "PolicyError",
    "Problem",
    "Recipient",
    "RouteTrace",
    "RuleTrace",
    "Scalar",
    "Sla",
    "SlaTarget",
    "Source",
    "Step",
    "SupportPlan",
    "TargetBudget",
    "TargetPlan",
    "Trace",
    "Trigger",
    "WorkingClock",
    "claimed_severity",
    "compile_policy",
    "decide_plainly",
    "explain",
    "is_people",
    "load_canonical",
    "load_policy",
    "needs_verification",
    "parse_budget",
]
