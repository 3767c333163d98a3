"""The page of measures: every rate with both of its terms, every figure a way to the cases behind it."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.console.bars import HEIGHT, bars, width_of
from dispatcher.console.chosen import BETWEEN, GROUPED, Chosen, Said, chosen, said
from dispatcher.console.measured import Measured, compared, group_name, measured
from dispatcher.console.names import Names
from dispatcher.console.sheets import measures_csv, measures_sheets
from dispatcher.console.visiting import PAGES, Front, Visitor
from dispatcher.core import NEVER_MS
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.roles import CITY
from dispatcher.views import EXCLUDED, NAMED, RATES, Rate, local_day, percent, workbook
from dispatcher.views.titles import title

__all__ = ["XLSX", "download", "measures_pages", "of_the_city"]

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAIN: Final = ("closure_received", "closure_filed", "closure_due", "on_time_closure", "on_time_handling")
COLUMNS: Final = ("received", "filed", "need_close", "closed", "open", "overdue_pending")
LISTED_MAX: Final = 50  # lines of each list beside the figures; the rest is behind its count


def measures_pages(front: Front) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/console")
    Asked = Annotated[Said, Depends(said)]  # noqa: N806 - a type

    @router.get("/measures")
    async def measures_page(request: Request, asked: Asked) -> Response:
        visitor = await front.visitor(request)
        if problem := of_the_city(front, request, visitor, "measures"):
            return problem
        try:
            choice = chosen(asked, visitor.names.policy)
        except (ValueError, OverflowError) as error:
            said = visitor.texts("bad_period", detail=error)
            return front.page("problem.html", request, visitor, 422, said=said)
        found = await _read(front, visitor.names, choice)
        return front.page("measures.html", request, visitor, title="measures", **_shown(found, choice, visitor.names))

    @router.get("/measures.csv")
    async def measures_as_csv(request: Request, asked: Asked) -> Response:
        names, choice = await _asked(front, request, asked)
        found = await _read(front, names, choice)
        return download(measures_csv(found, names).encode("utf-8-sig"), "measures.csv", "text/csv; charset=utf-8")

    @router.get("/measures.xlsx")
    async def measures_as_xlsx(request: Request, asked: Asked) -> Response:
        names, choice = await _asked(front, request, asked)
        found = await _read(front, names, choice)
        return download(workbook(measures_sheets(found, names)), "measures.xlsx", XLSX)

    return router


def of_the_city(front: Front, request: Request, visitor: Visitor, page: str) -> Response | None:
    """The page that says no, to whoever may not measure, or not the whole city."""
    if not visitor.person.has(*PAGES[page]):
        return front.problem(request, visitor)
    if CITY not in visitor.person.areas:
        return front.problem(request, visitor, "only_the_city")
    return None


def download(content: bytes, name: str, media_type: str) -> Response:
    """A file to keep; `name` is of our own words."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


async def _asked(front: Front, request: Request, asked: Said) -> tuple[Names, Chosen]:
    visitor = await front.visitor(request)
    if of_the_city(front, request, visitor, "measures"):
        raise Problem(403, "forbidden", visitor.texts("not_yours"))
    try:
        return visitor.names, chosen(asked, visitor.names.policy)
    except (ValueError, OverflowError) as error:
        raise Problem(422, "invalid", str(error)) from error


async def _read(front: Front, names: Names, choice: Chosen) -> Measured:
    city = front.city
    return await city.read(lambda view: measured(view, choice, names.policy, city.policy_kept))


def _shown(found: Measured, choice: Chosen, names: Names) -> dict[str, Any]:
    texts, by, total = names.texts, choice.said.by, found.raw.total
    beside = {} if found.adjusted is None else {group.code: group for group in found.adjusted.groups}
    sampled = [name for name in RATES if total.rates[name].denominator]
    zone = names.policy.timezone
    return {
        "choice": choice,
        "cohort": found.cohort,
        "all_time": found.cohort.to_ms >= NEVER_MS,
        "figures": choice.figures(found.cohort._replace(adjusted=False)),
        "shown": choice.figures(found.cohort),
        "raw": found.raw,
        "adjusted": found.adjusted,
        "beside": beside,
        "main": [*MAIN, *(name for name in sampled if name not in MAIN)],
        "unsampled": [name for name in RATES if name not in (*sampled, *MAIN)],
        "columns": COLUMNS,
        "left_out": [name for name in (*EXCLUDED, "no_deadline", "excluded_late") if total.terms[name]],
        "days": [
            (bar, day, local_day(day.from_ms, zone).isoformat())
            for bar, day in zip(bars([day.rate for day in found.days]), found.days, strict=True)
        ],
        "drawing": (width_of(len(found.days)), HEIGHT),
        "boards": (("red", found.boards.red), ("black", found.boards.black)),
        "least": names.policy.measures.minimum_cases,
        "compared": compared(by),
        "again": found.again[:LISTED_MAX],
        "again_count": len(found.again),
        "gaming": found.gaming,
        "listed_max": LISTED_MAX,
        "named": lambda code: group_name(names, by, code),
        "unit": lambda code: group_name(names, compared(by), code),
        "names": names,
        "word": lambda name: title(name, texts.lang),
        "terms_of": RATES,
        "percent": percent,
        "share": _share,
        "periods": (*NAMED, BETWEEN, "all"),
        "groupings": GROUPED if by in GROUPED else (*GROUPED, by),
        "points": lambda one: f"{float(one.composite * 100):.2f}",
    }


def _share(rate: Rate) -> float:
    """Of 100, to be drawn."""
    return round(100 * (rate.value or 0), 1)
