"""The days of a period: their terms add up to the whole, on every basis, and days are as long as the clocks say."""

from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from dispatcher.views import RATES, Cohort, Projection, measure, midnights_between, named_period, period, trend

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")


@pytest.mark.parametrize("basis", ["received", "filed", "due"])
@pytest.mark.parametrize("adjusted", [False, True])
def test_the_days_add_up_to_the_whole(city, basis, adjusted):
    view = Projection(":memory:")
    view.catch_up(city.ledger)
    first, last = view.db.execute(
        "SELECT min(opened_ms), max(max(opened_ms, coalesce(due_ms, 0))) FROM incident"
    ).fetchone()
    edges = midnights_between(first, last + 1, SHANGHAI)
    cohort = Cohort(view.latest_ms, basis, edges[0], edges[-1], adjusted)
    days = trend(view, cohort, edges)
    total = measure(view, cohort).total.rates[f"closure_{basis}"]
    assert total.denominator > 0
    assert (sum(day.numerator for day in days), sum(day.denominator for day in days)) == total
    for day, (from_ms, to_ms) in zip(days, pairwise(edges), strict=True):
        assert day == measure(view, cohort._replace(from_ms=from_ms, to_ms=to_ms)).total.rates[f"closure_{basis}"]
    assert trend(view, cohort, edges[:1]) == []
    assert RATES[f"closure_{basis}"]


def test_a_day_is_as_long_as_the_clocks_say():
    from_ms, to_ms = period("2026-10-31..2026-11-02", NEW_YORK)
    hours = [(after - before) / 3_600_000 for before, after in pairwise(midnights_between(from_ms, to_ms, NEW_YORK))]
    assert hours == [24, 25, 24]
    assert midnights_between(from_ms, to_ms, NEW_YORK)[0] == from_ms
    assert midnights_between(from_ms, to_ms, NEW_YORK)[-1] == to_ms


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("today", "2026-03-01"),
        ("yesterday", "2026-02-28"),
        ("week", "2026-02-23..2026-03-01"),  # it was a Sunday
        ("last_week", "2026-02-16..2026-02-22"),
        ("month", "2026-03"),
        ("last_month", "2026-02"),
    ],
)
def test_periods_by_name(name, written):
    assert named_period(name, date(2026, 3, 1)) == written
    period(written, SHANGHAI)
