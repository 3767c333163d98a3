import base64

import pytest
from views_cases import ENDED, MINUTE_MS, START_MS, Life
from views_city import City, view_of
from views_random import random_lives

from dispatcher.core import IncidentState
from dispatcher.core.incident import party
from dispatcher.views import (
    BadCursor,
    Bounds,
    Filter,
    IncidentRow,
    Projection,
    RejectedRow,
    doubled_reports,
    history,
    incident,
    incident_json,
    incidents,
    incidents_of_report,
    queue,
    refusal,
    refused,
    rejected,
    states,
)


@pytest.fixture(scope="module")
def lives() -> list[Life]:
    return random_lives(21, 300)


@pytest.fixture(scope="module")
def view(lives) -> Projection:
    return view_of(lives)


def all_pages(listing, view, where=None, limit=7):
    rows, cursor = [], None
    while True:
        page = listing(view, where, cursor, limit)
        assert len(page.lines) <= limit
        rows += page.lines
        cursor = page.next
        if cursor is None:
            return rows


def ids(rows: list[IncidentRow]) -> list[str]:
    return [row.incident_id for row in rows]


# --- one incident, one report --------------------------------------------------------------------------------------


def test_an_incident_is_read_back_as_published(lives, view):
    for life in lives:
        found = incident(view, life.record.incident_id)
        assert found is not None
        assert (found.revision, found.state, found.targets) == (
            life.record.revision,
            life.record.state,
            life.record.targets,
        )
    assert incident(view, "no such") is None
    assert incident_json(view, "no such") is None


def test_the_history_runs_across_pages(lives, view):
    assert any(life.record.history_pages for life in lives)
    for life in lives:
        assert history(view, life.record.incident_id) == (life.history, True)
    assert history(view, "no such") is None


def test_a_report_leads_to_its_incident(lives, view):
    for life in lives[:20]:
        assert incidents_of_report(view, *life.report) == [life.record.incident_id]
    assert incidents_of_report(view, "hotline", "no such") == []
    assert doubled_reports(view) == []


def test_a_report_taken_in_two_homes_is_flagged():
    lives = [
        Life("20260921-001-00001", START_MS, report_id="twice"),
        Life("20260921-002-00001", START_MS + 1, report_id="twice"),
        Life("20260921-002-00002", START_MS + 2, report_id="twice", source="ai_video"),
    ]
    view = view_of(lives)
    both = ["20260921-002-00001", "20260921-001-00001"]  # the newest first
    assert incidents_of_report(view, "hotline", "twice") == both
    assert doubled_reports(view) == [("hotline", "twice", both)]


def test_the_sum_over_states_is_all_incidents(lives, view):
    found = states(view)
    assert sum(found.values()) == len(lives)
    for state in IncidentState:
        assert found.get(state, 0) == sum(life.record.state is state for life in lives)


# --- lists ---------------------------------------------------------------------------------------------------------


def test_all_incidents_the_last_opened_first(lives, view):
    expected = sorted(lives, key=lambda life: (life.moments[0].at_ms, life.record.incident_id), reverse=True)
    rows = all_pages(incidents, view)
    assert ids(rows) == [life.record.incident_id for life in expected]
    assert ids(incidents(view, limit=10**6).lines) == ids(rows)
    assert len(incidents(view, limit=0).lines) == 1


def in_box(record, box):
    place = record.place
    return place.lon is not None and box.west <= place.lon <= box.east and box.south <= place.lat <= box.north


BOX = Bounds(114.1, 30.5, 114.3, 30.7)
FILTERS = [
    (Filter(open=True), lambda r: r.state not in ENDED),
    (Filter(open=False), lambda r: r.state in ENDED),
    (Filter(states=("handling", "checking")), lambda r: r.state in ("handling", "checking")),
    (Filter(severities=(1, 2)), lambda r: r.severity <= 2),
    (Filter(category="03"), lambda r: r.category in ("03.01", "03.02")),
    (Filter(category="03.0"), lambda r: False),
    (Filter(category="07"), lambda r: r.category == "07"),
    (Filter(source="ai_video"), lambda r: r.facts.source == "ai_video"),
    (Filter(department="gas"), lambda r: r.lead is not None and r.lead.department == "gas"),
    (Filter(cell="1"), lambda r: "1" in r.place.path),
    (Filter(cell="105"), lambda r: r.place.cell == "105"),
    (Filter(cell="10"), lambda r: False),
    (Filter(bounds=BOX), lambda r: in_box(r, BOX)),
    (Filter(open=True, department="fire", severities=(3,)), lambda r: r.state not in ENDED and r.severity == 3
     and r.lead is not None and r.lead.department == "fire"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "wanted"), FILTERS, ids=lambda value: repr(value)[:60] if isinstance(value, Filter) else ""
)
def test_a_filter_narrows_a_list_to_what_it_says(lives, view, where, wanted):
    expected = {life.record.incident_id for life in lives if wanted(life.record)}
    rows = all_pages(incidents, view, where)
    assert len(rows) == len(expected)
    assert set(ids(rows)) == expected
    waiting = {life.record.incident_id for life in lives if wanted(life.record) and life.record.state not in ENDED}
    assert set(ids(all_pages(queue, view, where))) == waiting


def test_a_period_holds_its_start_and_not_its_end(lives, view):
    instants = sorted({life.moments[0].at_ms for life in lives})
    low, high = instants[20], instants[60]
    expected = {life.record.incident_id for life in lives if low <= life.moments[0].at_ms < high}
    assert set(ids(all_pages(incidents, view, Filter(opened_from_ms=low, opened_to_ms=high)))) == expected


def test_on_time_is_a_filter_of_closed_cases(lives, view):
    for kept in (True, False):
        rows = all_pages(incidents, view, Filter(on_time=kept))
        assert rows
        for row in rows:
            life = next(life for life in lives if life.record.incident_id == row.incident_id)
            last = life.moments[-1]
            assert last.state == "closed"
            assert (last.done_ms <= last.due_ms and not last.breached) is kept


def test_whoever_has_a_part_now_is_involved():
    first, second = Life("20260921-000-00001", START_MS), Life("20260921-000-00002", START_MS)
    first.dispatch(START_MS, "gas", None)
    first.support(START_MS, "fire")
    second.dispatch(START_MS, "fire", None)
    second.reassign(START_MS, "water")
    view = view_of([first, second])
    for department, expected in [("gas", ["1"]), ("fire", ["1"]), ("water", ["2"]), ("police", [])]:
        assert [row[-1] for row in ids(incidents(view, Filter(involved=department)).lines)] == expected
    assert ids(incidents(view, Filter(department="fire")).lines) == []


# --- the queue -------------------------------------------------------------------------------------------------------


def urgency(life: Life) -> tuple:
    """surfaces.md: unacknowledged severity 1-2 first, then breached by severity, then least remaining."""
    record = life.record
    running = [t for t in record.targets if t.since and not t.fulfilled_at and not t.revoked_at]
    due_at = min((t.due_at for t in running), default="9999")
    if record.severity <= 2 and (record.lead is None or record.lead.acknowledged_at is None):
        return 0, record.severity, due_at, record.incident_id
    if any(t.breached_at for t in running):
        return 1, record.severity, due_at, record.incident_id
    return 2, 0, due_at, record.incident_id


def test_the_queue_is_in_the_order_to_work_on(lives, view):
    waiting = [life for life in lives if life.record.state not in ENDED]
    groups = {urgency(life)[0] for life in waiting}
    assert groups == {0, 1, 2}
    expected = [life.record.incident_id for life in sorted(waiting, key=urgency)]
    for limit in (1, 7, 1_000):
        assert ids(all_pages(queue, view, limit=limit)) == expected


def test_a_queue_by_hand():
    def life(n: int, severity: int, budget_min: int, acknowledged: bool, breached: bool = False) -> Life:
        life = Life(f"{n}", START_MS, severity=severity)
        life.dispatch(START_MS, "gas", budget_min * MINUTE_MS)
        if acknowledged:
            life.acknowledge(START_MS)
        if breached:
            life.breach()
        return life

    held = life(7, 3, 1, True)
    held.hold(START_MS)
    view = view_of([
        life(1, 3, 300, True), life(2, 4, 30, True), life(3, 3, 10, True, True), life(4, 1, 10, True, True),
        life(5, 2, 300, False), life(6, 1, 400, False), held, life(8, 3, 100, False),
    ])  # fmt: skip
    # 8 must be acknowledged within five minutes: that is its least remaining
    assert "".join(ids(queue(view).lines)) == "65438217"


def test_a_page_neither_repeats_nor_skips_when_incidents_come_in():
    lives = random_lives(5, 60)
    city, view = City(), Projection(":memory:")
    city.publish(lives[:40])
    view.catch_up(city.ledger)
    first = incidents(view, limit=15)
    city.publish(lives[40:])
    view.catch_up(city.ledger)
    rest = incidents(view, None, first.next, 1_000).lines
    seen = ids(first.lines) + ids(rest)
    assert len(set(seen)) == len(seen)
    assert {life.record.incident_id for life in lives[:40]} <= set(seen)


# --- rejections ------------------------------------------------------------------------------------------------------


def test_rejections_the_newest_first():
    city = City()
    reasons = ["conflict", "not_json", "engine_error"]
    for n in range(20):
        value = (
            f'{{"reason":"{reasons[n % 3]}","detail":"d{n}","topic":"updates.gas","partition":3,"offset":{n},'
            f'"received_at":"2026-09-21T00:00:00.000Z","original":"{{\\"a\\":{n}}}"}}'
        )
        city.commit([("rejected", f"updates.gas/3/{n}", START_MS + n, value.encode())], {})
    view = Projection(":memory:")
    view.catch_up(city.ledger)
    rows = all_pages(rejected, view, None, 6)
    assert [row.offset for row in rows] == list(range(19, -1, -1))
    assert rows[0] == (
        START_MS + 19, "not_json", "d19", "updates.gas", 3, 19, "2026-09-21T00:00:00.000Z", '{"a":19}',
    )  # fmt: skip
    some = all_pages(rejected, view, "conflict", 3)
    assert [row.offset for row in some] == [18, 15, 12, 9, 6, 3, 0]


BEYOND = [  # what SQLite has no integers for
    base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    for text in (f"[{1 << 63}]", f'[{1 << 63},"x"]', f'[0,0,{-(1 << 63) - 1},"x"]')
]


@pytest.mark.parametrize("cursor", ["", "!!!", "e30", "WzEsMl0", "é", "bm90IGpzb24", *BEYOND])
def test_a_cursor_from_elsewhere_is_refused(view, cursor):
    for listing in (incidents, queue, rejected):
        with pytest.raises(BadCursor, match="not a cursor"):
            listing(view, None, cursor)


def test_rows_say_who_leads(lives, view):
    for row in incidents(view, limit=1_000).lines:
        life = next(life for life in lives if life.record.incident_id == row.incident_id)
        last = life.moments[-1]
        lead = None if row.lead is None else party(row.lead, row.unit)
        assert (lead, row.due_ms, row.state) == (last.lead, last.due_ms, last.state)
        assert (row.reworks, row.returns, row.reports) == (last.reworks, last.returns, life.record.report_count)
        if last.state not in ENDED:
            assert row.done_ms == last.done_ms


def test_a_refusal_is_found_by_what_its_message_says_itself_even_when_that_was_cut_off():
    view = Projection(":memory:")
    originals = [
        '{"report_id":"a","source":"s","text":"cut o',
        '{"source":"s","attributes":{"report_id":"b"},"text":"\\"report_id\\":\\"b\\""}',
        '{"report_id":"c","source":"s","x":' + "[" * 4_000,
        '{"x":1,"source":"s","report_id":"\\"é"}',
        "[]",
        "",
    ]
    for n, original in enumerate(originals):
        row = RejectedRow(0, "reason", str(n), "reports", 0, n, "", original)
        view.db.execute(f"INSERT INTO rejected VALUES ({', '.join('?' * len(row))})", row)

    def found(report_id: str, source: str = "s") -> str | None:
        row = refused(view, "reports", {"report_id": report_id, "source": source})
        return None if row is None else row.detail

    assert [found("a"), found("b"), found("c"), found('"é')] == ["0", None, "2", "3"]
    assert found("a", "other") is None
    row = refusal(view, "reports", 0, 4)
    assert row is not None
    assert row.detail == "4"
    assert [refusal(view, *lies) for lies in (("reports", 0, 6), ("reports", 1, 4), ("updates", 0, 4))] == [None] * 3
    view.close()
