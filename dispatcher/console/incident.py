"""An incident's page: everything known of it, and every action that is open to whoever looks."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from dispatcher.console.clocks import Standing, standing
from dispatcher.console.forms import Field
from dispatcher.console.lines import clock_text, needs
from dispatcher.console.names import Names, Plain, span_text
from dispatcher.console.offers import Offer, offers
from dispatcher.console.papers import papers_of
from dispatcher.console.texts import Texts
from dispatcher.console.visiting import Front, Visitor
from dispatcher.core import OPEN_STATES, IncidentRecord, text_to_ms
from dispatcher.core.incident import party
from dispatcher.core.records import TargetRecord
from dispatcher.explain import render
from dispatcher.gateway.explaining import why
from dispatcher.gateway.private import Told, masked, may_open, reads_words, told_of
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.reading import visible
from dispatcher.views import History, Projection, history, time_of
from dispatcher.views.times import Span

__all__ = ["incident_pages"]


class _Found(NamedTuple):
    told: list[Told]
    history: History | None
    spans: list[Span]


class _Target(NamedTuple):
    name: str
    of: str
    clock: Standing | None  # None: no longer owed
    text: str
    due: str


def incident_pages(front: Front) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/console/incidents")

    @router.get("/{incident_id}")
    async def incident_page(request: Request, incident_id: str) -> Response:
        visitor = await front.visitor(request)
        shown = await _shown(front, visitor, incident_id)
        if shown is None:
            return front.problem(request, visitor, "not_found", 404)
        return front.page("incident.html", request, visitor, title="incident", **shown)

    @router.get("/{incident_id}/body")
    async def incident_body(request: Request, incident_id: str) -> Response:
        visitor = await front.visitor(request)
        shown = await _shown(front, visitor, incident_id)
        if shown is None:
            return Response(status_code=204)  # it has gone into other hands while somebody was looking
        return front.drawn("incident_body.html", visitor.texts, visitor=visitor, **shown)

    @router.get("/{incident_id}/why")
    async def incident_why(request: Request, incident_id: str) -> Response:
        """The whole explanation, recomputed when somebody asks for it."""
        visitor = await front.visitor(request)
        try:
            told = await why(front.city, await visible(front.city, visitor.person, incident_id))
        except Problem as problem:
            return PlainTextResponse(visitor.texts("why_none", detail=str(problem)))
        return PlainTextResponse(render(told.explanation, told.policy, visitor.texts.lang))

    return router


async def _shown(front: Front, visitor: Visitor, incident_id: str) -> dict[str, Any] | None:
    person, names = visitor.person, visitor.names
    try:
        record = await visible(front.city, person, incident_id)
    except Problem:
        return None
    now_ms = time.time_ns() // 1_000_000

    def read(view: Projection) -> _Found:
        return _Found(told_of(view, record), history(view, incident_id), time_of(view, incident_id, now_ms))

    found = await front.city.read(read)
    reads = reads_words(person, record)
    opened = offers(person, record, names.policy)
    return {
        "record": record,
        "names": names,
        "category": names.category(record.category, record.reported_category),
        "place": names.path(record.place.path),
        "needs": needs(record, names),
        "parts": [(part, names.party(party(part.department, part.unit))) for part in _all_parts(record)],
        "targets": [_target(target, names, now_ms) for target in record.targets],
        "reports": [masked(each) for each in found.told] if reads else [],
        "contacts": any(may_open(person, record, each.private) for each in found.told),
        "entries": [] if found.history is None else [_entry(each, names) for each in reversed(found.history.entries)],
        "complete": found.history is None or found.history.complete,
        "spans": _whose(found.spans, names),
        "offers": opened,
        "papers": papers_of(record, names),
        "labels": [_label(offer, record, names) for offer in opened],
        "choices": {field: _choices(field, record, names) for offer in opened for field in offer.fields},
        "at": lambda text: "" if text is None else names.at(text_to_ms(text)),
        "ended": record.closed_at or (record.updated_at if record.state not in OPEN_STATES else None),
    }


def _all_parts(record: IncidentRecord) -> Sequence[Any]:
    return ([] if record.lead is None else [record.lead]) + record.support


def _target(target: TargetRecord, names: Names, now_ms: int) -> _Target:
    texts, due = names.texts, names.at(text_to_ms(target.due_at))
    told = (texts.code("target", target.name), names.party(target.of))
    if target.revoked_at is not None:
        return _Target(*told, None, texts("revoked", at=names.at(text_to_ms(target.revoked_at))), due)
    if target.fulfilled_at is not None:
        late = "" if target.breached_at is None else f" · {texts('clock_overdue')}"
        return _Target(*told, None, texts("met", at=names.at(text_to_ms(target.fulfilled_at))) + late, due)
    clock = standing(target, names.policy, now_ms)
    return _Target(*told, clock, clock_text(clock, names), due)


def _entry(entry: dict[str, Any], names: Names) -> dict[str, str]:
    texts, by = names.texts, entry.get("by", {})
    who = [texts.code("actor", by["role"])] if "role" in by else []
    if "department" in by:
        who = [names.department(by["department"])]
    if "person" in by:
        who.append(by["person"])
    return {
        "at": names.at(text_to_ms(entry["at"])),
        "what": texts.code("happened", entry["what"]),
        "by": " · ".join(who),
        "state": texts.code("state", entry["state"]),
        "note": entry.get("note", ""),
    }


def _whose(spans: Sequence[Span], names: Names) -> list[tuple[str, str, str, int]]:
    """Whose, what it is called, how long, and its share in percent."""
    total_ms = sum(span.until_ms - span.since_ms for span in spans) or 1
    sums: dict[tuple[str, str | None], int] = {}
    for span in spans:
        sums[span.whose, span.party] = sums.get((span.whose, span.party), 0) + span.until_ms - span.since_ms
    return [
        (
            whose,
            names.party(of) if whose == "lead" else names.texts.code("whose", whose),
            span_text(ms, names.texts),
            round(100 * ms / total_ms),
        )
        for (whose, of), ms in sums.items()
    ]


def _label(offer: Offer, record: IncidentRecord, names: Names) -> str:
    texts: Texts = names.texts
    label = texts.code("action", offer.action)
    if "kind" in offer.given:
        return texts("ask_for", what=texts.code("request", offer.given["kind"]))
    if "department" in offer.given:
        return f"{label}: {names.party(str(offer.given['department']))}"
    if "name" in offer.given:
        return f"{label}: {offer.given['name']}"
    for request in record.requests:
        if offer.action in ("approve", "refuse") and request.number == offer.given.get("number"):
            return f"{label}: {texts.code('request', request.kind)} · {names.party(request.party)}"
    return f"{label} #{offer.given['number']}" if "number" in offer.given else label


def _choices(field: Field, record: IncidentRecord, names: Names) -> list[Plain]:
    """What a field offers to choose from."""
    texts, policy = names.texts, names.policy
    match field.kind:
        case "reason":
            return names.reasons(field.of)
        case "result":
            return [Plain(code, texts.code("result", code)) for code in field.of.split()]
        case "department" | "departments":
            return names.departments()
        case "severity":
            return [Plain(code, name) for code, name in texts.codes("severity").items()]
        case "category":
            return [Plain(code, names.category(code)) for code in policy.categories]
        case "standard":
            known = policy.category(record.category)
            standards = () if known is None else known.standards
            return [Plain(each.code, texts.pick(each.zh, each.en, each.code)) for each in standards]
        case "report":
            return [Plain(f"{source}/{report_id}", f"{names.source(source)} {report_id}")
                    for source, report_id in record.reports]  # fmt: skip
        case "evidence":
            known = policy.category(record.category)
            return [Plain(code, texts.code("flag", code)) for code in (() if known is None else known.evidence)]
        case _:
            return []
