"""Following what was asked for: requests in lists and by id, and what changed of them."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Final, TypeVar
from urllib.parse import urljoin

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.config import Open311
from dispatcher.core import DAY_MS
from dispatcher.core.incident import Brief
from dispatcher.core.privacy import mask_text
from dispatcher.gateway.access import Gate
from dispatcher.gateway.city import City
from dispatcher.gateway.open311 import finding, schemas
from dispatcher.gateway.open311.answers import Form, answer
from dispatcher.gateway.open311.asking import Anybody, Listing, language_of, listing, words_of
from dispatcher.gateway.open311.showing import change_shown, request_shown
from dispatcher.gateway.problems import Problem
from dispatcher.views import Projection, incident, private_of_report

__all__ = ["following"]

T = TypeVar("T")
HEADERS: Final = {"Cache-Control": "no-store", "Vary": "Accept-Language"}
_Words = Annotated[list[str] | None, Query(max_length=1_000)]
_Extended = Annotated[bool, Query(description="With `extended_attributes`.")]


def following(router: APIRouter, city: City, gate: Gate, settings: Open311) -> None:
    """Add the routes."""
    anybody, strangers = Depends(Anybody(gate, settings)), asyncio.Semaphore(1)
    several = schemas.said(200, "A page of them.", schemas.REQUESTS, 400, 403, 404, 429)
    single = schemas.said(200, "It, alone in a list.", schemas.REQUESTS, 400, 403, 404, 429)
    changes = schemas.said(200, "A page of them.", schemas.CHANGES, 400, 403, 404, 429)

    @router.get("/requests.{form}", responses=several, openapi_extra=schemas.ANYBODY)
    async def request_list(
        request: Request,
        form: Form,
        caller: Annotated[finding.Caller, anybody],
        page: Annotated[Listing, Depends(listing)],
        service_request_id: _Words = None,
        service_code: _Words = None,
        status: _Words = None,
        extensions: _Extended = False,
    ) -> Response:
        """Requests, the last made first: those of public categories, and one's own; by default of the last 90 days."""
        policy = await city.policy()
        public = finding.public_codes(policy)
        wanted, codes, open_ = words_of(service_request_id), words_of(service_code), _status(words_of(status))
        if len(wanted) > finding.IDS_MAX:
            raise Problem(400, "invalid", f"{len(wanted)} ids, at most {finding.IDS_MAX} at once")

        def listed(view: Projection) -> list[finding.Request]:
            if wanted:  # which overrides everything else
                return [
                    each for one in wanted if (each := finding.request_by_id(view, policy, caller, one)) is not None
                ]
            asked = finding.of_caller(caller, *page.span(view.latest_ms), public)
            narrowed = msgspec.structs.replace(asked, categories=codes or None, open=open_)
            return finding.request_list(view, narrowed, caller, page.offset, page.limit)

        return await shown(request, form, await read_for(caller, listed), extended=extensions)

    @router.get("/requests/{service_request_id:path}.{form}", responses=single, openapi_extra=schemas.ANYBODY)
    async def request_by_id(
        request: Request,
        service_request_id: str,
        form: Form,
        caller: Annotated[finding.Caller, anybody],
        extensions: _Extended = False,
    ) -> Response:
        """One request; of a category that is not public only with its token, or the key it was made with."""
        policy = await city.policy()
        found = await city.read(lambda view: finding.request_by_id(view, policy, caller, service_request_id))
        if found is None:
            own = caller.made_itself(service_request_id)
            why = await city.read(lambda view: finding.why_not(view, service_request_id if own else None))
            raise Problem(404, "not_found", why)
        return await shown(request, form, [found], extended=extensions)

    @router.get("/servicerequestupdates.{form}", responses=changes, openapi_extra=schemas.ANYBODY)
    async def update_list(
        request: Request,
        form: Form,
        caller: Annotated[finding.Caller, anybody],
        page: Annotated[Listing, Depends(listing)],
    ) -> Response:
        """What changed of requests, the oldest first; by default in the last 24 hours."""
        public, lang = finding.public_codes(await city.policy()), language_of(request, settings)

        def listed(view: Projection) -> list[finding.Change]:
            asked = finding.of_caller(caller, *page.span(view.latest_ms, DAY_MS), public)
            return finding.change_list(view, asked, page.offset, page.limit)

        told = [change_shown(change, lang) for change in await read_for(caller, listed)]
        return answer(form, "service_request_updates", told, headers=HEADERS)

    async def read_for(caller: finding.Caller, query: Callable[[Projection], T]) -> T:
        """Strangers' lists are read one at a time: however many ask, who works here is not held up."""
        if caller.person is not None:
            return await city.read(query)
        async with strangers:
            return await city.read(query)

    async def shown(request: Request, form: Form, found: list[finding.Request], *, extended: bool) -> Response:
        policy, lang = await city.policy(), language_of(request, settings)
        own = [each for each in found if each.own and each.first]
        base = str(request.base_url)
        said = await city.read(lambda view: {each.request_id: _said(view, each.row.incident_id, base) for each in own})
        told = [request_shown(each, policy, lang, said.get(each.request_id), extended=extended) for each in found]
        return answer(form, "service_requests", told, headers=HEADERS)


def _said(view: Projection, incident_id: str, base: str) -> Brief | None:
    """What an incident's first report said, for whoever made it, with links that lead there from anywhere."""
    record = incident(view, incident_id)
    private = None if record is None else private_of_report(view, *record.reports[0])
    if private is None:
        return None
    address, text = private.address, private.text
    return Brief(
        None if address is None else mask_text(address),
        None if text is None else mask_text(text),
        tuple(urljoin(base, link) for link in private.media),
    )


def _status(wanted: tuple[str, ...]) -> bool | None:
    if not set(wanted) <= {"open", "closed"}:
        raise Problem(400, "invalid", "status is open or closed, or both")
    return None if len(wanted) != 1 else wanted[0] == "open"
