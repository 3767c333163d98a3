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
from dispatcher.ledger import Ledger, NoTopic
from dispatcher.policies.control import Written, standing, write
from dispatcher.policies.past import beyond
from rules import Policy

__all__ = ["Lost", "Stale", "activate", "lost_departments", "without_topics"]

APPROVER = "policy_approver"  # the role; who edits a policy and who approves it are two, though perhaps one person
ORDERS, UPDATES_OF = "dept.", "updates."


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

    Reads `incidents` once, and the orders of those departments. Keeps who works on each open incident: where its topic
    is not compacted yet, it is told of more than once.
    """
    working: dict[str, tuple[str, ...]] = {}
    known: dict[tuple[str, ...], tuple[str, ...]] = {}  # incidents with the same departments share them
    for kept in beyond(ledger, "incidents"):
        parts = () if kept.value is None else _working(kept.value)
        if parts:
            working[kept.key] = known.setdefault(parts, parts)
        else:
            working.pop(kept.key, None)
    assigned = Counter(code for parts in working.values() for code in parts)
    ordered = {topic.removeprefix(ORDERS) for topic in ledger.topics() if topic.startswith(ORDERS)}
    gone = sorted(code for code in {*assigned, *ordered} if candidate.department(code) is None)
    return [Lost(code, assigned[code], sum(1 for _ in beyond(ledger, ORDERS + code))) for code in gone]


def _working(value: bytes) -> tuple[str, ...]:
    """The departments with live assignments on an incident; none when it is not open."""
    record = decode_incident(value)
    if record.state not in OPEN_STATES:
        return ()
    parts = record.support if record.lead is None else [record.lead, *record.support]
    return tuple(a.department for a in parts if a.state in LIVE_STATES)


def without_topics(ledger: Ledger, candidate: Policy, in_force: Policy) -> list[str]:
    """Departments new with the candidate for which a cluster has no topics yet: their orders would go nowhere.

    Raises:
        LedgerError: the ledger cannot be asked.
    """
    new = sorted(set(candidate.departments) - set(in_force.departments))
    return [code for code in new if not all(_has(ledger, topic + code) for topic in (ORDERS, UPDATES_OF))]


def _has(ledger: Ledger, topic: str) -> bool:
    try:
        return ledger.partitions(topic) > 0
    except NoTopic:
        return False


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
