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

from dispatcher.core import UPDATES, Action, IncidentRecord, IncidentState
from dispatcher.core.actions import ACTION_TABLE
from dispatcher.core.intake import digest_of
from dispatcher.core.messages import Actor, Update
from dispatcher.gateway.access import Gate, Needs
from dispatcher.gateway.answers import json_answer
from dispatcher.gateway.bodies import TOGETHER_MAX, decode_all, encode_one, read_body
from dispatcher.gateway.city import City
from dispatcher.gateway.documents import answers, body_of, struct_schema
from dispatcher.gateway.media.attaching import Attachments
from dispatcher.gateway.media.store import Use
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.reading import sees, visible
from dispatcher.gateway.roles import Person
from dispatcher.ledger import Entry, Offset
from dispatcher.views import Projection, incident, incidents_of_report, live_parties, refusal

__all__ = ["actor_of", "updating"]

WAIT_MAX_S: Final = 10.0
ABOUT_REPORTS: Final = frozenset({Action.CONTACT, Action.CALLBACK, Action.REOPEN_REQUEST})
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


def updating(city: City, gate: Gate, attachments: Attachments) -> APIRouter:
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
        handed = list[Update]()
        for update in updates:
            if update.actor is not None:
                raise Problem(422, "invalid", "`actor` is not for the body: the key says who acts")
            record = await _incident_of(city, person, update)
            actor = actor_of(person, update.action, role, record.place.path, live_parties(record))
            handed.append(msgspec.structs.replace(update, incident_id=record.incident_id, actor=actor))
        await attachments.attach(person, [(update.media, Use(update.incident_id or "")) for update in handed])
        # those of an incident lie in one partition, so that they are worked on in the order they came
        lie = await city.append([Entry(UPDATES, encode_one(update), update.incident_id) for update in handed])
        said = await _outcomes(city, person, list(zip(handed, lie, strict=True)), wait_s)
        told = [
            {"incident_id": update.incident_id, "update_id": update.update_id, **outcome}
            for update, outcome in zip(handed, said, strict=True)
        ]
        return json_answer({"updates": told}, 201)

    return router


async def _outcomes(
    city: City, person: Person, handed: Sequence[tuple[Update, Offset]], wait_s: float
) -> list[dict[str, Any]]:
    """What the engine has made of updates, as far as it is known after that time; refusals only if one waits.

    A refusal is found by where its update lies: the same one sent before, or at once from elsewhere, lies elsewhere.
    """
    until_s = time.monotonic() + wait_s
    found: list[dict[str, Any] | None] = [None] * len(handed)

    def look(view: Projection) -> None:
        for at, (update, lies) in enumerate(handed):
            found[at] = found[at] or _taken(view, person, update) or (_refused(view, lies) if wait_s > 0 else None)

    while True:
        version = city.version
        await city.read(look)
        left_s = until_s - time.monotonic()
        if left_s <= 0 or city.stopping or all(found):
            return [outcome or {"state": "on_its_way"} for outcome in found]
        await city.changed(version, left_s)


async def _incident_of(city: City, person: Person, update: Update) -> IncidentRecord:
    """The incident an update is about; it, and what it is to go into, are this person's business. Raises Problem."""
    incident_id, report = update.incident_id, update.report
    if incident_id is None and report is None:
        raise Problem(422, "invalid", "an update names its incident by `incident_id` or by a `report` it has")
    if incident_id is None and report is not None:
        found = await city.read(lambda view: incidents_of_report(view, report.source, report.report_id))
        incident_id = found[0] if found else None
    record = await visible(city, person, incident_id)
    if update.into is not None:
        await visible(city, person, update.into)
    return record


def actor_of(person: Person, action: Action, role: str | None, path: Sequence[str], parties: Sequence[str]) -> Actor:
    """As whom somebody acts on an incident: in the role asked for, or the first that may.

    A role reaches no further than it does alone: with two of them, the one's incidents are not the other's.

    Raises:
        Problem: 403, none of them may.
    """
    roles = ACTION_TABLE[action].roles
    if role is not None and role not in person.roles:
        raise Problem(403, "not_your_role", f"{role[:64]} is none of this key's roles: {', '.join(person.roles)}")
    for own, actor in zip(person.roles, person.actors(), strict=True):
        if role not in (None, own) or actor.role not in ACTING or actor.role not in roles:
            continue
        if person._replace(roles=(own,)).sees(path, parties):
            return actor
    raise Problem(
        403, "not_your_role", f"{action} is open to {', '.join(sorted(roles))}, to each where the incident is theirs"
    )


def _taken(view: Projection, person: Person, update: Update) -> dict[str, Any] | None:
    """That the engine has taken an update with this content: in its incident, or in what that was merged into.

    An incident's record has its last updates, hundreds of them; one taken before those is not found any more.
    """
    digest, seen = digest_of(update), set[str]()
    record = incident(view, update.incident_id or "")
    while record is not None and record.incident_id not in seen and sees(person, record):
        seen.add(record.incident_id)
        if (record.updates or {}).get(update.update_id) == digest:
            return {"state": "taken", "revision": record.revision}
        follows = update.action in ABOUT_REPORTS and record.state is IncidentState.MERGED
        record = incident(view, record.parent) if follows and record.parent is not None else None
    return None


def _refused(view: Projection, lies: Offset) -> dict[str, Any] | None:
    row = refusal(view, UPDATES, *lies)
    return None if row is None else {"state": "refused", "reason": row.reason, "detail": row.detail}
