"""A desk that drives an engine record by record, on a clock of its own, and reads what comes out."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from core_city import START_MS, local, report, tiny_book, tiny_placer

from dispatcher.core import CLOCK, Engine, Incident, Intake, Outcome, PartitionState, Position, Record, Rulebook, Work


class Desk:
    """One partition with stage 1 before it. Every call is one record, dated by `now_ms`, processed at once.

    `records` are all append-topic outputs so far, `compacted` the newest value of each compacted key, `work` what stage
    1 made of all records.
    """

    def __init__(self, *changes: tuple[str, str], books: Sequence[Rulebook] = (), start_ms: int = START_MS) -> None:
        self.book = tiny_book(*changes)
        self.books = {book.policy.sha256: book for book in (self.book, *books)}
        self.intake = Intake(tiny_placer())
        self.now_ms = start_ms
        self.records: list[tuple[str, str, int, bytes]] = []
        self.compacted: dict[tuple[str, str], bytes | None] = {}
        self.counts: Counter[str] = Counter()
        self.work: list[Work] = []
        self.offsets: Counter[str] = Counter()
        self.seq = -1
        self.updates = 0
        self.poisoned: set[str] = set()
        self.engine = Engine(PartitionState(0, self.books, partitions=8), Position(), "grid-hash")
        self.activate(self.book, expects=None)

    # --- records in ---------------------------------------------------------------------------------------------

    def record(self, topic: str, value: bytes, time_ms: int | None = None) -> Record:
        """The next record of a topic."""
        offset, self.seq = self.offsets[topic], self.seq + 1
        self.offsets[topic] += 1
        return Record(self.seq, topic, 0, offset, self.now_ms if time_ms is None else time_ms, None, value)

    def send(self, topic: str, message: Any) -> Outcome:
        """One record through both stages; `message` is bytes or becomes JSON."""
        value = message if isinstance(message, bytes) else json.dumps(message).encode()  # which writes any integer
        return self.take([self.record(topic, value)])

    def take(self, records: Iterable[Record]) -> Outcome:
        """Records through both stages in one batch."""
        taken = self.intake.take(list(records))
        self.work += taken.work
        self.compacted.update({("reporters", key): value for key, value in taken.reporters})
        work = taken.work
        while True:
            outcome = self.engine.process(work, poisoned=self.poisoned)
            self.records += outcome.records
            self.compacted.update(outcome.compacted)
            self.counts += outcome.counts
            work = work[outcome.consumed :]
            if not work:
                return outcome

    def activate(self, book: Rulebook, expects: str | None) -> None:
        self.send(
            "control", {"command_id": "c", "command": "activate", "sha256": book.policy.sha256, "expects": expects}
        )

    def report(
        self, report_id: str = "r1", category: str = "03.02", source: str = "hotline", **fields: Any
    ) -> Incident:
        """Send a report and give the incident it went to."""
        self.send("reports", report(report_id, category, source, **fields))
        seen = self.engine.state.repeats.seen(source, report_id, self.now_ms)
        assert seen is not None, self.last("rejected")
        return self.engine.state.incidents[seen.incident_id]

    def update(self, incident: Incident | str, action: str, by: str, **fields: Any) -> str | None:
        """Ask for an action `by` a role or a department's code; gives reason and detail of a refusal, else None."""
        self.updates += 1
        incident_id = incident if isinstance(incident, str) else incident.incident_id
        message = {
            "update_id": f"u{self.updates}",
            "incident_id": incident_id,
            "action": action,
            "at": "2026-03-02T09:00:00+08:00",
            **fields,
        }
        if by.partition("@")[0] in self.book.policy.departments:
            department, _, unit = by.partition("@")
            topic = f"updates.{department}"
            message |= {"unit": unit} if unit else {}
        else:
            topic = "updates"
            message.setdefault("actor", {"role": by, "person": f"{by}-1"})
        before = len(self.records)
        self.send(topic, message)
        refused = [value for name, _, _, value in self.records[before:] if name == "rejected"]
        if not refused:
            return None
        said = orjson.loads(refused[0])
        return f"{said['reason']}: {said['detail']}"

    def clock(self, after_ms: int = 0) -> None:
        """Let time pass and append a clock record then."""
        self.now_ms += after_ms
        self.send(CLOCK, b"")

    def at(self, text: str) -> None:
        """Set the time to a local one ("2026-03-06 16:00") without a record."""
        self.now_ms = local(text)

    # --- what came out ------------------------------------------------------------------------------------------

    def out(self, topic: str, key: str | None = None) -> list[dict[str, Any]]:
        """Records of an append topic (of one key), decoded."""
        return [orjson.loads(value) for name, k, _, value in self.records if name == topic and key in (None, k)]

    def last(self, topic: str) -> Any:
        found = self.out(topic)
        return found[-1] if found else None

    def events(self, incident: Incident) -> list[tuple[str, str]]:
        """(what, of whom) of every target event of an incident, and (event, detail) of the others, in order."""
        lines = []
        for record in self.out("events", incident.incident_id):
            for change in record["changes"]:
                if change["event"] == "target":
                    percent = f" {change['percent']}%" if "percent" in change else ""
                    lines.append((f"{change['name']} {change['what']}{percent}", change["of"]))
                elif change["event"] == "state":
                    lines.append(("state", change["to"]))
                elif change["event"] == "assignment":
                    lines.append((change["to"], change["party"]))
                else:
                    lines.append((change["event"], ""))
        return lines

    def targets(self, incident: Incident, name: str) -> dict[str, dict[str, Any]]:
        """The targets of a name by party, as `incidents` publishes them (the newest of each party)."""
        value = self.compacted["incidents", incident.incident_id]
        assert value is not None
        return {target["of"]: target for target in orjson.loads(value)["targets"] if target["name"] == name}

    def public(self, incident: Incident) -> dict[str, Any]:
        """The incident as `incidents` has it."""
        value = self.compacted["incidents", incident.incident_id]
        assert value is not None
        return orjson.loads(value)

    def reborn(self) -> Engine:
        """A new engine, restored from what was published."""
        kept = {
            topic: [
                (key, value) for (name, key), value in self.compacted.items() if name == topic and value is not None
            ]
            for topic in ("state", "incidents")
        }
        state = PartitionState(0, self.books, partitions=8)
        state.restore(kept["state"], kept["incidents"])
        return Engine(state, self.engine.position, "grid-hash")


def orders(desk: Desk, department: str) -> list[tuple[str, str]]:
    return [(order["event"], order["state"]) for order in desk.out(f"dept.{department}")]


def gas(desk: Desk) -> Incident:
    """A gas leak: lead gas-company, fire-brigade must come, traffic-police may."""
    incident = desk.report()
    assert [(a.department, a.required) for a in incident.assignments()] == [
        ("gas-company", False),
        ("fire-brigade", True),
        ("traffic-police", False),
    ]
    return incident


def do(desk: Desk, incident: Incident, *steps: tuple[str, str]) -> None:
    """Actions that are all accepted."""
    for action, department in steps:
        assert desk.update(incident, action, department) is None
