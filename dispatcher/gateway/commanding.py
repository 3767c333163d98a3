"""Commands on `control` over HTTP: written as the command line writes them, and the engine's answer waited for."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Query

from dispatcher.core.control import Command
from dispatcher.gateway.city import City
from dispatcher.gateway.problems import Problem
from dispatcher.ledger import InDoubt, Ledger
from dispatcher.policies.control import Answer, Submitted, answer_to, overtaken, submit

__all__ = ["OUTCOME", "WaitS", "commanded", "ordered"]

WAIT_MAX_S: Final = 10.0
TRIES: Final = 3  # of one order, where others are given at the same moment
LOOK_AGAIN_S: Final = 0.5  # the projection may have told of it a moment before the partition's state does
WaitS = Annotated[float, Query(ge=0, le=WAIT_MAX_S, description="How long to wait for what the engine says.")]
OUTCOME: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["command_id", "state"],
    "properties": {
        "command_id": {"type": "string", "description": "Of a mode that was set, the mode's own id."},
        "state": {"enum": ["on_its_way", "taken", "refused"]},
        "at": {"type": "string", "description": "When it was taken."},
        "detail": {"type": "string", "description": "Why it was refused, or by which part of the partitions."},
    },
}


async def ordered(city: City, name: str, make: Callable[..., Command], wait_s: float) -> dict[str, Any]:
    """Give a command the next number, write it and say what became of it.

    Raises:
        Problem: 503, it is not known whether it was written.
        LedgerError: the ledger cannot be written.
    """
    told = await commanded(city, partial(submit, name=name, make=make), wait_s)
    assert told is not None  # noqa: S101 - there is always something to write
    return told


async def commanded(city: City, write: Callable[[Ledger], Submitted | None], wait_s: float) -> dict[str, Any] | None:
    """Write a command, and say what the engine has made of it, as far as it is known after that time.

    One that was refused since another was given at the same moment, and so has done nothing, is written anew.

    Args:
        city: whose command it is.
        write: with what is in force and the number that comes next then; None when there is nothing to be done.
        wait_s: for the answer.

    Raises:
        Problem: 503, it is not known whether it was written.
        LedgerError: the ledger cannot be written.
    """
    until_s, left = time.monotonic() + wait_s, TRIES
    while True:
        submitted = await _written(city, write)
        if submitted is None:
            return None
        answer, left = await _answer(city, submitted, until_s), left - 1
        city.forget_modes()
        refused = answer is not None and not answer.accepted
        if not (refused and left and await city.consult(partial(_overtaken, submitted=submitted))):
            return {"command_id": submitted.command_id, **_told(answer)}


async def _written(city: City, write: Callable[[Ledger], Submitted | None]) -> Submitted | None:
    try:
        return await city.order(write)
    except InDoubt as doubt:  # ordered again it would have another number, and could be done twice
        raise Problem(503, "in_doubt", f"{doubt}; it may have been ordered: look before you order again") from doubt


async def _answer(city: City, submitted: Submitted, until_s: float) -> Answer | None:
    while True:
        version, begun_s = city.version, time.monotonic()
        answer = await city.consult(lambda ledger: answer_to(ledger, submitted.written, submitted.ends))
        now_s = time.monotonic()
        if answer is not None or now_s >= until_s or city.stopping:
            return answer
        await asyncio.sleep(min(now_s - begun_s, until_s - now_s))  # of many partitions a look takes a while
        await city.changed(version, min(LOOK_AGAIN_S, max(0.0, until_s - time.monotonic())))


def _overtaken(ledger: Ledger, submitted: Submitted) -> bool:
    return overtaken(ledger, submitted.written, submitted.ends)


def _told(answer: Answer | None) -> dict[str, str]:
    if answer is None:
        return {"state": "on_its_way"}
    told = {"state": "taken", "at": answer.at} if answer.accepted else {"state": "refused"}
    return told | ({"detail": answer.detail} if answer.detail else {})
