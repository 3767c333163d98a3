"""Merging: exactly the open incidents near enough and fresh enough, and nothing is ever sent away by it."""

import random
from math import cos, hypot, radians

import pytest
from core_city import DAY_MS, HERE, HOUR_MS, MINUTE_MS, report, shown
from core_desk import Desk
from msgspec.structs import replace

from dispatcher.core import Incident
from dispatcher.core.merge import METRES_PER_DEGREE, MergeIndex
from dispatcher.core.shelf import Shelf
from geo import Place
from rules import Merge

EAST_49_M = {"lon": HERE["lon"] + 49 / (METRES_PER_DEGREE * cos(radians(30.01))), "lat": HERE["lat"]}
EAST_51_M = {"lon": HERE["lon"] + 51 / (METRES_PER_DEGREE * cos(radians(30.01))), "lat": HERE["lat"]}


def shelved(*incidents: Incident) -> Shelf:
    """They are all asleep: an index must do without waking anybody."""

    def never(_value: bytes, _brief: bytes | None) -> Incident:
        raise AssertionError("woken")

    shelf = Shelf(never, awake_max=0)
    for incident in incidents:
        shelf[incident.incident_id] = incident
    shelf.settle(())
    assert not shelf._awake
    return shelf


def metres(lon: float, lat: float, place: Place) -> float:
    """Along the tangent plane at the middle latitude; nothing of the index is used."""
    assert place.lon is not None
    assert place.lat is not None
    east = (place.lon - lon) * cos(radians((place.lat + lat) / 2))
    return hypot(east, place.lat - lat) * METRES_PER_DEGREE


@pytest.fixture(scope="module")
def template() -> Incident:
    return Desk().report(category="01")


LATITUDES = [0.0, 0.0001, 30.0, -33.9, 60.0, -78.0, 88.95, 89.0, 89.5, 89.999, -89.9999, 90.0]


@pytest.mark.parametrize("lat", LATITUDES)
@pytest.mark.parametrize("radius_m", [0.5, 50.0, 10_000.0])
def test_candidates_are_those_of_the_plain_loop(template: Incident, lat: float, radius_m: float):
    rng = random.Random(f"{lat} {radius_m}")
    rule = Merge("01", radius_m, None, None, "auto", None)
    incidents = []
    centre = rng.choice([-179.0, -0.001, 0.0, 114.0])
    reach = 3 * radius_m / METRES_PER_DEGREE

    def point() -> tuple[float, float]:
        y = max(-90.0, min(90.0, lat + rng.uniform(-reach, reach)))
        wide = min(reach / max(cos(radians(y)), 1e-9), 0.9)
        return centre + rng.uniform(-wide, wide), y

    for n in range(120):
        x, y = point()
        incident = replace(template, incident_id=f"i{n:03d}", place=Place(x, y, None, (), "outside"))
        incidents.append(incident)
    index = MergeIndex(shelved(*incidents))
    for incident in incidents:
        index.add(incident, rule)
    gone = set(rng.sample(range(120), 30))
    for n in gone:
        index.remove(incidents[n])
        index.remove(incidents[n])  # twice does no harm
    held = [incident for n, incident in enumerate(incidents) if n not in gone]
    hits = 0
    for _ in range(120):
        x, y = point()
        near = [(metres(x, y, incident.place), incident.incident_id) for incident in held]
        expected = [incident_id for distance, incident_id in sorted(near) if distance <= radius_m]
        found = index.candidates(rule, "01", x, y, None, template.opened_ms)
        assert found == expected
        hits += len(found)
        assert index.candidates(rule, "02", x, y, None, template.opened_ms) == []
    assert hits > 20
    for incident in held:
        index.remove(incident)
    assert index._buckets == {}
    assert index._keys == {}


@pytest.mark.parametrize(("lon", "lat"), [(1e308, 1e308), (0.0, 91.0), (181.0, 0.0), (None, None), (114.0, None)])
def test_a_position_off_the_earth_finds_nothing_and_is_never_found(template: Incident, lon: float, lat: float):
    rule = Merge("01", 50.0, None, None, "auto", None)
    nowhere = replace(template, place=Place(lon, lat, None, (), "none"))
    index = MergeIndex(shelved(nowhere))
    index.add(nowhere, rule)
    assert index.candidates(rule, "01", lon, lat, None, 0) == []


def test_without_a_rule_or_a_category_nothing_is_entered(template: Incident):
    index = MergeIndex(shelved(template))
    index.add(template, None)
    index.add(replace(template, category=None), Merge("01", 50.0, None, None, "auto", None))
    index.add(template, Merge("01", None, None, None, "auto", None))
    index.add(template, Merge("01", None, None, None, "auto", "asset"))
    assert index._buckets == {}
    assert index.candidates(Merge("01", None, None, None, "auto", "asset"), "01", None, None, None, 0) == []


# --- through the engine ---------------------------------------------------------------------------------------------


def test_within_the_radius_it_is_the_same_incident_beyond_it_another():
    desk = Desk()
    first = desk.report("r1", "01")
    assert desk.report("r2", "01", location=EAST_49_M) is first
    assert desk.report("r3", "01", location=EAST_51_M) is not first
    assert desk.report("r4", "01.02") is not first  # another category
    assert (first.report_count, list(first.reports)) == (2, [("hotline", "r1"), ("hotline", "r2")])
    assert desk.engine.state.tally["reports_merged"] == 1


def test_a_gap_of_silence_or_a_long_life_ends_merging():
    desk = Desk()
    first = desk.report("r0", "01")
    desk.now_ms += 30 * MINUTE_MS
    assert desk.report("r1", "01") is first  # at the gap
    desk.now_ms += 30 * MINUTE_MS + 1
    second = desk.report("r2", "01")
    assert second is not first
    opened_ms = desk.now_ms
    for n in range(48):  # every half hour for a day
        desk.now_ms += 30 * MINUTE_MS
        assert desk.report(f"s{n}", "01") is second
    assert desk.now_ms == opened_ms + DAY_MS  # at the end of its life
    desk.now_ms += 1
    assert desk.report("r3", "01") is not second
    assert len(second.reports) == 20
    assert second.report_count == 49


def test_time_runs_by_records_and_not_by_what_reports_claim():
    desk = Desk()
    first = desk.report("r1", "01", reported_at=shown(desk.now_ms))
    desk.now_ms += HOUR_MS
    assert desk.report("r2", "01", reported_at=shown(desk.now_ms - HOUR_MS)) is not first


def test_more_reporters_bring_more_departments_and_send_none_away():
    desk = Desk()
    first = desk.report("r1", "01")
    desk.report("r2", "01")
    assert not first.support
    assert desk.last("routed")["event"] == "entered"
    desk.now_ms += MINUTE_MS
    desk.report("r3", "01")  # the third: a crowd
    assert [(a.department, a.required, a.state) for a in first.support] == [("traffic-police", True, "offered")]
    assert (first.severity, "crowd" in first.tags) == (2, True)
    assert desk.last("routed")["event"] == "urgency"
    assert desk.last("dept.traffic-police")["event"] == "offer"
    assert desk.targets(first, "resolve")["traffic-police"]["since"] == shown(desk.now_ms)
    causes = [c["cause"] for e in desk.out("events", first.incident_id) for c in e["changes"] if "cause" in c]
    assert causes == ["report", "merge"]
    assert desk.update(first, "assign", "dispatcher", lead="water-bureau") is None
    desk.report("r4", "01")  # another route would win by now
    assert first.lead is not None
    assert first.lead.department == "water-bureau"
    parts = [(a.department, a.state) for a in first.support]
    assert parts == [("traffic-police", "offered"), ("street-office", "withdrawn")]


def test_a_merge_that_would_route_otherwise_keeps_the_clocks_as_they_were_promised():
    """The fourth report finds a route under another SLA with other warnings; the targets run on under their own."""
    desk = Desk()
    first = desk.report("r1", "01")
    desk.now_ms += 25 * MINUTE_MS  # the one warning of `works` (80 % of 30wm) has been given
    for n in range(2, 5):
        desk.report(f"r{n}", "01")
    public = desk.public(first)
    assert (public["decision"]["route"], public["decision"]["sla"]) == ("crowd", "works")
    assert first.next_ms == desk.engine.next_due_ms
    restored = desk.reborn().state.incidents[first.incident_id]
    assert [t.next_ms for t in restored.targets] == [t.next_ms for t in first.targets]
    desk.clock(2 * DAY_MS)
    events = [record["at"] for record in desk.out("events", first.incident_id)]
    assert events == sorted(events)
    assert all(t.breached_ms is not None for t in first.targets if t.active)


def test_an_assignment_after_such_a_merge_keeps_them_too():
    desk = Desk()
    first = desk.report("r1", "01")
    assert desk.update(first, "return", "street-office", reason_code="not_ours") is None
    for n in range(2, 5):
        desk.report(f"r{n}", "01")
    (help_,) = first.support  # whoever leads: more came to be known, and help is offered at once
    assert (help_.department, help_.state) == ("traffic-police", "offered")
    assert desk.update(first, "assign", "dispatcher", lead="gas-company") is None
    assert first.decided.sla == "works"
    desk.clock(2 * DAY_MS)
    assert ("resolve breach", "gas-company") in desk.events(first)


def test_suggested_are_listed_the_nearest_first_and_left_alone():
    desk = Desk()
    others = []
    for n in range(7):
        location = {"lon": HERE["lon"] + n * 1e-5, "lat": HERE["lat"]}
        others.append(desk.report(f"r{n}", "02", location=location).incident_id)
    last = desk.report("r9", "02")
    assert last.suggested == tuple(others[:5])
    assert ("merge_suggested", "") in desk.events(last)
    assert all(desk.engine.state.incidents[other].report_count == 1 for other in others)


def test_the_same_asset_is_the_same_incident_wherever_it_is_reported_from():
    desk = Desk()
    first = desk.report("r1", "05", location={"asset": "lamp-1"})
    assert desk.report("r2", "05", location={**HERE, "asset": "lamp-1"}) is first
    assert desk.report("r3", "05", location={"asset": "lamp-far"}) is not first
    assert desk.report("r4", "05", location=HERE) is not first
    assert desk.report("r5", "05", location=HERE).report_count == 1


def test_what_has_ended_takes_no_more_reports():
    desk = Desk()
    first = desk.report("r1", "01")
    assert desk.update(first, "void", "supervisor", reason_code="test") is None
    second = desk.report("r2", "01")
    assert second is not first
    drill = desk.report("r3", "02", tags=["exercise"], location={"lon": 114.03, "lat": 30.005})
    assert drill.state == "not_accepted"
    assert desk.report("r4", "02", location={"lon": 114.03, "lat": 30.005}).suggested == ()


def test_a_report_sent_again_is_not_merged_again():
    desk = Desk()
    first = desk.report("r1", "01")
    desk.report("r2", "01")
    before = first.revision
    desk.send("reports", report("r2", "01"))
    assert (first.report_count, first.revision) == (2, before)
    assert desk.engine.state.tally["reports_repeated"] == 1


@pytest.mark.parametrize("stage", ["returned", "checking"])
def test_what_is_recorded_is_the_decision_on_the_facts_that_are_kept(stage: str):
    """Also where nobody is sent out: an explanation is recomputed from the facts and must be what was decided."""
    desk = Desk()
    first = desk.report("r1", "01")
    if stage == "returned":
        assert desk.update(first, "return", "street-office", reason_code="not_ours") is None
    else:
        assert desk.update(first, "acknowledge", "street-office") is None
        assert desk.update(first, "done", "street-office") is None
    for n in range(2, 5):
        desk.report(f"r{n}", "01")
    assert first.state == stage
    decisions = [c for e in desk.out("events", first.incident_id) for c in e["changes"] if c["event"] == "decision"]
    assert decisions[-1]["facts"]["reporters"] == first.facts.reporters == 4
    assert [c["cause"] for c in decisions] == ["report", "merge", "merge"]
