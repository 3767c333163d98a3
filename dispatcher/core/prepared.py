"""What a decision says of every incident that is opened by it at once, ready to be written: see `opening`."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from dispatcher.core.incident import NEVER_MS, Assignment, Decided, Target
from dispatcher.core.instants import ms_to_text
from dispatcher.core.ladder import Pace
from dispatcher.core.lifecycle import AssignmentState, IncidentState
from dispatcher.core.offering import promises
from dispatcher.core.orders import may_json, order_says, other_json
from dispatcher.core.route import decision_counts
from dispatcher.core.rulebook import Rulebook
from dispatcher.core.targets import open_target
from dispatcher.core.wire import assignment_json, promised_json, quoted
from rules import Decision, Policy, SupportPlan, TargetBudget

__all__ = ["Begun", "Prepared"]

_OFFERED, _DISPATCHED = AssignmentState.OFFERED, IncidentState.DISPATCHED
_BEFORE: Final = {0: '"lead":', 1: ',"support":['}  # of the parts of an incident
_SAMPLE_MS: Final = 0  # an instant no code of a department holds as text


class _Promise:
    """A target that parts owe from their offer on; one for all decisions that promise the same.

    While its clock runs through, or stands still, every instant of it lies as far ahead as it did, or where it did.
    """

    __slots__ = ("_begun", "_budgets", "_from_ms", "_moves", "_name", "_one", "_pace", "_policy", "_until_ms")

    def __init__(self, policy: Policy, name: str, budgets: tuple[TargetBudget, ...], pace: Pace) -> None:
        self._policy, self._name, self._budgets, self._pace = policy, name, budgets, pace
        self._from_ms = self._until_ms = 0
        self._moves = True
        self._one = len(budgets) == 1 and budgets[0].budget.unit != "wd_end"  # with one amount, whenever it begins
        self._begun: Target | None = None

    def begin(self, of: str, now_ms: int) -> Target:
        """The target of a party, begun now."""
        begun = self._begun
        if begun is not None and self._from_ms <= now_ms < self._until_ms:
            later_ms = now_ms - begun.since_ms if self._moves else 0
            return Target(
                begun.name, of, begun.budget, begun.clock, begun.by, begun.amount_ms, 0, now_ms,
                begun.due_ms + later_ms, begun.provisional, next_ms=begun.next_ms + later_ms,
            )  # fmt: skip
        target = open_target(self._policy, self._name, of, self._budgets, now_ms, self._pace)
        if self._one:
            self._remember(target)
        return target

    def _remember(self, target: Target) -> None:
        shares_ms = self._pace.first_shares_ms(target.amount_ms)
        if shares_ms is None:
            return
        stretch = self._policy.clock(target.clock).stretch(target.since_ms, [target.amount_ms, *shares_ms])
        if stretch is not None:  # the incident changes its own
            self._begun, (self._from_ms, self._until_ms, self._moves) = replace(target), stretch


class Part:
    """What a decision says of one department's part: the assignment, its targets, its order."""

    __slots__ = ("fields", "json", "may", "other", "party", "promises", "says", "topic")

    def __init__(self, book: Rulebook, decision: Decision, plan: SupportPlan | None) -> None:
        is_lead, one = plan is None, decision.lead if plan is None else plan
        sample = Assignment(
            one.department,
            one.unit,
            "lead" if is_lead else "support",
            None if plan is None else plan.role,
            plan is not None and plan.required,
            _OFFERED,
            _SAMPLE_MS,
            _SAMPLE_MS,
            tuple([rule for rule in (decision.route,) if rule is not None]) if plan is None else plan.by,
        )
        decided = book.decided(decision, "report")
        self.party = sample.party
        self.topic = f"dept.{sample.department}"
        self.fields = sample.department, sample.unit, sample.role, sample.task, sample.required, sample.by
        self.json = assignment_json(sample).split(ms_to_text(_SAMPLE_MS), 2)  # its instants go in between
        self.other = other_json(self.party, sample)
        self.says = order_says(sample, "offer")
        self.may = may_json(_DISPATCHED, _OFFERED, supervised=False)
        self.promises = tuple(
            [_promise(book, decided, name, budgets) for name, budgets in promises(decision, plan, is_lead=is_lead)]
        )

    def assignment(self, now_ms: int) -> Assignment:
        """Offered now."""
        department, unit, role, task, required, by = self.fields
        return Assignment(department, unit, role, task, required, _OFFERED, now_ms, now_ms, by)


def _promise(book: Rulebook, decided: Decided, name: str, budgets: tuple[TargetBudget, ...]) -> _Promise:
    key = name, budgets, decided.sla, decided.ladder
    return book.once(key, lambda: _Promise(book.policy, name, budgets, book.pace(decided, name)))


def _assigned(parts: Sequence[Part]) -> list[str]:
    """The lead and the supports as fields of an incident: the instant they are offered at goes in between."""
    pieces = [""]
    for n, part in enumerate(parts):
        before, between, after = part.json
        pieces[-1] += _BEFORE.get(n, ",") + before
        pieces += [between, after]
    if len(parts) > 1:
        pieces[-1] += "]"
    return pieces


class Begun(NamedTuple):
    """The targets of all parts, begun at one instant, and what is written of them."""

    targets: tuple[Target, ...]
    said: list[str]  # of each target, its fields
    dues: list[str]  # of each part, when what it owes is due
    soonest: str  # of all parts together, the earliest of each name
    next_ms: int


class Prepared:
    """What a decision says of every incident that is opened by it at once, ready to be written."""

    __slots__ = ("assigned", "counted", "decided", "lead", "others", "parts", "support")

    def __init__(self, book: Rulebook, decision: Decision) -> None:
        self.decided = book.decided(decision, "report")
        self.parts = tuple([Part(book, decision, plan) for plan in (None, *decision.support)])
        lead, *support = self.parts
        self.assigned = _assigned(self.parts)
        self.lead = quoted(lead.party)
        self.support = ",".join([quoted(part.party) for part in support])
        self.others = ",".join([part.other for part in self.parts])
        self.counted = decision_counts(decision)

    def begin(self, now_ms: int, at: str) -> Begun:
        """Every target, begun now; `at` is the text of this instant."""
        targets: list[Target] = []
        said: list[str] = []
        dues: list[str] = []
        earliest: dict[str, int] = {}
        next_ms = NEVER_MS
        for part in self.parts:
            due: list[str] = []
            for promise in part.promises:
                target = promise.begin(part.party, now_ms)
                targets.append(target)
                due_ms, name = target.due_ms, target.name
                due_at = ms_to_text(due_ms)
                provisional = ',"provisional":true' if target.provisional else ""
                said.append(f'{promised_json(target)}{due_at}","since":"{at}"{provisional}')
                due.append(f'"{name}":"{due_at}"')
                if due_ms < earliest.get(name, NEVER_MS):
                    earliest[name] = due_ms
                next_ms = min(next_ms, target.next_ms)
            dues.append(",".join(due))
        soonest = ",".join([f'"{name}":"{ms_to_text(due_ms)}"' for name, due_ms in earliest.items()])
        return Begun(tuple(targets), said, dues, soonest, next_ms)
