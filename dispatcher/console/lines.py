"""One incident as one line of a list: what it is, where, whose, how its clock stands and what it waits for."""

from typing import NamedTuple

from dispatcher.console.clocks import Standing, pressing
from dispatcher.console.names import Names, span_text
from dispatcher.core import AssignmentState, IncidentRecord, IncidentState
from dispatcher.core.incident import party
from dispatcher.core.records import AssignmentRecord
from dispatcher.views import IncidentRow

__all__ = ["Line", "clock_text", "line_of", "live_parts", "needs"]


class Line(NamedTuple):
    """A line. `order` sorts as text the way the queue does; names and instants are those a person reads."""

    incident_id: str
    revision: int
    order: str
    severity: int
    state: str
    category: str
    place: str
    lead: str
    part: str | None  # where the lead stands, or the department whose list it is
    supports: int
    clock: Standing | None
    clock_text: str
    due: str
    needs: list[str]
    claimed_by: str | None
    why: str
    reports: int
    opened: str
    tags: tuple[str, ...]


def line_of(row: IncidentRow, record: IncidentRecord, names: Names, now_ms: int, of: str | None = None) -> Line:
    """The line of an incident: of the whole of it, or of one party's part in it."""
    parts = live_parts(record)
    own = next((part for part in parts if of in (part.department, party(part.department, part.unit))), None)
    owing = None if own is None else party(own.department, own.unit)
    clock = pressing(record.targets, names.policy, now_ms, owing)
    shown = own or record.lead
    rank = 3 if row.queue_rank is None else row.queue_rank
    return Line(
        incident_id=record.incident_id,
        revision=record.revision,
        order=f"{rank}{row.queue_severity}{row.queue_due_ms:020d}{record.incident_id}",
        severity=record.severity,
        state=str(record.state),
        category=names.category(record.category, record.reported_category),
        place=names.path(record.place.path[-2:]),
        lead=names.party(None if record.lead is None else party(record.lead.department, record.lead.unit)),
        part=None if shown is None else str(shown.state),
        supports=sum(part.role == "support" for part in parts),
        clock=clock,
        clock_text=clock_text(clock, names),
        due="" if clock is None else names.at(clock.due_ms),
        needs=needs(record, names),
        claimed_by=record.claimed_by,
        why=record.decision.reason,
        reports=record.report_count,
        opened=names.at(row.opened_ms),
        tags=record.tags,
    )


def live_parts(record: IncidentRecord) -> list[AssignmentRecord]:
    """Who has a part in it now, the lead first."""
    parts = ([] if record.lead is None else [record.lead]) + record.support
    return [part for part in parts if part.state is not AssignmentState.WITHDRAWN]


def clock_text(clock: Standing | None, names: Names) -> str:
    """How a clock stands, in words: told apart without colour."""
    texts = names.texts
    if clock is None:
        return texts("clock_none")
    if clock.why is not None:
        return texts("clock_paused", why=texts.code("paused", clock.why))
    if clock.light == "outside" and clock.resumes_ms is not None:
        return texts("clock_outside", at=names.at(clock.resumes_ms))
    return texts("over" if clock.left_ms < 0 else "left", span=span_text(clock.left_ms, texts))


def needs(record: IncidentRecord, names: Names) -> list[str]:
    """What has to be done next, by whoever it is up to."""
    texts, state = names.texts, record.state
    found: list[str] = []
    if state is IncidentState.RECEIVED:
        found.append(texts("need_file"))
    if state is IncidentState.VERIFYING or record.verify_at is not None:
        found.append(texts("need_verify"))
    if state is IncidentState.FILED and record.lead is None:
        found.append(texts("need_assign"))
    if any(part.state is AssignmentState.RETURNED for part in live_parts(record)):
        found.append(texts("need_return"))
    waiting = sum(request.state == "open" for request in record.requests)
    if waiting:
        found.append(texts("need_request", count=waiting))
    if any(each.replied_at is None and each.cleared_at is None for each in record.supervision):
        found.append(texts("need_reply"))
    if state is IncidentState.CHECKING:
        found.append(texts("need_check"))
    if state is IncidentState.REOPEN_REQUESTED:
        found.append(texts("need_reopen"))
    if state is IncidentState.DISPATCHED and record.lead is not None and record.lead.acknowledged_at is None:
        found.append(texts("need_acknowledge"))
    return found
