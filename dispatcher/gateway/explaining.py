"""Why: of an incident, recomputed and compared with what was recorded; and of a report that nobody has sent."""

import time
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.core import DAY_MS, IncidentRecord, datetime_to_ms
from dispatcher.core.messages import Instant, Report
from dispatcher.core.records import recorded_decisions
from dispatcher.explain import Explanation, Refusal, explain_incident, explain_under, in_mode, render, what_if
from dispatcher.gateway.access import Gate, Needs
from dispatcher.gateway.answers import json_answer
from dispatcher.gateway.atlas import Atlas
from dispatcher.gateway.bodies import decode_one, read_body
from dispatcher.gateway.city import City
from dispatcher.gateway.documents import OBJECT, answers, body_of_one, struct_schema
from dispatcher.gateway.drafts import Drafts
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.reading import LOOKING, visible
from dispatcher.gateway.roles import Person
from rules import Policy, load_canonical

__all__ = ["TRYING", "Tried", "Why", "explaining", "policy_known", "tried", "why"]

TRYING: Final = (
    "policy_editor", "policy_approver", "dispatcher", "shift_lead", "supervisor", "inspector", "analyst",
)  # fmt: skip
TRIED_DAYS_MAX: Final = 732  # from now, either way: calendars know the holidays of so long, or nearly
Sha = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Lang = Literal["zh", "en"]
_EXPLAINED: Final = {
    "type": "object",
    "properties": {
        "explanation": OBJECT,
        "text": {"type": "string", "description": "The same in words."},
        "rejected": {"type": "object", "description": "Of a report that would be: the stage, the reason, the detail."},
    },
}


class Tried(msgspec.Struct, forbid_unknown_fields=True):
    """A report to be tried: received at an instant (now), in a mode (the ordinary one), under a policy (in force)."""

    report: Report
    at: Instant | None = None
    mode: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    policy: Sha | None = None
    lang: Lang = "en"


_tried: Final = msgspec.json.Decoder(Tried)


class Why(NamedTuple):
    """An explanation with the policy that it is told by."""

    explanation: Explanation
    policy: Policy

    def document(self, lang: Lang) -> dict[str, Any]:
        """As it is answered."""
        return {"explanation": self.explanation, "text": render(self.explanation, self.policy, lang)}


def explaining(city: City, gate: Gate, atlas: Atlas, drafts: Drafts) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1", tags=["explanations"])
    may_look, may_try = Needs(gate, *LOOKING), Needs(gate, *TRYING)

    @router.get(
        "/incidents/{incident_id}/explain",
        responses=answers(200, "Why it was decided so.", _EXPLAINED, 401, 403, 404, 422, 429, 503),
    )
    async def explain_an_incident(
        incident_id: str,
        person: Annotated[Person, Depends(may_look)],
        policy: Annotated[
            str | None, Query(pattern="^[0-9a-f]{64}$", description="What this one would decide instead.")
        ] = None,
        lang: Lang = "en",
    ) -> Response:
        """Why an incident stands as it does: recomputed from its facts, and compared with what was recorded."""
        record = await visible(city, person, incident_id)
        told = await why(city, record)
        if policy is not None:
            other = await policy_known(city, drafts, policy)
            told = Why(await city.work(lambda: explain_under(other, told.policy, record)), other)
        return json_answer(told.document(lang))

    @router.post(
        "/policy/explain",
        responses=answers(200, "What would become of it.", _EXPLAINED, 400, 401, 403, 404, 413, 422, 429, 503),
        openapi_extra=body_of_one(struct_schema(Tried), "A report, and when, in which mode and under which policy."),
    )
    async def explain_a_report(request: Request, _person: Annotated[Person, Depends(may_try)]) -> Response:
        """What would become of a report if it were sent; nothing is recorded."""
        asked = decode_one(await read_body(request), _tried)
        found = await tried(city, atlas, drafts, asked)
        if isinstance(found, Refusal):
            return json_answer({"rejected": found})
        return json_answer(found.document(asked.lang))

    return router


async def why(city: City, record: IncidentRecord) -> Why:
    """Why an incident stands as it does. Raises Problem: the policy it was decided under is not kept."""
    policy = await city.policy_of(record.decision.policy)
    if policy is None:
        raise Problem(404, "not_found", f"the policy {record.decision.policy[:12]} is not in the ledger")

    events = [kept.value or b"" for kept in await city.events_of(record.incident_id)]
    recorded = recorded_decisions(events).get(record.decision_seq)
    return Why(await city.work(lambda: explain_incident(policy, record, recorded, events)), policy)


async def tried(city: City, atlas: Atlas, drafts: Drafts, asked: Tried) -> Why | Refusal:
    """What would become of a report. Raises Problem: 404 no such policy, 422 no such mode, or too far from now."""
    policy = await city.policy() if asked.policy is None else await policy_known(city, drafts, asked.policy)
    now_ms = time.time_ns() // 1_000_000
    at_ms = now_ms if asked.at is None else datetime_to_ms(asked.at)
    if abs(at_ms - now_ms) > TRIED_DAYS_MAX * DAY_MS:
        raise Problem(422, "invalid", f"at: within {TRIED_DAYS_MAX} days of now")
    try:
        deciding = policy if asked.mode is None else in_mode(policy, asked.mode)
    except ValueError as error:
        raise Problem(422, "invalid", f"there is no such mode; the policy has {', '.join(policy.modes)}") from error
    report = msgspec.json.encode(asked.report)

    def decide() -> Why | Refusal:
        with atlas.asking():
            done = what_if(deciding, atlas.intake, atlas.grid.sha256, report, at_ms)
        if isinstance(done, Refusal):
            return done
        record, events = done
        return Why(explain_incident(policy, record, None, events, hypothetical=True), policy)

    return await city.work(decide)


async def policy_known(city: City, drafts: Drafts, sha256: str) -> Policy:
    """A policy of the ledger, or a draft. Raises Problem: 404."""
    policy = await city.policy_of(sha256)
    if policy is not None:
        return policy
    canonical = drafts.canonical(sha256)
    if canonical is None:
        raise Problem(404, "not_found", f"no policy {sha256[:12]} is kept here, nor was it handed in")
    return await city.work(lambda: load_canonical(canonical))
