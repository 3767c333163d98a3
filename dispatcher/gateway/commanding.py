"""Commands on `control` over HTTP: written as the command line writes them, and the engine's answer waited for."""

import time
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Query

from dispatcher.core.control import Command
from dispatcher.gateway.city import City
from dispatcher.ledger import Ledger
from dispatcher.policies.control import Submitted, answer_to, submit

__all__ = ["OUTCOME", "WaitS", "commanded", "ordered"]

WAIT_MAX_S: Final = 10.0
WaitS = Annotated[float, Query(ge=0, le=WAIT_MAX_S, description="How long to wait for what the engine says.")]
OUTCOME: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["command_id", "state"],
    "properties": {
        "command_id": {"type": "string", "description": "Of a mode that was set, the mode's own id."},
        "state": {"enum": ["on_its_way", "taken", "refused"]},
        "at": {"type": "string", "description": "When it was taken."},
        "detail": {"type": "string", "description": "Why it was refused."},
    },
}


async def ordered(city: City, name: str, make: Callable[..., Command], wait_s: float) -> dict[str, Any]:
    """Give a command the next number, write it and say what became of it.

    Raises:
        LedgerError: the ledger cannot be written.
    """
    return await commanded(city, await city.order(partial(submit, name=name, make=make)), wait_s)


async def commanded(city: City, submitted: Submitted, wait_s: float) -> dict[str, Any]:
    """What the engine has made of a command, as far as it is known after that time."""
    until_s = time.monotonic() + wait_s

    def look(ledger: Ledger) -> dict[str, Any] | None:
        answer = answer_to(ledger, submitted.written, submitted.end)
        if answer is None:
            return None
        return {"state": "taken", "at": answer.at} if answer.accepted else {"state": "refused", "detail": answer.detail}

    while True:
        version = city.version
        found = await city.consult(look)
        left_s = until_s - time.monotonic()
        if found is not None or left_s <= 0 or city.stopping:
            city.forget_modes()
            return {"command_id": submitted.command_id, **(found or {"state": "on_its_way"})}
        await city.changed(version, left_s)
