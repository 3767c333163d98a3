"""Commands: what administrators put in force by a record on `control`."""

from typing import Final

from dispatcher.core.instants import ms_to_text
from dispatcher.core.messages import Reason
from dispatcher.core.turn import Turn
from dispatcher.core.wire import encode
from dispatcher.core.work import CommandWork

__all__ = ["COMMANDS_TAKEN", "enact"]

COMMANDS_TAKEN: Final = "commands_accepted"  # in the tally: the number of the last command that was taken


def enact(turn: Turn, work: CommandWork) -> None:
    """Take an administrator's command: put a policy in force."""
    command, state = work.command, turn.state
    if command.expects != state.policy_sha:
        turn.refuse(work, Reason.STALE, f"the policy in force is {state.policy_sha}")
        return
    taken = state.tally[COMMANDS_TAKEN]
    if command.number is not None and command.number != taken + 1:
        turn.refuse(work, Reason.STALE, f"this was to be command {command.number}; {taken} have been taken")
        return
    if command.sha256 not in state.books:
        raise LookupError(f"policy {command.sha256} is activated but not stored")
    state.policy_sha = command.sha256
    state.reindex()
    turn.count(COMMANDS_TAKEN)
    event: dict[str, object] = {
        "event": "policy_activated",
        "at": ms_to_text(work.time_ms),
        "sha256": command.sha256,
        "before": command.expects,
        "command_id": command.command_id,
        "by": command.actor,
    }
    if command.reason is not None:
        event["reason"] = command.reason
    turn.out.emit("events", "control", work.time_ms, encode(event))
