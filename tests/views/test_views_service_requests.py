"""Lists of what was asked for, against the same worked out row by row; and that they read an index."""

import pytest
from msgspec.structs import replace
from views_cases import MINUTE_MS, START_MS, Life
from views_city import view_of
from views_random import random_lives

from dispatcher.core import NEVER_MS, IncidentState
from dispatcher.views import IncidentRow, Projection
from dispatcher.views import incidents as listed
from dispatcher.views.service_requests import Asked, asked_of, followed, joined_reports, requested, told, whole_rows

ALL = Asked(from_ms=0, to_ms=NEVER_MS, public=(), own_sources=("hotline", "ai_video", "camera", "app"))
NOBODYS = replace(ALL, own_sources=())


@pytest.fixture(scope="module")
def view() -> Projection:
    return view_of(random_lives(23, 300))


@pytest.fixture(scope="module")
def rows(view: Projection) -> list[IncidentRow]:
    return sorted(listed(view, limit=1_000).lines, key=lambda row: (row.reported_ms, row.incident_id), reverse=True)


def test_a_list_is_what_its_conditions_say(view: Projection, rows: list[IncidentRow]):
    categories = sorted({row.category for row in rows if row.category is not None})
    sources = sorted({row.source for row in rows})
    middle_ms = rows[len(rows) // 2].reported_ms
    for asked in (
        ALL,
        replace(ALL, categories=(categories[0], "none")),
        replace(ALL, from_ms=middle_ms),
        replace(ALL, to_ms=middle_ms, open=True),
        replace(NOBODYS, public=tuple(categories[:2])),
        replace(NOBODYS, own_sources=tuple(sources[:1]), open=False),
        replace(NOBODYS, public=tuple(categories[:1]), own_sources=tuple(sources[-1:])),
        NOBODYS,
    ):
        wanted = [row for row in rows if _is_wanted(view, row, asked)]
        pages = [requested(view, asked, offset, 7) for offset in range(0, len(rows), 7)]
        assert [row for page in pages for row in page] == wanted, asked
    assert requested(view, ALL, 0, 1_000) == rows


def _is_wanted(view: Projection, row: IncidentRow, asked: Asked) -> bool:
    visible = row.category in asked.public or row.source in asked.own_sources
    kind = asked.categories is None or row.category in asked.categories
    is_open = asked.open in (None, followed(view, row).outcome is None)
    return visible and kind and is_open and asked.from_ms <= row.reported_ms <= asked.to_ms


def test_changes_are_the_spells_in_their_order(view: Projection, rows: list[IncidentRow]):
    changes = told(view, ALL, 0, 100_000)
    own = [change for change in changes if change.of == change.incident_id]
    spells = view.db.execute("SELECT incident_id, revision, at_ms, state FROM spell").fetchall()
    assert [change[:4] for change in own] == sorted(spells, key=lambda spell: (spell[2], spell[0], spell[1]))
    assert told(view, ALL, 3, 4) == changes[3:7]
    assert told(view, NOBODYS, 0, 10) == []


def chain() -> tuple[Projection, list[str]]:
    """Three incidents, each merged into the next, the last closed by force."""
    ids = [f"20260921-000-0000{n}" for n in range(1, 4)]
    lives = [Life(incident_id, START_MS + n * MINUTE_MS, report_id=f"r{n}") for n, incident_id in enumerate(ids)]
    for n, life in enumerate(lives):
        life.dispatch(START_MS + (10 + n) * MINUTE_MS, "gas", None)
    for n in (0, 1):
        lives[n].record.parent = ids[n + 1]
        lives[n].end(START_MS + (20 + n) * MINUTE_MS, IncidentState.MERGED, "merge")
    return view_of(lives), ids


def test_what_is_merged_is_open_as_long_as_what_it_went_into_at_last():
    view, ids = chain()
    rows = whole_rows(view, ids)
    assert [followed(view, row).incident_id for row in rows] == [ids[2]] * 3
    assert {row.incident_id for row in requested(view, replace(ALL, open=True), 0, 10)} == set(ids)
    assert requested(view, replace(ALL, open=False), 0, 10) == []
    view.db.execute("UPDATE incident SET queue_rank = NULL, outcome = 'closed' WHERE incident_id = ?", (ids[2],))
    assert requested(view, replace(ALL, open=True), 0, 10) == []
    assert {row.incident_id for row in requested(view, replace(ALL, open=False), 0, 10)} == set(ids)


def test_a_ring_of_merged_ones_ends():
    view, ids = chain()
    view.db.execute("UPDATE incident SET state = 'merged', parent = ? WHERE incident_id = ?", (ids[0], ids[2]))
    assert {row.incident_id for row in requested(view, replace(ALL, open=True), 0, 10)} == set(ids)
    assert followed(view, whole_rows(view, ids)[0]).incident_id in ids


def test_a_change_is_told_of_what_was_merged_before_it():
    view, ids = chain()
    of_first = {change.of for change in told(view, ALL, 0, 100) if change.incident_id == ids[1]}
    assert of_first == {ids[0], ids[1]}  # its being merged came after the first was merged into it
    before_ms = START_MS + 15 * MINUTE_MS
    early = told(view, replace(ALL, to_ms=before_ms), 0, 100)
    assert {(change.incident_id, change.of) for change in early} == {(each, each) for each in ids}


def test_when_a_report_was_made_or_merged_is_known():
    life = Life("20260921-000-00001", START_MS, report_id="first")
    life.dispatch(START_MS + MINUTE_MS, "gas", None)
    for n in range(25):
        life.merge(START_MS + (2 + n) * MINUTE_MS, f"hotline.{n}")
    view = view_of([life])
    incident_id = life.record.incident_id
    assert asked_of(view, incident_id, "hotline", "first") == whole_rows(view, [incident_id])[0].reported_ms
    for n in range(25):
        assert asked_of(view, incident_id, "hotline", f"hotline.{n}") == START_MS + (2 + n) * MINUTE_MS
    assert asked_of(view, incident_id, "hotline", "none") is None
    assert joined_reports(view, incident_id, ".2[0-9]") == [
        ("hotline", f"hotline.{n}", START_MS + (2 + n) * MINUTE_MS) for n in range(20, 25)
    ]


def test_lists_read_an_index_of_their_span(view: Projection):
    statements: list[str] = []
    view.db.set_trace_callback(statements.append)
    requested(view, replace(NOBODYS, public=("x",), own_sources=("y",), open=True), 0, 10)
    told(view, replace(NOBODYS, public=("x",)), 0, 10)
    view.db.set_trace_callback(None)
    plans = [[row[3] for row in view.db.execute(f"EXPLAIN QUERY PLAN {each}")] for each in statements]
    assert any(
        "incident USING COVERING INDEX incident_reported (reported_ms>? AND reported_ms<?)" in line for line in plans[0]
    )
    assert any("spell USING COVERING INDEX spell_at (at_ms>? AND at_ms<?)" in line for line in plans[-1])
    assert not any(line.startswith("SCAN incident") or line == "SCAN spell" for plan in plans for line in plan)
