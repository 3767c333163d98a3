"""What the OpenAPI document says of these answers: both forms of each, and errors as lists."""

from typing import Any, Final

from dispatcher.gateway.problems import MEDIA_TYPE

__all__ = ["ANYBODY", "CHANGES", "DEFINITION", "DISCOVERY", "REQUESTS", "SERVICES", "TAKEN", "TOKEN", "UPDATED", "said"]

ANYBODY: Final[dict[str, Any]] = {"security": [{}, {"key": []}]}
_TEXT: Final = {"type": "string"}
_MAYBE: Final = {"type": ["string", "null"]}
_WHEN: Final = {"type": "string", "format": "date-time"}


def _list_of(required: dict[str, Any], more: dict[str, Any] | None = None) -> dict[str, Any]:
    item = {"type": "object", "required": list(required), "properties": {**required, **(more or {})}}
    return {"type": "array", "items": item}


DISCOVERY: Final = {
    "type": "object",
    "required": ["changeset", "contact", "key_service", "endpoints"],
    "properties": {"changeset": _TEXT, "contact": _TEXT, "key_service": _TEXT, "endpoints": {"type": "array"}},
}
SERVICES: Final = _list_of(
    {
        "service_code": _TEXT,
        "service_name": _TEXT,
        "description": _TEXT,
        "metadata": {"type": "boolean"},
        "type": {"enum": ["realtime", "batch"]},
        "keywords": _TEXT,
        "group": _TEXT,
    }
)
DEFINITION: Final = {
    "type": "object",
    "required": ["service_code", "attributes"],
    "properties": {
        "service_code": _TEXT,
        "attributes": _list_of(
            {
                "variable": {"type": "boolean"},
                "code": _TEXT,
                "datatype": {"enum": ["number", "singlevaluelist"]},
                "required": {"type": "boolean"},
                "datatype_description": _MAYBE,
                "order": {"type": "integer"},
                "description": _TEXT,
            },
            {"values": _list_of({"key": _TEXT, "name": _TEXT})},
        ),
    },
}
TAKEN: Final = _list_of({"service_notice": _MAYBE, "account_id": _MAYBE}, {"service_request_id": _TEXT, "token": _TEXT})
TOKEN: Final = _list_of({"service_request_id": _TEXT, "token": _TEXT})
REQUESTS: Final = _list_of(
    {
        "service_request_id": _TEXT,
        "status": {"enum": ["open", "closed"]},
        "status_notes": _TEXT,
        "service_name": _MAYBE,
        "service_code": _MAYBE,
        "description": _MAYBE,
        "agency_responsible": _MAYBE,
        "service_notice": _MAYBE,
        "requested_datetime": _WHEN,
        "updated_datetime": _WHEN,
        "expected_datetime": {"type": ["string", "null"], "format": "date-time"},
        "address": _MAYBE,
        "address_id": _MAYBE,
        "zipcode": _MAYBE,
        "lat": {"type": ["number", "null"]},
        "long": {"type": ["number", "null"]},
        "media_url": _MAYBE,
    },
    {"extended_attributes": {"type": "object", "description": "Only with extensions=true."}},
)
UPDATED: Final = _list_of({"update_id": _TEXT, "account_id": _MAYBE})
CHANGES: Final = _list_of(
    {
        "update_id": _TEXT,
        "service_request_id": _TEXT,
        "status": {"enum": ["open", "closed"]},
        "updated_datetime": _WHEN,
        "description": _TEXT,
        "media_url": _MAYBE,
    }
)
_ERRORS: Final = _list_of({"code": {"type": "integer"}, "description": _TEXT})
_SAID: Final = {
    400: "Something in it is wrong, or missing.",
    403: "The api_key is missing, wrong, or not for this.",
    404: "There is no such thing, or it is not to be seen.",
    413: "Too much at once.",
    415: "Not a form.",
    429: "Too many requests; `Retry-After` says when to try again.",
    503: "It cannot be made durable just now; try again.",
}


def said(status: int, about: str, schema: dict[str, Any], *problems: int) -> dict[int | str, dict[str, Any]]:
    """What a route answers, in both forms."""
    told: dict[int | str, dict[str, Any]] = {
        status: {"description": about, "content": {"application/json": {"schema": schema}, "text/xml": {}}}
    }
    for problem in problems:
        content: dict[str, Any] = {"application/json": {"schema": _ERRORS}, "text/xml": {}}
        if problem == 404:
            content[MEDIA_TYPE] = {}  # of a path that is no route
        told[problem] = {"description": _SAID[problem], "content": content}
    return told
