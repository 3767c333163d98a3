"""The shift's sheet: what is on it, signed by two, kept as it was; the morning brief; papers to be printed."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from console_late import PEOPLE, Person, acted, city_of_late, people_of, text_of
from console_visits import Visit, visits_to
from gateway_process import Gateway, report, wait_until
from playwright.sync_api import Browser, expect

from tests.acceptance.command_line import dispatcher

READING = {"shift_lead", "night lead", "day lead", "bronx lead", "supervisor", "bronx supervisor", "dispatcher",
           "lead_of_5", "everybody", "elsewhere", "nowhere"}  # fmt: skip
WORDS = "a jackhammer <b>at night</b>, call 13812345678"
Opening = Callable[..., Person]


class Late(NamedTuple):
    """The city, and what was done in it by name."""

    city: Gateway
    ids: dict[str, str]


@pytest.fixture(scope="module")
def late(nyc: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Late]:
    directory = tmp_path_factory.mktemp("shift")
    with city_of_late(nyc, directory, 200) as city:
        ids = {
            "severe": city.opened("reporter", report("severe", severity=1, text=WORDS)),
            "returns": city.opened("reporter", report("returns", location={"lon": -73.99, "lat": 40.76})),
            "requests": city.opened("reporter", report("requests", location={"lon": -73.97, "lat": 40.77})),
            "bronx": city.opened("reporter", report("bronx", severity=1, location={"lon": -73.9, "lat": 40.85})),
        }
        nowhere = report("nowhere")
        del nowhere["location"]
        ids["unlocated"] = city.opened("reporter", nowhere)
        acted(city, "dep", ids["returns"], "return", reason_code="not_ours")
        acted(city, "dep", ids["requests"], "acknowledge")
        acted(city, "dep", ids["requests"], "request", kind="extension", reason_code="parts")
        acted(city, "supervisor", ids["severe"], "supervise", text="tonight")
        acted(city, "shift_lead", ids["severe"], "urge")
        with city.client("reporter") as client:
            early = report("too-early", reported_at="2100-01-01T00:00:00Z")
            assert client.post("/v1/reports", json=early).status_code == 201
        dispatcher(
            "mode", "set", "emergency", "--until", "+3h", "--reason", "a storm", "--cells", "1", "--by", "Wang",
            "--yes", "--ledger", str(directory / "city.db"), config=nyc / "config.yaml",
        )  # fmt: skip
        yield Late(city, ids)


@pytest.fixture
def person(late: Late) -> Iterator[Opening]:
    with people_of(late.city) as opening:
        yield opening


@pytest.fixture
def visit(browser: Browser, late: Late) -> Iterator[Callable[..., Visit]]:
    with visits_to(browser, late.city) as opening:
        yield opening


def lists_of(html: str) -> dict[str, int]:
    return {name: int(count) for name, count in re.findall(r'data-list="(\w+)" data-count="(\d+)"', html)}


def listed(html: str, name: str) -> list[str]:
    """The incidents of one list of a sheet."""
    section = html.split(f'data-list="{name}"')[1].partition("</section>")[0]
    return re.findall(r"/console/incidents/([\w-]+)", section)


def signed(person: Person, notes: str, draft: str) -> int:
    """Hand over; returns the number of the sheet."""
    answer = person.send("/console/shift", notes=notes, draft=draft)
    assert answer.status_code == 303, text_of(answer.text)
    return int(answer.headers["location"].rpartition("/")[2])


# --- what is on it ------------------------------------------------------------------------------------------------


def test_each_count_is_that_of_the_list_it_leads_to(late: Late, person: Opening):
    reader = person("shift_lead")
    html = reader.get("/console/shift").text
    counts = lists_of(html)
    assert list(counts) == [
        "severe", "overdue", "due_next", "requests", "returns", "unlocated", "callbacks", "refused",
    ]  # fmt: skip
    for name, count in counts.items():
        if name != "refused":
            assert f'data-figure="{count}"' in reader.get(f"/console/cases?shift={name}").text, name
    assert counts["overdue"] > 20
    assert counts["callbacks"] > 20
    for name in ("severe", "requests", "returns"):
        assert late.ids[name] in listed(html, name)
    assert late.ids["unlocated"] in reader.get("/console/cases?shift=unlocated").text
    assert (counts["requests"], counts["returns"], counts["refused"]) == (1, 1, 1)
    assert "bad_time" in html


def test_the_lists_say_what_the_incidents_do(late: Late, person: Opening):
    html = person("supervisor").get("/console/shift").text
    with late.city.client("supervisor") as client:
        severe = client.get("/v1/queue", params={"severity": ["1", "2"], "limit": 1000}).json()["lines"]
        everything = client.get("/v1/queue", params={"limit": 1000}).json()["lines"]
    counts = lists_of(html)
    assert counts["severe"] == len(severe)
    assert listed(html, "severe") == [line["incident_id"] for line in severe][: len(listed(html, "severe"))]
    assert counts["unlocated"] == sum(line["path"] == "/" for line in everything)


def test_the_mode_in_force_is_on_it(person: Opening):
    modes = text_of(person("night lead").get("/console/shift").text.split('id="modes"')[1].split("</ul>")[0])
    assert "emergency Manhattan" in modes
    assert "a storm" in modes
    assert "elsewhere normal" in modes


@pytest.mark.parametrize("name", sorted(PEOPLE))
def test_who_may_read_it_and_who_may_sign(person: Opening, name: str):
    visitor = person(name)
    assert visitor.client.get("/console/shift").status_code == (200 if name in READING else 403)
    if "shift_lead" not in PEOPLE[name]["roles"]:
        assert visitor.send("/console/shift", notes="x").status_code == 403
        assert visitor.send("/console/shift/1", notes="x").status_code == 403
        assert 'class="sign"' not in visitor.client.get("/console/shift").text


# --- two signatures -----------------------------------------------------------------------------------------------


def test_both_sign_each_by_their_own_session(late: Late, person: Opening):
    night, day, other = person("night lead"), person("day lead"), person("shift_lead")
    number = signed(night, "Two pumps <i>out</i>.", "both")
    page = night.get(f"/console/shift/{number}").text
    assert "nobody has taken over yet" in text_of(page)
    assert "Two pumps &lt;i&gt;out&lt;/i&gt;." in page
    assert 'class="sign"' not in page
    assert night.send(f"/console/shift/{number}").status_code == 409  # one's own
    assert 'class="sign"' in day.get(f"/console/shift/{number}").text
    assert day.send(f"/console/shift/{number}", notes="All clear.").status_code == 303
    assert other.send(f"/console/shift/{number}", notes="Me too.").status_code == 409
    for reader in (night, other, person("dispatcher"), person("supervisor")):
        page = reader.get(f"/console/shift/{number}").text
        given = text_of(page.split('id="given">')[1].split("</dd>")[0])
        taken = text_of(page.split('id="taken">')[1].split("</dd>")[0])
        assert re.fullmatch(r"night lead \d{4}-\d\d-\d\d \d\d:\d\d Two pumps <i>out</i>\.", given)
        assert re.fullmatch(r"day lead \d{4}-\d\d-\d\d \d\d:\d\d All clear\.", taken)
    first = text_of(night.get("/console/shift").text.split('id="earlier"')[1].split("</li>")[0])
    assert "night lead" in first
    assert "day lead" in first


def test_it_is_kept_as_it_was(late: Late, person: Opening):
    night = person("night lead")
    number = signed(night, "", "kept")
    before = night.get(f"/console/shift/{number}").text
    late.city.opened("reporter", report("after", severity=1, location={"lon": -73.96, "lat": 40.78}))
    acted(late.city, "dispatcher", late.ids["returns"], "assign", lead="nypd")
    assert night.get(f"/console/shift/{number}").text == before
    now, then = lists_of(night.get("/console/shift").text), lists_of(before)
    assert now["severe"] == then["severe"] + 1
    assert (then["returns"], now["returns"]) == (1, 0)
    chinese = text_of(person("day lead", "zh").get(f"/console/shift/{number}").text)
    assert "退单待决定 1" in chinese  # codes are kept, not words


def test_a_form_sent_twice_counts_once_and_one_from_elsewhere_not_at_all(person: Opening):
    night, other = person("night lead"), person("day lead")
    number = signed(night, "once", "draft-1")
    assert signed(night, "once", "draft-1") == number
    assert signed(other, "another's", "draft-1") == number + 1
    assert night.send("/console/shift", csrf="x", notes="forged").status_code == 403
    assert other.send(f"/console/shift/{number}", csrf="", notes="forged").status_code == 403
    assert "forged" not in night.get("/console/shift").text
    assert night.send("/console/shift", **{f"f{n}": "x" for n in range(30)}).status_code == 422
    assert "nobody has taken over yet" in text_of(night.get(f"/console/shift/{number}").text)


def test_a_sheet_is_for_those_who_have_all_its_areas(late: Late, person: Opening):
    bronx, city = person("bronx lead"), person("night lead")
    html = bronx.get("/console/shift").text
    assert listed(html, "severe")[0] == late.ids["bronx"]
    with late.city.client("bronx lead") as client:
        mine = {line["incident_id"] for line in client.get("/v1/incidents?limit=1000").json()["lines"]}
    for name in lists_of(html):
        assert set(listed(html, name)) <= mine
    assert "refused" not in lists_of(html)  # a refusal lies nowhere
    own, whole = signed(bronx, "", "bronx"), signed(city, "", "whole")
    city.get(f"/console/shift/{own}")
    person("bronx supervisor").get(f"/console/shift/{own}")
    for reader in (person("elsewhere"), person("nowhere")):
        reader.get(f"/console/shift/{own}", 404)
    bronx.get(f"/console/shift/{whole}", 404)
    assert bronx.send(f"/console/shift/{whole}").status_code == 404
    shown = text_of(bronx.get("/console/shift").text.split('id="earlier"')[1])
    assert f"No. {own}" in shown
    assert f"No. {whole}" not in shown
    for number in ("0", "x", str(1 << 63)):
        assert bronx.client.get(f"/console/shift/{number}").status_code == 422
    bronx.get("/console/shift/999999", 404)


def test_a_restart_loses_no_signature(late: Late, person: Opening):
    number = signed(person("night lead"), "before the restart", "restart")
    assert late.city.stop() == 0
    late.city.start()
    with people_of(late.city) as again:
        day = again("day lead")
        assert "before the restart" in day.get(f"/console/shift/{number}").text
        assert day.send(f"/console/shift/{number}", notes="after it").status_code == 303
        assert "after it" in day.get(f"/console/shift/{number}").text


# --- the brief ----------------------------------------------------------------------------------------------------


def test_each_figure_of_the_brief_leads_to_as_many_cases(late: Late, person: Opening):
    reader = person("supervisor")
    with late.city.client() as client:
        wait_until(lambda: client.get("/health/ready").status_code == 200)
    html = reader.get("/console/brief").text
    found = re.findall(r'<a href="(/console/cases[^"]+)"[^>]*>(\d+)</a>', html)
    assert len(found) > 20
    for href, text in found:
        assert f'data-figure="{text}"' in reader.get(href.replace("&amp;", "&")).text, href
    assert "emergency" in html
    as_of = re.search(r'data-as-of="([^"]+)"', html)
    assert as_of is not None
    with late.city.client("supervisor") as client:
        total = client.get("/v1/measures", params={"as_of": as_of[1]}).json()["total"]["terms"]
    shown = dict(re.findall(r'data-term="(\w+)">(\d+)<', html))
    assert {name: int(text) for name, text in shown.items()} == {
        name: total[name] for name in ("open", "overdue_pending", "held_now")
    }


# --- papers -------------------------------------------------------------------------------------------------------


def test_an_order_says_what_its_reader_needs_and_nothing_private(late: Late, person: Opening):
    base = f"/console/incidents/{late.ids['severe']}"
    page = person("dep").get(f"{base}/papers/order?of=dep").text
    paper = text_of(page.split("<article")[1].split("</article>")[0])
    for words in (
        "Work order",
        "Department of Environmental Protection",
        late.ids["severe"],
        "a jackhammer",
        "resolve",
    ):
        assert words in paper
    assert "13812345678" not in page
    assert "&lt;b&gt;at night&lt;/b&gt;" in page
    assert "a jackhammer" not in person("analyst").get(f"{base}/papers/order?of=dep").text
    urging = text_of(person("shift_lead").get(f"{base}/papers/urging?of=dep").text)
    assert "reminded 1 times so far" in urging
    supervision = text_of(person("supervisor").get(f"{base}/papers/supervision/1").text)
    assert "is supervised by supervisor" in supervision
    links = re.findall(r'href="([^"]+/papers/[^"]+)"', person("supervisor").get(base).text)
    assert links == [f"{base}/papers/order?of=dep", f"{base}/papers/urging?of=dep", f"{base}/papers/supervision/1"]


def test_papers_are_for_those_whose_business_it_is(late: Late, person: Opening):
    base = f"/console/incidents/{late.ids['severe']}/papers"
    for of in ("order?of=dep", "urging?of=dep", "supervision/1"):
        for name in ("nypd", "bronx lead", "reporter", "other_street"):
            person(name).get(f"{base}/{of}", 404)
        person("street").get(f"{base}/{of}")
    for nothing in ("order?of=nypd", "urging?of=x", "supervision/2"):
        person("supervisor").get(f"{base}/{nothing}", 404)


# --- in a browser -------------------------------------------------------------------------------------------------


def test_a_shift_is_handed_over_at_two_browsers(visit: Callable[..., Visit]):
    night = visit("night lead").to("/console/shift").page
    night.get_by_label("Notes").fill("The bridge is up until six.")
    night.get_by_role("button", name="Sign and hand over").click()
    expect(night).to_have_url(re.compile(r"/console/shift/\d+$"))
    expect(night.locator("#taken")).to_have_text("nobody has taken over yet")
    day = visit("day lead").to("/console/shift").page
    day.locator("#earlier a").first.click()
    expect(day.locator("#given")).to_contain_text("The bridge is up until six.")
    day.get_by_role("button", name="Sign and take over").click()
    expect(day.locator("#taken")).to_contain_text("day lead")
    night.reload()
    expect(night.locator("#taken")).to_contain_text("day lead")


@pytest.mark.parametrize(
    "context", [{}, {"locale": "zh-CN", "color_scheme": "dark"}, {"viewport": {"width": 390, "height": 800}}]
)
def test_everybody_can_use_the_sheet_and_the_papers(visit: Callable[..., Visit], late: Late, context: dict[str, Any]):
    there = visit("day lead", **context)
    for address in ("shift", "shift/1", f"incidents/{late.ids['severe']}/papers/supervision/1"):
        there.to(f"/console/{address}")
        found = Axe().run(there.page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == [], address
        wide = there.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{address} scrolls sideways"


def test_on_paper_there_is_only_what_belongs_there(visit: Callable[..., Visit], late: Late):
    page = visit("day lead").to("/console/shift/1").page
    page.emulate_media(media="print")
    for gone in (".top", "button.print", ".sign"):
        assert page.locator(gone).filter(visible=True).count() == 0, gone
    expect(page.locator("#given")).to_be_visible()
    base = f"/console/incidents/{late.ids['severe']}"
    for address, pages in ((f"{base}/papers/order?of=dep", 1), (f"{base}/papers/supervision/1", 1), (base, 2)):
        page.goto(f"{late.city.url}{address}")
        expect(page.locator("#main")).to_be_visible()
        assert page.locator(".top, button, dialog").filter(visible=True).count() == 0
        assert len(re.findall(rb"/Type\s*/Page[^s]", page.pdf(prefer_css_page_size=True))) <= pages, address
