import random

import pytest
from views_cases import ENDED, MINUTE_MS, START_MS, Life
from views_city import view_of
from views_oracle import Case, Oracle
from views_random import random_lives

from dispatcher.core import NEVER_MS
from dispatcher.views import (
    EXCLUDED,
    TERMS,
    Cohort,
    Grouping,
    Projection,
    Promises,
    flows,
    incidents_behind,
    measure,
    promises,
)

HOUR_MS = 60 * MINUTE_MS
GROUPINGS = (
    Grouping("department"), Grouping("party"), Grouping("area"), Grouping("area", 2), Grouping("category"),
    Grouping("category", 1), Grouping("major"), Grouping("source"),
)  # fmt: skip


@pytest.fixture(scope="module")
def random_city() -> tuple[list[Life], Projection]:
    lives = random_lives(20260921, 700)
    return lives, view_of(lives)


def test_the_random_lives_reach_every_corner(random_city):
    lives, view = random_city
    terms = measure(view, Cohort(view.latest_ms)).total.terms
    for name in ("unfiled", "closed_in_time", "overdue_pending", "rework", "returned", "voided", "self_handled"):
        assert terms[name] > 0, name
    assert sum(life.record.history_pages for life in lives) > 0
    assert max(moment.reworks for life in lives for moment in life.moments) >= 3


@pytest.mark.parametrize("seed", range(12))
def test_measures_equal_a_fold_over_what_was_true(random_city, seed):
    lives, view = random_city
    rng = random.Random(seed)
    instants = sorted(m.at_ms for life in rng.sample(lives, 50) for m in life.moments)
    cases = [Case(life.record, life.history) for life in lives]
    for basis in ("received", "filed", "due"):
        from_ms, to_ms = sorted((rng.choice(instants), rng.choice(instants) + HOUR_MS))
        for as_of_ms in (view.latest_ms, rng.choice(instants), rng.choice(instants) - 1, instants[-1] + 48 * HOUR_MS):
            for bounds in ((0, NEVER_MS), (from_ms, to_ms)):
                cohort = Cohort(as_of_ms, basis, *bounds)
                by = rng.choice([Grouping(), *GROUPINGS])
                found, oracle = measure(view, cohort, by), Oracle(cases, cohort)
                whole = oracle.fold(Grouping()).get(None, dict.fromkeys(TERMS, 0))
                assert found.total.terms == whole
                if by.by is not None:
                    shown = {group.code: group.terms for group in found.groups if any(group.terms.values())}
                    assert shown == oracle.fold(by)


def test_rates_never_exceed_one_and_terms_add_up(random_city):
    _, view = random_city
    for basis in ("filed", "due"):
        for hour in range(0, 30, 2):
            cohort = Cohort(START_MS + hour * HOUR_MS, basis, START_MS + HOUR_MS, START_MS + 8 * HOUR_MS)
            total = measure(view, cohort).total
            terms = total.terms
            for rate in total.rates.values():
                assert 0 <= rate.numerator <= rate.denominator
                assert (rate.value is None) == (rate.denominator == 0)
            left = sum(len(incidents_behind(view, name, cohort)) for name in EXCLUDED)
            assert left == sum(terms[name] for name in EXCLUDED)
            filed_left = terms["filed"] - terms["open"] - terms["closed"]
            assert 0 <= filed_left <= left


def test_the_cases_behind_a_term(random_city):
    _, view = random_city
    cohort = Cohort(view.latest_ms)
    by = Grouping("department")
    for group in measure(view, cohort, by).groups:
        for name, count in group.terms.items():
            ids = incidents_behind(view, name, cohort, by, group.code)
            assert len(ids) == count or (name in ("rework", "returned", "upheld") and 0 < len(ids) <= count)
    with pytest.raises(KeyError):
        incidents_behind(view, "no such term", cohort)


# --- flows and promises ------------------------------------------------------------------------------------------


def test_flows_are_counts_per_period(random_city):
    lives, view = random_city
    edges = [START_MS + hour * HOUR_MS for hour in (0, 1, 3, 7, 20)]
    found = flows(view, edges)
    for flow in found:
        within = [m for life in lives for m in _firsts(life) if flow.from_ms <= m[0] < flow.to_ms]
        kinds = [kind for _, kind in within]
        assert flow[2:] == tuple(kinds.count(kind) for kind in ("opened", "filed", "closed", "otherwise"))
    assert sum(flow.opened for flow in found) == len(lives)
    with pytest.raises(ValueError, match="must rise"):
        flows(view, [2, 2])


def _firsts(life: Life):
    yield life.moments[0].at_ms, "opened"
    filed = next((m.at_ms for m in life.moments if m.filed), None)
    if filed is not None:
        yield filed, "filed"
    end = life.moments[-1]
    if end.state in ENDED:
        yield end.at_ms, "closed" if end.state == "closed" else "otherwise"


def test_promises_count_closed_cases_with_a_promised_date(random_city):
    lives, view = random_city
    closed = [life for life in lives if life.record.promised_at and life.record.closed_at]
    kept = [life for life in closed if (life.moments[-1].done_ms or life.now_ms) <= Life._ms(life.record.promised_at)]
    assert 0 < len(kept) < len(closed)
    assert promises(view) == Promises(len(closed), len(kept))
