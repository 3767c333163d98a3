"""What has changed, as a stream: which incidents are to be drawn anew, to whoever they are or were any business of.

Told only when the projection has taken it up, so that what is then fetched is not older than what was told of.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator
from typing import Final, NamedTuple

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.console.visiting import PAGES, Front
from dispatcher.core import CONTROL, IncidentRecord
from dispatcher.gateway.event_stream import HEARTBEAT_S, RETRY_MS, EventStreams
from dispatcher.gateway.feed import Feed, Gap, Place
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.roles import Person
from dispatcher.views import Projection, incident, live_parties, reached

__all__ = ["changing"]

TOPIC: Final = "events"
BEHIND_S: Final = 5.0  # longest the projection is waited for; what it lacks then is told of anyway
READERS_MAX: Final = 50  # of one key; the tabs of a browser share one
EVERYTHING: Final = "*"
KNOWN_MAX: Final = 2_000  # incidents of late, so that they are not looked up for each reader


class _Event(msgspec.Struct):
    revision: int = 0


class _Whose(NamedTuple):
    revision: int
    path: tuple[str, ...]
    parties: tuple[str, ...]  # those that had a part, too: their lists lose it


_event: Final = msgspec.json.Decoder(_Event).decode


class Changes:
    """The incidents of late, and whose business they are."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._known: OrderedDict[str, _Whose] = OrderedDict()

    async def of(self, person: Person, wanted: dict[str, int]) -> list[str]:
        """Those of some incidents, each at this revision or a later one, that are this person's business."""
        whose = await self._look_up(wanted)
        if len(whose) < len(wanted):  # the projection is far behind: whatever it is, it is drawn when it is there
            return [EVERYTHING]
        return [one for one in wanted if person.sees(whose[one].path, whose[one].parties)]

    async def _look_up(self, wanted: dict[str, int]) -> dict[str, _Whose]:
        """Whose they are, as far as the projection knows after a while."""
        city, until_s = self._front.city, time.monotonic() + BEHIND_S

        def look(view: Projection) -> dict[str, _Whose]:
            found = {one: incident(view, one) for one in missing}
            return {one: _whose(record) for one, record in found.items() if record is not None}

        while missing := [one for one, revision in wanted.items() if self._revision(one) < revision]:
            version = city.version
            self._known |= await city.read(look)
            if all(self._revision(one) >= wanted[one] for one in missing) or city.stopping:
                break
            if (left_s := until_s - time.monotonic()) <= 0:
                break
            await city.changed(version, left_s)
        whose = {one: known for one in wanted if (known := self._known.get(one)) is not None}
        for one in whose:
            self._known.move_to_end(one)
        while len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return whose

    async def followed(self, places: dict[int, int]) -> None:
        """Return when the projection has these events, by partition; what was known of modes is of before then."""
        city, until_s = self._front.city, time.monotonic() + BEHIND_S
        while not city.stopping and (left_s := until_s - time.monotonic()) > 0:
            version = city.version
            if await city.read(lambda view: all(reached(view, TOPIC, *place) for place in places.items())):
                break
            await city.changed(version, left_s)
        city.forget_modes()

    def _revision(self, incident_id: str) -> int:
        known = self._known.get(incident_id)
        return -1 if known is None else known.revision


def changing(front: Front) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/console")
    changes, streams = Changes(front), EventStreams(READERS_MAX)

    @router.get("/changes")
    async def stream_changes(request: Request) -> Response:
        """From now on: a page that begins, or begins again, draws itself anew, so nothing is missing before."""
        person = front.gate.signed_in(request)
        if person is None:
            raise Problem(401, "unauthorized", "sign in again")
        if not person.has(*PAGES["incident"], *PAGES["policy"]):
            raise Problem(403, "forbidden", "there is nothing here for this key to see")
        front.gate.spend(person, 1)
        feed = await front.city.feed(TOPIC)
        return streams.answer(person.key_id, _parts(request, front, feed, person, changes), "changes")

    return router


async def _parts(request: Request, front: Front, feed: Feed, person: Person, changes: Changes) -> AsyncGenerator[bytes]:
    place = feed.end
    yield f"retry: {RETRY_MS}\n".encode() + _begun(place)
    sent_s = time.monotonic()
    while not feed.closed and front.gate.still(request, person) and not await request.is_disconnected():
        begun = place
        try:
            records, place = await feed.read(place)
        except Gap as gap:  # what is missing is nowhere to be read any more: everything is drawn anew
            place = place.after(gap.partition, gap.begins - 1)
            yield _begun(place)
            continue
        wanted = {record.key: _event(record.value).revision for _, record in records if record.value}
        ids = await changes.of(person, {one: revision for one, revision in wanted.items() if revision})
        commands = {partition: record.seq for partition, record in records if record.key == CONTROL}
        if commands:  # a mode, or another policy
            await changes.followed(commands)
            ids.append(CONTROL)
        quiet_s = time.monotonic() - sent_s
        if ids or quiet_s >= HEARTBEAT_S:
            yield f"id: {place}\ndata: {' '.join(ids)}\n\n".encode() if ids else f": here\nid: {place}\n\n".encode()
            sent_s = time.monotonic()
        elif place == begun:
            await feed.wait(place, HEARTBEAT_S - quiet_s)
        await asyncio.sleep(0)


def _begun(place: Place) -> bytes:
    return f"id: {place}\nevent: begun\ndata: \n\n".encode()


def _whose(record: IncidentRecord) -> _Whose:
    return _Whose(record.revision, record.place.path, tuple(live_parties(record, gone=True)))
