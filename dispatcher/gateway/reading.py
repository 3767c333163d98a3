"""`/v1/incidents` and `/v1/queue`: what is known of incidents, to whoever they are any business of."""

from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from dispatcher.core import IncidentRecord
from dispatcher.gateway.access import Gate, Needs
from dispatcher.gateway.answers import json_answer, json_bytes
from dispatcher.gateway.city import City
from dispatcher.gateway.documents import OBJECT, answers
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.roles import Person
from dispatcher.views import (
    BadCursor,
    Filter,
    IncidentRow,
    Listed,
    history,
    incident,
    incident_json,
    incidents,
    live_parties,
    queue,
)

__all__ = ["LOOKING", "QUEUING", "hidden", "reading", "sees", "visible"]

QUEUING: Final = (
    "acceptor", "dispatcher", "checker", "callback", "shift_lead", "supervisor", "inspector",
)  # fmt: skip
LOOKING: Final = (*QUEUING, "analyst", "department", "street", "officer")
LIMIT_MAX: Final = 1_000
_PAGE: Final = {
    "type": "object",
    "required": ["lines", "next"],
    "properties": {"lines": {"type": "array", "items": OBJECT}, "next": {"type": ["string", "null"]}},
}
_Code = Annotated[str | None, Query(max_length=128)]


class Wanted(msgspec.Struct, frozen=True):
    """The filters of a list, as they stand in its address."""

    where: Filter
    cursor: str | None
    limit: int


def wanted(
    open: Annotated[bool | None, Query(description="Only those that have not ended, or only those that have.")] = None,  # noqa: A002
    state: Annotated[list[str] | None, Query(max_length=40)] = None,
    severity: Annotated[list[Literal["1", "2", "3", "4"]] | None, Query(max_length=4)] = None,
    category: _Code = None,
    source: _Code = None,
    lead: _Code = None,
    involved: Annotated[str | None, Query(max_length=128, description="A department with a part in it now.")] = None,
    cell: Annotated[str | None, Query(max_length=128, description="A cell, and everything in it.")] = None,
    asset: _Code = None,
    cursor: Annotated[str | None, Query(max_length=512)] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 100,
) -> Wanted:
    """From the address of a request."""
    where = Filter(
        open=open,
        states=tuple(state or ()),
        severities=tuple(map(int, severity or ())),
        category=category,
        source=source,
        department=lead,
        involved=involved,
        cell=cell,
        asset=asset,
    )
    return Wanted(where, cursor, limit)


def reading(city: City, gate: Gate) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1", tags=["incidents"])
    may_look = Needs(gate, *LOOKING)
    may_queue = Needs(gate, *QUEUING)
    listed = answers(200, "A page of them.", _PAGE, 401, 403, 422, 429, 503)
    single = answers(200, "It.", OBJECT, 401, 403, 404, 422, 429, 503)

    @router.get("/incidents", responses=listed)
    async def get_incidents(
        asked: Annotated[Wanted, Depends(wanted)], person: Annotated[Person, Depends(may_look)]
    ) -> Response:
        """Incidents, the last opened first."""
        where = msgspec.structs.replace(asked.where, reach=person.reach())
        return await _page(city, lambda view: incidents(view, where, asked.cursor, asked.limit))

    @router.get("/queue", responses=listed)
    async def get_queue(
        asked: Annotated[Wanted, Depends(wanted)], person: Annotated[Person, Depends(may_queue)]
    ) -> Response:
        """Open incidents in the order to work on them."""
        where = msgspec.structs.replace(asked.where, reach=person.reach())
        return await _page(city, lambda view: queue(view, where, asked.cursor, asked.limit))

    @router.get("/incidents/{incident_id}", responses=single)
    async def get_incident(incident_id: str, person: Annotated[Person, Depends(may_look)]) -> Response:
        """An incident's newest record, as it is on the topic `incidents`."""
        await visible(city, person, incident_id)
        value = await city.read(lambda view: incident_json(view, incident_id))
        assert value is not None  # noqa: S101 - it was visible
        return json_bytes(value)

    @router.get("/incidents/{incident_id}/history", responses=single)
    async def get_history(incident_id: str, person: Annotated[Person, Depends(may_look)]) -> Response:
        """What happened to it, oldest first, across all pages."""
        await visible(city, person, incident_id)
        told = await city.read(lambda view: history(view, incident_id))
        assert told is not None  # noqa: S101 - it was visible
        return json_answer({"entries": told.entries, "complete": told.complete})

    return router


def sees(person: Person, record: IncidentRecord) -> bool:
    """Whether an incident is this person's business."""
    return person.sees(record.place.path, live_parties(record))


async def visible(city: City, person: Person, incident_id: str | None) -> IncidentRecord:
    """An incident that is this person's business. Raises Problem: 404, the same to the letter for one there is not."""
    if incident_id is not None:
        record = await city.read(lambda view: incident(view, incident_id))
        if record is not None and sees(person, record):
            return record
    raise hidden()


def hidden() -> Problem:
    """The answer about what is not there, and about what is not for this key to see."""
    return Problem(404, "not_found", "there is no such incident, or it is not for this key to see")


async def _page(city: City, ask: Any) -> Response:  # noqa: ANN401
    try:
        found: Listed[IncidentRow] = await city.read(ask)
    except BadCursor as error:
        raise Problem(422, "bad_cursor", str(error)) from error
    return json_answer({"lines": [row._asdict() for row in found.lines], "next": found.next})
