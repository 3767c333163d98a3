"""The measures against the engine itself: what they derive in SQL, a plain fold over the exported records must give."""

import json
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
        desk, view, portions = Desk(seed), Projection(":memory:"), random.Random(seed)
        for _ in range(8):
            desk.run(250)
            view.catch_up(desk.ledger, portions.randint(1, 300))
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


@pytest.mark.parametrize("by", ["department", "party"])
@pytest.mark.parametrize("adjusted", [False, True])
def test_ratings_are_the_last_words_of_streets_as_of_an_instant(cities, by, adjusted):
    rng, changed = random.Random(5), 0
    for desk, view, cases, outages in cities:
        told = rated_in(desk.ledger)
        for as_of_ms in (view.latest_ms, *(rng.choice(told)[0] - rng.choice([0, 1]) for _ in range(4))):
            oracle = Oracle(cases, Cohort(as_of_ms, adjusted=adjusted), outages)
            counted = {
                c.record.incident_id: c for c in cases if (now := oracle.terms(c)) is not None and now[1]["parts"]
            }
            last = {(incident_id, party): (score, at_ms) for at_ms, incident_id, party, score in told
                    if at_ms <= as_of_ms and incident_id in counted}  # fmt: skip
            changed += sum(at_ms <= as_of_ms for at_ms, *_ in told) - len(last)
            scores: dict[str, list[tuple[str, str, int, int]]] = {}
            for (incident_id, party), said in sorted(last.items()):
                if not (adjusted and oracle.exempt(counted[incident_id], party)):
                    unit = party if by == "party" else party.split("@")[0]
                    scores.setdefault(unit, []).append((incident_id, party, *said))
            found = ratings(view, oracle.cohort, by)
            assert {each.unit: list(each.behind) for each in found} == scores
            assert [each.unit for each in found] == sorted(scores)
            for each in found:
                assert (each.points, each.given) == (sum(s[2] for s in scores[each.unit]), len(scores[each.unit]))
                assert each.mean == each.points / each.given
    assert changed > 0


def rated_in(ledger) -> list[tuple[int, str, str, int]]:
    """Every rating ever given: when, in which incident, of whom, how many points."""
    events = ((kept.time_ms, kept.key, json.loads(kept.value)) for kept in ledger.follow("events", -1, 10**9))
    return [
        (at_ms, incident_id, change["party"], change["score"])
        for at_ms, incident_id, event in events
        for change in event.get("changes", ())
        if change["event"] == "rated"
    ]


def test_the_last_word_is_the_one_on_the_record(cities):
    for _, view, cases, _ in cities:
        known = {case.record.incident_id: case.record for case in cases}
        for each in ratings(view, Cohort(view.latest_ms), "party"):
            for given in each.behind:
                record = known[given.incident_id]
                parts = [*record.support, *([] if record.lead is None else [record.lead])]
                own = [a for a in parts if (a.department, a.unit) == tuple((*given.party.split("@"), None)[:2])]
                assert given.score in [a.score for a in own]


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
