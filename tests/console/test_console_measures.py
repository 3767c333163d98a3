"""The page of measures: each figure is the interface's, and leads to as many cases; files hold what the page shows."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import openpyxl
import pytest
from axe_playwright_python.sync_playwright import Axe
from console_late import PEOPLE, ZONE, Person, acted, city_of_late, figures_of, people_of, text_of
from console_visits import Visit, visits_to
from gateway_process import Gateway, report
from playwright.sync_api import Browser, expect

from dispatcher.console.bulletin import span_of
from dispatcher.core import ms_to_text
from dispatcher.views import RATES, TERMS, period
from dispatcher.views.titles import title

NOBODY = {
    "reporter",
    "app",
    "hotline",
    "camera",
    "monitor",
    "admin",
    "policy_editor",
    "policy_approver",
}  # looks at none
MEASURING = {"shift_lead", "night lead", "day lead", "supervisor", "inspector", "analyst", "everybody"}
TIMES = {"rework", "returned", "upheld", "extended", "held", "reopened", "answered", "resolved", "satisfied"}
Json = dict[str, Any]


@pytest.fixture(scope="module")
def late(nyc: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Three weeks, and today: one case worked on twice over, one given back, one exempt by an appeal."""
    with city_of_late(nyc, tmp_path_factory.mktemp("late")) as made:
        twice = made.opened("reporter", report("twice"))
        acted(made, "dep", twice, "acknowledge")
        for _ in range(2):
            acted(made, "dep", twice, "done")
            acted(made, "checker", twice, "check", result="fail", reason_code="not_fixed")
        given_back = made.opened("reporter", report("back", location={"lon": -73.99, "lat": 40.76}))
        acted(made, "dep", given_back, "return", reason_code="not_ours")
        acted(made, "dispatcher", given_back, "assign", lead="nypd")
        exempt = made.opened("reporter", report("exempt", location={"lon": -73.97, "lat": 40.77}))
        acted(made, "dep", exempt, "acknowledge")
        acted(made, "dep", exempt, "request", kind="exempt", reason_code="storm")
        acted(made, "supervisor", exempt, "approve", number=1)
        yield made


@pytest.fixture
def person(late: Gateway) -> Iterator[Callable[..., Person]]:
    with people_of(late) as opening:
        yield opening


@pytest.fixture
def analyst(person: Callable[..., Person]) -> Person:
    return person("analyst")


@pytest.fixture
def visit(browser: Browser, late: Gateway) -> Iterator[Callable[..., Visit]]:
    with visits_to(browser, late) as opening:
        yield opening


def measures(late: Gateway, html: str, **asked: str) -> Json:
    """What the interface says of the same cases as of the same instant."""
    as_of = re.search(r'data-as-of="([^"]+)"', html)
    assert as_of is not None
    with late.client("analyst") as client:
        answer = client.get("/v1/measures", params={"as_of": as_of[1]} | asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def term_of(said: Json, term: str, code: str | None) -> int:
    if code is None:
        return said["total"]["terms"][term]
    (group,) = (each for each in said["groups"] if (each["code"] or "") == code)
    return group["terms"][term]


def today() -> datetime:
    return datetime.now(ZONE)


@pytest.mark.parametrize("basis", ["received", "filed", "due"])
@pytest.mark.parametrize("by", ["department", "area", "major", "source"])
def test_every_figure_is_the_interfaces(late: Gateway, analyst: Person, basis: str, by: str):
    during = f"{today() - timedelta(days=15):%Y-%m-%d}..{today():%Y-%m-%d}"
    html = analyst.get(f"/console/measures?basis={basis}&during={during}&by={by}&adjusted=1").text
    said = {
        (grouping, adjusted): measures(late, html, basis=basis, during=during, by=grouping, adjusted=str(adjusted))
        for grouping in (by, "area" if by == "area" else "department")  # the boards compare these
        for adjusted in (False, True)
    }
    of_period = [figure for figure in figures_of(html) if f"during={during}&" in figure.href]  # not of single days
    asked = [(figure, dict(parse_qsl(urlsplit(figure.href).query, keep_blank_values=True))) for figure in of_period]
    shown = {(words["by"], words["code"]) for _, words in asked if words.get("by") == by}
    assert shown == {(by, group["code"] or "") for group in said[by, False]["groups"]}
    rates = {name for name in RATES if said[by, False]["total"]["rates"][name]["denominator"]}
    assert {term for rate in rates for term in RATES[rate]} <= {figure.term for figure in of_period}
    wrong = [
        figure
        for figure, words in asked
        if int(figure.text) != term_of(said[words.get("by", by), figure.adjusted], figure.term, figure.code)
    ]
    assert wrong == []


@pytest.mark.parametrize("asked", ["during=month&by=area", "during=today&by=department&adjusted=1"])
def test_every_figure_leads_to_as_many_cases(analyst: Person, asked: str):
    html = analyst.get(f"/console/measures?{asked}").text
    seen: dict[str, str] = {figure.href: figure.text for figure in figures_of(html)}
    assert len(seen) > 40
    if "adjusted" in asked:
        (raw,), (adjusted,) = (
            {each.text for each in figures_of(html) if (each.term, each.code, each.adjusted) == ("filed", None, which)}
            for which in (False, True)
        )
        assert int(adjusted) == int(raw) - 1
    for href, text in seen.items():
        counted = re.search(r'data-count="(\d+)" data-figure="(\d+)"', analyst.get(href).text)
        assert counted is not None
        assert counted[2] == text, href
        if href.split("term=")[1].split("&")[0] not in TIMES:
            assert counted[1] == text, href


def test_the_cases_are_those_behind_the_figure(late: Gateway, analyst: Person):
    html = analyst.get("/console/measures?during=month").text
    (figure,) = {each for each in figures_of(html) if each.term == "rework_cases" and each.code is None}
    assert figure.text == "1"
    listed = re.findall(r'<tr data-id="([^"]+)"', analyst.get(figure.href).text)
    with late.client("reporter") as client:
        assert listed == [client.get("/v1/reports/nyc-311/twice").json()["incident_id"]]
    assert "repeated rework" in text_of(html)


def test_a_link_of_an_instant_shows_the_same_for_good(late: Gateway, analyst: Person):
    html = analyst.get("/console/measures?during=today").text
    (figure,) = {each for each in figures_of(html) if each.term == "received" and each.code is None}
    late.opened("reporter", report("later", location={"lon": -73.95, "lat": 40.8}))
    assert f'data-count="{figure.text}"' in analyst.get(figure.href).text
    again = re.search(r'href="([^"]+as_of=[^"]+)">a link to this instant', html)
    assert again is not None
    before = analyst.get(again[1].replace("&amp;", "&")).text
    assert [each.text for each in figures_of(before)] == [each.text for each in figures_of(html)]
    fresh = analyst.get("/console/measures?during=today").text
    assert {each.text for each in figures_of(fresh) if each.term == "received" and each.code is None} == {
        str(int(figure.text) + 1)
    }


@pytest.mark.parametrize("basis", ["received", "filed", "due"])
def test_the_days_add_up_to_the_whole(late: Gateway, analyst: Person, basis: str):
    html = analyst.get(f"/console/measures?during=month&basis={basis}").text
    days = html.split('id="days"')[1].split("</table>")[0]
    sums: dict[str, int] = {}
    for figure in figures_of(days):
        sums[figure.term] = sums.get(figure.term, 0) + int(figure.text)
    total = measures(late, html, basis=basis, during=f"{today():%Y-%m}")["total"]["terms"]
    assert sums == {term: total[term] for term in RATES[f"closure_{basis}"]}
    assert sums[RATES[f"closure_{basis}"][1]] > 0


@pytest.mark.parametrize("named", ["today", "yesterday", "week", "last_week", "month", "last_month", "all", "between"])
def test_periods_by_name(late: Gateway, analyst: Person, named: str):
    monday = today() - timedelta(days=today().weekday())
    first = today().replace(day=1)
    spelled = {
        "today": f"{today():%Y-%m-%d}",
        "yesterday": f"{today() - timedelta(days=1):%Y-%m-%d}",
        "week": f"{monday:%Y-%m-%d}..{monday + timedelta(days=6):%Y-%m-%d}",
        "last_week": f"{monday - timedelta(days=7):%Y-%m-%d}..{monday - timedelta(days=1):%Y-%m-%d}",
        "month": f"{today():%Y-%m}",
        "last_month": f"{first - timedelta(days=1):%Y-%m}",
        "between": f"{today() - timedelta(days=4):%Y-%m-%d}..{today() - timedelta(days=2):%Y-%m-%d}",
    }
    first_day, _, last_day = spelled["between"].partition("..")
    html = analyst.get(f"/console/measures?during={named}&from={first_day}&to={last_day}").text
    total = measures(late, html, **({} if named == "all" else {"during": spelled[named]}))["total"]["terms"]
    shown = {figure.term: int(figure.text) for figure in figures_of(html.split('id="h-groups"')[0]) if not figure.code}
    assert shown == {term: total[term] for term in shown}
    assert {"filed", "need_close", "received"} <= set(shown)


def test_without_a_sample_there_is_no_per_cent(analyst: Person):
    html = analyst.get("/console/measures?during=2001").text
    shown = text_of(html.split("<main")[1])
    assert "no sample" in shown
    assert "0.00 %" not in shown
    assert "100.00 %" not in shown


@pytest.mark.parametrize("wrong", ["during=2026-13", "during=x", "as_of=yesterday", "during=2026..2025"])
def test_what_is_no_period_is_said_so(analyst: Person, wrong: str):
    for address in ("/console/measures", "/console/measures.csv", "/console/measures.xlsx"):
        analyst.get(f"{address}?{wrong}", 422)
    analyst.get(f"/console/cases?term=filed&{wrong}", 422)


def test_there_is_no_list_of_anything_else(analyst: Person):
    for address in ("", "?term=x", "?flow=opened", "?flow=opened&since=x&until=y", "?shift=x", "?term=filed&page=0"):
        analyst.get(f"/console/cases{address}", 422)


# --- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_csv_holds_what_the_page_shows_and_every_term(late: Gateway, person: Callable[..., Person], lang: str):
    reader = person("analyst", lang)
    html = reader.get("/console/measures?during=month&by=area").text
    link = re.search(r'href="(/console/measures\.csv[^"]+)"', html)
    assert link is not None
    answer = reader.get(link[1].replace("&amp;", "&"))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="measures.csv"'
    heads, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    said = measures(late, html, during=f"{today():%Y-%m}", by="area")
    assert heads == [title(name, lang) for name in ("area", *TERMS, *RATES)]
    for row, group in zip(rows, [*said["groups"], said["total"]], strict=True):
        assert list(map(int, row[1 : 1 + len(TERMS)])) == list(group["terms"].values())
        for text, rate in zip(row[1 + len(TERMS) :], group["rates"].values(), strict=True):
            assert (None if text == "" else float(text)) == pytest.approx(rate["value"], abs=1e-6)
    assert [row[0] for row in rows] == re.findall(
        r'<th scope="row">([^<]+)</th>', html.split('id="groups"')[1].split("</table>")[0]
    )


def test_the_workbook_holds_what_the_page_shows(late: Gateway, analyst: Person):
    html = analyst.get("/console/measures?during=month&adjusted=1").text
    link = re.search(r'href="(/console/measures\.xlsx[^"]+)"', html)
    assert link is not None
    book = openpyxl.load_workbook(io.BytesIO(analyst.get(link[1].replace("&amp;", "&")).content))
    said = measures(late, html, during=f"{today():%Y-%m}", by="department")
    sheet = book["Measures"]
    heads = [cell.value for cell in sheet[2]]
    last = [cell.value for cell in sheet[sheet.max_row]]
    total = dict(zip(heads, last, strict=True))
    assert {term: total[title(term, "en")] for term in TERMS} == said["total"]["terms"]
    assert total[title("closure_due", "en")] == pytest.approx(said["total"]["rates"]["closure_due"]["value"], abs=1e-4)
    assert sheet.max_row == 3 + len(said["groups"])
    days = [[cell.value for cell in row] for row in book["Day by day"].iter_rows(min_row=3)]
    shown = figures_of(html.split('id="days"')[1].split("</table>")[0])
    assert [n for day in days for n in day[1:3]] == [int(figure.text) for figure in shown]
    ranks = re.findall(
        r"<td>(\d+)</td><th scope=\"row\">([^<]+?)\s*<", html.split('id="h-boards"')[1].split("</section>")[0]
    )
    boards = {
        (str(row[1].value), row[0].value) for row in book["Red and black boards"].iter_rows(min_row=3) if row[2].value
    }
    assert {(rank, name.strip()) for rank, name in ranks} == boards
    again = [row[0].value for row in book["What came back"].iter_rows(min_row=3)]
    (came_back,) = {each.text for each in figures_of(html.split('id="h-again"')[1].split("</h2>")[0])}
    assert came_back == str(len(again))


@pytest.mark.parametrize("span", ["day", "week", "month"])
def test_the_bulletin_tells_what_the_interface_does(late: Gateway, analyst: Person, span: str):
    answer = analyst.get(f"/console/bulletin.xlsx?period={span}&on={today():%Y-%m-%d}")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    during, before = span_of(span, today().date(), today().date())  # type: ignore[arg-type]
    assert f"bulletin-{span}-{during.replace('..', '-')}.xlsx" in answer.headers["content-disposition"]
    sheet = book["What it comes to"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=3)]
    bases = {"received in": "received", "filed in": "filed", "due in": "due"}
    as_of = {"as_of": sheet.cell(1, 1).value.split("as of ")[1]}
    with late.client("analyst") as client:
        said = {
            (when, basis): client.get("/v1/measures", params={"basis": basis, "during": when} | as_of).json()["total"]
            for when in (during, before)
            for basis in bases.values()
        }
    for name in RATES:
        (row,) = (row for row in rows if row[0] == title(name, "en"))
        for when, at in ((during, 2), (before, 6)):
            rate = said[when, bases[row[1]]]["rates"][name]
            terms = [row[3], row[5]] if at == 2 else row[7:9]
            assert terms == [rate["numerator"], rate["denominator"]], (name, when)
    flows = [[cell.value for cell in row] for row in book["What came and went"].iter_rows(min_row=3)]
    since_ms, until_ms = period(during, ZONE)
    for at, flow in enumerate(("opened", "filed", "closed", "ended_otherwise"), 1):
        listed = analyst.get(
            f"/console/cases?flow={flow}&since={ms_to_text(since_ms)}&until={ms_to_text(until_ms)}"
        ).text
        assert f'data-count="{flows[-1][at]}"' in listed
    assert [sheet.title for sheet in book.worksheets[2:6]] == [
        "By department", "By area", "By category (major)", "By source",
    ]  # fmt: skip


# --- who may ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(PEOPLE))
def test_who_may_see_which_page(person: Callable[..., Person], name: str):
    measuring = 200 if name in MEASURING else 403
    nobody = name in NOBODY
    wanted = {
        "/console/measures": measuring,
        "/console/measures.csv": measuring,
        "/console/measures.xlsx": measuring,
        "/console/bulletin.xlsx": measuring,
        "/console/brief": measuring,
        "/console/cases?term=open": 403 if nobody else 200,
    }
    visitor = person(name)
    assert {address: visitor.client.get(address).status_code for address in wanted} == wanted
    links = re.findall(r'<a href="/console/(\w+)"', visitor.client.get("/console/cases?term=open").text)
    assert ("measures" in links) == (measuring == 200 or name.startswith("bronx") or name == "lead_of_5")


def test_without_a_session_there_is_no_page(late: Gateway):
    with late.client() as client:
        for page in ("measures", "cases?term=open", "measures.csv", "measures.xlsx", "bulletin.xlsx", "shift", "brief"):
            answer = client.get(f"/console/{page}")
            assert (answer.status_code, answer.headers["location"][:17]) == (303, "/console/sign-in?"), page


def test_a_list_of_cases_holds_only_what_is_ones_business(late: Gateway, person: Callable[..., Person]):
    everything, own = (
        set(re.findall(r'<tr data-id="([^"]+)"', person(name).get("/console/cases?term=open").text))
        for name in ("supervisor", "bronx supervisor")
    )
    with late.client("bronx supervisor") as client:
        mine = {line["incident_id"] for line in client.get("/v1/incidents?open=true&limit=1000").json()["lines"]}
    assert own == mine
    assert own
    assert own < everything or len(everything) == 100
    text = text_of(person("bronx supervisor").get("/console/cases?term=reopened").text)
    assert "the figure is" not in text  # what lies out of reach is not told by its number either


# --- in a browser -------------------------------------------------------------------------------------------------


def test_filters_stand_in_the_address_and_figures_lead_on(visit: Callable[..., Visit], late: Gateway):
    there = visit("analyst").to("/console/measures")
    page = there.page
    page.select_option("[name=basis]", "received")
    expect(page).to_have_url(re.compile("basis=received"))
    page.select_option("[name=by]", "area")
    expect(page).to_have_url(re.compile("by=area"))
    expect(page.locator("[name=basis]")).to_have_value("received")
    page.get_by_label("Adjusted as well").check()
    expect(page).to_have_url(re.compile("adjusted=1"))
    page.select_option("[name=during]", "between")
    page.fill("[name=from]", f"{today() - timedelta(days=9):%Y-%m-%d}")
    page.fill("[name=to]", f"{today() - timedelta(days=3):%Y-%m-%d}")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("during=between"))
    expect(page.locator("#days tbody tr")).to_have_count(7)
    figure = page.locator("#groups tbody a[data-term=closed]").first
    count = figure.text_content()
    figure.click()
    expect(page.locator("#count")).to_have_attribute("data-count", count or "")
    page.locator("#cases a.to").first.click()
    expect(page.locator("#incident")).to_be_visible()


@pytest.mark.parametrize(
    "context", [{}, {"locale": "zh-CN", "color_scheme": "dark"}, {"viewport": {"width": 390, "height": 800}}]
)
@pytest.mark.parametrize("page", ["measures?adjusted=1&during=month", "cases?term=open", "brief"])
def test_everybody_can_use_the_pages(visit: Callable[..., Visit], page: str, context: dict[str, Any]):
    there = visit("supervisor", **context).to(f"/console/{page}")
    found = Axe().run(there.page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    wide = there.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, "the page itself does not scroll sideways"


def test_a_bar_of_a_day_leads_to_its_cases(visit: Callable[..., Visit]):
    page = visit("analyst").to("/console/measures?during=month&basis=filed").page
    bar = page.locator("svg.days a").first
    told = re.search(r"(\d{4}-\d\d-\d\d): (\d+)/(\d+)", bar.get_attribute("aria-label") or "")
    assert told is not None
    bar.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_attribute("data-count", told[3])


def test_the_brief_is_one_page_of_paper(visit: Callable[..., Visit]):
    page = visit("supervisor").to("/console/brief").page
    paper = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", paper)) == 1
