"""The two state machines, as tables.

An incident is received, perhaps verified, filed, dispatched, handled, checked and closed. Each department's part in it
(an assignment) is offered, acknowledged, perhaps marked as arrived, done and approved. Every change of state goes
through `INCIDENT_MOVES` or `ASSIGNMENT_MOVES`; what may be asked by whom and when is `ACTION_TABLE`. An illegal move
is refused, changes nothing, and the refusal names the moves that are allowed.

The responsible party of an open incident is a function of its state: the lead while it is dispatched or handled, the
command centre at every other moment.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from dispatcher.core.messages import Action, Actor

__all__ = [
    "ACTION_TABLE",
    "ASSIGNMENT_MOVES",
    "CENTRE",
    "INCIDENT_MOVES",
    "LIVE_STATES",
    "OPEN_STATES",
    "STAGE_OF",
    "ActionRule",
    "AssignmentState",
    "IllegalMove",
    "IncidentState",
    "allowed_actions",
    "move_assignment",
    "move_incident",
    "refusal",
]

CENTRE = "centre"  # the command centre as an owner of targets


class IncidentState(StrEnum):
    """Where an incident stands."""

    RECEIVED = "received"
    VERIFYING = "verifying"
    FILED = "filed"
    DISPATCHED = "dispatched"
    HANDLING = "handling"
    CHECKING = "checking"
    RETURNED = "returned"
    CLOSED = "closed"
    NOT_ACCEPTED = "not_accepted"
    VOIDED = "voided"


class AssignmentState(StrEnum):
    """Where one department's part stands."""

    OFFERED = "offered"
    ACKNOWLEDGED = "acknowledged"
    ARRIVED = "arrived"
    DONE = "done"
    APPROVED = "approved"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


_I, _A = IncidentState, AssignmentState

STAGE_OF = {
    _I.RECEIVED: "上报",
    _I.VERIFYING: "上报",
    _I.FILED: "立案",
    _I.DISPATCHED: "派遣",
    _I.RETURNED: "派遣",
    _I.HANDLING: "处置",
    _I.CHECKING: "核查",
    _I.CLOSED: "结案",
    _I.NOT_ACCEPTED: "结案",
    _I.VOIDED: "结案",
}
ENDED_STATES = frozenset({_I.CLOSED, _I.NOT_ACCEPTED, _I.VOIDED})
OPEN_STATES = frozenset(_I) - ENDED_STATES
LIVE_STATES = frozenset({_A.OFFERED, _A.ACKNOWLEDGED, _A.ARRIVED, _A.DONE, _A.RETURNED})  # neither over nor withdrawn

# What happens to an incident -> its next state.
INCIDENT_MOVES: dict[tuple[IncidentState, str], IncidentState] = {
    (_I.RECEIVED, "doubt"): _I.VERIFYING,
    (_I.RECEIVED, "file"): _I.FILED,
    (_I.RECEIVED, "discard"): _I.NOT_ACCEPTED,
    (_I.VERIFYING, "file"): _I.FILED,
    (_I.VERIFYING, "deny"): _I.NOT_ACCEPTED,
    (_I.FILED, "dispatch"): _I.DISPATCHED,
    (_I.DISPATCHED, "take"): _I.HANDLING,
    (_I.DISPATCHED, "give_back"): _I.RETURNED,
    (_I.HANDLING, "give_back"): _I.RETURNED,
    (_I.RETURNED, "dispatch"): _I.DISPATCHED,
    (_I.RETURNED, "take"): _I.HANDLING,
    (_I.DISPATCHED, "dispatch"): _I.DISPATCHED,
    (_I.HANDLING, "dispatch"): _I.DISPATCHED,
    (_I.HANDLING, "finish"): _I.CHECKING,
    (_I.CHECKING, "pass"): _I.CLOSED,
    (_I.CHECKING, "fail"): _I.HANDLING,
    **{(state, "void"): _I.VOIDED for state in sorted(OPEN_STATES)},
}

# What happens to an assignment -> its next state.
ASSIGNMENT_MOVES: dict[tuple[AssignmentState, str], AssignmentState] = {
    (_A.OFFERED, "acknowledge"): _A.ACKNOWLEDGED,
    (_A.OFFERED, "give_back"): _A.RETURNED,
    (_A.ACKNOWLEDGED, "arrive"): _A.ARRIVED,
    (_A.ACKNOWLEDGED, "give_back"): _A.RETURNED,
    (_A.ACKNOWLEDGED, "done"): _A.DONE,
    (_A.ARRIVED, "done"): _A.DONE,
    (_A.RETURNED, "offer"): _A.OFFERED,
    (_A.RETURNED, "acknowledge"): _A.ACKNOWLEDGED,
    (_A.DONE, "approve"): _A.APPROVED,
    (_A.DONE, "rework"): _A.ACKNOWLEDGED,
    (_A.APPROVED, "rework"): _A.ACKNOWLEDGED,
    **{(state, "withdraw"): _A.WITHDRAWN for state in sorted(LIVE_STATES)},
}


class IllegalMove(ValueError):
    """A move the tables do not have: a bug in the engine, since every action is checked before it moves anything."""


def move_incident(state: IncidentState, what: str) -> IncidentState:
    """The state after `what` happens.

    Raises:
        IllegalMove: the table has no such move.
    """
    try:
        return INCIDENT_MOVES[state, what]
    except KeyError:
        raise IllegalMove(f"incident {state}: {what}") from None


def move_assignment(state: AssignmentState, what: str) -> AssignmentState:
    """The state after `what` happens.

    Raises:
        IllegalMove: the table has no such move.
    """
    try:
        return ASSIGNMENT_MOVES[state, what]
    except KeyError:
        raise IllegalMove(f"assignment {state}: {what}") from None


class ActionRule(NamedTuple):
    """Who may ask for an action, and in which states; `needs` are fields of the update that must be given."""

    roles: frozenset[str]
    incident: frozenset[IncidentState]
    assignment: frozenset[AssignmentState] | None = None  # None: the action is not about one department's part
    needs: tuple[str, ...] = ()


_CENTRE_ROLES = frozenset({"dispatcher", "shift_lead"})
_WORKING = frozenset({_I.DISPATCHED, _I.HANDLING, _I.RETURNED})

# `system` (the engine's own drivers: replay, simulation) may ask for anything, in the same states.
ACTION_TABLE: dict[Action, ActionRule] = {
    Action.VERIFY: ActionRule(
        frozenset({"officer", "collector", "acceptor", *_CENTRE_ROLES}),
        frozenset({_I.VERIFYING, _I.DISPATCHED, _I.HANDLING}),
        needs=("result",),
    ),
    Action.FILE: ActionRule(frozenset({"acceptor", *_CENTRE_ROLES}), frozenset({_I.RECEIVED, _I.VERIFYING})),
    Action.ACKNOWLEDGE: ActionRule(frozenset({"department"}), _WORKING, frozenset({_A.OFFERED})),
    Action.ARRIVE: ActionRule(frozenset({"department"}), _WORKING, frozenset({_A.ACKNOWLEDGED})),
    Action.CONFIRM_ARRIVAL: ActionRule(
        frozenset({"street", *_CENTRE_ROLES}),
        _WORKING,
        frozenset({_A.ACKNOWLEDGED, _A.ARRIVED}),
        needs=("department",),
    ),
    Action.NOTE: ActionRule(
        frozenset({"department", "street", "officer", "acceptor", *_CENTRE_ROLES}), OPEN_STATES, needs=("text",)
    ),
    Action.RETURN: ActionRule(
        frozenset({"department"}),
        frozenset({_I.DISPATCHED, _I.HANDLING}),
        frozenset({_A.OFFERED, _A.ACKNOWLEDGED}),
        needs=("reason_code",),
    ),
    Action.REFUSE_RETURN: ActionRule(_CENTRE_ROLES, _WORKING, frozenset({_A.RETURNED}), needs=("department",)),
    Action.ACCEPT_RETURN: ActionRule(_CENTRE_ROLES, _WORKING, frozenset({_A.RETURNED}), needs=("department",)),
    Action.ASSIGN: ActionRule(_CENTRE_ROLES, frozenset({_I.FILED, *_WORKING})),
    Action.DONE: ActionRule(frozenset({"department"}), _WORKING, frozenset({_A.ACKNOWLEDGED, _A.ARRIVED})),
    Action.CHECK: ActionRule(
        frozenset({"checker", "callback", *_CENTRE_ROLES}), frozenset({_I.CHECKING}), needs=("result",)
    ),
    Action.VOID: ActionRule(frozenset({"supervisor"}), OPEN_STATES, needs=("reason_code",)),
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
