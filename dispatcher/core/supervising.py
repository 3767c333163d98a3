"""催办, 督办, 领办: reminding a department, supervising it in writing until it replies, following its milestones."""

from msgspec.structs import replace

from dispatcher.core.dossier import Milestone, Supervision, due_ms_of
from dispatcher.core.incident import Assignment
from dispatcher.core.instants import DAY_MS, datetime_to_ms, ms_to_text, text_to_ms
from dispatcher.core.lifecycle import CENTRE, LIVE_STATES
from dispatcher.core.messages import Reason
from dispatcher.core.mover import Mover
from dispatcher.core.privacy import mask_code, mask_text
from dispatcher.core.step import Refused, Step

__all__ = [
    "REPLY_WITHIN_MS",
    "SUPERVISIONS_MAX",
    "clear",
    "milestone",
    "open_supervision",
    "overdue",
    "reply",
    "supervise",
    "urge",
]

REPLY_WITHIN_MS = DAY_MS  # when neither the ladder nor whoever supervises says
SUPERVISIONS_MAX = 32  # of one incident
_CENTRE_ROLES = frozenset({"dispatcher", "shift_lead", "supervisor", "system", "street"})


def urge(step: Step) -> None:
    """Remind one department, or all that are still at it."""
    incident = step.incident
    parts = _at_work(step)
    incident.tally().urged += 1
    for assignment in parts:
        step.change.order(assignment, "urge")
        step.change.notice(assignment.party, "urge")
    step.change.entry("urged", parties=[a.party for a in parts], by=step.actor_name)
    step.change.queue = "urgency"


def _at_work(step: Step) -> list[Assignment]:
    named = step.update.department
    parts = [a for a in step.incident.assignments() if a.state in LIVE_STATES and a.done_ms is None]
    if named is not None:
        parts = [a for a in parts if named in (a.department, a.party)]
    if not parts:
        raise Refused(Reason.NOT_ALLOWED, f"{'nobody' if named is None else mask_code(named)} is at work on it")
    return parts


def supervise(step: Step) -> None:
    """Instruct a department (the lead unless one is named) in writing; it owes a reply, and milestones if any."""
    update, incident = step.update, step.incident
    named = _at_work(step)
    assignment = incident.lead if update.department is None and incident.lead in named else named[0]
    assert assignment is not None  # noqa: S101 - `_at_work` gives at least one
    due_ms = step.now_ms + REPLY_WITHIN_MS if update.until is None else datetime_to_ms(update.until)
    milestones = tuple(Milestone(mask_text(m.name), ms_to_text(datetime_to_ms(m.due))) for m in update.milestones)
    if due_ms <= step.now_ms or any(text_to_ms(m.due) <= step.now_ms for m in milestones):
        raise Refused(Reason.NOT_ALLOWED, "what is to be done by a time in the past cannot be supervised")
    if len({m.name for m in milestones}) != len(milestones):
        raise Refused(Reason.NOT_ALLOWED, "two milestones have one name")
    if len(incident.supervision) >= SUPERVISIONS_MAX:
        raise Refused(Reason.NOT_ALLOWED, f"an incident has at most {SUPERVISIONS_MAX} supervisions")
    step.change.instruction = mask_text(update.text or "")
    open_supervision(step, assignment, _supervisor(step), due_ms, milestones)


def _supervisor(step: Step) -> str:
    """Who supervises: a street's unit by its cell, everybody else by the role."""
    actor = step.actor
    return f"cell:{actor.unit}" if actor.role == "street" and actor.unit is not None else actor.role


def _told(by: str) -> str:
    """Who is told in the name of whoever supervises: roles sit at the centre."""
    return CENTRE if by in _CENTRE_ROLES else by


def open_supervision(
    mover: Mover, assignment: Assignment, by: str, due_ms: int, milestones: tuple[Milestone, ...] = ()
) -> None:
    """Open one: the department gets its order, both are told."""
    incident = mover.incident
    opened = Supervision(
        len(incident.supervision) + 1, by, assignment.party, ms_to_text(mover.now_ms), ms_to_text(due_ms),
        milestones=milestones,
    )  # fmt: skip
    incident.supervision = (*incident.supervision, opened)
    incident.tally().escalated += 1
    mover.change.entry("supervised", supervision=opened)
    mover.change.order(assignment, "supervise")
    mover.change.notice(assignment.party, "supervise", opened.reply_due)
    mover.change.queue = "urgency"


def reply(step: Step) -> None:
    """The department's answer; who supervises decides whether it is enough."""
    supervision = _numbered(step)
    if supervision.party != step.own().party:
        raise Refused(Reason.NOT_ALLOWED, f"supervision {supervision.number} is for {supervision.party} to reply to")
    _put(step, replace(supervision, replied_at=ms_to_text(step.now_ms), overdue=False), "supervision_replied")
    step.change.notice(_told(supervision.by), "supervision_replied")


def clear(step: Step) -> None:
    """销号: answered to satisfaction. A street clears what it has opened."""
    supervision = _numbered(step)
    gone = step.incident.part_of(supervision.party) is None  # nobody is left who could reply
    if supervision.replied_at is None and not gone and not step.system:
        raise Refused(Reason.NOT_ALLOWED, f"supervision {supervision.number} has no reply yet")
    unit = step.actor.unit
    own = unit is not None and supervision.by.endswith((f":{unit}", f"@{unit}"))  # its cell, or its office, supervises
    if step.actor.role == "street" and not own and supervision.by != _supervisor(step):
        raise Refused(Reason.NOT_ALLOWED, f"supervision {supervision.number} is {supervision.by}'s to clear")
    _put(step, replace(supervision, cleared_at=ms_to_text(step.now_ms)), "supervision_cleared")


def milestone(step: Step) -> None:
    """A step of a supervised project is reached."""
    supervision, name = _numbered(step), mask_text(step.update.name or "")
    if step.actor.role == "department" and supervision.party != step.own().party:
        raise Refused(Reason.NOT_ALLOWED, f"supervision {supervision.number} is {supervision.party}'s")
    known = next((m for m in supervision.milestones if m.name == name), None)
    if known is None or known.reached_at is not None:
        said = "has no such milestone" if known is None else "has reached it already"
        raise Refused(Reason.NOT_ALLOWED, f"supervision {supervision.number} {said}")
    reached = replace(known, reached_at=ms_to_text(step.now_ms))
    milestones = tuple(reached if m.name == name else m for m in supervision.milestones)
    _put(step, replace(supervision, milestones=milestones), "milestone_reached", name=name)


def _numbered(step: Step) -> Supervision:
    number = step.update.number
    found = next((s for s in step.incident.supervision if s.number == number), None)
    if found is None:
        raise Refused(Reason.NOT_ALLOWED, f"the incident has no supervision {number}")
    if found.cleared_at is not None:
        raise Refused(Reason.NOT_ALLOWED, f"supervision {number} is cleared")
    return found


def _put(mover: Mover, changed: Supervision, event: str, **fields: object) -> None:
    incident = mover.incident
    incident.supervision = tuple(changed if s.number == changed.number else s for s in incident.supervision)
    mover.change.entry(event, number=changed.number, party=changed.party, **fields)
    mover.change.queue = "urgency"


def overdue(mover: Mover, due_ms: int) -> None:
    """Tell whoever supervises, and the department, what has not come by now."""
    for supervision in mover.incident.supervision:
        if not any(at_ms <= due_ms for at_ms in due_ms_of(supervision)):
            continue
        late = replace(
            supervision,
            overdue=supervision.overdue
            or (supervision.replied_at is None and text_to_ms(supervision.reply_due) <= due_ms),
            milestones=tuple(
                replace(m, overdue=True) if m.reached_at is None and text_to_ms(m.due) <= due_ms else m
                for m in supervision.milestones
            ),
        )
        _put(mover, late, "supervision_overdue")
        was_due = ms_to_text(min(due_ms_of(supervision)))  # of the reply, or of a milestone
        if mover.incident.part_of(supervision.party) is not None:
            mover.change.notice(supervision.party, "supervision_overdue", was_due)
        mover.change.notice(_told(supervision.by), "supervision_overdue", was_due)
