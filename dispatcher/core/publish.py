"""What goes out: one batch's records, in order, and the newest value of each compacted key.

Every change of an incident goes through one `Change`: it raises the revision by one and emits exactly one record on
`events`, the orders it causes, at most one record on `routed`, and marks the incident for `incidents`. Append topics
never coalesce; an incident changed several times in one batch is published once on the compacted topic.
"""

from msgspec.structs import replace

from dispatcher.core.incident import HISTORY_MAX, Assignment, Incident, Target
from dispatcher.core.instants import ms_to_text
from dispatcher.core.messages import Actor
from dispatcher.core.notices import Notice, notice_json
from dispatcher.core.orders import order_json, order_shared, queue_event, what_json
from dispatcher.core.privacy import shown_person
from dispatcher.core.wire import encode, incident_json, quoted, target_json
from dispatcher.core.work import Rejected
from rules import Policy

__all__ = [
    "APPEND_TOPICS",
    "COMPACTED_TOPICS",
    "RECORD_BYTES_MAX",
    "Change",
    "Publisher",
    "RecordTooLarge",
    "change_head",
    "event_json",
]

APPEND_TOPICS = ("routed", "dept.*", "events", "rejected", "archive", "notices")
COMPACTED_TOPICS = ("imports", "incidents", "policies", "reporters", "state")


RECORD_BYTES_MAX = 900_000  # of what is put out: a broker takes messages of a megabyte


class RecordTooLarge(RuntimeError):
    """Something was to be put out that no broker would take: a bound that should have held did not."""


class Change:
    """One revision of one incident in the making."""

    __slots__ = ("actor", "at_ms", "entries", "incident", "instruction", "note", "notices", "orders", "queue", "what")

    def __init__(self, incident: Incident, what: str, at_ms: int, actor: Actor | None = None) -> None:
        self.incident = incident
        self.what = what  # the action, `report`, `merge` or `timer`
        self.at_ms = at_ms
        self.actor = actor
        self.entries: list[str] = []  # JSON objects: transitions, decisions, target events
        self.orders: list[tuple[Assignment, str]] = []
        self.notices: list[Notice] = []
        self.instruction: str | None = None  # masked words of a supervision or a check, for this change's orders only
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
        """Tell a department: offer, remind, urge, supervise, rework, withdraw, close and the like."""
        self.orders.append((assignment, event))

    def notice(self, to: str, template: str, due_at: str | None = None, target: str | None = None) -> None:
        """Have somebody told: a party, `cell:<code>`, `city`, `centre`, or the reporter `report:<source>/<id>`."""
        self.notices.append(Notice(to, template, due_at, target))


def change_head(incident: Incident, at: str, what: str, more: str = "") -> str:
    """The fields of a change that its event and the incident's history begin with; `more` stands before the state."""
    return f'"revision":{incident.revision},"at":"{at}","what":"{what}"{more},"state":"{incident.state}"'


def event_json(incident_id: str, head: str, entries: str) -> bytes:
    """A record of `events`."""
    return f'{{"incident_id":"{incident_id}",{head},"changes":[{entries}]}}'.encode()


class Publisher:
    """Collects the outputs of one batch."""

    def __init__(self) -> None:
        self.records: list[tuple[str, str, int, bytes]] = []  # topic, key, time_ms, value: append topics in order
        self.compacted: dict[tuple[str, str], bytes | None] = {}
        self.dirty: dict[str, Incident] = {}
        self.bytes_out = 0
        self._written: dict[str, tuple[int, bytes]] = {}  # revision and value: most are not changed again in a batch

    def emit(self, topic: str, key: str, at_ms: int, value: bytes) -> None:
        """One record on an append topic."""
        self.records.append((topic, key, at_ms, value))
        self._weigh(topic, key, value)

    def _weigh(self, topic: str, key: str, value: bytes) -> None:
        if len(value) > RECORD_BYTES_MAX:
            raise RecordTooLarge(f"{topic} {key}: {len(value)} bytes, at most {RECORD_BYTES_MAX}")
        self.bytes_out += len(value)

    def publish(self, change: Change, policy: Policy) -> None:
        """Raise the revision and put out everything the change says."""
        incident, at_ms = change.incident, change.at_ms
        incident.revision += 1
        incident.updated_ms = at_ms
        incident_id = incident.incident_id
        at = ms_to_text(at_ms)
        actor = "" if change.actor is None else f',"by":{encode(_shown(change.actor)).decode()}'
        note = "" if change.note is None else f',"note":{quoted(change.note)}'
        head = change_head(incident, at, change.what, actor + note)
        self._remember(incident, "{" + head + "}", at_ms)
        self.emit("events", incident_id, at_ms, event_json(incident_id, head, ",".join(change.entries)))
        what = what_json(incident, policy) if change.queue is not None or change.orders else b""
        if change.queue is not None:
            self.emit("routed", incident_id, at_ms, queue_event(incident, change.queue, at, what))
        if change.orders:
            shared = order_shared(incident, what, change.instruction)
            for n, (assignment, event) in enumerate(change.orders):
                order = order_json(incident, assignment, event, n, shared)
                self.emit(f"dept.{assignment.department}", incident_id, at_ms, order)
        for n, notice in enumerate(change.notices):
            self.emit("notices", notice.to, at_ms, notice_json(incident, policy, at, n, notice))
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
        self._written[incident.incident_id] = incident.revision, value
        self.emit("archive", incident.incident_id, at_ms, value)

    def wrote(self, incident: Incident, value: bytes) -> None:
        """The incident as it is now is to be on `incidents`, and has been written already."""
        self._written[incident.incident_id] = incident.revision, value
        self.dirty[incident.incident_id] = incident

    def keep(self, key: str, value: bytes | None) -> None:
        """A value of the partition's internal state; None removes it."""
        self.compacted["state", key] = value

    def settle(self) -> None:
        """End of the batch: the newest value of every incident that changed."""
        for incident_id, incident in self.dirty.items():
            revision, value = self._written.get(incident_id, (-1, b""))
            if revision != incident.revision:
                value = incident_json(incident)
            self.compacted["incidents", incident_id] = value
            self._weigh("incidents", incident_id, value)
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


def _shown(actor: Actor) -> Actor:
    """Who acted, as it is published: residents by their role alone."""
    if actor.person is None:
        return actor
    return replace(actor, person=None if actor.role == REPORTER else shown_person(actor.person))


REPORTER = "reporter"  # a resident, whatever the gateway knows of them
