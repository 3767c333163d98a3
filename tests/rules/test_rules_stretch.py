"""Where adding to an instant gives one and the same: as found by trying every instant around."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from rules import AlwaysClock, Clock, WorkingClock
from rules.budgets import DAY_MS, HOUR_MS, MINUTE_MS
from rules.calendars import Calendar, Hours, expand_days

SHANGHAI = ZoneInfo("Asia/Shanghai")
SPLIT = Hours("workday", ("08:30-12:00", "13:30-17:30"))
CLOCKS: dict[str, Clock] = {
    "office": WorkingClock("office", Calendar(SHANGHAI, (SPLIT,), (), expand_days("CN")), 8),
    "nights": WorkingClock("nights", Calendar(SHANGHAI, (Hours("all", ("22:00-06:00",)),), (), None)),
    "all day": WorkingClock("all day", Calendar(SHANGHAI, (Hours("all", ("00:00-24:00",)),), (), expand_days("CN"))),
    "always": AlwaysClock(),
}
YEAR_2026 = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000
CLOCKS["office"].add(YEAR_2026 - 60 * DAY_MS, HOUR_MS)  # there is a span before all that is asked here
minutes = st.integers(0, 2 * 365 * 24 * 60)
amounts = st.lists(st.integers(1, 40 * 24 * 60).map(lambda minute: minute * MINUTE_MS), min_size=1, max_size=3)


@settings(max_examples=300)
@given(name=st.sampled_from(sorted(CLOCKS)), minute=minutes, wanted=amounts, shares=st.lists(st.floats(0, 1)))
def test_within_a_stretch_everything_moves_along_or_stays(
    name: str, minute: int, wanted: list[int], shares: list[float]
):
    clock, t_ms = CLOCKS[name], YEAR_2026 + minute * MINUTE_MS
    found = clock.stretch(t_ms, wanted)
    if found is None:
        return
    assert found.from_ms <= t_ms < found.until_ms
    low, high = max(found.from_ms, t_ms - DAY_MS), min(found.until_ms, t_ms + DAY_MS)
    for other_ms in {low, high - 1, *(low + int(share * (high - 1 - low)) for share in shares)}:
        later_ms = other_ms - t_ms if found.moves else 0
        for amount_ms in wanted:
            due_ms, then_ms = clock.add(t_ms, amount_ms), clock.add(other_ms, amount_ms)
            assert then_ms == due_ms + later_ms
            assert clock.provisional(then_ms) == clock.provisional(due_ms)
        assert clock.provisional(other_ms) == clock.provisional(t_ms)


@given(minute=minutes, wanted=amounts)
def test_a_stretch_goes_as_far_as_it_can(minute: int, wanted: list[int]):
    """One instant further, and something is another way: the first amount, the others, or what is provisional."""
    clock, t_ms = CLOCKS["office"], YEAR_2026 + minute * MINUTE_MS
    found = clock.stretch(t_ms, wanted)
    assert found is not None

    def alike(other_ms: int) -> bool:
        later_ms = other_ms - t_ms if found.moves else 0
        dues = [(clock.add(t_ms, each) + later_ms, clock.add(other_ms, each)) for each in wanted]
        runs = clock.contains(other_ms) == found.moves
        same = [clock.provisional(one) == clock.provisional(other) for one, other in [*dues, (t_ms, other_ms)]]
        return runs and all(one == other for one, other in dues) and all(same)

    assert not alike(found.from_ms - 1)
    assert not alike(found.until_ms)


def test_where_there_is_nothing_to_gain_there_is_none():
    office = CLOCKS["office"]
    assert office.stretch(YEAR_2026, [0]) is None
    assert office.stretch(YEAR_2026 + 300 * 365 * DAY_MS, [HOUR_MS]) is None
    assert CLOCKS["always"].stretch(YEAR_2026, [HOUR_MS]) is not None
