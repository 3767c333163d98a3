"""A bug of ours that raises on one record: that record ends as `engine_error`, the city goes on, somebody is told.

The bugs are planted with `monkeypatch` in the real stages. Everything else must be byte for byte as if that one record
had been rejected for a reason of its own, and but for rejections and tallies as if it had never been sent; only its
words stay where stage 1 had set them apart.
"""

import logging

import orjson
import pytest
from sim_bugs import (
    POISON,
    RECORDS,
    Bug,
    but_for_rejections,
    lived,
    plant,
    poisoned_report,
    poisoned_update,
    split,
    with_message,
)
from sim_city import start
from sim_history import History
from sim_outputs import no_clock, outputs, run

from dispatcher.core import CLOCK, REPORTS, EngineFault, Incident, Reason, admit, intake, publish, repeats, track
from dispatcher.core.locate import Placer
from dispatcher.core.merge import MergeIndex
from dispatcher.ledger import MemoryLedger
from dispatcher.metrics import EngineMetrics


@pytest.fixture(scope="module")
def history():
    return History(21).entries(RECORDS)


def bug_in_stage_1(monkeypatch):
    plant(monkeypatch, Placer, "place", lambda _, reports: any(r.report_id == POISON for r in reports))


def bug_in_facts(monkeypatch):
    plant(monkeypatch, admit, "facts_of", lambda _p, work, *_: work.report.report_id == POISON)


def step_by_step(monkeypatch):
    """No incident is opened in one sweep, so that the bug of a step is met."""
    monkeypatch.setattr(admit, "is_usual", lambda *_: False)


def bug_in_opening(monkeypatch):
    plant(monkeypatch, admit, "open_at_once", lambda _t, _b, work, *_: work.report.report_id == POISON, late=True)


def bug_in_dispatch(monkeypatch):
    step_by_step(monkeypatch)
    plant(monkeypatch, admit, "dispatch", lambda _b, incident, *_: incident.reports[0][1] == POISON, late=True)


def bug_in_merge(monkeypatch):
    def is_poison(_index, incident, _rule):
        return isinstance(incident, Incident) and incident.reports[0][1] == POISON

    plant(monkeypatch, MergeIndex, "add", is_poison, late=True)


def bug_in_publish(monkeypatch):
    step_by_step(monkeypatch)
    plant(
        monkeypatch,
        publish.Publisher,
        "publish",
        lambda _, change, _p: change.incident.reports[0][1] == POISON,
        late=True,
    )


def bug_in_ageing(monkeypatch):
    """After the record was done: the incident it opened is the newest there is."""

    def is_poison(memory, _now_ms, _out):
        incident = next(reversed(list(memory._held.values())), None)
        return incident is not None and incident.revision == 1 and incident.reports[0][1] == POISON

    plant(monkeypatch, repeats.Repeats, "age", is_poison)


def bug_in_writing(monkeypatch):
    """At the end of the batch, when all its incidents are written: no record is at hand to be blamed."""
    step_by_step(monkeypatch)
    plant(monkeypatch, publish, "incident_json", lambda incident: incident.reports[0][1] == POISON)


def bug_in_update(monkeypatch):
    plant(monkeypatch, track, "apply_update", lambda _t, _b, _i, work, *_: work.update.update_id == POISON, late=True)


def bug_in_writing_an_update(monkeypatch):
    plant(monkeypatch, publish, "incident_json", lambda incident: POISON in (incident.updates or ()))


BUGS = [
    (poisoned_report, bug_in_stage_1),
    (poisoned_report, bug_in_facts),
    (poisoned_report, bug_in_opening),
    (poisoned_report, bug_in_dispatch),
    (poisoned_report, bug_in_merge),
    (poisoned_report, bug_in_publish),
    (poisoned_report, bug_in_ageing),
    (poisoned_report, bug_in_writing),
    (poisoned_update, bug_in_update),
    (poisoned_update, bug_in_writing_an_update),
]


def taken(metrics: EngineMetrics) -> float:
    """All records, whatever became of them, as the metrics have it."""
    families = [family for family in metrics.registry.collect() if family.name == "dispatch_records"]
    return sum(s.value for family in families for s in family.samples if s.name.endswith("_total"))


@pytest.mark.parametrize(("poisoned", "bug"), BUGS, ids=[bug.__name__ for _, bug in BUGS])
def test_the_record_ends_as_engine_error_and_everything_else_is_as_without_it(
    monkeypatch, history, caplog, poisoned, bug
):
    index = RECORDS // 2
    entries = poisoned(history, index)
    topic = entries[index].topic
    offset = sum(e.topic == topic for e in entries[:index])
    key = f"{topic}/0/{offset}"
    refused, as_refused = split(outputs(run(with_message(entries, index, b"{", topic))[0]), key)
    without = but_for_rejections(outputs(run(entries[:index] + entries[index + 1 :])[0]))
    harmless = outputs(run(entries)[0])
    bug(monkeypatch)
    for batch_records, restarts in ((1, False), (7, False), (1_000, False), (5, True)):
        metrics = EngineMetrics(no_clock)
        caplog.clear()
        found = lived(entries, batch_records, restarts=restarts, observer=metrics)
        if topic == REPORTS and bug is not bug_in_stage_1:  # stage 1 had set the words apart: they are not lost
            words = found.newest.pop(("reporters", f"hotline/{POISON}"))
            assert orjson.loads(words) == {"text": f"{POISON}: smell of gas"}
        said, rest = split(found, key)
        assert said["reason"] == Reason.ENGINE_ERROR
        assert said | {"reason": "", "detail": "", "original": ""} == refused | {
            "reason": "", "detail": "", "original": "",
        }  # fmt: skip
        assert rest.appended == as_refused.appended
        assert rest.newest == as_refused.newest
        assert but_for_rejections(found) == without
        assert metrics.registry.get_sample_value("dispatch_engine_errors_total", {"kind": "record"}) == 1
        assert metrics.registry.get_sample_value("dispatch_rejected_total", {"reason": "engine_error"}) == 1
        assert taken(metrics) == sum(e.topic != CLOCK for e in entries) + 1  # and the first policy: each counted once
        assert [r for r in caplog.records if r.levelno == logging.ERROR and key in r.getMessage()]
    assert harmless.appended != found.appended  # the record would have done something


def test_a_second_fault_on_the_same_poison_stops_the_process(monkeypatch, history):
    """When not even the rejection can be written there is nothing left to do but stop, with nothing half done."""
    entries = poisoned_report(history, 30)
    bug_in_facts(monkeypatch)
    plant(monkeypatch, publish.Publisher, "reject", lambda _, rejected: rejected.reason is Reason.ENGINE_ERROR)
    ledger = MemoryLedger(no_clock)
    host = start(ledger, batch_records=8)
    ledger.append(entries)
    for _ in range(2):  # and so does the next one that is started
        with pytest.raises(EngineFault, match="reports/0/") as raised:
            host.catch_up()
        assert isinstance(raised.value.__cause__, Bug)
        assert ledger.position(0).offset < 31
        assert not [r for r in outputs(ledger).appended if POISON.encode() in (r[3] or b"")]
        host = start(ledger, batch_records=1_000)
    monkeypatch.undo()
    host = start(ledger)
    host.catch_up()
    assert outputs(ledger) == outputs(run(entries)[0])  # the bug was mended: nothing was lost meanwhile


def test_a_failing_stage_1_does_not_fail_again_on_what_it_says_of_it(monkeypatch, history):
    """The bug is in the masking of broken messages, which their rejection needs."""
    entries = with_message(history, 50, b"{", REPORTS)
    plant(monkeypatch, intake, "mask_original", lambda value: value == b"{")
    found = lived(entries, 1_000)
    rejected = [r for r in found.appended if r[0] == "rejected" and b"engine_error" in (r[3] or b"")]
    assert len(rejected) == sum(e.value == b"{" for e in entries)
