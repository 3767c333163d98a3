"""Requests found: by id or in a list, as far as they are the business of whoever asks.

Anybody sees what is of a public category. Whoever made a request sees it, too, and more of it: by its token, or by a
key that reports as its source.
"""

from typing import Final, NamedTuple

from dispatcher.core import REPORTS, IncidentRecord, IncidentState
from dispatcher.gateway.open311.ids import PATTERN, same_token, source_of
from dispatcher.gateway.roles import CITY, Person
from dispatcher.views import IncidentRow, Projection, incident, incidents_of_report, refused
from dispatcher.views.service_requests import (
    Asked,
    Told,
    asked_of,
    followed,
    joined_reports,
    requested,
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
        """The sources whose requests are this caller's own."""
        return self.person.sources if self.person is not None and self.person.has("reporter") else ()

    def made(self, source: str, request_id: str) -> bool:
        """Whether a request is the caller's own."""
        by_token = self.token is not None and same_token(self.token, request_id)
        return by_token or CITY in self.sources or source in self.sources

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
    first: bool  # its report opened the incident, whose place and words are its own
    own: bool  # asked for by whoever made it


class Change(NamedTuple):
    """A change of state of a request."""

    request_id: str
    told: Told


def of_caller(caller: Caller, from_ms: int, to_ms: int, public: tuple[str, ...]) -> Asked:
    """What a list shows this caller, of a span of time."""
    everything = CITY in caller.sources
    return Asked(from_ms=from_ms, to_ms=to_ms, public=public, own_sources=caller.sources, every_source=everything)


def public_codes(policy: Policy) -> tuple[str, ...]:
    """The categories anybody may see."""
    return tuple(category.code for category in policy.categories.values() if category.public)


def request_by_id(view: Projection, policy: Policy, caller: Caller, request_id: str) -> Request | None:
    """A request by the id it was given, or by its incident's; None where it is not to be seen."""
    source = source_of(request_id)
    found = [request_id] if source is None else incidents_of_report(view, source, request_id)[:1]
    record = incident(view, found[0]) if found else None
    if record is None:
        return None
    report = record.reports[0] if source is None else (source, request_id)
    request = _request(view, record, report, caller)
    category = policy.category(record.category)
    return request if request.own or (category is not None and category.public) else None


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
    records = [incident(view, row.incident_id) for row in requested(view, asked, offset, limit)]
    return [_request(view, record, record.reports[0], caller) for record in records if record is not None]


def change_list(view: Projection, asked: Asked, offset: int, limit: int) -> list[Change]:
    """A page of changes, the oldest first; of every request that is handled in an incident, also of merged ones."""
    found = list[Change]()
    for change in told(view, asked, offset, limit):
        record = incident(view, change.of)
        if record is None:
            continue
        found.append(Change(main_id(record), change))
        for source, report_id, at_ms in joined_reports(view, change.of, PATTERN):
            if (source, report_id) != record.reports[0] and at_ms <= change.at_ms:
                found.append(Change(report_id, change))
    return found


def main_id(record: IncidentRecord) -> str:
    """What an incident is asked for by: the id given to the report that opened it, else its own."""
    source, report_id = record.reports[0]
    return report_id if source_of(report_id) == source else record.incident_id


def _request(view: Projection, record: IncidentRecord, report: tuple[str, str], caller: Caller) -> Request:
    (row,) = whole_rows(view, [record.incident_id])
    goes_on, source = followed(view, row), report[0]
    first = report == record.reports[0]
    request_id = main_id(record) if first else report[1]
    parent_id = None
    if record.state is IncidentState.MERGED and record.parent is not None:
        parent = incident(view, record.parent)
        parent_id = record.parent if parent is None else main_id(parent)
    elif not first:
        parent_id = main_id(record)
    asked_ms = row.reported_ms if first else asked_of(view, record.incident_id, *report) or row.reported_ms
    return Request(request_id, row, goes_on, asked_ms, parent_id, first, caller.made(source, request_id))
