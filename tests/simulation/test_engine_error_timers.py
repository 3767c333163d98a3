"""A bug of ours that raises in a timer: it is said once, what is due stays due, and nobody else is harmed."""

import logging

import orjson
import pytest
from sim_bugs import POISON, RECORDS, but_for, incident_of, lived, plant, poisoned_report, raises_on, with_message
from sim_history import History
from sim_outputs import no_clock, outputs, run

from dispatcher.core import CLOCK, REPORTS, due, publish, state, targets
from dispatcher.ledger import Entry
from dispatcher.metrics import EngineMetrics


@pytest.fixture(scope="module")
def history():
    return History(21).entries(RECORDS)


def is_warning(target, _clock, _warn, at_ms) -> bool:
    return at_ms < target.due_ms


def is_breach(target, _clock, _warn, at_ms) -> bool:
    return at_ms >= target.due_ms


@pytest.mark.parametrize(("kind", "fired"), [("warning", is_warning), ("breach", is_breach)])
def test_a_timer_that_fails_is_said_once_and_harms_nobody_else(monkeypatch, history, caplog, kind, fired):
    """The bug is in the resolve target of one incident: the others fire, and so do the rest of its own."""
    entries = poisoned_report(history, RECORDS // 3)
    expected = outputs(run(entries)[0])
    incident_id, sound = incident_of(expected, POISON)
    (resolve,) = [t for t in sound["targets"] if (t["name"], t["of"]) == ("resolve", "gas")]

    def is_poison(target, *rest):
        its_own = (target.name, target.of, publish.ms_to_text(target.due_ms)) == ("resolve", "gas", resolve["due_at"])
        return its_own and fired(target, *rest)

    monkeypatch.setattr(due, "fire", raises_on(targets.fire, is_poison, late=True))
    seen = []
    for batch_records, restarts in ((1, False), (7, False), (1_000, False), (5, True)):
        metrics = EngineMetrics(no_clock)
        caplog.clear()
        found = lived(entries, batch_records, restarts=restarts, observer=metrics)
        assert but_for(incident_id, found) == but_for(incident_id, expected)
        assert metrics.registry.get_sample_value("dispatch_engine_errors_total", {"kind": "timer"}) == 1
        assert [r for r in caplog.records if r.levelno == logging.ERROR and f"timer/{incident_id}/" in r.getMessage()]
        seen.append(found)
    assert all(found == seen[0] for found in seen)
    events = [
        change | {"at": orjson.loads(value)["at"]}
        for topic, key, _, value in seen[0].appended
        if topic == "events" and key == incident_id
        for change in orjson.loads(value)["changes"]
    ]
    _, hurt = incident_of(seen[0], POISON)
    failed = [e for e in events if e.get("what") == "engine_error"]  # of all its targets due at that instant
    assert ("resolve", "gas") in {(e["name"], e["of"]) for e in failed}
    (failed_at,) = {e["at"] for e in failed}
    assert (failed_at < resolve["due_at"]) == (kind == "warning")
    assert "engine_error" in hurt["flags"]
    assert resolve["breached_at"] == resolve["due_at"]
    for target, same in zip(hurt["targets"], sound["targets"], strict=True):
        # a failed warning is no breach: every target is overdue when its time is up, and not before
        for field in ("name", "of", "due_at", "breached_at", "fulfilled_at"):
            assert target.get(field) == same.get(field)


def test_an_incident_that_cannot_be_dropped_is_tried_again_later_and_stops_nothing(monkeypatch, history):
    entries = with_message(
        history,
        10,
        orjson.dumps({
            "report_id": POISON, "source": "hotline", "reported_at": "2026-03-01T00:00:00Z", "category": "02",
            "tags": ["exercise"],
        }),
        REPORTS,
    )  # fmt: skip
    entries.append(Entry(CLOCK, b"", None, entries[-1].time_ms + 20 * 86_400_000))
    expected = outputs(run(entries)[0])
    plant(monkeypatch, state.PartitionState, "drop", lambda _, incident, _o: incident.reports[0][1] == POISON)
    found = lived(entries, 7)
    incident_id, kept = incident_of(found, POISON)
    assert but_for(incident_id, found) == but_for(incident_id, expected)
    assert "engine_error" in kept["flags"]
    assert kept["drop_at"] > publish.ms_to_text(entries[-1].time_ms)
    assert found == lived(entries, 1, restarts=True)
