"""Papers of an incident, to be printed, signed and filed: the work order of a department, a reminder, a supervision.

They say what their reader needs to work and nothing private: the words of reports are masked as everywhere.
"""

import time
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.console.lines import live_parts
from dispatcher.console.names import Names
from dispatcher.console.visiting import Front, Visitor
from dispatcher.core import IncidentRecord, text_to_ms
from dispatcher.core.dossier import Supervision
from dispatcher.core.incident import party
from dispatcher.core.lifecycle import LIVE_STATES
from dispatcher.core.records import AssignmentRecord, TargetRecord
from dispatcher.gateway.private import masked, reads_words, told_of
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.reading import visible

__all__ = ["Paper", "paper_pages", "papers_of"]

Paper = tuple[str, str]  # what it is called, and its address


def paper_pages(front: Front) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/console/incidents/{incident_id}")

    @router.get("/papers/{kind}")
    async def part_paper(
        request: Request,
        incident_id: str,
        kind: Literal["order", "urging"],
        of: Annotated[str, Query(max_length=256)],
    ) -> Response:
        visitor = await front.visitor(request)
        record = await _visible(front, visitor, incident_id)
        part = next((part for part in _parts(record, kind) if party(part.department, part.unit) == of), None)
        if record is None or part is None:
            return _none(front, request, visitor)
        return await _page(front, request, visitor, record, kind=kind, to=of, part=part, supervision=None)

    @router.get("/papers/supervision/{number}")
    async def supervision_paper(request: Request, incident_id: str, number: int) -> Response:
        visitor = await front.visitor(request)
        record = await _visible(front, visitor, incident_id)
        found = [] if record is None else [each for each in record.supervision if each.number == number]
        if record is None or not found:
            return _none(front, request, visitor)
        return await _page(
            front, request, visitor, record, kind="supervision", to=found[0].party, part=None, supervision=found[0]
        )

    return router


def papers_of(record: IncidentRecord, names: Names) -> list[Paper]:
    """The papers there are of an incident now."""
    base = f"/console/incidents/{record.incident_id}/papers"
    texts = names.texts
    found: list[Paper] = []
    for kind in ("order", "urging"):
        for part in _parts(record, kind):
            of = party(part.department, part.unit)
            found.append((f"{texts(f'{kind}_paper')}: {names.party(of)}", f"{base}/{kind}?of={quote(of, safe='')}"))
    for each in record.supervision:
        label = f"{texts('supervision_paper')} #{each.number}: {names.party(each.party)}"
        found.append((label, f"{base}/supervision/{each.number}"))
    return found


def _parts(record: IncidentRecord | None, kind: str) -> list[AssignmentRecord]:
    """Who may be told so: of an order all that have a part; reminded is who is still at work."""
    parts = [] if record is None else live_parts(record)
    return parts if kind == "order" else [p for p in parts if p.state in LIVE_STATES and p.done_at is None]


async def _visible(front: Front, visitor: Visitor, incident_id: str) -> IncidentRecord | None:
    try:
        return await visible(front.city, visitor.person, incident_id)
    except Problem:
        return None


def _none(front: Front, request: Request, visitor: Visitor) -> Response:
    return front.problem(request, visitor, "not_found", 404)


async def _page(
    front: Front,
    request: Request,
    visitor: Visitor,
    record: IncidentRecord,
    *,
    kind: str,
    to: str,
    part: AssignmentRecord | None,
    supervision: Supervision | None,
) -> Response:
    names, reads = visitor.names, reads_words(visitor.person, record)
    told = await front.city.read(lambda view: told_of(view, record)) if reads else []
    known = names.policy.category(record.category)
    standards = () if known is None else known.standards
    shown: dict[str, Any] = {
        "kind": kind,
        "to": names.party(to),
        "part": part,
        "supervision": supervision,
        "by": "" if supervision is None else _supervisor(supervision.by, names),
        "record": record,
        "names": names,
        "category": names.category(record.category, record.reported_category),
        "standard": next((each for each in standards if each.code == record.standard), None),
        "others": [each for each in live_parts(record) if party(each.department, each.unit) != to],
        "due": _due(record.targets, to, names),
        "reports": [masked(each) for each in told],
        "at": lambda text: names.dated(text_to_ms(text)),
        "now": names.dated(time.time_ns() // 1_000_000),
        "urged": 0 if record.counts is None else record.counts.urged,
    }
    return front.page("paper.html", request, visitor, title=f"{kind}_paper", **shown)


def _due(targets: Sequence[TargetRecord], of: str, names: Names) -> list[tuple[str, str]]:
    """What a party still owes, and by when."""
    owed = [each for each in targets if each.of == of and each.fulfilled_at is None and each.revoked_at is None]
    return [(names.texts.code("target", each.name), names.dated(text_to_ms(each.due_at))) for each in owed]


def _supervisor(by: str, names: Names) -> str:
    """Who supervises: a role of the centre, a party, `cell:<code>` or `city`."""
    kind, _, cell = by.partition(":")
    if kind == "cell":
        return names.cell(cell)
    if by == "city":
        return names.texts("city")
    return names.texts.code("actor", by) if by in names.texts.codes("actor") else names.party(by)
