"""Instants as text and back, and the heap that says whose turn it is."""

from datetime import UTC, datetime

import pytest
from core_desk import Desk
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.core import NEVER_MS, datetime_to_ms, ms_to_text, text_to_ms
from dispatcher.core import instants as instants_module
from dispatcher.core.timers import Timers

LATEST_MS = 253_402_300_799_999


@given(st.integers(-62_135_596_800_000, LATEST_MS))
def test_there_and_back(instant_ms: int):
    text = ms_to_text(instant_ms)
    assert text_to_ms(text) == instant_ms
    assert len(text) == 24


@given(st.integers(0, LATEST_MS), st.integers(0, LATEST_MS))
def test_the_order_of_texts_is_the_order_of_instants(one: int, other: int):
    assert (ms_to_text(one) < ms_to_text(other)) == (one < other)


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.timezones()))  # noqa: DTZ001
def test_text_says_what_the_calendar_says(moment: datetime):
    utc = moment.astimezone(UTC)
    assert ms_to_text(datetime_to_ms(moment))[:-1] == utc.isoformat(timespec="milliseconds").removesuffix("+00:00")


def test_instants_are_cut_to_the_millisecond_and_never_rounded():
    assert text_to_ms("1970-01-01T00:00:00.001999Z") == 1
    assert text_to_ms("2026-11-22T10:04:05+08:00") == text_to_ms("2026-11-22T02:04:05Z")
    assert ms_to_text(0) == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize("text", ["2026-11-22T10:04:05", "2026-11-22", "soon", ""])
def test_a_time_without_an_offset_is_none(text: str):
    with pytest.raises(ValueError):
        text_to_ms(text)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(instants_module, "_DAY_TEXT_LIMIT", 5)
    for day in range(9000):
        instant_ms = day * 86_400_000
        assert ms_to_text(instant_ms)[:10] == datetime.fromtimestamp(instant_ms / 1000, UTC).date().isoformat()
    assert len(instants_module._day_text) <= 5


# --- timers ---------------------------------------------------------------------------------------------------------


def test_the_next_timer_is_that_of_the_earliest_target_and_stale_ones_are_passed_over():
    desk = Desk()
    incident = desk.report("r1", "02")
    timers = Timers(desk.engine.state.incidents)
    timers.enter(incident.incident_id, incident.next_ms)
    first = min(target.next_ms for target in incident.targets)
    assert timers.next_due_ms == first
    assert timers.pop_before(first) is None  # strictly before
    assert timers.pop_before(first + 1) == (first, incident.incident_id, incident)
    assert timers.pop_before(NEVER_MS) is None  # nobody set it again
    for due_ms in (500, 300, 400):
        incident.drop_ms = due_ms
        timers.set(incident)
    assert timers.next_due_ms == 400  # the entries of 500 and 300 are stale
    incident.verify_ms = 350
    timers.set(incident)
    timers.set(incident)
    assert timers.pop_before(NEVER_MS) == (350, incident.incident_id, incident)
    del desk.engine.state.incidents[incident.incident_id]
    assert timers.next_due_ms == NEVER_MS
