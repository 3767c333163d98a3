"""What looks like working for the figures instead of the city; each with the incidents behind it, for somebody to ask.

Nothing here is a proof and nothing enters a score: requests made when the time was nearly up, bursts of `done` just
before deadlines, one case sent back again and again, `done` without the evidence its category wants.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

from dispatcher.core import IncidentRecord, text_to_ms
from dispatcher.core.incident import party
from dispatcher.core.instants import MINUTE_MS
from dispatcher.core.records import AssignmentRecord, TargetRecord
from dispatcher.views.cohort import Cohort
from dispatcher.views.projection import Projection
from dispatcher.views.queries import incident
from dispatcher.views.terms import seen, values
from rules import Clock

__all__ = [
    "BURST_CASES",
    "BURST_WITHIN_MS",
    "LAST_PERCENT",
    "REWORKS_MANY",
    "Burst",
    "ClockOf",
    "Gaming",
    "LateRequest",
    "Suspect",
    "gaming",
]

LAST_PERCENT = 10  # of a budget, before its end
BURST_CASES = 5  # `done` in one burst: fewer happen by chance
BURST_WITHIN_MS = 10 * MINUTE_MS
REWORKS_MANY = 2

ClockOf = Callable[[str, str], Clock]  # the clock of a policy (its sha256) by its name


class LateRequest(NamedTuple):
    """A hold or an extension asked for in the last tenth of the budget: working time used, and the budget, in ms."""

    incident_id: str
    party: str
    kind: str
    asked_ms: int
    used_ms: int
    budget_ms: int


class Burst(NamedTuple):
    """Cases one department reported done within ten minutes, each in the last tenth of its time."""

    department: str
    since_ms: int
    until_ms: int
    incidents: tuple[str, ...]


class Suspect(NamedTuple):
    """One case of a department, and how often: sent back, or reported done without evidence."""

    incident_id: str
    department: str | None
    times: int


class Gaming(NamedTuple):
    """The four lists."""

    late_requests: list[LateRequest]
    bursts: list[Burst]
    repeated_rework: list[Suspect]
    without_evidence: list[Suspect]


def gaming(view: Projection, cohort: Cohort, clock_of: ClockOf, evidence: Collection[str]) -> Gaming:
    """Look through a cohort.

    Args:
        view: the projection.
        cohort: which cases, as of when.
        clock_of: budgets are working time; a LookupError leaves the request out.
        evidence: the categories that want evidence.
    """
    return Gaming(
        _late_requests(view, cohort, clock_of),
        _bursts(view, cohort),
        _repeated(view, cohort),
        _without_evidence(view, cohort, evidence),
    )


def _late_requests(view: Projection, cohort: Cohort, clock_of: ClockOf) -> list[LateRequest]:
    rows = view.db.execute(
        f"{seen(cohort)} SELECT incident_id, r.party, r.kind, r.asked_ms FROM seen JOIN request AS r"  # noqa: S608
        " USING (incident_id) WHERE is_member AND counts AND r.kind IN ('hold', 'extension') AND r.asked_ms <= :as_of"
        " ORDER BY r.asked_ms, incident_id, r.number",
        values(cohort),
    ).fetchall()
    found = []
    for incident_id, asking, kind, asked_ms in rows:
        record = incident(view, incident_id)
        if record is None:
            continue  # its record follows in the next batch
        for target in record.targets:
            if target.name != "resolve" or target.of != asking:
                continue
            used = _used_ms(record, target, asked_ms, clock_of)
            budget_ms = _budget_ms(record, target, asked_ms)
            if used is not None and 100 * used >= (100 - LAST_PERCENT) * budget_ms:
                found.append(LateRequest(incident_id, asking, kind, asked_ms, used, budget_ms))
    return found


def _budget_ms(record: IncidentRecord, target: TargetRecord, asked_ms: int) -> int:
    """The budget as it was then: the first one, and once more for every extension granted by then."""
    granted = [
        r
        for r in record.requests
        if r.kind == "extension" and r.party == target.of and r.state == "approved" and r.decided_at is not None
    ]
    before = sum(text_to_ms(r.decided_at or "") <= asked_ms for r in granted)
    return target.amount_ms // (1 + target.extended) * (1 + min(before, target.extended))


def _used_ms(record: IncidentRecord, target: TargetRecord, asked_ms: int, clock_of: ClockOf) -> int | None:
    """Working time used by then; None where the record no longer tells: its last run was cut off by a revocation."""
    runs = [(text_to_ms(since), text_to_ms(until)) for since, until in target.runs]
    if target.since is not None:
        runs.append((text_to_ms(target.since), asked_ms))
    elif not runs and target.fulfilled_at is None and target.paused_by is None:
        offered = [a.offered_at for a in _parts(record) if party(a.department, a.unit) == target.of]
        runs.append((text_to_ms(offered[-1]) if offered else asked_ms, asked_ms))
    if not any(since_ms <= asked_ms <= until_ms for since_ms, until_ms in runs):
        return None
    try:
        clock = clock_of(record.decision.policy, target.clock)
    except LookupError:
        return None
    return sum(clock.consumed(since_ms, min(until_ms, asked_ms)) for since_ms, until_ms in runs if since_ms < asked_ms)


def _parts(record: IncidentRecord) -> list[AssignmentRecord]:
    return record.support if record.lead is None else [*record.support, record.lead]


def _bursts(view: Projection, cohort: Cohort) -> list[Burst]:
    rows = view.db.execute(
        f"{seen(cohort)} SELECT department, done_ms, incident_id FROM seen WHERE is_member AND counts AND is_regular"  # noqa: S608
        " AND department IS NOT NULL AND done_ms <= :as_of AND done_ms <= due_ms"
        f" AND 100 * (due_ms - done_ms) <= {LAST_PERCENT} * (due_ms - filed_ms) ORDER BY 1, 2, 3",
        values(cohort),
    ).fetchall()
    found: list[Burst] = []
    by_department: dict[str, list[tuple[int, str]]] = {}
    for department, done_ms, incident_id in rows:
        by_department.setdefault(department, []).append((done_ms, incident_id))
    for department, dones in by_department.items():
        first = 0
        while first < len(dones):
            last = first
            while last + 1 < len(dones) and dones[last + 1][0] - dones[first][0] <= BURST_WITHIN_MS:
                last += 1
            if last - first + 1 >= BURST_CASES:
                behind = tuple([incident_id for _, incident_id in dones[first : last + 1]])
                found.append(Burst(department, dones[first][0], dones[last][0], behind))
                first = last
            first += 1
    return sorted(found, key=lambda burst: (burst.since_ms, burst.department))


def _repeated(view: Projection, cohort: Cohort) -> list[Suspect]:
    rows = view.db.execute(
        f"{seen(cohort)} SELECT incident_id, department, reworked FROM seen WHERE is_member AND counts"  # noqa: S608
        f" AND reworked >= {REWORKS_MANY} ORDER BY 3 DESC, 1",
        values(cohort),
    )
    return [Suspect(*row) for row in rows]


def _without_evidence(view: Projection, cohort: Cohort, evidence: Collection[str]) -> list[Suspect]:
    rows = view.db.execute(
        f"{seen(cohort)} SELECT incident_id, p.party, count(*), category FROM seen JOIN proof AS p"  # noqa: S608
        " USING (incident_id) WHERE is_member AND counts AND p.at_ms <= :as_of"
        " AND p.media = 0 GROUP BY 1, 2 ORDER BY 1, 2",
        values(cohort),
    )
    return [
        Suspect(incident_id, by.partition("@")[0], times)
        for incident_id, by, times, category in rows
        if category in evidence
    ]
