"""Tracking: from an update to what it does to its incident.

Every action is checked against the tables first (`actions.refusal`), then against its own guards in the module that
does it (the table `_DO` below); only when nothing speaks against it does it change anything. `Refused` is that update's
fault, never ours.
"""

from collections.abc import Callable

from dispatcher.core import (
    closing,
    desk,
    dispatching,
    handling,
    joining,
    redeciding,
    reopening,
    requests,
    supervising,
    whistling,
)
from dispatcher.core.actions import ACTION_TABLE, DECIDING, refusal
from dispatcher.core.incident import Incident
from dispatcher.core.joining import partition_of
from dispatcher.core.lifecycle import IncidentState
from dispatcher.core.messages import Action, Reason
from dispatcher.core.privacy import mask_code
from dispatcher.core.publish import Change
from dispatcher.core.rulebook import Rulebook
from dispatcher.core.step import Refused, Step
from dispatcher.core.turn import Turn
from dispatcher.core.work import UpdateWork

__all__ = ["apply_update", "track"]


def track(turn: Turn, work: UpdateWork, now_ms: int) -> None:
    """Take an update: a repeat, a rejection, or a change of its incident."""
    state, update = turn.state, work.update
    incident_id, named = update.incident_id, update.incident_id
    of_report = None
    if update.report is not None:
        seen = state.repeats.seen(update.report.source, update.report.report_id, now_ms)
        of_report = None if seen is None else seen.incident_id
        if incident_id is None:
            incident_id, named = of_report, f"with the report {update.report.source}/{update.report.report_id}"
    incident = None if incident_id is None else state.incidents.get(incident_id)
    if update.report is not None and update.action in _ABOUT_REPORTS:
        incident = _parent(turn, incident)
    if incident is None and incident_id is not None and partition_of(incident_id) not in (None, state.partition):
        turn.refuse(work, Reason.UNKNOWN_PARTITION, f"{incident_id} is an incident of another partition")
        return
    if incident is None:
        turn.refuse(work, Reason.UNKNOWN_INCIDENT, f"no incident {named} in this partition")
        return
    if update.report is not None and not _is_of(turn, of_report, incident):
        turn.refuse(work, Reason.NOT_ALLOWED, f"{update.report.report_id} is no report of {incident.incident_id}")
        return
    known = state.repeats.taken(incident, update.update_id)
    if known is not None:
        if known == work.digest:
            turn.count("updates_repeated")
        else:
            turn.refuse(work, Reason.CONFLICT, f"{update.update_id} was taken with other content")
        return
    book = state.book_of(incident)
    change = Change(incident, update.action, now_ms, work.actor)
    found_by, was_open = (incident.category, incident.place), incident.open
    try:
        apply_update(turn, book, incident, work, change)
    except Refused as refused:
        turn.refuse(work, refused.reason, refused.detail)
        return
    turn.count("updates_accepted")
    state.repeats.take(incident, update.update_id, work.digest, turn.out)
    if work.actor.role == "system":  # marks of our own drivers (clock_skew); others' words are not for the public
        incident.flags = tuple(dict.fromkeys((*incident.flags, *update.flags)))
    if not incident.open:
        state.merges.remove(incident)
    elif (incident.category, incident.place) != found_by or not was_open:  # found as what and where it is now
        state.merges.remove(incident)
        state.merges.add(incident, state.book.policy.merge_rule(incident.category))
    turn.publish(change, book)


def apply_update(turn: Turn, book: Rulebook, incident: Incident, work: UpdateWork, change: Change) -> None:
    """Do what the update asks for.

    Raises:
        Refused: the tables or a guard do not allow it; nothing has changed.
    """
    update = work.update
    if update.revision is not None and update.revision != incident.revision:
        raise Refused(Reason.STALE, f"the incident is at revision {incident.revision}, not {update.revision}")
    step = Step(turn, book, incident, work, change)
    about = ACTION_TABLE[update.action].assignment is not None
    if about and step.assignment is None and work.actor.role != "system":
        named = update.department or work.actor.department
        raise Refused(Reason.NOT_ALLOWED, f"{mask_code(named or 'nobody')} has no part in the incident")
    if work.actor.role == "department" and step.assignment is None:
        raise Refused(Reason.NOT_ALLOWED, f"{mask_code(work.actor.department or 'nobody')} has no part in the incident")
    state = None if step.assignment is None or not about else step.assignment.state
    why = refusal(update.action, incident.state, state, work.actor)
    if why is not None:
        raise Refused(Reason.NOT_ALLOWED, why)
    if update.action in DECIDING:
        desk.require_unclaimed(step, incident)
    change.note = update.result if update.reason_code is None else mask_code(update.reason_code)
    _DO[update.action](step)


def _is_of(turn: Turn, of_report: str | None, incident: Incident) -> bool:
    """Whether a report's incident is this one or has been merged into it; one merged in from elsewhere is not known."""
    child = None if of_report is None else turn.state.incidents.get(of_report)
    while child is not None and child is not incident and child.parent is not None:
        child = turn.state.incidents.get(child.parent)
    return child is incident


def _parent(turn: Turn, incident: Incident | None) -> Incident | None:
    """What a report's incident was merged into, as far as that is held here: there its reporter is looked after."""
    seen: set[str] = set()
    while incident is not None and incident.state is IncidentState.MERGED and incident.incident_id not in seen:
        seen.add(incident.incident_id)
        parent = turn.state.incidents.get(incident.parent or "")
        if parent is None:
            return incident
        incident = parent
    return incident


_ABOUT_REPORTS = frozenset({Action.CONTACT, Action.CALLBACK, Action.REOPEN_REQUEST})

_DO: dict[Action, Callable[[Step], None]] = {
    Action.VERIFY: dispatching.verify,
    Action.FILE: dispatching.file,
    Action.ANSWER_AT_DESK: desk.answer_at_desk,
    Action.REFER: desk.refer,
    Action.SELF_HANDLED: desk.self_handled,
    Action.CLAIM: desk.claim,
    Action.RELEASE: desk.release,
    Action.ACKNOWLEDGE: handling.acknowledge,
    Action.ARRIVE: handling.arrive,
    Action.DELEGATE: handling.delegate,
    Action.PROGRESS: handling.progress,
    Action.NOTE: handling.note,
    Action.REVIEW: desk.review,
    Action.CONTACT: handling.contact,
    Action.RETURN: handling.give_back,
    Action.DONE: handling.done,
    Action.REQUEST: requests.ask,
    Action.APPROVE: requests.approve,
    Action.REFUSE: requests.refuse,
    Action.END_HOLD: requests.end_hold,
    Action.REFUSE_RETURN: dispatching.refuse_return,
    Action.ACCEPT_RETURN: dispatching.accept_return,
    Action.ASSIGN: dispatching.assign,
    Action.RECALL: dispatching.recall,
    Action.RECLASSIFY: redeciding.reclassify,
    Action.URGE: supervising.urge,
    Action.SUPERVISE: supervising.supervise,
    Action.REPLY: supervising.reply,
    Action.MILESTONE: supervising.milestone,
    Action.CLEAR: supervising.clear,
    Action.WHISTLE: whistling.whistle,
    Action.CONFIRM_ARRIVAL: whistling.confirm_arrival,
    Action.END_WHISTLE: whistling.end_whistle,
    Action.RATE: whistling.rate,
    Action.MERGE: joining.merge,
    Action.SPLIT: joining.split,
    Action.CHECK: closing.check,
    Action.CALLBACK: reopening.callback,
    Action.REOPEN_REQUEST: reopening.reopen_request,
    Action.REOPEN: reopening.reopen,
    Action.REFUSE_REOPEN: reopening.refuse_reopen,
    Action.VOID: closing.void,
    Action.CLOSE_FORCED: closing.close_forced,
}
