"""`/open311/v2`: the routes of GeoReport v2, and one of updates as others have it.

What is asked for is a report like any other: durable before it is answered, decided on by the engine, the same
incident that everybody else sees.
"""

from typing import Final

from fastapi import APIRouter

from dispatcher.config import Open311
from dispatcher.gateway.access import Gate
from dispatcher.gateway.city import City
from dispatcher.gateway.media.attaching import Attachments
from dispatcher.gateway.open311.answers import GeoReportRoute
from dispatcher.gateway.open311.catalogue import catalogue
from dispatcher.gateway.open311.following import following
from dispatcher.gateway.open311.making import making
from dispatcher.gateway.open311.reopening import reopening

__all__ = ["PREFIX", "open311"]

PREFIX: Final = "/open311/v2"


def open311(city: City, gate: Gate, attachments: Attachments, settings: Open311) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix=PREFIX, tags=["open311"], route_class=GeoReportRoute)
    catalogue(router, city, gate, settings)
    making(router, city, gate, attachments, settings)
    following(router, city, gate, settings)
    reopening(router, city, gate, settings)
    return router
