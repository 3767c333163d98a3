"""The console as part of the gateway: which pages there are."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from dispatcher.console.brief import brief_pages
from dispatcher.console.bulletin import bulletin_pages
from dispatcher.console.cases import case_pages
from dispatcher.console.changes import changing
from dispatcher.console.incident import incident_pages
from dispatcher.console.listing import listing
from dispatcher.console.map import map_pages
from dispatcher.console.measures import measures_pages
from dispatcher.console.mode import mode_pages
from dispatcher.console.papers import paper_pages
from dispatcher.console.policy import policy_pages
from dispatcher.console.shift import shift_pages
from dispatcher.console.signing import signing
from dispatcher.console.visiting import PAGES, Front, SignIn, to_sign_in
from dispatcher.gateway.parts import Parts

__all__ = ["add_console"]

STATIC: Final = Path(__file__).with_name("static")


def add_console(app: FastAPI, parts: Parts) -> None:
    """Put the pages beside the routes; they are for browsers and in no document of the interface."""
    front = Front(parts.city, parts.gate, parts.atlas.grid)
    routers = (
        signing(front),
        listing(front),
        paper_pages(front),
        incident_pages(front),
        map_pages(front, parts.atlas, parts.config.console),
        measures_pages(front),
        bulletin_pages(front),
        case_pages(front),
        shift_pages(front, parts.handovers),
        brief_pages(front, parts.handovers),
        mode_pages(front),
        policy_pages(front, parts.drafts, four_eyes=parts.config.gateway.four_eyes),
        changing(front),
        _home(front),
    )
    for router in routers:
        app.include_router(router, include_in_schema=False)
    app.mount("/console/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(SignIn, _sign_in)


def _home(front: Front) -> APIRouter:
    router = APIRouter()

    @router.get("/")
    async def root() -> Response:
        return RedirectResponse("/console", 303)

    @router.get("/console/banner")
    async def banner(request: Request) -> Response:
        """Which mode holds, for whoever was at a page when it was set."""
        visitor = await front.visitor(request)
        return front.drawn("banner.html", visitor.texts, visitor=visitor)

    @router.get("/console")
    async def home(request: Request) -> Response:
        """The first page that is the visitor's."""
        visitor = await front.visitor(request)
        for page, roles in PAGES.items():
            if page != "incident" and visitor.person.has(*roles):
                return RedirectResponse(f"/console/{page}", 303)
        return front.problem(request, visitor)

    return router


async def _sign_in(request: Request, _error: Exception) -> Response:
    return to_sign_in(request)
