"""Notices: who is to be told what. Delivering them (channels, digests, quiet hours) is for `dispatcher.notices`."""

from typing import NamedTuple

from dispatcher.core.incident import Incident
from dispatcher.core.orders import category_json, or_null
from dispatcher.core.wire import encode, quoted
from rules import Policy

__all__ = ["Notice", "notice_json"]

REPORT = "report:"  # the recipient is the reporter of a report, `report:<source>/<report_id>`


class Notice(NamedTuple):
    """One thing to tell one recipient."""

    to: str
    template: str
    due_at: str | None = None
    target: str | None = None


def notice_json(incident: Incident, policy: Policy, at: str, n: int, notice: Notice) -> bytes:
    """A record of `notices`: no text of a report and no personal data, only what it is about."""
    to = notice.to
    report = ""
    if to.startswith(REPORT):
        source, _, report_id = to.removeprefix(REPORT).partition("/")
        report = f',"source":{quoted(source)},"report_id":{_json(report_id)}'
    head = (
        f'{{"notice_id":"notice:{incident.incident_id}:{incident.revision}:{n}",'
        f'"incident_id":"{incident.incident_id}","revision":{incident.revision},"at":"{at}","to":{_json(to)},'
        f'"template":"{notice.template}","due":{or_null(notice.due_at)},"target":{or_null(notice.target)},'
        f'"state":"{incident.state}","severity":{incident.severity},"category":'
    )
    rest = f',"cell":{or_null(incident.place.cell)},"reason":{quoted(incident.decided.reason)}{report}}}'
    return head.encode() + category_json(incident, policy) + rest.encode()


def _json(text: str) -> str:
    """An id as JSON; not remembered, since it never comes again."""
    return encode(text).decode()
