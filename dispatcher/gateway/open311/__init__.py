"""Open311 GeoReport v2: residents' applications ask for services and follow what became of them, in XML and JSON."""

from dispatcher.gateway.open311.router import open311

__all__ = ["open311"]
