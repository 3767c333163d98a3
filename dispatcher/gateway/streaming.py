"""`/v1/streams`: queue events and orders as server-sent events, from wherever a reader left off.

The id of an event is how far the reader has come in every partition, so `Last-Event-ID` is good on any gateway. A
reader that stalls costs a number here and what its connection buffers, which is little; cut off, it can go on later.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Header
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dispatcher.gateway.access import Gate, Needs
from dispatcher.gateway.city import City
from dispatcher.gateway.documents import answers
from dispatcher.gateway.event_stream import HEARTBEAT_S, RETRY_MS, EventStreams
from dispatcher.gateway.feed import Feed, Gap, Place, PlaceError
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.reading import QUEUING
from dispatcher.gateway.roles import Person
from dispatcher.ledger import Kept

__all__ = ["streaming"]

BEYOND_S: Final = 3.0  # an id that lies beyond the end is believed for so long
PORTION_BYTES: Final = 32_768  # put out at once; with two of them uvicorn holds back whoever writes (64 KB)
READERS_MAX: Final = 500  # of one key: a department shows its own on as many screens as it has
ID_CHARS_MAX: Final = 16_384  # a thousand partitions, sixteen digits each

Shown = Callable[[bytes], bool]


class _Where(msgspec.Struct):
    path: tuple[str, ...] = ()


class _Routed(msgspec.Struct):
    place: _Where = msgspec.field(default_factory=_Where)
    unit: str | None = None


_routed: Final = msgspec.json.Decoder(_Routed).decode


def streaming(city: City, gate: Gate) -> APIRouter:
    """The routes."""
    router, streams = APIRouter(prefix="/v1/streams", tags=["streams"]), EventStreams(READERS_MAX)
    may_queue = Needs(gate, *QUEUING)
    may_department = Needs(gate, "department")
    events = answers(
        200, "Events without end.", {"type": "string"}, 401, 403, 404, 422, 429, 503, media_type="text/event-stream"
    )
    Last = Annotated[str | None, Header(alias="Last-Event-ID", max_length=ID_CHARS_MAX)]  # noqa: N806 - a type

    @router.get("/queue", responses=events, response_class=StreamingResponse)
    async def stream_queue(
        request: Request, person: Annotated[Person, Depends(may_queue)], last_event_id: Last = None
    ) -> Response:
        """What enters, changes in and leaves the operators' queue, as far as the areas of the key go."""
        return await _stream(request, city, "routed", last_event_id, gate, person, _within(person), streams)

    @router.get("/departments/{code}", responses=events, response_class=StreamingResponse)
    async def stream_department(
        request: Request, code: str, person: Annotated[Person, Depends(may_department)], last_event_id: Last = None
    ) -> Response:
        """The orders of a department, to itself."""
        if code not in person.bound("department"):
            raise Problem(403, "not_your_department", "a department reads its own orders and no others")
        return await _stream(request, city, f"dept.{code}", last_event_id, gate, person, _own(person), streams)

    return router


def _within(person: Person) -> Shown:
    return lambda value: person.within(_routed(value).place.path)


def _own(person: Person) -> Shown:
    """A unit reads its own orders only; whoever is of the whole department, all of them."""

    def shown(value: bytes) -> bool:
        order = _routed(value)
        return person.within(order.place.path) and person.unit in ("", order.unit)

    return shown


async def _stream(
    request: Request,
    city: City,
    topic: str,
    last: str | None,
    gate: Gate,
    person: Person,
    shown: Shown,
    streams: EventStreams,
) -> Response:
    feed = await city.feed(topic)
    try:
        place = feed.end if last is None else Place.parsed(last, feed.partitions)
    except PlaceError as error:
        raise Problem(422, "bad_event_id", str(error)) from error
    if await _is_beyond(city, feed, place):  # such a reader would wait for ever
        raise Problem(422, "bad_event_id", f"{place} lies beyond the end of this stream; begin again without an id")
    return streams.answer(person.key_id, _events(request, feed, place, gate, person, shown), topic)


async def _is_beyond(city: City, feed: Feed, place: Place) -> bool:
    """Whether a place lies beyond the end; a broker that leads since a moment ago may not know yet where that is."""
    until_s = time.monotonic() + BEYOND_S
    while place.is_beyond(feed.end) and place.is_beyond(await city.end(feed.topic)):
        if time.monotonic() > until_s:
            return True
        await asyncio.sleep(BEYOND_S / 10)
    return False


async def _events(
    request: Request, feed: Feed, place: Place, gate: Gate, person: Person, shown: Shown
) -> AsyncGenerator[bytes]:
    yield f"retry: {RETRY_MS}\nid: {place}\n\n".encode()
    sent_s = time.monotonic()
    whole = max(place.seqs) < 0  # from the beginning of what there is: nothing of it is missing
    # signed out, revoked or changed, or the server stops: it ends
    while not feed.closed and gate.still(request, person) and not await request.is_disconnected():
        begun = place
        try:
            records, place = await feed.read(place)
        except Gap as gap:
            asked = whole and place.seqs[gap.partition] < 0
            place = place.after(gap.partition, gap.begins - 1)
            if not asked:
                yield _gap(gap, place)
                sent_s = time.monotonic()
            continue
        for portion in _portions(records, begun, shown):
            yield portion
            sent_s = time.monotonic()
        quiet_s = time.monotonic() - sent_s
        if quiet_s >= HEARTBEAT_S:  # records that are not shown keep no line open
            yield f": still here\nid: {place}\n\n".encode()
            sent_s = time.monotonic()
        elif place == begun:
            await feed.wait(place, HEARTBEAT_S - quiet_s)
        await asyncio.sleep(0)


def _portions(records: Iterable[tuple[int, Kept]], place: Place, shown: Shown) -> Iterator[bytes]:
    """The events of some records beyond a place, made as they are sent: of one who stalls, no more than that waits."""
    portion, size = list[bytes](), 0
    for partition, record in records:
        place = place.after(partition, record.seq)
        if record.value is None or not shown(record.value):
            continue
        portion.append(b"id: %b\ndata: %b\n\n" % (str(place).encode(), record.value))
        size += len(portion[-1])
        if size >= PORTION_BYTES:
            yield b"".join(portion)
            portion, size = [], 0
    if portion:
        yield b"".join(portion)


def _gap(gap: Gap, place: Place) -> bytes:
    """Told, not passed over: what a reader was not there for in time is gone."""
    said = msgspec.json.encode({"partition": gap.partition, "goes_on_at": gap.begins})
    return b"event: gap\nid: %b\ndata: %b\n\n" % (str(place).encode(), said)
