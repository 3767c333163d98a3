"""The callback desk's work list: one line per report whose reporter is still to be asked.

Asked are the people behind what has been closed and can still be reopened, and before that those behind what has passed
its check where the policy closes after the callback. Devices are not called, nor is whoever has answered, nor whoever
was called as often as the SLA allows; and no more reporters of one incident than the engine takes callbacks of.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from dispatcher.core import IncidentRecord, IncidentState, decode_incident, text_to_ms
from dispatcher.core.instants import DAY_MS
from dispatcher.core.reopening import CALLBACKS_MAX
from dispatcher.views.projection import Projection
from dispatcher.views.queries import incident, reports_of

__all__ = ["CallbackDue", "callbacks_due"]

REOPENED_WITHIN_MS = 92 * DAY_MS  # no older close is looked at: a quarter is longer than any reopen window in use


class _Window(msgspec.Struct):
    """What says of a record whether anybody is still to be asked."""

    state: IncidentState
    checked_at: str | None = None
    drop_at: str | None = None


_window = msgspec.json.Decoder(_Window).decode


class CallbackDue(NamedTuple):
    """A reporter to be called: about which incident, since when, how often it was tried."""

    incident_id: str
    source: str
    report_id: str
    waits: bool  # the incident waits for it to be closed
    since: str  # checked or closed
    attempts: int
    last_at: str | None
    category: str | None
    lead: str | None
    area: str | None


def callbacks_due(
    view: Projection, is_people: Callable[[str], bool], attempts_max: Callable[[str, str], int], as_of_ms: int
) -> list[CallbackDue]:
    """The list, incidents that wait for it first, then those closed for longest.

    Args:
        view: the projection.
        is_people: whether a source's reports come from people.
        attempts_max: of a policy (sha256) and an SLA of it: how often somebody is called.
        as_of_ms: now.
    """
    rows = view.db.execute(
        "SELECT record.value FROM incident JOIN record USING (incident_id)"
        " WHERE state = 'checking' OR (state = 'closed' AND ended_ms > ?)",
        (as_of_ms - REOPENED_WITHIN_MS,),
    )
    due: list[CallbackDue] = []
    for (value,) in rows:
        if _is_asked(_window(value), as_of_ms):  # most are not: the whole record is read of the others only
            due.extend(_of(view, decode_incident(value), is_people, attempts_max))
    due.sort(key=lambda line: (not line.waits, line.since, line.incident_id, line.source, line.report_id))
    return due


def _is_asked(record: _Window, as_of_ms: int) -> bool:
    if record.state is IncidentState.CHECKING:
        return record.checked_at is not None
    return record.drop_at is not None and text_to_ms(record.drop_at) > as_of_ms


def _of(
    view: Projection,
    record: IncidentRecord,
    is_people: Callable[[str], bool],
    attempts_max: Callable[[str, str], int],
) -> Iterator[CallbackDue]:
    now = 0 if record.counts is None else record.counts.rework + record.counts.reopened
    called = {(call.source, call.report_id): call for call in record.callbacks if call.round == now}
    most = attempts_max(record.decision.policy, record.decision.sla)
    full = len(called) >= CALLBACKS_MAX
    for source, report_id in _reports(view, record):
        call = called.get((source, report_id))
        over = full if call is None else call.answered or call.attempts >= most
        if over or not is_people(source):
            continue
        waits = record.state is IncidentState.CHECKING
        yield CallbackDue(
            record.incident_id,
            source,
            report_id,
            waits,
            (record.checked_at if waits else record.closed_at) or record.updated_at,
            0 if call is None else call.attempts,
            None if call is None else call.last_at,
            record.category,
            None if record.lead is None else record.lead.department,
            record.place.path[0] if record.place.path else None,
        )


def _reports(view: Projection, record: IncidentRecord) -> Iterator[tuple[str, str]]:
    """Its own, and those of what was merged into it."""
    yield from reports_of(view, record)
    for child in record.children:
        merged = incident(view, child)
        if merged is not None:
            yield from _reports(view, merged)
