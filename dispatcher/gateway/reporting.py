"""`/v1/reports`: reports come in, and what became of one."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.core import REPORTS
from dispatcher.core.messages import Report
from dispatcher.gateway.access import Gate, Needs
from dispatcher.gateway.answers import json_answer
from dispatcher.gateway.bodies import TOGETHER_MAX, decode_all, encode_one, read_body
from dispatcher.gateway.city import City
from dispatcher.gateway.documents import answers, body_of, struct_schema
from dispatcher.gateway.media.attaching import Attachments
from dispatcher.gateway.media.store import Use
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.roles import CITY, Person
from dispatcher.ledger import Entry
from dispatcher.views import Projection, incident, incidents_of_report, refused

__all__ = ["reporting"]

_decoder: Final = msgspec.json.Decoder(Report)
_TAKEN: Final = {
    "type": "object",
    "required": ["reports"],
    "properties": {
        "reports": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["source", "report_id"],
                "properties": {"source": {"type": "string"}, "report_id": {"type": "string"}},
            },
        }
    },
}
_STANDING: Final = {
    "type": "object",
    "required": ["source", "report_id", "state"],
    "properties": {
        "source": {"type": "string"},
        "report_id": {"type": "string"},
        "incident_id": {"type": "string"},
        "state": {"type": "string", "description": "Of the incident, or `refused`."},
        "stage": {"type": "string"},
        "reason": {"type": "string"},
        "detail": {"type": "string"},
    },
}


def reporting(city: City, gate: Gate, attachments: Attachments) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/reports", tags=["reports"])
    may_report = Needs(gate, "reporter", "acceptor", "street", "officer")

    @router.post(
        "",
        status_code=201,
        responses=answers(201, "Durable: there whatever happens.", _TAKEN, 400, 401, 403, 413, 422, 429, 503),
        openapi_extra=body_of(struct_schema(Report), f"One report, or a list of at most {TOGETHER_MAX:,}."),
    )
    async def post_reports(request: Request, person: Annotated[Person, Depends(may_report)]) -> Response:
        """Hand in one report, or a list of them, all or none.

        The answer comes when they are durable. Sent again with the same `source` and `report_id` they count once.
        """
        reports, _ = decode_all(await read_body(request), _decoder)
        for report in reports:
            if CITY not in person.sources and report.source not in person.sources:
                raise Problem(403, "not_your_source", f"this key may not report as {report.source}")
            if report.whistle is not None and report.whistle.unit not in person.bound("street"):
                raise Problem(403, "not_your_street", "a whistle is blown by its street: the key has another, or none")
        gate.spend(person, len(reports) - 1)
        linked = [(report.media, Use(source=report.source, report_id=report.report_id)) for report in reports]
        await attachments.attach(person, linked)
        entries = [Entry(REPORTS, encode_one(each), f"{each.source}/{each.report_id}") for each in reports]
        await city.append(entries)
        taken = [{"source": report.source, "report_id": report.report_id} for report in reports]
        return json_answer({"reports": taken}, 201)

    @router.get(
        "/{source}/{report_id:path}",
        responses=answers(200, "What became of it.", _STANDING, 401, 403, 404, 422, 429, 503),
    )
    async def get_report(source: str, report_id: str, person: Annotated[Person, Depends(may_report)]) -> Response:
        """The incident a report has gone to, as far as its reporter may know."""
        if CITY not in person.sources and source not in person.sources:
            raise Problem(403, "not_your_source", f"this key may not ask for reports of {source}")
        standing = await city.read(lambda view: _standing(view, source, report_id))
        if standing is None:
            raise Problem(
                404, "not_found", "no such report has been worked on; one handed in a moment ago may be on its way"
            )
        return json_answer(standing)

    return router


def _standing(view: Projection, source: str, report_id: str) -> dict[str, Any] | None:
    for incident_id in incidents_of_report(view, source, report_id)[:1]:
        record = incident(view, incident_id)
        if record is not None:
            return {
                "source": source,
                "report_id": report_id,
                "incident_id": incident_id,
                "state": record.state,
                "stage": record.stage,
            }
    row = refused(view, REPORTS, {"source": source, "report_id": report_id})
    if row is None:
        return None
    return {
        "source": source,
        "report_id": report_id,
        "state": "refused",
        "reason": row.reason,
        "detail": row.detail,
    }
