"""Putting a policy in force: what must hold before, and the two writes.

First the document goes on `policies`, then the command on `control`; whoever dies between the two has changed nothing
and simply tries again. Besides its number the command says which policy it replaces (`expects`).
"""

from collections import Counter
from typing import NamedTuple

from dispatcher.core import OPEN_STATES, decode_incident
from dispatcher.core.control import Activate
from dispatcher.core.lifecycle import LIVE_STATES
from dispatcher.core.messages import Actor
from dispatcher.ledger import Ledger
from dispatcher.policies.control import Written, standing, write
from dispatcher.policies.past import everything
from rules import Policy

__all__ = ["Lost", "Stale", "activate", "lost_departments"]

APPROVER = "policy_approver"  # the role; who edits a policy and who approves it are two, though perhaps one person
ORDERS = "dept."


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
    command = Activate(
        command_id=f"activate-{number}-{(now.sha256 or 'none')[:12]}-{policy.sha256[:12]}",
        sha256=policy.sha256,
        expects=now.sha256,
        number=number,
        actor=None if by is None else Actor(APPROVER, person=by),
        reason=reason or None,
    )
    return write(ledger, command)
