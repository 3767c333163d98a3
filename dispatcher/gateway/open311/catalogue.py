"""What can be asked for and how: discovery, the list of services, the definition of one."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.config import Open311
from dispatcher.gateway.access import Gate
from dispatcher.gateway.city import City
from dispatcher.gateway.open311 import schemas
from dispatcher.gateway.open311.answers import Form, answer
from dispatcher.gateway.open311.asking import Anybody, language_of
from dispatcher.gateway.open311.finding import Caller
from dispatcher.gateway.open311.services import definition, services
from dispatcher.gateway.problems import Problem

__all__ = ["catalogue"]

SPECIFICATION: Final = "http://wiki.open311.org/GeoReport_v2"
HEADERS: Final = {"Vary": "Accept-Language"}


def catalogue(router: APIRouter, city: City, gate: Gate, settings: Open311) -> None:
    """Add the routes."""
    anybody = Depends(Anybody(gate, settings))

    @router.get(
        "/discovery.{form}",
        responses=schemas.said(200, "Where what is.", schemas.DISCOVERY, 400, 403, 404, 429),
        openapi_extra=schemas.ANYBODY,
    )
    async def discovery(request: Request, form: Form, _caller: Annotated[Caller, anybody]) -> Response:
        """What this service is, and where to ask for keys."""
        policy = await city.policy()
        endpoint = {
            "specification": SPECIFICATION,
            "url": settings.url or f"{str(request.base_url).rstrip('/')}{router.prefix}",
            "changeset": policy.version,
            "type": "production",
            "formats": ["text/xml", "application/json"],
        }
        said = {
            "changeset": policy.version,
            "contact": settings.contact,
            "key_service": settings.key_service,
            "endpoints": [endpoint],
        }
        return answer(form, "discovery", said)

    @router.get(
        "/services.{form}",
        responses=schemas.said(200, "All of them.", schemas.SERVICES, 400, 403, 404, 429),
        openapi_extra=schemas.ANYBODY,
    )
    async def service_list(request: Request, form: Form, _caller: Annotated[Caller, anybody]) -> Response:
        """What can be asked for: the categories of the policy in force."""
        listed = services(await city.policy(), language_of(request, settings))
        return answer(form, "services", listed, headers=HEADERS)

    @router.get(
        "/services/{service_code:path}.{form}",
        responses=schemas.said(200, "It.", schemas.DEFINITION, 400, 403, 404, 429),
        openapi_extra=schemas.ANYBODY,
    )
    async def service_definition(
        request: Request, service_code: str, form: Form, _caller: Annotated[Caller, anybody]
    ) -> Response:
        """What to ask whoever asks for a service."""
        found = definition(await city.policy(), service_code, language_of(request, settings))
        if found is None:
            raise Problem(404, "not_found", f"service_code {service_code[:64]} was not found")
        return answer(form, "service_definition", found, headers=HEADERS)
