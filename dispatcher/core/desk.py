"""The acceptor's desk: what needs nobody sent out, and whose line is whose."""

from dispatcher.core.closing import end
from dispatcher.core.incident import Incident
from dispatcher.core.instants import MINUTE_MS, ms_to_text
from dispatcher.core.messages import Reason
from dispatcher.core.privacy import mask_code, mask_text
from dispatcher.core.step import Refused, Step

__all__ = [
    "CLAIM_MS",
    "answer_at_desk",
    "claim",
    "refer",
    "release",
    "require_unclaimed",
    "review",
    "self_handled",
]

CLAIM_MS = 15 * MINUTE_MS  # a line nobody has touched for so long is free again


def answer_at_desk(step: Step) -> None:
    """An inquiry answered on the spot: an end of its own, in no closure rate."""
    step.change.entry("answered")
    _end(step, "answer")


def refer(step: Step) -> None:
    """Another body's matter: handed over with the number it has there."""
    body = mask_code(step.update.body or "")
    if not step.system and step.book.policy.reason("refer", step.update.body or "") is None:
        raise Refused(Reason.NOT_ALLOWED, f"{body} is not a body the policy refers to")
    number = step.update.external_no
    step.incident.external = body if number is None else f"{body}/{mask_code(number)}"
    step.change.entry("referred", body=body)
    _end(step, "refer")


def self_handled(step: Step) -> None:
    """The grid officer who found it has settled it: recorded and closed, where the category allows it."""
    category = None if step.incident.category is None else step.book.policy.category(step.incident.category)
    if category is None or not category.self_handled:
        raise Refused(Reason.NOT_ALLOWED, f"category {step.incident.category} is not one an officer settles alone")
    if category.evidence and not step.update.media and not step.system:
        raise Refused(Reason.NOT_ALLOWED, f"self_handled needs evidence: {', '.join(category.evidence)}")
    _end(step, "self_handle")


def review(step: Step) -> None:
    """What anybody may read of it, in the words of whoever has looked through the report; no words take it back.

    Numbers and addresses are masked all the same. Only of a category that the policy makes public.
    """
    incident = step.incident
    category = step.book.policy.category(incident.category)
    if category is None or not category.public:
        raise Refused(Reason.NOT_ALLOWED, f"category {incident.category} is not one that anybody may see")
    incident.text = mask_text(step.update.text or "").strip() or None
    step.change.entry("reviewed", shown=incident.text is not None)


def _end(step: Step, what: str) -> None:
    step.move(what)
    end(step)


def claim(step: Step) -> None:
    """Take a line of the queue: nobody else decides on it until it is released, or for a quarter of an hour."""
    incident = step.incident
    incident.claimed_by = step.actor_name
    incident.claim_until_ms = step.now_ms + CLAIM_MS
    step.change.entry("claimed", by=incident.claimed_by, until=ms_to_text(incident.claim_until_ms))
    step.change.queue = "claimed"


def release(step: Step) -> None:
    """Let go of a line; a shift lead may let go of anybody's."""
    incident = step.incident
    if incident.claimed_by is None:
        raise Refused(Reason.NOT_ALLOWED, "nobody has claimed it")
    incident.claimed_by = incident.claim_until_ms = None
    step.change.entry("released")
    step.change.queue = "released"


def require_unclaimed(step: Step, incident: Incident) -> None:
    """Two operators never work one line.

    Raises:
        Refused: somebody else at the centre has claimed it.
    """
    if incident.claimed_by is None or step.actor.role not in ("acceptor", "dispatcher"):
        return
    if incident.claimed_by != step.actor_name:
        raise Refused(Reason.NOT_ALLOWED, f"{incident.claimed_by} is working on it; a shift lead may release it")
