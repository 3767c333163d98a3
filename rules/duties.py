"""责任清单: who answers for what. Category by area, decided once each, for the ordinary day.

Ordinary means: the first mode, the first source of people, the category's own severity, one report, located in the
area, in office hours. Cells below the area have no code of their own here, so that their units read as the policy
writes them: `grid-team@cell`.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from rules.budgets import Budget
from rules.catalogue import claimed_severity
from rules.decide import Decider
from rules.decision import Decision, Party
from rules.facts import Facts
from rules.policy import CITY, Policy, is_people

__all__ = ["Duty", "MatrixBasis", "duties", "matrix_basis", "united"]


class MatrixBasis(msgspec.Struct, frozen=True, gc=False):
    """What the matrix takes for granted, to be printed with it."""

    policy: str
    version: str
    mode: str
    source: str
    at_ms: int


class Duty(msgspec.Struct, frozen=True, gc=False):
    """One line: in these areas (codes of level 1) a category is led and supported so, within these limits.

    `limits` are budgets of `resolve` as written, each with its clock; several where filing standards or overlays give
    several. `required` are those of `support` whose part must be done before it can be closed. `level` is the name of
    the one that holds it, or "city".
    """

    category: str
    areas: tuple[str, ...]
    severity: int
    lead: str
    support: tuple[str, ...]
    required: tuple[str, ...]
    limits: tuple[str, ...]
    sla: str
    route: str | None
    reason: str
    level: str = CITY


def matrix_basis(policy: Policy, at_ms: int) -> MatrixBasis:
    """What an ordinary report is in this policy: from `at_ms` on, the first moment the fallback's calendar is open."""
    people = [source.code for source in policy.sources.values() if is_people(source)]
    source = next(iter(people or policy.sources), "")
    calendar = policy.sla(policy.fallback.sla).calendar
    return MatrixBasis(policy.sha256, policy.version, policy.modes[0], source, policy.clock(calendar).next_open(at_ms))


def duties(policy: Policy, decider: Decider, basis: MatrixBasis, areas: Sequence[str]) -> Iterator[Duty]:
    """Every category in every area, by category, then in the order of the areas. `areas` are codes of level 1."""
    source = policy.source(basis.source)
    below = policy.grid_levels[1:]
    for category in policy.categories.values():
        severity = claimed_severity(source, category, None)
        for area in areas:
            facts = Facts(
                category=category.code,
                severity=severity,
                mode=basis.mode,
                path=(area, *below),
                source=basis.source,
                platform="" if source is None else source.platform,
                at_ms=basis.at_ms,
                place="exact",
            )
            decision = decider.decide(facts)
            yield Duty(
                category=category.code,
                areas=(area,),
                severity=decision.severity,
                lead=_named(decision.lead),
                support=tuple(_named(Party(plan.department, plan.unit)) for plan in decision.support),
                required=tuple(_named(Party(plan.department, plan.unit)) for plan in decision.support if plan.required),
                limits=tuple(_limits(policy, category.code, decision)),
                sla=decision.sla,
                route=decision.route,
                reason=decision.reason,
                level=policy.level_name(decision.level),
            )


def united(each: Iterable[Duty]) -> list[Duty]:
    """Areas that say the same of a category in one line; a unit of the area itself counts as the same.

    `street-office@530001` and `street-office@530002` are both the area's own office and become `street-office@area`.
    """
    lines: dict[tuple[object, ...], Duty] = {}
    for duty in each:
        own = msgspec.structs.replace(
            duty,
            areas=(),
            lead=_own(duty.lead, duty.areas),
            support=tuple(_own(name, duty.areas) for name in duty.support),
            required=tuple(_own(name, duty.areas) for name in duty.required),
        )
        key = msgspec.structs.astuple(own)
        known = lines.get(key)
        areas = duty.areas if known is None else known.areas + duty.areas
        lines[key] = msgspec.structs.replace(own, areas=areas)
    return list(lines.values())


def _own(name: str, areas: tuple[str, ...]) -> str:
    department, _, unit = name.partition("@")
    return f"{department}@area" if unit and unit in areas else name


def _named(party: Party) -> str:
    return party.department if party.unit is None else f"{party.department}@{party.unit}"


def _limits(policy: Policy, category: str, decision: Decision) -> Iterator[str]:
    """The budgets of `resolve`; where the filing standard decides, those of all standards, the strictest first."""
    promised = next((target for target in policy.sla(decision.sla).targets if target.name == "resolve"), None)
    found = policy.category(category)
    standards = () if found is None or promised is None or not promised.by_standard else found.standards
    calendar = policy.sla(decision.sla).calendar
    written = {
        _limit(msgspec.structs.replace(standard.limit, calendar=standard.limit.calendar or calendar)): standard.limit
        for standard in standards
    }
    yield from sorted(written, key=lambda text: (written[text].nominal_ms, text))
    for plan in decision.targets:
        if plan.name == "resolve":
            for budget in plan.budgets:
                if not (standards and budget.by == decision.sla):
                    yield _limit(budget.budget)


def _limit(budget: Budget) -> str:
    return budget.text if budget.clock == "always" else f"{budget.text} ({budget.clock})"
