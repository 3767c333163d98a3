"""What is published is all an engine needs: there and back, byte for byte, over random histories."""

import random
from collections import Counter
from typing import Any

import msgspec
import orjson
import pytest
from core_city import DAY_MS
from core_desk import Desk
from core_histories import ODD, History

from dispatcher.core import OPEN_STATES, AssignmentState, Incident, IncidentState, decode_incident
from dispatcher.core import wire as wire_module
from dispatcher.core.incident import Decided
from dispatcher.core.records import from_record
from dispatcher.core.wire import incident_json, place_json, quoted, responsible
from geo import Place

SEEDS = range(12)
STEPS = 160


def hints(incident: Incident) -> Any:
    return [target.next_ms for target in incident.targets], incident.next_ms


@pytest.mark.parametrize("seed", SEEDS)
def test_an_incident_comes_back_from_its_record_byte_for_byte(seed: int):
    desk = History(seed).run(STEPS)
    share: dict[Decided, Decided] = {}
    for (topic, key), value in desk.compacted.items():
        if topic != "incidents" or value is None:
            continue
        assert incident_json(desk.engine.state.incidents[key]) == value
        again = from_record(decode_incident(value), share)
        assert incident_json(again) == value
        assert orjson.loads(value)["incident_id"] == key
    assert len(share) == len({id(decided) for decided in share.values()})


@pytest.mark.parametrize("seed", SEEDS)
def test_a_restored_engine_goes_on_as_if_nothing_had_happened(seed: int):
    """Restored again and again at random places; its outputs and its state stay those of the undisturbed engine."""
    undisturbed, restarted = History(seed), History(seed)
    places = random.Random(seed)
    for _ in range(STEPS):
        undisturbed.step()
        if places.random() < 0.2:
            restarted.desk.engine = restarted.desk.reborn()
        restarted.step()
    one, other = undisturbed.desk, restarted.desk
    for desk in (one, other):
        desk.clock(40 * DAY_MS)
    assert other.records == one.records
    assert other.compacted == one.compacted
    alive, reborn = one.engine.state, one.reborn().state
    assert {key: hints(i) for key, i in reborn.incidents.items()} == {k: hints(i) for k, i in alive.incidents.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_record_is_json_and_every_history_keeps_the_invariants(seed: int):
    history = History(seed)
    desk = history.desk
    opened: set[str] = set()
    for _ in range(STEPS):
        before = {key: (i.revision, i.updated_ms) for key, i in desk.engine.state.incidents.items()}
        records = len(desk.records)
        history.step()
        for _, _, _, value in desk.records[records:]:
            orjson.loads(value)
        for key, incident in desk.engine.state.incidents.items():
            opened.add(key)
            check_invariants(incident, desk.now_ms)
            revision, updated_ms = before.get(key, (0, 0))
            assert incident.updated_ms >= updated_ms  # time never runs backwards
            assert incident.revision >= revision
    tally = desk.engine.state.tally
    assert len(opened) == tally["reports_accepted"] - tally["reports_merged"]
    held = sum(i.report_count for i in desk.engine.state.incidents.values())
    archived = {r["incident_id"]: r["report_count"] for r in desk.out("archive") if "state" in r}
    gone = sum(n for key, n in archived.items() if key not in desk.engine.state.incidents)
    assert held + gone == tally["reports_accepted"]  # reports are counted once however merged
    revisions = Counter(record["incident_id"] for record in desk.out("events") if "incident_id" in record)
    assert all(revisions[key] == i.revision for key, i in desk.engine.state.incidents.items())


def check_invariants(incident: Incident, now_ms: int) -> None:
    who = responsible(incident)
    assert (who is not None) == (incident.state in OPEN_STATES)
    if incident.state in (IncidentState.DISPATCHED, IncidentState.HANDLING):
        assert incident.lead is not None
        assert who == incident.lead.party
    parts = [part.party for part in incident.assignments() if part.state is not AssignmentState.WITHDRAWN]
    assert len(parts) == len(set(parts))  # nobody has two parts at a time
    owed = [(target.name, target.of) for target in incident.targets if target.active]
    assert len(owed) == len(set(owed))  # nobody owes anything twice
    for target in incident.targets:
        assert not (target.active and incident.state not in OPEN_STATES)
        assert target.of in {*parts, "centre"} or not target.active
        assert target.consumed_ms >= 0
        if target.active and target.since_ms >= 0 and target.breached_ms is None:
            assert incident.next_ms <= target.next_ms <= target.due_ms
            assert target.due_ms >= target.since_ms
        if target.fulfilled_ms is not None:
            assert target.fulfilled_ms <= now_ms
    if incident.state is IncidentState.CHECKING:
        assert incident.lead is not None
        assert incident.lead.state is AssignmentState.DONE


def test_the_histories_reach_every_state_and_action():
    """Otherwise the properties above would say little."""
    states: set[str] = set()
    done: Counter[str] = Counter()
    for seed in SEEDS:
        desk = History(seed).run(STEPS)
        for event in desk.out("events"):
            done[event.get("what", "")] += 1
            states.add(event.get("state", ""))
    actions = {
        "verify", "file", "acknowledge", "arrive", "confirm_arrival", "note", "return", "refuse_return",
        "accept_return", "assign", "done", "check", "void", "report", "merge", "timer",
    }  # fmt: skip
    assert actions <= set(done)
    assert states >= {str(state) for state in IncidentState} - {"filed"}


def test_odd_words_are_quoted_wherever_they_come_out():
    desk = Desk()
    incident = desk.report(f"r{ODD}", f"what {ODD}", tags=[ODD], attributes={ODD: ODD}, text=ODD, media=[ODD])
    assert desk.update(incident, "assign", "dispatcher", support=[f"street-office@{ODD}"], reason_code=ODD) is None
    public = desk.public(incident)
    assert public["reported_category"] == f"what {ODD}"
    assert public["support"][0]["unit"] == ODD
    assert public["tags"][0] == ODD or ODD in public["tags"]
    order = desk.out("dept.street-office")[0]
    assert (order["unit"], order["media"]) == (ODD, [ODD])
    assert desk.last("routed")["category"] == {"code": None, "said": f"what {ODD}"}
    assert desk.last("routed")["why"] == 'no route "matched"'


def test_titles_and_reasons_with_quotes_come_out_whole():
    desk = Desk()
    desk.report(category="01")
    assert desk.last("routed")["category"]["en"] == 'Street "order"'


def test_what_is_not_an_incident_is_not_read_as_one():
    with pytest.raises(msgspec.ValidationError):
        decode_incident(b'{"incident_id": "x"}')


def test_caches_of_the_wire_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wire_module, "_QUOTED_LIMIT", 10)
    for n in range(30):
        assert quoted(f"word {n}") == f'"word {n}"'
        assert len(wire_module._quoted) <= 50_000
    assert len(wire_module._quoted) <= 10
    places = [Place(float(n), 0.0, None, (), "outside") for n in range(4200)]
    for place in places:
        assert orjson.loads(place_json(place))["lon"] == place.lon
    assert len(wire_module._places) <= 4096
    assert place_json(places[-1]) is place_json(places[-1])


def test_long_histories_are_cut_into_pages_that_lose_nothing():
    desk = Desk()
    incident = desk.report(category="02")
    for n in range(45):
        assert desk.update(incident, "note", "officer", text="x", media=["https://x"] * (n % 3)) is None
    pages = desk.out("archive", incident.incident_id)
    assert [page["page"] for page in pages] == [1, 2]
    entries = [entry for page in pages for entry in page["history"]] + desk.public(incident)["history"]
    assert [entry["revision"] for entry in entries] == list(range(1, 47))
    assert desk.public(incident)["history_pages"] == 2
