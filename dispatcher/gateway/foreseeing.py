"""What a mode, or deciding again, would be about: the open incidents, seen on a copy of what the engine knows."""

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from dispatcher.core import DAY_MS, ms_to_text
from dispatcher.core.control import EndMode, SetMode
from dispatcher.core.modes import ModeSpan
from dispatcher.gateway.city import City
from dispatcher.ledger import Ledger
from dispatcher.policies.control import standing, written_commands
from dispatcher.policies.present import all_present
from dispatcher.policies.scope import Foreseen, foresee_all, lead_of

__all__ = ["foreseen_here", "held_modes", "told_foreseen", "waiting_modes"]

TOLD_MAX: Final = 200  # incidents of a re-routing told one by one
GROUPS_MAX: Final = 100


class Held(NamedTuple):
    """A mode that holds. `over`: its time is past, and the engine has not come to it yet."""

    mode_id: str
    mode: str
    cells: tuple[str, ...]
    since: str
    until: str
    reason: str | None
    by: str | None
    over: bool


async def held_modes(city: City) -> list[dict[str, Any]]:
    """The modes that hold, with who set them."""
    spans = await city.modes()
    if not spans:
        return []
    now_ms = time.time_ns() // 1_000_000
    who = await city.recalled([span.mode_id for span in spans], _set_by)
    return [
        Held(
            span.mode_id, span.mode, span.cells, ms_to_text(span.since_ms), ms_to_text(span.until_ms), span.reason,
            who[span.mode_id] or None, span.until_ms <= now_ms,
        )._asdict()
        for span in spans
    ]  # fmt: skip


async def waiting_modes(city: City) -> int:
    """How many commands about modes the engine has not come to yet."""
    waiting = await city.consult(lambda ledger: standing(ledger).waiting)
    return sum(isinstance(written.command, SetMode | EndMode) for written in waiting)


def _set_by(ledger: Ledger) -> dict[str, str]:
    """Who set each mode there ever was."""
    commands = [written.command for written in written_commands(ledger)]
    return {
        command.command_id: command.actor.person or command.actor.role
        for command in commands
        if isinstance(command, SetMode) and command.actor is not None
    }


def foreseen_here(ledger: Ledger, cells: Sequence[str], mode: str | None) -> Foreseen:
    """What is open in some cells, and what deciding it again would change, with a mode there that is not set yet."""
    now_ms = time.time_ns() // 1_000_000
    span = None if mode is None else ModeSpan("foreseen", mode, now_ms, now_ms + DAY_MS, tuple(cells))
    return foresee_all(all_present(ledger), cells, span)


def told_foreseen(found: Foreseen) -> dict[str, Any]:
    """As it is answered: counts of all, the gravest and the first of what would change one by one."""
    return {
        "open": found.scope.open,
        "groups": [
            {"category": category, "lead": lead, "open": count}
            for (category, lead), count in found.scope.groups.most_common(GROUPS_MAX)
        ],
        "gravest": [
            {
                "incident_id": each.incident_id,
                "severity": each.severity,
                "category": each.category,
                "lead": lead_of(each),
                "state": str(each.state),
                "mode": each.mode,
                "opened_at": ms_to_text(each.opened_ms),
            }
            for each in found.scope.gravest
        ],
        "reroute": {**found.counts(), "incidents": [each._asdict() for each in found.rerouted[:TOLD_MAX]]},
    }
