"""`/v1/updates`: what people do about incidents, each as the person their key says they are.

The engine decides whether an action is allowed, in the order of its log. Here it is only seen to that whoever asks has
a role for it and that the incident is their business; the answer can wait a moment for what the engine says.
"""

import time
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.core import UPDATES
from dispatcher.core.actions import ACTION_TABLE
from dispatcher.core.messages import Actor, Update
from dispatcher.gateway.access import Gate, Needs
from dispatcher.gateway.answers import json_answer
from dispatcher.gateway.bodies import TOGETHER_MAX, decode_all, read_body
from dispatcher.gateway.city import City
from dispatcher.gateway.documents import answers, body_of, struct_schema
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.reading import visible
from dispatcher.gateway.roles import Person, parse_role
from dispatcher.ledger import Entry
from dispatcher.views import Projection, incident, incidents_of_report, refused

__all__ = ["updating"]

WAIT_MAX_S: Final = 10.0
CLOCKS_MS: Final = 120_000  # what a clock here may be behind the ledger's
ACTING: Final = sorted(set().union(*(rule.roles for rule in ACTION_TABLE.values())) - {"reporter", "collector"})
_decoder: Final = msgspec.json.Decoder(Update)
_OUTCOME: Final = {
    "type": "object",
    "required": ["updates"],
    "properties": {
        "updates": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["incident_id", "update_id", "state"],
                "properties": {
                    "incident_id": {"type": "string"},
                    "update_id": {"type": "string"},
                    "state": {"enum": ["on_its_way", "taken", "refused"]},
                    "revision": {"type": "integer", "description": "Of the incident, when it was taken."},
                    "reason": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        }
    },
}


def updating(city: City, gate: Gate) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/updates", tags=["updates"])
    may_act = Needs(gate, *ACTING)

    @router.post(
        "",
        status_code=201,
        responses=answers(
            201, "Durable; `state` says what the engine made of each.", _OUTCOME, 400, 401, 403, 404, 413, 422, 429, 503
        ),
        openapi_extra=body_of(struct_schema(Update), f"One update, or a list of at most {TOGETHER_MAX:,}."),
    )
    async def post_updates(
        request: Request,
        person: Annotated[Person, Depends(may_act)],
        role: Annotated[
            str | None,
            Query(alias="as", max_length=140, description="In which of one's roles; else the first that may."),
        ] = None,
        wait_s: Annotated[
            float, Query(ge=0, le=WAIT_MAX_S, description="How long to wait for what the engine says.")
        ] = 0.0,
    ) -> Response:
        """Act on incidents: one update or a list of them, all or none. Who acts is said by the key, not the body."""
        updates, _ = decode_all(await read_body(request), _decoder)
        gate.spend(person, len(updates) - 1)
        handed_ms = time.time_ns() // 1_000_000
        entries, ids = list[Entry](), list[str]()
        for update in updates:
            if update.actor is not None:
                raise Problem(422, "invalid", "`actor` is not for the body: the key says who acts")
            ids.append(await _incident_of(city, person, update))
            acting = msgspec.structs.replace(update, incident_id=ids[-1], actor=_actor(person, update, role))
            entries.append(Entry(UPDATES, msgspec.json.encode(acting)))
        await city.append(entries)
        handed = [(i, update.update_id) for i, update in zip(ids, updates, strict=True)]
        said = await _outcomes(city, handed, handed_ms - CLOCKS_MS, time.monotonic() + wait_s)
        return json_answer({"updates": [{"incident_id": i, "update_id": n, **said[i, n]} for i, n in handed]}, 201)

    return router


async def _outcomes(
    city: City, handed: Sequence[tuple[str, str]], since_ms: int, until_s: float
) -> dict[tuple[str, str], dict[str, Any]]:
    """What the engine has made of updates (incident, update id), as far as it is known by then."""
    found: dict[tuple[str, str], dict[str, Any]] = {each: {"state": "on_its_way"} for each in handed}

    def look(view: Projection) -> None:
        for each, outcome in found.items():
            if outcome["state"] == "on_its_way":
                found[each] = _said(view, *each, since_ms)

    while True:
        version = city.version
        await city.read(look)
        left_s = until_s - time.monotonic()
        if left_s <= 0 or all(outcome["state"] != "on_its_way" for outcome in found.values()):
            return found
        await city.changed(version, left_s)


async def _incident_of(city: City, person: Person, update: Update) -> str:
    """The incident an update is about. Raises Problem."""
    incident_id, report = update.incident_id, update.report
    if incident_id is None and report is not None:
        found = await city.read(lambda view: incidents_of_report(view, report.source, report.report_id))
        incident_id = found[0] if found else None
    if incident_id is None:
        raise Problem(422, "invalid", "an update names its incident by `incident_id` or by a `report` it has")
    await visible(city, person, incident_id)
    return incident_id


def _actor(person: Person, update: Update, role: str | None) -> Actor:
    """As whom: the role asked for, or the first of the person's that may. Raises Problem: 403."""
    roles = ACTION_TABLE[update.action].roles
    if role is not None and role not in person.roles:
        raise Problem(403, "not_your_role", f"{role[:64]} is none of this key's roles: {', '.join(person.roles)}")
    for own, actor in zip(person.roles, person.actors(), strict=True):
        if role in (None, own) and parse_role(own)[0] in roles:
            return actor
    raise Problem(403, "not_your_role", f"{update.action} is open to {', '.join(sorted(roles))}")


def _said(view: Projection, incident_id: str, update_id: str, since_ms: int) -> dict[str, Any]:
    record = incident(view, incident_id)
    if record is not None and record.updates is not None and update_id in record.updates:
        return {"state": "taken", "revision": record.revision}
    row = refused(view, UPDATES, {"update_id": update_id, "incident_id": incident_id}, since_ms)
    if row is not None:
        return {"state": "refused", "reason": row.reason, "detail": row.detail}
    return {"state": "on_its_way"}
