"""The bulletin of a day, a week or a month as a spreadsheet: what came and went, the rates, who did how."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.console.chosen import GROUPED, Said, chosen
from dispatcher.console.measured import PolicyOf, group_name, measured
from dispatcher.console.measures import XLSX, download, of_the_city
from dispatcher.console.names import Names
from dispatcher.console.sheets import measures_sheets
from dispatcher.console.visiting import Front
from dispatcher.gateway.problems import Problem
from dispatcher.views import (
    RATES,
    Basis,
    Cell,
    Cohort,
    Flow,
    Grouping,
    Projection,
    Sheet,
    Table,
    all_terms,
    flows,
    local_day,
    measure,
    midnights_between,
    period,
    workbook,
)
from dispatcher.views.headings import as_of, heading_of
from dispatcher.views.titles import title

__all__ = ["bulletin_pages", "span_of"]

Span = Literal["day", "week", "month"]
BASES: Final[tuple[Basis, ...]] = ("received", "filed", "due")
BASIS_OF: Final[Mapping[str, Basis]] = {  # what is told of other cases than those filed in the period
    "received": "received", "closure_received": "received", "need_close": "due", "overdue_pending": "due",
    "closure_due": "due", "on_time_closure": "due",
}  # fmt: skip
NAME_CHARS_MAX: Final = 31  # of a sheet, by the format
COUNTS: Final = ("received", "filed", "need_close", "closed", "open", "overdue_pending", "held_now")
_Day = Annotated[str, Query(max_length=10, description="A day in the period; without one, the last that is over.")]


def bulletin_pages(front: Front) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/console")

    @router.get("/bulletin.xlsx")
    async def bulletin(request: Request, period: Span = "day", on: _Day = "") -> Response:
        visitor = await front.visitor(request)
        if of_the_city(front, request, visitor, "measures"):
            raise Problem(403, "forbidden", visitor.texts("not_yours"))
        names, city = visitor.names, front.city
        try:
            during, before = span_of(period, date.fromisoformat(on) if on else None, _today(names))
            sheets = await city.read(lambda view: _sheets(view, names, during, before, city.policy_kept))
        except (ValueError, OverflowError) as error:
            raise Problem(422, "invalid", str(error)) from error
        return download(workbook(sheets), f"bulletin-{period}-{during.replace('..', '-')}.xlsx", XLSX)

    return router


def span_of(span: Span, on: date | None, today: date) -> tuple[str, str]:
    """A period as it is written, and the one before it: that with the day `on`, or the last that is over."""
    if span == "day":
        day = on or today - timedelta(days=1)
        return day.isoformat(), (day - timedelta(days=1)).isoformat()
    if span == "week":
        monday = on or today - timedelta(days=7)
        monday -= timedelta(days=monday.weekday())
        weeks = [monday, monday - timedelta(days=7)]
        return f"{weeks[0]}..{weeks[0] + timedelta(days=6)}", f"{weeks[1]}..{weeks[1] + timedelta(days=6)}"
    first = (on or today.replace(day=1) - timedelta(days=1)).replace(day=1)
    return first.isoformat()[:7], (first - timedelta(days=1)).isoformat()[:7]


def _today(names: Names) -> date:
    return datetime.now(UTC).astimezone(names.policy.timezone).date()


def _sheets(view: Projection, names: Names, during: str, before: str, policy_of: PolicyOf) -> list[Sheet]:
    policy, texts = names.policy, names.texts
    choice = chosen(Said("filed", during, "", "", "", "department", adjusted=False), policy)
    found = measured(view, choice, policy, policy_of)
    cohort, about = found.cohort, texts("bulletin_title", period=during)
    from_ms, to_ms = period(before, policy.timezone)
    earlier = cohort._replace(from_ms=from_ms, to_ms=to_ms)
    days = midnights_between(cohort.from_ms, cohort.to_ms, policy.timezone)
    made = [
        Sheet(texts("rates"), f"{about} · {as_of(cohort, texts.lang)}", _rates(view, cohort, earlier, names)),
        Sheet(texts("what_came"), about, _flows(flows(view, days), flows(view, [from_ms, to_ms])[0], names)),
    ]
    for by in GROUPED:
        figures = measure(view, cohort, Grouping(by))
        groups = {group.code: group_name(names, by, group.code) for group in figures.groups if group.code is not None}
        name = texts("by_group", by=title(by, texts.lang))[:NAME_CHARS_MAX]
        made.append(Sheet(name, heading_of(cohort, texts.lang), all_terms(figures, texts.lang, groups)))
    return made + [sheet for sheet in measures_sheets(found, names) if sheet.name != texts("measures")]


def _rates(view: Projection, cohort: Cohort, earlier: Cohort, names: Names) -> Table:
    """Counts, then each rate with both of its terms, on the basis it is told on; beside those of the period before."""
    texts, lang = names.texts, names.texts.lang
    now, then = (
        {basis: measure(view, each._replace(basis=basis)).total for basis in BASES} for each in (cohort, earlier)
    )
    rows: list[list[Cell]] = []
    for term in COUNTS:
        basis = BASIS_OF.get(term, "filed")
        named = [title(term, lang), texts.code("basis", basis)]
        rows.append([*named, None, now[basis].terms[term], None, None, None, then[basis].terms[term], None, None])
    for name, (over, under) in RATES.items():
        basis = BASIS_OF.get(name, "filed")
        row: list[Cell] = [title(name, lang), texts.code("basis", basis)]
        rate, before = now[basis].rates[name], then[basis].rates[name]
        row += [title(over, lang), rate.numerator, title(under, lang), rate.denominator, rate]
        rows.append([*row, before.numerator, before.denominator, before])
    words = ("figure", "basis", "numerator", "count", "denominator", "count", "rate")
    heads = [texts(word) for word in words]
    heads += [f"{texts('before')}: {texts(word)}" for word in ("numerator", "denominator", "rate")]
    return Table(heads, rows)


def _flows(days: list[Flow], before: Flow, names: Names) -> Table:
    texts, zone = names.texts, names.policy.timezone
    heads = [texts("day"), *(texts.code("flow", name) for name in Flow._fields[2:])]
    rows: list[list[Cell]] = [[local_day(day.from_ms, zone).isoformat(), *day[2:]] for day in days]
    sums: list[Cell] = [sum(day[at] for day in days) for at in range(2, len(Flow._fields))]
    rows.append([texts("before"), *before[2:]])
    return Table(heads, rows, [title("total", texts.lang), *sums])
