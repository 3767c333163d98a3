"""Past decisions taken again under a candidate: verdicts, what is assumed about old facts, and the sums."""

from pathlib import Path

import pytest

from dispatcher.core import NEVER_MS
from dispatcher.hosts.setup import Books
from dispatcher.policies.backtest import Case, backtest, rule_of
from dispatcher.policies.backtest_sums import Sums
from dispatcher.views import Projection
from rules import Policy
from tests.policies.past_city import DISPATCHER, Town, changed, local, policy

ALWAYS = (0, NEVER_MS)


def again(town: Town, candidate: Policy, opened: tuple[int, int] = ALWAYS) -> dict[tuple[str, int], Case]:
    view = Projection(":memory:")
    try:
        view.catch_up(town.ledger)
        cases = list(backtest(town.ledger, view, Books(town.ledger), candidate, opened))
    finally:
        view.close()
    return {(case.incident_id, case.seq): case for case in cases}


def test_nothing_changes_under_the_same_policy() -> None:
    town = Town()
    for n, category in enumerate(("01", "01", "02", "03", "04", "unheard of")):
        town.report(f"r{n}", category, cell=f"T{n % 2 + 1}C0", text="a smell of gas")
    cases = again(town, policy())
    assert len(cases) >= 6
    assert {case.verdict for case in cases.values()} == {"same"}
    assert all(case.aspects == () for case in cases.values())


def test_what_changes_is_named() -> None:
    town = Town()
    gas, noise = town.report("r1", "03"), town.report("r2", "02")
    lamp = town.report("r3", "04", cell=None)
    candidate = changed(
        ("lead: gas, sla: fast", "lead: fire, sla: works"),
        ("[{dept: fire, role: rescue, attend: 15m, required: true}, {dept: street@community}]", "[{dept: police}]"),
        ('  - {id: noise, when: {category: ["02"]}, lead: police, sla: works, ladder: desk}\n', ""),
        (
            "overlays:\n",
            'overlays:\n  - {id: all, when: {category: ["02", "03"]}, severity: {raise_to: 1}, tags: [x]}\n',
        ),
    )
    cases = again(town, candidate)
    assert cases[gas, 1].aspects == ("lead", "support", "severity", "sla", "targets", "overlays", "tags")
    assert "route" in cases[noise, 1].aspects
    assert (rule_of(cases[noise, 1].before), rule_of(cases[noise, 1].after)) == ("noise", "fallback:no_route")
    assert cases[lamp, 1].verdict == "same"
    assert [cases[key, 1].area for key in (gas, lamp)] == ["T1", ""]
    sums = Sums()
    for case in cases.values():
        sums.add(case)
    assert (sums.decided, sums.changed, sums.undecidable) == (3, 2, 0)
    assert dict(sums.rules) == {("gas", "gas"): 1, ("noise", "fallback:no_route"): 1}
    assert sums.by_department() == [
        ("fire", 0, 1, 1, 0), ("police", 1, 0, 0, 1), ("centre", 0, 1, 0, 0), ("gas", 1, 0, 0, 0),
        ("street", 0, 0, 1, 0),
    ]  # fmt: skip
    assert sums.by_area() == [("", 1, 0, 0), ("T1", 2, 2, 0)]
    shown = sums.as_json()
    assert (shown["incidents"], shown["changed"], shown["aspects"]["lead"]) == (3, 2, 2)


def test_only_incidents_of_the_period() -> None:
    town = Town()
    town.report("r1", "03")
    second = town.at("2026-03-06 00:00").report("r2", "03", cell="T2C1")
    town.at("2026-03-07 00:00").report("r3", "03", cell="T2C0")
    assert set(again(town, policy(), (local("2026-03-06 00:00"), local("2026-03-07 00:00")))) == {(second, 1)}


def test_each_decision_is_compared_with_the_policy_of_its_time() -> None:
    town = Town()
    first = town.report("r1", "03")
    candidate = changed(("lead: gas, sla: fast", "lead: fire, sla: fast"))
    town.activate(candidate)
    second = town.report("r2", "03", cell="T2C1")
    cases = again(town, candidate)
    assert {key[0]: case.verdict for key, case in cases.items()} == {first: "changed", second: "same"}


def test_later_decisions_are_told_apart() -> None:
    """A second reporter and the centre's override are decisions too, and count apart."""
    town = Town()
    crowded = town.report("r1", "01", location={"lon": 114.305, "lat": 30.605})
    assert town.report("r2", "01", location={"lon": 114.305, "lat": 30.605}) == crowded
    town.update(crowded, "assign", lead="police", actor=DISPATCHER)
    candidate = changed(('reporters: ">=2"', 'reporters: ">=3"'))
    cases = again(town, candidate)
    assert [(key[1], case.cause, case.verdict) for key, case in cases.items()] == [
        (1, "report", "same"), (2, "merge", "changed"), (3, "override", "changed"),
    ]  # fmt: skip
    sums = Sums()
    for case in cases.values():
        sums.add(case)
    assert (sums.changed, sums.later_changed, sums.only_later) == (0, 2, 1)
    both = Sums()
    for case in again(town, changed(("lead: street@township", "lead: roads"))).values():
        both.add(case)
    assert (both.changed, both.later_changed, both.only_later) == (1, 2, 0)


def test_categories_are_looked_up_anew() -> None:
    town = Town()
    hole, unknown = town.report("r1", "MANHOLE"), town.report("r2", "Pothole")
    candidate = changed(
        ("aliases: [MANHOLE]", "aliases: [COVER]"),
        ("severity: 4}\n", "severity: 4, aliases: [pothole]}\n"),
    )
    cases = again(town, candidate)
    assert [rule_of(cases[key, 1].before) for key in (hole, unknown)] == ["manhole", "fallback:uncategorised"]
    assert [rule_of(cases[key, 1].after) for key in (hole, unknown)] == ["fallback:uncategorised", "noise"]


def test_what_a_person_filed_it_as_stays() -> None:
    town = Town()
    seen = town.report("r1", "MANHOLE", source="satellite")
    town.update(seen, "file", category="02", actor=DISPATCHER)
    assert rule_of(again(town, changed(("aliases: [MANHOLE]", "aliases: [COVER]")))[seen, 1].after) == "noise"
    gone = changed(
        ('  "02": {en: Noise, kind: event, severity: 4}\n', ""),
        ('  "02": {radius_m: 300, gap: 6h, life: 1d, mode: suggest}\n', ""),
        ('  - {id: noise, when: {category: ["02"]}, lead: police, sla: works, ladder: desk}\n', ""),
    )
    assert rule_of(again(town, gone)[seen, 1].after) == "fallback:uncategorised"


def test_severity_is_the_claim_capped_anew_or_the_category_s_own() -> None:
    town = Town()
    silent, worse, capped = (
        town.report("r1", "02"),
        town.report("r2", "02", severity=3, cell="T2C1"),
        town.report("r3", "02", severity=1, cell="T2C0", source="app"),
    )
    cases = again(town, changed(("en: Noise, kind: event, severity: 4", "en: Noise, kind: event, severity: 2")))
    assert [cases[key, 1].before.severity for key in (silent, worse, capped)] == [4, 3, 2]
    assert [cases[key, 1].after.severity for key in (silent, worse, capped)] == [2, 3, 2]  # type: ignore[union-attr]
    cases = again(town, changed(("severity_cap: 2", "severity_cap: 3")))
    assert [cases[key, 1].after.severity for key in (silent, worse, capped)] == [4, 3, 3]  # type: ignore[union-attr]


def test_reports_the_candidate_would_reject() -> None:
    town = Town()
    known, unknown = town.report("r1", "03", source="app"), town.report("r2", "unheard of")
    nowhere = town.report("r3", "02", cell="T9")
    silent = town.report("r4", "02", cell=None)
    app = "  app: {platform: people, severity_cap: 2, extend_promised: {max: 5d}}\n"
    cases = again(town, changed((app, "")))
    assert (cases[known, 1].verdict, cases[known, 1].after, cases[known, 1].aspects) == (
        "rejected",
        None,
        ("rejected",),
    )
    assert rule_of(cases[known, 1].after) == "rejected"
    strict = changed(("hotline: {platform: people}", "hotline: {platform: people, strict_category: true}"))
    verdicts = {key[0]: case.verdict for key, case in again(town, strict).items()}
    assert verdicts == {known: "same", unknown: "rejected", nowhere: "same", silent: "same"}
    strict = changed(("hotline: {platform: people}", "hotline: {platform: people, strict_place: true}"))
    verdicts = {key[0]: case.verdict for key, case in again(town, strict).items()}
    assert verdicts == {known: "same", unknown: "same", nowhere: "rejected", silent: "same"}
    sums = Sums()
    for case in again(town, changed((app, ""))).values():
        sums.add(case)
    assert (sums.changed, sums.verdicts["rejected"]) == (1, 1)
    assert ("gas", 1, 0, 0, 0) in sums.by_department()


def test_the_platform_is_the_candidate_s() -> None:
    town = Town()
    town.report("r1", "02")
    candidate = changed(
        ("hotline: {platform: people}", "hotline: {platform: desk}"),
        ("overlays:\n", "overlays:\n  - {id: desk, when: {platform: [desk]}, tags: [desk]}\n"),
    )
    (case,) = again(town, candidate).values()
    assert case.after is not None
    assert case.after.overlays[0] == "desk"


def test_new_keywords_make_cases_undecidable_where_they_matter() -> None:
    town = Town()
    noise, smell = town.report("r1", "02"), town.report("r2", "02", cell="T2C1", text="smell of gas, dogs bark")
    road = town.report("r3", "01")
    candidate = changed(
        ("overlays:\n", 'overlays:\n  - {id: dogs, when: {category: ["02"], text.any: [bark, gas]}, tags: [dogs]}\n')
    )
    cases = again(town, candidate)
    assert cases[noise, 1].verdict == "undecidable"
    assert cases[smell, 1].verdict == "changed"  # "gas" stood in what was found, whatever else the text says
    assert cases[road, 1].verdict == "same"
    sums = Sums()
    for case in cases.values():
        sums.add(case)
    assert (sums.changed, sums.undecidable, sums.only_later) == (1, 1, 0)
    assert sums.by_area() == [("T1", 2, 0, 1), ("T2", 1, 1, 0)]


def test_an_unknown_policy_of_the_past_is_an_error(tmp_path: Path) -> None:
    town = Town()
    town.report("r1", "03")
    view = Projection(":memory:")
    view.catch_up(town.ledger)
    with pytest.raises(KeyError):
        list(backtest(town.ledger, view, {}, policy(), ALWAYS))
    view.close()
