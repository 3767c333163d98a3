"""The state is a fold of the log: rebuilt from the ledger at any place, it is the living engine's own."""

import orjson
import pytest
from sim_city import books, start
from sim_history import START_MS, History
from sim_outputs import no_clock, outputs

from dispatcher.core import CLOCK, DAY_MS, REPORTS, PartitionState, ms_to_text, repeats
from dispatcher.core.repeats import SEEN_WINDOW_MS
from dispatcher.core.wire import encode, incident_json
from dispatcher.core.work import Position
from dispatcher.hosts import embedded
from dispatcher.ledger import Entry, MemoryLedger


def said_of(state: PartitionState) -> dict:
    """All that can change an output: incidents, timers, the merge index, what was seen, serials, tallies, policy."""
    return {
        "incidents": {key: incident_json(incident) for key, incident in sorted(state.incidents.items())},
        "briefs": {key: incident.brief for key, incident in sorted(state.incidents.items())},
        "timers": {
            key: (incident.next_ms, [target.next_ms for target in incident.targets])
            for key, incident in sorted(state.incidents.items())
        },
        "next due": state.timers.next_due_ms,
        "merges": {key: sorted(found.split()) for key, found in state.merges._buckets.items()},
        "seen": state.repeats._buckets,
        "seen by report": state.repeats._by_source,
        "taken": state.repeats._pages,
        "revisions": state.revisions,
        "serial": encode(state.serial),
        "tally": state.tally,
        "policy": state.policy_sha,
    }


def rebuilt(ledger: MemoryLedger) -> PartitionState:
    state = PartitionState(0, books())
    state.restore(*ledger.restore(0))
    return state


@pytest.mark.parametrize("seed", range(2))
def test_a_rebuilt_engine_equals_the_living_one_after_every_record(seed):
    ledger = MemoryLedger(no_clock)
    host = start(ledger, batch_records=1)
    ledger.append(History(seed).entries(300))
    positions: list[Position] = []
    while host.step():
        assert said_of(rebuilt(ledger)) == said_of(host.engine.state), f"seed {seed}, {host.engine.position}"
        assert ledger.position(0) == host.engine.position
        positions.append(host.engine.position)
    assert len(positions) == 301


def test_a_rebuilt_engine_equals_the_living_one_beyond_the_window_of_repeats(monkeypatch):
    """More buckets of seen reports than one, more days than the window: some are forgotten, some kept, some full."""
    monkeypatch.setattr(repeats, "SEEN_BUCKET", 3)
    monkeypatch.setattr(embedded, "SEEN_WINDOW_MS", 2 * 86_400_000)
    ledger = MemoryLedger(no_clock)
    host = start(ledger, batch_records=1)
    ledger.append(History(5).entries(300))
    forgotten = 0
    while host.step():
        assert said_of(rebuilt(ledger)) == said_of(host.engine.state), host.engine.position
        forgotten = host.engine.state.repeats._fresh
    assert forgotten > 5
    assert host.engine.position.time_ms > 4 * 86_400_000


def drill(number: int, at_ms: int) -> Entry:
    """A report of an exercise: its incident ends at once and is dropped days before the report is forgotten."""
    report = {
        "report_id": f"drill-{number}",
        "source": "hotline",
        "reported_at": ms_to_text(at_ms),
        "category": "02",
        "tags": ["exercise"],
    }
    return Entry(REPORTS, orjson.dumps(report), None, at_ms)


@pytest.mark.parametrize("before", range(3, 7))
def test_buckets_of_seen_reports_do_not_depend_on_restarts(monkeypatch, before):
    """The last full bucket ages, and then the engine restarts: what comes next is entered beside it, not into it."""
    monkeypatch.setattr(repeats, "SEEN_BUCKET", 2)
    reports = [drill(n, START_MS + n) for n in range(before)]
    later_ms = START_MS + SEEN_WINDOW_MS + DAY_MS
    reports += [Entry(CLOCK, b"", None, later_ms), *[drill(100 + n, later_ms + n) for n in range(3)]]
    ledgers, states = [], []
    for restarts in (False, True):
        ledger = MemoryLedger(no_clock)
        host = start(ledger)
        for entry in reports:
            ledger.append([entry])
            host.catch_up()
            if restarts:
                host = start(ledger)
        ledgers.append(outputs(ledger))
        states.append(said_of(host.engine.state))
    assert ledgers[0] == ledgers[1]
    assert states[0] == states[1]
    assert states[0]["tally"]["reports_accepted"] == before + 3
