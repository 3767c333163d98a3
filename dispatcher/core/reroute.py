"""Re-routing open incidents by command: previewed, then done in slices that commit their progress.

One incident after the other in the order of their ids, all at the command's own instant and before anything that came
after it. A slice ends where the batch's outputs are large enough; the cursor is kept on `state`.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from dispatcher.core.incident import Incident, party
from dispatcher.core.instants import ms_to_text
from dispatcher.core.job import Job
from dispatcher.core.lifecycle import SENT_OUT, IncidentState
from dispatcher.core.mover import Mover
from dispatcher.core.publish import Change
from dispatcher.core.redeciding import decide_anew
from dispatcher.core.state import PartitionState
from dispatcher.core.turn import Turn
from dispatcher.core.wire import encode
from rules import Decision, Facts

__all__ = ["Rerouted", "preview", "reroute_next"]

_ROUTED = SENT_OUT | {IncidentState.FILED}


class Rerouted(NamedTuple):
    """What a re-routing would change about one incident."""

    incident_id: str
    lead_before: str
    lead_after: str
    support_added: tuple[str, ...]
    severity_before: int
    severity_after: int
    sla_before: str
    sla_after: str
    mode_before: str
    mode_after: str


def preview(state: PartitionState, cells: Sequence[str], mode: str | None = None) -> Iterator[Rerouted]:
    """What `reroute_open` would do now, or with `mode` in force in those cells; nothing is changed."""
    for incident_id in sorted(state.incidents):
        incident = state.incidents.peek(incident_id)
        if not _concerns(incident, cells):
            continue
        facts = replace(incident.facts, mode=mode or state.mode_at(incident.place.path))
        before, after = _decisions(state, incident, facts)
        if _same(before, after):
            continue
        known = {(part.department, part.unit) for part in incident.assignments()}
        lead = before.lead if incident.lead is None else incident.lead
        yield Rerouted(
            incident_id,
            party(lead.department, lead.unit),
            party(after.lead.department, after.lead.unit),
            tuple([party(p.department, p.unit) for p in after.support if (p.department, p.unit) not in known]),
            incident.severity,
            after.severity,
            incident.decided.sla,
            after.sla,
            incident.mode,
            facts.mode,
        )


def _concerns(incident: Incident, cells: Sequence[str]) -> bool:
    return incident.state in _ROUTED and (not cells or not set(cells).isdisjoint(incident.place.path))


def _decisions(state: PartitionState, incident: Incident, facts: Facts) -> tuple[Decision, Decision]:
    return state.book_of(incident).decider.decide(incident.facts), state.book.decider.decide(facts)


def _same(before: Decision, after: Decision) -> bool:
    return (before.lead, before.support, before.severity, before.sla, before.ladder, before.targets, before.level) == (
        after.lead, after.support, after.severity, after.sla, after.ladder, after.targets, after.level,
    )  # fmt: skip


def reroute_next(turn: Turn, full: Callable[[], bool], on_incident: Callable[[str], bool]) -> None:
    """Go on with the job until it is over or the outputs are `full`.

    `on_incident` is told of each incident before it is touched, and says whether to leave it out.
    """
    state, job = turn.state, turn.state.job
    if job is None:
        return
    ids = sorted(state.incidents)
    for incident_id in ids[bisect_right(ids, job.cursor) :]:
        if full():
            return
        job.cursor = incident_id
        if on_incident(incident_id) and _concerns(state.incidents.peek(incident_id), job.cells):
            job.looked_at += 1
            job.changed += _reroute(turn, incident_id, job)
    state.job = None
    event = {
        "event": "reroute_ended",
        "at": ms_to_text(job.at_ms),
        "command_id": job.command_id,
        "looked_at": job.looked_at,
        "changed": job.changed,
    }
    turn.out.emit("events", "control", job.at_ms, encode(event))


def _reroute(turn: Turn, incident_id: str, job: Job) -> bool:
    state = turn.state
    incident = state.incidents.peek(incident_id)
    facts = replace(incident.facts, mode=state.mode_at(incident.place.path))
    before, after = _decisions(state, incident, facts)
    if _same(before, after):
        return False
    incident = state.incidents[incident_id]
    change = Change(incident, "reroute", job.at_ms)
    change.entry("rerouted", command_id=job.command_id, mode=facts.mode)
    incident.facts, incident.mode = facts, facts.mode
    decide_anew(Mover(turn, state.book, incident, change), "reroute")
    turn.publish(change, state.book)
    return True
