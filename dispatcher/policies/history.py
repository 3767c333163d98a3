"""Which policy was in force when: every activation, taken, refused or waiting, and what was decided under it."""

from typing import Literal

import msgspec
from msgspec import Struct

from dispatcher.core import CONTROL, ms_to_text
from dispatcher.core.control import Activate, Command
from dispatcher.ledger import Ledger
from dispatcher.policies.control import standing, written_commands
from dispatcher.policies.past import DECISION, Activated, Progress, everything, past_events
from rules import Policy, load_canonical

__all__ = ["Enactment", "enactments"]


class Enactment(Struct):
    """One activation.

    `incidents` counts those whose first decision was taken under it: by the policy, and of several times that one
    policy was put in force by the latest before the decision. One that waited for verification while a new policy came
    counts for the old one, under which it was opened.
    """

    at: str
    sha256: str
    outcome: Literal["in_force", "replaced", "refused", "waiting"]
    name: str = ""
    version: str = ""
    by: str = ""
    reason: str = ""
    detail: str = ""
    incidents: int = 0


def enactments(ledger: Ledger, on_progress: Progress | None = None) -> list[Enactment]:
    """Every activation in the order of time, the first policy's too; reads `events` and `rejected` once.

    Memory: one entry per activation, whatever the number of incidents.
    """
    taken: list[Enactment] = []
    latest: dict[str, Enactment] = {}
    for event in past_events(ledger, (DECISION,), on_progress):
        if isinstance(event, Activated):
            by = "" if event.by is None else event.by.person or event.by.role
            made = Enactment(event.at, event.sha256, "replaced", by=by, reason=event.reason)
            taken.append(made)
            latest[event.sha256] = made
            continue
        for change in event.changes:
            if change.event == "decision" and change.seq == 1:
                latest[change.policy].incidents += 1
    if taken:
        taken[-1].outcome = "in_force"
    found = [*taken, *_refused(ledger), *_waiting(ledger)]
    found.sort(key=lambda made: made.at)
    known: dict[str, Policy] = {}
    for made in found:
        policy = _policy(ledger, made.sha256, known)
        if policy is not None:
            made.name, made.version = policy.name, policy.version
    return found


def _refused(ledger: Ledger) -> list[Enactment]:
    commands = {f"{CONTROL}/0/{written.offset}": written.command for written in written_commands(ledger)}
    return [
        _told(commands[kept.key], ms_to_text(kept.time_ms), "refused", msgspec.json.decode(kept.value)["detail"])
        for kept in everything(ledger, "rejected")
        if isinstance(commands.get(kept.key), Activate | None) and kept.key in commands and kept.value is not None
    ]


def _waiting(ledger: Ledger) -> list[Enactment]:
    return [
        _told(command, ms_to_text(at_ms), "waiting")
        for _, _, at_ms, command in standing(ledger).waiting
        if isinstance(command, Activate | None)
    ]


def _told(command: Command | None, at: str, outcome: Literal["refused", "waiting"], detail: str = "") -> Enactment:
    if not isinstance(command, Activate):  # one that cannot be read
        return Enactment(at, "", outcome, detail=detail)
    by = "" if command.actor is None else command.actor.person or command.actor.role
    return Enactment(at, command.sha256, outcome, by=by, reason=command.reason or "", detail=detail)


def _policy(ledger: Ledger, sha256: str, known: dict[str, Policy]) -> Policy | None:
    if sha256 not in known:
        document = ledger.newest("policies", sha256)
        if document is None:
            return None
        known[sha256] = load_canonical(document)
    return known[sha256]
