"""Who may ask for which action, and when: the table behind every refusal, every order's `may`, every button.

What an action does is in the module its group is named after here. `system` (the engine's own drivers: replay,
simulation) may ask for anything, in the same states.
"""

from collections.abc import Iterable
from typing import NamedTuple

from dispatcher.core.lifecycle import OPEN_STATES, REOPENABLE_STATES, AssignmentState, IncidentState
from dispatcher.core.messages import Action, Actor

__all__ = ["ACTION_TABLE", "DECIDING", "ActionRule", "allowed_actions", "refusal"]

_I, _A = IncidentState, AssignmentState


class ActionRule(NamedTuple):
    """Who may ask for an action, and in which states; `needs` are fields of the update that must be given."""

    roles: frozenset[str]
    incident: frozenset[IncidentState]
    assignment: frozenset[AssignmentState] | None = None  # None: the action is not about one department's part
    needs: tuple[str, ...] = ()


def _rule(
    roles: Iterable[str],
    incident: Iterable[IncidentState],
    assignment: Iterable[AssignmentState] | None = None,
    needs: tuple[str, ...] = (),
) -> ActionRule:
    return ActionRule(
        frozenset(roles), frozenset(incident), None if assignment is None else frozenset(assignment), needs
    )


_DEPARTMENT = {"department"}
_CENTRE = {"dispatcher", "shift_lead"}
_DESK = {"acceptor", *_CENTRE}
_LEADERS = {"shift_lead", "supervisor"}

_WORKING = {_I.DISPATCHED, _I.HANDLING, _I.RETURNED}
_LED = {*_WORKING, _I.ON_HOLD}
_LATE_TOO = {*_LED, _I.CHECKING}  # whoever is not done yet may finish while the others' work is being checked
_UNTAKEN = {_I.RECEIVED, _I.VERIFYING, _I.FILED, _I.DISPATCHED, _I.RETURNED}
_AT_WORK = {_A.ACKNOWLEDGED, _A.ARRIVED, _A.HELD}

# What decides about an incident: refused while another operator has claimed it.
DECIDING = frozenset(
    {
        Action.ANSWER_AT_DESK, Action.REFER, Action.FILE, Action.CLAIM, Action.RELEASE, Action.APPROVE, Action.REFUSE,
        Action.REFUSE_RETURN, Action.ACCEPT_RETURN, Action.ASSIGN, Action.RECALL, Action.RECLASSIFY, Action.SUPERVISE,
        Action.MERGE, Action.SPLIT, Action.CHECK, Action.REOPEN, Action.REFUSE_REOPEN,
    }
)  # fmt: skip

ACTION_TABLE: dict[Action, ActionRule] = {
    # desk: what becomes of a report before anybody is sent out, and what keeps its line
    Action.VERIFY: _rule(
        {"officer", "collector", *_DESK}, {_I.VERIFYING, _I.DISPATCHED, _I.HANDLING}, needs=("result",)
    ),
    Action.FILE: _rule(_DESK, {_I.RECEIVED, _I.VERIFYING}),
    Action.ANSWER_AT_DESK: _rule(_DESK, _UNTAKEN, needs=("text",)),
    Action.REFER: _rule(_DESK, _UNTAKEN, needs=("body",)),
    Action.SELF_HANDLED: _rule({"officer"}, _UNTAKEN, needs=("text",)),
    Action.CLAIM: _rule(_DESK, OPEN_STATES),
    Action.RELEASE: _rule(_DESK, OPEN_STATES),
    # handling: a department and its part
    Action.ACKNOWLEDGE: _rule(_DEPARTMENT, _LATE_TOO, {_A.OFFERED}),
    Action.ARRIVE: _rule(_DEPARTMENT, _LATE_TOO, {_A.ACKNOWLEDGED}),
    Action.DELEGATE: _rule(_DEPARTMENT, _LED, {_A.OFFERED, *_AT_WORK}),
    Action.PROGRESS: _rule(_DEPARTMENT, _LATE_TOO, _AT_WORK, needs=("text",)),
    Action.NOTE: _rule({"department", "street", "officer", *_DESK}, OPEN_STATES, needs=("text",)),
    Action.REVIEW: _rule(_DESK, {*OPEN_STATES, _I.CLOSED}, needs=("text",)),
    Action.CONTACT: _rule({"department", "callback", *_DESK}, OPEN_STATES, needs=("reached",)),
    Action.RETURN: _rule(
        _DEPARTMENT, {_I.DISPATCHED, _I.HANDLING, _I.ON_HOLD}, {_A.OFFERED, _A.ACKNOWLEDGED}, needs=("reason_code",)
    ),
    Action.DONE: _rule(_DEPARTMENT, _LATE_TOO, {_A.ACKNOWLEDGED, _A.ARRIVED}),
    # requests: what a department asks for and the centre grants
    Action.REQUEST: _rule(
        _DEPARTMENT,
        {*_LED, _I.CHECKING, _I.CLOSED},
        {_A.OFFERED, *_AT_WORK, _A.DONE, _A.APPROVED},
        needs=("kind", "reason_code"),
    ),
    Action.APPROVE: _rule({*_CENTRE, "supervisor"}, {*OPEN_STATES, _I.CLOSED}, needs=("number",)),
    Action.REFUSE: _rule({*_CENTRE, "supervisor"}, {*OPEN_STATES, _I.CLOSED}, needs=("number",)),
    Action.END_HOLD: _rule({*_DEPARTMENT, *_CENTRE}, _LED, {_A.HELD}),
    # dispatching: who works on it
    Action.REFUSE_RETURN: _rule(_CENTRE, _LATE_TOO, {_A.RETURNED}, needs=("department",)),
    Action.ACCEPT_RETURN: _rule(_CENTRE, _LATE_TOO, {_A.RETURNED}, needs=("department",)),
    Action.ASSIGN: _rule(_CENTRE, {_I.FILED, *_LED}),
    Action.RECALL: _rule(_CENTRE, _LED, {_A.OFFERED}, needs=("department",)),
    Action.RECLASSIFY: _rule(_DESK, {_I.FILED, *_LED}),
    # supervising: 催办, 督办, 领办
    Action.URGE: _rule({"street", "supervisor", *_CENTRE}, _LED),
    Action.SUPERVISE: _rule({"street", "supervisor", *_CENTRE}, _LED, needs=("text",)),
    Action.REPLY: _rule(_DEPARTMENT, {*OPEN_STATES, _I.CLOSED}, {*_A} - {_A.WITHDRAWN}, needs=("number", "text")),
    Action.MILESTONE: _rule({*_DEPARTMENT, *_LEADERS}, OPEN_STATES, needs=("number", "name")),
    Action.CLEAR: _rule({"street", "supervisor", *_CENTRE}, {*OPEN_STATES, _I.CLOSED}, needs=("number",)),
    # whistling: a street calls, departments come
    Action.WHISTLE: _rule({"street"}, {_I.RECEIVED, _I.VERIFYING, _I.FILED, *_LED}, needs=("kind",)),
    Action.CONFIRM_ARRIVAL: _rule({"street", *_CENTRE}, _LATE_TOO, _AT_WORK, needs=("department",)),
    Action.END_WHISTLE: _rule({"street", "shift_lead"}, OPEN_STATES),
    Action.RATE: _rule(
        {"street"}, {*OPEN_STATES, _I.CLOSED}, {*_AT_WORK, _A.DONE, _A.APPROVED}, needs=("department", "score")
    ),
    # joining: one matter, one incident
    Action.MERGE: _rule(_CENTRE, OPEN_STATES, needs=("into",)),
    Action.SPLIT: _rule(_CENTRE, {*OPEN_STATES, _I.MERGED}),
    # closing: checked, called back, reopened; or ended otherwise
    Action.CHECK: _rule({"checker", "callback", *_CENTRE}, {_I.CHECKING}, needs=("result",)),
    Action.CALLBACK: _rule({"callback"}, {_I.CHECKING, _I.CLOSED}, needs=("answered",)),
    Action.REOPEN_REQUEST: _rule({"reporter", "street", "callback"}, REOPENABLE_STATES),
    Action.REOPEN: _rule({*_CENTRE, "supervisor"}, {_I.REOPEN_REQUESTED}),
    Action.REFUSE_REOPEN: _rule({*_CENTRE, "supervisor"}, {_I.REOPEN_REQUESTED}, needs=("reason_code",)),
    Action.VOID: _rule({"supervisor"}, OPEN_STATES, needs=("reason_code",)),
    Action.CLOSE_FORCED: _rule({"supervisor"}, OPEN_STATES, needs=("reason_code",)),
}


def allowed_actions(state: IncidentState, assignment: AssignmentState | None, role: str) -> list[Action]:
    """The actions open to a role on an incident and, for a department, on its assignment."""
    return [
        action
        for action, rule in ACTION_TABLE.items()
        if (role in rule.roles or role == "system")
        and state in rule.incident
        and (rule.assignment is None or assignment is None or assignment in rule.assignment)
    ]


def refusal(action: Action, state: IncidentState, assignment: AssignmentState | None, actor: Actor) -> str | None:
    """Why an action is not allowed, naming the ones that are; None when it is."""
    rule = ACTION_TABLE[action]
    system = actor.role == "system"
    if not system and actor.role not in rule.roles:
        return f"{action} is not open to the role {actor.role}; it is to {_words(sorted(rule.roles))}"
    if state in rule.incident and (rule.assignment is None or assignment in rule.assignment):
        return None
    where = f"in state {state}" if assignment is None else f"in state {state} with the assignment {assignment}"
    return f"{action} is not allowed {where}; allowed: {_words(allowed_actions(state, assignment, actor.role))}"


def _words(words: Iterable[str]) -> str:
    return ", ".join(words) or "nothing"
