"""How the policy in force came to it: every activation, taken, refused or waiting; and what was handed in."""

from typing import Any, Final, Literal, NamedTuple

import msgspec

from dispatcher.core import CONTROL, ms_to_text
from dispatcher.core.control import Activate
from dispatcher.core.messages import Actor
from dispatcher.gateway.city import City
from dispatcher.gateway.drafts import Drafts
from dispatcher.hosts.embedded import PARTITION
from dispatcher.policies.control import standing, written_commands
from dispatcher.policies.past import ACTIVATED, Activated
from dispatcher.views import Projection, refusal

__all__ = ["Enacted", "enacted", "ever_in_force"]

TOLD_MAX: Final = 100  # of the history, the last
Outcome = Literal["in_force", "replaced", "refused", "waiting"]


class Enacted(NamedTuple):
    """One activation; the first policy's is of the ledger's beginning."""

    at: str
    sha256: str
    outcome: Outcome
    name: str
    version: str
    by: str
    reason: str
    detail: str = ""


class _Named(msgspec.Struct):
    name: str = ""
    version: str = ""


class _Header(msgspec.Struct):
    header: _Named = msgspec.field(default_factory=_Named)


_activated: Final = msgspec.json.Decoder(Activated)
_header: Final = msgspec.json.Decoder(_Header)


async def enacted(city: City, drafts: Drafts) -> dict[str, Any]:
    """The policy in force, the history the last first, the drafts the last first."""
    in_force = await city.policy()
    history = [each._asdict() for each in await _history(city)]
    now = next((each for each in history if each["outcome"] == "in_force"), {})
    kept = drafts.all()
    return {
        "in_force": {**now, "sha256": in_force.sha256, "name": in_force.name, "version": in_force.version},
        "history": history[:TOLD_MAX],
        "drafts": [{**each._asdict(), "at": ms_to_text(each.at_ms)} for each in kept],
    }


async def ever_in_force(city: City) -> set[str]:
    """The sha256 of every policy that was."""
    return {each.sha256 for each in await _taken(city)}


async def _history(city: City) -> list[Enacted]:
    known: dict[str, _Named] = {}

    async def made(at: str, sha256: str, outcome: Outcome, by: Actor | None, reason: str, detail: str = "") -> Enacted:
        if sha256 not in known:
            document = await city.document_of(sha256)
            known[sha256] = _Named() if document is None else _header.decode(document).header
        named, who = known[sha256], "" if by is None else by.person or by.role
        return Enacted(at, sha256, outcome, named.name, named.version, who, reason, detail)

    taken = await _taken(city)
    found = [
        await made(each.at, each.sha256, "replaced" if n + 1 < len(taken) else "in_force", each.by, each.reason)
        for n, each in enumerate(taken)
    ]
    for at_ms, command, detail in await _untaken(city):
        outcome: Outcome = "waiting" if detail is None else "refused"
        said = (command.actor, command.reason or "", detail or "")
        found.append(await made(ms_to_text(at_ms), command.sha256, outcome, *said))
    return sorted(found, key=lambda each: each.at, reverse=True)


async def _taken(city: City) -> list[Activated]:
    events = await city.events_of(CONTROL)
    return [_activated.decode(kept.value) for kept in events if kept.value is not None and ACTIVATED in kept.value]


async def _untaken(city: City) -> list[tuple[int, Activate, str | None]]:
    """Those that were refused with why, and those that wait: when, what, why not."""
    written, waiting = await city.consult(lambda ledger: (written_commands(ledger), standing(ledger).waiting))
    offsets = {each.offset for each in waiting}

    def look(view: Projection) -> list[tuple[int, Activate, str | None]]:
        found: list[tuple[int, Activate, str | None]] = []
        for each in written:
            if isinstance(each.command, Activate):
                why = refusal(view, CONTROL, PARTITION, each.offset)
                if why is not None or each.offset in offsets:
                    found.append((each.time_ms, each.command, None if why is None else why.detail))
        return found

    return await city.read(look)
