"""Asking for a service: a posted form becomes a report; a token leads to the id of what was asked for."""

from collections import OrderedDict
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.config import Open311
from dispatcher.core import REPORTS
from dispatcher.gateway.access import Gate
from dispatcher.gateway.bodies import encode_one, read_body
from dispatcher.gateway.city import City
from dispatcher.gateway.media.attaching import Attachments
from dispatcher.gateway.media.store import Use
from dispatcher.gateway.open311 import ids, schemas
from dispatcher.gateway.open311.answers import Form, answer
from dispatcher.gateway.open311.asking import Anybody, reporter_of, require_jurisdiction
from dispatcher.gateway.open311.finding import Caller, is_known, why_not
from dispatcher.gateway.open311.form import BODY_BYTES_MAX, FORM_SCHEMA, fields_of, report_of
from dispatcher.gateway.problems import Problem
from dispatcher.ledger import Entry

__all__ = ["making"]

RECENT_MAX: Final = 10_000  # requests taken so lately that the projection may not have them yet
HEADERS: Final = {"Cache-Control": "no-store"}
_TO_MAKE: Final = {
    "x-roles": ["reporter"],
    "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": FORM_SCHEMA}}},
}


def making(router: APIRouter, city: City, gate: Gate, attachments: Attachments, settings: Open311) -> None:
    """Add the routes."""
    anybody = Depends(Anybody(gate, settings))
    recent: OrderedDict[str, None] = OrderedDict()

    @router.post(
        "/requests.{form}",
        status_code=201,
        responses=schemas.said(201, "Durable.", schemas.TAKEN, 400, 403, 404, 413, 415, 429, 503),
        openapi_extra=_TO_MAKE,
    )
    async def post_request(
        request: Request,
        form: Form,
        idempotency_key: Annotated[
            str | None, Header(max_length=200, description="Sent again with the same one, a request counts once.")
        ] = None,
    ) -> Response:
        """Ask for a service. The id of a public one is returned at once, for others a token that leads to it."""
        body = await read_body(request, BODY_BYTES_MAX)
        fields = fields_of(request.url.query, body, request.headers.get("content-type", ""))
        require_jurisdiction(settings, fields.one("jurisdiction_id"))
        person, secret = reporter_of(gate, request, fields.one("api_key"))
        (source,) = person.sources
        policy = await city.policy()
        if policy.source(source) is None:
            raise Problem(403, "forbidden", f"the policy in force knows no source {source}")
        token = ids.token_for(source, secret, idempotency_key) if idempotency_key else ids.new_token(source)
        request_id = ids.id_of(token)
        report = report_of(fields, policy, source=source, report_id=request_id, at=datetime.now(UTC))
        value = encode_one(report)
        if not (idempotency_key and (request_id in recent or await city.read(lambda view: is_known(view, request_id)))):
            await attachments.attach(person, [(report.media, Use(source=source, report_id=request_id))])
            await city.append([Entry(REPORTS, value)])
            recent[request_id] = None
            if len(recent) > RECENT_MAX:
                recent.popitem(last=False)
        category = policy.category(report.category)
        told = {"service_request_id": request_id} if category is not None and category.public else {"token": token}
        return answer(form, "service_requests", [{**told, "service_notice": None, "account_id": None}], 201, HEADERS)

    @router.get(
        "/tokens/{token_id:path}.{form}",
        responses=schemas.said(200, "Its id.", schemas.TOKEN, 400, 403, 404, 429),
        openapi_extra=schemas.ANYBODY,
    )
    async def request_id_of(token_id: str, form: Form, _caller: Annotated[Caller, anybody]) -> Response:
        """The id of the request that a token was given for, as soon as it has been worked on."""
        if ids.source_of(token_id) is None:
            raise Problem(404, "not_found", "token was not found")
        request_id = ids.id_of(token_id)
        if not await city.read(lambda view: is_known(view, request_id)):
            raise Problem(404, "not_found", await city.read(lambda view: why_not(view, request_id)))
        return answer(
            form, "service_requests", [{"service_request_id": request_id, "token": token_id}], headers=HEADERS
        )
