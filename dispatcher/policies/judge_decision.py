"""Whether a decision is what a test expects, and if not, which rule or fact made it so."""

from collections.abc import Callable, Iterable, Sequence

from dispatcher.core.incident import party
from dispatcher.policies.failures import Failure, Said, because_key, local_time, said
from dispatcher.policies.rehearsal import in_unit
from rules import Case, Decision, Facts, Overlay, Policy, Route, Rule, Standing, TargetPlan, moment_ms

__all__ = ["DecisionJudge", "compared"]

CANDIDATES_SHOWN = 2  # of the rules that would have brought what was expected
LEAD_OWES = ("each", "lead")


def compared(expected: Iterable[str], got: Iterable[str], *, exactly: bool) -> bool:
    """Whether two lists hold the same, in whatever order; or the second at least what the first does."""
    wanted, found = set(expected), set(got)
    return wanted == found if exactly else wanted <= found


class DecisionJudge:
    """Holds one test's decision against its `expect`."""

    def __init__(self, policy: Policy, case: Case, facts: Facts, decision: Decision, standing: Standing) -> None:
        self.policy, self.case, self.facts = policy, case, facts
        self.decision, self.standing = decision, standing
        self.lead = party(decision.lead.department, decision.lead.unit)
        self.support = {party(plan.department, plan.unit): plan for plan in decision.support}

    def failures(self) -> list[Failure]:
        """Everything expected that is not so."""
        found: list[Failure] = []
        for field in self.case.expect.__struct_fields__:
            if getattr(self.case.expect, field) is None or field == "refused":
                continue
            judge = _SINGLE.get(field)
            if judge is not None:
                found += self._single(field, *judge(self))
            elif field == "due":
                found += self._due()
            elif field == "budgets":
                found += self._budgets()
            else:
                found += self._list(field)
        return found

    def _failure(
        self, field: str, expected: Iterable[str], got: Iterable[str], because: Iterable[Said], what: str = ""
    ) -> Failure:
        place = self.case.where(self.case.expect, field)
        return Failure(place, what or field, tuple(expected), tuple(got), because=tuple(because))

    # --- one value -----------------------------------------------------------------------------------------------

    def _single(self, field: str, got: object, because: Callable[[str], list[Said]]) -> list[Failure]:
        expected = str(getattr(self.case.expect, field))
        if field == "lead":
            expected = self._unit(expected)
        shown = "" if got is None else str(got)
        if expected == shown:
            return []
        return [self._failure(field, [expected], [shown] if shown else [], because(expected))]

    def _unit(self, named: str) -> str:
        return in_unit(named, self.facts.path, self.policy)

    def decided(self) -> list[Said]:
        """What led the decision."""
        decision = self.decision
        if decision.guard is not None:
            return [said("guarded", rule=decision.guard)]
        if decision.route is not None:
            return [said("won", rule=decision.route, by=decision.won_by)]
        return [
            said("fell", why=decision.fallback),
            *(said("no_unit", what=what) for what in decision.unresolved),
        ]

    def by_route(self, wanted: Callable[[Route, str], bool]) -> Callable[[str], list[Said]]:
        """Reasons when another route was expected: who won, and why those did not that would have been right."""

        def because(expected: str) -> list[Said]:
            rules = [rule for rule in self.policy.routes if wanted(rule, expected) and rule.id != self.decision.route]
            return [*self.decided(), *self._missed(rules)]

        return because

    def by_guard(self, expected: str) -> list[Said]:
        """Reasons when another guard was expected."""
        rules = [rule for rule in self.policy.guards if expected in (rule.id, rule.outcome)]
        return [*self.decided(), *self._missed(rules)]

    def by_severity(self, expected: str) -> list[Said]:
        """Reasons for the severity."""
        decision = self.decision
        rules = [rule for rule in self.policy.overlays if rule.severity and str(rule.severity.raise_to) == expected]
        if decision.severity_by is not None:
            return [said("raised", rule=decision.severity_by, claimed=decision.severity_from), *self._missed(rules)]
        return [said("claimed", claimed=decision.severity_from), *self._missed(rules)]

    def _missed(self, rules: Iterable[Rule]) -> list[Said]:
        """Why rules did not win or hold: the nearest first."""
        asked = [(rule, self.standing.failing(rule)) for rule in rules]
        asked.sort(key=lambda pair: len(pair[1]))
        reasons = []
        for rule, failed in asked[:CANDIDATES_SHOWN]:
            if failed:
                reasons.append(because_key(rule.id, failed))
            elif isinstance(rule, Route) and self.standing.selection.route is not None:
                reasons.append(self._outranked(rule, self.standing.selection.route))
        return reasons

    def _outranked(self, rule: Route, winner: Route) -> Said:
        """Why a route that held too did not win."""
        own, best = self.standing.rank(rule), self.standing.rank(winner)
        if own[0] != best[0]:
            return said("lower", rule=rule.id, low=own[0], high=best[0])
        if own != best:
            return said("vaguer", rule=rule.id, category=own[1], cell=own[2], keys=own[3])
        return said("after", rule=rule.id)

    # --- lists ---------------------------------------------------------------------------------------------------

    def _list(self, field: str) -> list[Failure]:
        kind, includes = field.removesuffix("_includes").removesuffix("_include"), "_include" in field
        expected: Sequence[str] = getattr(self.case.expect, field)
        if kind in ("support", "required"):
            expected = [self._unit(named) for named in expected]
        got = self._items(kind)
        if compared(expected, got, exactly=not includes):
            return []
        missing = [item for item in expected if item not in got]
        surplus = [] if includes else [item for item in got if item not in expected]
        because = [reason for item in missing for reason in self._why_missing(kind, item)]
        because += [reason for item in surplus for reason in self._why_there(kind, item)]
        return [self._failure(field, sorted(set(expected)), sorted(got), because)]

    def _items(self, kind: str) -> list[str]:
        if kind == "overlays":
            return list(self.decision.overlays)
        if kind == "tags":
            return list(self.decision.tags)
        return [name for name, plan in self.support.items() if plan.required or kind == "support"]

    def _why_missing(self, kind: str, item: str) -> list[Said]:
        if self.decision.guard is not None:
            return self.decided()
        rules = [rule for rule in self.policy.overlays if self._brings(rule, kind, item)]
        held = [rule for rule in rules if not self.standing.failing(rule)]
        if held and item == self.lead:
            return [said("held_but", rule=held[0].id, item=item)]
        return self._missed(rule for rule in rules if rule not in held)

    def _brings(self, rule: Overlay, kind: str, item: str) -> bool:
        if kind == "overlays":
            return rule.id == item
        if kind == "tags":
            return item in rule.tags
        return any(
            self._unit(support.dept) == item and (support.required or kind == "support") for support in rule.support
        )

    def _why_there(self, kind: str, item: str) -> list[Said]:
        if kind == "overlays":
            return []
        if kind == "tags":
            rules = [rule.id for rule in self.standing.selection.overlays if item in rule.tags]
        else:
            rules = list(self.support[item].by)
        return [said("brought", item=item, rules=", ".join(rules))]

    # --- deadlines -----------------------------------------------------------------------------------------------

    def _plan(self, name: str) -> TargetPlan | None:
        return next((plan for plan in self.decision.targets if plan.name == name), None)

    def _due(self) -> list[Failure]:
        found: list[Failure] = []
        for entry in self.case.expect.due or ():
            at_ms = self.case.at_ms
            expected_ms = moment_ms(entry.at, at_ms)
            plan = self._plan(entry.target)
            owed = plan is not None and (plan.name == "resolve" or plan.of in LEAD_OWES) and plan.name != "check"
            what = f"due {entry.target}"
            place = self.case.where(entry)
            wanted = (local_time(self.policy, expected_ms),)
            if plan is None or not owed:
                reason = said("not_owed", what=entry.target, sla=self.decision.sla)
                found.append(Failure(place, what, wanted, (), because=(reason, *self.decided())))
                continue
            opened = [(self.policy.open(promised.budget, at_ms), promised) for promised in plan.budgets]
            first, promised = min(opened, key=lambda pair: pair[0].due_ms)
            if first.due_ms != expected_ms:
                reason = said("budget", budget=promised.budget.text, clock=first.clock, rule=promised.by)
                found.append(
                    Failure(
                        place, what, wanted, (local_time(self.policy, first.due_ms),), because=(reason, *self.decided())
                    )
                )
        return found

    def _budgets(self) -> list[Failure]:
        found: list[Failure] = []
        for entry in self.case.expect.budgets or ():
            plan = self._plan(entry.target)
            budgets = () if plan is None else plan.budgets
            got = sorted(promised.budget.text for promised in budgets)
            expected = sorted(entry.texts)
            if got != expected:
                because = [said("brought", item=each.budget.text, rules=each.by) for each in budgets]
                found.append(
                    Failure(
                        self.case.where(entry), f"budgets {entry.target}", tuple(expected), tuple(got),
                        because=(*because, *self.decided()),
                    )
                )  # fmt: skip
        return found


_Judged = tuple[object, Callable[[str], list[Said]]]
_SINGLE: dict[str, Callable[[DecisionJudge], _Judged]] = {
    "lead": lambda judge: (
        judge.lead,
        judge.by_route(lambda rule, lead: rule.lead.partition("@")[0] == lead.partition("@")[0]),
    ),
    "route": lambda judge: (judge.decision.route, judge.by_route(lambda rule, name: rule.id == name)),
    "fallback": lambda judge: (judge.decision.fallback, lambda _: judge.decided()),
    "won_by": lambda judge: (judge.decision.won_by, lambda _: judge.decided()),
    "sla": lambda judge: (judge.decision.sla, judge.by_route(lambda rule, name: rule.sla == name)),
    "ladder": lambda judge: (judge.decision.ladder, judge.by_route(lambda rule, name: rule.ladder == name)),
    "reason": lambda judge: (judge.decision.reason, judge.by_route(lambda rule, text: rule.reason == text)),
    "guard": lambda judge: (judge.decision.guard, judge.by_guard),
    "outcome": lambda judge: (judge.decision.outcome, judge.by_guard),
    "severity": lambda judge: (judge.decision.severity, judge.by_severity),
    "category": lambda judge: (judge.facts.category, lambda _: [said("said", text=judge.case.report.category)]),
}
