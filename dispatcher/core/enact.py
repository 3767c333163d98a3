"""Commands: what administrators put in force by a record on `control`."""

from collections.abc import Callable
from typing import Any, Final

from dispatcher.core.control import Activate, Command, EndMode, Outage, RerouteOpen, SetMode
from dispatcher.core.instants import DAY_MS, datetime_to_ms, ms_to_text
from dispatcher.core.job import Job
from dispatcher.core.messages import Reason
from dispatcher.core.modes import MODE_DAYS_MAX, ModeSpan
from dispatcher.core.privacy import mask_text
from dispatcher.core.step import Refused
from dispatcher.core.turn import Turn
from dispatcher.core.wire import encode
from dispatcher.core.work import CommandWork

__all__ = ["COMMANDS_TAKEN", "enact", "end_mode"]

COMMANDS_TAKEN: Final = "commands_accepted"  # in the tally: the number of the last command whose turn it was
MODES_MAX = 100  # at a time: each is looked at for every report
OUTAGE_DAYS_MAX = 31


def enact(turn: Turn, work: CommandWork) -> None:
    """Take an administrator's command, or refuse it; what it did is on `events` under the key `control`.

    Its number is used up once it is its turn, whatever then becomes of it. What is refused for what it asks may depend
    on the time of each partition's log (a mode that has just ended); which number comes next must not, or a partition
    would refuse all that comes later.
    """
    command = work.command
    try:
        _require_meant(turn, command)
        turn.count(COMMANDS_TAKEN)
        said = _DO[type(command)](turn, command, work.time_ms)
    except Refused as refused:
        turn.refuse(work, refused.reason, refused.detail)
        return
    event: dict[str, object] = {
        **said,
        "at": ms_to_text(work.time_ms),
        "command_id": command.command_id,
        "by": command.actor,
    }
    if command.reason is not None:
        event["reason"] = mask_text(command.reason)
    turn.out.emit("events", "control", work.time_ms, encode(event))


def _require_meant(turn: Turn, command: Command) -> None:
    """Refuse what was meant for another policy in force, or is not the command it was to be."""
    in_force, taken = turn.state.policy_sha, turn.state.tally[COMMANDS_TAKEN]
    if isinstance(command, Activate):
        if command.expects != in_force:
            raise Refused(Reason.STALE, f"the policy in force is {in_force}")
    elif in_force is None:
        raise Refused(Reason.NOT_ALLOWED, "no policy is in force yet")
    if command.number is not None and command.number != taken + 1:
        raise Refused(Reason.STALE, f"this was to be command {command.number}; {taken} have been taken")


def _activate(turn: Turn, command: Activate, now_ms: int) -> dict[str, object]:  # noqa: ARG001
    state = turn.state
    if command.sha256 not in state.books:
        raise LookupError(f"policy {command.sha256} is activated but not stored")
    state.policy_sha = command.sha256
    state.reindex()
    return {"event": "policy_activated", "sha256": command.sha256, "before": command.expects}


def _set_mode(turn: Turn, command: SetMode, now_ms: int) -> dict[str, object]:
    state = turn.state
    policy, until_ms = state.book.policy, datetime_to_ms(command.until)
    if command.mode not in policy.modes[1:]:
        others = ", ".join(policy.modes[1:]) or "nothing"
        raise Refused(Reason.NOT_ALLOWED, f"{command.mode} cannot be set; the policy has {others}")
    if not now_ms < until_ms <= now_ms + MODE_DAYS_MAX * DAY_MS:
        raise Refused(Reason.NOT_ALLOWED, f"a mode ends in the future, within {MODE_DAYS_MAX} days")
    if command.command_id in state.modes.spans:
        raise Refused(Reason.CONFLICT, f"the mode {command.command_id} is set already")
    if len(state.modes.spans) >= MODES_MAX:
        raise Refused(Reason.NOT_ALLOWED, f"{MODES_MAX} modes hold already; end one")
    reason = None if command.reason is None else mask_text(command.reason)
    state.set_mode(ModeSpan(command.command_id, command.mode, now_ms, until_ms, command.cells, reason))
    return {
        "event": "mode_set",
        "mode_id": command.command_id,
        "mode": command.mode,
        "cells": command.cells,
        "until": ms_to_text(until_ms),
        "proposal_id": command.proposal_id,
    }


def _end_mode(turn: Turn, command: EndMode, now_ms: int) -> dict[str, object]:  # noqa: ARG001
    span = turn.state.modes.spans.get(command.mode_id)
    if span is None:
        raise Refused(Reason.NOT_ALLOWED, f"no mode {command.mode_id} holds")
    turn.state.end_mode(command.mode_id)
    return {"event": "mode_ended", "mode_id": command.mode_id, "mode": span.mode}


def end_mode(turn: Turn, mode_id: str, due_ms: int) -> None:
    """A mode's time is over."""
    span = turn.state.modes.spans.get(mode_id)
    if span is None:
        return
    turn.state.end_mode(mode_id)
    event = {"event": "mode_ended", "mode_id": mode_id, "mode": span.mode, "at": ms_to_text(due_ms), "by": None}
    turn.out.emit("events", "control", due_ms, encode(event))


def _reroute(turn: Turn, command: RerouteOpen, now_ms: int) -> dict[str, object]:
    turn.state.begin(Job(command.command_id, now_ms, command.cells))
    return {"event": "reroute_begun", "cells": command.cells}


def _outage(turn: Turn, command: Outage, now_ms: int) -> dict[str, object]:  # noqa: ARG001
    since_ms, until_ms = datetime_to_ms(command.since), datetime_to_ms(command.until)
    if not since_ms < until_ms <= now_ms or until_ms - since_ms > OUTAGE_DAYS_MAX * DAY_MS:
        raise Refused(Reason.NOT_ALLOWED, f"an outage lies in the past and lasts at most {OUTAGE_DAYS_MAX} days")
    return {"event": "outage", "since": ms_to_text(since_ms), "until": ms_to_text(until_ms)}


_DO: dict[type, Callable[[Turn, Any, int], dict[str, object]]] = {
    Activate: _activate,
    SetMode: _set_mode,
    EndMode: _end_mode,
    RerouteOpen: _reroute,
    Outage: _outage,
}
