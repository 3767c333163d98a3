from rules_small import small

from rules import AskedAttribute, asked_attributes

ROUTE = "  - id: gas.leak\n"


def with_rules(*rules: str):
    lines = "".join(f"  - {{{rule}, lead: centre, sla: triage, reason: r}}\n" for rule in rules)
    return small((ROUTE, f"{lines}{ROUTE}"))


def test_what_rules_of_a_category_ask_is_asked_with_the_values_they_know():
    policy = with_rules(
        'id: a, when: {category: ["03"], attributes.owner: [city, private], attributes.leaking: true}',
        'id: b, when: {category: ["03.02.01"], attributes.owner: [state, city], attributes.pressure_bar: ">=4"}',
        'id: c, when: {category: ["noise.residential"], not: {attributes.indoors: true}}',
    )
    owner = AskedAttribute("owner", ("city", "private", "state"))
    assert asked_attributes(policy, "03.02.01") == (
        owner,
        AskedAttribute("leaking", (True,)),
        AskedAttribute("pressure_bar", ()),
    )
    assert asked_attributes(policy, "03.02") == (
        AskedAttribute("owner", ("city", "private")),
        AskedAttribute("leaking", (True,)),
    )
    assert asked_attributes(policy, "noise.residential") == (AskedAttribute("indoors", (True,)),)


def test_what_is_asked_of_every_report_or_only_of_others_is_not_asked():
    policy = with_rules(
        "id: a, when: {attributes.self_check: true}",
        'id: b, when: {category: ["03"], not: {category: ["03.02"]}, attributes.owner: [city]}',
    )
    assert asked_attributes(policy, "noise.residential") == asked_attributes(policy, "03.02.01") == ()
    assert asked_attributes(policy, "03") == (AskedAttribute("owner", ("city",)),)
