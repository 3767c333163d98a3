"""The gateway as one ASGI application: which routes there are, and what every answer has in common."""

import asyncio
import logging
from importlib.metadata import version
from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dispatcher.gateway.access import Needs
from dispatcher.gateway.answers import json_bytes
from dispatcher.gateway.appending import Full
from dispatcher.gateway.asyncapi import asyncapi_document
from dispatcher.gateway.counting import Counting
from dispatcher.gateway.documents import SCHEMAS
from dispatcher.gateway.explaining import explaining
from dispatcher.gateway.geography import geography
from dispatcher.gateway.measuring import measuring
from dispatcher.gateway.media import Attachments, media
from dispatcher.gateway.moding import moding
from dispatcher.gateway.open311 import open311
from dispatcher.gateway.parts import Parts
from dispatcher.gateway.policy import policy_routes
from dispatcher.gateway.private import private
from dispatcher.gateway.problems import Problem, answer, problem_response
from dispatcher.gateway.reading import reading
from dispatcher.gateway.reporting import reporting
from dispatcher.gateway.roles import Person
from dispatcher.gateway.streaming import streaming
from dispatcher.gateway.surroundings import surroundings
from dispatcher.gateway.updating import updating
from dispatcher.ledger import InDoubt, LedgerError

__all__ = ["build_app"]

log = logging.getLogger(__name__)
_HEADERS: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]


def build_app(parts: Parts) -> FastAPI:
    """All routes, over one city."""
    city, gate, health, atlas, drafts = parts.city, parts.gate, parts.health, parts.atlas, parts.drafts
    app = FastAPI(title="City dispatch", version=version("city-dispatch"), docs_url=None, redoc_url=None)
    app.add_exception_handler(Problem, answer)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(LedgerError, _unwritten)
    app.add_middleware(_Headers)
    app.add_middleware(Counting, metrics=parts.http)  # the last one added is the outermost
    attachments = Attachments(city, parts.store, parts.config.media.hosts, parts.config.media.url or "")
    routers = (
        reporting(city, gate, attachments),
        updating(city, gate, attachments),
        reading(city, gate),
        private(city, gate, parts.looks),
        streaming(city, gate),
        measuring(city, gate),
        geography(atlas, gate),
        surroundings(atlas, gate),
        explaining(city, gate, atlas, drafts),
        policy_routes(city, gate, atlas, drafts, four_eyes=parts.config.gateway.four_eyes),
        moding(city, gate, atlas.grid),
        media(city, gate, attachments, parts.config.media.bytes_max),
        open311(city, gate, attachments, parts.config.open311),
    )
    for router in routers:
        app.include_router(router)

    scraping, may_scrape = asyncio.Lock(), Needs(gate, "monitor", "admin")

    @app.get("/metrics", include_in_schema=False)
    async def metrics(_: Annotated[Person, Depends(may_scrape)]) -> Response:
        async with scraping:  # one at a time: a scrape can take a thread for a moment
            return Response(await asyncio.to_thread(generate_latest, parts.registry), media_type=CONTENT_TYPE_LATEST)

    topics = msgspec.json.encode(asyncapi_document(app.version))

    @app.get("/asyncapi.json", include_in_schema=False)
    async def asyncapi() -> Response:
        return json_bytes(topics)

    @app.get("/health/live", include_in_schema=False)
    async def live() -> Response:
        return _well(health.live)

    @app.get("/health/ready", include_in_schema=False)
    async def ready() -> Response:
        return _well(health.ready and health.live)

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, routes=app.routes)
            components = made.setdefault("components", {})
            components.setdefault("schemas", {}).update(SCHEMAS)
            components["securitySchemes"] = {
                "key": {"type": "http", "scheme": "bearer", "bearerFormat": "dk.<id>.<secret>"}
            }
            made["security"] = [{"key": []}]
            for route in (route for router in routers for route in router.routes if isinstance(route, APIRoute)):
                for method in route.methods or ():
                    made["paths"][route.path_format][method.lower()].setdefault("x-roles", _roles(route))
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
    return app


def _roles(route: APIRoute) -> list[str]:
    """The roles a route is open to, as its dependency says; without one, it is open to anybody."""
    needs = [each.call for each in route.dependant.dependencies if isinstance(each.call, Needs)]
    return sorted(set().union(*(need.roles for need in needs)))


def _well(well: bool) -> Response:
    return PlainTextResponse("ok\n" if well else "not yet\n", 200 if well else 503)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for no other
    said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:10])
    return problem_response(Problem(422, "invalid", said))


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for no other
    said = {404: "there is nothing here; /openapi.json lists what there is", 405: "this is not asked for so"}
    detail = said.get(error.status_code, str(error.detail))
    headers = dict(error.headers) if error.headers else None
    return problem_response(
        Problem(error.status_code, "not_found" if error.status_code == 404 else "refused", detail, headers)
    )


async def _unwritten(_request: Request, error: Exception) -> Response:
    word = "busy" if isinstance(error, Full) else "in_doubt" if isinstance(error, InDoubt) else "unavailable"
    known = "it may have been taken; sent again as it is, it counts once" if word == "in_doubt" else "nothing was taken"
    return problem_response(Problem(503, word, f"{error}; {known}", {"Retry-After": "1"}))


class _Headers:
    """What every answer says, whatever it is; a failure of ours is an answer too, and is in the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                said = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(each for each in _HEADERS if each[0] not in said)]
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception:
            if begun:
                raise  # the server logs it and breaks the answer off
            route = getattr(scope.get("route"), "path_format", "none")  # not the path, which says what was asked for
            log.exception("%s %s has failed", scope["method"], route, extra={"event": "request_failed", "route": route})
            said = Problem(
                500, "failed", "a failure of ours, it is in the log; whether anything was taken is not known"
            )
            await problem_response(said)(scope, receive, sent)
