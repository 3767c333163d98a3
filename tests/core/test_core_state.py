"""What a partition remembers, for how long, and that it comes back as it was."""

import orjson
import pytest
from core_city import DAY_MS, HOUR_MS, local, report, tiny_policy
from core_desk import Desk

from dispatcher.core import Engine, Incident, PartitionState, Position, Rulebook
from dispatcher.core.publish import Publisher
from dispatcher.core.repeats import SEEN_BUCKET, SEEN_WINDOW_MS, Seen


def tally(desk: Desk) -> tuple[int, int, int]:
    """Reports accepted, repeated, rejected."""
    found = desk.engine.state.tally
    return found["reports_accepted"], found["reports_repeated"], found["reports_rejected"]


def void(desk: Desk, incident: Incident) -> None:
    assert desk.update(incident, "void", "supervisor", reason_code="test") is None


def buckets(desk: Desk) -> dict[str, int]:
    """How many reports each bucket of `state` holds."""
    return {
        key: len(orjson.loads(value))
        for (topic, key), value in desk.compacted.items()
        if topic == "state" and key.startswith("seen/") and value is not None
    }


# --- repeats --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("restarted", [False, True])
def test_a_report_is_known_for_the_window_and_not_a_moment_longer(restarted: bool):
    desk = Desk()
    incident = desk.report("r1", "02")
    void(desk, incident)
    desk.clock(8 * DAY_MS)  # the incident is gone, its report is remembered
    assert desk.engine.state.incidents == {}
    desk.now_ms = incident.opened_ms + SEEN_WINDOW_MS
    if restarted:
        desk.engine = desk.reborn()
    desk.send("reports", report("r1", "02"))
    assert tally(desk) == (1, 1, 0)
    desk.send("reports", report("r1", "02", text="other"))
    assert tally(desk) == (1, 1, 1)
    assert desk.last("rejected")["reason"] == "conflict"
    desk.now_ms += 1
    if restarted:
        desk.engine = desk.reborn()
    desk.send("reports", report("r1", "02", text="other"))
    assert tally(desk) == (2, 1, 1)
    assert desk.engine.state.repeats.seen("hotline", "r1", desk.now_ms) is not None


def test_the_window_is_as_long_as_promised():
    assert SEEN_WINDOW_MS >= 30 * DAY_MS


def test_the_same_id_of_another_source_is_another_report():
    desk = Desk()
    assert desk.report("r1", "02") is not desk.report("r1", "02", "rider")


def test_a_report_is_known_as_long_as_its_incident_is_held():
    """An update may name the incident by it, and a report sent again after two months is still the same."""
    desk = Desk()
    held = desk.report("old", "02")
    fill(desk, SEEN_BUCKET - 1)
    desk.clock(60 * DAY_MS)
    assert buckets(desk) == {"seen/0": 1}
    for _ in range(2):
        desk.engine = desk.reborn()
        named = {"incident_id": None, "report": {"source": "hotline", "report_id": "old"}}
        assert desk.update(held, "note", "officer", text="still there", **named) is None
        desk.send("reports", report("old", "02"))
    assert tally(desk)[1] == 2
    void(desk, desk.engine.state.incidents[held.incident_id])
    desk.clock(8 * DAY_MS)
    assert buckets(desk) == {}
    assert desk.engine.state.repeats.seen("hotline", "old", desk.now_ms) is None


def fill(desk: Desk, reports: int, name: str = "f") -> None:
    """Drills: remembered as reports, and gone as incidents within a week."""
    desk.take(
        [desk.record("reports", orjson.dumps(report(f"{name}{n}", "02", tags=["exercise"]))) for n in range(reports)]
    )


def test_full_buckets_are_emptied_when_they_leave_the_window():
    desk = Desk()
    fill(desk, 2 * SEEN_BUCKET + 3)
    assert buckets(desk) == {"seen/0": SEEN_BUCKET, "seen/1": SEEN_BUCKET, "seen/2": 3}
    desk.clock(SEEN_WINDOW_MS)
    assert len(buckets(desk)) == 3
    desk.clock(1)
    assert buckets(desk) == {"seen/2": 3}
    assert sum(map(len, desk.engine.state.repeats._by_source.values())) == 3


@pytest.mark.parametrize("reports", [SEEN_BUCKET, SEEN_BUCKET + 1])
def test_a_bucket_is_never_numbered_twice_whatever_is_left_of_earlier_ones(reports: int):
    """A full bucket may shrink or go while the next is still empty; a restart must not begin it anew."""
    undisturbed, restarted = Desk(), Desk()
    for desk in (undisturbed, restarted):
        desk.report("held", "02")
        fill(desk, reports - 1)
        desk.clock(40 * DAY_MS)
        if desk is restarted:
            desk.engine = desk.reborn()
        desk.report("new", "02")
    assert restarted.compacted == undisturbed.compacted
    assert buckets(undisturbed) == {"seen/0": 1, "seen/1": 1 + reports - SEEN_BUCKET}


def test_a_report_taken_anew_outlives_what_was_known_of_it():
    desk = Desk()
    fill(desk, SEEN_BUCKET, "a")  # seen/0
    desk.clock(20 * DAY_MS)
    fill(desk, SEEN_BUCKET - 1, "b")
    desk.clock(12 * DAY_MS)  # seen/0 has gone
    fill(desk, 1, "a")  # a0 again, the last of seen/1
    state = desk.engine.state
    first = state.repeats.seen("hotline", "a0", desk.now_ms)
    assert first is not None
    desk.clock(25 * DAY_MS)
    assert state.repeats.seen("hotline", "a0", desk.now_ms) is first
    assert desk.reborn().state.repeats.seen("hotline", "a0", desk.now_ms) == first


def test_of_two_entries_of_one_report_the_younger_counts_after_a_restore():
    older, younger = Seen("s", "r", "i1", 1, 10), Seen("s", "r", "i2", 2, 20)
    for order in ([older, younger], [younger, older]):
        state = PartitionState(0, {})
        state.restore([("seen/0", orjson.dumps([list(_fields(seen)) for seen in order]))], [])
        found = state.repeats.seen("s", "r", 20)
        assert found is not None
        assert found.incident_id == "i2"


def _fields(seen: Seen) -> tuple[object, ...]:
    return seen.source, seen.report_id, seen.incident_id, seen.digest, seen.time_ms


def test_ageing_one_entry_leaves_the_younger_of_the_same_report():
    state, out = PartitionState(0, {}), Publisher()
    state.repeats.remember(Seen("s", "r", "i1", 1, 0))
    for n in range(SEEN_BUCKET - 1):
        state.repeats.remember(Seen("s", f"x{n}", "i1", 1, 0))
    state.repeats.remember(Seen("s", "r", "i2", 2, SEEN_WINDOW_MS + 1))
    state.repeats.age(SEEN_WINDOW_MS + 1, out)
    found = state.repeats.seen("s", "r", SEEN_WINDOW_MS + 1)
    assert found is not None
    assert found.incident_id == "i2"
    assert out.compacted == {("state", "seen/0"): None}


# --- ids ------------------------------------------------------------------------------------------------------------


def test_ids_are_unique_ordered_and_dated_by_the_local_day():
    desk = Desk(start_ms=local("2026-03-02 23:59"))
    ids = [desk.report(f"a{n}", "02").incident_id for n in range(3)]
    desk.at("2026-03-03 00:00")
    ids += [desk.report(f"b{n}", "02").incident_id for n in range(3)]
    desk.engine = desk.reborn()
    ids += [desk.report(f"c{n}", "02").incident_id for n in range(3)]
    assert ids == [f"20260302-000-0000{n}" for n in (1, 2, 3)] + [f"20260303-000-0000{n}" for n in range(1, 7)]


def test_the_serial_has_no_bound_and_the_day_never_goes_back():
    state = PartitionState(7, {})
    state._number = 99_998
    state._day = "20260302"
    assert [state.next_id("20260302"), state.next_id("20260301")] == ["20260302-007-99999", "20260302-007-100000"]
    assert state.next_id("20260303") == "20260303-007-00001"


def test_a_policy_of_another_zone_never_makes_an_id_twice():
    west = Rulebook(tiny_policy(("timezone: Asia/Shanghai", "timezone: America/New_York")))
    desk = Desk(books=[west])
    ids = [desk.report("r1", "02").incident_id]
    desk.activate(west, expects=desk.book.policy.sha256)
    ids.append(desk.report("r2", "02").incident_id)
    desk.now_ms += 14 * HOUR_MS
    ids.append(desk.report("r3", "02").incident_id)
    assert ids == ["20260302-000-00001", "20260302-000-00002", "20260302-000-00003"]


def test_the_day_changes_with_the_clocks_of_the_zone():
    """On 2026-11-01 New York's day has twenty-five hours."""
    east = (("timezone: Asia/Shanghai", "timezone: America/New_York"),)
    start_ms = local("2026-11-01 12:00")  # midnight in New York
    desk = Desk(*east, start_ms=start_ms)
    days = []
    for hour in (0, 1, 6, 24, 25):
        desk.now_ms = start_ms + hour * HOUR_MS
        days.append(desk.report(f"r{hour}", "02").incident_id[:8])
    assert days == ["20261101", "20261101", "20261101", "20261101", "20261102"]


# --- restoring ------------------------------------------------------------------------------------------------------


def test_without_a_policy_nothing_is_decided():
    state = PartitionState(0, {})
    with pytest.raises(LookupError, match="no policy"):
        _ = state.book
    state.reindex()
    assert Engine(state, Position()).next_due_ms > local("9999-01-01 00:00")


def test_an_incident_of_a_policy_nobody_has_is_not_restored_by_halves():
    desk = Desk()
    desk.report("r1", "02")
    desk.books.clear()
    with pytest.raises(LookupError):
        desk.reborn()


def test_a_key_of_a_later_version_is_not_ignored():
    with pytest.raises(ValueError, match="novelty/1"):
        PartitionState(0, {}).restore([("novelty/1", b"1")], [])


def test_the_brief_of_an_order_comes_back():
    desk = Desk()
    incident = desk.report("r1", "02", text="the main has burst", media=["https://x/1.jpg"])
    desk.engine = desk.reborn()
    incident = desk.engine.state.incidents[incident.incident_id]
    assert desk.update(incident, "assign", "dispatcher", support=["gas-company"]) is None
    order = desk.last("dept.gas-company")
    assert (order["text"], order["media"]) == ("the main has burst", ["https://x/1.jpg"])
    assert "text" not in desk.public(incident)
