"""Every invariant of the life cycle, over random histories that can be run again from their seed.

`python tests/core/test_core_invariants.py SEED [STEPS]` walks one history and says at which step what broke.
"""

import random
import sys
from collections import Counter

import pytest
from core_audit import Audit
from core_city import HOUR_MS, START_MS, shown
from core_desk import Desk
from core_histories import History, HistoryDesk
from core_invariants import check_incident, check_published, said_of

from dispatcher.core import Action, Engine, Incident, IncidentState, PartitionState, Position, lifecycle
from dispatcher.core.wire import incident_json

CHUNKS, SEEDS, STEPS = 8, 25, 1_000  # 200,000 steps
AWAKE_MAX = 2  # incidents in use by the second engine: all others are asleep
RESTART_SHARE = 0.01  # of the steps after which the engine is rebuilt from what was published


class Walk:
    """One history, looked at after every step."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.history = History(seed)
        self.desk = self.history.desk
        self.audit = Audit(self.desk.engine.state)
        self.restarts = random.Random(-1 - seed)
        self.read = len(self.desk.records)

    def run(self, steps: int) -> None:
        """Walk and check; an AssertionError says with which seed it can be had again."""
        try:
            for _ in range(steps):
                self.step()
            self.check_whole()
            if self.seed % 2:  # it costs a fifth of a walk
                check_batches(self.desk, self.restarts)
        except BaseException as error:
            error.add_note(f"seed {self.seed}, step {self.history.steps}, asked {self._asked()}")
            error.add_note(f"again: python {__file__} {self.seed} {self.history.steps}")
            raise

    def _asked(self) -> str:
        asked = self.history.asked
        return "no update" if asked is None else f"{asked[0]} of {asked[1].incident_id} ({asked[2] or 'accepted'})"

    def step(self) -> None:
        history, desk = self.history, self.desk
        history.step()
        records, self.read = desk.records[self.read :], len(desk.records)
        now_ms = desk.engine.position.time_ms
        touched = self.audit.read(records, desk.engine.state, now_ms)
        for incident_id in sorted(touched):
            incident = desk.engine.state.incidents.get(incident_id)
            if incident is not None:
                check_incident(incident, desk.engine.state.book_of(incident).policy, now_ms)
        if history.asked is not None and history.asked[2] is not None:
            self._check_refused(records, now_ms)
        if history.steps % 50 == 0:
            self.check_whole()
        if self.restarts.random() < RESTART_SHARE:
            desk.engine = desk.reborn()

    def _check_refused(self, records: list[tuple[str, str, int, bytes]], now_ms: int) -> None:
        """Nothing but timers of before, and then the rejection; the incident is as it was published."""
        desk = self.desk
        assert desk.outcome is not None
        assert [topic for topic, _, time_ms, _ in records if time_ms == now_ms][-1:] == ["rejected"]
        if any(time_ms == now_ms for topic, _, time_ms, _ in records if topic != "rejected"):
            raise AssertionError("a refused action put something out")
        if len(records) == 1:
            changed = {key for key, value in desk.outcome.compacted.items() if desk.before.get(key) != value}
            dropped = {key for key in changed if desk.outcome.compacted[key] is None}  # its time in memory was over
            assert dropped or changed == {("state", "tally")}
            assert {topic for topic, _ in changed - dropped} == {"state"}
        assert self.history.asked is not None
        incident = desk.engine.state.incidents.get(self.history.asked[1].incident_id)
        if incident is not None:
            published = desk.compacted["incidents", incident.incident_id]
            assert published == incident_json(incident), "a refused action changed the incident"

    def check_whole(self) -> None:
        """What is looked at seldom: every incident there is, the sums, and the state folded from what was published."""
        desk = self.desk
        state, now_ms = desk.engine.state, desk.engine.position.time_ms
        for incident in state.incidents.values():
            check_incident(incident, state.book_of(incident).policy, now_ms)
            check_published(desk, incident)
        assert self.audit.reports() == state.tally["reports_accepted"], "reports are counted once however merged"
        opened = state.tally["reports_accepted"] - state.tally["reports_merged"] + self.audit.split
        assert sum(Counter(kept.state for kept in self.audit.kept.values()).values()) == opened
        assert said_of(desk.reborn().state) == said_of(state), "folded from scratch it is another state"


def check_batches(desk: HistoryDesk, rng: random.Random) -> None:
    """The same work in other batches, by an engine that never restarted and lets incidents sleep: the same bytes."""
    other = HistoryDesk()
    other.engine = Engine(PartitionState(0, other.books, partitions=8, awake_max=AWAKE_MAX), Position(), "grid-hash")
    other.records, other.compacted = [], {}
    other.retake(desk.work, rng)
    assert other.records == desk.records
    assert newest(other) == newest(desk)


def newest(desk: HistoryDesk) -> dict[tuple[str, str], bytes]:
    """The compacted topics without what was taken off them; `reporters` is stage 1's."""
    return {key: value for key, value in desk.compacted.items() if value is not None and key[0] != "reporters"}


class Moves(dict):  # type: ignore[type-arg]
    """A table of moves that remembers which were taken."""

    def __init__(self, table: dict[tuple[str, str], str]) -> None:
        super().__init__(table)
        self.taken: Counter[tuple[str, str]] = Counter()

    def __getitem__(self, key: tuple[str, str]) -> str:
        found: str = super().__getitem__(key)
        self.taken[key] += 1
        return found


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_history_keeps_every_invariant(chunk: int, monkeypatch: pytest.MonkeyPatch):
    tables = {name: Moves(getattr(lifecycle, name)) for name in ("INCIDENT_MOVES", "ASSIGNMENT_MOVES")}
    for name, table in tables.items():
        monkeypatch.setattr(lifecycle, name, table)
    accepted: Counter[Action] = Counter()
    refused: Counter[Action] = Counter()
    fired: Counter[str] = Counter()
    states: set[str] = set()
    for seed in range(chunk * SEEDS, (chunk + 1) * SEEDS):
        walk = Walk(seed)
        walk.run(STEPS)
        accepted += walk.history.accepted
        refused += walk.history.refused
        fired += walk.audit.fired
        states |= walk.audit.states
    untouched = {
        "states": {str(state) for state in IncidentState} - states,
        "accepted": set(Action) - set(accepted),
        "refused": set(Action) - set(refused),
        "timers": TIMERS - set(fired),
        **{name: set(table) - set(table.taken) - SELDOM - NEVER_AT_REST for name, table in tables.items()},
    }
    assert not any(untouched.values()), f"never seen: {untouched}"


_I = IncidentState
# It is filed and dispatched in one change: nothing else can happen in between.
NEVER_AT_REST = {move for move in lifecycle.INCIDENT_MOVES if move[0] is _I.FILED and move[1] != "dispatch"}
# Ends from states in which few incidents of a history ever are: taken below, one by one.
_AWAY = {"answer": "answer_at_desk", "refer": "refer", "self_handle": "self_handled"}
_END = {"void": "void", "force": "close_forced", "merge": "merge", "dispatch": "assign"}
SELDOM = {(state, move) for state in (_I.RECEIVED, _I.VERIFYING, _I.RETURNED) for move in _AWAY} | {
    (_I.ON_HOLD, move) for move in _END
}
_SPOT = {"ask_reopen": "reopen_request", "stay_self_handled": "refuse_reopen"}  # of what was settled on the spot
SELDOM |= {(_I.SELF_HANDLED, "ask_reopen"), (_I.REOPEN_REQUESTED, "stay_self_handled")}
BY = {
    "answer": "acceptor", "refer": "acceptor", "self_handle": "officer", "merge": "dispatcher",
    "dispatch": "dispatcher", "ask_reopen": "reporter",
}  # fmt: skip


def resting(desk: Desk, state: IncidentState) -> Incident:
    """An incident in a state."""
    made = {_I.RECEIVED: {"tags": ["park"]}, _I.VERIFYING: {"source": "satellite"}}
    incident = desk.report("r", "02", **made.get(state, {}))
    if state is _I.RETURNED:
        assert desk.update(incident, "return", "water-bureau", reason_code="not_ours") is None
    elif state in (_I.SELF_HANDLED, _I.REOPEN_REQUESTED):
        assert desk.update(incident, "self_handled", "officer", text="done") is None
        if state is _I.REOPEN_REQUESTED:
            assert desk.update(incident, "reopen_request", "reporter") is None
    elif state is _I.ON_HOLD:
        assert desk.update(incident, "acknowledge", "water-bureau") is None
        wish = {"kind": "hold", "reason_code": "season", "until": shown(START_MS + HOUR_MS)}
        assert desk.update(incident, "request", "water-bureau", **wish) is None
        assert desk.update(incident, "approve", "shift_lead", number=1) is None
    assert incident.state is state
    return incident


@pytest.mark.parametrize(("state", "move"), sorted(SELDOM))
def test_moves_that_histories_seldom_take(state: IncidentState, move: str):
    desk = Desk()
    incident = resting(desk, state)
    other = desk.report("other", "02", location={"cell": "530002001"})
    fields = {
        "text": "said", "body": "post-office", "lead": "fire-brigade", "into": other.incident_id,
        "reason_code": {"void": "test", "force": "project", "stay_self_handled": "settled"}.get(move, "not_ours"),
    }  # fmt: skip
    assert desk.update(incident, {**_AWAY, **_END, **_SPOT}[move], BY.get(move, "supervisor"), **fields) is None
    assert incident.state is lifecycle.INCIDENT_MOVES[state, move]
    check_incident(incident, desk.book.policy, desk.now_ms)
    check_published(desk, incident)


TIMERS = {
    "warn", "breach", "urge", "notify", "supervise", "report", "hold", "mode", "claim_ended", "desk_overdue",
    "verify_overdue", "supervision_overdue", "kept",
}  # fmt: skip

if __name__ == "__main__":
    Walk(int(sys.argv[1])).run(int(sys.argv[2]) if len(sys.argv) > 2 else STEPS)
    print("all invariants hold")
