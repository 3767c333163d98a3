"""Answers as JSON, written by msgspec: the same bytes as on the topics."""

from typing import Any

import msgspec
from starlette.responses import Response

__all__ = ["json_answer", "json_bytes"]


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:  # noqa: ANN401
    """Anything msgspec can write."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def json_bytes(value: bytes) -> Response:
    """JSON that is written already."""
    return Response(value, media_type="application/json")
