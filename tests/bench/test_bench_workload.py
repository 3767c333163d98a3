import json
from collections import Counter
from itertools import pairwise

import pytest

from bench.policy import CATEGORIES, policy_files
from bench.town import Town
from bench.workload import HOUR_MS, START_MS, Day, as_backlog, as_day, city_day, entries
from dispatcher.core import DAY_MS, REPORTS, UPDATES, Record, Rejected
from rules import load_policy


@pytest.fixture(scope="module")
def day(town: Town) -> Day:
    return city_day(town, 2_000, 7)


def test_a_day_is_a_function_of_its_seed(town: Town, day: Day):
    assert city_day(town, 2_000, 7) == day
    assert city_day(town, 2_000, 8).reports != day.reports


def test_messages_are_in_order_and_within_reach_of_the_day(day: Day):
    for sent in (day.reports, day.updates, as_day(day)):
        assert all(a.time_ms <= b.time_ms for a, b in pairwise(sent))
    assert all(START_MS <= sent.time_ms < START_MS + DAY_MS + 2 * HOUR_MS for sent in day.reports)
    assert {sent.topic for sent in day.reports} == {REPORTS}
    assert {sent.topic for sent in day.updates} == {UPDATES}


def test_expected_counts_add_up_to_what_is_sent(day: Day):
    counts, reasons = day.expected.counts, day.expected.reasons
    for kind, sent in (("reports", day.reports), ("updates", day.updates)):
        assert counts[f"{kind}_accepted"] + counts[f"{kind}_repeated"] + counts[f"{kind}_rejected"] == len(sent)
    assert sum(reasons.values()) == counts["reports_rejected"] + counts["updates_rejected"]


def test_a_day_has_what_a_city_has(day: Day):
    counts = day.expected.counts
    assert 0.01 < counts["reports_repeated"] / len(day.reports) < 0.03
    assert 0.005 < counts["reports_rejected"] / len(day.reports) < 0.02
    assert 0.02 < 1 - counts["reports_located"] / counts["reports_accepted"] < 0.06
    by_hour = Counter((sent.time_ms - START_MS) // 3_600_000 for sent in day.reports)
    assert by_hour[8] > 3 * by_hour[16]  # 18:00 against 02:00
    actions = Counter(json.loads(sent.value)["action"] for sent in day.updates)
    assert actions["check"] > 500 < actions["done"]
    assert actions["verify"] > 0


def test_leaves_are_those_the_locator_finds(town: Town, day: Day):
    work = town.intake.take(
        [Record(n, sent.topic, 0, n, sent.time_ms, None, sent.value) for n, sent in enumerate(day.reports)]
    ).work
    found = {(w.report.source, w.report.report_id): w.place.cell for w in work if not isinstance(w, Rejected)}
    assert len(day.expected.leaf_of) > 1_000
    assert {key: found[key] for key in day.expected.leaf_of} == day.expected.leaf_of


def test_a_backlog_is_the_same_messages_a_millisecond_apart(day: Day):
    reports, updates = as_backlog(day)
    assert [sent.value for sent in (*reports, *updates)] == [sent.value for sent in (*day.reports, *day.updates)]
    assert {b.time_ms - a.time_ms for a, b in pairwise((*reports, *updates))} == {1}
    assert [(e.topic, e.value, e.time_ms) for e in entries(updates[:3])] == [
        (s.topic, s.value, s.time_ms) for s in updates[:3]
    ]


@pytest.mark.parametrize("rules", [10, 100, 1_000])
def test_policy_files_load_and_have_as_many_rules(town: Town, rules: int):
    files = policy_files(town.grid, rules, 3)
    assert files == policy_files(town.grid, rules, 3)
    assert files != policy_files(town.grid, rules, 4)
    policy = load_policy(files)
    assert not policy.warnings
    assert len(policy.overlays) == rules // 5
    assert len(policy.routes) + len(policy.overlays) == max(rules, 12 + rules // 5)
    assert all(policy.category(code) is not None for code in CATEGORIES)
