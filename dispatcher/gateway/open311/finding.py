"""Requests found: by id or in a list, as far as they are the business of whoever asks.

Anybody sees what is of a public category. Whoever made a request sees it, too, and more of it: by its token, or by a
key that reports as its source.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from dispatcher.core import REPORTS, IncidentState
from dispatcher.gateway.open311.ids import PATTERN, same_token, source_of
from dispatcher.gateway.roles import CITY, Person
from dispatcher.views import IncidentRow, Projection, incidents_of_report, refused
from dispatcher.views.service_requests import (
    Asked,
    Said,
    Told,
    asked_of,
    followed,
    joined_reports,
    requested,
    said_of,
    told,
    whole_rows,
)
from rules import Policy

__all__ = [
    "IDS_MAX",
    "Caller",
    "Change",
    "Request",
    "change_list",
    "of_caller",
    "public_codes",
    "report_of_request",
    "request_by_id",
    "request_list",
]

IDS_MAX: Final = 200  # asked for at once by their ids


class Caller(NamedTuple):
    """Whoever asks: somebody with a key, the holder of a token, or just anybody."""

    person: Person | None = None
    token: str | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources whose requests are this caller's own; a key that may report as any source owns none by that."""
        if self.person is None or not self.person.has("reporter"):
            return ()
        return tuple(source for source in self.person.sources if source != CITY)

    def made(self, source: str, request_id: str) -> bool:
        """Whether a request is the caller's own."""
        return source in self.sources or (self.token is not None and same_token(self.token, request_id))

    def made_itself(self, request_id: str) -> bool:
        """Whether a request with an id of ours would be the caller's own, if there is one."""
        source = source_of(request_id)
        return source is not None and self.made(source, request_id)


class Request(NamedTuple):
    """One request: its incident, where the matter goes on, and what of it may be shown."""

    request_id: str
    row: IncidentRow
    goes_on: IncidentRow  # the incident itself, or what it was merged into
    asked_ms: int
    parent_id: str | None  # of the request it is handled together with
    text: str | None  # what anybody may read of its incident
    first: bool  # its report opened the incident, whose place and words are its own
    own: bool  # asked for by whoever made it


class Change(NamedTuple):
    """A change of state of a request."""

    request_id: str
    told: Told


def of_caller(caller: Caller, from_ms: int, to_ms: int, public: tuple[str, ...]) -> Asked:
    """What a list shows this caller, of a span of time."""
    return Asked(from_ms=from_ms, to_ms=to_ms, public=public, own_sources=caller.sources)


def public_codes(policy: Policy) -> tuple[str, ...]:
    """The categories anybody may see."""
    return tuple(category.code for category in policy.categories.values() if category.public)


def request_by_id(view: Projection, policy: Policy, caller: Caller, request_id: str) -> Request | None:
    """A request by the id it was given, or by its incident's; None where it is not to be seen."""
    source = source_of(request_id)
    found = [request_id] if source is None else incidents_of_report(view, source, request_id)[:1]
    for row in whole_rows(view, found):
        (request,) = _requests(view, [row], caller, None if source is None else (source, request_id))
        category = policy.category(row.category)
        if request.own or (category is not None and category.public):
            return request
    return None


def report_of_request(
    view: Projection, policy: Policy, caller: Caller, request_id: str
) -> tuple[tuple[str, str], str] | None:
    """The report (source, report_id) that a request of the caller's own is, and the state of where the matter went."""
    request = request_by_id(view, policy, caller, request_id)
    if request is None or not request.own:
        return None
    source = source_of(request.request_id)
    if source is not None:
        return (source, request.request_id), request.goes_on.state
    return said_of(view, [request.row.incident_id])[request.row.incident_id].reports[0], request.goes_on.state


def is_known(view: Projection, request_id: str) -> bool:
    """Whether a request with an id of ours has been worked on."""
    return bool(incidents_of_report(view, source_of(request_id) or "", request_id))


def why_not(view: Projection, request_id: str | None) -> str:
    """What to say of a request that is not there, to whoever made it (None to others): refused, or on its way."""
    if request_id is not None:
        row = refused(view, REPORTS, {"source": source_of(request_id) or "", "report_id": request_id})
        if row is not None:
            return f"the request was refused: {row.reason}: {row.detail}"
    return "service_request_id was not found; what was asked for a moment ago may be on its way"


def request_list(view: Projection, asked: Asked, caller: Caller, offset: int, limit: int) -> list[Request]:
    """A page of requests, the last made first: each incident once, by the id of the report that opened it."""
    return _requests(view, requested(view, asked, offset, limit), caller)


def change_list(view: Projection, asked: Asked, offset: int, limit: int) -> list[Change]:
    """A page of changes, the oldest first; of every request that is handled in an incident, also of merged ones."""
    changes = told(view, asked, offset, limit)
    said = said_of(view, [change.of for change in changes])
    found = list[Change]()
    for change in changes:
        first = said[change.of].reports[0] if change.of in said else None
        found.append(Change(main_id(change.of, said), change))
        for source, report_id, at_ms in joined_reports(view, change.of, PATTERN):
            if (source, report_id) != first and at_ms <= change.at_ms:
                found.append(Change(report_id, change))
    return found


def main_id(incident_id: str, said: Mapping[str, Said]) -> str:
    """What an incident is asked for by: the id given to the report that opened it, else its own."""
    if incident_id not in said:
        return incident_id
    source, report_id = said[incident_id].reports[0]
    return report_id if source_of(report_id) == source else incident_id


def _requests(
    view: Projection, rows: list[IncidentRow], caller: Caller, report: tuple[str, str] | None = None
) -> list[Request]:
    """Incidents as requests, each that of the report which opened it, or of the one that is given."""
    merged = [row.parent for row in rows if row.state == IncidentState.MERGED and row.parent is not None]
    said = said_of(view, [*(row.incident_id for row in rows), *merged])
    return [_request(view, row, said, report, caller) for row in rows]


def _request(
    view: Projection,
    row: IncidentRow,
    said: Mapping[str, Said],
    report: tuple[str, str] | None,
    caller: Caller,
) -> Request:
    first = report is None or report == said[row.incident_id].reports[0]
    own_id = main_id(row.incident_id, said)
    request_id, source, asked_ms = own_id, row.source, row.reported_ms
    parent_id = None if first else own_id
    if report is not None and not first:
        source, request_id = report
        asked_ms = asked_of(view, row.incident_id, *report) or row.reported_ms
    if row.state == IncidentState.MERGED and row.parent is not None:
        parent_id = main_id(row.parent, said)
    own, text = caller.made(source, request_id), said[row.incident_id].text
    return Request(request_id, row, followed(view, row), asked_ms, parent_id, text, first, own)
