"""After the work: calling the reporters back, and opening again what was not settled."""

from dispatcher.core.closing import close, go_on, rounds, send_back
from dispatcher.core.dispatching import file_and_dispatch
from dispatcher.core.dossier import Callback
from dispatcher.core.incident import ROUNDS_MAX, Assignment
from dispatcher.core.instants import ms_to_text
from dispatcher.core.lifecycle import CENTRE, AssignmentState, IncidentState
from dispatcher.core.messages import Reason
from dispatcher.core.offering import start_target
from dispatcher.core.step import Refused, Step
from dispatcher.core.supervising import overdue
from dispatcher.core.targets import owed

__all__ = ["callback", "close_if_all_called", "refuse_reopen", "reopen", "reopen_request"]

CALLBACKS_KEPT = 399  # on the record, former rounds included
CALLBACKS_MAX = 200  # reports of one incident that are called back; who asks more of a city event asks by sample


def callback(step: Step) -> None:
    """What one reporter says when called back; unhappy before closing is rework, after it a wish to reopen."""
    incident, update = step.incident, step.update
    if incident.state is IncidentState.CHECKING and incident.checked_ms is None:
        raise Refused(Reason.NOT_ALLOWED, "it has not passed its check yet")
    source, report_id = step.report()
    now = rounds(incident)  # whoever was asked in an earlier one is asked again
    known = next((c for c in incident.callbacks if (c.source, c.report_id, c.round) == (source, report_id, now)), None)
    attempts_max = step.book.policy.sla(incident.decided.sla).callback_attempts
    if known is not None and (known.answered or known.attempts >= attempts_max):
        said = "has answered already" if known.answered else f"was called {attempts_max} times"
        raise Refused(Reason.NOT_ALLOWED, f"the reporter of {report_id} {said}")
    if known is None and sum(c.round == now for c in incident.callbacks) >= CALLBACKS_MAX:
        raise Refused(Reason.NOT_ALLOWED, f"at most {CALLBACKS_MAX} reporters of one incident are called back")
    answered = update.answered is True
    called = Callback(
        source, report_id, 1 if known is None else known.attempts + 1, ms_to_text(step.now_ms), now, answered,
        update.resolved if answered else None, update.satisfied if answered else None,
    )  # fmt: skip
    kept = [c for c in incident.callbacks if c is not known]
    incident.callbacks = (*kept[-CALLBACKS_KEPT:], called)  # of earlier rounds the events tell
    step.change.entry("called_back", callback=called)
    unhappy = answered and (update.resolved is False or update.satisfied is False)
    if incident.state is IncidentState.CLOSED:
        if unhappy:
            reopen_request(step)
    elif unhappy and now < ROUNDS_MAX:
        step.fulfil(owed(incident, "callback", CENTRE))
        send_back(step, [part for part in incident.assignments() if part is incident.lead])
    else:
        close_if_all_called(step)


def close_if_all_called(step: Step) -> None:
    """Close what waits for its callbacks once every reporter has answered or was called often enough.

    Beyond `CALLBACKS_MAX` reporters of one incident nobody is waited for.
    """
    incident, now = step.incident, rounds(step.incident)
    attempts_max = step.book.policy.sla(incident.decided.sla).callback_attempts
    over = {
        (c.source, c.report_id)
        for c in incident.callbacks
        if c.round == now and (c.answered or c.attempts >= attempts_max)
    }
    if all(report in over for report in step.turn.people_of(incident)[:CALLBACKS_MAX]):
        step.fulfil(owed(incident, "callback", CENTRE))
        close(step)


def reopen_request(step: Step) -> None:
    """A resident or a street says it is not settled, or a reporter who is called back: the centre decides."""
    incident = step.incident
    incident.ended_as = str(incident.state)
    incident.drop_ms = None
    step.move("ask_reopen")
    overdue(step, step.now_ms)  # whoever supervises was not bothered while it was closed
    step.change.entry("reopen_requested", by=step.actor.role)
    step.change.notice(CENTRE, "reopen_requested")
    step.change.queue = "entered"


def reopen(step: Step) -> None:
    """Open it again: the lead goes on, on the same clock or a new one, as the policy says."""
    incident = step.incident
    if rounds(incident) >= ROUNDS_MAX:
        raise Refused(Reason.NOT_ALLOWED, f"sent back or reopened {ROUNDS_MAX} times: let it be reported anew")
    incident.tally().reopened += 1
    incident.closed_ms = incident.ended_as = None
    lead = incident.lead
    if lead is None or lead.state is not AssignmentState.APPROVED:  # nobody had worked on it: it is sent out now
        file_and_dispatch(step)
    else:
        _rework(step, lead)
    step.turn.tell_reporters(step.change, "reopened")


def _rework(step: Step, lead: Assignment) -> None:
    incident = step.incident
    step.move("reopen")
    step.move_assignment(lead, "rework")
    lead.done_ms = None
    if step.book.policy.sla(incident.decided.sla).reopen_clock == "resume":
        go_on(step, lead.party)
    else:
        for target in incident.targets:
            if target.name == "resolve" and target.of == lead.party and target.fulfilled_ms is not None:
                target.revoked_ms = step.now_ms
        for plan in step.decision().targets:
            if plan.name == "resolve":
                start_target(step.book, incident, step.change, "resolve", lead.party, plan.budgets)
    step.change.order(lead, "rework")
    step.change.queue = "entered"


def refuse_reopen(step: Step) -> None:
    """It stays ended as it was."""
    step.reason("reopen")
    incident = step.incident
    step.move(f"stay_{incident.ended_as}")
    incident.ended_as = None
    step.change.queue = "left"
