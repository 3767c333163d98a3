"""Asking for it again: whoever made a request says that what has ended is not settled."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.config import Open311
from dispatcher.core import UPDATES, Action, Actor, Update
from dispatcher.core.lifecycle import REOPENABLE_STATES
from dispatcher.core.messages import TEXT_CHARS_MAX, ReportRef
from dispatcher.gateway.access import Gate
from dispatcher.gateway.bodies import encode_one, read_body
from dispatcher.gateway.city import City
from dispatcher.gateway.open311 import finding, schemas
from dispatcher.gateway.open311.answers import Form, answer
from dispatcher.gateway.open311.asking import language_of, reporter_of, require_jurisdiction
from dispatcher.gateway.open311.form import BODY_BYTES_MAX, Fields, fields_of
from dispatcher.gateway.open311.words import state_words
from dispatcher.gateway.problems import Problem
from dispatcher.ledger import Entry

__all__ = ["reopening"]

AGAIN: Final = frozenset({"open", "reopen"})
_decode: Final = msgspec.json.Decoder(Update).decode
_WORD: Final = {"type": "string", "minLength": 1, "maxLength": 128}
_FORM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["service_request_id", "update_id", "status"],
    "properties": {
        "api_key": {"type": "string"},
        "service_request_id": {**_WORD, "description": "Of a request made with this key."},
        "update_id": {**_WORD, "description": "The sender's own; sent again with it, an update counts once."},
        "status": {"enum": ["OPEN", "REOPEN", "open", "reopen"]},
        "updated_datetime": {"type": "string", "format": "date-time", "description": "When it was said; else now."},
        "description": {"type": "string", "maxLength": TEXT_CHARS_MAX},
    },
}


def reopening(router: APIRouter, city: City, gate: Gate, settings: Open311) -> None:
    """Add the route."""

    async def form_of(request: Request) -> Fields:
        body = await read_body(request, BODY_BYTES_MAX)
        return fields_of(request.url.query, body, request.headers.get("content-type", ""))

    @router.post(
        "/servicerequestupdates.{form}",
        status_code=201,
        responses=schemas.said(201, "Durable.", schemas.UPDATED, 400, 403, 404, 413, 415, 429, 503),
        openapi_extra={
            "x-roles": ["reporter"],
            "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": _FORM}}},
        },
    )
    async def post_update(request: Request, form: Form, fields: Annotated[Fields, Depends(form_of)]) -> Response:
        """Ask for a request of one's own that has ended to be looked at again; nothing else is taken."""
        require_jurisdiction(settings, fields.one("jurisdiction_id"))
        person, _ = reporter_of(gate, request, fields.one("api_key"))
        request_id, update_id = _needed(fields, "service_request_id"), _needed(fields, "update_id")
        if _needed(fields, "status").lower() not in AGAIN:
            raise Problem(400, "invalid", "status is OPEN: of the reporter's side only the wish to reopen is taken")
        policy, caller = await city.policy(), finding.Caller(person)
        found = await city.read(lambda view: finding.report_of_request(view, policy, caller, request_id))
        if found is None:
            raise Problem(404, "not_found", "service_request_id was not found, or was not made with this key")
        report, state = found
        if state not in REOPENABLE_STATES:
            said = state_words(state, language_of(request, settings))
            raise Problem(400, "not_allowed", f"it cannot be asked for again as it stands: {said}")
        update = Update(
            update_id=update_id,
            action=Action.REOPEN_REQUEST,
            at=_instant(fields.one("updated_datetime")),
            report=ReportRef(*report),
            actor=Actor(role="reporter"),
            text=fields.one("description"),
        )
        value = encode_one(update)
        try:
            _decode(value)
        except msgspec.ValidationError as error:
            raise Problem(400, "invalid", str(error)) from error
        await city.append([Entry(UPDATES, value)])
        told = [{"update_id": update_id, "account_id": None}]
        return answer(form, "service_request_updates", told, 201, {"Cache-Control": "no-store"})


def _needed(fields: Fields, name: str) -> str:
    value = fields.one(name)
    if value is None:
        raise Problem(400, "invalid", f"{name} was not provided")
    return value


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year < 1971 or moment.year > 9998:
        raise Problem(400, "invalid", "updated_datetime is a time with an offset, such as 2010-01-01T00:00:00Z")
    return moment
