"""Tracking: from an update to what it does to its incident.

Every action is checked against the tables first (`lifecycle.refusal`), then against its own guards in `handling`,
`dispatching` and `closing`; only when nothing speaks against it does it change anything. `Refused` is that update's
fault, never ours.
"""

from collections.abc import Callable

from dispatcher.core import closing, dispatching, handling
from dispatcher.core.incident import UPDATES_MAX, Incident
from dispatcher.core.lifecycle import ACTION_TABLE, refusal
from dispatcher.core.messages import Action, Reason
from dispatcher.core.privacy import mask_code, mask_text
from dispatcher.core.publish import Change
from dispatcher.core.route import Rulebook
from dispatcher.core.step import Refused, Step
from dispatcher.core.turn import Turn
from dispatcher.core.work import UpdateWork

__all__ = ["apply_update", "track"]


def track(turn: Turn, work: UpdateWork, now_ms: int) -> None:
    """Take an update: a repeat, a rejection, or a change of its incident."""
    state, update = turn.state, work.update
    incident_id, named = update.incident_id, update.incident_id
    if update.report is not None:
        seen = state.seen(update.report.source, update.report.report_id, now_ms)
        incident_id = None if seen is None else seen.incident_id
        named = f"with the report {update.report.source}/{update.report.report_id}"
    incident = None if incident_id is None else state.incidents.get(incident_id)
    if incident is None and incident_id is not None and _elsewhere(incident_id, state.partition):
        turn.refuse(work, Reason.UNKNOWN_PARTITION, f"{incident_id} is an incident of another partition")
        return
    if incident is None:
        turn.refuse(work, Reason.UNKNOWN_INCIDENT, f"no incident {named} in this partition")
        return
    known = None if incident.updates is None else incident.updates.get(update.update_id)
    if known is not None:
        if known == work.digest:
            turn.count("updates_repeated")
        else:
            turn.refuse(work, Reason.CONFLICT, f"{update.update_id} was taken with other content")
        return
    book = state.book_of(incident)
    change = Change(incident, update.action, now_ms, work.actor)
    category = incident.category
    try:
        apply_update(book, incident, work, change, turn.grid)
    except Refused as refused:
        turn.refuse(work, refused.reason, refused.detail)
        return
    turn.count("updates_accepted")
    incident.updates = _remember_update(incident.updates, update.update_id, work.digest)
    if work.actor.role == "system":  # marks of our own drivers (clock_skew); others' words are not for the public
        incident.flags = tuple(dict.fromkeys((*incident.flags, *update.flags)))
    if not incident.open:
        state.merges.remove(incident)
    elif incident.category != category:  # filed as something else: found among its new kind from now on
        state.merges.remove(incident)
        state.merges.add(incident, state.book.policy.merge_rule(incident.category))
    turn.publish(change, book)


def apply_update(book: Rulebook, incident: Incident, work: UpdateWork, change: Change, grid: str) -> None:
    """Do what the update asks for.

    Raises:
        Refused: the tables or a guard do not allow it; nothing has changed.
    """
    update = work.update
    if update.revision is not None and update.revision != incident.revision:
        raise Refused(Reason.STALE, f"the incident is at revision {incident.revision}, not {update.revision}")
    step = Step(book, incident, work, change, grid)
    about = ACTION_TABLE[update.action].assignment is not None
    if about and step.assignment is None and work.actor.role != "system":
        named = update.department or work.actor.department
        raise Refused(Reason.NOT_ALLOWED, f"{mask_code(named or 'nobody')} has no part in the incident")
    state = None if step.assignment is None or not about else step.assignment.state
    why = refusal(update.action, incident.state, state, work.actor)
    if why is not None:
        raise Refused(Reason.NOT_ALLOWED, why)
    change.note = update.result if update.reason_code is None else mask_text(update.reason_code)
    _DO[update.action](step)


def _elsewhere(incident_id: str, partition: int) -> bool:
    """Whether an id (`YYYYMMDD-PPP-N…`) names a partition that is not this one."""
    parts = incident_id.split("-")
    return len(parts) == 3 and all(part.isascii() and part.isdigit() for part in parts) and int(parts[1]) != partition


def _remember_update(known: dict[str, int] | None, update_id: str, digest: int) -> dict[str, int]:
    updates = dict(known or {})
    updates[update_id] = digest
    while len(updates) > UPDATES_MAX:
        del updates[next(iter(updates))]
    return updates


_DO: dict[Action, Callable[[Step], None]] = {
    Action.VERIFY: dispatching.verify,
    Action.FILE: dispatching.file,
    Action.ACKNOWLEDGE: handling.acknowledge,
    Action.ARRIVE: handling.arrive,
    Action.CONFIRM_ARRIVAL: handling.confirm_arrival,
    Action.NOTE: handling.note,
    Action.RETURN: handling.give_back,
    Action.REFUSE_RETURN: dispatching.refuse_return,
    Action.ACCEPT_RETURN: dispatching.accept_return,
    Action.ASSIGN: dispatching.assign,
    Action.DONE: handling.done,
    Action.CHECK: closing.check,
    Action.VOID: closing.void,
}
