"""How the gateway reaches a ledger: what it appends to, follows, and reads again.

There is one for a file beside the engine and one for a cluster; nothing else here knows which of them it is.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol, TypeVar

from dispatcher.core.modes import ModeSpan
from dispatcher.gateway.feed import Place
from dispatcher.ledger import Entry, Kept, Ledger, Offset
from rules import Policy

__all__ = ["Link"]

T = TypeVar("T")


class Link(Protocol):
    """A ledger, as the gateway uses it; all of it on one event loop, once it is open."""

    @property
    def view_path(self) -> Path:
        """Where the projection lies."""
        ...

    def open(self) -> AbstractAsyncContextManager[None]:
        """Hold on to what is needed until the block is left. Raises LedgerError: another process holds it."""
        ...

    async def append(self, entries: Sequence[Entry]) -> list[Offset]:
        """Return when the records are durable; one call at a time.

        Raises:
            InDoubt: it is not known what of them was written.
            LedgerError: nothing was.
        """
        ...

    def project(self) -> AsyncGenerator[bool]:
        """Keep the projection up with the ledger for as long as this is asked for more.

        It yields whenever everything there was is taken up: whether there was something new; the first time always.

        Raises:
            LedgerError, ProjectionError, OSError: it cannot go on; begun again, it goes on from where it stopped.
        """
        ...

    def news(self, topic: str, after: Place) -> AsyncGenerator[tuple[int, list[Kept]]]:
        """What comes to a topic beyond a place, by partition, in order within each; without end. Raises LedgerError."""
        ...

    async def read(self, topic: str, after: int, limit: int, partition: int) -> list[Kept]:
        """Records of a partition that lie further back. Raises Gap, LedgerError."""
        ...

    async def end(self, topic: str) -> Place:
        """A place beyond all that there is of a topic now. Raises LedgerError."""
        ...

    async def stored(self, sha256: str) -> bytes | None:
        """The canonical form of a policy, whether it is in force or not. Raises LedgerError."""
        ...

    async def modes(self, *, anew: bool) -> list[ModeSpan]:
        """The modes that hold, in the order in which they were set.

        Args:
            anew: something was done about them that may not have been told of yet.

        Raises:
            LedgerError: the ledger cannot be asked.
        """
        ...

    async def consult(self, query: Callable[[Ledger], T]) -> T:
        """Ask the ledger itself what no projection tells, in a thread; read only. Raises LedgerError."""
        ...

    async def order(self, doing: Callable[[Ledger], T]) -> T:
        """Do what is more than an append (`control`, `policies`), in a thread, one at a time.

        Raises:
            InDoubt: it is not known whether it was written.
            LedgerError: nothing was written.
        """
        ...

    async def in_force(self, known: Policy | None) -> Policy | None:
        """The policy that what comes next is decided under; None before anything was worked through.

        Args:
            known: the one that was in force before; not read again if it still is.

        Raises:
            LedgerError: it is not stored.
        """
        ...
