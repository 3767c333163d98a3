"""Answers in XML and JSON, equal in content, and everything that goes wrong as a list of errors.

JSON is the XML without its outermost element, lists without the names of their items (the Spark convention, as the
specification asks for). Nothing of what others sent is ever read as XML here.
"""

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, Literal
from xml.sax.saxutils import escape

import msgspec
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.gateway.problems import Problem
from dispatcher.ledger import LedgerError

__all__ = ["Form", "GeoReportRoute", "answer", "xml_bytes"]

Form = Literal["xml", "json"]
_ITEMS: Final = {  # of which elements a list consists
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "service_request_updates": "request_update",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
    "supports": "support",
    "path": "cell",
}
_TYPES: Final = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
_STATUS: Final = {401: 403, 422: 400}  # the specification has these for a wrong key and for anything else wrong
_ILLEGAL: Final = re.compile(
    "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)  # XML 1.0 has no other characters
_PLAIN: Final = re.compile(r"[\w .,:;/+-]*")  # most of what is said, in half the time


def answer(
    form: Form, root: str, value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A value under its outermost name: dictionaries, lists, text, numbers, true and false, and None for nothing."""
    body = msgspec.json.encode(value) if form == "json" else xml_bytes(root, value)
    return Response(body, status, headers, _TYPES[form])


def xml_bytes(root: str, value: object) -> bytes:
    """The same as XML 1.0. Names are ours; a character that XML cannot say is replaced."""
    return f'<?xml version="1.0" encoding="utf-8"?>\n{_element(root, value)}\n'.encode()


def _element(name: str, value: object) -> str:
    if isinstance(value, Mapping):
        inner = "".join(_element(key, each) for key, each in value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        inner = "".join(_element(_ITEMS[name], each) for each in value)
    else:
        inner = _text(value)
    return f"<{name}>{inner}</{name}>" if inner else f"<{name}/>"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if _PLAIN.fullmatch(text):
        return text
    return escape(_ILLEGAL.sub("\ufffd", text), {"\r": "&#13;"})  # a bare one would be read as a line feed


class GeoReportRoute(APIRoute):
    """A route whose problems are lists of errors, in the form that was asked for."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with what it raises turned into an answer."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                return _invalid(request, error)
            except Problem as problem:
                return _errors(request, _STATUS.get(problem.status, problem.status), [problem.detail], problem.headers)
            except LedgerError as error:
                return _errors(request, 503, [f"{error}; nothing was taken"], {"Retry-After": "1"})

        return handled


def _invalid(request: Request, error: RequestValidationError) -> Response:
    said = error.errors()[:10]
    if any(each["loc"][:2] == ("path", "form") for each in said):
        return _errors(request, 404, ["the formats are xml and json"])
    return _errors(request, 400, [f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in said])


def _errors(request: Request, status: int, said: Sequence[str], headers: Mapping[str, str] | None = None) -> Response:
    form: Form = "json" if request.url.path.endswith(".json") else "xml"
    return answer(form, "errors", [{"code": status, "description": each} for each in said], status, headers)
