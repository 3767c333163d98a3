"""`/v1/policy`: which one is in force and since when; is this one a policy; put it there, by other than its writer."""

from typing import Annotated, Final, Literal

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.gateway.access import Gate, Needs
from dispatcher.gateway.activating import Wish, put_in_force, read_draft
from dispatcher.gateway.answers import json_answer
from dispatcher.gateway.atlas import Atlas
from dispatcher.gateway.bodies import decode_one, decode_whole, read_body
from dispatcher.gateway.city import City
from dispatcher.gateway.commanding import OUTCOME, WaitS
from dispatcher.gateway.documents import OBJECT, answers, body_of_one, struct_schema
from dispatcher.gateway.drafts import Drafts
from dispatcher.gateway.enacted import enacted
from dispatcher.gateway.explaining import Lang, Sha
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.roles import Person

__all__ = ["DRAFTING", "READING_POLICY", "Handed", "policy_routes"]

DRAFTING: Final = ("policy_editor", "policy_approver")
READING_POLICY: Final = (*DRAFTING, "dispatcher", "shift_lead", "supervisor", "analyst", "inspector", "admin")
FILES_MAX: Final = 500
VALIDATING_COSTS: Final = 100  # requests: a policy takes half a second to read
_KNOWN: Final = {
    "type": "object",
    "required": ["in_force", "history", "drafts"],
    "properties": {
        "in_force": OBJECT,
        "history": {"type": "array", "items": OBJECT, "description": "Activations, the last first."},
        "drafts": {"type": "array", "items": OBJECT, "description": "Handed in, the last first."},
    },
}
_CHECKED: Final = {
    "type": "object",
    "required": ["sha256", "problems", "unmet", "kept"],
    "properties": {
        "sha256": {"type": ["string", "null"], "description": "None: it cannot be put in force."},
        "name": {"type": "string"},
        "version": {"type": "string"},
        "problems": {"type": "array", "items": OBJECT, "description": "With file, line and column; W… refuse nothing."},
        "unmet": {"type": "array", "items": {"type": "string"}, "description": "Required, and not there."},
        "kept": {"type": "boolean"},
    },
}
_Path = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Handed(msgspec.Struct, forbid_unknown_fields=True):
    """The files of a policy by their paths in its directory; `keep` hands it in to be approved by somebody else."""

    files: Annotated[dict[_Path, str], msgspec.Meta(min_length=1, max_length=FILES_MAX)]
    keep: bool = False
    lang: Lang = "en"


class Approval(msgspec.Struct, forbid_unknown_fields=True):
    """Which policy, in place of which, and why."""

    sha256: Sha
    expects: Sha
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


_handed: Final = msgspec.json.Decoder(Handed)
_approval: Final = msgspec.json.Decoder(Approval)


def policy_routes(city: City, gate: Gate, atlas: Atlas, drafts: Drafts, *, four_eyes: bool) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/policy", tags=["policy"])
    may_read, may_draft = Needs(gate, *READING_POLICY), Needs(gate, *DRAFTING)
    may_approve = Needs(gate, "policy_approver")
    told = answers(
        201, "Durable; `state` says what the engine made of it.", OUTCOME,
        400, 401, 403, 404, 409, 413, 422, 429, 503,
    )  # fmt: skip
    approved = body_of_one(struct_schema(Approval), "The policy, and the one it replaces: the one that is in force.")

    @router.get("", responses=answers(200, "The policy in force, and how it came to it.", _KNOWN, 401, 403, 429, 503))
    async def get_policy(_person: Annotated[Person, Depends(may_read)]) -> Response:
        """The policy in force, every activation, and what was handed in."""
        return json_answer(await enacted(city, drafts))

    @router.post(
        "/validate",
        responses=answers(200, "What is wrong with it, if anything.", _CHECKED, 400, 401, 403, 413, 422, 429),
        openapi_extra=body_of_one(struct_schema(Handed), "The files of a policy, as text."),
    )
    async def validate(request: Request, person: Annotated[Person, Depends(may_draft)]) -> Response:
        """Every problem of a policy, with its place; with `keep`, one without problems is handed in."""
        gate.spend(person, VALIDATING_COSTS)
        asked = decode_whole(await read_body(request), _handed)
        return json_answer(await read_draft(city, atlas, drafts, person, asked.files, asked.lang, keep=asked.keep))

    async def approve(request: Request, person: Person, what: Literal["draft", "former"], wait_s: float) -> Response:
        asked = decode_one(await read_body(request), _approval)
        if what == "draft" and four_eyes and drafts.is_of(asked.sha256, person):
            raise Problem(403, "four_eyes", "whoever handed a policy in is not who puts it in force: ask somebody else")
        wish = Wish(what, asked.sha256, asked.expects, person.name, asked.reason)
        return json_answer(await put_in_force(city, atlas, drafts, wish, wait_s), 201)

    @router.post("/activate", status_code=201, responses=told, openapi_extra=approved)
    async def activate_draft(
        request: Request, person: Annotated[Person, Depends(may_approve)], wait_s: WaitS = 0.0
    ) -> Response:
        """Put a policy in force that somebody else has handed in; open incidents keep their own."""
        return await approve(request, person, "draft", wait_s)

    @router.post("/rollback", status_code=201, responses=told, openapi_extra=approved)
    async def roll_back(
        request: Request, person: Annotated[Person, Depends(may_approve)], wait_s: WaitS = 0.0
    ) -> Response:
        """Put a policy in force again that was before."""
        return await approve(request, person, "former", wait_s)

    return router
