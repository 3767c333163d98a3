"""What went wrong, as RFC 9457 problem details: a type that never changes, what, where, and the next step."""

from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

__all__ = ["PROBLEM_SCHEMA", "Problem", "answer", "problem_response"]

MEDIA_TYPE = "application/problem+json"
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "What kind of problem: `urn:dispatch:<word>`."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What, where, and the next step."},
        "items": {
            "type": "array",
            "description": "Of a list that was sent: each element that is wrong, by its place in it.",
            "items": {
                "type": "object",
                "required": ["at", "detail"],
                "properties": {"at": {"type": "integer"}, "detail": {"type": "string"}},
            },
        },
    },
}


class Problem(Exception):
    """A request that is answered with an error.

    Args:
        status: the HTTP status.
        word: the kind of problem, one word that programs may rely on.
        detail: for people: what, where, and the next step.
        headers: of the answer.
        items: of a list that was sent, what is wrong with which element.
    """

    def __init__(
        self,
        status: int,
        word: str,
        detail: str,
        headers: dict[str, str] | None = None,
        items: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.word, self.detail = status, word, detail
        self.headers, self.items = headers, items


class _ProblemResponse(Response):
    """An answer that says, to whoever counts, what kind of problem it tells."""

    word = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["dispatch.problem"] = self.word
        await super().__call__(scope, receive, send)


def problem_response(problem: Problem) -> Response:
    """The answer."""
    said: dict[str, Any] = {
        "type": f"urn:dispatch:{problem.word}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.items is not None:
        said["items"] = problem.items
    response = _ProblemResponse(msgspec.json.encode(said), problem.status, problem.headers, MEDIA_TYPE)
    response.word = problem.word
    return response


async def answer(_request: Request, error: Exception) -> Response:
    """For the application's table of exceptions."""
    assert isinstance(error, Problem)  # noqa: S101 - it is registered for no other
    return problem_response(error)
