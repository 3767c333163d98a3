"""Bodies of requests: read up to a limit, decoded against our own structs, every wrong element told."""

from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw, Struct
from starlette.requests import ClientDisconnect, Request

from dispatcher.core.messages import MESSAGE_BYTES_MAX
from dispatcher.gateway.problems import Problem

__all__ = ["BODY_BYTES_MAX", "TOGETHER_MAX", "decode_all", "decode_one", "decode_whole", "encode_one", "read_body"]

T = TypeVar("T", bound=Struct)
BODY_BYTES_MAX: Final = 8_000_000
DRAINED_BYTES_MAX: Final = 1_000_000  # read and thrown away: a connection closed with bytes unread may lose the answer
TOGETHER_MAX: Final = 1_000  # elements of a list
_raws = msgspec.json.Decoder(list[Raw]).decode


async def read_body(request: Request, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """The whole body. Raises Problem: 413 it is too large, 400 it was broken off."""
    if int(request.headers.get("content-length") or 0) > bytes_max + DRAINED_BYTES_MAX:
        raise _too_large(bytes_max)
    parts, size = list[bytes](), 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > bytes_max + DRAINED_BYTES_MAX:
                break
            if size <= bytes_max:
                parts.append(part)
    except ClientDisconnect as error:
        raise Problem(400, "broken_off", "the body was not sent to its end") from error
    if size > bytes_max:
        raise _too_large(bytes_max)
    return b"".join(parts)


def decode_all(body: bytes, decoder: msgspec.json.Decoder[T]) -> tuple[list[T], bool]:
    """One object or a list of them, each within the limits of a message; and whether it was a list.

    Raises:
        Problem: 422 with everything that is wrong, by its place in the list.
    """
    listed = body.lstrip()[:1] == b"["
    try:
        raws = _raws(body) if listed else [Raw(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(422, "not_json", f"the body is not JSON: {error}") from error
    if len(raws) > TOGETHER_MAX:
        raise Problem(422, "too_many", f"{len(raws):,} at once, at most {TOGETHER_MAX:,}; send them in parts")
    found, wrong = list[T](), list[dict[str, Any]]()
    for at, raw in enumerate(raws):
        said = _problem_of(raw, decoder, found)
        if said is not None:
            wrong.append({"at": at, "detail": said})
    if wrong:
        first = wrong[0]
        which = f"element {first['at']}: " if listed else ""
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise Problem(422, "invalid", f"{which}{first['detail']}{more}; nothing was taken", items=wrong)
    if not found:
        raise Problem(422, "invalid", "the list is empty")
    return found, listed


def decode_one(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """One object within the limits of a message. Raises Problem: 422."""
    found = list[T]()
    said = _problem_of(Raw(body), decoder, found)
    if said is not None:
        raise Problem(422, "invalid", f"{said}; nothing was taken")
    return found[0]


def decode_whole(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """One object as large as a body may be: no message, it is not appended. Raises Problem: 422."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(422, "invalid", f"{error}; nothing was taken") from error


def encode_one(message: Struct) -> bytes:
    """A message as it is appended. Raises Problem: 422, with what is added here it is more than the engine takes."""
    value = msgspec.json.encode(message)
    if len(value) > MESSAGE_BYTES_MAX:
        raise Problem(422, "invalid", f"{len(value):,} bytes as it is written, at most {MESSAGE_BYTES_MAX:,}")
    return value


def _problem_of(raw: Raw, decoder: msgspec.json.Decoder[T], found: list[T]) -> str | None:
    if memoryview(raw).nbytes > MESSAGE_BYTES_MAX:
        return f"more than {MESSAGE_BYTES_MAX:,} bytes"
    try:
        found.append(decoder.decode(raw))
    except msgspec.MsgspecError as error:
        return str(error)
    except (UnicodeDecodeError, RecursionError) as error:
        return f"not JSON: {error}"
    return None


def _too_large(bytes_max: int) -> Problem:
    return Problem(413, "too_large", f"at most {bytes_max:,} bytes at once; send them in parts")
