"""The two state machines, as tables.

An incident is received, perhaps verified, filed, dispatched, handled, checked and closed. Each department's part in it
(an assignment) is offered, acknowledged, perhaps marked as arrived, done and approved. Every change of state goes
through `INCIDENT_MOVES` or `ASSIGNMENT_MOVES`; what may be asked by whom and when is `actions.ACTION_TABLE`. An illegal
move is refused, changes nothing, and the refusal names the moves that are allowed.

Ends are final except by `reopen` (of what was closed, answered or handled on the spot) and `split` (of what was
merged). The responsible party of an open incident is a function of its state: the lead while it is dispatched, handled
or on hold, the command centre at every other moment.
"""

from enum import StrEnum

__all__ = [
    "ASSIGNMENT_MOVES",
    "CENTRE",
    "ENDED_STATES",
    "INCIDENT_MOVES",
    "LED_STATES",
    "LIVE_STATES",
    "OPEN_STATES",
    "REOPENABLE_STATES",
    "SENT_OUT",
    "STAGE_OF",
    "AssignmentState",
    "IllegalMove",
    "IncidentState",
    "move_assignment",
    "move_incident",
]

CENTRE = "centre"  # the command centre as an owner of targets


class IncidentState(StrEnum):
    """Where an incident stands."""

    RECEIVED = "received"
    VERIFYING = "verifying"
    FILED = "filed"
    DISPATCHED = "dispatched"
    HANDLING = "handling"
    ON_HOLD = "on_hold"
    CHECKING = "checking"
    RETURNED = "returned"
    REOPEN_REQUESTED = "reopen_requested"
    CLOSED = "closed"
    CLOSED_FORCED = "closed_forced"
    ANSWERED_AT_DESK = "answered_at_desk"
    REFERRED = "referred"
    SELF_HANDLED = "self_handled"
    NOT_ACCEPTED = "not_accepted"
    VOIDED = "voided"
    MERGED = "merged"


class AssignmentState(StrEnum):
    """Where one department's part stands."""

    OFFERED = "offered"
    ACKNOWLEDGED = "acknowledged"
    ARRIVED = "arrived"
    HELD = "held"
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
    _I.ON_HOLD: "处置",
    _I.CHECKING: "核查",
    _I.REOPEN_REQUESTED: "核查",
    _I.CLOSED: "结案",
    _I.CLOSED_FORCED: "结案",
    _I.ANSWERED_AT_DESK: "结案",
    _I.REFERRED: "结案",
    _I.SELF_HANDLED: "结案",
    _I.NOT_ACCEPTED: "结案",
    _I.VOIDED: "结案",
    _I.MERGED: "结案",
}
ENDED_STATES = frozenset(
    {
        _I.CLOSED,
        _I.CLOSED_FORCED,
        _I.ANSWERED_AT_DESK,
        _I.REFERRED,
        _I.SELF_HANDLED,
        _I.NOT_ACCEPTED,
        _I.VOIDED,
        _I.MERGED,
    }
)
OPEN_STATES = frozenset(_I) - ENDED_STATES
LED_STATES = frozenset({_I.DISPATCHED, _I.HANDLING, _I.ON_HOLD})  # its lead answers for it
SENT_OUT = LED_STATES | {_I.RETURNED}  # it is with its departments
REOPENABLE_STATES = frozenset({_I.CLOSED, _I.ANSWERED_AT_DESK, _I.SELF_HANDLED})
LIVE_STATES = frozenset(  # neither over nor withdrawn
    {_A.OFFERED, _A.ACKNOWLEDGED, _A.ARRIVED, _A.HELD, _A.DONE, _A.RETURNED}
)

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
    (_I.DISPATCHED, "recall"): _I.RETURNED,
    (_I.DISPATCHED, "dispatch"): _I.DISPATCHED,
    (_I.RETURNED, "dispatch"): _I.DISPATCHED,
    (_I.RETURNED, "take"): _I.HANDLING,
    (_I.HANDLING, "give_back"): _I.RETURNED,
    (_I.HANDLING, "dispatch"): _I.DISPATCHED,
    (_I.HANDLING, "hold"): _I.ON_HOLD,
    (_I.HANDLING, "finish"): _I.CHECKING,
    (_I.ON_HOLD, "resume"): _I.HANDLING,
    (_I.ON_HOLD, "dispatch"): _I.DISPATCHED,
    (_I.CHECKING, "pass"): _I.CLOSED,
    (_I.CHECKING, "fail"): _I.HANDLING,
    (_I.MERGED, "split"): _I.RECEIVED,
    **{(state, "ask_reopen"): _I.REOPEN_REQUESTED for state in sorted(REOPENABLE_STATES)},
    (_I.REOPEN_REQUESTED, "reopen"): _I.HANDLING,
    (_I.REOPEN_REQUESTED, "file"): _I.FILED,
    **{(_I.REOPEN_REQUESTED, f"stay_{state}"): state for state in sorted(REOPENABLE_STATES)},
    **{
        (state, what): end
        for state in (_I.RECEIVED, _I.VERIFYING, _I.FILED, _I.DISPATCHED, _I.RETURNED)
        for what, end in (("answer", _I.ANSWERED_AT_DESK), ("refer", _I.REFERRED), ("self_handle", _I.SELF_HANDLED))
    },
    **{
        (state, what): end
        for state in sorted(OPEN_STATES)
        for what, end in (("void", _I.VOIDED), ("force", _I.CLOSED_FORCED), ("merge", _I.MERGED))
    },
}

# What happens to an assignment -> its next state.
ASSIGNMENT_MOVES: dict[tuple[AssignmentState, str], AssignmentState] = {
    (_A.OFFERED, "acknowledge"): _A.ACKNOWLEDGED,
    (_A.OFFERED, "give_back"): _A.RETURNED,
    (_A.ACKNOWLEDGED, "arrive"): _A.ARRIVED,
    (_A.ACKNOWLEDGED, "give_back"): _A.RETURNED,
    (_A.ACKNOWLEDGED, "hold"): _A.HELD,
    (_A.ACKNOWLEDGED, "done"): _A.DONE,
    (_A.ARRIVED, "hold"): _A.HELD,
    (_A.ARRIVED, "done"): _A.DONE,
    (_A.HELD, "resume"): _A.ACKNOWLEDGED,
    (_A.HELD, "resume_on_site"): _A.ARRIVED,
    (_A.RETURNED, "offer"): _A.OFFERED,
    (_A.RETURNED, "acknowledge"): _A.ACKNOWLEDGED,
    (_A.DONE, "approve"): _A.APPROVED,
    (_A.DONE, "rework"): _A.ACKNOWLEDGED,
    (_A.APPROVED, "rework"): _A.ACKNOWLEDGED,
    **{(state, "withdraw"): _A.WITHDRAWN for state in sorted(LIVE_STATES | {_A.APPROVED})},
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
