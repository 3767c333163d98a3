"""The shift: the sheet that one shift hands to the next, signed by both, and kept as it was."""

import secrets
import time
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dispatcher.console.handing import ShiftSheet, decode_sheet, sheet_of
from dispatcher.console.names import Names
from dispatcher.console.signing import sent_form
from dispatcher.console.visiting import PAGES, Front, Visitor
from dispatcher.core import text_to_ms
from dispatcher.gateway.handovers import NOTES_CHARS_MAX, Handover, Handovers
from dispatcher.gateway.roles import CITY, Person

__all__ = ["read_sheet", "shift_pages"]

SIGNING: Final = ("shift_lead",)
EARLIER: Final = 14  # shifts that the page lists: a week
_Number = Annotated[int, Path(ge=1, le=1 << 62)]


def shift_pages(front: Front, handovers: Handovers) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/console/shift")

    @router.get("")
    async def shift_page(request: Request) -> Response:
        visitor = await _visitor(front, request)
        if isinstance(visitor, Response):
            return visitor
        sheet = await read_sheet(front, visitor)
        earlier = [each for each in handovers.last(EARLIER) if _may_read(visitor.person, each)]
        return _page(front, request, visitor, sheet, None, earlier=earlier, draft=secrets.token_urlsafe(12))

    @router.post("")
    async def hand_over(request: Request) -> Response:
        visitor = await _visitor(front, request, signing=True)
        if isinstance(visitor, Response):
            return visitor
        given = await sent_form(request)
        if not front.gate.is_own(request, given.get("csrf", "")):
            return front.problem(request, visitor, "stale_form")
        sheet = msgspec.json.encode(await read_sheet(front, visitor))
        notes, draft = given.get("notes", "")[:NOTES_CHARS_MAX], given.get("draft", "")[:40]
        number = handovers.give(visitor.person, sheet, notes.strip(), draft or secrets.token_urlsafe(12))
        return RedirectResponse(f"/console/shift/{number}", 303)

    @router.get("/{number}")
    async def kept_page(request: Request, number: _Number) -> Response:
        visitor = await _visitor(front, request)
        if isinstance(visitor, Response):
            return visitor
        kept = handovers.of(number)
        if kept is None or not _may_read(visitor.person, kept):
            return front.problem(request, visitor, "no_sheet", 404)
        return _page(front, request, visitor, decode_sheet(kept.sheet), kept)

    @router.post("/{number}")
    async def take_over(request: Request, number: _Number) -> Response:
        visitor = await _visitor(front, request, signing=True)
        if isinstance(visitor, Response):
            return visitor
        given, kept = await sent_form(request), handovers.of(number)
        if not front.gate.is_own(request, given.get("csrf", "")):
            return front.problem(request, visitor, "stale_form")
        if kept is None or not _may_read(visitor.person, kept):
            return front.problem(request, visitor, "no_sheet", 404)
        if not handovers.take(visitor.person, number, given.get("notes", "")[:NOTES_CHARS_MAX].strip()):
            return front.problem(request, visitor, "cannot_take", 409)
        return RedirectResponse(f"/console/shift/{number}", 303)

    return router


async def read_sheet(front: Front, visitor: Visitor) -> ShiftSheet:
    """As it is now, of what is the visitor's business."""
    city, policy, modes = front.city, visitor.names.policy, await front.city.modes()
    now_ms = time.time_ns() // 1_000_000
    return await city.read(lambda view: sheet_of(view, visitor.person, policy, city.policy_kept, modes, now_ms))


async def _visitor(front: Front, request: Request, *, signing: bool = False) -> Visitor | Response:
    """Who is there, or the page that says no."""
    visitor = await front.visitor(request)
    return visitor if visitor.person.has(*(SIGNING if signing else PAGES["shift"])) else front.problem(request, visitor)


def _may_read(person: Person, kept: Handover) -> bool:
    """Whoever has all the areas a sheet is about: it lists incidents of any of them."""
    return CITY in person.areas or (bool(kept.areas) and set(kept.areas) <= set(person.areas))


def _page(
    front: Front,
    request: Request,
    visitor: Visitor,
    sheet: ShiftSheet,
    kept: Handover | None,
    **more: Any,  # noqa: ANN401
) -> Response:
    names: Names = visitor.names
    signs = visitor.person.has(*SIGNING)
    return front.page(
        "shift.html", request, visitor, title="shift", sheet=sheet, kept=kept, names=names,
        gives=signs and kept is None,
        takes=signs and kept is not None and kept.taken is None and kept.given.key_id != visitor.person.key_id
        and kept.given.name != visitor.person.name,
        notes_max=NOTES_CHARS_MAX, at=lambda text: names.dated(text_to_ms(text)), at_ms=names.dated,
        areas=", ".join(visitor.texts("city") if area == CITY else names.cell(area)
                        for area in (visitor.person.areas if kept is None else kept.areas)),
        **more,
    )  # fmt: skip
