"""Each rule's report card, kept in memory and told on: what was counted once is not read again.

A city's year is millions of events, a minute to read. So whoever asks waits for a slice of it at most, is told how far
it has come, and asks again; once all of the past is counted, what has happened since is a moment's work.
"""

import asyncio
import time
from typing import Final, NamedTuple

from dispatcher.gateway.city import City
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
        self._cards, self._after = Cards(), dict[int, int]()

    async def counted(self, policy: Policy) -> Counted:
        """Count on for a while; the rules of `policy` that never decided have a card too. Raises LedgerError."""
        async with self._turn:
            more = await self._city.consult(self._count)
            return Counted(self._cards.all(policy), more)

    def _count(self, ledger: Ledger) -> bool:
        until_s = time.monotonic() + SLICE_S
        return any(self._count_one(ledger, partition, until_s) for partition in range(ledger.partitions("events")))

    def _count_one(self, ledger: Ledger, partition: int, until_s: float) -> bool:
        """Count on in one partition, in which all events of an incident lie; whether there is more when time is up."""
        over = False

        def reached(further: int) -> None:
            nonlocal over
            self._after[partition] = self._after.get(partition, -1) + further
            over = time.monotonic() > until_s

        for event in past_events(ledger, WANTED, reached, self._after.get(partition, -1), partition):
            if over:  # of the next chunk, which is read again then
                return True
            self._cards.add(event)
        return False
