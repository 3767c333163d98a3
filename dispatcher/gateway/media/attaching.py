"""Pictures attached to reports and updates: only those that may be; noted, so that they are shown to whom they concern.

A link is that of a picture in the store, which whoever attaches it must be allowed to see (else a name that was
overheard would open a picture to its hearer), or an `https` address at a host the configuration names.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

from dispatcher.core import IncidentRecord
from dispatcher.gateway.city import City
from dispatcher.gateway.media.store import Kept, MediaStore, Use, is_sha256
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.reading import sees
from dispatcher.gateway.roles import Person
from dispatcher.views import Projection, incident, incidents_of_report
from dispatcher.views.queries import reports_of

__all__ = ["PATH", "Attachments"]

PATH: Final = "/v1/media/"
MERGED_DEEP_MAX: Final = 50
REPORTS_MAX: Final = 1_000  # of one incident whose pictures are looked for


class Attachments:
    """What may be attached by whom, and seen by whom.

    Args:
        city: whose incidents decide who is concerned.
        store: of the pictures.
        hosts: where links may lead besides the store.
        base: before the path of the store's own links, where whoever reads them is elsewhere; empty for none.
    """

    def __init__(self, city: City, store: MediaStore, hosts: Sequence[str] = (), base: str = "") -> None:
        self._city, self.store = city, store
        self._hosts, self._base = frozenset(host.lower() for host in hosts), base.rstrip("/")

    def link(self, sha256: str) -> str:
        """Where a picture in the store is."""
        return f"{self._base}{PATH}{sha256}"

    async def attach(self, person: Person, links: Iterable[tuple[Sequence[str], Use]]) -> None:
        """Attach what is linked in reports or updates, before these are appended.

        Raises:
            Problem: 422, a link leads where none may, or to no picture this person may see.
        """
        uses = [(self._own(link), link, use) for each, use in links for link in each]
        for sha256, link, _ in uses:
            if sha256 is None:
                self._require_known_host(link)
        own = [(sha256, use) for sha256, _, use in uses if sha256 is not None]
        for sha256 in dict.fromkeys(sha256 for sha256, _ in own):
            if await self.seen(person, sha256) is None:
                raise Problem(422, "no_such_media", f"there is no picture {sha256}, or it is not for this key to see")
        if own:
            await asyncio.to_thread(self.store.attach, own)

    async def seen(self, person: Person, sha256: str) -> Kept | None:
        """A picture, if this person handed it in or may see an incident it is attached to; else None."""
        kept = await asyncio.to_thread(self.store.kept, sha256)
        if kept is None or await asyncio.to_thread(self.store.is_uploader, sha256, person.key_id):
            return kept
        uses = await asyncio.to_thread(self.store.uses, sha256)
        return kept if await self._city.read(lambda view: any(_concerns(view, person, use) for use in uses)) else None

    async def of_incident(self, record: IncidentRecord) -> list[Kept]:
        """The pictures of an incident: those its reports brought, and those attached to it since."""
        reports = await self._city.read(lambda view: reports_of(view, record))
        uses = [Use(record.incident_id), *(Use("", source, report_id) for source, report_id in reports[:REPORTS_MAX])]
        return await asyncio.to_thread(self.store.attached, uses)

    def _own(self, link: str) -> str | None:
        """The picture of the store that a link leads to."""
        for start in dict.fromkeys((PATH, f"{self._base}{PATH}")):
            if link.startswith(start) and is_sha256(link.removeprefix(start)):
                return link.removeprefix(start)
        return None

    def _require_known_host(self, link: str) -> None:
        try:
            parts = urlsplit(link)
            known = parts.scheme == "https" and parts.username is None and (parts.hostname or "") in self._hosts
        except ValueError:
            known = False
        if not known or not link.isprintable():
            hosts = ", ".join(sorted(self._hosts)) or "no other host"
            said = f"{link[:64]}: pictures are handed in at {PATH} and attached by the link that returns"
            raise Problem(422, "bad_link", f"{said}; or https at {hosts}")


def _concerns(view: Projection, person: Person, use: Use) -> bool:
    """Whether an incident a picture is attached to is this person's business, or what it was merged into."""
    found = [use.incident_id] if use.incident_id else incidents_of_report(view, use.source, use.report_id)
    for incident_id in found:
        record = incident(view, incident_id)
        for _ in range(MERGED_DEEP_MAX):
            if record is None:
                break
            if sees(person, record):
                return True
            record = None if record.parent is None else incident(view, record.parent)
    return False
