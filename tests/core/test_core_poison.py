"""Our own faults: the record or timer that breaks the engine is named, set aside, and everything else goes on."""

from collections.abc import Callable

import pytest
from core_city import DAY_MS, START_MS, local, report
from core_desk import Desk

from dispatcher.core import NEVER_MS, EngineFault, PartitionState
from dispatcher.core import engine as engine_module
from dispatcher.core.turn import Turn
from dispatcher.core.work import Source


def planted(monkeypatch: pytest.MonkeyPatch, name: str, when: Callable[..., bool]) -> None:
    """A bug in one of the engine's own steps."""
    home = Turn if hasattr(Turn, name) else engine_module
    real = getattr(home, name)

    def broken(turn: Turn, *given: object) -> object:
        if when(*given):
            raise ZeroDivisionError("planted")
        return real(turn, *given)

    monkeypatch.setattr(home, name, broken)


def test_a_poisoned_record_ends_as_engine_error_and_all_else_is_as_without_it(monkeypatch: pytest.MonkeyPatch):
    planted(monkeypatch, "admit", lambda item, *_: item.report.report_id == "bad")
    desk, without = Desk(), Desk()
    desk.report("r1", "02")
    with pytest.raises(EngineFault) as fault:
        desk.send("reports", report("bad", text="call 13812345678"))
    assert fault.value.poison == "reports/0/1"
    assert isinstance(fault.value.__cause__, ZeroDivisionError)
    desk.engine = desk.reborn()
    desk.poisoned = {fault.value.poison}
    desk.seq -= 1
    desk.offsets["reports"] = 1
    desk.send("reports", report("bad", text="call 13812345678"))
    rejected = desk.last("rejected")
    assert (rejected["reason"], rejected["offset"], rejected["original"]) == ("engine_error", 1, "")
    assert desk.counts["rejected:engine_error"] == 1
    desk.report("r2", "02")
    without.report("r1", "02")
    without.send("reports", b"?")
    without.report("r2", "02")
    said = [record for record in desk.records if record[0] != "rejected"]
    assert said == [record for record in without.records if record[0] != "rejected"]
    assert desk.compacted.pop(("reporters", "hotline/bad")) is not None, "stage 1 has set apart what is private of it"
    assert desk.compacted == without.compacted
    assert desk.engine.state.tally["reports_rejected"] == 1


def test_a_rejection_of_stage_one_keeps_its_reason_even_when_poisoned():
    desk = Desk()
    desk.poisoned = {"reports/0/0"}
    desk.send("reports", b"?")
    assert desk.last("rejected")["reason"] == "not_json"


def test_a_fault_that_cannot_even_be_rejected_is_a_fault_again(monkeypatch: pytest.MonkeyPatch):
    planted(monkeypatch, "reject", lambda *_: True)
    desk = Desk()
    desk.poisoned = {"reports/0/0"}
    with pytest.raises(EngineFault):
        desk.send("reports", report("r1"))


def test_work_of_no_known_kind_is_a_fault():
    desk = Desk()
    with pytest.raises(EngineFault, match="no such work"):
        desk.engine.process([Strange()])  # type: ignore[list-item]


class Strange:
    time_ms = START_MS
    origin = Source("reports", 0, 0, START_MS)


def test_a_poisoned_timer_is_said_aloud_and_not_tried_again(monkeypatch: pytest.MonkeyPatch):
    desk = Desk()
    bad, good = desk.report("r1", "02"), desk.report("r2", "02")
    planted(monkeypatch, "fire_incident", lambda due_ms, incident: incident.incident_id == bad.incident_id)
    due = ["2026-03-02 09:24", "2026-03-02 09:30", "2026-03-02 14:30", "2026-03-02 15:30"]  # two warnings, two breaches
    for instant in due:  # every timer of the incident is mute in its turn, none is tried twice
        with pytest.raises(EngineFault) as fault:
            desk.clock(10 * DAY_MS)
        assert fault.value.poison == f"timer/{bad.incident_id}/{local(instant)}"
        desk.engine = desk.reborn()
        desk.poisoned.add(fault.value.poison)
    desk.clock(10 * DAY_MS)
    bad = desk.engine.state.incidents[bad.incident_id]
    assert bad.flags == ("reported_late", "engine_error")
    assert desk.engine.state.tally["timers_failed"] == 4
    breached = {target.name: target.breached_ms for target in bad.targets}
    assert breached == {"acknowledge": local(due[1]), "resolve": local(due[3])}  # nobody is late for our warnings' sake
    assert ("resolve engine_error", "water-bureau") in desk.events(bad)
    assert ("resolve breach", "water-bureau") in desk.events(good)
    assert desk.engine.next_due_ms == NEVER_MS
    assert [t.next_ms for t in desk.reborn().state.incidents[bad.incident_id].targets] == [NEVER_MS] * 2


def test_a_poisoned_verification_and_a_poisoned_farewell_are_mute_too(monkeypatch: pytest.MonkeyPatch):
    desk = Desk()
    doubtful = desk.report("r1", "02", "satellite")
    gone = desk.report("r2", "02", tags=["exercise"])
    poison = [f"timer/{doubtful.incident_id}/{doubtful.verify_ms}", f"timer/{gone.incident_id}/{gone.drop_ms}"]
    planted(monkeypatch, "fire_incident", lambda due_ms, incident: f"timer/{incident.incident_id}/{due_ms}" in poison)
    desk.poisoned = set(poison)
    desk.clock(8 * DAY_MS)
    assert doubtful.verify_ms is None
    assert gone.incident_id in desk.engine.state.incidents  # it stays a while longer and is tried again later
    assert len(desk.out("archive", gone.incident_id)) == 2  # what was said of it after its end is archived as well
    desk.clock(8 * DAY_MS)
    assert gone.incident_id not in desk.engine.state.incidents


def test_a_fault_while_putting_out_is_laid_on_the_last_record(monkeypatch: pytest.MonkeyPatch):
    desk = Desk()

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(PartitionState, "settle", broken)
    with pytest.raises(EngineFault) as fault:
        desk.send("reports", report("r1", "02"))
    assert fault.value.poison == "reports/0/0"
