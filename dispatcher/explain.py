"""Why an incident was decided as it was: recomputed from its facts and the policy of its time, never stored.

The recomputed decision must equal the recorded one byte for byte; `Explanation.equal` says whether it does.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from dispatcher.core import IncidentRecord, ms_to_text, text_to_ms
from dispatcher.core.wire import encode
from geo import Place
from rules import Facts, KeyResult, Policy, Trace
from rules import explain as explain_rules

__all__ = ["Deadline", "Explanation", "explain_facts", "explain_incident", "render"]

CLOSED_SPANS_SHOWN = 12  # of a deadline that crosses months, the first dozen nights say enough


class Deadline(Struct, frozen=True, omit_defaults=True):
    """One target's arithmetic: `due = start + budget` on its clock, skipping the hours in which it is closed."""

    name: str
    of: str
    budget: str
    clock: str
    by: str
    due_at: str
    start_at: str | None = None
    closed: tuple[tuple[str, str], ...] = ()  # the spans skipped, at most a dozen
    closed_spans: int = 0
    outcome: str = "running"
    provisional: bool = False


class Explanation(Struct, frozen=True, omit_defaults=True):
    """Everything there is to say about one decision."""

    policy: str
    policy_version: str
    place: Place
    trace: Trace
    deadlines: tuple[Deadline, ...] = ()
    incident_id: str | None = None
    decision_seq: int = 0
    equal: bool | None = None  # recomputed == recorded; None when there is no record to compare with


def explain_facts(policy: Policy, facts: Facts, place: Place) -> Explanation:
    """What the policy would decide, and why; deadlines as if offered at the facts' instant."""
    trace = explain_rules(policy, facts)
    deadlines = []
    for plan in trace.decision.targets:
        opened = [(promised, policy.open(promised.budget, facts.at_ms)) for promised in plan.budgets]
        promised, first = min(opened, key=lambda pair: pair[1].due_ms)
        deadlines.append(
            _deadline(
                policy,
                Deadline(
                    plan.name,
                    plan.of,
                    promised.budget.text,
                    first.clock,
                    promised.by,
                    ms_to_text(first.due_ms),
                    provisional=first.provisional,
                ),
                facts.at_ms,
            )
        )
    return Explanation(policy.sha256, policy.version, place, trace, tuple(deadlines))


def explain_incident(policy: Policy, record: IncidentRecord, recorded: bytes | None = None) -> Explanation:
    """Why an incident stands as it does, under the policy of its decision; `recorded` is the decision on `events`."""
    trace = explain_rules(policy, record.facts)
    offered = {
        (a.department if a.unit is None else f"{a.department}@{a.unit}"): a.offered_at
        for a in (*record.support, *([record.lead] if record.lead else []))
    }
    deadlines = []
    for target in record.targets:
        start = target.since or (offered.get(target.of) if target.name != "check" else None)
        if target.revoked_at is not None:
            outcome = f"revoked {target.revoked_at}"
        elif target.fulfilled_at is not None:
            outcome = f"{'late' if target.fulfilled_at > target.due_at else 'in time'} {target.fulfilled_at}"
        elif target.breached_at is not None:
            outcome = f"overdue since {target.breached_at}"
        else:
            outcome = f"paused by {target.paused_by}" if target.paused_by else "running"
        plain = Deadline(
            target.name, target.of, target.budget, target.clock, target.by, target.due_at,
            outcome=outcome, provisional=target.provisional,
        )  # fmt: skip
        deadlines.append(plain if start is None else _deadline(policy, plain, text_to_ms(start)))
    return Explanation(
        policy.sha256,
        policy.version,
        record.place,
        trace,
        tuple(deadlines),
        record.incident_id,
        record.decision_seq,
        None if recorded is None else recorded == encode(trace.decision),
    )


def _deadline(policy: Policy, deadline: Deadline, start_ms: int) -> Deadline:
    closed = policy.clock(deadline.clock).closed_between(start_ms, text_to_ms(deadline.due_at))
    return msgspec.structs.replace(
        deadline,
        start_at=ms_to_text(start_ms),
        closed=tuple((ms_to_text(a), ms_to_text(b)) for a, b in closed[:CLOSED_SPANS_SHOWN]),
        closed_spans=len(closed),
    )


_WORDS = {
    "en": {
        "incident": "incident", "policy": "policy", "place": "place", "no_cell": "in no cell", "lead": "lead",
        "support": "support", "required": "required", "because": "because", "won": "won by", "severity": "severity",
        "raised": "raised by", "guard": "stopped by guard", "held": "held", "near": "nearly",
        "but": "but for", "wanted": "wanted", "was": "was", "deadlines": "deadlines", "closed": "closed spans skipped",
        "provisional": "provisional", "equal": "recomputed and recorded decision are equal",
        "unequal": "RECOMPUTED AND RECORDED DECISION DIFFER", "fallback": "fallback", "tags": "tags", "facts": "facts",
        "or": "or",
    },
    "zh": {
        "incident": "案件", "policy": "政策", "place": "地点", "no_cell": "不在任何网格内", "lead": "主办",
        "support": "协办", "required": "必须", "because": "依据", "won": "胜出依据", "severity": "等级",
        "raised": "提升自", "guard": "被守卫规则截止", "held": "命中", "near": "差一项",
        "but": "未满足", "wanted": "要求", "was": "实际", "deadlines": "时限", "closed": "段非工作时间已跳过",
        "provisional": "暂定", "equal": "重新计算的决定与当时记录一致",
        "unequal": "重新计算的决定与当时记录不一致", "fallback": "兜底", "tags": "标签", "facts": "事实", "or": "或",
    },
}  # fmt: skip


def render(explanation: Explanation, lang: str) -> str:
    """The explanation as text, in `zh` or `en`."""
    words = _WORDS["zh" if lang == "zh" else "en"]
    trace, decision = explanation.trace, explanation.trace.decision
    lines = []
    if explanation.incident_id is not None:
        lines.append(f"{words['incident']} {explanation.incident_id}")
    lines.append(f"{words['policy']} {explanation.policy_version} ({explanation.policy[:12]})")
    place = explanation.place
    path = " > ".join(place.path) or words["no_cell"]
    lines.append(f"{words['place']}: {path} ({place.how}{'' if place.note is None else ', ' + place.note})")
    facts = trace.facts
    lines.append(f"{words['facts']}: {facts.category or '-'}, {facts.source}, {facts.mode}, {ms_to_text(facts.at_ms)}")
    if trace.guard is not None:
        lines.append(f"{words['guard']} {trace.guard.id}: {decision.outcome}")
    route = decision.route or f"{words['fallback']}: {decision.fallback}"
    lead = _party(decision.lead.department, decision.lead.unit)
    lines.append(f"{words['lead']}: {lead}  [{route}; {words['won']} {decision.won_by}]")
    lines.append(f"  {words['because']}: {decision.reason}")
    for plan in decision.support:
        extra = f", {words['required']}" if plan.required else ""
        lines.append(
            f"{words['support']}: {_party(plan.department, plan.unit)} ({plan.role}{extra})  [{', '.join(plan.by)}]"
        )
    raised = f" ({words['raised']} {decision.severity_from}: {decision.severity_by})" if decision.severity_by else ""
    lines.append(f"{words['severity']}: {decision.severity}{raised}")
    if decision.tags:
        lines.append(f"{words['tags']}: {', '.join(decision.tags)}")
    lines.extend(
        f"{words['held']}: {rule_id}: {'; '.join(_key(key, words) for key in keys) or '-'}"
        for rule_id, keys in (
            *((route.id, route.keys) for route in trace.routes),
            *((overlay.id, overlay.keys) for overlay in trace.overlays),
        )
    )
    lines.extend(
        f"{words['near']}: {miss.id}, {words['but']} {_key(miss.failed, words)}"
        for miss in (*trace.near_guards, *trace.near_routes, *trace.near_overlays)
    )
    if explanation.deadlines:
        lines.append(f"{words['deadlines']}:")
        lines.extend(f"  {_deadline_text(deadline, words)}" for deadline in explanation.deadlines)
    if explanation.equal is not None:
        lines.append(words["equal" if explanation.equal else "unequal"])
    return "\n".join(lines)


def _party(department: str, unit: str | None) -> str:
    return department if unit is None else f"{department}@{unit}"


def _key(key: KeyResult, words: Mapping[str, str]) -> str:
    wanted = f" {words['or']} ".join(str(value) for value in key.wanted[:6]) + (" …" if len(key.wanted) > 6 else "")
    fact = ", ".join(map(str, key.fact)) if isinstance(key.fact, tuple) else str(key.fact)
    return f"{'not ' if key.negated else ''}{key.key} {words['wanted']} {wanted}, {words['was']} {fact or '-'}"


def _deadline_text(deadline: Deadline, words: Mapping[str, str]) -> str:
    start = "" if deadline.start_at is None else f"{deadline.start_at} + "
    closed = f", {deadline.closed_spans} {words['closed']}" if deadline.closed_spans else ""
    provisional = f" ({words['provisional']})" if deadline.provisional else ""
    return (
        f"{deadline.name} {deadline.of}: {start}{deadline.budget} [{deadline.clock}, {deadline.by}{closed}]"
        f" = {deadline.due_at}{provisional}: {deadline.outcome}"
    )
