"""The map: what is open where, kept current, filtered in the address, reached by keyboard; fetched from here alone."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from console_city import ERRAND, REFUSE, STREET, inside, told
from console_visits import WAIT_MS, Visit
from gateway_process import Gateway, gateway_at
from playwright.sync_api import Browser, Page, expect

from dispatcher.console.map import _origin

ROOT = Path(__file__).parents[2]
LEAFLET = ROOT / "dispatcher/console/static/vendor/leaflet-1.9.4"
ELSEWHERE = "530003002"  # another township


def test_leaflet_is_what_its_makers_published():
    listed = dict(line.split()[::-1] for line in (LEAFLET / "SHA256SUMS").read_text().splitlines())
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in LEAFLET.iterdir()}
    del found["SHA256SUMS"]
    assert found == listed
    assert "LICENSE" in found


def on_map(page: Page, severity: int | None = None) -> int:
    return page.locator(f"#map svg.dot{'' if severity is None else f'.s{severity}'}").count()


def test_what_is_open_is_on_the_map_and_kept_current(visit: Callable[..., Visit], city: Gateway):
    first = city.opened("resident", told("map-1", severity=1))
    page = visit("dispatcher").to("/console/map").page
    expect(page.locator(f"#at-{first}")).to_be_visible()
    assert on_map(page, 1) >= 1
    before = on_map(page)
    second = city.opened("resident", told("map-2", ERRAND, location=inside(ELSEWHERE)))
    expect(page.locator(f"#at-{second}")).to_be_visible()  # without being loaded again
    assert on_map(page) == before + 1
    with city.client("supervisor") as client:
        void = {"incident_id": second, "update_id": "map-void", "action": "void", "at": "2026-01-01T00:00:00Z"}
        said = client.post("/v1/updates", params={"wait_s": 10}, json=void | {"reason_code": "test"}).json()
    assert said["updates"][0]["state"] == "taken", said
    expect(page.locator(f"#at-{second}")).to_have_count(0)


def test_the_list_beside_it_is_reached_by_keyboard_and_shows_where(visit: Callable[..., Visit], city: Gateway):
    incident_id = city.opened("resident", told("map-keys", severity=2))
    page = visit("dispatcher").to("/console/map").page
    link = page.locator(f"#at-{incident_id} a")
    link.focus()
    expect(page.locator("#map svg.dot.marked")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{city.url}/console/incidents/{incident_id}")


def test_a_mark_leads_to_its_incident(own_visit: Callable[..., Visit], own_city: Gateway):
    incident_id = own_city.opened("resident", told("map-mark"))
    page = own_visit("inspector").to("/console/map").page
    page.locator("#map svg.dot").click()
    expect(page).to_have_url(f"{own_city.url}/console/incidents/{incident_id}")


def test_filters_and_where_one_looks_stand_in_the_address(visit: Callable[..., Visit], city: Gateway):
    kept = city.opened("resident", told("map-f1", REFUSE))
    left = city.opened("resident", told("map-f2", ERRAND))
    page = visit("dispatcher").to("/console/map").page
    expect(page.locator(f"#at-{left}")).to_be_visible()
    page.locator("#filters [name=category]").select_option(REFUSE.partition(".")[0])
    expect(page.locator(f"#at-{left}")).to_have_count(0)
    expect(page.locator(f"#at-{kept}")).to_be_visible()
    page.locator("#map").focus()
    page.keyboard.press("+")
    box = page.locator("#map").bounding_box()
    assert box is not None
    looked_at = page.url.partition("#")[2]
    page.mouse.move(box["x"] + 60, box["y"] + box["height"] - 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + box["height"] - 90, steps=5)
    page.mouse.up()
    expect(page).not_to_have_url(re.compile(re.escape(looked_at) + "$"))
    page.locator("[name=show][value=centres]").check()
    page.locator("#level").select_option("2")
    expect(page.locator("#map")).to_have_attribute("data-cells", re.compile(r"^level=2 \d+$"))
    expect(page.locator("#map svg.thing.centres").first).to_be_attached()
    address = re.compile(r"/console/map\?category=02&show=centres&level=2#[\d.]+/[\d.]+/[\d.]+$")
    expect(page).to_have_url(address)
    zoom = page.url.partition("#")[2].partition("/")[0]
    page.reload()
    expect(page.locator("#map")).to_have_attribute("data-cells", re.compile(r"^level=2 \d+$"))
    expect(page.locator("#map svg.thing.centres").first).to_be_attached()
    expect(page.locator("#filters [name=category]")).to_have_value("02")
    assert page.url.partition("#")[2].partition("/")[0] == zoom
    expect(page.locator(f"#at-{left}")).to_have_count(0)


def test_leaves_from_close_by_and_what_is_here(visit: Callable[..., Visit]):
    place = inside(STREET)
    page = visit("dispatcher").to(f"/console/map#15/{place['lat']}/{place['lon']}").page
    expect(page.locator("#map")).to_have_attribute("data-cells", "leaves=true 250")
    assert page.locator("#map path.leaflet-interactive").count() == 0  # no shape of its own for any cell
    assert page.locator("#map canvas").count() == 1
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2 + 40, box["y"] + box["height"] / 2 + 40)
    expect(page.locator("#around")).to_contain_text("Service centres")
    expect(page.locator("#map")).to_have_attribute("data-marked", re.compile(r"^\d+$"))
    only = page.locator("#around a").get_attribute("href")
    assert only is not None
    assert f"cell={page.locator('#map').get_attribute('data-marked')}" in only


def test_one_sees_on_the_map_what_is_ones_business(visit: Callable[..., Visit], city: Gateway):
    mine = city.opened("resident", told("map-mine"))
    other = city.opened("resident", told("map-other", location=inside(ELSEWHERE)))
    page = visit("officer").to("/console/map").page
    expect(page.locator(f"#at-{mine}")).to_be_visible()
    expect(page.locator(f"#at-{other}")).to_have_count(0)
    with city.client("officer") as client:
        client.cookies.set("dispatch_session", city.session("officer"))
        found = client.get("/console/map/incidents", params={"ids": [mine, other]}, headers={"X-Part": "1"}).json()
        assert [dot["id"] for dot in found["dots"]] == [mine]
        for wrong in ({"kind": "moon", "bbox": "1,2,3,4"}, {"kind": "assets", "bbox": "1"}):
            assert client.get("/console/map/things", params=wrong).status_code == 422


def test_a_background_is_fetched_from_where_the_configuration_says_and_from_nowhere_else(
    browser: Browser, tmp_path: Path
):
    config = tmp_path / "config.yaml"
    text = (ROOT / "examples/city/config.yaml").read_text().replace("../../rules", f"{ROOT}/rules")
    text = re.sub(r"(?m)^(grid|things|register): ", rf"\1: {ROOT}/examples/city/", text)
    config.write_text(text + "console: {tiles: 'http://tiles.test/{z}/{x}/{y}.png', tiles_credit: '© <b>us</b>'}\n")
    with gateway_at(config, tmp_path, roles={"dispatcher": {"roles": ["dispatcher"], "areas": ["*"]}}) as town:
        context = browser.new_context()
        context.add_cookies([{"name": "dispatch_session", "value": town.session("dispatcher"), "url": town.url}])
        asked: list[str] = []
        context.route("**://tiles.test/**", lambda route: (asked.append(route.request.url), route.abort()))
        page = context.new_page()
        answer = page.goto(f"{town.url}/console/map")
        assert answer is not None
        assert "img-src http://tiles.test 'self'" in answer.headers["content-security-policy"]
        expect(page.locator(".leaflet-control-attribution")).to_have_text("© <b>us</b>", timeout=WAIT_MS)
        expect(page.locator(".leaflet-tile").first).to_be_attached()
        assert all(url.startswith("http://tiles.test/") for url in asked)
        assert asked
        other = page.goto(f"{town.url}/console/queue")
        assert other is not None
        assert "tiles.test" not in other.headers["content-security-policy"]
        context.close()


@pytest.mark.parametrize(
    ("address", "origin"),
    [("https://a.example/{z}/{x}/{y}.png", "https://a.example"), ("http://h:81/t/{z}", "http://h:81")],
)
def test_the_origin_of_a_background(address: str, origin: str):
    assert _origin(address) == origin
