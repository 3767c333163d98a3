"""What somebody may do about an incident as it stands: the buttons of its page, each with what it already knows.

From the engine's own table, so a button is offered exactly when the action would not be refused for role or state.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from dispatcher.console.forms import FORMS, REQUESTS, Field
from dispatcher.core import Action, AssignmentState, IncidentRecord, IncidentState
from dispatcher.core.actions import ACTION_TABLE, refusal
from dispatcher.core.incident import party
from dispatcher.core.lifecycle import SENT_OUT
from dispatcher.core.messages import Actor
from dispatcher.core.records import AssignmentRecord
from dispatcher.core.requests import REQUESTABLE
from dispatcher.gateway.roles import Person
from dispatcher.views import live_parties
from rules import Policy

__all__ = ["Offer", "offers"]

_BY_PART: Final = frozenset(
    {
        Action.END_HOLD, Action.REFUSE_RETURN, Action.ACCEPT_RETURN, Action.RECALL, Action.CONFIRM_ARRIVAL, Action.RATE,
    }
)  # fmt: skip
_FIRST: Final = frozenset(
    {Action.ACKNOWLEDGE, Action.ARRIVE, Action.DONE, Action.VERIFY, Action.FILE, Action.CHECK, Action.CALLBACK,
     Action.APPROVE, Action.REOPEN, Action.ACCEPT_RETURN, Action.REPLY}
)  # fmt: skip


class Offer(NamedTuple):
    """An action that is open: in which role, about which part or number, and what else is to be filled in."""

    action: Action
    role: str
    fields: tuple[Field, ...]
    given: dict[str, str | int]
    about: str = ""  # a party, or what a number stands for
    first: bool = False  # what the incident waits for

    @property
    def at_once(self) -> bool:
        """Whether there is nothing to fill in."""
        return all(field.kind == "hidden" for field in self.fields)


def offers(person: Person, record: IncidentRecord, policy: Policy) -> list[Offer]:
    """In the order of the engine's table; the role is the first of the person's that may."""
    found: dict[tuple[Action, str], Offer] = {}
    live = live_parties(record)
    for own, actor in zip(person.roles, person.actors(), strict=True):
        if person._replace(roles=(own,)).sees(record.place.path, live):
            for offer in _of(own, actor, record, policy):
                found.setdefault((offer.action, f"{offer.about}{offer.given}"), offer)
    order = list(ACTION_TABLE)
    return sorted(found.values(), key=lambda offer: (not offer.first, order.index(offer.action)))


def _of(own: str, actor: Actor, record: IncidentRecord, policy: Policy) -> Iterator[Offer]:
    parts = _parts(record)
    if actor.role == "department":
        mine = _own_part(parts, actor)
        if mine is None:
            return
        parts = [mine]
    for action, rule in ACTION_TABLE.items():
        if actor.role not in rule.roles:
            continue
        if rule.assignment is None or actor.role == "department":
            state = parts[0].state if rule.assignment is not None and parts else None
            if refusal(action, record.state, state, actor) is None:
                yield from _asked(action, own, actor, record, policy)
        elif action in _BY_PART:
            for part in parts:
                if refusal(action, record.state, part.state, actor) is None and not _moot(action, part, record):
                    about = party(part.department, part.unit)
                    yield _offer(action, own, about, {"department": about})


def _asked(action: Action, own: str, actor: Actor, record: IncidentRecord, policy: Policy) -> Iterator[Offer]:
    """One offer, or one for each thing the action can be about."""
    if action is Action.REQUEST:
        part = _own_part(_parts(record), actor)
        for kind, fields in REQUESTS.items():
            askable = kind == "exempt" or record.state in SENT_OUT
            if part is not None and part.state in REQUESTABLE[kind] and askable and _has_reasons(fields, policy):
                yield Offer(action, own, fields, {"kind": kind}, kind)
    elif action in (Action.APPROVE, Action.REFUSE):
        for request in record.requests:
            if request.state == "open" and not (request.kind == "exempt" and actor.role == "dispatcher"):
                yield _offer(action, own, f"{request.number}", {"number": request.number})
    elif action in (Action.REPLY, Action.CLEAR, Action.MILESTONE):
        for each in record.supervision:
            if each.cleared_at is not None or (actor.role == "department" and each.party != _party_of(record, actor)):
                continue
            if action is Action.MILESTONE:
                for step in each.milestones:
                    if step.reached_at is None:
                        yield _offer(action, own, step.name, {"number": each.number, "name": step.name})
            elif (each.replied_at is None) == (action is Action.REPLY):
                yield _offer(action, own, f"{each.number}", {"number": each.number})
    elif not _pointless(action, record, policy) and _has_reasons(FORMS[action], policy):
        yield _offer(action, own)


def _offer(action: Action, own: str, about: str = "", given: dict[str, str | int] | None = None) -> Offer:
    return Offer(action, own, FORMS[action], given or {}, about, action in _FIRST)


def _has_reasons(fields: tuple[Field, ...], policy: Policy) -> bool:
    """Whether the policy gives something to choose from wherever a reason has to be chosen."""
    return all(policy.reasons_of(field.of) for field in fields if field.kind == "reason" and field.required)


def _pointless(action: Action, record: IncidentRecord, policy: Policy) -> bool:
    """Open by the table, and refused for what the incident is."""
    sounding = record.whistle is not None and record.whistle.ended_at is None
    if action is Action.WHISTLE:
        return sounding
    if action is Action.END_WHISTLE:
        return not sounding
    if action is Action.VERIFY:
        return record.verify_at is None and record.state is not IncidentState.VERIFYING
    if action is Action.SELF_HANDLED:
        category = policy.category(record.category)
        return category is None or not category.self_handled
    if action is Action.REVIEW:
        category = policy.category(record.category)
        return category is None or not category.public
    if action is Action.SPLIT:
        return record.report_count < 2 and record.state is not IncidentState.MERGED
    if action is Action.CLAIM:
        return record.claimed_by is not None
    return action is Action.RELEASE and record.claimed_by is None


def _moot(action: Action, part: AssignmentRecord, record: IncidentRecord) -> bool:
    """A lead's return is accepted by assigning another."""
    return action is Action.ACCEPT_RETURN and part is record.lead


def _parts(record: IncidentRecord) -> list[AssignmentRecord]:
    lead = [] if record.lead is None else [record.lead]
    return [part for part in [*lead, *record.support] if part.state is not AssignmentState.WITHDRAWN]


def _own_part(parts: Sequence[AssignmentRecord], actor: Actor) -> AssignmentRecord | None:
    """As the engine finds it: of exactly this unit; without one the department's own, or the first of its units'."""
    mine = [part for part in parts if part.department == actor.department]
    exact = [part for part in mine if part.unit == actor.unit]
    return next(iter(exact or (mine if actor.unit is None else [])), None)


def _party_of(record: IncidentRecord, actor: Actor) -> str | None:
    part = _own_part(_parts(record), actor)
    return None if part is None else party(part.department, part.unit)
