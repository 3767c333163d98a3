"""Offers: a department gets its part, the targets it owes start, an order goes out.

One way for all: the policy's lead and supports, those a whistle compels, those the centre names.
"""

from collections.abc import Iterator, Sequence

from dispatcher.core.incident import Assignment, Incident, Target, party
from dispatcher.core.lifecycle import AssignmentState
from dispatcher.core.privacy import is_code, mask_code
from dispatcher.core.publish import Change
from dispatcher.core.rulebook import Rulebook
from dispatcher.core.targets import open_target, owed, pause, refresh
from rules import ALWAYS, Decision, SupportPlan, TargetBudget

__all__ = [
    "FORMER_LEAD",
    "PROMISED",
    "WHISTLE",
    "compel",
    "named_party",
    "offer",
    "open_promise",
    "promises",
    "require",
    "shown_party",
    "start_target",
]

FORMER_LEAD = "former_lead"
WHISTLE = "whistle"  # what a part or a target is `by` that a street has called for
PROMISED = "promised"  # the budget of a target that a source's own date has set


def offer(
    book: Rulebook,
    incident: Incident,
    change: Change,
    decision: Decision,
    department: str,
    unit: str | None,
    by: tuple[str, ...],
    plan: SupportPlan | None = None,
    *,
    lead: bool | None = None,
) -> Assignment:
    """Offer a department its part: an assignment, the targets it owes, an order. Without `plan` it is the lead."""
    now_ms = change.at_ms
    is_lead = plan is None if lead is None else lead
    assignment = Assignment(
        department,
        unit,
        "lead" if is_lead else "support",
        None if plan is None else plan.role,
        plan is not None and plan.required,
        AssignmentState.OFFERED,
        now_ms,
        now_ms,
        by,
    )
    if is_lead:
        if incident.lead is not None:
            incident.lead.role = FORMER_LEAD
            incident.support = (*incident.support, incident.lead)
        incident.lead = assignment
    else:
        incident.support = (*incident.support, assignment)
    owed = _owed_by(book, incident, decision, assignment, plan, now_ms)
    incident.targets = (*incident.targets, *owed)
    for target in owed:
        change.target(target, "activate")
    change.order(assignment, "offer")
    return assignment


def _owed_by(
    book: Rulebook,
    incident: Incident,
    decision: Decision,
    assignment: Assignment,
    plan: SupportPlan | None,
    now_ms: int,
) -> list[Target]:
    is_lead = assignment.role == "lead"
    # a new lead takes over the clock that runs: it never starts again
    runs = is_lead and any(t.name == "resolve" and t.active for t in incident.targets)
    of = party(assignment.department, assignment.unit)
    return [
        open_target(book.policy, name, of, budgets, now_ms, book.pace(incident.decided, name))
        for name, budgets in promises(decision, plan, is_lead=is_lead)
        if not (runs and name == "resolve")
    ]


def promises(
    decision: Decision, plan: SupportPlan | None, *, is_lead: bool
) -> Iterator[tuple[str, tuple[TargetBudget, ...]]]:
    """The targets a part owes from its offer on, with the budgets of each; `plan` is what a support is wanted for."""
    asked = ("each", "lead" if is_lead else "support")
    attend = None if plan is None or plan.attend is None else TargetBudget(plan.attend, plan.by[0])
    for target in decision.targets:
        if target.name == "check":  # opens when the work is done
            continue
        if target.name == "resolve":
            if is_lead or (plan is not None and plan.required):
                yield target.name, target.budgets
        elif target.name == "attend" and attend is not None:
            yield target.name, (attend, *target.budgets)
            attend = None
        elif target.of in asked:
            yield target.name, target.budgets
    if attend is not None:
        yield "attend", (attend,)


def start_target(
    book: Rulebook, incident: Incident, change: Change, name: str, of: str, budgets: Sequence[TargetBudget]
) -> Target:
    """One more target of an open incident, owed by the party `of` from the change's instant on."""
    target = open_target(book.policy, name, of, budgets, change.at_ms, book.pace(incident.decided, name))
    incident.targets = (*incident.targets, target)
    change.target(target, "activate")
    return target


def require(book: Rulebook, incident: Incident, change: Change, decision: Decision, assignment: Assignment) -> None:
    """A support that may help becomes one that must: from now on it owes a `resolve` of its own."""
    if assignment.required or assignment.role == "lead":
        return
    assignment.required = True
    for plan in decision.targets:
        if plan.name == "resolve":
            target = start_target(book, incident, change, "resolve", assignment.party, plan.budgets)
            if assignment.state in _STANDING:  # its clock starts with rework, or when the hold ends
                pause(target, book.policy.clock(target.clock), change.at_ms, _STANDING[assignment.state])
                change.target(target, "pause")


def compel(
    book: Rulebook, incident: Incident, change: Change, decision: Decision, departments: tuple[str, ...]
) -> None:
    """Departments a whistle names must come: each is, or becomes, a required support with an `attend` target."""
    policy = book.policy
    for name in departments:
        found = named_party(book, incident, name)
        if found is None:
            change.entry("whistle_unknown", department=name)
            continue
        department, unit = found
        known = incident.assignment_of(department, unit)
        if known is None:
            plan = SupportPlan(department, unit, "", True, policy.whistle_attend, (WHISTLE,))
            offer(book, incident, change, decision, department, unit, plan.by, plan)
            continue
        require(book, incident, change, decision, known)
        if known.arrived_ms is None and known.state in _COMING and not owed(incident, "attend", known.party):
            budgets = (TargetBudget(policy.whistle_attend, WHISTLE),)
            start_target(book, incident, change, "attend", known.party, budgets)
        change.order(known, "remind")


_STANDING = {AssignmentState.HELD: "hold", AssignmentState.DONE: "done", AssignmentState.APPROVED: "done"}
_COMING = frozenset({AssignmentState.OFFERED, AssignmentState.ACKNOWLEDGED, AssignmentState.HELD})


def named_party(book: Rulebook, incident: Incident, name: str) -> tuple[str, str | None] | None:
    """`department`, `department@unit`, or `department@level` for the unit of that level around the incident's place.

    None when the policy has no such department, the place no such level, or what is named as a unit is no code.
    """
    department, _, unit = name.partition("@")
    if book.policy.department(department) is None:
        return None
    levels, path = book.policy.grid_levels, incident.place.path
    if unit not in levels:
        return (department, unit or None) if not unit or unit in path or is_code(unit) else None
    depth = levels.index(unit)
    return (department, path[depth]) if depth < len(path) else None


def shown_party(name: str, path: Sequence[str]) -> str:
    """A party as somebody names it, fit to be published; a cell around the place is a code, however long it is."""
    department, at, unit = name.partition("@")
    return f"{mask_code(department)}{at}{unit if unit in path else mask_code(unit)}"


def open_promise(book: Rulebook, incident: Incident, change: Change) -> None:
    """A date the source has promised: the strictest wins, unless the source may extend, up to its maximum."""
    policy, promised_ms = book.policy, incident.promised_ms
    extend = policy.extend_promised_max(incident.facts.source)
    for target in incident.targets:
        if promised_ms is None or target.name != "resolve" or not target.active or incident.lead is None:
            continue
        if target.of != incident.lead.party:
            continue
        if promised_ms > target.due_ms:
            if extend is None:
                continue
            promised_ms = min(promised_ms, policy.open(extend, incident.opened_ms).due_ms)
            if promised_ms <= target.due_ms:
                continue
        # a promise is an instant, not an amount of working time: from here on the clock that always runs counts it
        target.by, target.budget, target.clock = f"promise:{incident.facts.source}", PROMISED, ALWAYS
        target.due_ms = max(promised_ms, target.since_ms)
        target.amount_ms, target.provisional = target.due_ms - target.since_ms, False
        refresh(target, policy.clock(ALWAYS), book.pace(incident.decided, "resolve"))
        change.target(target, "promise")
