"""One incident as one row: the instants, codes and flags that reads and measures need, from its published record.

Pure. `IncidentRow` is also the table's definition: a field is a column, its annotation the column's type.
"""

from functools import lru_cache
from typing import NamedTuple

from dispatcher.core import ENDED_STATES, NEVER_MS, AssignmentState, IncidentRecord, text_to_ms
from dispatcher.core.incident import party
from dispatcher.core.records import AssignmentRecord, TargetRecord

__all__ = ["FORMER_LEAD", "OUTCOMES", "IncidentRow", "lead_resolve", "live_parties", "ms_of", "outcome_of", "row_of"]

FORMER_LEAD = "former_lead"  # the role of an assignment whose department was the lead before
REFINED = {  # states whose measure has another name
    "closed_forced": "forced",
    "answered_at_desk": "desk",
}
OUTCOMES = ("closed", "merged", "voided", "not_accepted", "forced", "desk", "referred", "self_handled")


class IncidentRow(NamedTuple):
    """An incident's row. Every `_ms` is an instant in epoch milliseconds; flags are 0 or 1."""

    incident_id: str
    revision: int
    state: str
    outcome: str | None  # how it ended, one of `OUTCOMES`; None while it is open
    severity: int
    category: str | None
    major: str | None  # the first segment of the category
    source: str  # of its first report
    area: str | None  # the cell of level 1
    cell: str | None
    asset: str | None
    path: str  # "/area/…/cell/", so that a cell and all within it are one search
    lon: float | None
    lat: float | None
    lead: str | None  # department
    unit: str | None
    party: str | None  # department and unit of the lead as one word
    parties: str  # "/lead/lead@unit/support/…/": those that have a part now, each by its department and by its unit
    leads: int  # how many turns at the lead there were
    opened_ms: int
    reported_ms: int
    updated_ms: int
    filed_ms: int | None  # filed and dispatched: the engine does both at one instant
    acknowledged_ms: int | None  # by the present lead
    due_ms: int | None  # of the lead's `resolve`
    done_ms: int | None  # the lead's `done` that stands; once closed, the one that was approved
    breached_ms: int | None  # of the lead's `resolve`
    held: int  # the lead's clock is stopped by something else than its own `done`
    ended_ms: int | None
    promised_ms: int | None  # by the source
    on_time: int | None  # closed with a deadline: whether the approved `done` kept it
    reports: int
    reporters: int
    reworks: int
    returns: int
    extensions: int
    holds: int
    reopened: int
    parent: str | None
    contact_owed: int  # somebody was to phone the resident
    contact_ms: int | None  # the resident was reached, in time
    requests: int  # of departments, in table `request`
    callbacks: int  # reports called back, in table `callback`
    attendances: int  # departments a whistle called, in table `attendance`
    former_clocks: int  # deadlines that ended when it was reopened, in table `former_clock`
    queue_rank: int | None  # 0 nobody has taken a severity 1 or 2, 1 breached, 2 the rest; None when ended
    queue_severity: int  # what orders a rank before time does; 0 where time alone does
    queue_due_ms: int  # the earliest deadline that runs; `NEVER_MS` when none does


# Most instants of an incident repeat, in its own record and in its neighbours' (one batch, one instant).
_to_ms = lru_cache(maxsize=8_192)(text_to_ms)


def row_of(record: IncidentRecord) -> IncidentRow:
    """The row of an incident's record."""
    lead, path, counts = record.lead, record.place.path, record.counts
    resolve = None if lead is None else lead_resolve(record.targets, party(lead.department, lead.unit))
    filed_ms = ms_of(record.dispatched_at)
    outcome = outcome_of(record.state)
    done_ms = None if lead is None else ms_of(lead.done_at)
    due_ms = breached_ms = None
    if resolve is not None:
        due_ms, breached_ms = _to_ms(resolve.due_at), ms_of(resolve.breached_at)
        done_ms = ms_of(resolve.fulfilled_at) or done_ms
    on_time = None
    if outcome == "closed" and due_ms is not None:
        on_time = int(breached_ms is None and done_ms is not None and done_ms <= due_ms)
    queue_rank, queue_severity, queue_due_ms = _ENDED if outcome else _queue(record, lead)
    return IncidentRow(
        incident_id=record.incident_id,
        revision=record.revision,
        state=str(record.state),
        outcome=outcome,
        severity=record.severity,
        category=record.category,
        major=None if record.category is None else record.category.partition(".")[0],
        source=record.facts.source,
        area=path[0] if path else None,
        cell=record.place.cell,
        asset=record.asset,
        path=f"/{'/'.join(path)}/" if path else "/",
        lon=record.place.lon,
        lat=record.place.lat,
        lead=None if lead is None else lead.department,
        unit=None if lead is None else lead.unit,
        party=None if lead is None else party(lead.department, lead.unit),
        parties=_parties(record),
        leads=(lead is not None) + sum([a.role == FORMER_LEAD for a in record.support]),
        opened_ms=_to_ms(record.opened_at),
        reported_ms=_to_ms(record.reported_at),
        updated_ms=_to_ms(record.updated_at),
        filed_ms=filed_ms,
        acknowledged_ms=None if lead is None else ms_of(lead.acknowledged_at),
        due_ms=due_ms,
        done_ms=done_ms,
        breached_ms=breached_ms,
        held=int(resolve is not None and resolve.paused_by not in (None, "done")),
        ended_ms=None if outcome is None else _to_ms(record.closed_at or record.updated_at),
        promised_ms=ms_of(record.promised_at),
        on_time=on_time,
        reports=record.report_count,
        reporters=record.reporter_count,
        reworks=0 if counts is None else counts.rework,
        returns=0 if counts is None else counts.returned,
        extensions=0 if counts is None else counts.extended,
        holds=0 if counts is None else counts.held,
        reopened=0 if counts is None else counts.reopened,
        parent=record.parent,
        contact_owed=int(any(target.name == "contact" for target in record.targets)),
        contact_ms=_contact_ms(record.targets),
        requests=len(record.requests),
        callbacks=len(record.callbacks),
        attendances=0 if record.whistle is None else sum(target.name == "attend" for target in record.targets),
        former_clocks=sum([t.fulfilled_at is not None and t.revoked_at is not None for t in record.targets]),
        queue_rank=queue_rank,
        queue_severity=queue_severity,
        queue_due_ms=queue_due_ms,
    )


def ms_of(text: str | None) -> int | None:
    """An instant of a record in epoch milliseconds."""
    return None if text is None else _to_ms(text)


def outcome_of(state: str) -> str | None:
    """How an incident in this state ended, one of `OUTCOMES`; None while it is open."""
    return REFINED.get(state, str(state)) if state in ENDED_STATES else None


def lead_resolve(targets: list[TargetRecord], lead: str) -> TargetRecord | None:
    """The lead's own `resolve`: the one still owed or met, else (the incident was ended otherwise) the last revoked."""
    own = [target for target in targets if target.name == "resolve" and target.of == lead]
    return max(own, key=lambda target: (target.revoked_at is None, target.revoked_at or ""), default=None)


def _contact_ms(targets: list[TargetRecord]) -> int | None:
    kept = [t for t in targets if t.name == "contact" and t.fulfilled_at is not None and t.breached_at is None]
    return min([_to_ms(t.fulfilled_at) for t in kept if t.fulfilled_at is not None], default=None)


def _parties(record: IncidentRecord) -> str:
    live = live_parties(record)
    return f"/{'/'.join(live)}/" if live else "/"


def live_parties(record: IncidentRecord, *, gone: bool = False) -> list[str]:
    """Who has a part in it now (`gone`: or had): each department by its code, and each unit of one as a party."""
    parts = record.support if record.lead is None else [record.lead, *record.support]
    live = [part for part in parts if gone or part.state is not AssignmentState.WITHDRAWN]
    return list(dict.fromkeys([name for a in live for name in (a.department, party(a.department, a.unit))]))


def _queue(record: IncidentRecord, lead: AssignmentRecord | None) -> tuple[int | None, int, int]:
    """The place in the operators' queue (surfaces.md): untaken urgent first, then breached, then least remaining."""
    running = [target for target in record.targets if target.since is not None]  # not met, not revoked, not paused
    due_ms = min([_to_ms(target.due_at) for target in running], default=NEVER_MS)
    if record.severity <= 2 and (lead is None or lead.acknowledged_at is None):
        return 0, record.severity, due_ms
    if any(target.breached_at is not None for target in running):
        return 1, record.severity, due_ms
    return 2, 0, due_ms


_ENDED = (None, 0, NEVER_MS)
