"""What goes out: one batch's records, in order, and the newest value of each compacted key.

Every change of an incident goes through one `Change`: it raises the revision by one and emits exactly one record on
`events`, the orders it causes, at most one record on `routed`, and marks the incident for `incidents`. Append topics
never coalesce; an incident changed several times in one batch is published once on the compacted topic.
"""

from collections.abc import Iterable
from functools import cache

from dispatcher.core.incident import HISTORY_MAX, Assignment, Incident, Target
from dispatcher.core.instants import ms_to_text
from dispatcher.core.lifecycle import AssignmentState, IncidentState, allowed_actions
from dispatcher.core.messages import Actor
from dispatcher.core.wire import brief_json, encode, incident_json, place_json, quoted, target_json
from dispatcher.core.work import Rejected
from rules import Policy

__all__ = ["APPEND_TOPICS", "COMPACTED_TOPICS", "Change", "Publisher"]

APPEND_TOPICS = ("routed", "dept.*", "events", "rejected", "archive", "notices")
COMPACTED_TOPICS = ("imports", "incidents", "policies", "reporters", "state")


class Change:
    """One revision of one incident in the making."""

    __slots__ = ("actor", "at_ms", "entries", "incident", "note", "orders", "queue", "what")

    def __init__(self, incident: Incident, what: str, at_ms: int, actor: Actor | None = None) -> None:
        self.incident = incident
        self.what = what  # the action, `report`, `merge` or `timer`
        self.at_ms = at_ms
        self.actor = actor
        self.entries: list[str] = []  # JSON objects: transitions, decisions, target events
        self.orders: list[tuple[Assignment, str]] = []
        self.queue: str | None = None  # entered | re-routed | urgency | left
        self.note: str | None = None  # a reason code or other word for the history, never free text

    def entry(self, event: str, **fields: object) -> None:
        """Add an event with plain fields."""
        self.entries.append(encode({"event": event, **fields}).decode())

    def target(self, target: Target, what: str, percent: int | None = None) -> None:
        """Add a target event: activate, pause, resume, warn, breach, fulfil, revoke or withdraw_breach."""
        share = "" if percent is None else f',"percent":{percent}'
        self.entries.append(f'{{"event":"target","what":"{what}"{share},{target_json(target)}}}')

    def move(self, old: str, new: str) -> None:
        """Add a transition of the incident."""
        if old != new:
            self.entries.append(f'{{"event":"state","from":"{old}","to":"{new}"}}')

    def assignment(self, assignment: Assignment, old: str) -> None:
        """Add a transition of an assignment."""
        self.entries.append(
            f'{{"event":"assignment","party":{quoted(assignment.party)},"role":"{assignment.role}",'
            f'"from":"{old}","to":"{assignment.state}"}}'
        )

    def order(self, assignment: Assignment, event: str) -> None:
        """Tell a department: offer, remind, rework, withdraw or close."""
        self.orders.append((assignment, event))


class Publisher:
    """Collects the outputs of one batch."""

    def __init__(self) -> None:
        self.records: list[tuple[str, str, int, bytes]] = []  # topic, key, time_ms, value: append topics in order
        self.compacted: dict[tuple[str, str], bytes | None] = {}
        self.dirty: dict[str, Incident] = {}
        self.bytes_out = 0
        self._archived: dict[str, tuple[int, bytes]] = {}  # revision and value: most incidents end unchanged after it

    def emit(self, topic: str, key: str, at_ms: int, value: bytes) -> None:
        """One record on an append topic."""
        self.records.append((topic, key, at_ms, value))
        self.bytes_out += len(value)

    def publish(self, change: Change, policy: Policy) -> None:
        """Raise the revision and put out everything the change says."""
        incident, at_ms = change.incident, change.at_ms
        incident.revision += 1
        incident.updated_ms = at_ms
        incident_id, revision = incident.incident_id, incident.revision
        at = ms_to_text(at_ms)
        actor = "" if change.actor is None else f',"by":{encode(change.actor).decode()}'
        note = "" if change.note is None else f',"note":{quoted(change.note)}'
        head = f'"revision":{revision},"at":"{at}","what":"{change.what}"{actor}{note},"state":"{incident.state}"'
        self._remember(incident, "{" + head + "}", at_ms)
        self.emit(
            "events",
            incident_id,
            at_ms,
            f'{{"incident_id":"{incident_id}",{head},"changes":[{",".join(change.entries)}]}}'.encode(),
        )
        what = _what_json(incident, policy) if change.queue is not None or change.orders else ""
        if change.queue is not None:
            self.emit("routed", incident_id, at_ms, _queue_event(incident, change.queue, at, what))
        if change.orders:
            shared = _order_shared(incident, what)
            for n, (assignment, event) in enumerate(change.orders):
                order = _order(incident, assignment, event, n, shared)
                self.emit(f"dept.{assignment.department}", incident_id, at_ms, order)
        self.dirty[incident_id] = incident

    def reject(self, rejected: Rejected) -> None:
        """A record that is not taken: kept with its reason, masked."""
        origin = rejected.origin
        value = encode(
            {
                "reason": rejected.reason,
                "detail": rejected.detail,
                "topic": origin.topic,
                "partition": origin.partition,
                "offset": origin.offset,
                "received_at": ms_to_text(origin.time_ms),
                "original": rejected.original,
            }
        )
        self.emit("rejected", origin.key, rejected.time_ms, value)

    def archive(self, incident: Incident, at_ms: int) -> None:
        """The ended incident with what is left of its history; earlier pages went before."""
        value = incident_json(incident)
        self._archived[incident.incident_id] = incident.revision, value
        self.emit("archive", incident.incident_id, at_ms, value)

    def keep(self, key: str, value: bytes | None) -> None:
        """A value of the partition's internal state; None removes it."""
        self.compacted["state", key] = value

    def settle(self) -> None:
        """End of the batch: the newest value of every incident that changed."""
        for incident_id, incident in self.dirty.items():
            revision, value = self._archived.get(incident_id, (-1, b""))
            if revision != incident.revision:
                value = incident_json(incident)
            self.compacted["incidents", incident_id] = value
            self.bytes_out += len(value)
        self.dirty.clear()

    def drop(self, incident_id: str) -> None:
        """The incident leaves the compacted topic; its archive stays."""
        self.dirty.pop(incident_id, None)
        self.compacted["incidents", incident_id] = None

    def _remember(self, incident: Incident, entry: str, at_ms: int) -> None:
        if len(incident.history) >= HISTORY_MAX:
            incident.history_pages += 1
            page = (
                f'{{"incident_id":"{incident.incident_id}","page":{incident.history_pages},'
                f'"history":[{",".join(incident.history)}]}}'
            )
            self.emit("archive", incident.incident_id, at_ms, page.encode())
            incident.history = ()
        incident.history = (*incident.history, entry)


def _queue_event(incident: Incident, event: str, at: str, what: str) -> bytes:
    lead = "null" if incident.lead is None else quoted(incident.lead.party)
    support = ",".join(quoted(a.party) for a in incident.support if a.state is not AssignmentState.WITHDRAWN)
    decided = incident.decided
    return (
        f'{{"incident_id":"{incident.incident_id}","revision":{incident.revision},"event":"{event}","at":"{at}",'
        f'"state":"{incident.state}",{what},"lead":{lead},"support":[{support}],'
        f'"due":{{{_due_json(incident.targets)}}},"route":{_or_null(decided.route)},"why":{quoted(decided.reason)},'
        f'"tags":{encode(incident.tags).decode()}}}'
    ).encode()


def _what_json(incident: Incident, policy: Policy) -> str:
    return (
        f'"category":{_category_json(incident, policy)},"standard":{_standard_json(incident, policy)},'
        f'"severity":{incident.severity},"place":{place_json(incident.place)}'
    )


_categories: dict[tuple[str, str], str] = {}  # a catalogue has hundreds; policies change a few times a year
_CATEGORIES_MAX = 20_000


def _category_json(incident: Incident, policy: Policy) -> str:
    code = incident.category
    if code is None:
        return f'{{"code":null,"said":{quoted(incident.reported_category)}}}'
    known = _categories.get((policy.sha256, code))
    if known is None:
        if len(_categories) >= _CATEGORIES_MAX:
            _categories.clear()
        category = policy.category(code)
        named = "" if category is None else f',"zh":{quoted(category.zh)},"en":{quoted(category.en)}'
        known = _categories[policy.sha256, code] = f'{{"code":{quoted(code)}{named}}}'
    return known


def _standard_json(incident: Incident, policy: Policy) -> str:
    category = None if incident.category is None else policy.category(incident.category)
    standard = (
        None
        if category is None or incident.standard is None
        else next((s for s in category.standards if s.code == incident.standard), None)
    )
    if standard is None:
        return _or_null(incident.standard)
    return encode({"code": incident.standard, "zh": standard.zh, "en": standard.en, "close": standard.close}).decode()


def _order_shared(incident: Incident, what: str) -> str:
    """The part of an order that every department of the incident reads alike."""
    brief = "" if incident.brief is None else f",{brief_json(incident.brief)}"
    others = ",".join(
        f'{{"party":{quoted(a.party)},"role":"{a.role}","state":"{a.state}"}}'
        for a in incident.assignments()
        if a.state is not AssignmentState.WITHDRAWN
    )
    return (
        f'{what}{brief},"others":[{others}],"why":{quoted(incident.decided.reason)},'
        f'"tags":{encode(incident.tags).decode()}'
    )


def _order(incident: Incident, assignment: Assignment, event: str, n: int, shared: str) -> bytes:
    incident_id, revision = incident.incident_id, incident.revision
    party = assignment.party
    may = _may_json(incident.state, assignment.state)
    own = [target for target in incident.targets if target.of == party]
    return (
        f'{{"order_id":"dept:{incident_id}:{revision}:{n}","incident_id":"{incident_id}","revision":{revision},'
        f'"event":"{event}","role":"{assignment.role}","task":{_or_null(assignment.task)},'
        f'"unit":{_or_null(assignment.unit)},"required":{_word(assignment.required)},"state":"{assignment.state}",'
        f'"due":{{{_due_json(own)}}},"may":[{may}],{shared}}}'
    ).encode()


@cache
def _may_json(state: IncidentState, assignment: AssignmentState) -> str:
    return ",".join(f'"{action}"' for action in allowed_actions(state, assignment, "department"))


def _due_json(targets: Iterable[Target]) -> str:
    """The earliest due instant of each target that is still owed."""
    due: dict[str, int] = {}
    for target in targets:
        if target.active and target.since_ms >= 0:
            due[target.name] = min(target.due_ms, due.get(target.name, target.due_ms))
    return ",".join(f'"{name}":"{ms_to_text(due_ms)}"' for name, due_ms in due.items())


def _or_null(text: str | None) -> str:
    return "null" if text is None else quoted(text)


def _word(value: bool) -> str:
    return "true" if value else "false"
