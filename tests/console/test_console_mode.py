"""The page of modes: looked at before it is ordered, seen by everybody while it holds, read only for others."""

from collections.abc import Callable

from console_city import STREET, record, told
from console_visits import Visit
from gateway_process import Gateway
from playwright.sync_api import expect

TOWNSHIP = STREET  # of level 1


def set_by_hand(lead: Visit, reason: str) -> None:
    page = lead.to("/console/mode").page
    page.locator("#cells").select_option(TOWNSHIP)
    page.locator("[data-ahead-h='3']").click()
    page.locator("#set button.first").click()
    expect(page.locator("#order")).to_be_visible()
    page.locator("#reason").fill(reason)
    page.locator("#order button.first").click()
    expect(page.locator("#toast")).to_have_text("Done")


def test_a_mode_is_foreseen_set_told_everywhere_and_ended(own_visit: Callable[..., Visit], own_city: Gateway):
    incident_id = own_city.opened("resident", told("mode-1"))
    lead, watcher = own_visit("shift_lead"), own_visit("dispatcher")
    watcher.to("/console/queue")
    expect(watcher.page.locator("#banner")).to_be_empty()

    page = lead.to("/console/mode").page
    page.locator("#cells").select_option(TOWNSHIP)
    page.locator("#set button.first").click()
    foreseen = page.locator("#foreseen")
    expect(foreseen).to_contain_text("1 open incidents inside")
    expect(foreseen.locator(f"a[href='/console/incidents/{incident_id}']").first).to_be_attached()
    page.locator("#order .cancel").click()
    expect(page.locator("#order")).not_to_be_visible()

    set_by_hand(lead, "a storm is coming")
    row = page.locator("#held tr[data-mode-id]")
    expect(row).to_contain_text("a storm is coming")
    expect(row).to_contain_text("shift_lead")
    expect(watcher.page.locator("#banner")).to_contain_text("emergency")  # without being loaded again
    expect(lead.to("/console/queue").page.locator("#banner")).to_contain_text("emergency")
    assert record(own_city, own_city.opened("resident", told("mode-2")))["mode"] == "emergency"
    assert record(own_city, incident_id)["mode"] == "normal"

    lead.to("/console/mode")
    row.locator("[data-order=reroute]").click()
    expect(foreseen).to_contain_text("2 open incidents inside")
    page.locator("#reason").fill("for the storm")
    page.locator("#order button.first").click()
    expect(page.locator("#toast")).to_have_text("Done")

    row.locator("[data-order=end]").click()
    page.locator("#reason").fill("it has passed")
    page.locator("#order button.first").click()
    expect(row).to_have_count(0)
    expect(page.locator("#held")).to_contain_text("normal everywhere")
    expect(watcher.page.locator("#banner")).to_be_empty()


def test_what_is_refused_is_said_where_it_was_asked(visit: Callable[..., Visit]):
    lead = visit("supervisor")
    page = lead.to("/console/mode").page
    page.locator("#set button.first").click()  # no cell
    expect(page.locator("#set .wrong")).to_be_visible()
    page.locator("#cells").select_option(TOWNSHIP)
    page.locator("#until").fill("2020-01-01T00:00")
    page.locator("#set button.first").click()
    page.locator("#reason").fill("too late")
    page.locator("#order button.first").click()
    expect(page.locator("#order .wrong")).to_contain_text("future")
    assert all("422" in said for said in lead.wrong)  # a browser says so itself
    lead.wrong.clear()


def test_others_read_only_or_not_at_all(visit: Callable[..., Visit]):
    for name in ("dispatcher", "inspector"):
        page = visit(name).to("/console/mode").page
        expect(page.locator("#held")).to_be_visible()
        expect(page.locator("#set, [data-order], #order")).to_have_count(0)
        expect(page.locator("nav a[aria-current]")).to_have_text("Mode")
    officer = visit("officer").to("/console/mode")
    expect(officer.page.locator("[role=alert]")).to_contain_text("not open to your roles")
    officer.wrong.clear()
