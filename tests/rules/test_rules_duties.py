from rules_small import small

from rules import Facts, compile_policy, decide_plainly, duties, matrix_basis, united

AT_MS = 1_772_413_200_000


def lines(policy, areas=("530001", "530002")):
    return list(duties(policy, compile_policy(policy), matrix_basis(policy, AT_MS), areas))


def test_every_category_has_a_line_in_every_area_and_says_what_the_plain_loop_decides():
    policy = small()
    found = lines(policy)
    assert [(duty.category, duty.areas) for duty in found] == [
        (code, (area,)) for code in policy.categories for area in ("530001", "530002")
    ]
    basis = matrix_basis(policy, AT_MS)
    for duty in found:
        decision = decide_plainly(
            policy,
            Facts(
                category=duty.category,
                severity=policy.categories[duty.category].severity,
                mode=policy.modes[0],
                path=(*duty.areas, *policy.grid_levels[1:]),
                source=basis.source,
                platform=policy.sources[basis.source].platform,
                at_ms=AT_MS,
                place="exact",
            ),
        )
        assert duty.route == decision.route
        assert duty.lead.partition("@")[0] == decision.lead.department
        assert [name.partition("@")[0] for name in duty.support] == [plan.department for plan in decision.support]
        assert len(duty.required) == sum(plan.required for plan in decision.support)


def test_limits_are_those_of_all_filing_standards_the_strictest_first_and_of_overlays():
    policy = small(('severity: "<=2"}', "severity: 1}"))  # a gas matter of severity 2 now goes by its filing standard
    limits = {duty.category: duty.limits for duty in lines(policy, ["530001"])}
    assert limits["03.02"] == ("2h", "2wd (cn-office)", "2wh (cn-office)")
    assert limits["03"] == ("5wd (cn-office)",)  # no standards: the default


def test_areas_that_say_the_same_share_a_line_and_their_own_offices_count_as_the_same():
    policy = small()
    found = lines(policy)
    together = united(found)
    assert sum(len(duty.areas) for duty in together) == len(found)
    offices = [duty for duty in found if duty.lead.startswith("street-office@5300")]
    assert offices
    assert {duty.lead for duty in together if duty.category == offices[0].category} == {"street-office@area"}
