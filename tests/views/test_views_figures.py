"""The figures a monitoring system gets are those of the measures, and of the records read one by one."""

from collections import Counter
from zoneinfo import ZoneInfo

import pytest
from views_cases import START_MS, Life
from views_city import City

from dispatcher.core import DAY_MS, ENDED_STATES, decode_incident, text_to_ms
from dispatcher.views import Cohort, Grouping, Projection, measure
from dispatcher.views.figures import BASIS_TERMS, LIGHTS, OUTCOMES, PERIODS, Figures, figures, periods
from tests.policies.past_city import Town

ZONE = ZoneInfo("Asia/Shanghai")


def local(text: str) -> int:
    return text_to_ms(f"{text}+08:00")


@pytest.fixture(scope="module")
def view(city: City) -> Projection:
    view = Projection(":memory:")
    view.catch_up(city.ledger)
    return view


@pytest.fixture(scope="module", params=[0, 3, 40], ids=["the same day", "days later", "the month after"])
def now_ms(request) -> int:
    return START_MS + request.param * DAY_MS


@pytest.fixture(scope="module")
def found(view: Projection, now_ms: int) -> Figures:
    return figures(view, now_ms, ZONE)


def test_periods_begin_and_end_at_local_midnight() -> None:
    day = {
        "today": (local("2026-03-01T00:00:00"), local("2026-03-02T00:00:00")),
        "this_month": (local("2026-03-01T00:00:00"), local("2026-04-01T00:00:00")),
        "last_month": (local("2026-02-01T00:00:00"), local("2026-03-01T00:00:00")),
    }
    assert periods(local("2026-03-01T00:00:00"), ZONE) == day
    assert periods(local("2026-03-01T23:59:59"), ZONE) == day
    assert periods(local("2026-02-28T23:59:59"), ZONE)["today"] != day["today"]
    assert periods(local("2026-01-15T12:00:00"), ZONE)["last_month"] == (
        local("2025-12-01T00:00:00"), local("2026-01-01T00:00:00"),
    )  # fmt: skip


def test_a_day_on_which_clocks_change_is_as_long_as_it_is() -> None:
    begin, end = periods(text_to_ms("2026-03-29T12:00:00Z"), ZoneInfo("Europe/Berlin"))["today"]
    assert end - begin == 23 * 3_600_000


@pytest.mark.parametrize("by", ["department", "area"])
def test_the_terms_of_closure_add_up_to_the_measures(view: Projection, found: Figures, now_ms: int, by: str) -> None:
    seen = 0
    for period, (from_ms, to_ms) in periods(now_ms, ZONE).items():
        for basis, names in BASIS_TERMS.items():
            wanted = measure(view, Cohort(view.latest_ms, basis, from_ms, to_ms), Grouping(by))
            told: Counter[tuple[str, str]] = Counter()
            for each in found.closure:
                if (each.period, each.basis) == (period, basis):
                    told[getattr(each, by), each.term] += each.incidents
            for group in wanted.groups:
                for name in names:
                    assert told[group.code or "", name] == group.terms[name], (period, basis, group.code, name)
                    seen += group.terms[name]
            assert {term for _, term in told} <= set(names)
            assert sum(told.values()) == sum(wanted.total.terms[name] for name in names)
    assert seen > 50


def test_open_incidents_are_told_by_lead_state_and_light(view: Projection, found: Figures) -> None:
    records = [decode_incident(value) for (value,) in view.db.execute("SELECT value FROM record")]
    open_ = [record for record in records if record.state not in ENDED_STATES]
    wanted = Counter((record.lead.department if record.lead else "", str(record.state)) for record in open_)
    told: Counter[tuple[str, str]] = Counter()
    for each in found.open:
        assert each.light in LIGHTS
        told[each.department, each.state] += each.incidents
    assert told == wanted
    assert len({each.light for each in found.open}) > 1


def test_targets_are_told_by_how_they_stand(view: Projection, found: Figures, now_ms: int, lives: list[Life]) -> None:
    for period, (from_ms, to_ms) in periods(now_ms, ZONE).items():
        wanted: Counter[tuple[str, str, str, str]] = Counter()
        for value, area in view.db.execute(
            "SELECT value, coalesce(area, '') FROM record JOIN incident USING (incident_id)"
            " WHERE filed_ms >= ? AND filed_ms < ? AND state <> 'merged'", (from_ms, to_ms),
        ):  # fmt: skip
            for target in decode_incident(value).targets:
                late = target.breached_at is not None
                outcome = (
                    "revoked" if target.revoked_at
                    else ("late" if late else "in_time") if target.fulfilled_at
                    else "overdue" if late else "running"
                )  # fmt: skip
                wanted[target.name, outcome, target.of.partition("@")[0], area] += 1
        told = {
            (t.target, t.outcome, t.department, t.area): t.targets for t in found.targets if t.period == period
        }  # fmt: skip
        assert told == wanted
        assert {outcome for _, outcome, _, _ in told} <= set(OUTCOMES)
    assert lives


def test_periods_are_told_apart(found: Figures) -> None:
    assert {each.period for each in found.closure} <= set(PERIODS)


def test_the_light_turns_with_the_warnings_and_the_breach() -> None:
    town, view = Town(at="2026-03-05 15:00"), Projection(":memory:")

    def lights() -> dict[str, int]:
        view.catch_up(town.ledger)
        return {each.light: each.incidents for each in figures(view, town.now_ms, ZONE).open}

    town.report("r", "03")  # three hours to resolve, warned of at 50 and 80 %
    assert lights() == {"green": 1}
    town.pass_time("2026-03-05 16:31")
    assert lights() == {"amber": 1}
    town.pass_time("2026-03-05 18:01")
    assert lights() == {"red": 1}
