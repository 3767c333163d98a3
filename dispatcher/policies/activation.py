"""Putting a policy in force: what must hold before, the two writes, and the engine's answer.

First the document goes on `policies`, then the command on `control`; whoever dies between the two has changed nothing
and simply tries again. The command says what it replaces (`expects`) and which command of the ledger it is to be
(`number`), and its id follows from both and the policy: of the same command written twice, the engine takes one.
"""

from collections import Counter
from typing import NamedTuple

import msgspec

from dispatcher.core import CONTROL, OPEN_STATES, decode_incident, ms_to_text
from dispatcher.core.enact import COMMANDS_TAKEN
from dispatcher.core.lifecycle import LIVE_STATES
from dispatcher.core.messages import Actor, Command
from dispatcher.core.wire import encode
from dispatcher.hosts.embedded import PARTITION
from dispatcher.ledger import Entry, Ledger
from dispatcher.policies.past import everything
from rules import Policy

__all__ = ["Answer", "Lost", "Stale", "Standing", "Written", "activate", "answer_to", "lost_departments", "standing",
           "written_commands"]  # fmt: skip

APPROVER = "policy_approver"  # the role; who edits a policy and who approves it are two, though perhaps one person
ORDERS = "dept."

_command = msgspec.json.Decoder(Command)


class Written(NamedTuple):
    """A record on `control`, taken or not; `command` is None when it is none that this version reads."""

    offset: int
    seq: int
    time_ms: int
    command: Command | None


class Standing(NamedTuple):
    """What is in force once everything written so far has been worked through."""

    sha256: str | None
    number: int  # commands taken by then
    waiting: tuple[Written, ...]  # those not yet worked through


class Answer(NamedTuple):
    """What the engine made of a command."""

    accepted: bool
    at: str
    detail: str


class Lost(NamedTuple):
    """A department that has work or orders in the ledger and is not in the candidate."""

    department: str
    open_assignments: int
    orders: int


class Stale(Exception):
    """Another policy is in force than the one that was to be replaced."""

    def __init__(self, expected: str, in_force: str | None) -> None:
        super().__init__(f"{expected} was to be replaced; {in_force} is in force")
        self.in_force = in_force


def written_commands(ledger: Ledger) -> list[Written]:
    """Everything ever written to `control`, in order; policies change a few times a year."""
    return [
        Written(offset, kept.seq, kept.time_ms, _decoded(kept.value or b""))
        for offset, kept in enumerate(everything(ledger, CONTROL))
    ]


def _decoded(value: bytes) -> Command | None:
    try:
        return _command.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def standing(ledger: Ledger) -> Standing:
    """What is in force, and what will be once the commands that wait have been taken by the engine's own rules."""
    position = ledger.position(PARTITION)  # first: what is then taken twice by this account fails on its number
    in_force = ledger.newest("state", "policy")
    tally = ledger.newest("state", "tally")
    sha = None if in_force is None else msgspec.json.decode(in_force, type=str)
    number = 0 if tally is None else msgspec.json.decode(tally, type=dict[str, int]).get(COMMANDS_TAKEN, 0)
    waiting = tuple(written for written in written_commands(ledger) if written.seq > position.offset)
    for _, _, _, command in waiting:
        if command is not None and command.expects == sha and command.number in (None, number + 1):
            sha, number = command.sha256, number + 1
    return Standing(sha, number, waiting)


def lost_departments(ledger: Ledger, candidate: Policy) -> list[Lost]:
    """Departments with open assignments, or with orders on their topics, that the candidate no longer has.

    Reads `incidents` once, and the orders of those departments; keeps nothing but counts. (Where departments read
    from topics of their own that must exist beforehand, this is the place to ask for them.)
    """
    assigned: Counter[str] = Counter()
    for kept in everything(ledger, "incidents"):
        if kept.value is None:
            continue
        record = decode_incident(kept.value)
        if record.state in OPEN_STATES:
            parts = record.support if record.lead is None else [record.lead, *record.support]
            assigned.update(a.department for a in parts if a.state in LIVE_STATES)
    ordered = {topic.removeprefix(ORDERS) for topic in ledger.topics() if topic.startswith(ORDERS)}
    gone = sorted(code for code in {*assigned, *ordered} if candidate.department(code) is None)
    return [Lost(code, assigned[code], sum(1 for _ in everything(ledger, ORDERS + code))) for code in gone]


def activate(
    ledger: Ledger, policy: Policy, *, expects: str | None = None, by: str | None = None, reason: str = ""
) -> Written | None:
    """Store a policy and write the command that puts it in force; None when it is in force, or about to be, already.

    Args:
        ledger: nobody need be running on it.
        policy: loaded, and with everything it requires.
        expects: the sha256 (or its start) of the policy it replaces; default: whichever is in force by then.
        by: who approves it, as a label.
        reason: why, for the history.

    Raises:
        Stale: another policy is in force than `expects`; nothing was written.
        LedgerError: the ledger cannot be written.
    """
    now = standing(ledger)
    if expects is not None and not (now.sha256 or "").startswith(expects.lower()):
        raise Stale(expects, now.sha256)
    if now.sha256 == policy.sha256:
        return None
    ledger.put("policies", policy.sha256, policy.canonical)
    number = now.number + 1
    command = Command(
        command_id=f"activate-{number}-{(now.sha256 or 'none')[:12]}-{policy.sha256[:12]}",
        command="activate",
        sha256=policy.sha256,
        expects=now.sha256,
        number=number,
        actor=None if by is None else Actor(APPROVER, person=by),
        reason=reason or None,
    )
    ledger.append([Entry(CONTROL, encode(command))])
    return [written for written in written_commands(ledger) if written.command == command][-1]


def answer_to(ledger: Ledger, written: Written, after: int = -1) -> Answer | None:
    """What the engine has made of a command so far; None while it has not come to it.

    Args:
        ledger: the one it was written to.
        written: the command.
        after: records on `events` and `rejected` up to this `seq` were there before the command.
    """
    if ledger.position(PARTITION).offset < written.seq:
        return None
    key = f"{CONTROL}/{PARTITION}/{written.offset}"
    for kept in everything(ledger, "rejected", after):
        if kept.key == key:
            return Answer(False, ms_to_text(kept.time_ms), msgspec.json.decode(kept.value or b"{}")["detail"])
    return Answer(True, ms_to_text(written.time_ms), "")
