"""W107: steps of ladders that come too late, out of order, or never.

- `resolve 90%` with `after: 2d` announces a deadline that has passed, whenever the case starts and whatever the SLA.
- A step that always comes before the one above it on the same target: the order written misleads.
- A step on `check` or `callback`, which begin when the work is done, in a ladder that stops when it is `done`.
"""

from collections.abc import Iterator

from rules.budgets import Budget
from rules.clock import Instants
from rules.ladders import Step
from rules.lint.contest import Contest
from rules.lint.deadlines import Limits
from rules.lint.dues import Dues
from rules.lint.findings import Check, Finding, finding
from rules.model import Fallback
from rules.model_clocks import LadderEntry, StepEntry
from rules.model_rules import Route

AFTER_DONE = ("check", "callback")
"""The targets that begin when the work is done (lifecycle.md, "Clocks")."""


def ladder_findings(contest: Contest, dues: Dues) -> list[Finding]:
    """Return what is wrong with ladders."""
    limits = Limits(contest)
    policy = contest.policy
    uses: dict[str, set[str]] = {}
    users: list[Route | Fallback] = [*policy.routes, policy.fallback]
    for user in users:
        for part in _chain(contest, user.ladder):
            uses.setdefault(part, set()).add(user.sla)
    found: list[Finding] = []
    for entry in policy.document.sections.ladders:
        budgets: dict[str, list[Budget]] = {}
        for name in sorted(uses.get(entry.name, ())):
            promised = policy.sla(name)
            for target in promised.targets:
                budgets.setdefault(target.name, []).extend(limits.of(promised, target))
        found += _ladder(contest, dues, entry, budgets)
    return found


def _chain(contest: Contest, name: str | None) -> Iterator[str]:
    """A ladder and those it continues with; the loader refuses cycles."""
    following = {entry.name: entry.then for entry in contest.policy.document.sections.ladders}
    while name is not None:
        yield name
        name = following[name]


def _ladder(contest: Contest, dues: Dues, entry: LadderEntry, budgets: dict[str, list[Budget]]) -> Iterator[Finding]:
    place = contest.policy.place("ladder", entry.name)
    steps = contest.policy.ladder(entry.name).steps[: len(entry.steps)]
    above: dict[str, tuple[StepEntry, list[Instants]]] = {}
    for step, written in zip(steps, entry.steps, strict=True):
        target = step.trigger.target
        if target in AFTER_DONE and "done" in entry.stop_when:
            yield finding(Check.STOPPED, place, ladder=entry.name, step=_words(written), stop="done")
        limits = budgets.get(target, [])
        taken = [_taken(dues, step, budget) for budget in limits]
        late = [bool((at >= dues.of(budget)).all()) for at, budget in zip(taken, limits, strict=True)]
        if step.trigger.percent is not None and late and all(late):
            yield finding(Check.WARNS_LATE, place, ladder=entry.name, step=_words(written))
        if target in above and taken:
            before, earlier = above[target]
            if all(bool((at < other).all()) for at, other in zip(taken, earlier, strict=True)):
                yield finding(Check.STEP_BACK, place, ladder=entry.name, step=_words(written), above=_words(before))
        above[target] = written, taken


def _taken(dues: Dues, step: Step, budget: Budget) -> Instants:
    """When a step is taken on a target with that budget, for every start."""
    percent = step.trigger.percent
    at = dues.of(budget) if percent is None else dues.share(budget, percent)
    return at if step.after is None else dues.after(step.after, at)


def _words(step: StepEntry) -> str:
    return f"{step.trigger}{f' + {step.after}' if step.after else ''} {step.do} {step.to}"
