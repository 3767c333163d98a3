"""An explanation as text, for the operator at three in the morning: who leads, why and by when; then everything else.

Instants are in the policy's time zone with their offset; names of departments and categories stand before their codes.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from dispatcher.explain.deadline_text import deadline_lines, due_line
from dispatcher.explain.explanation import Explanation, Shift
from dispatcher.explain.speech import Speech
from dispatcher.explain.words import HOWS, KEYS, STATES, TARGETS, WHATS, Language
from rules import KeyResult, NearMiss, Policy, RouteTrace, RuleTrace

__all__ = ["render"]

VALUES_SHOWN = 6  # of a condition's list; the policy has the rest
NEAR_SHOWN = 4  # of each kind of rule
DATES = "dates"


def render(explanation: Explanation, policy: Policy, language: Language) -> str:
    """The explanation as text; `policy` is the one it was made with."""
    return "\n".join(_lines(explanation, Speech(policy, language)))


def _lines(explanation: Explanation, say: Speech) -> Iterator[str]:
    yield from _heading(explanation, say)
    yield from _lead(explanation, say)
    for deadline in explanation.deadlines:
        yield f"  {due_line(deadline, say)}"
    yield from _others(explanation, say)
    if explanation.deadlines:
        yield ""
        yield f"{say('deadlines')}"
        for deadline in explanation.deadlines:
            yield from (f"  {line}" for line in deadline_lines(deadline, say))
    yield from _rules(explanation, say)
    yield from _facts(explanation, say)


def _heading(explanation: Explanation, say: Speech) -> Iterator[str]:
    if explanation.hypothetical:
        yield say("what_if")
    else:
        reports = ", ".join(f"{source}/{report_id}" for source, report_id in explanation.reports)
        state = say.word(STATES, explanation.state)
        yield say("incident", id=explanation.incident_id, state=state, reports=reports)
    if explanation.instead_of is not None:
        yield say("instead", now=_policy_name(explanation), was=explanation.instead_of[:12])
        for shift in explanation.shifts:
            yield f"  {_shift(shift, say)}"
        if not explanation.shifts:
            yield f"  {say('no_shift')}"


def _lead(explanation: Explanation, say: Speech) -> Iterator[str]:
    trace, decision = explanation.trace, explanation.trace.decision
    yield say("lead", party=say.party(decision.lead.department, decision.lead.unit))
    if decision.reason:
        yield f"  {say('because', reason=decision.reason)}"
    if trace.guard is not None:
        yield f"  {say('guard', guard=trace.guard.id, outcome=say(decision.outcome or 'fallback'))}"
    elif decision.route is None:
        named = trace.routes[0].id if trace.routes else ""
        category = explanation.reported_category or trace.facts.category or ""
        yield f"  {say(decision.fallback or 'no_route', route=named, category=category)}"
    else:
        yield f"  {_won(trace.routes, say)}"
    if explanation.lead_now is not None:
        department, _, unit = explanation.lead_now.partition("@")
        yield f"  {say('override', party=say.party(department, unit or None))}"
    if explanation.verify_at is not None:
        key = "verify" if explanation.state == "verifying" else "verify_meanwhile"
        yield f"  {say(key, at=say.instant(explanation.verify_at))}"


def _won(routes: tuple[RouteTrace, ...], say: Speech) -> str:
    """Why the first of the ranked routes was put before the second."""
    first = routes[0]
    if len(routes) == 1:
        return say("only", route=first.id, priority=first.priority)
    other = routes[1]
    given = {"route": first.id, "other": other.id, "priority": first.priority, "other_priority": other.priority}
    if first.priority != other.priority:
        return say("priority", **given)
    for criterion in ("category_depth", "grid_depth", "key_count"):
        mine, theirs = getattr(first, criterion), getattr(other, criterion)
        if mine != theirs:
            return say("specificity", **given, by=say(criterion, mine=mine, theirs=theirs))
    return say("order", **given)


def _others(explanation: Explanation, say: Speech) -> Iterator[str]:
    decision = explanation.trace.decision
    for plan in decision.support:
        yield say(
            "support",
            party=say.party(plan.department, plan.unit),
            role=say("role", role=plan.role) if plan.role else "",
            required=(say("required") if plan.required else "")
            + (say("attend", budget=plan.attend.text) if plan.attend else ""),
            by=", ".join(plan.by),
        )
    if not decision.support:
        yield say("nobody")
    if decision.severity_by is None:
        yield say("severity", severity=decision.severity)
    else:
        given = {"severity": decision.severity, "from": decision.severity_from, "by": decision.severity_by}
        yield say("raised", **given)
    if decision.tags:
        yield say("tags", tags=", ".join(decision.tags))
    if decision.unresolved:
        yield say("unresolved", what=say("and").join(decision.unresolved))


def _rules(explanation: Explanation, say: Speech) -> Iterator[str]:
    trace, spots = explanation.trace, explanation.spots
    winner = trace.routes[:1] if trace.decision.route is not None else ()
    held: list[RuleTrace | RouteTrace] = [*([trace.guard] if trace.guard else []), *winner, *trace.overlays]
    near = [
        line for kind in (trace.near_guards, trace.near_routes, trace.near_overlays) for line in _near(kind, spots, say)
    ]
    for heading, lines in (
        ("held", [_rule(rule, spots, say) for rule in held]),
        ("lost", [_rule(route, spots, say) for route in trace.routes[len(winner) :]]),
        ("near", near),
    ):
        if lines:
            yield ""
            yield say(heading)
            yield from (f"  {line}" for line in lines)


def _rule(rule: RuleTrace | RouteTrace, spots: dict[str, str], say: Speech) -> str:
    keys = say("and").join(_key(key, say) for key in rule.keys) or say("no_keys")
    return say("rule", rule=rule.id, spot=_spot(spots, rule.id), keys=keys)


def _missed(miss: NearMiss, spots: dict[str, str], say: Speech) -> str:
    return say("missed", rule=miss.id, spot=_spot(spots, miss.id), failed=_key(miss.failed, say))


def _near(misses: tuple[NearMiss, ...], spots: dict[str, str], say: Speech) -> list[str]:
    lines = [_missed(miss, spots, say) for miss in misses[:NEAR_SHOWN]]
    return [*lines, say("more_near", count=len(misses) - len(lines))] if len(misses) > len(lines) else lines


def _spot(spots: dict[str, str], rule: str) -> str:
    return f" [{spots[rule]}]" if rule in spots else ""


def _key(result: KeyResult, say: Speech) -> str:
    """One condition with the fact it met."""
    if result.key == DATES:
        wanted = say("to").join(str(day) or "…" for day in result.wanted)
        return say("passes_dates" if result.passes else "fails_dates", fact=result.fact, wanted=wanted)
    key, fact = say.word(KEYS, result.key), _fact(result.key, result.fact, say)
    if result.passes and result.negated:
        return say("passes_not", key=key, fact=fact, wanted=_any_of(result.wanted, say))
    if result.passes:
        held = _any_of(result.held, say)
        return say("passes", key=key, fact=fact) if held == fact else say("passes_as", key=key, fact=fact, held=held)
    values = result.held if result.negated else result.wanted
    return say("fails_not" if result.negated else "fails", key=key, fact=fact, wanted=_any_of(values, say))


def _any_of(values: tuple[object, ...], say: Speech) -> str:
    shown = [_plain(value) for value in values[:VALUES_SHOWN]]
    return say("or").join(shown) + (" …" if len(values) > VALUES_SHOWN else "")


def _fact(key: str, fact: object, say: Speech) -> str:
    if fact is None or fact == ():
        return say("none")
    if isinstance(fact, tuple | list):
        return (" > " if key == "grid" else ", ").join(map(_plain, fact))
    return _plain(fact)


def _plain(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _facts(explanation: Explanation, say: Speech) -> Iterator[str]:
    facts, place = explanation.trace.facts, explanation.place
    yield ""
    yield say("facts")
    path = " > ".join(place.path) or say("no_cell")
    note = "" if place.note is None else f", {place.note}"
    yield f"  {say('place', path=path, how=say.word(HOWS, place.how), note=note)}"
    if facts.category is None:
        yield f"  {say('unknown_category', said=explanation.reported_category or '')}"
    else:
        yield f"  {say('category', category=say.category(facts.category))}"
    given = {"platform": facts.platform, "mode": facts.mode, "reporters": facts.reporters}
    yield f"  {say('source', source=facts.source, **given)}"
    for key, fact in _more_facts(explanation):
        yield f"  {say('more_facts', key=say.word(KEYS, key), fact=_fact(key, fact, say))}"
    yield f"  {say('at', at=_ms(facts.at_ms, say))}"
    yield f"  {say('policy', policy=_policy_name(explanation))}"
    if explanation.equal is not None:
        yield say("equal" if explanation.equal else "unequal", seq=explanation.decision_seq)


def _more_facts(explanation: Explanation) -> Iterable[tuple[str, object]]:
    facts = explanation.trace.facts
    for key, fact in (
        ("confidence", facts.confidence),
        ("standard", facts.standard),
        ("request_kind", facts.request_kind),
        ("whistle", facts.whistle),
        ("tags", facts.tags),
        ("text.any", facts.keywords),
        *((name, value) for name, value in facts.attributes),
    ):
        if fact is not None and fact != ():
            yield key, fact


def _policy_name(explanation: Explanation) -> str:
    return f"{explanation.policy_name} {explanation.policy_version} ({explanation.policy[:12]})"


def _shift(shift: Shift, say: Speech) -> str:
    kind, *target = shift.what.split(" ", 2)
    what, values = say.word(WHATS, kind), [shift.before, shift.after]
    if target:  # its due instants
        what = f"{what} {say.word(TARGETS, target[0])} {target[1]}"
        values = [value and say.instant(value) for value in values]
    before, after = (value or say("none") for value in values)
    return say("shift", what=what, before=before, after=after)


def _ms(at_ms: int, say: Speech) -> str:
    return say.instant(datetime.fromtimestamp(at_ms // 1000, UTC).isoformat())
