"""The cases behind a figure: of a term of the measures, of a count of a period, of a list of the shift's sheet."""

import time
from collections.abc import Callable
from typing import Annotated, Final, Literal, NamedTuple

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.console.chosen import Said, chosen
from dispatcher.console.handing import CALLBACKS, NEXT_MS, behind
from dispatcher.console.lines import Line, line_of
from dispatcher.console.measured import group_name
from dispatcher.console.names import Names
from dispatcher.console.visiting import Front, Visitor
from dispatcher.core import text_to_ms
from dispatcher.gateway.reading import LOOKING
from dispatcher.views import (
    FLOWS,
    HANDED_OVER,
    TERMS,
    Basis,
    Filter,
    GroupBy,
    Grouping,
    Projection,
    behind_flow,
    incident,
    incidents,
    incidents_behind,
    measure,
    within,
)
from dispatcher.views.titles import title

__all__ = ["case_pages"]

PAGE_LINES: Final = 100
_Word = Annotated[str, Query(max_length=40)]
_Code = Annotated[str | None, Query(max_length=128)]


class Behind(NamedTuple):
    """What a list is of: its title, what else is to be said of it, the incidents; `counts` where not one each."""

    title: str
    about: list[str]
    ids: list[str]
    counts: int | None = None


class NoSuchListError(ValueError):
    """The address names no figure there is."""


def case_pages(front: Front) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/console")

    @router.get("/cases")
    async def cases_page(
        request: Request,
        term: _Word = "",
        flow: _Word = "",
        shift: _Word = "",
        basis: Basis = "filed",
        during: _Word = "all",
        as_of: _Word = "",
        since: _Word = "",
        until: _Word = "",
        by: Literal["department", "party", "area", "category", "major", "source"] | None = None,
        code: _Code = None,
        adjusted: bool = False,
        page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    ) -> Response:
        visitor = await front.visitor(request)
        if not visitor.person.has(*LOOKING):
            return front.problem(request, visitor)
        names = visitor.names
        try:
            if term in TERMS:
                asked = Said(basis, during, "", "", as_of, by or "department", adjusted)
                look = _term(asked, term, by, code, names)
            elif flow in FLOWS:
                look = _flow(flow, text_to_ms(since), text_to_ms(until), names)
            elif shift in (*HANDED_OVER, CALLBACKS):
                look = _shift(front, shift, names)
            else:
                raise NoSuchListError(term or flow or shift or "?")
        except (ValueError, OverflowError) as error:
            said = names.texts("bad_period", detail=error)
            return front.page("problem.html", request, visitor, 422, said=said)
        found, lines = await _read(front, visitor, look, page)
        return front.page(
            "cases.html", request, visitor, title="cases", found=found, lines=lines, page=page,
            last=max(1, -(-len(found.ids) // PAGE_LINES)), at=names.at,
        )  # fmt: skip

    return router


async def _read(
    front: Front, visitor: Visitor, look: Callable[[Projection], Behind], page: int
) -> tuple[Behind, list[Line]]:
    """The list and one page of it, the last opened first; only what is the visitor's business."""
    now_ms, reach = time.time_ns() // 1_000_000, visitor.person.reach()

    def read(view: Projection) -> tuple[Behind, list[Line]]:
        found = look(view)
        ids = within(view, found.ids, reach)
        if len(ids) < len(found.ids) or found.counts == len(ids):
            found = found._replace(counts=None)  # what lies out of reach is not told by its number either
        found = found._replace(ids=ids)
        some = sorted(found.ids, reverse=True)[(page - 1) * PAGE_LINES : page * PAGE_LINES]
        rows = incidents(view, Filter(ids=tuple(some)), None, PAGE_LINES).lines if some else []
        records = [(row, incident(view, row.incident_id)) for row in rows]
        return found, [line_of(row, record, visitor.names, now_ms) for row, record in records if record is not None]

    return await front.city.read(read)


def _term(asked: Said, term: str, by: GroupBy | None, code: str | None, names: Names) -> Callable[[Projection], Behind]:
    texts, choice = names.texts, chosen(asked, names.policy)
    grouping, group = Grouping(None if code is None else by), code or None

    def look(view: Projection) -> Behind:
        cohort = choice.cohort(view.latest_ms, names.policy.measures.came_back_ms, adjusted=asked.adjusted)
        ids = incidents_behind(view, term, cohort, grouping, group)
        measures = measure(view, cohort, grouping)
        groups = [measures.total] if grouping.by is None else [g for g in measures.groups if g.code == group]
        about = [] if grouping.by is None else [group_name(names, by, group)]
        about += [texts("by_basis", basis=texts.code("basis", asked.basis), period=choice.period or texts("all"))]
        about += [texts("as_of", at=names.at(cohort.as_of_ms)), *([texts("adjusted")] if asked.adjusted else [])]
        return Behind(title(term, texts.lang), about, ids, sum(g.terms[term] for g in groups))

    return look


def _flow(flow: str, since_ms: int, until_ms: int, names: Names) -> Callable[[Projection], Behind]:
    about = [f"{names.at(since_ms)} – {names.at(until_ms)}"]
    label = names.texts.code("flow", flow)
    return lambda view: Behind(label, about, behind_flow(view, flow, since_ms, until_ms))


def _shift(front: Front, shift: str, names: Names) -> Callable[[Projection], Behind]:
    now_ms = time.time_ns() // 1_000_000
    about = [names.texts("as_of", at=names.at(now_ms))]

    def look(view: Projection) -> Behind:
        ids = behind(view, shift, names.policy, front.city.policy_kept, now_ms, now_ms + NEXT_MS)
        return Behind(names.texts.code("shift", shift), about, list(dict.fromkeys(ids)), len(ids))

    return look
