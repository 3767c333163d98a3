"""W105: promises that contradict each other.

- In an SLA, what comes first in the life of a case falls due after what follows: `acknowledge`, `contact` or `attend`
  after `resolve`, `acknowledge` after `attend` or `contact`. Where a limit is the filing standard's, each one that can
  be filed under the routes with that SLA is looked at, and one that contradicts is enough.
- A `return_within` after every limit of `resolve`.
- An overlay's target that can't be the earliest in any route it can meet, and a support that attends after the case
  must be resolved: nothing ever comes of them.
- Warnings of an SLA that are not written once each, rising.

"After" is: whenever both start (`dues.py`).
"""

from collections.abc import Iterator

from rules.budgets import Budget, parse_budget
from rules.layout import bits
from rules.lint.contest import Contest
from rules.lint.dues import Dues
from rules.lint.findings import Check, Finding, finding
from rules.model_rules import Overlay, Route
from rules.promises import Sla, SlaTarget

_FOLLOWING = (
    ("acknowledge", "attend"),
    ("acknowledge", "contact"),
    ("acknowledge", "resolve"),
    ("contact", "resolve"),
    ("attend", "resolve"),
)


def deadline_findings(contest: Contest, dues: Dues) -> list[Finding]:
    """Return what is wrong with SLAs, and with the budgets of overlays."""
    limits = Limits(contest)
    found: list[Finding] = []
    for entry in contest.policy.document.sections.sla:
        sla = contest.policy.sla(entry.name)
        found += _contradictions(contest, dues, limits, sla)
        percents = [int(text.rstrip("%")) for text in entry.warn]
        if percents != list(sla.warn):
            place = contest.policy.place("sla", sla.name)
            found.append(finding(Check.WARN_ORDER, place, sla=sla.name, warn=", ".join(entry.warn)))
    for overlay in contest.policy.overlays:
        if overlay.targets or any(support.attend for support in overlay.support):
            found += _idle(contest, dues, limits, overlay)
    return found


class Limits:
    """The budgets that a target of an SLA can have."""

    def __init__(self, contest: Contest) -> None:
        self._contest = contest
        self._asked: dict[str, set[str]] = {}  # by rule
        self._categories: dict[str, set[str]] = {}  # by SLA
        for route in contest.policy.routes:
            self._categories.setdefault(route.sla, set()).update(self.categories(route))
        self._categories.setdefault(contest.policy.fallback.sla, set()).update(contest.policy.categories)

    def categories(self, rule: Route | Overlay) -> set[str]:
        """Return the categories of the catalogue that a rule asks for."""
        if rule.id not in self._asked:
            kinds = self._contest.kinds_for(rule)
            self._asked[rule.id] = {code for kind in kinds for code in kind.codes if code is not None}
        return self._asked[rule.id]

    def of(self, sla: Sla, target: SlaTarget, categories: set[str] | None = None) -> list[Budget]:
        """Return the budgets of a target for some categories, those of all routes with that SLA unless given."""
        budgets = {target.budget.text: target.budget} if target.budget else {}
        if target.by_standard:
            for code in sorted(self._categories.get(sla.name, set()) if categories is None else categories):
                category = self._contest.policy.category(code)
                for standard in category.standards if category else ():
                    limit = parse_budget(standard.limit.text, sla.calendar)
                    budgets.setdefault(limit.text, limit)
        return list(budgets.values())


def _contradictions(contest: Contest, dues: Dues, limits: Limits, sla: Sla) -> Iterator[Finding]:
    budgets = {target.name: limits.of(sla, target) for target in sla.targets}
    resolve = budgets.get("resolve", [])
    for late, early in _FOLLOWING:
        pairs = [(first, then) for first in budgets.get(late, ()) for then in budgets.get(early, ())]
        wrong = [pair for pair in pairs if dues.is_always_later(*pair)]
        if wrong:
            yield _order(contest, sla, late, early, *wrong[0])
    given = sla.return_within
    if given is not None and resolve and all(dues.is_always_later(given, limit) for limit in resolve):
        yield _order(contest, sla, "return_within", "resolve", given, resolve[0])


def _order(contest: Contest, sla: Sla, late: str, early: str, first: Budget, then: Budget) -> Finding:
    return finding(
        Check.ORDER,
        contest.policy.place("sla", sla.name),
        sla=sla.name,
        late=late,
        late_within=first.text,
        early=early,
        early_within=then.text,
    )


def _idle(contest: Contest, dues: Dues, limits: Limits, overlay: Overlay) -> Iterator[Finding]:
    policy = contest.policy
    place = policy.place("rule", overlay.id)
    categories = limits.categories(overlay)
    met = [(policy.sla(route.sla), limits.categories(route) & categories) for route in met_by(contest, overlay)]

    def promised(name: str) -> list[list[Budget]]:
        """Per route it can meet: the budgets of that target there; none where the overlay alone gives it one."""
        targets = [(sla, codes, [each for each in sla.targets if each.name == name]) for sla, codes in met]
        return [limits.of(sla, found[0], codes) if found else [] for sla, codes, found in targets]

    for extra in overlay.targets:
        budget = parse_budget(extra.within, extra.calendar)
        others = promised(extra.name)
        if others and all(each and not any(dues.is_ever_earlier(budget, other) for other in each) for each in others):
            yield finding(
                Check.NEVER_EARLIEST, place, rules=[overlay.id], rule=overlay.id, target=extra.name, within=extra.within
            )
    for support in overlay.support:
        if support.attend:
            budget = parse_budget(support.attend.within, support.attend.calendar)
            others = promised("resolve")
            if others and all(each and all(dues.is_always_later(budget, other) for other in each) for each in others):
                yield finding(
                    Check.ATTEND_LATE,
                    place,
                    rules=[overlay.id],
                    rule=overlay.id,
                    dept=support.dept,
                    within=support.attend.within,
                )


def met_by(contest: Contest, overlay: Overlay) -> list[Route]:
    """Return the routes that can hold together with an overlay, as far as each alone tells."""
    mine = contest.rows_of[overlay.id]
    kinds = spots = 0
    for kind in contest.kinds:
        kinds |= kind.rows if kind.rows & mine else 0
    for spot in contest.spots:
        spots |= spot.rows if spot.rows & mine else 0
    rows = [index for index in bits(kinds & spots & contest.layout.routes) if contest.agree(overlay, index)]
    return list({contest.rule(index).id: contest.layout.route(index) for index in rows}.values())
