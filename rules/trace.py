"""Why: which rules held and on which facts, what nearly held, and who won by which criterion.

Recomputed by the plain matcher on demand, never stored, so it costs nothing until someone asks. Plain data: words in
Chinese or English are put to it by whoever shows it.
"""

from collections.abc import Iterable

import msgspec

from rules.decision import Decision, WonBy, assemble
from rules.facts import Facts
from rules.match import (
    DATES,
    KeyResult,
    facts_for_routes,
    holds,
    key_results,
    ranking,
    select,
    specificity,
    stratum,
    surroundings,
)
from rules.model_rules import Route, Rule
from rules.policy import Policy

NEAR_MISSES = 10
"""Per kind of rule. A reader asks "why not this one"; hundreds of rules miss by their category alone."""


class RuleTrace(msgspec.Struct, frozen=True, gc=False):
    """A rule and what its keys found."""

    id: str
    keys: tuple[KeyResult, ...]


class RouteTrace(msgspec.Struct, frozen=True, gc=False):
    """A route that held, with what it is ranked by."""

    id: str
    priority: int
    category_depth: int
    grid_depth: int
    key_count: int
    keys: tuple[KeyResult, ...]


class NearMiss(msgspec.Struct, frozen=True, gc=False):
    """A rule with exactly one key that failed, and at least one (none of `not`, nor its dates) that held."""

    id: str
    failed: KeyResult
    held: tuple[KeyResult, ...]


class Trace(msgspec.Struct, frozen=True, gc=False):
    """A decision and its reasons. Routes are ranked, the winner first; overlays in the order of evaluation."""

    facts: Facts
    decision: Decision
    guard: RuleTrace | None
    overlays: tuple[RuleTrace, ...]
    routes: tuple[RouteTrace, ...]
    won_by: WonBy
    near_guards: tuple[NearMiss, ...]
    near_overlays: tuple[NearMiss, ...]
    near_routes: tuple[NearMiss, ...]


def explain(policy: Policy, facts: Facts) -> Trace:
    """Return the decision on these facts with everything that led to it."""
    selection = select(policy, facts)
    decision = assemble(policy, selection, surroundings(policy, facts))
    guards = [_trace(policy, guard, facts) for guard in (() if facts.filed else policy.guards)]
    if selection.guard:
        guard = _trace(policy, selection.guard, facts)
        return Trace(facts, decision, guard, (), (), "guard", _near_misses(guards), (), ())
    # each overlay is asked with what the strata before its own have raised and added
    stages = [
        facts_for_routes(facts, [overlay for overlay in selection.overlays if stratum(overlay) < at]) for at in range(3)
    ]
    overlays = {overlay.id: _trace(policy, overlay, stages[stratum(overlay)]) for overlay in policy.overlays}
    seen = stages[2]
    ranked = ranking(policy, [route for route in policy.routes if holds(policy, route, seen)], seen)
    return Trace(
        facts=facts,
        decision=decision,
        guard=None,
        overlays=tuple(overlays[overlay.id] for overlay in selection.overlays),
        routes=tuple(_route_trace(policy, route, seen) for route in ranked),
        won_by=selection.won_by,
        near_guards=_near_misses(guards),
        near_overlays=_near_misses(overlays.values()),
        near_routes=_near_misses(_trace(policy, route, seen) for route in policy.routes),
    )


def _trace(policy: Policy, rule: Rule, facts: Facts) -> RuleTrace:
    return RuleTrace(rule.id, tuple(key_results(policy, rule, facts)))


def _route_trace(policy: Policy, route: Route, facts: Facts) -> RouteTrace:
    depths = specificity(policy, route, facts)
    return RouteTrace(route.id, route.priority, *depths, tuple(key_results(policy, route, facts)))


def _near_misses(traces: Iterable[RuleTrace]) -> tuple[NearMiss, ...]:
    """Rules with one failed key, only so many: of their own category first, then those with most keys that held."""
    found = []
    for trace in traces:
        failed = [result for result in trace.keys if not result.passes]
        held = tuple(result for result in trace.keys if result.passes)
        # not to be elsewhere, or out of date, brings no rule near
        if len(failed) == 1 and any(not result.negated and result.key != DATES for result in held):
            found.append(NearMiss(trace.id, failed[0], held))
    return tuple(sorted(found, key=lambda miss: (miss.failed.key == "category", -len(miss.held)))[:NEAR_MISSES])
