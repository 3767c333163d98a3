"""What the OpenAPI document says of our structs, bodies and problems: made from the same types that read them."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from dispatcher.gateway.problems import MEDIA_TYPE, PROBLEM_SCHEMA

__all__ = ["OBJECT", "SCHEMAS", "answers", "body_of", "body_of_one", "struct_schema"]

_REF: Final = "#/components/schemas/{name}"
OBJECT: Final[dict[str, Any]] = {"type": "object"}  # one of the topics' own records: docs/messages.md
SCHEMAS: Final[dict[str, Any]] = {"Problem": PROBLEM_SCHEMA}  # of the document; `struct_schema` adds to them

_SAID: Final = {
    400: "The body was broken off.",
    401: "No key, or one that is wrong or revoked.",
    403: "The key does not open this.",
    404: "There is no such thing, or it is not for this key to see.",
    409: "It contradicts what is there.",
    413: "Too much at once.",
    422: "Something in it is wrong; nothing was taken.",
    429: "Too many requests; `Retry-After` says when to try again.",
    503: "Not just now: it cannot be made durable, or read; try again.",
}


def struct_schema(kind: type[Struct]) -> dict[str, Any]:
    """A reference to the schema of a struct, which the document then holds."""
    (found,), components = msgspec.json.schema_components([kind], ref_template=_REF)
    SCHEMAS.update(components)
    return found


def body_of(schema: dict[str, Any], about: str) -> dict[str, Any]:
    """The body of a route that takes one of something or a list of them."""
    either = {"oneOf": [schema, {"type": "array", "items": schema, "minItems": 1, "maxItems": 1_000}]}
    return {
        "requestBody": {"required": True, "description": about, "content": {"application/json": {"schema": either}}}
    }


def body_of_one(schema: dict[str, Any], about: str) -> dict[str, Any]:
    """The body of a route that takes one of something."""
    return {
        "requestBody": {"required": True, "description": about, "content": {"application/json": {"schema": schema}}}
    }


def answers(
    status: int, about: str, schema: dict[str, Any], *problems: int, media_type: str = "application/json"
) -> dict[int | str, dict[str, Any]]:
    """What a route answers: the one status when all is well, and those that are problems."""
    said = {"content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}}}
    told: dict[int | str, dict[str, Any]] = {
        status: {"description": about, "content": {media_type: {"schema": schema}}}
    }
    return told | {problem: {"description": _SAID[problem], **said} for problem in problems}
