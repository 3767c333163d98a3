"""An upheld return as a policy test, and a candidate rule that would have made it pass.

What people settled after a return is the best test a policy can have. The test holds the facts on which the policy
decided and the lead that was right in the end; the rule beside it is narrow on purpose and commented out: whoever
takes it over says how far it should reach. How the place was found is not in a test, which names the cell.
"""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from dispatcher.core import AssignmentState, IncidentRecord, IncidentState
from dispatcher.core.incident import party
from dispatcher.ledger import Ledger
from dispatcher.policies.past import ASSIGNMENT, DECISION, Activated, past_events
from rules import Decision, Facts, Policy, compile_policy

__all__ = ["NotUpheld", "Upheld", "policy_test", "upheld_return"]

_facts = msgspec.json.Decoder(Facts)


class NotUpheld(Exception):
    """No lead's return of this incident was upheld."""


class Upheld(NamedTuple):
    """A return that led to another lead: on which facts the first was named, why it returned, and who is the lead."""

    incident_id: str
    facts: Facts
    said: str  # the category as reported
    returned_by: str
    note: str  # the reason's code
    lead: str  # in the end


def upheld_return(ledger: Ledger, record: IncidentRecord) -> Upheld:
    """Find it in the incident's events.

    Raises:
        NotUpheld: nobody returned it, or no return of a lead was upheld.
    """
    facts: Facts | None = None
    note = returned_by = ""
    upheld = False
    for event in past_events(ledger, (DECISION, ASSIGNMENT)):
        if isinstance(event, Activated) or event.incident_id != record.incident_id:
            continue
        for change in event.changes:
            if change.event == "decision" and facts is None:
                facts = _facts.decode(change.facts)
            elif change.event == "assignment" and change.role == "lead":
                if change.to == AssignmentState.RETURNED and not upheld:
                    returned_by, note = change.party, event.note
                elif change.before == AssignmentState.RETURNED and change.to == AssignmentState.WITHDRAWN:
                    upheld |= event.state == IncidentState.DISPATCHED
    if facts is None or record.lead is None or not upheld:
        raise NotUpheld(record.incident_id)
    lead = party(record.lead.department, record.lead.unit)
    return Upheld(record.incident_id, facts, record.reported_category, returned_by, note, lead)


def policy_test(upheld: Upheld, policy: Policy) -> str:
    """A file of policy tests with this one in it, and the candidate rule unless `policy` names this lead already.

    Args:
        upheld: what people settled.
        policy: the one to be changed, normally the one in force.
    """
    facts = upheld.facts
    cell = facts.path[-1] if facts.path else None
    where = "nowhere" if cell is None else cell
    lines = [f"# {upheld.incident_id}: {upheld.returned_by} returned it ({upheld.note}), which was upheld."]
    if cell is not None:
        lines += ["places:", f"  {_text(cell)}: {_text(list(facts.path))}"]
    at = datetime.fromtimestamp(facts.at_ms / 1000, UTC).astimezone(policy.timezone)
    lines += [
        "tests:",
        f"  - name: {_text(f'{upheld.incident_id}: {facts.category or upheld.said} in {where} is for {upheld.lead}')}",
        f"    at: {_text(at.isoformat(timespec='milliseconds' if facts.at_ms % 1000 else 'seconds'))}",
    ]
    if facts.mode != policy.modes[0]:
        lines.append(f"    mode: {_text(facts.mode)}")
    lines += [f"    report: {_flow(_report(upheld, cell))}", f"    expect: {_flow({'lead': upheld.lead})}"]
    decision = compile_policy(policy).decide(facts)
    if party(decision.lead.department, decision.lead.unit) == upheld.lead:
        lines.append(f"# The policy {policy.version} ({policy.sha256[:12]}) names this lead already.")
    else:
        lines += _candidate(upheld, policy, decision)
    return "\n".join(lines) + "\n"


def _report(upheld: Upheld, cell: str | None) -> dict[str, Any]:
    facts = upheld.facts
    report: dict[str, Any] = {
        "category": facts.category or upheld.said,
        "severity": facts.severity,
        "cell": cell,
        "source": facts.source,
        "text": " / ".join(facts.keywords),  # only what the policy looked for was ever kept
        "confidence": facts.confidence,
        "tags": list(facts.tags),
        "whistle": None if facts.whistle is None else {"kind": facts.whistle},
        "attributes": dict(facts.attributes),
        "standard": facts.standard,
        "request_kind": facts.request_kind,
        "reporters": facts.reporters if facts.reporters > 1 else None,
    }
    return {name: value for name, value in report.items() if value not in (None, "", [], {})}


def _candidate(upheld: Upheld, policy: Policy, decision: Decision) -> list[str]:
    """One above the route that decides now, so that it wins; for this category in this cell."""
    facts = upheld.facts
    beaten = next((route for route in policy.routes if route.id == decision.route), None)
    when: dict[str, Any] = {}
    if facts.category is not None:
        when["category"] = [facts.category]
    if facts.path:
        when["grid"] = [facts.path[-1]]
    rule = {
        "priority": 100 if beaten is None else beaten.priority + 1,
        "when": when or {"source": [facts.source]},
        "lead": _target(upheld.lead, facts, policy),
        "sla": decision.sla,
        "ladder": decision.ladder,
        "reason": f"settled in {upheld.incident_id}",
    }
    above = "the fallback" if beaten is None else f"above {beaten.id} ({beaten.priority})"
    return [
        f"# A rule that would make it pass, {above}; widen or narrow it before you use it:",
        "# routes:",
        f"#   - id: {_text(f'settled.{upheld.incident_id}')}",
        *(f"#     {name}: {_value(value)}" for name, value in rule.items() if value is not None),
    ]


def _target(lead: str, facts: Facts, policy: Policy) -> str:
    """The lead as a rule names it: a unit by its level, so that the rule serves every place alike."""
    department, _, unit = lead.partition("@")
    if unit in facts.path and facts.path.index(unit) < len(policy.grid_levels):
        return f"{department}@{policy.grid_levels[facts.path.index(unit)]}"
    return lead


def _value(value: object) -> str:
    return _flow(value) if isinstance(value, dict) else _text(value)


def _flow(mapping: dict[str, Any]) -> str:
    """A mapping on one line, keys plain where they are our own words, every text quoted."""
    return "{" + ", ".join(f"{name}: {_text(value)}" for name, value in mapping.items()) + "}"


def _text(value: object) -> str:
    """A value as JSON, which is YAML with every text in double quotes."""
    return json.dumps(value, ensure_ascii=False)
