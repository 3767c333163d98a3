"""A decision, and how the rules that hold become one: one lead, all support and tags, worst severity, all targets.

Selecting the rules is done twice, by the plain loop of `match.py` and by the index of `decide.py`; what they select is
put together here, once.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from rules.budgets import Budget, parse_budget
from rules.catalogue import FilingStandard
from rules.model_clocks import TARGET_OF
from rules.model_rules import Guard, Overlay, Route
from rules.policy import Policy
from rules.promises import SlaTarget

WonBy = Literal["guard", "priority", "specificity", "order", "fallback"]
FallbackReason = Literal["no_route", "uncategorised", "unresolvable", "guard"]


class Party(msgspec.Struct, frozen=True, gc=False):
    """A department, or one of its units (the code of the unit's cell)."""

    department: str
    unit: str | None = None


class SupportPlan(msgspec.Struct, frozen=True, gc=False):
    """A supporting party; asked for by several overlays it has the first one's role and the strictest attendance."""

    department: str
    unit: str | None
    role: str
    required: bool
    attend: Budget | None
    by: tuple[str, ...]


class TargetBudget(msgspec.Struct, frozen=True, gc=False):
    """A budget and the SLA or overlay it is from; `provisional: standard` = none was filed, the strictest is used."""

    budget: Budget
    by: str
    provisional: Literal["standard"] | None = None


class TargetPlan(msgspec.Struct, frozen=True, gc=False):
    """All budgets of one target; the earliest due at opening wins."""

    name: str
    of: str
    budgets: tuple[TargetBudget, ...]


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What the policy says about some facts. Instances are shared: the same atoms give the same object.

    `route` is None when the fallback leads, for the reason in `fallback`. `won_by` names the criterion that put the
    route before the next best one that held (`priority` also when it was the only one). `severity_by` is the overlay
    that raised the claim `severity_from`. `tags` are those the overlays add. `unresolved` lists what the place does
    not have (`street-office@township`) and targets without a budget. `level` is that of the cell which holds the
    incident, 1 = the widest, 0 = the city (where the place has no such cell, the deepest it has above); `level_by` the
    route or overlay that says so, None when it is where the lead works.
    """

    guard: str | None
    outcome: Literal["discard", "park", "fallback"] | None
    route: str | None
    fallback: FallbackReason | None
    overlays: tuple[str, ...]
    lead: Party
    won_by: WonBy
    support: tuple[SupportPlan, ...]
    severity: int
    severity_from: int
    severity_by: str | None
    tags: tuple[str, ...]
    sla: str
    ladder: str | None
    reason: str
    targets: tuple[TargetPlan, ...]
    unresolved: tuple[str, ...] = ()
    level: int = 0
    level_by: str | None = None


class Selection(msgspec.Struct, frozen=True, gc=False):
    """The rules that hold: a guard alone, or overlays (in the order of the strata) and at most one route."""

    guard: Guard | None
    overlays: tuple[Overlay, ...]
    route: Route | None
    won_by: WonBy


class Surroundings(msgspec.Struct, frozen=True, gc=False):
    """What a decision takes from the facts besides which rules hold: the fewer, the more is shared."""

    severity: int
    categorised: bool
    standards: tuple[FilingStandard, ...]
    standard: str | None
    units: tuple[tuple[str, str], ...]  # (level, code) of the cells around the place


def raised(severity: int, overlays: Sequence[Overlay]) -> tuple[int, str | None]:
    """Return the worst of a severity and what the overlays raise it to, and the first overlay that says so."""
    by = None
    for overlay in overlays:
        if overlay.severity and overlay.severity.raise_to < severity:
            severity, by = overlay.severity.raise_to, overlay.id
    return severity, by


def assemble(policy: Policy, selection: Selection, around: Surroundings) -> Decision:
    """Merge the selected rules, output by output."""
    lead, unresolved = _lead(selection, around)
    route = selection.route if lead else None
    fallback: FallbackReason | None = None
    if selection.guard:
        fallback = "guard"
    elif selection.route is None:
        fallback = "no_route" if around.categorised else "uncategorised"
    elif route is None:
        fallback = "unresolvable"
    lead = lead or Party(policy.fallback.lead)
    source = route or policy.fallback
    severity, severity_by = raised(around.severity, selection.overlays)
    level, level_by = _held(policy, route, lead, selection.overlays)
    targets, without = _targets(policy, source.sla, selection.overlays, around)
    support, dropped = _support(selection.overlays, lead, around)
    reason = selection.guard.reason if selection.guard and selection.guard.reason else source.reason
    return Decision(
        guard=selection.guard.id if selection.guard else None,
        outcome=selection.guard.outcome if selection.guard else None,  # type: ignore[arg-type]
        route=route.id if route else None,
        fallback=fallback,
        overlays=tuple(overlay.id for overlay in selection.overlays),
        lead=lead,
        won_by="guard" if selection.guard else "fallback" if route is None else selection.won_by,
        support=support,
        severity=severity,
        severity_from=around.severity,
        severity_by=severity_by,
        tags=tuple(dict.fromkeys(tag for overlay in selection.overlays for tag in overlay.tags)),
        sla=source.sla,
        ladder=source.ladder,
        reason=reason,
        targets=targets,
        unresolved=(*unresolved, *dropped, *without),
        level=level,
        level_by=level_by,
    )


def lead_level(policy: Policy, route: Route | None, lead: str) -> int | None:
    """Return the level a route gives, else the one its lead works at; None for a department of the whole city."""
    if route is not None and route.level is not None:
        return policy.level_number(route.level)
    department = policy.department(lead)
    name = department.level if department else None
    return None if name is None else policy.level_number(name) or None


def _held(policy: Policy, route: Route | None, lead: Party, overlays: Sequence[Overlay]) -> tuple[int, str | None]:
    """Return the level that holds the incident, and the rule that says so: the widest of all that are named.

    So an overlay never brings it further down than the route or the lead's own office; where nobody names a level of
    the grid the city holds it.
    """
    level = lead_level(policy, route, lead.department)
    by = route.id if route is not None and route.level is not None else None
    for overlay in overlays:
        number = None if overlay.level is None else policy.level_number(overlay.level)
        if number is not None and (level is None or number < level):
            level, by = number, overlay.id
    return level or 0, by


def _resolve(target: str, around: Surroundings) -> Party | None:
    department, _, level = target.partition("@")
    if not level:
        return Party(department)
    unit = dict(around.units).get(level)
    return Party(department, unit) if unit is not None else None


def _lead(selection: Selection, around: Surroundings) -> tuple[Party | None, tuple[str, ...]]:
    """Return the route's lead, or None when there is no route or the place has no such unit."""
    if selection.route is None:
        return None, ()
    lead = _resolve(selection.route.lead, around)
    return lead, () if lead else (f"{selection.route.id}: {selection.route.lead}",)


def _support(
    overlays: Sequence[Overlay], lead: Party, around: Surroundings
) -> tuple[tuple[SupportPlan, ...], tuple[str, ...]]:
    plans: dict[Party, SupportPlan] = {}
    dropped = []
    for overlay in overlays:
        for wanted in overlay.support:
            party = _resolve(wanted.dept, around)
            if party is None:
                dropped.append(f"{overlay.id}: {wanted.dept}")
            elif party != lead:
                attend = parse_budget(wanted.attend.within, wanted.attend.calendar) if wanted.attend else None
                plan = SupportPlan(party.department, party.unit, wanted.role, wanted.required, attend, (overlay.id,))
                plans[party] = _joined(plans[party], plan) if party in plans else plan
    return tuple(plans.values()), tuple(dropped)


def _joined(first: SupportPlan, second: SupportPlan) -> SupportPlan:
    attends = [plan.attend for plan in (first, second) if plan.attend]
    return msgspec.structs.replace(
        first,
        role=first.role or second.role,
        required=first.required or second.required,
        attend=min(attends, key=lambda budget: budget.nominal_ms) if attends else None,
        by=first.by if second.by[0] in first.by else first.by + second.by,
    )


def _targets(
    policy: Policy, sla: str, overlays: Sequence[Overlay], around: Surroundings
) -> tuple[tuple[TargetPlan, ...], tuple[str, ...]]:
    plan: dict[str, tuple[str, list[TargetBudget]]] = {}
    without = []
    promise = policy.sla(sla)
    for target in promise.targets:
        budgets = _promised(target, sla, promise.calendar, around)
        if not budgets:
            without.append(f"{sla}: {target.name}")
        plan[target.name] = target.of, budgets
    for overlay in overlays:
        for extra in overlay.targets:
            more = TargetBudget(parse_budget(extra.within, extra.calendar), overlay.id)
            plan.setdefault(extra.name, (extra.of or TARGET_OF[extra.name], []))[1].append(more)
    targets = tuple(TargetPlan(name, of, tuple(budgets)) for name, (of, budgets) in plan.items() if budgets)
    return targets, tuple(without)


def _promised(target: SlaTarget, sla: str, calendar: str, around: Surroundings) -> list[TargetBudget]:
    """Return the SLA's budget; `within: standard` is the filed standard's limit in its calendar, else the SLA's.

    Without a filed standard the strictest of the category's holds provisionally: a clock that starts too tight is
    corrected by filing, one that starts too loose has already let time go by. Which of two calendars comes first
    depends on the day, so the strictest of each is kept, and the earliest due at opening wins as among all budgets.
    """
    if not target.by_standard or not around.standards:
        return [TargetBudget(target.budget, sla)] if target.budget else []
    strictest: dict[str, Budget] = {}
    for standard in around.standards:
        where = standard.limit.calendar or calendar
        limit = parse_budget(standard.limit.text, where)
        if standard.code == around.standard:
            return [TargetBudget(limit, sla)]
        strictest[where] = min(strictest.get(where, limit), limit, key=lambda budget: budget.nominal_ms)
    return [TargetBudget(limit, sla, "standard") for limit in strictest.values()]
