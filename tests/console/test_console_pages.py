"""The console as people meet it: signed in, kept current, by address, keyboard and phone, in either language."""

import re
import time
from collections.abc import Callable

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from console_city import department_of, picture, record, told
from console_visits import Visit
from gateway_process import Gateway, update, wait_until
from playwright.sync_api import Route, expect

PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
Opening = Callable[..., Visit]


def test_signing_in_and_out(visit: Opening, city: Gateway):
    incident_id = city.opened("resident", told("sign-in"))
    there = visit(None)
    page = there.page
    page.goto(f"{city.url}/console/incidents/{incident_id}")
    expect(page).to_have_url(re.compile("/console/sign-in"))
    page.fill("#key", city.keys["dispatcher"][:-3])
    page.click("button.first")
    expect(page.locator("[role=alert]")).to_have_text("The key is wrong or revoked.")
    page.fill("#key", city.keys["dispatcher"])
    page.click("button.first")
    expect(page).to_have_url(f"{city.url}/console/incidents/{incident_id}")  # where it was wanted to go
    (cookie,) = (each for each in page.context.cookies() if each["name"] == "dispatch_session")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("[role=status]")).to_have_text("You are signed out.")
    with city.client(cookies={"dispatch_session": cookie["value"]}) as client:
        assert client.get("/v1/queue").status_code == 401, "a token that was copied is worth nothing any more"
    there.wrong = [each for each in there.wrong if "401" not in each]  # the wrong key


@pytest.mark.parametrize(
    "to", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "/v1/x", "x"]
)
def test_nobody_is_sent_elsewhere(city: Gateway, to: str):
    with city.client() as client:
        answer = client.post("/console/sign-in", data={"key": city.keys["dispatcher"], "next": to})
        assert (answer.status_code, answer.headers["location"]) == (303, "/console")
        assert client.get("/console/language/en", params={"next": to}).headers["location"] == "/console"


def test_no_other_site_signs_anybody_in_or_out(city: Gateway):
    with city.client() as client:
        for from_elsewhere in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
            answer = client.post("/console/sign-in", data={"key": city.keys["dispatcher"]}, headers=from_elsewhere)
            assert (answer.status_code, answer.cookies.get("dispatch_session")) == (403, None)
    token = city.session("dispatcher")
    with city.client(cookies={"dispatch_session": token}) as client:
        answer = client.post("/console/sign-out", data={"csrf": "x"})
        assert (answer.status_code, answer.headers.get("set-cookie")) == (403, None)
        assert client.get("/v1/queue").status_code == 200


def test_what_strangers_send_is_small_and_harmless(city: Gateway):
    with city.client() as client:
        assert client.post("/console/sign-in", content=b"key=" + b"%41" * 100_000).status_code == 413
        assert client.post("/console/sign-in", data={"key": "x", "next": "//["}).status_code in (401, 429)
        origin = {"Origin": "http://["}
        assert client.post("/console/sign-in", data={"key": "x"}, headers=origin).status_code == 403


def test_what_is_not_for_a_role_is_not_shown(city: Gateway):
    for name, page, status in (
        ("officer", "/console/queue", 403), ("officer", "/console/queue/rows", 403), ("resident", "/console", 403),
        ("dispatcher", "/console/department", 403), ("dispatcher", "/console/officer", 403),
        ("admin", "/console/queue", 403), ("admin", "/console/mode", 403),
        ("officer", "/console/policy", 403), ("resident", "/console/map", 403),
        ("analyst", "/console/queue", 403), ("dispatcher", "/console/incidents/none", 404),
    ):  # fmt: skip
        with city.client(cookies={"dispatch_session": city.session(name)}) as client:
            assert client.get(page).status_code == status, (name, page)
    for page in ("/console/queue", "/console/department", "/console/officer", "/console/incidents/x", "/console"):
        assert httpx.get(city.url + page).headers["location"].startswith("/console/sign-in"), page
        assert httpx.get(city.url + page, headers={"X-Part": "1"}).status_code == 401, page
    assert httpx.get(f"{city.url}/console/changes").status_code == 401


def test_a_new_incident_appears_and_a_finished_one_goes(
    visit: Opening, city: Gateway, capsys: pytest.CaptureFixture[str]
):
    there = visit("dispatcher").to("/console/queue")
    begun_s = time.monotonic()
    incident_id = city.opened("resident", told("appears", "03.01.03"))  # at once, whoever verifies it
    row = there.page.locator(f"#line-{incident_id}")
    expect(row).to_be_visible()
    with capsys.disabled():
        print(f"\na new incident is seen {time.monotonic() - begun_s:.2f} s after it was reported")
    expect(row).to_contain_text("1 critical")
    assert int(there.page.evaluate("document.body.dataset.rung ?? 0")) >= 1, "what cannot wait is heard"
    with city.client("supervisor") as client:
        made = update(incident_id, "appears-void", "void", reason_code="test")
        assert client.post("/v1/updates", params={"wait_s": 10}, json=made).json()["updates"][0]["state"] == "taken"
    expect(row).to_have_count(0)


def test_who_has_claimed_a_line_is_seen_by_the_others(visit: Opening, city: Gateway):
    incident_id = city.opened("resident", told("claimed"))
    there = visit("second").to("/console/queue")
    visit("dispatcher").act(incident_id, "claim")
    expect(there.page.locator(f"#line-{incident_id} .claimed")).to_have_text("dispatcher is on it")
    refused = visit("second").to(f"/console/incidents/{incident_id}")
    refused.page.locator("button", has_text="Assign").click()
    form = refused.form("assign")
    refused.fill(form, "lead", "police")
    form.locator(".buttons button.first").click()
    expect(form.locator(".wrong")).to_contain_text("is working on it")  # the form stays


def test_filters_stand_in_the_address(visit: Opening, city: Gateway):
    urgent = city.opened("resident", told("filter-1", "03.01.03"))
    ordinary = city.opened("resident", told("filter-2"))
    there = visit("dispatcher").to("/console/queue")
    there.page.select_option('#filters [name="severity"]', "1")
    expect(there.page).to_have_url(re.compile(r"/console/queue\?severity=1$"))
    expect(there.page.locator(f"#line-{urgent}")).to_be_visible()
    expect(there.page.locator(f"#line-{ordinary}")).to_have_count(0)
    there.page.reload()
    expect(there.page.locator('#filters [name="severity"]')).to_have_value("1")
    hidden = city.opened("resident", told("filter-3"))  # what is told of and does not fit stays out
    shown = city.opened("resident", told("filter-4", "03.01.03"))
    expect(there.page.locator(f"#line-{shown}")).to_be_visible()
    expect(there.page.locator(f"#line-{hidden}")).to_have_count(0)


def test_the_order_is_the_one_to_work_in(visit: Opening, city: Gateway):
    there = visit("dispatcher").to("/console/queue")
    for n, category in enumerate(("02.02.01", "03.01.03", "02.02.01", "03.01.04")):
        incident_id = city.opened("resident", told(f"order-{n}", category))
        expect(there.page.locator(f"#line-{incident_id}")).to_be_visible()

    def same() -> bool:
        shown = there.page.locator("#lines > tr").evaluate_all("rows => rows.map((row) => row.dataset.id)")
        with city.client("dispatcher") as client:
            lines = client.get("/v1/queue", params={"limit": 200}).json()["lines"]
        return shown == [line["incident_id"] for line in lines]

    wait_until(same)  # a deadline may pass meanwhile


def test_by_keyboard_alone(visit: Opening, city: Gateway):
    city.opened("resident", told("keys-1"))
    city.opened("resident", told("keys-2"))
    page = visit("dispatcher").to("/console/queue").page
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.wait_for_function("document.getElementById('lines').dataset.keys === '1'")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator("#lines > tr").nth(1)
    expect(second).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator("#lines > tr").first).to_be_focused()
    page.keyboard.press("m")
    expect(page.locator("#mute")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("/")
    expect(page.locator("#filters select").first).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("#lines > tr").first.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/console/incidents/"))


def test_in_either_language_and_light(visit: Opening, city: Gateway):
    city.opened("resident", told("language"))
    page = visit("dispatcher", locale="zh-CN").to("/console/queue").page
    expect(page.locator("nav a[aria-current]")).to_have_text("调度台")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.click("#language")
    expect(page.locator("nav a[aria-current]")).to_have_text("Queue")
    expect(page).to_have_url(f"{city.url}/console/queue")
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert before != after
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == after


def test_a_departments_day(visit: Opening, city: Gateway):
    first = city.opened("resident", told("day-1"))
    second = city.opened("resident", told("day-2"))
    name = department_of(city, record(city, first)["lead"])
    there = visit(name).to("/console/department")
    section = there.page.locator("section", has=there.page.locator("#h-unacknowledged"))
    expect(section.locator(f'[data-id="{second}"]')).to_be_visible()
    for incident_id in (first, second):
        section.locator(f'input[value="{incident_id}"]').check()
    there.page.get_by_role("button", name="Acknowledge what is ticked").click()
    expect(there.page.locator("#toast")).to_have_text("Done")
    assert {record(city, each)["lead"]["state"] for each in (first, second)} == {"acknowledged"}
    expect(section.locator(f'[data-id="{first}"]')).to_have_count(0)
    third = city.opened("resident", told("day-3"))  # comes while they are looking
    expect(section.locator(f'[data-id="{third}"]')).to_be_visible()
    there.act(first, "request", {"kind": "extension"}, reason_code="parts", text="a wheel is broken")
    lead = visit("dispatcher").to("/console/queue")
    expect(lead.page.locator(f"#line-{first}")).to_contain_text("1 to approve")
    lead.act(first, "approve", {"number": 1})
    assert record(city, first)["requests"][0]["state"] == "approved"
    there.act(first, "done", text="cleared", media=picture(), flags="photo")
    checking = visit("checker").to(f"/console/incidents/{first}")
    shown = checking.page.locator("#pictures img")
    expect(shown).to_have_count(1)
    wait_until(lambda: shown.evaluate("img => img.naturalWidth") == 40)  # it is really there
    checking.act(first, "check", result="pass")
    assert record(city, first)["state"] == "closed"


def test_an_officers_day_on_the_phone(visit: Opening, city: Gateway):
    incident_id = city.opened("resident", told("officer", source="satellite"))
    there = visit("officer", **PHONE, geolocation={"longitude": 103.5, "latitude": 25.19}, permissions=["geolocation"])
    there.to("/console/officer")
    task = there.page.locator("section", has=there.page.locator("#h-to_verify")).locator(f'[data-id="{incident_id}"] a')
    task.tap()
    there.page.locator("button", has_text="Verify").tap()
    form = there.form("verify")
    form.locator("button.position").tap()
    expect(form.locator("[role=status]")).to_have_text("position taken")
    there.fill(form, "result", "exists")
    form.locator(".buttons button.first").tap()
    expect(there.page.locator("#toast")).to_have_text("Done")
    assert record(city, incident_id)["state"] == "dispatched"
    wide = there.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, "nothing is beside the screen"


def test_a_contact_is_shown_with_its_purpose_and_to_no_other(visit: Opening, city: Gateway):
    who = {"name": "李四", "phone": "13812345678"}
    incident_id = city.opened("resident", told("contact", text="打我电话 13812345678", reporter=who))
    there = visit("dispatcher").to(f"/console/incidents/{incident_id}")
    expect(there.page.locator("#main")).not_to_contain_text("13812345678")
    there.page.fill("#contacts input", "to ask where exactly")
    there.page.click("#contacts button")
    expect(there.page.locator("#contacts-shown")).to_contain_text("李四")
    expect(there.page.locator("#contacts-shown")).to_contain_text("13812345678")
    for name in ("inspector", "officer"):
        page = visit(name).to(f"/console/incidents/{incident_id}").page
        expect(page.locator("#contacts")).to_have_count(0)
        assert "13812345678" not in page.content()


def test_a_restart_of_the_server_loses_nothing_of_the_page(own_visit: Opening, own_city: Gateway):
    first = own_city.opened("resident", told("restart-1"))
    there = own_visit("dispatcher").to("/console/queue?severity=4")
    expect(there.page.locator(f"#line-{first}")).to_be_visible()
    there.page.evaluate("window.kept = true")
    port = own_city.url.rsplit(":", 1)[1]
    assert own_city.stop() == 0
    expect(there.page.locator("#connection")).to_have_class(re.compile("lost"))
    own_city.start(port)
    second = own_city.opened("resident", told("restart-2"))
    expect(there.page.locator(f"#line-{second}")).to_be_visible()
    assert there.page.evaluate("window.kept") is True, "it was not loaded anew"
    expect(there.page.locator('#filters [name="severity"]')).to_have_value("4")
    there.wrong = [each for each in there.wrong if "ERR_" not in each]  # what a browser says of a server that is away


def test_tabs_share_one_stream_and_the_next_takes_over(visit: Opening, city: Gateway):
    one = visit("dispatcher").to("/console/queue")
    other = Visit(one.page.context.new_page(), city).to("/console/queue")
    streams = list[str]()
    one.page.context.on("request", lambda request: "changes" in request.url and streams.append(request.url))
    seen = city.opened("resident", told("tabs-1"))
    for tab in (one, other):
        expect(tab.page.locator(f"#line-{seen}")).to_be_visible()
    assert streams == [], "the second tab has begun no stream of its own"
    one.page.close()
    wait_until(lambda: len(streams) == 1 or other.page.wait_for_timeout(50) is not None)
    again = city.opened("resident", told("tabs-2"))
    expect(other.page.locator(f"#line-{again}")).to_be_visible()


@pytest.mark.parametrize(
    "name", ["sign-in", "queue", "incident", "dialog", "department", "officer", "map", "mode", "policy"]
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(visit: Opening, city: Gateway, name: str, scheme: str):
    """No serious violation of the WCAG as axe-core knows them."""
    incident_id = city.opened("resident", told(f"axe-{name}-{scheme}", "03.01.03"))
    lead = department_of(city, record(city, incident_id)["lead"])
    whose = {"sign-in": None, "department": lead, "officer": "officer", "mode": "shift_lead", "policy": "policy_editor"}
    who = whose.get(name, "dispatcher")
    path = {"incident": f"/console/incidents/{incident_id}", "dialog": f"/console/incidents/{incident_id}"}
    there = visit(who, color_scheme=scheme).to(path.get(name, f"/console/{name}"))
    if name == "dialog":
        there.page.locator("button", has_text="Reclassify").click()
    found = Axe().run(there.page).response["violations"]
    serious = [
        f"{each['id']}: {each['help']}: {[node['html'][:150] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_a_page_outlives_a_moment_in_which_the_stream_is_refused_but_not_its_session(visit: Opening, city: Gateway):
    there = visit("dispatcher")
    page, connection = there.page, there.page.locator("#connection")
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.fulfill(status=503, json={"type": "urn:dispatch:unavailable"})

    page.route("**/console/changes", refuse)
    page.goto(f"{city.url}/console/queue")
    page.evaluate("window.mark = 'the same page'")
    page.wait_for_timeout(3_000)  # it asks why, and tries again
    assert len(refused) > 1
    expect(connection).not_to_have_text("live")
    page.unroute("**/console/changes")
    expect(connection).to_have_text("live")
    assert page.evaluate("window.mark") == "the same page"
    there.wrong.clear()  # the browser says of each refusal that it was one


def test_a_page_goes_when_its_session_is_over(visit: Opening, city: Gateway):
    there = visit(city.admit("leaves", roles=["dispatcher"], areas=["*"])).to("/console/queue")
    expect(there.page.locator("#connection")).to_have_text("live")
    city.revoke("leaves")
    city.opened("resident", told("after-leaving"))  # with the next event the stream ends
    there.page.wait_for_url("**/console/sign-in*")
    there.wrong.clear()
