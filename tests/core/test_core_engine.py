"""The engine as a whole: slices, cuts, time, and the same bytes whoever runs it."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from core_city import DAY_MS, HOUR_MS, START_MS, report, tiny_book, tiny_policy
from core_desk import Desk
from core_histories import History, HistoryDesk

from dispatcher.core import NEVER_MS, Outcome, Position, Work

Append = list[tuple[str, str, int, bytes]]


def in_slices(desk: Desk, work: list[Work], **limits: int) -> tuple[Append, list[Outcome]]:
    records: Append = []
    outcomes = []
    while work:
        outcome = desk.engine.process(work, **limits)
        records += outcome.records
        outcomes.append(outcome)
        desk.compacted.update(outcome.compacted)
        work = work[outcome.consumed :]
    return records, outcomes


def breach_of_many(desk: Desk) -> list[Work]:
    """Thirty incidents and then a week of silence: a mass breach."""
    records = [desk.record("reports", orjson.dumps(report(f"r{n}", "02"))) for n in range(30)]
    late = desk.record("clock", b"", desk.now_ms + 7 * DAY_MS)
    return desk.intake.take([*records, late]).work


@pytest.mark.parametrize(
    "limits", [{"outputs_max": 1}, {"outputs_max": 7}, {"output_bytes_max": 1}, {"outputs_max": 64}]
)
def test_slices_say_the_same_as_the_whole(limits: dict[str, int]):
    whole, sliced = Desk(), Desk()
    expected, (single,) = in_slices(whole, breach_of_many(whole))
    records, outcomes = in_slices(sliced, breach_of_many(sliced), **limits)
    assert records == expected
    assert sliced.compacted == whole.compacted
    assert len(outcomes) > 5
    assert sum(outcome.consumed for outcome in outcomes) == 31
    assert any(outcome.consumed == 0 for outcome in outcomes)  # slices of timers commit progress too
    most = limits.get("outputs_max", 1)
    assert all(len(outcome.records) < most + 5 for outcome in outcomes)
    assert outcomes[-1].position == single.position == Position(31, START_MS + 7 * DAY_MS)


def test_a_slice_can_be_restored_and_gone_on_with():
    whole, sliced = Desk(), Desk()
    expected, _ = in_slices(whole, breach_of_many(whole))
    work, records = breach_of_many(sliced), []
    while work:
        outcome = sliced.engine.process(work, outputs_max=5)
        records += outcome.records
        sliced.compacted.update(outcome.compacted)
        work = work[outcome.consumed :]
        sliced.engine = sliced.reborn()
    assert records == expected
    assert sliced.compacted == whole.compacted


@pytest.mark.parametrize("size", [7, 1000])
def test_where_batches_are_cut_changes_nothing(size: int):
    """The records of a random history, one by one and in batches."""
    single = History(5).run(150)
    batched = HistoryDesk()
    taken = single.work[1:]  # both desks have activated their policy
    records = batched.records
    for start in range(0, len(taken), size):
        more, _ = in_slices(batched, taken[start : start + size])
        records = records + more
    assert records == single.records
    kept = {key: value for key, value in single.compacted.items() if key[0] != "reporters"}
    assert batched.compacted == kept


def test_time_never_goes_back_whatever_a_ledger_says():
    desk = Desk()
    desk.report("r1", "02")
    later = desk.now_ms
    desk.now_ms -= HOUR_MS
    incident = desk.report("r2", "02")
    desk.send("reports", b"?")
    assert incident.opened_ms == incident.updated_ms == later
    times = [time_ms for _, _, time_ms, _ in desk.records]
    assert times == sorted(times)
    assert desk.engine.position.time_ms == later


def test_an_empty_batch_is_nothing():
    desk = Desk()
    outcome = desk.engine.process([])
    assert (outcome.consumed, outcome.records) == (0, [])
    assert outcome.next_due_ms == NEVER_MS


# --- the same everywhere ---

PROGRAM = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from core_histories import History, HistoryDesk
desk = History(11).run(150)
digest = hashlib.sha256()
for record in desk.records:
    digest.update(repr(record).encode())
digest.update(repr(sorted(desk.compacted.items())).encode())
print(digest.hexdigest())
"""


def test_the_hash_seed_of_a_process_changes_no_byte():
    here = Path(__file__).parent
    found = set()
    for seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(here.parents[1])}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(here)], env=environment, capture_output=True, text=True, check=True
        )
        found.add(done.stdout.strip())
    desk = History(11).run(150)
    digest = hashlib.sha256()
    for record in desk.records:
        digest.update(repr(record).encode())
    digest.update(repr(sorted(desk.compacted.items())).encode())
    assert found == {digest.hexdigest()}


def test_a_decision_is_the_policys_own_and_its_record_says_all_of_it():
    desk = Desk()
    incident = desk.report("r1", "03.02")
    (record,) = [c for e in desk.out("events") for c in e.get("changes", ()) if c["event"] == "decision"]
    decision = tiny_book().decider.decide(incident.facts)
    assert record["decision"]["lead"] == {"department": "gas-company", "unit": None}
    assert record["decision"]["overlays"] == list(decision.overlays)
    assert (record["policy"], record["grid"]) == (tiny_policy().sha256, "grid-hash")
    assert record["decision_id"] == f"{incident.incident_id}/1"
