"""A month of the simulated year: what people did, counted again independently, and nothing forgotten on the way.

February 2026 with Spring Festival and a snow storm, with a twelfth of the year's incidents; `make year` does all of it
and counts it again with the same code.
"""

import gc
import os
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
import sim_year_recount as recount

from bench.town import Town
from bench.year.__main__ import INCIDENTS, POLICY, main
from bench.year.findings import cohorts, export, memory
from bench.year.retention import ShortLedger
from bench.year.season import Season, midnight_ms
from bench.year.simulate import Simulation, Span
from dispatcher.core import REPORTS, Outcome, Position
from dispatcher.hosts.setup import read_policy
from dispatcher.ledger import Entry, Fenced
from dispatcher.views import TERMS, Grouping, measure, states

ROOT = Path(__file__).parent.parent.parent
FEBRUARY = Span(date(2026, 2, 1), 28, round(INCIDENTS / 12))
# Whichever test comes first waits for the month: two minutes on a core to itself, more where others work beside it.
pytestmark = pytest.mark.timeout(900)
# What a month cannot do without; the rarest of these happens some ten times in it.
DONE = {
    "accept_return", "acknowledge", "answer_at_desk", "approve", "arrive", "assign", "callback", "check", "claim",
    "clear", "close_forced", "confirm_arrival", "contact", "delegate", "done", "end_hold", "end_whistle", "file",
    "merge", "note", "progress", "rate", "recall", "reclassify", "refer", "refuse", "refuse_reopen", "refuse_return",
    "release", "reopen", "reopen_request", "reply", "report", "request", "reroute", "return", "self_handled", "split",
    "supervise", "timer", "urge", "verify", "void", "whistle",
}  # fmt: skip


@pytest.fixture(scope="module")
def town() -> Town:
    return Town(1)


@pytest.fixture(scope="module")
def directory(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("year")


@pytest.fixture(scope="module")
def month(town, directory):
    opened: list[int] = []
    simulation = Simulation(town, read_policy(POLICY), FEBRUARY, 0, directory)
    simulation.run(opened.append)
    assert len(opened) == FEBRUARY.days
    assert sum(opened) == simulation.opened
    totals = export(simulation, directory)
    yield simulation, totals
    simulation.close()


@pytest.fixture(scope="module")
def newest(month, directory):
    return recount.read(directory, FEBRUARY.end_ms)


def test_every_measure_is_what_an_independent_count_of_the_export_says(month, newest):
    simulation, totals = month
    for cohort, total in zip(cohorts(simulation), totals, strict=True):
        found = recount.count(newest, cohort.basis, cohort.from_ms, cohort.to_ms, cohort.as_of_ms)
        said = {
            by: {group.code: dict(group.terms) for group in measure(simulation.view, cohort, Grouping(by)).groups}
            for by in ("area", "department")
        }
        said["total"] = {None: dict(total.total.terms)}
        assert recount.differences(found, said) == []
        assert set(found["total"][None]) == set(TERMS), "a term the independent count does not know yet"
        wrong = {**said, "total": {None: {**said["total"][None], "closed": total.total.terms["closed"] - 1}}}
        assert len(recount.differences(found, wrong)) == 1


def test_nothing_is_forgotten_and_nothing_fails(month):
    simulation, _ = month
    assert simulation.forgotten == {}
    assert simulation.faults == []
    assert simulation.counts["rejected:engine_error"] == simulation.host.tally["timers_failed"] == 0


def test_every_incident_is_in_one_state_and_every_report_counted_once(month, newest):
    simulation, _ = month
    tally, sent = simulation.host.tally, simulation.reporters.sent
    assert sum(states(simulation.view).values()) == simulation.opened == len(newest)
    assert 0 <= simulation.opened - FEBRUARY.incidents <= 0.005 * FEBRUARY.incidents
    assert Counter(case.state for case in newest.values()) == Counter(states(simulation.view))
    counted = sum(case.report_count for case in newest.values() if case.state != "merged")
    assert counted == tally["reports_accepted"] == sent["good"]
    assert (tally["reports_repeated"], tally["reports_rejected"]) == (sent["repeated"], sent["bad"])


def test_updates_are_refused_for_what_people_did_wrong_only(month):
    simulation, _ = month
    refused, accepted = simulation.refusals, simulation.host.tally["updates_accepted"]
    assert sum(refused.values()) == simulation.host.tally["updates_rejected"] < accepted / 50
    reasons = {line.split(": ")[1] for line in refused}
    assert reasons <= {"not_allowed"}
    assert any("done needs evidence" in line for line in refused)
    assert any("has no part in the incident" in line for line in refused)


def test_everybody_has_done_what_they_do(month, directory):
    simulation, totals = month
    done = Counter(entry["what"] for record in recount.records(directory) for entry in record["history"])
    assert set(done) >= DONE, DONE - set(done)
    assert simulation.host.tally["commands_accepted"] == 3  # the policy, the storm's mode, the storm's re-routing
    assert simulation.counts["target:climb"] > 100
    terms = totals[1].total.terms
    assert all(terms[name] for name in ("rework", "returned", "upheld", "extended", "held", "reopened", "came_back"))
    assert all(terms[name] for name in ("merged", "voided", "forced", "desk", "referred", "self_handled", "attended"))


def test_residents_are_phoned_and_asked(month, directory):
    """Some too late, some unhappy; in matters of livelihood before they close: then it closes, or goes back to work."""
    _, totals = month
    for measures in totals:
        terms, rates = measures.total.terms, measures.total.rates
        assert 0.8 < rates["response"].value < 0.95, rates["response"]
        assert terms["contact_owed"] < 0.6 * terms["filed"]  # of the others nobody reported who could be phoned
        assert terms["answered"] > terms["resolved"] > terms["satisfied"] > 0
        assert rates["satisfaction"].value > 0.9
    asked = Counter(
        after["state"]
        for record in recount.records(directory)
        for before, after in pairwise(record["history"])
        if before["state"] == "checking" and after["what"] == "callback"
    )
    assert asked["closed"] > asked["handling"] > 0 < asked["checking"]  # by the last call; unhappy; others are left


def test_days_have_their_weights(month, newest):
    simulation, _ = month
    per_day = Counter(
        FEBRUARY.first + timedelta(milliseconds=case.opened - FEBRUARY.start_ms) for case in newest.values()
    )
    assert per_day[date(2026, 2, 17)] < per_day[date(2026, 2, 10)] * 0.7  # Spring Festival, and a Tuesday a week before
    season = Season(date(2026, 1, 1), 365, simulation.reporters.rng)
    assert len(season.storms) == 8
    storm = season.storms[0]
    assert season.weight(storm.first) > 1.2 * season.weight(date(2026, 3, 1))


def test_what_is_held_is_measured_and_restored(month):
    simulation, _ = month
    found = memory(simulation)
    assert found.held == len(simulation.host.engine.state.incidents) > found.open > 0
    assert found.peak_bytes > 0


def test_the_same_seed_is_the_same_year_byte_for_byte(tmp_path, capsys):
    """In two processes that hash strings differently."""
    arguments = ["--days", "2", "--incidents", "120", "--first", "2026-07-01", "--seed", "3", "--directory"]
    command = [sys.executable, "-m", "bench.year", *arguments, str(tmp_path / "there")]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as other:
        try:
            assert main([*arguments, str(tmp_path / "here")]) == 0
        finally:
            gc.unfreeze()
        there, errors = other.communicate(timeout=200)
    assert other.returncode == 0, errors
    said = capsys.readouterr().out
    assert "incidents opened" in said
    until_time = said.index("wall time")
    assert there[:until_time] == said[:until_time]
    for name in ("archive.jsonl", "incidents.jsonl", "measures.json"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()


def test_the_recount_sees_a_figure_that_is_wrong(month, directory, tmp_path, capsys):
    assert recount.main(directory) == 0
    assert "all the same" in capsys.readouterr().out
    for name in ("archive.jsonl", "incidents.jsonl"):
        (tmp_path / name).symlink_to(directory / name)
    saved = orjson.loads((directory / "measures.json").read_bytes())
    saved["cohorts"][0]["groups"]["area"][0]["terms"]["received"] += 1
    (tmp_path / "measures.json").write_bytes(orjson.dumps(saved))
    assert recount.main(tmp_path) == 1
    assert "1 differ" in capsys.readouterr().out


def test_the_short_ledger_keeps_order_and_fences(tmp_path):
    ledger = ShortLedger(tmp_path / "archive.jsonl")
    first = ledger.own(0)
    ledger.append([Entry(REPORTS, b"1", None, 10), Entry(REPORTS, b"2", None, 5)])
    assert [(r.seq, r.offset, r.time_ms) for r in ledger.read(0, -1, 9)] == [(0, 0, 10), (1, 1, 10)]
    records = [("archive", "a", 10, b"{}"), ("dept.x", "a", 10, b"{}"), ("events", "a", 10, b"{}")]
    compacted: dict[tuple[str, str], bytes | None] = {("incidents", "a"): b"{}", ("incidents", "b"): None}
    outcome = Outcome(Position(0, 10), 1, records, compacted, Counter(), 0)
    owner = ledger.own(0)
    with pytest.raises(Fenced):
        ledger.commit(first, outcome, Position())
    ledger.commit(owner, outcome, Position())
    with pytest.raises(Fenced):
        ledger.commit(owner, outcome, Position())
    assert [r.value for r in ledger.read(0, 0, 9)] == [b"2"]
    assert [kept.key for kept in ledger.follow("incidents", -1, 9)] == ["a", "b"]
    assert len(ledger.follow("archive", -1, 9)) == len(ledger.follow("events", -1, 9)) == 1
    ledger.forget()
    assert [kept.key for kept in ledger.follow("incidents", -1, 9)] == ["a"]
    assert ledger.newest("incidents", "b") is None
    assert ledger.topics() == ["archive", "events", "incidents", "rejected", "reports"]
    ledger.close()
    assert (tmp_path / "archive.jsonl").read_bytes() == b"{}\n"


def test_midnights_are_the_citys():
    assert midnight_ms(date(2026, 2, 1)) == FEBRUARY.start_ms == 1_769_875_200_000
