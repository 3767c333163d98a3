"""The page of the policy: which is in force and how it came to it, how its rules fare, and a report tried under it.

What is done there, to check, hand in, approve and roll back, goes to `/v1/policy` as any program's would.
"""

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.console.names import Names, Plain
from dispatcher.console.rule_cards import RuleCards
from dispatcher.console.visiting import PAGES, Front, Visitor
from dispatcher.core import ms_to_text, text_to_ms
from dispatcher.gateway.drafts import Drafts
from dispatcher.gateway.enacted import enacted
from dispatcher.gateway.explaining import TRYING
from dispatcher.gateway.policy import DRAFTING

__all__ = ["policy_pages"]

START: Final = ms_to_text(0)  # the first policy of a ledger is in force before its first record, whenever that was
HISTORY_SHOWN: Final = 20


def policy_pages(front: Front, drafts: Drafts, *, four_eyes: bool) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/console/policy")
    cards = RuleCards(front.city)

    @router.get("")
    async def policy_page(request: Request) -> Response:
        visitor = await front.visitor(request)
        if not visitor.person.has(*PAGES["policy"]):
            return front.problem(request, visitor)
        policy = visitor.names.policy
        return front.page(
            "policy.html", request, visitor, title="policy", **(await _standing(front, drafts, visitor, four_eyes)),
            holds={name: len(getattr(policy, name)) for name in ("guards", "routes", "overlays")},
            tries=visitor.person.has(*TRYING), drafting=visitor.person.has(*DRAFTING), modes=policy.modes,
            categories=[Plain(code, visitor.names.category(code)) for code in policy.categories],
            sources=[Plain(code, visitor.names.source(code)) for code in policy.sources],
        )  # fmt: skip

    @router.get("/standing")
    async def policy_standing(request: Request) -> Response:
        visitor = await front.visitor(request)
        if not visitor.person.has(*PAGES["policy"]):
            return Response(status_code=204)
        return front.drawn(
            "policy_standing.html", visitor.texts, **(await _standing(front, drafts, visitor, four_eyes))
        )

    @router.get("/cards")
    async def policy_cards(request: Request) -> Response:
        visitor = await front.visitor(request)
        if not visitor.person.has(*PAGES["policy"]):
            return Response(status_code=204)
        found = await cards.counted(visitor.names.policy)
        return front.drawn("policy_cards.html", visitor.texts, cards=found.cards, more=found.more)

    return router


async def _standing(front: Front, drafts: Drafts, visitor: Visitor, four_eyes: bool) -> dict[str, Any]:
    found, names = await enacted(front.city, drafts), visitor.names
    now = found["in_force"]
    approves = visitor.person.has("policy_approver")
    history = [
        {
            **each,
            "at": _at(each["at"], names),
            "back": approves and each["outcome"] == "replaced" and each["sha256"] != now["sha256"],
        }
        for each in found["history"][:HISTORY_SHOWN]
    ]
    return {
        "now": {**now, "at": _at(now.get("at", START), names), "by": now.get("by", "")},
        "history": history,
        "drafts": [
            {
                **each,
                "at": names.at(each["at_ms"]),
                "by": ", ".join(each["by"]),
                "own": four_eyes and drafts.is_of(each["sha256"], visitor.person),
            }
            for each in found["drafts"]
            if each["sha256"] != now["sha256"]
        ],
        "approves": approves,
    }


def _at(at: str, names: Names) -> str:
    return names.texts("from_start") if at == START else names.at(text_to_ms(at))
