"""A rule's report card: how often it decided, and what people then thought of it.

For what decided on the lead (route, guard or the fallback by its reason): incidents it decided first, those it
dispatched and of them those whose first lead was never replaced, overrides by the centre afterwards, the first lead's
returns and how many were upheld (another lead was named; refused ones were offered to it again). For an overlay:
incidents it bore on, and the returns of supports it asked for, upheld when the support was let go.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from dispatcher.core import ENDED_STATES, AssignmentState, IncidentState
from dispatcher.core.incident import party
from dispatcher.ledger import Ledger
from dispatcher.policies.past import ASSIGNMENT, DECISION, Activated, PastChange, PastEvent, Progress, past_events
from rules import Party, Policy

__all__ = ["WANTED", "Card", "Cards", "report_cards"]

Kind = Literal["route", "overlay", "guard", "fallback"]
WANTED = (DECISION, ASSIGNMENT)  # of the past: what these are counted from
_KINDS: tuple[Kind, ...] = ("guard", "route", "fallback", "overlay")


class Card(Struct):
    """What became of one rule's decisions. `stayed` of `dispatched`; both are 0 for overlays."""

    rule: str
    kind: Kind
    hits: int = 0
    dispatched: int = 0
    stayed: int = 0
    overrides: int = 0
    returns: int = 0
    upheld: int = 0


class _Support(Struct):
    department: str
    unit: str | None
    by: tuple[str, ...]


class _Decision(Struct):
    guard: str | None
    route: str | None
    fallback: str | None
    overlays: tuple[str, ...]
    lead: Party
    support: tuple[_Support, ...]


class _Life(Struct):
    """An incident that has not ended: what decided on it first, and what has become of that."""

    card: Card
    lead: str  # the first, as one word
    dispatched: bool = False
    replaced: bool = False
    overlays: set[str] = set()
    asked_by: dict[str, tuple[str, ...]] = {}


_decision = msgspec.json.Decoder(_Decision)


def report_cards(ledger: Ledger, policy: Policy | None, on_progress: Progress | None = None) -> list[Card]:
    """The cards of every rule that ever decided, and of those in `policy` that never did.

    Reads `events` once. Memory: a card a rule, and a few hundred bytes for each incident that is open at the time.
    """
    cards = Cards()
    for event in past_events(ledger, WANTED, on_progress):
        cards.add(event)
    return cards.all(policy)


class Cards:
    """The cards as far as the past was told, which may be told on: an event at a time, in order."""

    def __init__(self) -> None:
        self._cards: dict[tuple[Kind, str], Card] = {}
        self._lives: dict[str, _Life] = {}

    def all(self, policy: Policy | None) -> list[Card]:
        """The cards of every rule that ever decided, and of those in `policy` that never did, as of now."""
        named: list[tuple[Kind, str]] = []
        if policy is not None:
            named += [("guard", rule.id) for rule in policy.guards]
            named += [("route", rule.id) for rule in policy.routes]
            named += [("overlay", rule.id) for rule in policy.overlays]
        found = {key: Card(key[1], key[0]) for key in named}
        found |= {key: replace(card) for key, card in self._cards.items()}
        for life in self._lives.values():
            _settle(life, found[life.card.kind, life.card.rule])
        return sorted(found.values(), key=lambda card: _KINDS.index(card.kind))

    def add(self, event: PastEvent | Activated) -> None:
        """What happened next, as `past_events` tells it of `WANTED`."""
        if isinstance(event, Activated):
            return
        for change in event.changes:
            if change.event == "decision":
                self._decided(event.incident_id, change)
            elif change.event == "assignment":
                self._moved(event, change)
        life = self._lives.get(event.incident_id)
        if life is not None:
            life.dispatched |= event.state == IncidentState.DISPATCHED
            if event.state in ENDED_STATES:
                ended = self._lives.pop(event.incident_id)
                _settle(ended, ended.card)

    def _decided(self, incident_id: str, change: PastChange) -> None:
        decision = _decision.decode(change.decision)
        life = self._lives.get(incident_id)
        if life is None:
            lead = party(decision.lead.department, decision.lead.unit)
            life = self._lives[incident_id] = _Life(self._deciding(decision), lead)
            life.card.hits += 1
        elif change.cause == "override":
            life.card.overrides += 1
        for overlay in decision.overlays:
            if overlay not in life.overlays:
                life.overlays.add(overlay)
                self._card("overlay", overlay).hits += 1
        for support in decision.support:
            life.asked_by.setdefault(party(support.department, support.unit), support.by)

    def _moved(self, event: PastEvent, change: PastChange) -> None:
        """A part was returned, or taken away: a return is upheld when the part is taken away while it is returned."""
        life = self._lives.get(event.incident_id)
        if life is None or event.state in ENDED_STATES:  # at the end every part is taken away
            return
        returned = change.to == AssignmentState.RETURNED
        withdrawn = change.to == AssignmentState.WITHDRAWN
        upheld = withdrawn and change.before == AssignmentState.RETURNED
        cards: Iterable[Card] = ()
        if change.role != "lead":
            cards = [self._card("overlay", rule) for rule in life.asked_by.get(change.party, ())]
        elif change.party == life.lead and not life.replaced:
            cards = (life.card,)
            life.replaced = withdrawn
        for card in cards:
            card.returns += returned
            card.upheld += upheld

    def _deciding(self, decision: _Decision) -> Card:
        if decision.guard is not None:
            return self._card("guard", decision.guard)
        if decision.route is not None:
            return self._card("route", decision.route)
        return self._card("fallback", f"fallback:{decision.fallback}")

    def _card(self, kind: Kind, rule: str) -> Card:
        card = self._cards.get((kind, rule))
        if card is None:
            card = self._cards[kind, rule] = Card(rule, kind)
        return card


def _settle(life: _Life, card: Card) -> None:
    card.dispatched += life.dispatched
    card.stayed += life.dispatched and not life.replaced
