"""The page of modes: what holds where, and for those who may, to set one, end one and decide open incidents again.

What is ordered goes to `/v1/modes` as any program's would; what it would be about is drawn here, before.
"""

from typing import Any, Final

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.console.names import Names, Plain
from dispatcher.console.visiting import PAGES, Front, Visitor
from dispatcher.core import text_to_ms
from dispatcher.gateway.access import Needs
from dispatcher.gateway.bodies import decode_one, read_body
from dispatcher.gateway.foreseeing import held_modes, waiting_modes
from dispatcher.gateway.moding import ORDERING, Looking, foreseen_for
from dispatcher.gateway.roles import CITY, Person
from dispatcher.policies.scope import NOBODY, Foreseen, lead_of

__all__ = ["mode_pages"]

CHOSEN_FROM_MAX: Final = 200  # cells to choose from: the two widest levels of a city; others are named by their codes
GROUPS_SHOWN: Final = 12
CHANGES_SHOWN: Final = 30
HOURS: Final = (1, 3, 6, 12)
DAYS: Final = (1, 3)

_looking: Final = msgspec.json.Decoder(Looking)


def mode_pages(front: Front) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/console/mode")
    may_order = Needs(front.gate, *ORDERING)

    @router.get("")
    async def mode_page(request: Request) -> Response:
        visitor = await front.visitor(request)
        if not visitor.person.has(*PAGES["mode"]):
            return front.problem(request, visitor)
        policy = visitor.names.policy
        return front.page(
            "mode.html", request, visitor, title="mode", **(await _held(front, visitor)),
            settable=policy.modes[1:], cells=_cells(visitor.names, visitor.person), hours=HOURS, days=DAYS,
            anywhere=CITY in visitor.person.areas,
        )  # fmt: skip

    @router.get("/held")
    async def mode_held(request: Request) -> Response:
        visitor = await front.visitor(request)
        if not visitor.person.has(*PAGES["mode"]):
            return Response(status_code=204)
        return front.drawn("mode_held.html", visitor.texts, **(await _held(front, visitor)))

    @router.post("/foreseen")
    async def mode_foreseen(request: Request) -> Response:
        person = await may_order(request)
        asked = decode_one(await read_body(request), _looking)
        found = await foreseen_for(front.city, front.grid, person, asked)
        visitor = await front.visitor(request)
        return front.drawn("foreseen.html", visitor.texts, **_drawn(found, visitor.names))

    return router


async def _held(front: Front, visitor: Visitor) -> dict[str, Any]:
    names = visitor.names
    held = [
        {
            **each,
            "where": names.cells(each["cells"]),
            "since": names.at(text_to_ms(each["since"])),
            "until": names.at(text_to_ms(each["until"])),
            "theirs": _theirs(names, visitor.person, each["cells"]),
        }
        for each in await held_modes(front.city)
    ]
    return {
        "held": held,
        "waiting": await waiting_modes(front.city),
        "ordinary": names.policy.modes[0],
        "acts": visitor.person.has(*ORDERING),
    }


def _theirs(names: Names, person: Person, cells: tuple[str, ...]) -> bool:
    """Whether somebody's areas hold all of a mode's cells."""
    inside = bool(cells) and all(cell in names.grid and person.within(names.grid.path(cell)) for cell in cells)
    return CITY in person.areas or inside


def _cells(names: Names, person: Person) -> list[Plain]:
    """The cells of the widest levels that somebody may order in, each below the one around it."""
    grid = names.grid
    found = sorted((grid.path(code) for level in (1, 2) for code in grid.cells_at(level)), key=list)
    reached = [path for path in found if person.within(path)]
    return [Plain(path[-1], " › ".join(map(names.cell, path))) for path in reached[:CHOSEN_FROM_MAX]]


def _drawn(found: Foreseen, names: Names) -> dict[str, Any]:
    scope = found.scope
    return {
        "open": scope.open,
        "counts": found.counts(),
        "groups": [
            (_category(category, names), _party(lead, names), count)
            for (category, lead), count in scope.groups.most_common(GROUPS_SHOWN)
        ],
        "groups_more": max(0, len(scope.groups) - GROUPS_SHOWN),
        "gravest": [
            (each.incident_id, each.severity, _category(each.category or NOBODY, names), _party(lead_of(each), names))
            for each in scope.gravest
        ],
        "changes": [
            {
                "incident_id": each.incident_id,
                "lead": (_party(each.lead_before, names), _party(each.lead_after, names)),
                "support": [_party(party, names) for party in each.support_added],
                "severity": (each.severity_before, each.severity_after),
            }
            for each in found.rerouted[:CHANGES_SHOWN]
        ],
        "changes_more": max(0, len(found.rerouted) - CHANGES_SHOWN),
    }


def _category(code: str, names: Names) -> str:
    return "–" if code == NOBODY else names.category(code, code)


def _party(party: str, names: Names) -> str:
    return names.texts("nobody") if party == NOBODY else names.party(party)
