"""The page of the policy: checked, handed in by one and put in force by another, tried, and how its rules fare."""

import json
from collections.abc import Callable
from pathlib import Path

from console_city import REFUSE, STREET, told
from console_visits import Visit
from gateway_process import Gateway, policy_texts, update, wait_until
from playwright.sync_api import expect

POLICY = Path(__file__).parents[2] / "rules/city"


def test_one_hands_in_another_puts_in_force_and_goes_back(
    own_visit: Callable[..., Visit], own_city: Gateway, tmp_path: Path
):
    for name, text in policy_texts(POLICY, "2027.1").items():
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_text(text)
    editor, approver = own_visit("policy_editor"), own_visit("policy_approver")
    page = editor.to("/console/policy").page
    page.locator("#files").set_input_files(tmp_path / "mine")
    page.locator("#keep").check()
    page.locator("#check button.first").click()
    expect(page.locator("#checked")).to_contain_text("city-core 2027.1")
    expect(page.locator("#checked")).to_contain_text("It is handed in.")
    expect(page.locator("#drafts")).to_contain_text("somebody else approves it")
    expect(page.locator("[data-approve]")).to_have_count(0)

    page = approver.to("/console/policy").page
    page.locator("[data-approve=activate]").click()
    page.locator("#approve-reason").fill("agreed in the meeting")
    page.locator("#approve button.first").click()
    expect(page.locator("#toast")).to_have_text("Done")
    history = page.locator("#history tbody tr")
    expect(history.first).to_contain_text("agreed in the meeting")
    expect(history).to_have_count(2)
    expect(editor.page.locator("#history tbody tr")).to_have_count(2)  # without being loaded again
    in_force = own_city.in_force()

    page.locator("[data-approve=rollback]").click()
    page.locator("#approve-reason").fill("not yet")
    page.locator("#approve button.first").click()
    expect(history).to_have_count(3)
    wait_until(lambda: own_city.in_force() != in_force)
    expect(page.locator("[data-approve=activate]")).to_have_count(1)  # it may be put in force again


def test_what_is_wrong_with_a_policy_is_told_with_its_place(visit: Callable[..., Visit]):
    page = visit("policy_editor", locale="zh-CN").to("/console/policy").page
    page.locator("#one").fill("name: mine\nmoon: 1\n")
    page.locator("#check button.first").click()
    expect(page.locator("#checked")).to_contain_text("policy.yaml:2:1 E005")
    expect(page.locator("#checked")).to_contain_text("不能生效")


def test_a_report_is_tried_by_form_and_by_json(visit: Callable[..., Visit]):
    page = visit("dispatcher").to("/console/policy").page
    expect(page.locator("#check, [data-approve]")).to_have_count(0)
    page.locator("#try-category").fill(REFUSE)
    page.locator("#try-cell").fill(STREET)
    page.locator("#try-source").select_option("hotline")
    page.locator("#try button.first").click()
    expect(page.locator("#tried")).to_contain_text("street.refuse")
    page.locator("#try summary").click()
    page.locator("#try-json").fill(json.dumps(told("x", source="nobody")))
    page.locator("#try button.first").click()
    expect(page.locator("#tried")).to_contain_text("It would be rejected")


def test_rules_are_counted_from_the_ledger(visit: Callable[..., Visit], city: Gateway):
    city.opened("resident", told("policy-1"))
    page = visit("analyst").to("/console/policy").page
    row = page.locator("#cards tr[data-rule='street.refuse']")
    expect(row).to_have_count(1)
    hits = int(row.locator("td").nth(2).inner_text())
    city.opened("resident", told("policy-2", location={"cell": "530003002001"}))
    page.reload()
    expect(row.locator("td").nth(2)).to_have_text(str(hits + 1))
    expect(page.locator("#cards details")).to_contain_text("guard")


def test_an_incident_tells_why_in_full(visit: Callable[..., Visit], city: Gateway):
    incident_id = city.opened("resident", told("policy-why"))
    desk = visit("dispatcher")
    page = desk.to(f"/console/incidents/{incident_id}").page
    page.locator("#why summary").click()
    expect(page.locator("#why pre")).to_contain_text("street.refuse")
    expect(page.locator("#why pre")).to_contain_text("equals the recorded one")
    with city.client("second") as client:  # the page is drawn anew under the reader
        client.post("/v1/updates", json=update(incident_id, "policy-note", "note", text="seen"))
    expect(page.locator(".timeline")).to_contain_text("a note")
    expect(page.locator("#why")).to_have_attribute("open", "")
    expect(page.locator("#why pre")).to_contain_text("street.refuse")
