"""An auditor of one partition: reads what each record put out, and objects to what must not be.

It knows the log only as a follower does: from `events` and from incidents as they were after the record before. So it
keeps its own account of every target (when it started, what it used, which warnings and steps were given) and works
out from the calendars alone at which instant each timer had to fire.
"""

from collections import Counter
from typing import Any, NamedTuple

import orjson
from core_invariants import RECORD_BYTES_MAX

from dispatcher.core import ENDED_STATES, Incident, IncidentState, PartitionState, ms_to_text, text_to_ms
from dispatcher.core.dossier import due_ms_of
from dispatcher.core.incident import Decided
from dispatcher.core.joining import partition_of
from dispatcher.core.turn import REOPEN_WINDOW_MS
from dispatcher.core.waiting import DESK_AGAIN_MS, DESK_WITHIN_MS
from rules import Clock, Ladder, Policy

Record = tuple[str, str, int, bytes]
BACK_TO_LIFE = {"reopen_request", "callback", "split"}  # the only actions that take an incident out of an end


class Kept(NamedTuple):
    """An incident as it was after the last record that touched it."""

    decided: Decided
    state: IncidentState
    report_count: int
    elsewhere: bool  # merged into an incident of another partition
    holds: dict[str, int]  # party -> the end of its hold
    instants: dict[str, int | None]  # event of a timer of its own -> the instant at which it comes
    replies: set[tuple[int, int]]  # of supervisions: number, and when something is owed


class Audit:
    """Follows one partition; `read` after every record."""

    def __init__(self, state: PartitionState) -> None:
        self._books = state.books
        self.kept: dict[str, Kept] = {}
        self.fired: Counter[str] = Counter()  # timers seen to fire, by kind
        self.split = 0  # reports that became incidents of their own
        self.states: set[str] = set()
        self._targets: dict[tuple[str, str, str], dict[str, Any]] = {}  # the newest word on each target
        self._revisions: dict[str, int] = {}
        self._last_ms = 0
        self._modes: dict[str, int] = {}

    def read(self, records: list[Record], state: PartitionState, now_ms: int) -> set[str]:
        """Check what one record put out; returns the incidents it touched."""
        touched = set()
        for topic, key, time_ms, value in records:
            assert len(value) <= RECORD_BYTES_MAX
            said = orjson.loads(value)
            assert self._last_ms <= time_ms <= now_ms, f"time runs backwards on {topic}"
            self._last_ms = time_ms
            if topic == "events" and key != "control":
                touched.add(key)
                self._event(key, time_ms, said)
            elif topic == "events":
                self._command(time_ms, said)
        for incident_id in touched:
            if (incident := state.incidents.get(incident_id)) is not None:
                self.kept[incident_id] = _kept(incident)
                assert incident.revision == self._revisions[incident_id]
        assert all(until_ms >= now_ms for until_ms in self._modes.values()), "a mode holds beyond its end"
        assert self._modes.keys() == state.modes.spans.keys()
        return touched

    def reports(self) -> int:
        """Reports of all incidents that were not merged into another here: each counted once."""
        return sum(k.report_count for k in self.kept.values() if k.state is not IncidentState.MERGED or k.elsewhere)

    def _command(self, time_ms: int, said: dict[str, Any]) -> None:
        if said["event"] == "mode_set":
            self._modes[said["mode_id"]] = text_to_ms(said["until"])
        elif said["event"] == "mode_ended":
            until_ms = self._modes.pop(said["mode_id"])
            if said["by"] is None:
                assert time_ms == until_ms
                self.fired["mode"] += 1
            else:
                assert time_ms <= until_ms

    # --- one event ----------------------------------------------------------------------------------------------

    def _event(self, incident_id: str, at_ms: int, said: dict[str, Any]) -> None:
        assert text_to_ms(said["at"]) == at_ms
        assert said["revision"] == self._revisions.get(incident_id, 0) + 1, "a revision is missing or doubled"
        self._revisions[incident_id] = said["revision"]
        self.split += said["revision"] == 1 and said["what"] == "split"
        before, what = self.kept.get(incident_id), said["what"]
        timer = before if what == "timer" else None
        state = "received" if before is None else str(before.state)
        for change in said["changes"]:
            if change["event"] == "state":
                assert change["from"] == state
                assert state not in ENDED_STATES or what in BACK_TO_LIFE, f"{what} took it out of {state}"
                state = change["to"]
                self.states.add(state)
            elif change["event"] == "target":
                self._target(incident_id, at_ms, change, timer)
            elif timer is not None:
                self._timer(incident_id, at_ms, change, timer)
        assert said["state"] == state
        self.states.add(state)
        if before is not None:
            self.kept[incident_id] = before._replace(state=IncidentState(state))

    def _timer(self, incident_id: str, at_ms: int, change: dict[str, Any], before: Kept) -> None:
        """What a timer did besides warnings and breaches: at the one instant for it, and once."""
        event, instants = change["event"], before.instants
        if event == "escalated":
            self._climb(incident_id, at_ms, change, before)
        elif event == "supervised":
            before.replies.add((change["supervision"]["number"], text_to_ms(change["supervision"]["reply_due"])))
        elif event == "supervision_overdue":
            due = {each for each in before.replies if each[0] == change["number"] and each[1] <= at_ms}
            assert {due_ms for _, due_ms in due} == {at_ms}, f"{event} at {at_ms}, not at {due}"
            before.replies.difference_update(due)
            self.fired[event] += 1
        elif event == "assignment" and change["from"] == "held":
            assert before.holds.pop(change["party"], None) == at_ms, "a hold ended at another time than its own"
            self.fired["hold"] += 1
        elif event in instants:
            assert at_ms == instants[event], f"{event} at {at_ms}, not at {instants[event]}"
            instants[event] = None
            if event == "desk_overdue":
                instants[event] = at_ms + DESK_AGAIN_MS
            elif event == "kept":
                instants[event] = at_ms + self._window_ms(before, at_ms)
            elif event == "verify_overdue" and instants["desk_overdue"] is None:
                instants["desk_overdue"] = at_ms + DESK_WITHIN_MS
            self.fired[event] += 1

    def _window_ms(self, before: Kept, at_ms: int) -> int:
        policy = self._policy(before)
        within = policy.sla(before.decided.sla).reopen_within
        return REOPEN_WINDOW_MS if within is None else policy.open(within, at_ms).due_ms - at_ms

    def _target(self, incident_id: str, at_ms: int, said: dict[str, Any], before: Kept | None) -> None:
        key = incident_id, said["name"], said["of"]
        known = self._targets.get(key)
        self._targets[key] = {**said, "rung": said.get("rung", 0)}
        what = said["what"]
        assert "breached_at" not in said or said["due_at"] <= said["breached_at"] <= ms_to_text(at_ms)
        if what == "breach":
            assert known is not None
            assert "breached_at" not in known or "retime" in known["what"], "breached twice"
        if before is None or what not in ("warn", "breach"):
            return
        assert known is not None, "a timer of a target that was never activated"
        assert "breached_at" not in known
        clock = self._policy(before).clock(said["clock"])
        if what == "warn":
            warn = self._policy(before).sla(before.decided.sla).warn
            assert said["warned"] == known.get("warned", 0) + 1, "warned twice or out of turn"
            assert said["percent"] == warn[said["warned"] - 1]
            assert _share_reached(known, clock, said["percent"], at_ms)
        else:
            assert said["breached_at"] == said["due_at"] == ms_to_text(at_ms)
            assert _share_reached(known, clock, 100, at_ms)
        self.fired[what] += 1

    def _policy(self, before: Kept) -> Policy:
        return self._books[before.decided.policy].policy

    def _climb(self, incident_id: str, at_ms: int, change: dict[str, Any], before: Kept) -> None:
        """A step of a ladder: the next one in order, at its instant or when the ladder's hours begin after it."""
        target = self._targets[incident_id, change["target"], change["of"]]
        policy = self._policy(before)
        ladder = policy.ladder(before.decided.ladder or "")
        assert change["rung"] == target["rung"] + 1, "a step was taken twice or out of turn"
        target["rung"] = change["rung"]
        clock = policy.clock(target["clock"])
        due_ms, step = _rung(policy, ladder, target, change["rung"] - 1, clock)
        if ladder.hold_outside is not None:
            hours = policy.clock(ladder.hold_outside)
            assert hours.contains(at_ms), "a step outside the ladder's hours"
            due_ms = hours.next_open(due_ms)
        assert at_ms == due_ms, f"step {change['rung']} at {at_ms}, not at {due_ms}"
        assert change["do"] == step
        self.fired[step] += 1


def _share_reached(target: dict[str, Any], clock: Clock, percent: int, at_ms: int) -> bool:
    """Whether `at_ms` is the first instant, since the target runs, at which so much of its budget is used."""
    since_ms, used_ms = text_to_ms(target["since"]), target.get("consumed_ms", 0)
    share_ms = target["amount_ms"] * percent // 100
    if used_ms + clock.consumed(since_ms, at_ms) < share_ms:
        return False
    return at_ms == since_ms or used_ms + clock.consumed(since_ms, at_ms - 1) < share_ms


def _rung(policy: Policy, ladder: Ladder, target: dict[str, Any], n: int, clock: Clock) -> tuple[int, str]:
    """When the n-th step for a target comes, hours aside, and what it does."""
    since_ms = text_to_ms(target["since"])
    steps = [step for step in ladder.steps if step.trigger.target == target["name"]]
    early = sorted((s for s in steps if s.trigger.percent is not None), key=lambda s: s.trigger.percent or 0)
    if n < len(early):
        share_ms = target["amount_ms"] * (early[n].trigger.percent or 0) // 100
        return clock.add(since_ms, share_ms - target.get("consumed_ms", 0)), early[n].do
    late = sorted((s for s in steps if s.trigger.percent is None), key=lambda s: s.after.nominal_ms if s.after else 0)
    begins_ms = at_ms = text_to_ms(target["breached_at"])
    rounds, n = divmod(n - len(early), len(late))
    for turn in range(rounds + 1):
        if turn and ladder.repeat_every is not None:
            begins_ms = at_ms = policy.open(ladder.repeat_every, at_ms).due_ms
        for step in late if turn < rounds else late[: n + 1]:
            if step.after is not None:
                at_ms = max(at_ms, policy.open(step.after, begins_ms).due_ms)
    return max(at_ms, since_ms), late[n].do


def _kept(incident: Incident) -> Kept:
    parent = incident.parent
    return Kept(
        incident.decided,
        incident.state,
        incident.report_count,
        parent is not None and partition_of(parent) != partition_of(incident.incident_id),
        {part.party: part.hold_until_ms for part in incident.assignments() if part.hold_until_ms is not None},
        {
            "claim_ended": incident.claim_until_ms,
            "desk_overdue": incident.desk_ms,
            "verify_overdue": incident.verify_ms,
            "kept": incident.drop_ms,
        },
        {(each.number, due_ms) for each in incident.supervision for due_ms in due_ms_of(each)},
    )
