"""What must hold of every incident at every moment, and of a partition as a whole."""

from itertools import pairwise

from core_desk import Desk

from dispatcher.core import (
    ENDED_STATES,
    OPEN_STATES,
    AssignmentState,
    Incident,
    IncidentState,
    PartitionState,
    decode_incident,
)
from dispatcher.core.dossier import due_ms_of
from dispatcher.core.incident import NEVER_MS, Target
from dispatcher.core.lifecycle import CENTRE, LED_STATES
from dispatcher.core.records import from_record
from dispatcher.core.waiting import unwatched
from dispatcher.core.wire import encode, incident_json, responsible
from rules import Clock, Policy

RECORD_BYTES_MAX = 900_000  # of any topic: Kafka's limit of a megabyte, less what the client adds
_I, _A = IncidentState, AssignmentState
LEAD_OF = {
    _I.DISPATCHED: {_A.OFFERED},
    _I.ON_HOLD: {_A.HELD},
    _I.HANDLING: {_A.ACKNOWLEDGED, _A.ARRIVED, _A.DONE},
}  # in which state the lead's part is while it answers for the incident


def check_incident(incident: Incident, policy: Policy, now_ms: int) -> None:
    """The incident on its own; raises AssertionError."""
    _check_parties(incident)
    _check_holds(incident)
    _check_dossier(incident, now_ms)
    for target in incident.targets:
        _check_target(target, incident, policy.clock(target.clock), now_ms)
    assert unwatched(incident, now_ms) is None, unwatched(incident, now_ms)


def _check_parties(incident: Incident) -> None:
    who, lead = responsible(incident), incident.lead
    assert (who is not None) == (incident.state in OPEN_STATES)
    if incident.state in LED_STATES:
        assert lead is not None
        assert who == lead.party
        assert lead.role == "lead"
    elif incident.open:
        assert who == CENTRE
    parts = [part.party for part in incident.assignments() if part.state is not _A.WITHDRAWN]
    assert len(parts) == len(set(parts)), f"two parts at a time: {parts}"
    owed = [(target.name, target.of) for target in incident.targets if target.active]
    assert len(owed) == len(set(owed)), f"owed twice: {owed}"
    if incident.state in ENDED_STATES:
        assert not owed, f"owed on what has ended: {owed}"
        assert incident.drop_ms is not None
        assert {part.state for part in incident.assignments()} <= {_A.WITHDRAWN, _A.APPROVED}
    else:
        assert incident.drop_ms is None
        assert incident.closed_ms is None or incident.state is _I.REOPEN_REQUESTED
    assert {of for _, of in owed} <= {*parts, CENTRE}, f"owed by nobody: {owed}"
    if incident.state in LED_STATES and lead is not None:
        assert [of for name, of in owed if name == "resolve"].count(lead.party) == 1, "the lead's clock is gone"
        assert lead.state in LEAD_OF[incident.state], (incident.state, lead.state)
    if incident.state is _I.CHECKING:
        assert lead is not None
        assert lead.state is _A.DONE
    assert (incident.parent is not None) == (incident.state is _I.MERGED)
    assert 0 < len(incident.reports) <= incident.report_count


def _check_holds(incident: Incident) -> None:
    for part in incident.assignments():
        assert (part.state is _A.HELD) == (part.hold_until_ms is not None), part
        assert (part.role == "lead") == (part is incident.lead)
        for target in incident.targets:
            if target.of != part.party or not target.active or part.state is _A.WITHDRAWN:
                continue
            if part.state is _A.HELD:  # a whistle compels also who is held
                assert target.since_ms < 0 or (target.name, target.by) == ("attend", "whistle"), target
            if part.state is _A.DONE and target.name == "resolve":
                assert (target.since_ms, target.paused_by) == (-1, "done"), target
            assert target.since_ms < 0 or target.paused_by is None


def _check_dossier(incident: Incident, now_ms: int) -> None:
    wanted = [(request.kind, request.party) for request in incident.requests if request.state == "open"]
    assert len(wanted) == len(set(wanted)), f"asked twice: {wanted}"
    assert [request.number for request in incident.requests] == list(range(1, len(incident.requests) + 1))
    assert [each.number for each in incident.supervision] == list(range(1, len(incident.supervision) + 1))
    assert incident.opened_ms <= incident.updated_ms <= now_ms
    assert (incident.claimed_by is None) == (incident.claim_until_ms is None)
    timers = [incident.verify_ms, incident.drop_ms, incident.desk_ms, incident.claim_until_ms]
    timers += [part.hold_until_ms for part in incident.assignments()]
    if incident.open:
        timers += [due_ms for supervision in incident.supervision for due_ms in due_ms_of(supervision)]
    assert all(timer_ms is None or timer_ms >= now_ms for timer_ms in timers), f"overdue: {timers}"
    timers += [target.next_ms for target in incident.targets]
    assert incident.next_ms == min([NEVER_MS, *(timer_ms for timer_ms in timers if timer_ms is not None)])


def _check_target(target: Target, incident: Incident, clock: Clock, now_ms: int) -> None:
    assert target.consumed_ms >= 0
    started_ms = target.runs[0][0] if target.runs else target.since_ms
    if started_ms >= 0:
        assert target.consumed_ms <= clock.consumed(started_ms, now_ms)
        if target.active:
            assert target.consumed_ms == sum(clock.consumed(start, stop) for start, stop in target.runs)
    spans = [*target.runs, *([(target.since_ms, now_ms)] if target.since_ms >= 0 else [])]
    assert all(start <= stop for start, stop in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans)), spans
    assert target.fulfilled_ms is None or target.fulfilled_ms <= now_ms
    assert target.breached_ms is None or target.due_ms <= target.breached_ms <= now_ms
    if not target.active or target.since_ms < 0:
        assert target.next_ms == NEVER_MS
        return
    assert now_ms <= target.next_ms, "a timer is late"
    used_ms = target.consumed_ms + clock.consumed(target.since_ms, now_ms)
    if target.breached_ms is None:
        assert target.due_ms == clock.add(target.since_ms, target.amount_ms - target.consumed_ms)
        assert now_ms <= target.due_ms, "it should have been breached"
        assert used_ms <= target.amount_ms
        assert incident.next_ms <= target.next_ms <= target.due_ms


def check_published(desk: Desk, incident: Incident) -> None:
    """What `incidents` has of it is the living incident, and reads back as it, byte for byte."""
    value = desk.compacted["incidents", incident.incident_id]
    assert value is not None
    assert value == incident_json(incident), "changed without being published"
    assert len(value) <= RECORD_BYTES_MAX
    assert incident_json(from_record(decode_incident(value), {})) == value


def said_of(state: PartitionState) -> dict[str, object]:
    """What a partition knows: its incidents with their timers and briefs, serials, tallies, the policy, the modes."""
    return {
        "incidents": {key: incident_json(incident) for key, incident in sorted(state.incidents.items())},
        "timers": {
            key: (incident.next_ms, [target.next_ms for target in incident.targets], incident.brief)
            for key, incident in sorted(state.incidents.items())
        },
        "next due": state.timers.next_due_ms,
        "revisions": state.revisions,
        "serial": encode(state.serial),
        "tally": state.tally,
        "policy": state.policy_sha,
        "modes": state.modes.spans,
        "job": state.job,
    }
