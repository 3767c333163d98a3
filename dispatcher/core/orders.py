"""What people and departments read of an incident: queue events and orders, enough to work without another look-up.

Titles are Chinese, the rest is not. Python holds a text with one Chinese letter in twice the bytes and takes twice as
long to join and to encode it, so what has titles is encoded by itself.
"""

from collections.abc import Iterable
from functools import cache

from dispatcher.core.actions import allowed_actions
from dispatcher.core.incident import Assignment, Incident, Target
from dispatcher.core.instants import ms_to_text
from dispatcher.core.lifecycle import AssignmentState, IncidentState
from dispatcher.core.messages import Action
from dispatcher.core.wire import brief_json, encode, place_json, quoted
from rules import Policy

__all__ = [
    "category_json",
    "may_json",
    "or_null",
    "order_head",
    "order_json",
    "order_says",
    "order_shared",
    "other_json",
    "queue_event",
    "queue_json",
    "shared_json",
    "what_json",
]


def queue_event(incident: Incident, event: str, at: str, what: bytes) -> bytes:
    """A record of `routed`: what an operator's line needs."""
    lead = "null" if incident.lead is None else quoted(incident.lead.party)
    support = ",".join(quoted(a.party) for a in incident.support if a.state is not AssignmentState.WITHDRAWN)
    return queue_json(incident, event, at, what, lead, support, _due_json(incident.targets), _tags_json(incident))


def queue_json(
    incident: Incident, event: str, at: str, what: bytes, lead: str, support: str, due: str, tags: str
) -> bytes:
    """The same of what is written already: `what` as `what_json` has it, the others as values or items of JSON."""
    decided = incident.decided
    head = (
        f'{{"incident_id":"{incident.incident_id}","revision":{incident.revision},"event":"{event}","at":"{at}",'
        f'"state":"{incident.state}",'
    )
    rest = (
        f',"lead":{lead},"support":[{support}],"due":{{{due}}},"route":{or_null(decided.route)},'
        f'"why":{quoted(decided.reason)},"tags":{tags}}}'
    )
    return head.encode() + what + rest.encode()


def what_json(incident: Incident, policy: Policy) -> bytes:
    """What and where it is: fields that queue events and orders share."""
    rest = f',"severity":{incident.severity},"place":{place_json(incident.place)}'
    return b'"category":' + category_json(incident, policy) + _standard_json(incident, policy) + rest.encode()


_categories: dict[tuple[str, str], bytes] = {}  # a catalogue has hundreds; policies change a few times a year
_CATEGORIES_MAX = 20_000


def category_json(incident: Incident, policy: Policy) -> bytes:
    """The category with its titles, or what was said where the catalogue has none."""
    code = incident.category
    if code is None:
        return f'{{"code":null,"said":{quoted(incident.reported_category)}}}'.encode()
    known = _categories.get((policy.sha256, code))
    if known is None:
        if len(_categories) >= _CATEGORIES_MAX:
            _categories.clear()
        category = policy.category(code)
        named = "" if category is None else f',"zh":{quoted(category.zh)},"en":{quoted(category.en)}'
        if category is not None and category.evidence:  # whoever says it is done must show it
            named += f',"evidence":{encode(category.evidence).decode()}'
        known = _categories[policy.sha256, code] = f'{{"code":{quoted(code)}{named}}}'.encode()
    return known


def _standard_json(incident: Incident, policy: Policy) -> bytes:
    if incident.standard is None:
        return b',"standard":null'
    category = None if incident.category is None else policy.category(incident.category)
    standard = None if category is None else next((s for s in category.standards if s.code == incident.standard), None)
    if standard is None:
        return f',"standard":{quoted(incident.standard)}'.encode()
    titled = {"code": incident.standard, "zh": standard.zh, "en": standard.en, "close": standard.close}
    return b',"standard":' + encode(titled)


def order_shared(incident: Incident, what: bytes, instruction: str | None = None) -> bytes:
    """The part of an order that every department of the incident reads alike."""
    brief = b"" if incident.brief is None else b"," + brief_json(incident.brief)
    said = b"" if instruction is None else b',"instruction":' + encode(instruction)
    others = ",".join(
        [other_json(a.party, a) for a in incident.assignments() if a.state is not AssignmentState.WITHDRAWN]
    )
    return shared_json(incident, what + brief + said, others, _tags_json(incident))


def other_json(party: str, assignment: Assignment) -> str:
    """What a department reads of another's part."""
    return f'{{"party":{quoted(party)},"role":"{assignment.role}","state":"{assignment.state}"}}'


def shared_json(incident: Incident, told: bytes, others: str, tags: str) -> bytes:
    """That part of what is written already: `told` are fields, `others` and `tags` items and a list."""
    rest = f',"others":[{others}],"why":{quoted(incident.decided.reason)},"tags":{tags}}}'
    return told + rest.encode()


def order_json(incident: Incident, assignment: Assignment, event: str, n: int, shared: bytes) -> bytes:
    """A record of `dept.<code>`, the n-th of a change."""
    party = assignment.party
    supervised = any(s.party == party and s.cleared_at is None for s in incident.supervision)
    may = may_json(incident.state, assignment.state, supervised=supervised)
    own = [target for target in incident.targets if target.of == party]
    return order_head(incident, n, order_says(assignment, event), _due_json(own), may) + shared


def order_head(incident: Incident, n: int, says: str, due: str, may: str) -> bytes:
    """What an order begins with, before what all departments read alike."""
    incident_id, revision = incident.incident_id, incident.revision
    return (
        f'{{"order_id":"dept:{incident_id}:{revision}:{n}","incident_id":"{incident_id}","revision":{revision},'
        f'{says},"due":{{{due}}},"may":[{may}],'
    ).encode()


def order_says(assignment: Assignment, event: str) -> str:
    """What an order says of the part it is about, as JSON fields."""
    return (
        f'"event":"{event}","role":"{assignment.role}","task":{or_null(assignment.task)},'
        f'"unit":{or_null(assignment.unit)},"required":{_word(assignment.required)},"state":"{assignment.state}"'
    )


@cache
def may_json(state: IncidentState, assignment: AssignmentState, *, supervised: bool) -> str:
    """The actions a department may take now, as the items of a JSON list."""
    open_now = allowed_actions(state, assignment, "department")
    return ",".join(f'"{action}"' for action in open_now if supervised or action not in _TO_SUPERVISORS)


_TO_SUPERVISORS = (Action.REPLY, Action.MILESTONE)  # there is something to reply to only while somebody supervises


def _due_json(targets: Iterable[Target]) -> str:
    """The earliest due instant of each target that is still owed."""
    due: dict[str, int] = {}
    for target in targets:
        if target.active and target.since_ms >= 0:
            due[target.name] = min(target.due_ms, due.get(target.name, target.due_ms))
    return ",".join(f'"{name}":"{ms_to_text(due_ms)}"' for name, due_ms in due.items())


def _tags_json(incident: Incident) -> str:
    return encode(incident.tags).decode()


def or_null(text: str | None) -> str:
    """A word, or nothing, as JSON."""
    return "null" if text is None else quoted(text)


def _word(value: bool) -> str:
    return "true" if value else "false"
