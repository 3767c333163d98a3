"""Policies on Kafka: read whole from the topic `policies`, and again when one is named that has not been met.

A worker that cannot find a policy waits and says so: it never skips the command that names it.
"""

import asyncio
import logging
from collections.abc import Callable

from aiokafka import TopicPartition

from dispatcher.hosts.setup import Books
from dispatcher.ledger import LedgerError
from dispatcher.ledger.kafka import Connection, newest_values

__all__ = ["PolicyShelf"]

log = logging.getLogger(__name__)
AGAIN_S = 1.0


class PolicyShelf:
    """Every policy on the cluster that has been asked for; `books` compiles them on first use."""

    def __init__(self, connection: Connection, prefix: str) -> None:
        self._connection, self._topic = connection, TopicPartition(f"{prefix}policies", 0)
        self._documents: dict[str, bytes] = {}
        self.books = Books(self)

    def newest(self, topic: str, key: str) -> bytes | None:
        """The document of a policy, as far as it has been read."""
        return self._documents.get(key) if topic == "policies" else None

    async def read(self) -> None:
        """Read the topic. Raises LedgerError when no broker answers."""
        self._documents |= await newest_values(self._connection, self._topic)

    async def require(self, sha256: str, waits: Callable[[], bool]) -> None:
        """Return when a policy is there, however long that takes; `waits` is asked whether to.

        Raises:
            LedgerError: it is not there, and nobody waits any longer.
        """
        while sha256 not in self.books:
            if not waits():
                raise LedgerError(f"policy {sha256} is not on {self._topic.topic}")
            await self.read()
            if sha256 in self.books:
                return
            said = {"event": "policy_missing", "policy": sha256}
            log.error("policy %s is activated but not on %s; waiting for it", sha256, self._topic.topic, extra=said)
            await asyncio.sleep(AGAIN_S)
