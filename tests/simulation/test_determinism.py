"""The outputs are a function of the log: not of batches, clock records, restarts, slices or hash seeds."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import orjson
import pytest
from sim_city import start
from sim_history import START_MS, History
from sim_outputs import digests, no_clock, outputs, run

from dispatcher.core import CLOCK, Engine, ms_to_text
from dispatcher.ledger import Entry, MemoryLedger

SEED, RECORDS = 11, 2_500
SHORT = 500  # for what costs a rebuild or a commit for every record


@pytest.fixture(scope="module")
def history():
    return History(SEED).entries(RECORDS)


@pytest.fixture(scope="module")
def expected(history):
    return outputs(run(history)[0])


@pytest.fixture(scope="module")
def short_expected(history):
    return outputs(run(history[:SHORT])[0])


def differing(found, wanted):
    """What an assertion should show: the first record that differs, and the keys that do."""
    records = [pair for pair in zip(found.appended, wanted.appended, strict=False) if pair[0] != pair[1]][:1]
    keys = {
        key for key in found.newest.keys() | wanted.newest.keys() if found.newest.get(key) != wanted.newest.get(key)
    }
    return records, sorted(keys)[:5], len(found.appended) - len(wanted.appended)


SAME = ([], [], 0)


def test_the_history_is_worth_comparing(history, expected):
    """Every topic, every action, every kind of event is in it, over several days."""
    events = [orjson.loads(v) for topic, _, _, v in expected.appended if topic == "events"]
    done = Counter(event.get("what") for event in events)
    changes = Counter(c["event"] + ":" + c.get("what", "") for event in events for c in event.get("changes", ()))
    rejected = Counter(orjson.loads(v)["reason"] for topic, _, _, v in expected.appended if topic == "rejected")
    assert history[-1].time_ms - history[0].time_ms > 10 * 86_400_000
    assert {topic for topic, *_ in expected.appended} >= {"events", "routed", "rejected", "archive", "dept.gas"}
    assert {topic for topic, _ in expected.newest} == {"incidents", "policies", "reporters", "state"}
    assert done.keys() >= {
        "report", "merge", "timer", "acknowledge", "arrive", "assign", "check", "done", "file", "note", "return",
        "refuse_return", "accept_return", "verify", "void",
    }  # fmt: skip
    for kind in ("activate", "warn", "breach", "fulfil", "pause", "resume", "revoke", "hand_over", "promise"):
        assert changes[f"target:{kind}"], kind
    assert rejected.keys() >= {
        "not_json", "not_an_object", "missing_field", "wrong_type", "unknown_source", "conflict", "stale",
        "not_allowed", "unknown_incident", "unknown_category", "unknown_cell", "bad_location",
    }  # fmt: skip
    assert "engine_error" not in rejected
    assert b"clock" not in b"".join(v or b"" for topic, _, _, v in expected.appended if topic == "rejected")


@pytest.mark.parametrize("batch_records", [1, 7, 1_000])
def test_batches_do_not_matter(history, expected, batch_records):
    ledger, _ = run(history, batch_records)
    assert differing(outputs(ledger), expected) == SAME


def with_clocks(entries, seed, share):
    """Clock records at other places, at any instant between the neighbours: none that were there stay."""
    random = Random(seed)
    for before, entry in zip([None, *entries], entries, strict=False):
        if entry.topic == CLOCK and entry is not entries[-1]:
            continue
        earliest_ms = 0 if before is None else before.time_ms
        at_ms = earliest_ms
        while random.random() < share:
            at_ms = random.choice((at_ms, entry.time_ms, random.randint(at_ms, entry.time_ms)))
            yield Entry(CLOCK, b"", None, at_ms)
        yield entry


@pytest.mark.parametrize(("seed", "share", "batch_records"), [(1, 0.0, 7), (2, 0.2, 1_000), (3, 0.6, 13)])
def test_clock_records_may_stand_anywhere(history, expected, seed, share, batch_records):
    entries = list(with_clocks(history, seed, share))
    assert sum(e.topic == CLOCK for e in entries) != sum(e.topic == CLOCK for e in history)
    ledger, _ = run(entries, batch_records)
    assert differing(outputs(ledger), expected) == SAME


def test_the_engines_own_clock_records_change_nothing(history, short_expected):
    """The host ticks whenever its clock has passed the next timer, as `dispatcher run` does."""
    ledger = MemoryLedger(no_clock)
    host = start(ledger)
    ticks = 0
    for entry in history[:SHORT]:
        while host.engine.next_due_ms < entry.time_ms:
            assert host.tick(host.engine.next_due_ms + 1)
            ticks += 1
            host.catch_up()
        assert not host.tick(host.engine.next_due_ms)  # due at this very instant is not overdue
        ledger.append([entry])
        host.catch_up()
    assert ticks > 200
    assert differing(outputs(ledger), short_expected) == SAME


@pytest.mark.parametrize("late_ms", [0, 1])
@pytest.mark.parametrize("clocks", [0, 2])
@pytest.mark.parametrize("batch_records", [1, 1_000])
def test_an_answer_at_the_due_instant_is_in_time_wherever_a_clock_record_stands(late_ms, clocks, batch_records):
    """Timers due at the instant of a record fire after it, also when a clock record of that instant came first."""
    report = {"report_id": "r", "source": "hotline", "reported_at": ms_to_text(START_MS), "category": "03"}
    answer = {
        "update_id": "u", "action": "acknowledge", "at": ms_to_text(START_MS), "actor": {"role": "system"},
        "report": {"source": "hotline", "report_id": "r"},
    }  # fmt: skip
    due_ms = START_MS + 5 * 60_000
    entries = [
        Entry("reports", orjson.dumps(report), None, START_MS),
        *[Entry(CLOCK, b"", None, due_ms)] * clocks,
        Entry("updates", orjson.dumps(answer), None, due_ms + late_ms),
        Entry(CLOCK, b"", None, due_ms + 60_000),
    ]
    found = outputs(run(entries, batch_records)[0])
    (value,) = [value for (topic, _), value in found.newest.items() if topic == "incidents"]
    (target,) = [t for t in orjson.loads(value)["targets"] if (t["name"], t["of"]) == ("acknowledge", "gas")]
    said = [
        change["what"]
        for topic, _, _, event in found.appended
        if topic == "events"
        for change in orjson.loads(event).get("changes", ())
        if (change["event"], change.get("name"), change.get("of")) == ("target", "acknowledge", "gas")
    ]
    assert said == ["activate", "warn", "warn", *(["breach"] if late_ms else []), "fulfil"]
    assert target["fulfilled_at"] == ms_to_text(due_ms + late_ms)
    assert ("breached_at" in target) == bool(late_ms)


@pytest.mark.parametrize(("batch_records", "every"), [(1, 3), (7, 1), (50, 2)])
def test_restarts_do_not_matter(history, short_expected, batch_records, every):
    ledger = MemoryLedger(no_clock)
    host = start(ledger, batch_records=batch_records)
    ledger.append(history[:SHORT])
    steps = 0
    while host.step():
        steps += 1
        if steps % every == 0:
            host = start(ledger, batch_records=batch_records)
    assert differing(outputs(ledger), short_expected) == SAME


@pytest.mark.parametrize("limit", [{"outputs_max": 1}, {"outputs_max": 17}, {"output_bytes_max": 5_000}])
def test_slices_do_not_matter(monkeypatch, history, short_expected, limit):
    """A mass breach goes out in several commits, each of which a restart may follow."""
    for name, value in limit.items():
        monkeypatch.setitem(Engine.process.__kwdefaults__, name, value)
    commits = Counter()
    ledger = MemoryLedger(no_clock, lambda step: commits.update([step]))
    host = start(ledger, batch_records=100)
    ledger.append(history[:SHORT])
    while host.step():
        host = start(ledger, batch_records=100)
    assert commits["commit:after"] > 3 * SHORT // 100
    assert differing(outputs(ledger), short_expected) == SAME


def test_hash_seeds_do_not_matter(expected):
    """Two other processes with different hash seeds print the same digests as this one computes."""
    program = Path(__file__).with_name("sim_outputs.py")
    root = Path(__file__).parents[2]
    printed = [
        subprocess.run(
            [sys.executable, program, str(SEED), str(RECORDS), batch],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)},
            check=True, capture_output=True, text=True,
        ).stdout
        for hash_seed, batch in (("1", "1000"), ("4242", "7"))
    ]  # fmt: skip
    wanted = [f"{topic} {digest}" for topic, digest in digests(expected).items()]
    assert [lines.splitlines() for lines in printed] == [wanted, wanted]
