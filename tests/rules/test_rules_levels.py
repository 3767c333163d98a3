"""Which level of the grid holds an incident: what routes, leads and overlays say, the widest of it."""

import pytest
from rules_small import at_ms, files, small, some_facts

from rules import Decision, PolicyError, compile_policy, decide_plainly, duties, explain, load_policy, matrix_basis
from rules.diff import diff_policies

ROUTE = ('    reason: "gas emergency plan"\n', '    reason: "gas emergency plan"\n    level: {}\n')
OVERLAY = ("    tags: [whistle]\n", "    tags: [whistle]\n    level: {}\n")
NOW_MS = at_ms("2026-03-04 10:00")


def said(change: tuple[str, str], level: str) -> tuple[str, str]:
    return change[0], change[1].format(level)


def held(*changes: tuple[str, str], **facts: object) -> Decision:
    policy = small(*changes)
    given = some_facts(**facts)
    decided = compile_policy(policy).decide(given)
    assert decided == decide_plainly(policy, given) == explain(policy, given).decision
    return decided


# the route's level, the overlay's, and who holds it by whom: gas.leak is led by a department of the whole city
CITY_LEAD = [
    (None, None, 0, None),
    (None, "community", 2, "gas.whistle"),
    (None, "city", 0, "gas.whistle"),
    ("community", None, 2, "gas.leak"),
    ("community", "township", 1, "gas.whistle"),
    ("community", "community", 2, "gas.leak"),
    ("township", "community", 1, "gas.leak"),
    ("city", "community", 0, "gas.leak"),
]


@pytest.mark.parametrize(("route", "overlay", "level", "by"), CITY_LEAD)
def test_the_widest_of_what_is_said(route: str | None, overlay: str | None, level: int, by: str | None):
    changes = [said(change, name) for change, name in ((ROUTE, route), (OVERLAY, overlay)) if name]
    decided = held(*changes)
    assert decided.route == "gas.leak"
    assert (decided.level, decided.level_by) == (level, by)


@pytest.mark.parametrize(
    ("overlay", "level", "by"),
    [(None, 1, None), ("community", 1, None), ("township", 1, None), ("city", 0, "gas.whistle")],
)
def test_an_office_holds_what_it_leads_and_overlays_only_lift(overlay: str | None, level: int, by: str | None):
    decided = held(*([said(OVERLAY, overlay)] if overlay else []), severity=4)
    assert (decided.route, decided.lead.department) == ("utilities", "street-office")
    assert (decided.level, decided.level_by) == (level, by)


def test_a_department_without_a_level_is_of_the_city():
    none = (", group: utilities, level: city}", ", group: utilities}")
    assert held(none) == held()
    assert held(none, said(OVERLAY, "community")).level == 2


def test_the_first_of_the_widest_overlays_is_named():
    more = "  - {id: gas.more, when: {}, level: township, tags: [more]}\n"
    decided = held(said(OVERLAY, "township"), ("overlays:\n", "overlays:\n" + more))
    assert (decided.level, decided.level_by) == (1, "gas.more")


def test_who_leads_instead_holds_it_where_its_own_level_is():
    """The route's level goes with the route: where the place has no such office the fallback's lead counts."""
    level = ("    ladder: grid-up\noverlays:", "    ladder: grid-up\n    level: community\noverlays:")
    assert held(level, severity=4).level == 2
    nowhere = held(level, severity=4, path=())
    assert (nowhere.fallback, nowhere.level, nowhere.level_by) == ("unresolvable", 0, None)
    guarded = held(said(OVERLAY, "community"), tags=("exercise",))
    assert (guarded.guard, guarded.level, guarded.level_by) == ("drill", 0, None)
    office = ("fallback: {lead: centre", "fallback: {lead: street-office")
    assert held(office, category=None).level == 1


def test_levels_have_numbers_and_names():
    policy = small()
    for number, name in enumerate(("city", *policy.grid_levels)):
        assert (policy.level_number(name), policy.level_name(number)) == (number, name)
    with pytest.raises(ValueError):
        policy.level_number("block")
    with pytest.raises(IndexError):
        policy.level_name(3)


@pytest.mark.parametrize("change", [ROUTE, OVERLAY])
def test_levels_are_those_of_the_grid(change: tuple[str, str]):
    with pytest.raises(PolicyError) as caught:
        load_policy(files(said(change, "comunity")))
    (problem,) = caught.value.problems
    assert problem.render().endswith("E012 no level is called 'comunity' (did you mean 'community'?)")


def test_the_matrix_says_who_holds_what():
    policy = small(said(OVERLAY, "community"))
    lines = duties(policy, compile_policy(policy), matrix_basis(policy, NOW_MS), ["530001"])
    assert {duty.category: duty.level for duty in lines} == {
        "03": "township",
        "03.02": "community",
        "03.02.01": "community",
        "noise.residential": "city",
    }


# --- what changes -------------------------------------------------------------------------------


def leads(*changes: tuple[str, str]) -> set[tuple[str, tuple[str, str]]]:
    found = diff_policies(small(), small(*changes), NOW_MS)
    assert found.incomplete == ()
    return {(row.category or "", row.lead) for row in found.rows}


def test_a_rule_that_moves_a_matter_is_a_difference():
    moved = ("gas-company (level city)", "gas-company (level community)")
    assert leads(said(ROUTE, "community")) == {("03.02", moved), ("03.02.01", moved)}
    assert leads(said(ROUTE, "city")) == set()


def test_a_department_that_moves_takes_along_what_it_leads():
    moved = ("street-office (level township)", "street-office (level community)")
    found = leads(("level: township, units", "level: community, units"))
    assert {code for code, _ in found} == {"03", "03.02", "03.02.01"}
    assert {lead for _, lead in found} == {tuple(text.replace(" ", "@township ", 1) for text in moved)}
    assert leads(("en: Township office", "en: Street office")) == set()


def test_the_fallback_s_department_moves_everything_it_takes():
    found = leads(("en: Command centre, level: city}", "en: Command centre, level: township}"))
    assert ("noise.residential", ("centre (level city)", "centre (level township)")) in found
    assert ("", ("centre (level city)", "centre (level township)")) in found
    assert not any("discard" in part for _, lead in found for part in lead)
