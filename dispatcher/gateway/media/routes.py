"""`/v1/media`: pictures handed in, and shown to those they concern; `/v1/incidents/…/media`: which there are."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.gateway.access import Gate, Needs
from dispatcher.gateway.answers import json_answer
from dispatcher.gateway.bodies import read_body
from dispatcher.gateway.city import City
from dispatcher.gateway.documents import OBJECT, answers
from dispatcher.gateway.media.attaching import Attachments
from dispatcher.gateway.media.pictures import BadPicture, Picture, cleaned
from dispatcher.gateway.media.store import Kept, StoreFull, is_sha256
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.reading import LOOKING, visible
from dispatcher.gateway.roles import Person

__all__ = ["media"]

COMING_MAX: Final = 16  # bodies in memory
BODY_S: Final = 60.0  # for one to come
AT_ONCE_MAX: Final = 2  # pictures worked on at a time: each takes up to a third of a gigabyte
COST_BYTES: Final = 65_536  # so much counts as one request of a key's rate
_KEPT: Final = {
    "type": "object",
    "required": ["sha256", "url", "type", "bytes", "width", "height"],
    "properties": {
        "sha256": {"type": "string"},
        "url": {"type": "string", "description": "What to attach it by, in `media` or `media_url`."},
        "type": {"enum": ["image/jpeg", "image/png"]},
        "bytes": {"type": "integer"},
        "width": {"type": "integer"},
        "height": {"type": "integer"},
    },
}
_LISTED: Final = {
    "type": "object",
    "required": ["media"],
    "properties": {"media": {"type": "array", "items": OBJECT}},
}
_PICTURE: Final = {"type": "string", "format": "binary"}
_TO_HAND_IN: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": _PICTURE} for kind in ("image/jpeg", "image/png", "image/webp")},
    }
}


def media(city: City, gate: Gate, attachments: Attachments, bytes_max: int) -> APIRouter:
    """The routes; a picture has at most so many bytes."""
    router = APIRouter(prefix="/v1", tags=["media"])
    anybody, may_look = Needs(gate, "reporter", *LOOKING), Needs(gate, *LOOKING)
    coming, working = asyncio.Semaphore(COMING_MAX), asyncio.Semaphore(AT_ONCE_MAX)
    shown = answers(200, "It.", _PICTURE, 401, 403, 404, 422, 429, media_type="image/jpeg")
    shown[200]["content"]["image/png"] = {"schema": _PICTURE}

    async def _kept(data: bytes, person: Person) -> tuple[Picture, Kept]:
        try:
            async with working:
                picture = await asyncio.to_thread(cleaned, data, bytes_max)
            return picture, await asyncio.to_thread(attachments.store.add, picture, person.key_id)
        except BadPicture as error:
            raise Problem(422, "bad_picture", f"{error}; JPEG, PNG and WebP are taken") from error
        except (StoreFull, OSError) as error:
            said = error if isinstance(error, StoreFull) else f"it could not be written ({type(error).__name__})"
            raise Problem(503, "unavailable", f"{said}; nothing was taken", {"Retry-After": "60"}) from error

    @router.post(
        "/media",
        status_code=201,
        responses=answers(201, "Durable.", _KEPT, 400, 401, 403, 413, 422, 429, 503),
        openapi_extra=_TO_HAND_IN,
    )
    async def post_media(request: Request, person: Annotated[Person, Depends(anybody)]) -> Response:
        """Hand in a picture (JPEG, PNG or WebP, as the body); it is kept without what it tells of its maker."""
        async with coming:  # only so many lie in memory, or are waited for
            try:
                async with asyncio.timeout(BODY_S):
                    data = await read_body(request, bytes_max)
            except TimeoutError as error:
                raise Problem(400, "broken_off", f"it did not come within {BODY_S:g} s") from error
            gate.spend(person, len(data) // COST_BYTES)
            picture, kept = await _kept(data, person)
        told = {
            "sha256": kept.sha256,
            "url": attachments.link(kept.sha256),
            "type": kept.media_type,
            "bytes": kept.size,
            "width": picture.width,
            "height": picture.height,
        }
        return json_answer(told, 201)

    @router.get(
        "/incidents/{incident_id}/media",
        responses=answers(200, "Their links, the first handed in first.", _LISTED, 401, 403, 404, 422, 429),
    )
    async def get_pictures(incident_id: str, person: Annotated[Person, Depends(may_look)]) -> Response:
        """The pictures of an incident: what its reports brought, and what was attached to it since."""
        found = await attachments.of_incident(await visible(city, person, incident_id))
        told = [
            {"sha256": each.sha256, "url": attachments.link(each.sha256), "type": each.media_type, "bytes": each.size}
            for each in found
        ]
        return json_answer({"media": told})

    @router.get("/media/{sha256}", responses=shown, response_class=Response)
    async def get_media(sha256: str, person: Annotated[Person, Depends(anybody)]) -> Response:
        """A picture, to whoever handed it in and to those who see an incident it is attached to."""
        kept = await attachments.seen(person, sha256) if is_sha256(sha256) else None
        if kept is None:
            raise Problem(404, "not_found", "there is no such picture, or it is not for this key to see")
        data = await asyncio.to_thread(attachments.store.read, sha256)
        return Response(data, headers={"Cache-Control": "private, no-store"}, media_type=kept.media_type)

    return router
