"""Asleep or awake, an incident is the same, and an engine whose incidents sleep says what one that never rests says."""

import random
from typing import Any

import orjson
import pytest
from core_city import DAY_MS, HERE
from core_desk import Desk
from core_histories import History
from msgspec.structs import replace

from dispatcher.core import NEVER_MS, Engine, Incident, PartitionState, Position, ms_to_text
from dispatcher.core import shelf as shelf_module
from dispatcher.core.incident import Brief
from dispatcher.core.packing import Glance, Words, glance_packed, pack_incident, unpack_incident
from dispatcher.core.publish import Publisher
from dispatcher.core.shelf import Shelf, read_published
from dispatcher.core.timers import Timers
from dispatcher.core.wakeups import next_due_ms
from dispatcher.core.wire import incident_json

STEPS = 150
SEEDS = range(4)


def desk_with(awake_max: int) -> Desk:
    """An empty desk of whose incidents only so many stay awake."""
    desk = Desk()
    desk.engine = Engine(PartitionState(0, desk.books, partitions=8, awake_max=awake_max), Position(), "grid-hash")
    desk.records.clear()
    desk.compacted.clear()
    desk.counts.clear()
    desk.activate(desk.book, expects=None)
    return desk


def no_reviving(_value: bytes, _brief: bytes | None) -> Incident:
    raise AssertionError("nothing here was published")


def with_next_at(desk: Desk, incident: Incident) -> bytes:
    """Its record on `incidents`, saying when its next timer is due."""
    value = desk.compacted["incidents", incident.incident_id]
    assert value is not None
    return (
        value
        if incident.next_ms == NEVER_MS
        else value[:-1] + f',"next_at":"{ms_to_text(incident.next_ms)}"}}'.encode()
    )


def published(desk: Desk, *, next_at: bool) -> list[tuple[str, bytes]]:
    return [
        (i.incident_id, with_next_at(desk, i) if next_at else desk.compacted["incidents", i.incident_id] or b"")
        for i in desk.engine.state.incidents.values()
    ]


def restored(desk: Desk, *, next_at: bool, awake_max: int = 4_096) -> PartitionState:
    state = PartitionState(0, desk.books, partitions=8, awake_max=awake_max)
    kept = [(key, value) for (topic, key), value in desk.compacted.items() if topic == "state" and value is not None]
    state.restore(kept, published(desk, next_at=next_at))
    return state


# --- packing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("words_max", [0, 3, 1000])
def test_an_incident_that_was_packed_is_the_same_and_is_written_the_same(seed: int, words_max: int):
    """Also when the vocabulary is full and words stand where they are used."""
    history, words, packed = History(seed), Words(words_max), 0
    for _ in range(STEPS):
        history.step()
        for incident in history.desk.engine.state.incidents.values():
            try:
                small = pack_incident(incident, words)
            except OverflowError:
                assert any(isinstance(value, int) and value >= 2**64 for _, value in incident.facts.attributes)
                continue
            again = unpack_incident(incident.incident_id, small, words)
            assert again == incident
            assert incident_json(again) == incident_json(incident)
            assert type(again.state) is type(incident.state)
            glance = glance_packed(incident.incident_id, small, words)
            assert glance == glance_of(incident)
            assert glance.open == incident.open
            packed += 1
    assert packed > STEPS
    assert len(words._words) <= words_max


def glance_of(incident: Incident) -> Glance:
    return Glance(incident.incident_id, incident.state, incident.category, incident.place, incident.asset)


def test_what_many_say_alike_is_kept_once():
    desk, words = Desk(), Words()
    one, other = (desk.report(f"r{n}", "02", location={"lon": 114.01 + n / 100, "lat": 30.005}) for n in range(2))
    size = len(pack_incident(one, words))
    known = len(words._words)
    assert len(pack_incident(other, words)) == size
    assert len(words._words) <= known + 2  # another cell, at most
    assert size < len(desk.compacted["incidents", one.incident_id] or b"") / 3
    assert size < len(pack_incident(one, Words(0)))


def test_a_default_is_left_out_of_the_json_after_waking_as_before():
    """A report without a position says no place, one in the sea says `none`: equal texts, other bytes."""
    desk, words = Desk(), Words()
    for location in (None, {"lon": 1.0, "lat": 1.0}):
        incident = desk.report(f"r{location}", "01", location=location)
        again = unpack_incident(incident.incident_id, pack_incident(incident, words), words)
        assert incident_json(again) == desk.compacted["incidents", incident.incident_id]


# --- the shelf ------------------------------------------------------------------------------------------------------


def some(count: int = 6) -> dict[str, Incident]:
    template = Desk().report("r1", "02", text="a leak")
    return {f"i{n}": replace(template, incident_id=f"i{n}", next_ms=1_000 + n) for n in range(count)}


def test_a_shelf_is_a_mapping_in_the_order_of_ids():
    incidents, shelf = some(), Shelf(no_reviving, awake_max=2)
    for incident_id in reversed(incidents):
        shelf[incident_id] = incidents[incident_id]
    shelf.settle(())
    assert list(shelf) == list(shelf.keys()) == sorted(incidents)
    assert dict(shelf.items()) == incidents == shelf
    assert list(shelf.values()) == [incidents[incident_id] for incident_id in sorted(incidents)]
    assert (len(shelf), "i3" in shelf, "i9" in shelf, shelf.get("i9")) == (6, True, False, None)
    assert len(shelf._awake) == 2  # to read them all wakes none of them for good
    del shelf["i3"]  # asleep
    del shelf["i0"]  # awake
    assert sorted(shelf) == ["i1", "i2", "i4", "i5"]
    for gone in ("i0", "i3"):
        with pytest.raises(KeyError):
            _ = shelf[gone]
        with pytest.raises(KeyError):
            del shelf[gone]
    assert shelf.next_ms("i0") == NEVER_MS


def test_the_longest_unused_fall_asleep_first_and_the_busy_never():
    incidents, shelf = some(), Shelf(no_reviving, awake_max=2)
    shelf.update(incidents)
    assert shelf["i0"] is incidents["i0"]  # used last
    shelf.settle({"i1", "i2"})
    assert sorted(shelf._awake) == ["i0", "i1", "i2", "i5"]
    shelf.settle(())
    assert sorted(shelf._awake) == ["i0", "i5"]
    woken = shelf["i4"]
    assert woken == incidents["i4"]
    assert woken is not incidents["i4"]
    assert shelf["i4"] is woken  # until the end of the call
    woken.severity = 1
    shelf["i5"].severity = 1
    shelf.settle({"i4"})
    assert shelf["i4"] is woken
    shelf.settle(())
    shelf.awake_max = 0
    shelf.settle(())
    assert not shelf._awake
    assert [incident.severity for incident in shelf.values()] == [incidents["i0"].severity] * 4 + [1, 1]


def test_the_head_says_the_same_asleep_and_awake():
    incidents, shelf = some(), Shelf(no_reviving, awake_max=0)
    incidents["i1"].place = replace(incidents["i1"].place, lon=None, lat=None)
    shelf.update(incidents)

    def said() -> list[object]:
        return [(repr(shelf.spot(i)), shelf.next_ms(i)) for i in shelf]

    awake = said()
    found = [glance_of(incident) for incident in shelf.glances()]  # type: ignore[arg-type]
    shelf.settle(())
    assert not shelf._awake
    assert said() == awake
    assert list(shelf.glances()) == found
    assert not shelf._awake


def test_a_number_too_large_to_pack_sleeps_as_it_was_published():
    desk = desk_with(0)
    incident = desk.report("r1", "02", attributes={"big": 2**70}, text="a leak", media=["https://x"])
    desk.clock()
    shelf = desk.engine.state.incidents
    assert not shelf._awake
    assert shelf[incident.incident_id] == incident
    assert shelf.next_ms(incident.incident_id) == incident.next_ms


def test_one_that_cannot_be_woken_is_still_held():
    desk = Desk()
    incident = desk.report("r1", "02")
    state = restored(desk, next_at=True)
    state.books = {}
    for _ in range(2):
        with pytest.raises(KeyError):
            _ = state.incidents[incident.incident_id]
    assert incident.incident_id in state.incidents


# --- through the engine ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("awake_max", [0, 1, 3])
def test_who_sleeps_says_what_the_sleepless_say(seed: int, awake_max: int):
    sleepless, sleeper = History(seed, desk_with(10**9)), History(seed, desk_with(awake_max))
    for _ in range(STEPS):
        sleepless.step()
        sleeper.step()
    for desk in (sleepless.desk, sleeper.desk):
        desk.clock(5 * DAY_MS)
    assert sleeper.desk.records == sleepless.desk.records
    assert sleeper.desk.compacted == sleepless.desk.compacted
    assert sleeper.desk.engine.state.incidents == sleepless.desk.engine.state.incidents
    awake, everybody = (len(each.desk.engine.state.incidents._awake) for each in (sleeper, sleepless))
    assert awake < everybody or everybody <= awake_max


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("next_at", [False, True])
def test_after_a_restart_everything_sleeps_and_goes_on_as_if_nothing_had_happened(seed: int, next_at: bool):
    """Published with its next instant, an incident is not read whole before somebody wants it."""
    undisturbed, restarted = History(seed), History(seed)
    rng = random.Random(seed)
    for _ in range(STEPS):
        undisturbed.step()
        restarted.step()
        if rng.random() < 0.2:
            desk = restarted.desk
            desk.engine = Engine(restored(desk, next_at=next_at), desk.engine.position, "grid-hash")
            state, alive = desk.engine.state, undisturbed.desk.engine.state
            assert not state.incidents._awake
            assert state.timers.next_due_ms == alive.timers.next_due_ms
            assert {key: sorted(ids.split()) for key, ids in state.merges._buckets.items()} == {
                key: sorted(ids.split()) for key, ids in alive.merges._buckets.items()
            }
            assert state.incidents == alive.incidents
    assert restarted.desk.records == undisturbed.desk.records
    assert restarted.desk.compacted == undisturbed.desk.compacted


def test_what_a_restart_left_as_it_was_published_is_packed_little_by_little(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shelf_module, "PACKED_IN_A_CALL", 3)
    desk = Desk()
    ids = [desk.report(f"r{n}", "02", text=f"text {n}").incident_id for n in range(8)]
    state = restored(desk, next_at=True)
    shelf = state.incidents
    raw = size_of(shelf)
    woken = shelf[ids[7]]
    del shelf[ids[6]]
    sizes = []
    for _ in range(4):
        shelf.settle(())
        sizes.append(size_of(shelf))
    assert raw > sizes[0] > sizes[1] > sizes[2] == sizes[3]
    assert shelf[ids[7]] is woken
    assert shelf[ids[0]] == desk.engine.state.incidents[ids[0]]
    assert shelf[ids[0]].brief == Brief(None, "text 0", ())


def size_of(shelf: Shelf) -> int:
    return sum(len(kept) for kept in shelf._kept.values() if isinstance(kept, bytes))


@pytest.mark.parametrize("next_at", [False, True])
def test_new_merge_rules_are_applied_to_those_asleep(next_at: bool):
    desk = Desk()
    for n in range(3):
        desk.report(f"r{n}", "02", location={"lon": HERE["lon"], "lat": HERE["lat"] + n / 100})
    desk.update(desk.report("r4", "02"), "void", "supervisor", reason_code="test")
    state = restored(desk, next_at=next_at, awake_max=1)
    before = dict(state.merges._buckets)
    assert len(before) == 3
    state.reindex()
    assert state.merges._buckets == before
    assert not state.incidents._awake


def test_an_incident_of_an_unknown_policy_is_named():
    desk = Desk()
    incident = desk.report("r1", "02")
    desk.books.clear()
    for next_at in (False, True):
        with pytest.raises(LookupError, match=incident.incident_id):
            restored(desk, next_at=next_at)


def test_only_a_glance_is_needed_of_what_was_published():
    desk = Desk()
    incident = desk.report("r1", "02")
    record = read_published(with_next_at(desk, incident))
    assert record.glance() == glance_of(incident)
    assert record.decision.policy == desk.book.policy.sha256


def test_nothing_that_changed_in_this_call_sleeps_before_it_is_written():
    """Settling comes before writing: those that changed stay awake for one more call."""
    desk = desk_with(0)
    desk.take([desk.record("reports", orjson.dumps(each)) for each in reports(5)])
    shelf = desk.engine.state.incidents
    assert len(shelf._awake) == 5
    desk.clock()
    assert not shelf._awake
    for incident_id in shelf:
        assert incident_json(shelf.peek(incident_id)) == desk.compacted["incidents", incident_id]


def reports(count: int) -> list[dict[str, Any]]:
    return [
        {"report_id": f"r{n}", "source": "hotline", "reported_at": "2026-03-02T09:00:00+08:00", "category": "02"}
        for n in range(count)
    ]


# --- timers ---------------------------------------------------------------------------------------------------------


def test_alarms_and_incidents_fire_in_one_order():
    incidents, rng = some(40), random.Random(7)
    shelf = Shelf(no_reviving, awake_max=0)
    shelf.update(incidents)
    timers, expected = Timers(shelf), {}
    for incident in incidents.values():
        incident.drop_ms = rng.randrange(10) * 20_000
        incident.targets = ()
        timers.set(incident)
        expected[incident.incident_id] = incident.drop_ms
    for n in range(30):
        key, due_ms = f"mode/{n:02d}", rng.randrange(10) * 20_000
        timers.alarm(key, rng.randrange(300_000))
        timers.alarm(key, due_ms)
        expected[key] = due_ms
        if n % 5 == 0:
            timers.alarm(key, None)
            del expected[key]
    shelf.settle(())
    fired = []
    while due := timers.pop_before(100_001):
        fired.append((due.due_ms, due.key))
        assert (due.incident is None) == due.key.startswith("mode")
        assert due.incident is None or due.incident.incident_id == due.key
    assert fired == sorted((due_ms, key) for key, due_ms in expected.items() if due_ms <= 100_000)
    assert 20 < len(fired) < 64
    assert timers.next_due_ms == 120_000


def test_timers_agree_with_the_plain_scan_whatever_is_set_when():
    """Set, set anew, taken away, dropped and fired in any order, on this side of the minute in hand and beyond."""
    rng, shelf, incidents = random.Random(11), Shelf(no_reviving, awake_max=5), some(30)
    for incident in incidents.values():
        incident.targets, incident.next_ms = (), NEVER_MS
    shelf.update(incidents)
    timers, alarms, now_ms, fired = Timers(shelf), {}, 0, 0
    for _ in range(3_000):
        what, key = rng.random(), rng.choice(sorted(incidents))
        if what < 0.5 and key in shelf:
            shelf[key].drop_ms = now_ms + rng.choice([0, 1, 59_999, 60_000, 600_000, rng.randrange(400_000)])
            timers.set(shelf[key])
        elif what < 0.7:
            due_ms = rng.choice([None, now_ms + rng.randrange(400_000)])
            timers.alarm(f"a/{key}", due_ms)
            alarms[f"a/{key}"] = NEVER_MS if due_ms is None else due_ms
        elif what < 0.71 and key in shelf and len(shelf) > 10:
            del shelf[key]
        else:
            now_ms += rng.choice([0, 0, 1, 5_000, 61_000])
        shelf.settle(())
        due = {**{i: next_due_ms(shelf.peek(i)) for i in shelf}, **alarms}
        first = min((due_ms, key) for key, due_ms in due.items())
        assert timers.next_due_ms == first[0]
        popped = timers.pop_before(now_ms)
        assert (popped and popped[:2]) == (first if first[0] < now_ms else None)
        if popped is None:
            continue
        fired += 1
        if popped.incident is None:
            alarms[popped.key] = NEVER_MS
        else:
            popped.incident.drop_ms = None
            timers.set(popped.incident)
    assert fired > 200


def test_an_alarm_nobody_answers_is_a_fault_of_ours():
    desk = Desk()
    desk.engine.state.timers.alarm("novelty/1", desk.now_ms)
    assert desk.engine.next_due_ms == desk.now_ms
    with pytest.raises(Exception, match=r"timer/novelty/1/.*nobody answers"):
        desk.clock(1)


def test_the_earliest_of_an_incidents_timers_counts():
    incident = some()["i0"]
    earliest = min(target.next_ms for target in incident.targets)
    assert next_due_ms(incident) == earliest
    incident.drop_ms = earliest - 1
    assert next_due_ms(incident) == earliest - 1
    incident.verify_ms = earliest - 2
    assert next_due_ms(incident) == earliest - 2
    assert next_due_ms(replace(incident, targets=(), drop_ms=None, verify_ms=None)) == NEVER_MS


def test_settling_writes_and_puts_to_sleep_in_one():
    desk = desk_with(0)
    desk.report("r1", "02")
    out = Publisher()
    desk.engine.state.settle(out)
    assert not desk.engine.state.incidents._awake
    assert {key for _, key in out.compacted} == {"serial", "tally", "policy"}
