"""A random city on the real engine: reports, every action of the table, outages, time that passes in jumps."""

import json
import random
from typing import Any

from views_cases import MINUTE_MS, START_MS

from dispatcher.core import CLOCK, Incident, Intake, Placer, Rulebook, ms_to_text
from dispatcher.core.actions import allowed_actions
from dispatcher.core.incident import Assignment
from dispatcher.core.messages import Action
from dispatcher.hosts.embedded import Embedded, enact_first_policy
from dispatcher.ledger import Entry, MemoryLedger
from geo import Locator, load_grid
from rules import load_policy

POLICY = """
name: views
version: "1"
timezone: Asia/Shanghai
modes: [normal]
grid_levels: [township, cell]
include: []
fallback: {lead: centre, sla: quick, ladder: none, reason: "no route"}
reasons: {return: {not_ours: {zh: 非本单位, en: Not ours}}, void: {test: {zh: 测试, en: A test}}}
departments:
  centre: {zh: 中心, en: Centre}
  gas: {zh: 燃气, en: Gas}
  fire: {zh: 消防, en: Fire}
  water: {zh: 水务, en: Water}
  street: {zh: 街道, en: Street, level: township, units: from_grid}
categories:
  "03": {zh: 市政, en: Utilities}
  "03.02": {zh: 燃气, en: Gas, evidence: [photo], self_handled: true}
  "07": {zh: 水务, en: Water, self_handled: true}
  "05": {zh: 部件, en: Component}
sources: {hotline: {platform: people}, satellite: {platform: satellite, verify: true}}
calendars:
  office: {hours: {all: ["08:30-12:00", "13:30-17:30"]}, hours_per_working_day: 8}
sla:
  quick:
    calendar: always
    targets: {acknowledge: 5m, contact: {within: 20m, of: lead}, resolve: 50m, check: 1d}
    return_within: 1d
    hold: {max: 2h, times: 2}
    reopen: {within: 1d, clock: resume}
  worked:
    calendar: office
    targets: {acknowledge: 30wm, resolve: {within: 1wh, of: lead}, check: 1d}
    hold: {max: 3d, times: 1}
    reopen: {within: 2d, clock: reset}
  asked: {calendar: always, targets: {acknowledge: 10m, resolve: 2h, check: 1d}, close_after: callback}
ladders: {none: {steps: [{trigger: "resolve breach", to: city, do: report}]}}
merge: {"07": {radius_m: 500, gap: 5m, life: 24h, mode: auto}}
guards: [{id: wait, when: {tags: [park]}, outcome: park}, {id: drill, when: {tags: [exercise]}, outcome: discard}]
routes:
  - {id: gas, when: {category: ["03.02"]}, lead: gas, sla: quick, reason: "gas"}
  - {id: water, when: {category: ["07"]}, lead: water, sla: worked, reason: "water"}
  - {id: part, when: {category: ["05"]}, lead: street@township, sla: asked, reason: "parts"}
overlays:
  - {id: help, when: {category: ["03.02"], severity: "<=2"}, support: [{dept: fire, required: true}]}
"""
DEPARTMENTS = ("gas", "fire", "water", "street@township")
OFTEN = {  # of what is allowed; everything else 3
    Action.ACKNOWLEDGE: 40, Action.DONE: 30, Action.CHECK: 40, Action.FILE: 20, Action.CALLBACK: 25, Action.REOPEN: 25,
    Action.REQUEST: 25, Action.APPROVE: 30, Action.RETURN: 9, Action.ASSIGN: 9, Action.REFUSE_RETURN: 20,
    Action.CONTACT: 25, Action.CONFIRM_ARRIVAL: 25, Action.WHISTLE: 6, Action.VOID: 1, Action.CLOSE_FORCED: 1,
    Action.MERGE: 1, Action.REFER: 1, Action.ANSWER_AT_DESK: 1, Action.SELF_HANDLED: 1, Action.RATE: 6, Action.NOTE: 1,
    Action.CLAIM: 1, Action.SUPERVISE: 1, Action.URGE: 1, Action.DELEGATE: 1, Action.PROGRESS: 1,
    Action.REVIEW: 0,  # no measure knows of it
    Action.REOPEN_REQUEST: 20, Action.REFUSE_REOPEN: 9, Action.RECALL: 1,
}  # fmt: skip


def square(code: str, parent: str | None, west: float, size: float) -> dict[str, Any]:
    ring = [[west, 30.0], [west + size, 30.0], [west + size, 30.0 + size], [west, 30.0 + size], [west, 30.0]]
    level = 1 if parent is None else 2
    return {
        "type": "Feature",
        "properties": {"code": code, "name": code, "level": level, "parent": parent},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


class Desk:
    """One ledger, one engine, one clock."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.now_ms = START_MS
        policy = load_policy({"policy.yaml": POLICY.encode()})
        squares = [square("1", None, 114.0, 0.02), square("11", "1", 114.0, 0.02), square("2", None, 114.02, 0.02)]
        grid = load_grid(json.dumps({"type": "FeatureCollection", "features": squares}).encode())
        self.ledger = MemoryLedger(lambda: self.now_ms)
        enact_first_policy(self.ledger, policy)
        placer = Placer(grid, Locator(grid))
        self.policy = policy
        self.host = Embedded(self.ledger, Intake(placer), {policy.sha256: Rulebook(policy)}, grid=grid.sha256)
        self.sent = 0

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.now_ms += self.rng.choice([0, 0, 0, 1, 1, 3, 15]) * MINUTE_MS
            luck = self.rng.random()
            if luck < 0.09 and sum(i.open for i in self.host.engine.state.incidents.values()) < 6:
                self._report()
            elif luck > 0.998:
                since_ms = self.now_ms - self.rng.randint(1, 120) * MINUTE_MS
                self.send("control", {"command": "outage", "command_id": f"o{self.sent}", "since": ms_to_text(since_ms),
                                      "until": ms_to_text(self.now_ms)})  # fmt: skip
            else:
                self._update()
            if self.rng.random() < 0.1:
                self.ledger.append([Entry(CLOCK, b"", None, self.now_ms)])
            self.host.catch_up()

    def send(self, topic: str, message: dict[str, Any]) -> None:
        self.sent += 1
        self.ledger.append([Entry(topic, json.dumps(message).encode(), None, self.now_ms)])

    def _report(self) -> None:
        rng = self.rng
        location: dict[str, Any] = {"lon": 114.0 + rng.random() * 0.05, "lat": 30.01}
        self.send("reports", {
            "report_id": f"r{self.sent}", "source": rng.choice(["hotline", "hotline", "satellite"]),
            "reported_at": ms_to_text(self.now_ms), "category": rng.choice(["03", "03.02", "03.02", "07", "05", "un"]),
            "severity": rng.randint(1, 4), "tags": rng.choice([[], [], [], [], ["park"], ["exercise"]]),
            "location": location,
        })  # fmt: skip

    def _update(self) -> None:
        rng, held = self.rng, list(self.host.engine.state.incidents.values())
        if not held:
            return
        some = [i for i in held if i.open] if rng.random() < 0.9 else [i for i in held if not i.open]
        if not some:
            return
        chosen = rng.choice(some[-5:])
        part = rng.choice([*chosen.assignments(), chosen.lead]) if chosen.assignments() else None
        allowed = [
            action
            for action in allowed_actions(chosen.state, None if part is None else part.state, "system")
            if _has_a_point(chosen, action)
        ]
        action = rng.choices(allowed, [OFTEN.get(action, 3) for action in allowed])[0] if allowed else Action.NOTE
        message = {
            "update_id": f"u{self.sent}", "incident_id": chosen.incident_id, "at": ms_to_text(self.now_ms),
            "actor": {"role": "system"}, "action": action, **self._fields(chosen, part, action),
        }  # fmt: skip
        if "report" in message:  # names the incident too
            del message["incident_id"]
        self.send("updates", message)

    def _fields(self, incident: Incident, part: Assignment | None, action: Action) -> dict[str, Any]:
        rng = self.rng
        own = {} if part is None else {"department": part.department, "unit": part.unit}
        asked = [r.number for r in incident.requests if r.state == "open"]
        match action:
            case Action.VERIFY:
                return {"result": rng.choice(["exists", "exists", "not_exists", "unable"])}
            case Action.CHECK:
                return {"result": rng.choice(["pass", "pass", "fail"])}
            case Action.CALLBACK:
                report = rng.choice(incident.reports)
                return {
                    "report": {"source": report[0], "report_id": report[1]}, "answered": rng.random() < 0.7,
                    "resolved": rng.random() < 0.8, "satisfied": rng.random() < 0.8,
                }  # fmt: skip
            case Action.REQUEST:
                kind = rng.choice(["hold", "extension", "exempt", "transfer", "support"])
                until = ms_to_text(self.now_ms + rng.randint(1, 100) * MINUTE_MS)
                return {**own, "kind": kind, "reason_code": "x", "until": until,
                        "departments": [rng.choice(DEPARTMENTS)]}  # fmt: skip
            case Action.APPROVE | Action.REFUSE:
                return {"number": rng.choice(asked or [1]), "reason_code": "x"}
            case Action.ASSIGN:
                return rng.choice([{"lead": rng.choice(DEPARTMENTS)}, {"support": [rng.choice(DEPARTMENTS)]}])
            case Action.WHISTLE:
                return {"kind": "joint", "departments": rng.sample(DEPARTMENTS, 2)}
            case Action.RATE:
                return {**own, "score": rng.randint(1, 5)}
            case Action.MERGE:
                others = [i.incident_id for i in self.host.engine.state.incidents.values() if i.open]
                return {"into": rng.choice(others)}
            case Action.RECLASSIFY:
                return {"severity": rng.randint(1, 4)}
            case Action.CONTACT:
                return {"reached": rng.random() < 0.8}
            case Action.SUPERVISE:
                return {**own, "text": "now"}
            case _:
                return {**own, "reason_code": "not_ours", "text": "x", "number": 1, "kind": "joint", "body": "post",
                        "name": "m", "person": "p"}  # fmt: skip


def _has_a_point(incident: Incident, action: Action) -> bool:
    """Most of what cannot work is not tried."""
    if action in (Action.APPROVE, Action.REFUSE):
        return any(request.state == "open" for request in incident.requests)
    if action in (Action.CONFIRM_ARRIVAL, Action.END_WHISTLE, Action.RATE):
        return incident.whistle is not None
    if action is Action.CONTACT:
        return any(t.name == "contact" and t.active for t in incident.targets)
    return action not in (Action.REPLY, Action.MILESTONE, Action.CLEAR, Action.RELEASE, Action.SPLIT)
