"""Lists of incidents: the operators' queue, a department's orders, a grid officer's tasks; whole, or some rows anew."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.console.lines import Line, line_of
from dispatcher.console.names import Names, Plain
from dispatcher.console.visiting import PAGES, Front, Visitor
from dispatcher.core import OPEN_STATES
from dispatcher.core.incident import party
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.reading import Wanted, wanted
from dispatcher.views import Filter, Projection, incident, queue

__all__ = ["cells_of", "listing", "majors"]

SHOWN_MAX: Final = 200  # lines of a page: the first to work on; filters narrow what lies behind them
_Ids = Annotated[list[str] | None, Query(max_length=SHOWN_MAX)]


DEPARTMENT: Final = ("unacknowledged", "due_today", "working", "finished")  # sections of a page, in their order
OFFICER: Final = ("to_verify", "in_my_cell")


def listing(front: Front) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/console")
    Asked = Annotated[Wanted, Depends(wanted)]  # noqa: N806 - a type

    @router.get("/queue")
    async def queue_page(request: Request, asked: Asked) -> Response:
        visitor = await front.visitor(request)
        if not visitor.person.has(*PAGES["queue"]):
            return front.problem(request, visitor)
        lines, more = await _lines(front, visitor, asked.where)
        return front.page(
            "queue.html", request, visitor, title="queue", lines=lines, more=more, where=asked.where,
            states_named=[each for each in visitor.texts.codes("state").items() if each[0] in OPEN_STATES],
            categories=majors(visitor.names), departments=visitor.names.departments(),
            cells=cells_of(visitor.names),
        )  # fmt: skip

    @router.get("/queue/rows")
    async def queue_rows(request: Request, asked: Asked, ids: _Ids = None) -> Response:
        visitor = await front.visitor(request)
        if not visitor.person.has(*PAGES["queue"]):
            raise Problem(403, "forbidden", visitor.texts("not_yours"))
        lines, _ = await _lines(front, visitor, msgspec.structs.replace(asked.where, ids=tuple(ids or ())))
        return front.drawn("rows.html", visitor.texts, lines=lines)

    @router.get("/department")
    async def department_page(request: Request, code: Annotated[str | None, Query(max_length=128)] = None) -> Response:
        visitor = await front.visitor(request)
        own = visitor.person.bound("department")
        if not own or (code is not None and code not in own):
            return front.problem(request, visitor)
        return await _department(front, request, visitor, code or own[0])

    @router.get("/officer")
    async def officer_page(request: Request) -> Response:
        visitor = await front.visitor(request)
        cells = (*visitor.person.bound("officer"), *visitor.person.bound("street"))
        if not cells:
            return front.problem(request, visitor)
        lines, more = await _lines(front, visitor, Filter())
        sections = _sectioned(lines, OFFICER, lambda line: "to_verify" if "verifying" in line.state else "in_my_cell")
        return front.page(
            "officer.html", request, visitor, title="officer", sections=sections, more=more,
            cells=[visitor.names.cell(cell) for cell in cells],
        )  # fmt: skip

    return router


async def _department(front: Front, request: Request, visitor: Visitor, code: str) -> Response:
    names, of = visitor.names, party(code, visitor.person.unit or None)
    lines, more = await _lines(front, visitor, Filter(involved=of), of)
    tomorrow = datetime.now(names.policy.timezone).date() + timedelta(days=1)
    tomorrow_ms = names.policy.midnight_ms(tomorrow.isoformat())

    def section(line: Line) -> str:
        if line.part == "offered":
            return "unacknowledged"
        if line.part in ("done", "approved"):
            return "finished"
        return "due_today" if line.clock is not None and line.clock.due_ms < tomorrow_ms else "working"

    return front.page(
        "department.html", request, visitor, title="department", code=code, more=more, name=names.party(of),
        own=[Plain(each, names.department(each)) for each in visitor.person.bound("department")],
        sections=_sectioned(lines, DEPARTMENT, section),
    )  # fmt: skip


async def _lines(front: Front, visitor: Visitor, where: Filter, of: str | None = None) -> tuple[list[Line], bool]:
    """The first lines of a list, and whether there are more; only what is the visitor's business."""
    where = msgspec.structs.replace(where, reach=visitor.person.reach())
    now_ms = time.time_ns() // 1_000_000

    def read(view: Projection) -> tuple[list[Line], bool]:
        found = queue(view, where, None, SHOWN_MAX)
        lines = list[Line]()
        for row in found.lines:
            record = incident(view, row.incident_id)
            if record is not None:
                lines.append(line_of(row, record, visitor.names, now_ms, of))
        return lines, found.next is not None

    return await front.city.read(read)


def _sectioned(
    lines: Sequence[Line], sections: Sequence[str], where: Callable[[Line], str]
) -> list[tuple[str, list[Line]]]:
    """The lines by section."""
    found: dict[str, list[Line]] = {section: [] for section in sections}
    for line in lines:
        found[where(line)].append(line)
    return list(found.items())


def majors(names: Names) -> list[Plain]:
    """The categories above all others."""
    return [Plain(code, names.category(code)) for code in names.policy.categories if "." not in code]


def cells_of(names: Names) -> list[Plain]:
    """The cells of the widest level."""
    return [Plain(code, names.cell(code)) for code in names.grid.cells_at(1)]
