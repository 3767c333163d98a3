"""Each rule's report card, kept in memory and told on: what was counted once is not read again.

A city's year is millions of events, a minute to read. So whoever asks waits for a slice of it at most, is told how far
it has come, and asks again; once all of the past is counted, what has happened since is a moment's work.
"""

import asyncio
import time
from typing import Final, NamedTuple

from dispatcher.gateway.city import City
from dispatcher.gateway.link import NotOnCluster
from dispatcher.ledger import Ledger
from dispatcher.policies.past import past_events
from dispatcher.policies.report_card import WANTED, Card, Cards
from rules import Policy

__all__ = ["Counted", "RuleCards"]

SLICE_S: Final = 0.5


class Counted(NamedTuple):
    """The cards as of an event; `more` of them have not been counted yet."""

    cards: list[Card]
    more: bool


class RuleCards:
    """The cards of one city."""

    def __init__(self, city: City) -> None:
        self._city, self._turn = city, asyncio.Lock()
        self._cards, self._after = Cards(), -1

    async def counted(self, policy: Policy) -> Counted | None:
        """Count on for a while; the rules of `policy` that never decided have a card too. None: not on a cluster."""
        async with self._turn:
            try:
                more = await self._city.consult(self._count)
            except NotOnCluster:
                return None
            return Counted(self._cards.all(policy), more)

    def _count(self, ledger: Ledger) -> bool:
        until_s, over = time.monotonic() + SLICE_S, False

        def reached(further: int) -> None:
            nonlocal over
            self._after += further
            over = time.monotonic() > until_s

        for event in past_events(ledger, WANTED, reached, self._after):
            if over:  # of the next chunk, which is read again then
                return True
            self._cards.add(event)
        return False
