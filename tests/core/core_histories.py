"""Random histories: reports, every action and command, repeats, nonsense and passing time, the same for the same seed.

A history walks at random but with purpose: each action is asked for as often as it takes to see all of what it does,
mostly where the tables allow it, and an incident that has been around for long is brought to its end.
"""

import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

from core_city import DAY_MS, HERE, HOUR_MS, MINUTE_MS, report, shown, tiny_book
from core_desk import Desk
from core_history_city import AMENDED, LIVELY
from core_history_fields import DEPARTMENTS, ODD, PARTIES, Fields
from msgspec.structs import replace

from dispatcher.core import NEVER_MS, Action, AssignmentState, Incident, Outcome, Record
from dispatcher.core.actions import ACTION_TABLE
from dispatcher.core.incident import Assignment
from dispatcher.core.work import UpdateWork, Work

__all__ = ["ODD", "History", "HistoryDesk"]

CATEGORIES = ["01", "01", "01.02", "02", "02", "03.02", "GAS LEAK", "04", "05", "05", f"unknown {ODD}"]
STEPS_MS = [0] * 40 + [1, 1, MINUTE_MS, MINUTE_MS, 7 * MINUTE_MS, 7 * MINUTE_MS, 20 * MINUTE_MS, HOUR_MS, HOUR_MS + 1]
PAUSES_MS = [9 * HOUR_MS, DAY_MS, 3 * DAY_MS, 9 * DAY_MS]
LATE_MS = [1, MINUTE_MS, 25 * MINUTE_MS, 5 * HOUR_MS]  # how long an update lay in a queue
OPEN_MAX = 4  # more open incidents than this, and the oldest is ended
SENSIBLE = 0.9  # of the updates ask for what the tables allow
ROLES = ["department", "officer", "acceptor", "dispatcher", "street", "checker", "supervisor", "reporter", "system"]

# How often an action is asked for where it is allowed: 10 unless it says otherwise here.
WEIGHTS = {
    Action.ACKNOWLEDGE: 40, Action.DONE: 25, Action.CHECK: 40, Action.VERIFY: 25, Action.FILE: 25, Action.REQUEST: 35,
    Action.APPROVE: 40, Action.CALLBACK: 30, Action.REOPEN: 40, Action.REOPEN_REQUEST: 15, Action.RETURN: 8,
    Action.SPLIT: 8, Action.MERGE: 3, Action.VOID: 1, Action.CLOSE_FORCED: 1, Action.ANSWER_AT_DESK: 2, Action.REFER: 2,
    Action.SELF_HANDLED: 2, Action.NOTE: 3, Action.CLAIM: 2, Action.RECALL: 4, Action.WHISTLE: 6, Action.END_WHISTLE: 2,
    Action.RATE: 3, Action.URGE: 3, Action.SUPERVISE: 5, Action.RECLASSIFY: 5, Action.ASSIGN: 6, Action.PROGRESS: 3,
    Action.REVIEW: 2,
}  # fmt: skip
AT_IT = {AssignmentState.ACKNOWLEDGED, AssignmentState.ARRIVED}
BY_STATE = {
    state: (
        [action for action, rule in ACTION_TABLE.items() if state in rule.incident],
        [WEIGHTS.get(action, 10) for action, rule in ACTION_TABLE.items() if state in rule.incident],
    )
    for state in {state for rule in ACTION_TABLE.values() for state in rule.incident}
}


class HistoryDesk(Desk):
    """A desk of the lively city that remembers what the last record changed, and whose updates may lie in a queue."""

    def __init__(self) -> None:
        self.inputs: list[Record] = []
        self.late_ms = 0
        self.before: dict[tuple[str, str], bytes | None] = {}
        self.outcome: Outcome | None = None
        super().__init__(*LIVELY, books=[tiny_book(*AMENDED)])

    def take(self, records: Iterable[Record]) -> Outcome:
        self.before = dict(self.compacted)
        batch = list(records)
        self.inputs += batch
        taken = self.intake.take(batch)
        late_ms, self.late_ms = self.late_ms, 0
        work = [
            replace(item, origin=replace(item.origin, time_ms=item.origin.time_ms - late_ms))
            if late_ms and isinstance(item, UpdateWork)
            else item
            for item in taken.work
        ]
        self.work += work
        self.compacted.update({("reporters", key): value for key, value in taken.reporters})
        self.outcome = outcome = self._process(work)
        assert outcome.consumed == len(work)
        assert not outcome.pending
        return outcome

    def retake(self, work: list[Work], rng: random.Random) -> None:
        """Work that another desk has taken, in batches and slices of other sizes."""
        while work or self.engine.pending:
            batch = work[: rng.choice([1, 7, 50, 400])]
            work = work[self._process(batch, outputs_max=rng.choice([1, 5, 1_000])).consumed :]

    def _process(self, work: list[Work], **limits: int) -> Outcome:
        outcome = self.engine.process(work, **limits)
        self.records += outcome.records
        self.compacted.update(outcome.compacted)
        return outcome


class History:
    """Puts one random record after the other through a desk."""

    def __init__(self, seed: int, desk: Desk | None = None) -> None:
        self.rng = random.Random(seed)
        self.desk = HistoryDesk() if desk is None else desk
        self.fields = Fields(self.rng)
        self.reports = self.commands = self.steps = 0
        self.focus = ""  # the incident that updates are about for a while
        self.asked: tuple[Action, Incident, str | None] | None = None  # the update of this step and why it was refused
        self.accepted: Counter[Action] = Counter()
        self.refused: Counter[Action] = Counter()

    def run(self, steps: int) -> Desk:
        for _ in range(steps):
            self.step()
        return self.desk

    def step(self) -> None:
        rng, desk = self.rng, self.desk
        self.steps += 1
        self.asked = None
        self._pass_time()
        held = sorted(desk.engine.state.incidents)
        kind = rng.random()
        if kind < 0.08 or not held:
            desk.send("reports", self._report())
        elif kind < 0.10:
            desk.clock()
        elif kind < 0.11:
            desk.send(rng.choice(["reports", "updates", "updates.gas-company", "control"]), rng.choice(BROKEN))
        elif kind < 0.14:
            desk.send("control", self._command())
        else:
            self._update(held)

    def _pass_time(self) -> None:
        """Often none; sometimes exactly until something is due, or one millisecond more."""
        desk, rng = self.desk, self.rng
        due_ms = desk.engine.next_due_ms
        if due_ms < NEVER_MS and rng.random() < 0.1:
            desk.now_ms = max(desk.now_ms, due_ms + rng.choice([0, 0, 1]))
        else:
            desk.now_ms += rng.choice(PAUSES_MS if rng.random() < 0.012 else STEPS_MS)

    # --- reports and commands -----------------------------------------------------------------------------------

    def _report(self) -> dict[str, Any]:
        rng = self.rng
        self.reports += rng.random() < 0.9
        fields: dict[str, Any] = {}
        if rng.random() < 0.2:
            fields["tags"] = [rng.choice(["park", "park", "desk", "exercise", "flood", ODD])]
        if rng.random() < 0.1:
            fields["attributes"] = {ODD: ODD, "big": 2**70, "float": 0.1, "flag": True, "none": None}
        if rng.random() < 0.2:
            fields |= {"text": f"see {ODD}", "media": [f"https://x/{ODD}"], "request_kind": "help", "severity": 1}
        if rng.random() < 0.1:
            fields["promised_at"] = shown(self.desk.now_ms + rng.choice([-HOUR_MS, HOUR_MS, 3 * DAY_MS]))
        if rng.random() < 0.12:
            called = rng.sample(PARTIES[:7], rng.randrange(3))
            fields["whistle"] = {"unit": "530001", "kind": rng.choice(["emergency", ODD]), "departments": called}
        fields["location"] = rng.choice([
            {"lon": 114.0 + rng.randrange(3) / 100, "lat": 30.005}, HERE, HERE, HERE, None,
            {"cell": "530002001"}, {"asset": "lamp-1"}, {"asset": ODD}, {"address": f"东村{ODD}"},
            {"lon": 114.01, "lat": 30.005, "accuracy_m": 300},
        ])  # fmt: skip
        if rng.random() < 0.3:  # one more of many about the same heap of rubbish, or the same lamp
            category, place = rng.choice([("01", HERE), ("01", HERE), ("05", {"asset": "lamp-1"})])
            return report(f"r{self.reports}{ODD}", category, **{**fields, "location": place, "tags": []})
        source = rng.choice(["hotline", "hotline", "satellite", "ai_video", "rider", "city_app"])
        return report(f"r{self.reports}{ODD}", rng.choice(CATEGORIES), source, **fields)

    def _command(self) -> dict[str, Any]:
        rng, state, now_ms = self.rng, self.desk.engine.state, self.desk.now_ms
        self.commands += rng.random() < 0.9
        said: dict[str, Any] = {"command_id": f"k{self.commands}", "reason": ODD, "actor": {"role": "shift_lead"}}
        if rng.random() < 0.05:
            said["number"] = rng.randint(1, 9)
        where = {"cells": rng.choice([[], ["530001"], ["530002001", "530002002"]])}
        kind = rng.random()
        if kind < 0.4:
            until_ms = now_ms + rng.choice([0, HOUR_MS, HOUR_MS, 9 * HOUR_MS, DAY_MS, 40 * DAY_MS])
            mode = rng.choice(["emergency", "emergency", "emergency", "normal"])
            return {**said, **where, "command": "set_mode", "mode": mode, "until": shown(until_ms)}
        if kind < 0.55:
            return {**said, "command": "end_mode", "mode_id": rng.choice([*state.modes.spans, "k0"])}
        if kind < 0.8:
            return {**said, **where, "command": "reroute_open"}
        if kind < 0.9:
            since_ms = now_ms - rng.choice([HOUR_MS, DAY_MS, 0])
            return {**said, "command": "outage", "since": shown(since_ms), "until": shown(now_ms - MINUTE_MS)}
        expects = state.policy_sha if rng.random() < 0.8 else None
        return {**said, "command": "activate", "sha256": rng.choice([*state.books]), "expects": expects}

    # --- updates ------------------------------------------------------------------------------------------------

    def _update(self, held: list[str]) -> None:
        rng, desk = self.rng, self.desk
        incidents = desk.engine.state.incidents
        if self.focus not in incidents or rng.random() < 0.1:
            self.focus = rng.choice(held[-5:])
        incident = incidents[self.focus]
        opened = [key for key in held if incidents[key].open]
        if len(opened) > OPEN_MAX and rng.random() < 0.3:
            incident = incidents[opened[0]]
            action, role, part = rng.choice([Action.VOID, Action.CLOSE_FORCED]), "supervisor", None
        else:
            action, role, part = self._choice(incident)
        others = [incidents[key] for key in opened if key != incident.incident_id]
        fields = self.fields.of(action, incident, part, others, desk.now_ms)
        by = role
        if role == "department":
            by = rng.choice(DEPARTMENTS) if part is None else part.party
            if by.partition("@")[0] not in desk.book.policy.departments:
                by = "street-office"
        else:
            unit = rng.choice(["530001", "530002", None])
            fields["actor"] = {"role": role, "person": f"{role}-{rng.randint(1, 2)}", "unit": unit}
        if rng.random() < 0.04:
            desk.late_ms = rng.choice(LATE_MS)
        why = desk.update(incident, action, by, **fields)
        self.asked = action, incident, why
        (self.accepted if why is None else self.refused)[action] += 1

    def _choice(self, incident: Incident) -> tuple[Action, str, Assignment | None]:
        """An action, by whom, about whose part; mostly as the tables allow it."""
        rng, parts = self.rng, incident.assignments()
        waiting = _waiting(incident) if rng.random() < 0.15 else []
        if waiting:
            return rng.choice(waiting)
        if incident.state in BY_STATE and rng.random() < SENSIBLE:
            for _ in range(6):
                (action,) = rng.choices(*BY_STATE[incident.state])
                rule = ACTION_TABLE[action]
                if _pointless(action, incident) and rng.random() < 0.9:
                    continue
                fitting = [part for part in parts if rule.assignment is None or part.state in rule.assignment]
                if action is Action.REQUEST and rng.random() < 0.8:  # who is at it asks; the others may appeal
                    fitting = [part for part in fitting if part.state in AT_IT]
                if fitting or rule.assignment is None:
                    return action, rng.choice(sorted(rule.roles)), rng.choice(fitting) if fitting else None
        return rng.choice(list(Action)), rng.choice(ROLES), rng.choice([None, *parts])


def _waiting(incident: Incident) -> list[tuple[Action, str, Assignment | None]]:
    """What somebody waits for: an answer to a request, the end of a hold, the reply to a supervision, a milestone."""
    found: list[tuple[Action, str, Assignment | None]] = []
    if any(request.state == "open" for request in incident.requests):
        found += [(Action.APPROVE, "shift_lead", None)] * 3 + [(Action.REFUSE, "dispatcher", None)]
    for part in incident.assignments():
        if part.state is AssignmentState.HELD:
            found.append((Action.END_HOLD, "department", part))
        if any(s.party == part.party and s.cleared_at is None for s in incident.supervision):
            found.append((Action.REPLY, "department", part))
    if any(s.replied_at is not None and s.cleared_at is None for s in incident.supervision):
        found.append((Action.CLEAR, "supervisor", None))
    if any(s.milestones for s in incident.supervision):
        found.append((Action.MILESTONE, "shift_lead", None))
    return found


def _pointless(action: Action, incident: Incident) -> bool:
    """Whether there is nothing that the action could be about, whatever the tables say."""
    if action in (Action.APPROVE, Action.REFUSE):
        return all(request.state != "open" for request in incident.requests)
    if action in (Action.REPLY, Action.CLEAR):
        return all(s.cleared_at is not None for s in incident.supervision)
    if action is Action.MILESTONE:
        return not any(s.milestones for s in incident.supervision)
    if action is Action.SPLIT:
        return incident.parent is None and len(incident.reports) < 2
    if action is Action.END_WHISTLE:
        return incident.whistle is None or incident.whistle.ended_at is not None
    if action is Action.ACCEPT_RETURN:
        return all(part.state is not AssignmentState.RETURNED for part in incident.support)
    return (action is Action.RELEASE and incident.claimed_by is None) or (
        action is Action.VERIFY and incident.verify_ms is None
    )


BROKEN = [
    b"", b"{", b"[]", b'"text"', b"\xff\xfe", b'{"report_id":7}', b'{"update_id":"u","action":"dance"}', b"9" * 70_000,
    b'{"command":"dance"}', b'{"command":"set_mode","command_id":"x","mode":"emergency","until":"soon"}',
]  # fmt: skip
