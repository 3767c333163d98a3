"""The lint against asking about everything: small random policies, every combination of facts, the plain matcher."""

from collections import defaultdict

import pytest
from lint_random import PATHS, lint_policy
from rules_random import BASE_MS

from rules import Facts, Policy, Rule, decide_plainly
from rules.lint import contest as contest_module
from rules.lint import holes as holes_module
from rules.lint import solver
from rules.lint.contest import Contest
from rules.lint.holes import holes
from rules.lint.ranks import Ranks
from rules.lint.reach import Fate, Refuted, useless_rules
from rules.lint.ties import ties
from rules.match import facts_for_routes, ranking, select, specificity, stratum
from rules.match import holds as rule_holds

POLICIES = range(300)


class Truth:
    """What the plain matcher says of every combination of facts."""

    def __init__(self, policy: Policy, everything: list[Facts]) -> None:
        self.policy = policy
        self.everything = everything
        self.rules = [*policy.guards, *policy.overlays, *policy.routes]
        self.used: set[str] = set()  # holds (guard first, overlay) or wins (route)
        self.seen: set[str] = set()  # its own conditions hold on some facts, as overlays leave them
        self.ahead: dict[str, list[set[str]]] = defaultdict(list)  # per case where it holds: the rules before it
        self.losers: dict[str, set[str]] = defaultdict(set)
        self.table: dict[tuple[str, str], set[bool]] = defaultdict(set)  # (category, area) → served or not
        inner = {path[:length] for path in PATHS for length in range(len(path))}
        for facts in everything:
            self.look(facts, facts.path not in inner)

    def look(self, facts: Facts, is_leaf: bool) -> None:
        policy, holds = self.policy, rule_holds
        held: dict[str, Facts] = {}
        stages, overlays = [facts], []
        for wanted in range(3):
            overlays += [
                each for each in policy.overlays if stratum(each) == wanted and holds(policy, each, stages[-1])
            ]
            stages.append(facts_for_routes(facts, overlays))
        guards = sorted(
            (guard for guard in policy.guards if holds(policy, guard, facts)), key=lambda guard: -guard.priority
        )
        first = {guard.id for guard in guards}
        for place, guard in enumerate(guards):
            held[guard.id] = facts
            self.ahead[guard.id].append({each.id for each in guards[:place]})
        for overlay in overlays:
            held[overlay.id] = facts
            self.ahead[overlay.id].append(first)
        ranked = ranking(policy, [route for route in policy.routes if holds(policy, route, stages[3])], stages[3])
        for place, route in enumerate(ranked):
            held[route.id] = facts
            self.ahead[route.id].append(first | {each.id for each in ranked[:place]})
        self.seen |= set(held)
        self.used |= {rule for rule in held if not self.ahead[rule][-1]}
        if not guards:
            self.look_at_routes(facts, ranked, stages[3], is_leaf)

    def look_at_routes(self, facts: Facts, ranked: list, seen: Facts, is_leaf: bool) -> None:
        ranks = [(route.priority, *specificity(self.policy, route, seen)) for route in ranked]
        for route, rank in zip(ranked[1:], ranks[1:], strict=True):
            if rank == ranks[0] and route.lead != ranked[0].lead:
                self.losers[route.id].add(ranked[0].id)
        if is_leaf and facts.category is not None:
            _, _, level = ranked[0].lead.partition("@") if ranked else ("", "", "nowhere")
            is_served = not level or level in self.policy.grid_levels[: len(facts.path)]
            self.table[facts.category, facts.path[0]].add(is_served)

    def fate(self, rule: Rule) -> Fate | None:
        if rule.id in self.used:
            return None
        if rule.id not in self.seen:
            alone = any(rule_holds(self.policy, rule, facts) for facts in self.everything)
            return Fate.OVERLAYS if alone else Fate.IMPOSSIBLE
        return Fate.SHADOWED if set.intersection(*self.ahead[rule.id]) else Fate.COVERED


def differences(seed: int) -> list[str]:
    """Everything in which the lint and the truth are not of one mind."""
    policy, everything = lint_policy(seed)
    truth = Truth(policy, everything)
    contest = Contest(policy, BASE_MS, PATHS)
    found = {useless.rule: useless for useless in useless_rules(contest, truth.rules)}
    said = [
        f"{rule.id}: {found[rule.id].fate if rule.id in found else None}, not {truth.fate(rule)}"
        for rule in truth.rules
        if (found[rule.id].fate if rule.id in found else None) is not truth.fate(rule)
    ]
    for useless in found.values():
        if useless.fate in (Fate.SHADOWED, Fate.COVERED):
            said += [
                f"{useless.rule}: {useless.by} leaves a case"
                for ahead in truth.ahead[useless.rule]
                if not ahead & set(useless.by)
            ][:1]
    tied = {tie.loser: tie for tie in ties(contest)}
    if set(tied) != set(truth.losers):
        said.append(f"ties {sorted(tied)}, not {sorted(truth.losers)}")
    for tie in tied.values():
        selected = select(policy, tie.example)
        if selected.won_by != "order" or tie.winner not in truth.losers[tie.loser]:
            said.append(f"{tie} is none")
        if selected.route is None or selected.route.id != tie.winner:
            said.append(f"{tie}: {selected.route} wins")
    said += hole_differences(policy, truth, contest)
    return said


def hole_differences(policy: Policy, truth: Truth, contest: Contest) -> list[str]:
    table = holes(contest)
    asked = {facts.category for facts in truth.everything}
    areas = {facts.path[0] for facts in truth.everything if facts.path}
    given = {(hole.category, hole.area): hole.always for hole in table if hole.category in asked and hole.area in areas}
    wanted = {key: served == {False} for key, served in truth.table.items() if False in served}
    said = [] if given == wanted else [f"holes {given}, not {wanted}"]
    said += [f"{hole} is none" for hole in table if decide_plainly(policy, hole.example).route is not None]
    return said


@pytest.mark.parametrize("part", range(6))
def test_equals_asking_about_everything(part: int):
    assert {seed: said for seed in POLICIES[part::6] if (said := differences(seed))} == {}


def test_random_policies_show_everything():
    """What the comparison rests on: each kind of finding comes up often."""
    fates, tied, open_ = defaultdict(int), 0, defaultdict(int)
    for seed in POLICIES[::6]:
        policy, _ = lint_policy(seed)
        contest = Contest(policy, BASE_MS, PATHS)
        for useless in useless_rules(contest, (*policy.guards, *policy.overlays, *policy.routes)):
            fates[useless.fate] += 1
        tied += len(ties(contest))
        for hole in holes(contest):
            open_[hole.always] += 1
    unclear = {Fate.UNDECIDED, Fate.UNEXPLAINED}
    assert unclear.isdisjoint(fates)
    assert min(fates[fate] for fate in Fate if fate not in unclear) >= 5, fates
    assert tied >= 20
    assert min(open_[True], open_[False]) >= 20


def drop_all_but_one(domains: dict[int, int], clauses: list) -> bool:
    """What the solver must not do: keep one value of each variable."""
    before = dict(domains)
    domains.update({var: mask & -mask for clause in clauses for var, _ in clause for mask in (domains[var],)})
    return domains != before


MUTATIONS = {
    "the order of the files does not count": (Ranks, "earlier", lambda self, index: 0),
    "overlays change nothing": (contest_module, "effects", lambda space, acting, asked: []),
    "a no in one place is a no in all": (Contest, "is_settled", lambda self, meeting, question: True),
    "other overlays make no difference": (Refuted, "__contains__", lambda self, question: bool(self.questions)),
    "places have all units": (holes_module._Holes, "unresolved", lambda self, spot: 0),
    "any value will do": (solver, "_drop_needless", drop_all_but_one),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_comparison_notices(mutation: str, monkeypatch: pytest.MonkeyPatch):
    owner, name, wrong = MUTATIONS[mutation]
    monkeypatch.setattr(owner, name, wrong)
    assert any(differences(seed) for seed in range(100)), mutation
