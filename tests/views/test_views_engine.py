"""The measures against the engine itself: what they derive in SQL, a plain fold over the exported records must give."""

import random
from collections import Counter
from itertools import pairwise

import pytest
from views_cases import HOUR_MS
from views_city import dump
from views_desk import Desk
from views_oracle import Case, Oracle, told_by

from dispatcher.core import NEVER_MS, text_to_ms
from dispatcher.views import (
    TERMS,
    Cohort,
    Grouping,
    Projection,
    came_back,
    gaming,
    history,
    in_hands,
    incidents,
    incidents_behind,
    measure,
    ratings,
    rejected,
    states,
    stocks,
    time_of,
    whose_time,
)

City = tuple[Desk, Projection, list[Case], tuple[tuple[int, int, int], ...]]
GROUPINGS = (
    Grouping(), Grouping("department"), Grouping("party"), Grouping("area"), Grouping("area", 2),
    Grouping("category", 1), Grouping("category"), Grouping("source"),
)  # fmt: skip


@pytest.fixture(scope="module")
def cities() -> list[City]:
    cities = []
    for seed in (1, 2, 3):
        desk, view = Desk(seed), Projection(":memory:")
        for _ in range(8):
            desk.run(250)
            view.catch_up(desk.ledger, desk.rng.randint(1, 300))
        outages = tuple(view.db.execute("SELECT since_ms, until_ms, told_ms FROM outage").fetchall())
        cities.append((desk, view, told_by(desk.ledger), outages))
    return cities


def instants_of(cases: list[Case]) -> list[int]:
    return sorted(entry[0] for case in cases for entry in case.history)


def test_the_desks_reach_every_corner(cities):
    terms: Counter[str] = Counter()
    for _, view, _, outages in cities:
        assert not [row for row in rejected(view, limit=1_000).lines if row.reason == "engine_error"]
        terms.update(measure(view, Cohort(view.latest_ms)).total.terms)
        assert outages
    for table in ("page", "former_clock", "rating", "lead_turn"):
        assert sum(view.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for _, view, _, _ in cities), table
    usual = {"unfiled", "held_now", "no_deadline", "open"}  # of a moment
    assert not [name for name in TERMS if not terms[name] and name not in usual]
    assert terms["need_close_closed"] > terms["closed_in_time"]


@pytest.mark.parametrize("seed", range(6))
def test_measures_of_the_real_engine(cities, seed):
    rng = random.Random(seed)
    for _, view, cases, outages in cities:
        instants = instants_of(cases)
        for basis in ("received", "filed", "due"):
            for as_of_ms in (view.latest_ms, *(rng.choice(instants) - rng.choice([0, 1]) for _ in range(3))):
                low, high = sorted(rng.sample(instants, 2))
                bounds = rng.choice([(0, NEVER_MS), (low, high + 1)])
                cohort = Cohort(as_of_ms, basis, *bounds, rng.random() < 0.5, rng.choice([2 * HOUR_MS, 90 * HOUR_MS]))
                by, oracle = rng.choice(GROUPINGS), Oracle(cases, cohort, outages)
                found = measure(view, cohort, by)
                assert found.total.terms == oracle.fold(Grouping()).get(None, dict.fromkeys(TERMS, 0))
                if by.by is not None:
                    assert {g.code: g.terms for g in found.groups if any(g.terms.values())} == oracle.fold(by)
                for rate in found.total.rates.values():
                    assert 0 <= rate.numerator <= rate.denominator


def test_the_incidents_behind_a_number(cities):
    _, view, cases, outages = cities[0]
    cohort = Cohort(view.latest_ms)
    for term in ("need_close", "rework", "came_back", "answered"):
        oracle = Oracle(cases, cohort, outages)
        behind = {case.record.incident_id for case in cases if (oracle.terms(case) or ({term: 0},))[0][term]}
        assert set(incidents_behind(view, term, cohort)) == behind
    whistled = {c.record.incident_id for c in cases if any(owed for _, owed, _ in Oracle(cases, cohort).attendances(c))}
    assert set(incidents_behind(view, "attend_owed", cohort)) <= whistled


def test_what_came_back_came_back_as_the_first_one(cities):
    for _, view, cases, outages in cities:
        cohort = Cohort(view.latest_ms, came_back_ms=9 * HOUR_MS)
        oracle, known = Oracle(cases, cohort, outages), {case.record.incident_id: case for case in cases}
        found = came_back(view, cohort)
        assert len(found) == measure(view, cohort).total.terms["came_back"] > 0
        for one in found:
            case = known[one.incident_id]
            assert one.again_id == oracle.again(case, oracle.seen(case))


def test_whose_time_it_was(cities):
    rng = random.Random(4)
    for _, view, cases, _ in cities:
        instants = instants_of(cases)
        for as_of_ms in (view.latest_ms, rng.choice(instants)):
            cohort, hands, total = Cohort(as_of_ms), Counter(), 0
            for case in cases:
                spans = time_of(view, case.record.incident_id, as_of_ms)
                if not case.past(as_of_ms):
                    assert spans == []
                    continue
                told = [span for span in case.time(as_of_ms) if span[1] > span[0]]
                assert squashed(spans) == squashed(told)
                end_ms = case.end_ms(as_of_ms)
                whole = (as_of_ms if end_ms is None else end_ms) - text_to_ms(case.record.opened_at)
                assert sum(span.until_ms - span.since_ms for span in spans) == whole
                total += whole
                for since_ms, until_ms, _, party in told:
                    hands[(party or "").split("@")[0]] += until_ms - since_ms
            assert sum(each.total_ms for each in whose_time(view, cohort, Grouping("department"))) == total
            (one,) = whose_time(view, cohort)
            found = in_hands(view, cohort)
            assert sum(each.ms for each in found) == one.lead_ms
            assert {each.department: each.ms for each in found if each.ms} == {
                k: v for k, v in hands.items() if k and v
            }


def squashed(spans):
    """Neighbouring pieces in the same hands as one."""
    found: list[tuple] = []
    for since_ms, until_ms, *whose in spans:
        joined = bool(found) and found[-1][1] == since_ms and found[-1][2:] == tuple(whose)
        found.append((found.pop()[0] if joined else since_ms, until_ms, *whose))
    return found


def test_stocks_are_the_measures_of_all_cases_at_each_midnight(cities):
    _, view, cases, _ = cities[1]
    instants = instants_of(cases)[::40]
    for stock in stocks(view, instants):
        terms = measure(view, Cohort(stock.at_ms)).total.terms
        assert stock[1:] == (terms["open"], terms["overdue_pending"], terms["held_now"])


def test_ratings_are_the_last_words_of_streets(cities):
    for _, view, cases, _ in cities:
        scores: dict[str, list[int]] = {}
        for case in cases:
            record = case.record
            if record.dispatched_at is None or record.state == "merged":
                continue
            for part in (*([] if record.lead is None else [record.lead]), *record.support):
                if part.score is not None:
                    scores.setdefault(part.department, []).append(part.score)
        found = ratings(view, Cohort(view.latest_ms))
        assert {each.unit: (each.points, each.given) for each in found} == {
            unit: (sum(given), len(given)) for unit, given in scores.items()
        }
        assert all(each.mean == each.points / each.given for each in found)


def test_requests_in_the_last_tenth_of_the_budget(cities):
    late = 0
    for desk, view, cases, _ in cities:
        found = gaming(view, Cohort(view.latest_ms), lambda _, name, desk=desk: desk.policy.clock(name), {"03.02"})
        known = {case.record.incident_id: case.record for case in cases}
        late += len(found.late_requests)
        for asked in found.late_requests:
            assert 10 * asked.used_ms >= 9 * asked.budget_ms > 0
            kinds = {(r.kind, r.party, text_to_ms(r.asked_at)) for r in known[asked.incident_id].requests}
            assert (asked.kind, asked.party, asked.asked_ms) in kinds
        for suspect in found.repeated_rework:
            case = next(case for case in cases if case.record.incident_id == suspect.incident_id)
            assert case.counts(view.latest_ms)["rework"] == suspect.times >= 2
        none = gaming(view, Cohort(view.latest_ms), _unknown, set())
        assert none.late_requests == []
    assert late > 0


def _unknown(sha256: str, name: str):
    raise LookupError(sha256)


def test_the_projection_of_the_real_engine(cities):
    for desk, view, cases, _ in cities:
        rebuilt = Projection(":memory:")
        rebuilt.catch_up(desk.ledger)
        assert dump(rebuilt) == dump(view)
        assert sum(states(view).values()) == len(cases)
        assert {row.incident_id for row in incidents(view, limit=1_000).lines} == {
            case.record.incident_id for case in cases
        }
        for case in cases:
            found = history(view, case.record.incident_id)
            assert found is not None
            assert found.complete
            assert [(text_to_ms(e["at"]), e["what"], e["state"]) for e in found.entries] == case.history
            assert all(before[0] <= after[0] for before, after in pairwise(case.history))


def test_another_ledger_at_the_same_path_is_noticed(nyc, tmp_path):
    """The projection beside a ledger that was deleted and made anew, longer than before, is built anew."""
    from tests.acceptance.city_files import on_time, shipped_rows, write_csv
    from tests.acceptance.command_line import replay

    rows, config, ledger = list(shipped_rows(nyc)), nyc / "config.yaml", tmp_path / "x.db"
    write_csv(rows[:99], tmp_path / "first.csv")
    replay(config, ledger, tmp_path / "first.csv", mapping=nyc / "mapping.yaml")
    ledger.unlink()
    write_csv(rows[400:], tmp_path / "second.csv")
    summary = replay(config, ledger, tmp_path / "second.csv", mapping=nyc / "mapping.yaml")
    dated = [row for row in rows[400:] if row["Due Date"] and row["Closed Date"]]
    assert (summary["with_due_and_close"], summary["on_time"]) == (len(dated), sum(map(on_time, dated)))
