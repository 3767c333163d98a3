"""What is private of an incident: the words of its reports, and how to reach whoever told them.

The words are masked like those of an order. A contact is opened one incident at a time, with a purpose, and the look
is on record before anything is shown. Who reports confidentially, or tips off, is told to the centre only.
"""

from typing import Annotated, Any, Final, NamedTuple

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.core import OPEN_STATES, AssignmentState, IncidentRecord, ms_to_text
from dispatcher.core.incident import party
from dispatcher.core.messages import Private
from dispatcher.core.privacy import mask_text
from dispatcher.gateway.access import Gate, Needs
from dispatcher.gateway.answers import json_answer
from dispatcher.gateway.bodies import decode_one, read_body
from dispatcher.gateway.city import City
from dispatcher.gateway.documents import OBJECT, answers, body_of_one, struct_schema
from dispatcher.gateway.looks import Looks
from dispatcher.gateway.reading import QUEUING, hidden, sees, visible
from dispatcher.gateway.roles import CITY, Person
from dispatcher.views import Projection, private_of_report, reports_of

__all__ = ["TOLD_MAX", "Told", "masked", "may_open", "private", "reads_words", "told_of"]

READING_WORDS: Final = (*QUEUING, "department", "street", "officer")
OPENING: Final = ("acceptor", "dispatcher", "callback", "shift_lead", "supervisor")  # of the centre
TOLD_MAX: Final = 200  # reports of one incident; the first are first
_REPORTS: Final = {
    "type": "object",
    "required": ["reports"],
    "properties": {"reports": {"type": "array", "items": OBJECT}},
}
_CONTACTS: Final = {
    "type": "object",
    "required": ["contacts", "kept_back"],
    "properties": {
        "contacts": {"type": "array", "items": OBJECT},
        "kept_back": {"type": "integer", "description": "Reports whose contact this key may not open."},
    },
}
_LOOKS: Final = {
    "type": "object",
    "required": ["lines", "next"],
    "properties": {"lines": {"type": "array", "items": OBJECT}, "next": {"type": ["integer", "null"]}},
}
_KEPT_BACK: Final = frozenset({AssignmentState.WITHDRAWN, AssignmentState.RETURNED, AssignmentState.APPROVED})


class Asking(msgspec.Struct, forbid_unknown_fields=True):
    """Why somebody looks."""

    purpose: Annotated[str, msgspec.Meta(min_length=3, max_length=200)]


_asking: Final = msgspec.json.Decoder(Asking)


class Told(NamedTuple):
    """A report of an incident, with what is private of it."""

    source: str
    report_id: str
    private: Private


def private(city: City, gate: Gate, looks: Looks) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1", tags=["private"])
    reading_it = Needs(gate, *READING_WORDS)
    opening = Needs(gate, *OPENING, "department")
    auditing = Needs(gate, "supervisor", "inspector", "admin")

    @router.get(
        "/incidents/{incident_id}/reports",
        responses=answers(200, "Its reports, the first first.", _REPORTS, 401, 403, 404, 422, 429),
    )
    async def get_reports(incident_id: str, person: Annotated[Person, Depends(reading_it)]) -> Response:
        """The reports of an incident with their words, masked: long numbers and addresses of mail are not shown."""
        record = await visible(city, person, incident_id)
        if not reads_words(person, record):
            raise hidden()
        told = await city.read(lambda view: told_of(view, record))
        return json_answer({"reports": [masked(each) for each in told]})

    @router.post(
        "/incidents/{incident_id}/contacts",
        responses=answers(200, "How to reach who reported.", _CONTACTS, 400, 401, 403, 404, 413, 422, 429),
        openapi_extra=body_of_one(struct_schema(Asking), "Why: it is written down with the look."),
    )
    async def open_contacts(
        request: Request, incident_id: str, person: Annotated[Person, Depends(opening)]
    ) -> Response:
        """Open the contacts of an incident's reporters. Each look is kept, with its purpose."""
        asked = decode_one(await read_body(request), _asking)
        record = await visible(city, person, incident_id)
        told = await city.read(lambda view: told_of(view, record))
        with_contact = [each for each in told if _reachable(each.private)]
        shown = [each for each in with_contact if may_open(person, record, each.private)]
        looks.write(person, record.incident_id, asked.purpose, [(each.source, each.report_id) for each in shown])
        contacts = [_contact(each) for each in shown]
        return json_answer({"contacts": contacts, "kept_back": len(with_contact) - len(shown)})

    @router.get("/looks", responses=answers(200, "Looks, the last first.", _LOOKS, 401, 403, 404, 422, 429))
    async def get_looks(
        person: Annotated[Person, Depends(auditing)],
        incident_id: Annotated[str | None, Query(max_length=128)] = None,
        before: Annotated[int | None, Query(ge=1, le=1 << 62)] = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> Response:
        """Who has opened which contacts, when and what for; of the whole city, or of an incident that is one's own."""
        if CITY not in person.areas and not person.has("admin"):
            await visible(city, person, incident_id)
        found = looks.last(incident_id, before, limit)
        lines = [{**each._asdict(), "at": ms_to_text(each.at_ms)} for each in found]
        return json_answer({"lines": lines, "next": found[-1].look_id if len(found) == limit else None})

    return router


def reads_words(person: Person, record: IncidentRecord) -> bool:
    """Whether one of the roles, reaching as far as it does alone, reads what reporters have said of this incident."""
    alone = [person._replace(roles=(own,)) for own in person.roles]
    return any(each.has(*READING_WORDS) and sees(each, record) for each in alone)


def told_of(view: Projection, record: IncidentRecord) -> list[Told]:
    """The reports of an incident; what nothing is kept of (a sensor's) is there, and empty."""
    found = reports_of(view, record)[:TOLD_MAX]
    return [Told(*each, private_of_report(view, *each) or Private()) for each in found]


def masked(told: Told) -> dict[str, Any]:
    """As whoever may read it may: without what somebody could be reached or known by."""
    text, address = told.private.text, told.private.address
    return {
        "source": told.source,
        "report_id": told.report_id,
        "text": None if text is None else mask_text(text),
        "address": None if address is None else mask_text(address),
        "media": told.private.media,
        "confidential": told.private.confidential,
        "reachable": _reachable(told.private),
    }


def _contact(told: Told) -> dict[str, Any]:
    private = told.private
    said = {name: getattr(private, name) for name in ("name", "phone", "email", "text", "address")}
    return {"source": told.source, "report_id": told.report_id, **said}


def _reachable(private: Private) -> bool:
    return not private.anonymous and any((private.name, private.phone, private.email))


def may_open(person: Person, record: IncidentRecord, private: Private) -> bool:
    """The centre may; a department while it is working on it, unless the report is confidential or a tip-off."""
    if person.has(*OPENING):
        return True
    if private.confidential or private.request_kind == "tip_off" or record.state not in OPEN_STATES:
        return False
    parts = ([] if record.lead is None else [record.lead]) + record.support
    working = [part for part in parts if part.state not in _KEPT_BACK]
    names = {name for part in working for name in (part.department, party(part.department, part.unit))}
    return not names.isdisjoint(person.parties())
