"""Report cards by hand-made lives; an upheld return becomes a test that fails before its rule and passes with it."""

import re
from typing import Any

import pytest
import yaml

from dispatcher.core import decode_incident
from dispatcher.core.incident import party
from dispatcher.policies.as_test import NotUpheld, Upheld, policy_test, upheld_return
from dispatcher.policies.report_card import Card, report_cards
from rules import Facts, Policy, decide_plainly, load_policy
from tests.policies.past_city import DISPATCHER, POLICY, Town, changed, policy

RETURN = {"reason_code": "not_ours"}


def cards(town: Town, known: Policy | None = None) -> dict[str, Card]:
    return {card.rule: card for card in report_cards(town.ledger, known)}


def row(card: Card) -> tuple[int, ...]:
    return card.hits, card.dispatched, card.stayed, card.overrides, card.returns, card.upheld


def test_every_rule_has_a_card_even_if_it_never_decided() -> None:
    town = Town()
    found = report_cards(town.ledger, policy())
    assert [(card.kind, card.rule) for card in found] == [
        ("guard", "drill"), ("guard", "later"), ("route", "gas"), ("route", "manhole"), ("route", "road"),
        ("route", "noise"), ("overlay", "gas.fire"), ("overlay", "crowd"), ("overlay", "smell"), ("overlay", "night"),
    ]  # fmt: skip
    assert {row(card) for card in found} == {(0, 0, 0, 0, 0, 0)}
    assert report_cards(town.ledger, None) == []


def test_hits_of_routes_guards_overlays_and_the_fallback() -> None:
    town = Town()
    town.report("r1", "03")
    town.report("r2", "03", cell="T2C1", text="a smell of gas")
    town.report("r3", "unheard of")
    town.report("r4", "04", location={"cell": "T1C0"})
    town.report("r5", "02", tags=["exercise"])
    town.report("r6", "02", tags=["later"])
    found = cards(town)
    assert {name: row(card)[:3] for name, card in found.items()} == {
        "gas": (2, 2, 2), "gas.fire": (2, 0, 0), "smell": (1, 0, 0), "fallback:uncategorised": (1, 1, 1),
        "fallback:no_route": (1, 1, 1), "drill": (1, 0, 0), "later": (1, 0, 0),
    }  # fmt: skip
    assert {card.kind for name, card in found.items() if name.startswith("fallback")} == {"fallback"}


def test_an_overlay_that_joins_with_a_later_report_counts_once() -> None:
    town = Town()
    where = {"lon": 114.305, "lat": 30.605}
    for n in range(4):
        town.report(f"r{n}", "01", location=where)
    assert row(cards(town)["crowd"])[0] == 1
    assert row(cards(town)["road"]) == (1, 1, 1, 0, 0, 0)


def test_returns_overrides_and_whether_the_first_lead_stayed() -> None:
    town = Town()
    kept, refused, upheld, moved, ended = (
        town.report(f"r{n}", "02", cell=cell) for n, cell in enumerate(("T1C0", "T1C1", "T2C0", "T2C1", None))
    )
    town.update(kept, "acknowledge")
    town.update(refused, "return", **RETURN)
    town.update(refused, "refuse_return", department="police", actor=DISPATCHER)
    town.update(upheld, "return", **RETURN)
    town.update(upheld, "assign", lead="roads", actor=DISPATCHER)
    town.update(upheld, "return", **RETURN)  # the second lead's return is nobody's rule
    town.update(upheld, "assign", lead="gas", actor=DISPATCHER)
    town.update(moved, "assign", lead="roads", actor=DISPATCHER)
    town.update(ended, "return", **RETURN)
    town.update(ended, "void", reason_code="test")  # taken away at the end: nobody upheld anything
    assert row(cards(town)["noise"]) == (5, 5, 3, 3, 3, 1)
    town.update(kept, "done")
    town.update(kept, "check", result="pass")
    assert row(cards(town)["noise"]) == (5, 5, 3, 3, 3, 1)


def test_returns_of_supports_are_the_overlay_s() -> None:
    town = Town()
    first, second = town.report("r1", "03"), town.report("r2", "03", cell="T2C1")
    for incident in (first, second):
        town.update(incident, "return", department="fire", **RETURN)
    town.update(first, "accept_return", department="fire", actor=DISPATCHER)
    town.update(second, "refuse_return", department="fire", actor=DISPATCHER)
    town.update(second, "assign", support=["police"], actor=DISPATCHER)
    town.update(second, "return", department="police", **RETURN)  # asked for by no rule
    found = cards(town)
    assert row(found["gas.fire"]) == (2, 0, 0, 0, 2, 1)
    assert row(found["gas"]) == (2, 2, 2, 1, 0, 0)


def test_rules_of_several_policies_add_up() -> None:
    town = Town()
    town.report("r1", "02")
    town.activate(changed(("lead: police, sla: works", "lead: roads, sla: works")))
    town.report("r2", "02", cell="T2C1")
    assert row(cards(town)["noise"])[:3] == (2, 2, 2)


# --- an upheld return as a test ---


def settled(town: Town, lead: str, category: str = "02", **fields: Any) -> Upheld:
    incident_id = town.report("r1", category, **fields)
    town.update(incident_id, "return", **RETURN)
    town.update(incident_id, "assign", lead=lead, actor=DISPATCHER)
    return upheld_return(town.ledger, record(town, incident_id))


def record(town: Town, incident_id: str) -> Any:
    return decode_incident(town.ledger.newest("incidents", incident_id) or b"")


def test_the_file_as_people_read_it() -> None:
    town = Town()
    town.report("r0", "03")
    found = settled(town, "roads", severity=3, tags=["b", "a"], attributes={"n": 1})
    assert (
        policy_test(found, policy())
        == """\
# 20260305-000-00002: police returned it (not_ours), which was upheld.
places:
  "T1C0": ["T1", "T1C0"]
tests:
  - name: "20260305-000-00002: 02 in T1C0 is for roads"
    at: "2026-03-05T15:00:00+08:00"
    report: {category: "02", severity: 3, cell: "T1C0", source: "hotline", tags: ["a", "b"], attributes: {"n": 1}}
    expect: {lead: "roads"}
# A rule that would make it pass, above noise (100); widen or narrow it before you use it:
# routes:
#   - id: "settled.20260305-000-00002"
#     priority: 101
#     when: {category: ["02"], grid: ["T1C0"]}
#     lead: "roads"
#     sla: "works"
#     ladder: "desk"
#     reason: "settled in 20260305-000-00002"
"""
    )


@pytest.mark.parametrize(
    ("lead", "category", "fields"),
    [
        ("roads", "02", {}),
        ("street@T2", "03", {"cell": "T2C1", "severity": 1}),
        ("gas", "unheard of", {"cell": None, "attributes": {"dogs": True, "name": "狗: 'x'"}, "confidence": 0.5}),
        ("police", "04", {"cell": None, "text": "smell of gas"}),
        ("fire", "MANHOLE", {"standard": "a", "request_kind": "help", "whistle": {"unit": "T1", "kind": "joint"}}),
    ],
)
def test_it_fails_as_it_is_and_passes_with_the_rule(lead: str, category: str, fields: dict[str, Any]) -> None:
    town = Town()
    found = settled(town, lead, category, **fields)
    text = policy_test(found, policy())
    test = yaml.safe_load(text)["tests"][0]
    assert test["expect"] == {"lead": lead}
    facts = facts_of(test, yaml.safe_load(text).get("places", {}))
    assert facts == found.facts
    assert lead_of(policy(), facts) != lead
    rule = "\n".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith(("# routes:", "#   ")))
    merged = POLICY.replace("routes:\n", rule + "\n", 1)
    with_rule = load_policy({"policy.yaml": merged.encode()})
    assert len(with_rule.routes) == len(policy().routes) + 1
    assert lead_of(with_rule, facts) == lead
    assert "names this lead already" in policy_test(found, with_rule)


def facts_of(test: dict[str, Any], places: dict[str, list[str]]) -> Facts:
    """The facts the written test stands for, by the fields of its format."""
    from datetime import datetime

    report, known = test["report"], policy()
    source, category = known.source(report["source"]), known.resolve_category(report["category"])
    assert source is not None
    return Facts(
        category=category, severity=report["severity"], mode=test.get("mode", "normal"),
        path=tuple(places[report["cell"]]) if "cell" in report else (), source=source.code, platform=source.platform,
        at_ms=int(datetime.fromisoformat(test["at"]).timestamp() * 1000), confidence=report.get("confidence"),
        tags=tuple(report.get("tags", ())), whistle=report.get("whistle", {}).get("kind"),
        reporters=report.get("reporters", 1), place="by_cell" if "cell" in report else "none",
        keywords=known.keywords_in(report.get("text", "")), attributes=tuple(report.get("attributes", {}).items()),
        standard=report.get("standard"), request_kind=report.get("request_kind"),
    )  # fmt: skip


def lead_of(known: Policy, facts: Facts) -> str:
    lead = decide_plainly(known, facts).lead
    return party(lead.department, lead.unit)


def test_the_mode_and_the_milliseconds_are_told_where_they_matter() -> None:
    town = Town(first=changed(("modes: [normal]", "modes: [calm, normal]")))
    town.now_ms += 250
    text = policy_test(settled(town, "roads"), changed(("modes: [normal]", "modes: [normal, calm]")))
    assert '    mode: "calm"\n' in text
    assert re.search(r'at: "2026-03-05T15:00:00\.250\+08:00"', text)


def test_several_returns_name_the_first_and_the_last() -> None:
    town = Town()
    incident_id = town.report("r1", "02")
    for lead in ("roads", "gas"):
        town.update(incident_id, "return", **RETURN)
        town.update(incident_id, "assign", lead=lead, actor=DISPATCHER)
    found = upheld_return(town.ledger, record(town, incident_id))
    assert (found.returned_by, found.note, found.lead) == ("police", "not_ours", "gas")


def test_only_upheld_returns_of_a_lead_are_lessons() -> None:
    town = Town()
    kept, refused, moved, ended = (town.report(f"r{n}", "02", cell=f"T{n % 2 + 1}C{n // 2}") for n in range(4))
    town.update(refused, "return", **RETURN)
    town.update(refused, "refuse_return", department="police", actor=DISPATCHER)
    town.update(moved, "assign", lead="roads", actor=DISPATCHER)
    town.update(ended, "return", **RETURN)
    town.update(ended, "void", reason_code="test")
    helped = town.report("r9", "03")
    town.update(helped, "return", department="fire", **RETURN)
    town.update(helped, "accept_return", department="fire", actor=DISPATCHER)
    for incident_id in (kept, refused, moved, ended, helped):
        with pytest.raises(NotUpheld):
            upheld_return(town.ledger, record(town, incident_id))
