"""`/v1/modes`: which mode holds where, set one, end one; what is open inside; deciding what is open again.

An order reaches no further than the areas of whoever gives it.
"""

import time
from collections.abc import Sequence
from datetime import UTC
from functools import partial
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.core import DAY_MS, datetime_to_ms
from dispatcher.core.control import Cells, EndMode, RerouteOpen, SetMode
from dispatcher.core.messages import Actor, Code, Instant
from dispatcher.core.modes import MODE_DAYS_MAX
from dispatcher.gateway.access import Gate, Needs
from dispatcher.gateway.answers import json_answer
from dispatcher.gateway.bodies import decode_one, read_body
from dispatcher.gateway.city import City
from dispatcher.gateway.commanding import OUTCOME, WaitS, ordered
from dispatcher.gateway.documents import OBJECT, answers, body_of_one, struct_schema
from dispatcher.gateway.foreseeing import foreseen_here, held_modes, told_foreseen
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.reading import LOOKING
from dispatcher.gateway.roles import CITY, Person
from dispatcher.policies.scope import Foreseen
from geo import Grid

__all__ = ["ORDERING", "Looking", "foreseen_for", "moding"]

ORDERING: Final = ("shift_lead", "supervisor")
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
_HELD: Final = {
    "type": "object",
    "required": ["ordinary", "settable", "held"],
    "properties": {
        "ordinary": {"type": "string", "description": "What holds where no other does."},
        "settable": {"type": "array", "items": {"type": "string"}, "description": "From the mildest to the gravest."},
        "held": {"type": "array", "items": OBJECT},
    },
}
_FORESEEN: Final = {
    "type": "object",
    "required": ["open", "groups", "gravest", "reroute"],
    "properties": {
        "open": {"type": "integer"},
        "groups": {"type": "array", "items": OBJECT, "description": "How many, by category and lead."},
        "gravest": {"type": "array", "items": OBJECT},
        "reroute": {"type": "object", "description": "What deciding them again would change, and of which."},
    },
}


class Setting(msgspec.Struct, forbid_unknown_fields=True):
    """A mode for some cells (none named: the whole city), until an instant at most 31 days ahead."""

    mode: Code
    until: Instant
    reason: Reason
    cells: Cells = ()
    proposal_id: Annotated[str, msgspec.Meta(max_length=256)] | None = None


class Ending(msgspec.Struct, forbid_unknown_fields=True):
    """Why a mode ends before its time."""

    reason: Reason


class Looking(msgspec.Struct, forbid_unknown_fields=True):
    """Where to look, and which mode would hold there; without one, what holds now."""

    cells: Cells = ()
    mode: Code | None = None


class Again(msgspec.Struct, forbid_unknown_fields=True):
    """Where to decide the open incidents again, and why."""

    reason: Reason
    cells: Cells = ()


_setting: Final = msgspec.json.Decoder(Setting)
_ending: Final = msgspec.json.Decoder(Ending)
_looking: Final = msgspec.json.Decoder(Looking)
_again: Final = msgspec.json.Decoder(Again)


def moding(city: City, gate: Gate, grid: Grid) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/modes", tags=["modes"])
    may_look, may_order = Needs(gate, *LOOKING, "policy_editor", "policy_approver", "admin"), Needs(gate, *ORDERING)
    told = answers(201, "Durable; `state` says what the engine made of it.", OUTCOME, 400, 401, 403, 413, 422, 429, 503)

    @router.get("", responses=answers(200, "What holds where.", _HELD, 401, 403, 429, 503))
    async def get_modes(_person: Annotated[Person, Depends(may_look)]) -> Response:
        """The modes that hold, in the order in which they were set."""
        policy = await city.policy()
        return json_answer({"ordinary": policy.modes[0], "settable": policy.modes[1:], "held": await held_modes(city)})

    @router.post(
        "", status_code=201, responses=told, openapi_extra=body_of_one(struct_schema(Setting), "The mode, and where.")
    )
    async def set_mode(
        request: Request, person: Annotated[Person, Depends(may_order)], wait_s: WaitS = 0.0
    ) -> Response:
        """Set a mode. It counts for what comes in from then on; open incidents keep what was decided."""
        asked = decode_one(await read_body(request), _setting)
        _require_theirs(person, grid, asked.cells)
        _require_settable(asked, (await city.policy()).modes[1:])
        make = partial(
            SetMode, mode=asked.mode, until=asked.until.astimezone(UTC).replace(microsecond=0), cells=asked.cells,
            proposal_id=asked.proposal_id, actor=_actor(person), reason=asked.reason,
        )  # fmt: skip
        return json_answer(await ordered(city, _id_part(asked.mode), make, wait_s), 201)

    @router.post(
        "/preview",
        responses=answers(200, "What is open there.", _FORESEEN, 400, 401, 403, 413, 422, 429, 503),
        openapi_extra=body_of_one(struct_schema(Looking), "Where, and with which mode."),
    )
    async def preview_mode(request: Request, person: Annotated[Person, Depends(may_order)]) -> Response:
        """What is open in some cells, and what deciding it again would change; nothing is changed."""
        asked = decode_one(await read_body(request), _looking)
        return json_answer(told_foreseen(await foreseen_for(city, grid, person, asked)))

    @router.post(
        "/reroute",
        status_code=201,
        responses=told,
        openapi_extra=body_of_one(struct_schema(Again), "Where, and why."),
    )
    async def reroute_open(
        request: Request, person: Annotated[Person, Depends(may_order)], wait_s: WaitS = 0.0
    ) -> Response:
        """Decide open incidents again, under the policy and the modes that hold when the engine comes to it."""
        asked = decode_one(await read_body(request), _again)
        _require_theirs(person, grid, asked.cells)
        make = partial(RerouteOpen, cells=asked.cells, actor=_actor(person), reason=asked.reason)
        return json_answer(await ordered(city, "reroute", make, wait_s), 201)

    @router.post(
        "/{mode_id}/end",
        status_code=201,
        responses=told | answers(201, "Durable.", OUTCOME, 404),
        openapi_extra=body_of_one(struct_schema(Ending), "Why."),
    )
    async def end_mode(
        request: Request, mode_id: str, person: Annotated[Person, Depends(may_order)], wait_s: WaitS = 0.0
    ) -> Response:
        """End a mode before its time."""
        asked = decode_one(await read_body(request), _ending)
        span = next((span for span in await city.modes() if span.mode_id == mode_id), None)
        if span is None:
            raise Problem(404, "not_found", "no such mode holds")
        _require_theirs(person, grid, span.cells)
        make = partial(EndMode, mode_id=mode_id, actor=_actor(person), reason=asked.reason)
        return json_answer(await ordered(city, "end", make, wait_s), 201)

    return router


async def foreseen_for(city: City, grid: Grid, person: Person, asked: Looking) -> Foreseen:
    """What somebody's order would be about. Raises Problem: 403 not in their areas, 422 no such cell or mode."""
    _require_theirs(person, grid, asked.cells)
    policy = await city.policy()
    if asked.mode is not None and asked.mode not in policy.modes:
        raise Problem(422, "invalid", f"there is no such mode; the policy has {', '.join(policy.modes)}")
    async with city.trying:
        return await city.consult(lambda ledger: foreseen_here(ledger, asked.cells, asked.mode))


def _require_theirs(person: Person, grid: Grid, cells: Sequence[str]) -> None:
    unknown = [cell for cell in cells if cell not in grid]
    if unknown:
        raise Problem(422, "invalid", f"the grid has no cell {unknown[0][:64]}")
    if CITY not in person.areas and not (cells and all(person.within(grid.path(cell)) for cell in cells)):
        raise Problem(403, "not_your_area", f"this key orders in {', '.join(person.areas) or 'no area'}, nowhere else")


def _require_settable(asked: Setting, settable: Sequence[str]) -> None:
    """What the engine would refuse for certain is not written."""
    if asked.mode not in settable:
        raise Problem(422, "invalid", f"no such mode can be set; the policy has {', '.join(settable) or 'none'}")
    ahead_ms = datetime_to_ms(asked.until) - time.time_ns() // 1_000_000
    if not 0 < ahead_ms <= MODE_DAYS_MAX * DAY_MS:
        raise Problem(422, "invalid", f"until lies in the future, and within {MODE_DAYS_MAX} days")


def _actor(person: Person) -> Actor:
    """In the first of the roles that may."""
    return next(actor for actor in person.actors() if actor.role in ORDERING)


def _id_part(mode: str) -> str:
    """What a command's id begins with: it has a number behind it, and at most 128 characters."""
    return mode[:64]
