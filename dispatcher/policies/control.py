"""Commands on `control`: what was written, what waits, what number comes next, and the engine's answer.

Every command says which accepted command of the ledger it is to be (`number`), and its id follows from that and from
what it asks for: of the same command written twice, the engine takes one. Nobody need be running to write one.

With several partitions every command goes to each of them, in the one order of `control`, and each makes the same of
it. So what is in force, and what number comes next, is told by the first one alone; but a command counts as taken
when **every** partition has come to it: whatever is sent after that answer is decided under it, wherever it lies.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from dispatcher.core import CONTROL, ms_to_text
from dispatcher.core.control import Activate, Command, SetMode
from dispatcher.core.enact import COMMANDS_TAKEN
from dispatcher.core.messages import Reason
from dispatcher.core.modes import Modes, ModeSpan
from dispatcher.core.wire import encode
from dispatcher.hosts.embedded import PARTITION
from dispatcher.hosts.replay import refuse_unfinished_replay
from dispatcher.ledger import Entry, InDoubt, Kept, Ledger
from dispatcher.policies.past import beyond

__all__ = [
    "REFUSALS",
    "Answer",
    "Standing",
    "Submitted",
    "Written",
    "answer_to",
    "modes_held",
    "modes_known",
    "overtaken",
    "standing",
    "submit",
    "write",
    "written_commands",
]

_command: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
REFUSALS = "rejected"


class Written(NamedTuple):
    """A record on `control`, taken or not; `command` is None when it is none that this version reads."""

    offset: int
    seq: int
    time_ms: int
    command: Command | None


class Standing(NamedTuple):
    """The policy in force, and the number reached, once everything written so far has been worked through."""

    sha256: str | None
    number: int  # commands taken by then
    waiting: tuple[Written, ...]  # those not yet worked through


class Submitted(NamedTuple):
    """A command that was written under the number it is to have."""

    command_id: str
    written: Written
    ends: tuple[int, ...]  # what was refused up to these places, one a partition, was refused before it


class Answer(NamedTuple):
    """What the engine made of a command."""

    accepted: bool
    at: str
    detail: str


def written_commands(ledger: Ledger) -> list[Written]:
    """Everything ever written to `control`, in order; there are a few a week at most."""
    return [Written(offset, kept.seq, kept.time_ms, _decoded(kept.value or b"")) for offset, kept in ledger.commands()]


def _decoded(value: bytes) -> Command | None:
    try:
        return _command.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def standing(ledger: Ledger) -> Standing:
    """What is in force, and what will be once the commands that wait have been taken.

    By the engine's own rules for whose turn it is, which need no more than the policy and the number.
    """
    come_to = ledger.commanded()[PARTITION]  # first: what is then taken twice by this account fails on its number
    in_force = ledger.newest("state", "policy")
    tally = ledger.newest("state", "tally")
    sha = None if in_force is None else msgspec.json.decode(in_force, type=str)
    number = 0 if tally is None else msgspec.json.decode(tally, type=dict[str, int]).get(COMMANDS_TAKEN, 0)
    waiting = tuple(written for written in written_commands(ledger) if written.seq > come_to)
    for _, _, _, command in waiting:
        if command is None or command.number not in (None, number + 1):
            continue
        if isinstance(command, Activate):
            if command.expects != sha:
                continue
            sha = command.sha256
        elif sha is None:
            continue
        number += 1
    return Standing(sha, number, waiting)


def modes_held(ledger: Ledger) -> list[ModeSpan]:
    """The modes the engine holds, in the order in which they were set."""
    value = ledger.newest("state", "modes")
    return [] if value is None else list(Modes.decode(value).spans.values())


def modes_known(ledger: Ledger, proposal_id: str | None = None) -> list[str]:
    """Ids of the modes that hold and of those that wait to be set; given a proposal, only of those that confirm it."""
    now = standing(ledger)
    setting = [written.command for written in written_commands(ledger) if isinstance(written.command, SetMode)]
    waiting = [written.command for written in now.waiting if isinstance(written.command, SetMode)]
    known = [*(span.mode_id for span in modes_held(ledger)), *(command.command_id for command in waiting)]
    confirming = {command.command_id for command in setting if proposal_id in (None, command.proposal_id)}
    return [mode_id for mode_id in dict.fromkeys(known) if mode_id in confirming]


def write(ledger: Ledger, command: Command) -> Written:
    """Append a command; durable when this returns.

    Where it is not known whether it was written, it is written once more: of two copies the engine takes the first,
    since the other then has a number already used. That first one is given.

    Raises:
        InDoubt: it is not known whether it was written, not even then.
        LedgerError: nothing was.
    """
    entry = Entry(CONTROL, encode(command))
    try:
        (lies,) = ledger.append([entry])
    except InDoubt:
        (lies,) = ledger.append([entry])
        found = (written for written in written_commands(ledger) if written.command == command)
    else:
        found = (written for written in written_commands(ledger) if written.offset == lies.offset)
    written = next(found, None)
    if written is None:
        raise InDoubt(f"command {command.command_id} was written and is not found on {CONTROL}")
    return written


def submit(ledger: Ledger, name: str, make: Callable[..., Command]) -> Submitted:
    """Give a command the number that comes next, and write it.

    Args:
        ledger: nobody need be running on it.
        name: what the command's id begins with; its number follows.
        make: the command, given its `command_id` and its `number`.

    Raises:
        LedgerError: the ledger cannot be written, or holds an interrupted replay.
    """
    refuse_unfinished_replay(ledger)
    ends = ledger.ends(REFUSALS)
    number = standing(ledger).number + 1
    command = make(command_id=f"{name}-{number}", number=number)
    return Submitted(command.command_id, write(ledger, command), ends)


def answer_to(ledger: Ledger, written: Written, after: int | Sequence[int] = -1) -> Answer | None:
    """What the engine has made of a command so far; None while some partition has not come to it.

    What happens on its own at an instant, the end of a mode, may come before a command in one partition and after it
    in another: taken by some, it is taken, and `detail` says by how many it was not.

    Args:
        ledger: the one it was written to.
        written: the command.
        after: what was refused up to this `seq`, one for each partition or for all, was refused before the command.
    """
    if min(ledger.commanded()) < written.seq:
        return None
    refused = _refusals(ledger, written, after)
    if not refused:
        return Answer(True, ms_to_text(written.time_ms), "")
    kept, partitions = refused[0], ledger.partitions(REFUSALS)
    detail = str(msgspec.json.decode(kept.value or b"{}")["detail"])
    if len(refused) < partitions:
        return Answer(True, ms_to_text(written.time_ms), f"{len(refused)} of {partitions} partitions refused: {detail}")
    return Answer(False, ms_to_text(kept.time_ms), detail)


def overtaken(ledger: Ledger, written: Written, after: int | Sequence[int] = -1) -> bool:
    """Whether a command was refused everywhere because another one was taken in its place: it has done nothing.

    Either its number was used, or the policy it was to replace is not in force any more.
    """
    if min(ledger.commanded()) < written.seq:
        return False
    refused = _refusals(ledger, written, after)
    reasons = {msgspec.json.decode(kept.value or b"{}")["reason"] for kept in refused}
    return len(refused) == ledger.partitions(REFUSALS) and reasons == {Reason.STALE}


def _refusals(ledger: Ledger, written: Written, after: int | Sequence[int]) -> list[Kept]:
    """What the partitions that refused a command say of it; complete once they have come to it."""
    key = f"{CONTROL}/0/{written.offset}"
    return [kept for kept in beyond(ledger, REFUSALS, after) if kept.key == key]
