"""Every key of `expect` can hold and can fail, and says what was expected, what came, and what decided."""

import pytest

from dispatcher.policies.failures import render_failure
from rules import Expect, load_policy
from tests.policies.cases_city import POLICY, messages, one, run

GAS = '{category: "GAS LEAK"}'
WATER = '{category: "02"}'
CORNER = '{category: "01", cell: "530002001"}'
WON = "route gas won by priority"
STREET_LOWER = "street held too, but its priority is 300 against 900"

# key: a report, an expectation that holds, one that does not, and what the failure says
KEYS: dict[str, tuple[str, str, str, str]] = {
    "lead": (
        '{category: "03", severity: 3}', "{lead: street-office@township}", "{lead: gas-company}",
        ("lead: expected gas-company, got street-office@530001; route street won by priority;"
        " gas nearly: severity wanted <=2, was 3"),
    ),
    "support": (
        GAS, "{support: [police, fire-brigade]}", "{support: [police]}",
        "support: expected police, got fire-brigade, police; fire-brigade comes from whistle",
    ),
    "support_includes": (
        GAS, "{support_includes: [police]}", "{support_includes: [gas-company]}",
        "support_includes: expected gas-company, got fire-brigade, police; whistle held, but gas-company is the lead",
    ),
    "required": (
        GAS, "{required: [fire-brigade]}", "{required: [police]}",
        ("required: expected police, got fire-brigade; crowd did not hold: category 01 (03), reporters >=3 (1);"
        " fire-brigade comes from whistle"),
    ),
    "route": (GAS, "{route: gas}", "{route: street}", f"route: expected street, got gas; {WON}; {STREET_LOWER}"),
    "fallback": (
        '{category: "XX"}', "{fallback: uncategorised}", "{fallback: no_route}",
        "fallback: expected no_route, got uncategorised; no route, the fallback leads: uncategorised",
    ),
    "overlays": (
        '{category: "05"}', "{overlays: [quiet]}", "{overlays: []}", "overlays: expected nothing, got quiet",
    ),
    "overlays_include": (
        '{category: "05", tags: [loud]}', "{overlays_include: []}", "{overlays_include: [quiet]}",
        "overlays_include: expected quiet, got nothing; quiet nearly: not tags wanted loud, was loud",
    ),
    "guard": (
        '{category: "03", tags: [exercise, later]}', "{guard: drill}", "{guard: later}",
        "guard: expected later, got drill; guard drill ended evaluation",
    ),
    "outcome": (
        '{category: "03", tags: [later]}', "{outcome: park}", "{outcome: discard}",
        ("outcome: expected discard, got park; guard later ended evaluation;"
        " drill nearly: tags wanted exercise, was later"),
    ),
    "severity": (
        WATER, "{severity: 3}", "{severity: 1}",
        "severity: expected 1, got 3; claimed 3, raised by nothing; flood nearly: mode wanted emergency, was normal",
    ),
    "tags": (
        GAS, "{tags: [whistle]}", "{tags: []}", "tags: expected nothing, got whistle; whistle comes from whistle",
    ),
    "tags_include": (
        '{category: "01", reporters: 2}', "{tags_include: []}", "{tags_include: [crowd]}",
        "tags_include: expected crowd, got nothing; crowd nearly: reporters wanted >=3, was 2",
    ),
    "sla": (
        GAS, "{sla: gas-leak}", "{sla: works}",
        f"sla: expected works, got gas-leak; {WON}; {STREET_LOWER}; water nearly: category wanted 02, was 03",
    ),
    "ladder": (
        WATER, "{sla: works}", "{ladder: up}",
        ("ladder: expected up, got nothing; route water won by priority; parts nearly: category wanted 04, was 02;"
        " gas did not hold: category 03 (02), severity <=2 (3)"),
    ),
    "won_by": (
        CORNER, "{won_by: specificity}", "{won_by: order}",
        "won_by: expected order, got specificity; route corner won by specificity",
    ),
    "reason": (
        CORNER, '{reason: "the corner"}', "{reason: territory}",
        ("reason: expected territory, got the corner; route corner won by specificity;"
        " street held too, but is less specific: category depth 1, cell depth 0, 1 keys"),
    ),
    "due": (
        WATER, '{due: {resolve: "2026-03-02T16:00:00+08:00", acknowledge: "+30m"}}', '{due: {resolve: "+5h"}}',
        ("due resolve: expected 2026-03-02T14:30:00+08:00, got 2026-03-02T16:00:00+08:00;"
        " 5wh on the clock office, from works; route water won by priority"),
    ),
    "budgets": (
        WATER, "{budgets: {resolve: [5wh], check: [2wh]}}", "{budgets: {resolve: [2h]}}",
        "budgets resolve: expected 2h, got 5wh; 5wh comes from works; route water won by priority",
    ),
    "category": (
        GAS, '{category: "03"}', '{category: "02"}',
        "category: expected 02, got 03; the report said 'GAS LEAK'",
    ),
    "refused": (
        '{category: "XX", source: satellite}', "{refused: unknown_category}", "{refused: bad_location}",
        "report: expected bad_location, got refused (unknown_category): no category XX in the policy",
    ),
}  # fmt: skip


def test_every_key_is_tried():
    assert set(KEYS) == set(Expect.__struct_fields__)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_holds_or_fails_with_its_reason(key: str):
    report, right, wrong, message = KEYS[key]
    assert messages(one(report, right)) == []
    assert messages(one(report, wrong)) == [f"tests/t.yaml:6 {message}"]


@pytest.mark.parametrize(
    ("report", "expect", "message"),
    [
        (GAS, "{due: {attend: +1m}}", ("due attend: expected 2026-03-02T09:31:00+08:00, got nothing;"
         f" the lead owes no attend under gas-leak; {WON}")),
        (GAS, "{due: {check: +1d}}", ("due check: expected 2026-03-03T09:30:00+08:00, got nothing;"
         f" the lead owes no check under gas-leak; {WON}")),
        (GAS, "{budgets: {contact: [1h]}}", f"budgets contact: expected 1h, got nothing; {WON}"),
        (GAS, "{fallback: no_route}", f"fallback: expected no_route, got nothing; {WON}"),
        (GAS, "{tags: [whistle, other]}", "tags: expected other, whistle, got whistle"),
        (GAS, "{lead: water-bureau}", (f"lead: expected water-bureau, got gas-company; {WON};"
         " water nearly: category wanted 02, was 03; parts nearly: category wanted 04, was 03")),
        ('{category: "01", place: none}', "{lead: police}", ("lead: expected police, got desk;"
         " no route, the fallback leads: unresolvable; street: street-office@township cannot be resolved at this place;"
         " corner nearly: grid wanted 530002, was -")),
        ('{category: "03", tags: [exercise]}', "{support: [police]}",
         "support: expected police, got nothing; guard drill ended evaluation"),
        ('{category: "05"}', "{route: corner}", ("route: expected corner, got nothing;"
         " no route, the fallback leads: no_route;"
         " corner did not hold: category 01 (05), grid 530002 (530001, 530001001)")),
        ('{category: "XX", source: satellite}', "{}",
         "report: expected taken, got refused (unknown_category): no category XX in the policy"),
        (GAS, "{refused: stale}", "report: expected stale, got taken"),
        (f'{{category: "01", attributes: {{{", ".join(f"a{n}: 1" for n in range(65))}}}}}', "{}",
         "report: expected taken, got refused (wrong_type): Expected `object` of length <= 64 - at `$.attributes`"),
    ],
)  # fmt: skip
def test_a_failure_says_why(report: str, expect: str, message: str):
    (said,) = messages(one(report, expect))
    assert said.partition(" ")[2] == message


def test_the_first_of_two_routes_alike_wins_by_order():
    twin = '  - {id: twin, priority: 300, when: {category: ["01"]}, lead: police, sla: works}\noverlays:\n'
    policy = load_policy({"policy.yaml": POLICY.replace("overlays:\n", twin).encode()})
    (result,) = run(one('{category: "01"}', "{route: twin}"), policy).results
    (failure,) = result.failures
    assert render_failure(failure, "en") == (
        "route: expected twin, got street; route street won by order; twin held too, but stands later in the files"
    )


def test_another_mode_is_decided_and_rehearsed_as_the_ordinary_one():
    expect = """{severity: 1, overlays: [flood], support: [fire-brigade], due: {resolve: "+2h"},
      budgets: {resolve: [2h, 5wh]}}"""
    timeline = '[{at: "+1m", expect: {severity: 1, support: [fire-brigade], due: {resolve: "+2h"}}}]'
    assert messages(one(WATER, expect, timeline, "mode: emergency")) == []
    assert messages(one(WATER, "{severity: 3}", more="mode: emergency")) == [
        "tests/t.yaml:6 severity: expected 3, got 1; flood raised it from 3"
    ]


def test_reporters_come_one_by_one_and_merge_where_the_policy_merges():
    here = '{category: "01", lon: 114.0, lat: 30.0, reporters: 3}'
    expect = "{severity: 2, required: [police], tags: [crowd]}"
    assert messages(one(here, expect, '[{at: "+1m", expect: {reports: 3, severity: 2, support: [police]}}]')) == []
    nowhere = '{category: "02", reporters: 3}'  # nothing merges water
    assert messages(one(nowhere, "{}", '[{at: "+1m", expect: {reports: 1}}]')) == []


def test_messages_in_chinese():
    report, _, wrong, _ = KEYS["lead"]
    assert messages(one(report, wrong), "zh") == [
        (
            "tests/t.yaml:6 lead：应为 gas-company，实为 street-office@530001；路线 street 胜出，依据 优先级；"
            "gas 差一项：severity 要求 <=2，实际 3"
        )
    ]
    assert messages(one('{category: "XX"}', "{fallback: no_route, tags: [crowd]}"), "zh") == [
        "tests/t.yaml:6 fallback：应为 no_route，实为 uncategorised；无路线命中，由兜底主办：类别未知",
        "tests/t.yaml:6 tags：应为 crowd，实为 无；crowd 未命中：category 01 (-), reporters >=3 (1)",
    ]
