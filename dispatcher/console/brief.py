"""The morning brief: yesterday and last night in figures, what stands open, the worst of it; on one page of paper."""

import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.console.chosen import Figures
from dispatcher.console.handing import behind
from dispatcher.console.lines import Line, line_of
from dispatcher.console.measures import of_the_city
from dispatcher.console.names import Names
from dispatcher.console.visiting import PAGES, Front
from dispatcher.core import datetime_to_ms, ms_to_text, text_to_ms
from dispatcher.core.modes import ModeSpan
from dispatcher.gateway.handovers import Handover, Handovers
from dispatcher.views import (
    FLOWS,
    RATES,
    Basis,
    Cohort,
    Filter,
    Flow,
    Group,
    Projection,
    Stock,
    flows,
    incident,
    measure,
    percent,
    queue,
    stocks,
)
from dispatcher.views.titles import title

__all__ = ["brief_pages"]

NIGHT: Final = (clock_time(20), clock_time(8))  # from one day into the next
WORST: Final = 10  # lines: what fits beside the figures on one page
LISTED: Final = ("severe", "requests", "returns", "unlocated")
RATED: Final[tuple[tuple[Basis, str], ...]] = (
    ("received", "closure_received"), ("filed", "closure_filed"), ("due", "closure_due"), ("due", "on_time_closure"),
)  # fmt: skip


class Told(NamedTuple):
    """What a brief tells, read at one moment."""

    spans: list[tuple[str, Flow]]  # what each is called
    rated: list[tuple[Basis, str, Group]]
    stock: Stock
    lists: list[tuple[str, int]]
    worst: list[Line]
    day: str  # yesterday, as a period is written
    as_of: str


def brief_pages(front: Front, handovers: Handovers) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/console")

    @router.get("/brief")
    async def brief_page(request: Request) -> Response:
        visitor = await front.visitor(request)
        if problem := of_the_city(front, request, visitor, "brief"):
            return problem
        names, city, modes = visitor.names, front.city, await front.city.modes()
        now_ms = time.time_ns() // 1_000_000
        told = await city.read(lambda view: _told(view, names, city.policy_kept, now_ms))
        last = next(iter(handovers.last(1)), None)
        reads_sheets = visitor.person.has(*PAGES["shift"])  # notes are written for who takes over
        shown = _shown(told, names, modes, last, now_ms)
        return front.page("brief.html", request, visitor, title="brief", reads_sheets=reads_sheets, **shown)

    return router


def _told(view: Projection, names: Names, policy_of: Any, now_ms: int) -> Told:  # noqa: ANN401
    policy = names.policy
    today = datetime.fromtimestamp(now_ms / 1_000, UTC).astimezone(policy.timezone).date()

    def at(day: date, hour: clock_time = clock_time()) -> int:
        return datetime_to_ms(datetime.combine(day, hour, policy.timezone))

    yesterday, before = today - timedelta(days=1), today - timedelta(days=2)
    day_before, whole_day = flows(view, [at(before), at(yesterday), at(today)])
    (night,) = flows(view, [at(yesterday, NIGHT[0]), at(today, NIGHT[1])])
    as_of_ms = view.latest_ms
    rated = []
    for basis, rate in RATED:
        cohort = Cohort(as_of_ms, basis, at(yesterday), at(today), came_back_ms=policy.measures.came_back_ms)
        rated.append((basis, rate, measure(view, cohort).total))
    lines = list[Line]()
    for row in queue(view, Filter(), None, WORST).lines:
        record = incident(view, row.incident_id)
        if record is not None:
            lines.append(line_of(row, record, names, now_ms))
    (stock,) = stocks(view, [as_of_ms])
    lists = [(name, len(behind(view, name, policy, policy_of, now_ms, now_ms))) for name in LISTED]
    spans = [("yesterday", whole_day), ("day_before", day_before), ("last_night", night)]
    return Told(spans, rated, stock, lists, lines, yesterday.isoformat(), ms_to_text(as_of_ms))


def _shown(told: Told, names: Names, modes: list[ModeSpan], last: Handover | None, now_ms: int) -> dict[str, Any]:
    texts = names.texts

    def flow_cases(what: str, flow: Flow) -> str:
        span = {"flow": what, "since": ms_to_text(flow.from_ms), "until": ms_to_text(flow.to_ms)}
        return f"/console/cases?{urlencode(span)}"

    return {
        "told": told,
        "now": names.dated(now_ms),
        "as_of": names.dated(text_to_ms(told.as_of)),
        "flow_names": FLOWS,
        "flow_cases": flow_cases,
        "span": lambda flow: _span(flow, names),
        "rate_cases": lambda basis, term: Figures(basis, told.day, told.as_of).cases(term),
        "stock_cases": lambda term: Figures("filed", "all", told.as_of).cases(term),
        "terms_of": RATES,
        "percent": percent,
        "word": lambda name: title(name, texts.lang),
        "modes": modes,
        "names": names,
        "last": last,
        "at_ms": names.dated,
    }


def _span(flow: Flow, names: Names) -> str:
    """A whole day by its date, anything else from when to when."""
    first, last = names.dated(flow.from_ms), names.dated(flow.to_ms)
    return first[:10] if first.endswith("00:00") and last.endswith("00:00") else f"{first[5:]} – {last[5:]}"
