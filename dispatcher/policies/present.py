"""What the engine knew at its last commit: a copy to look at and to try things on."""

from collections.abc import Iterator, Mapping

from dispatcher.core import PartitionState, Rulebook
from dispatcher.hosts.embedded import PARTITION
from dispatcher.hosts.setup import Books
from dispatcher.ledger import Ledger, LedgerError

__all__ = ["NothingInForce", "all_present", "present"]


class NothingInForce(LedgerError):
    """No policy is in force in this ledger; `dispatcher run` puts the first one there."""


def present(ledger: Ledger, books: Mapping[str, Rulebook] | None = None, partition: int = PARTITION) -> PartitionState:
    """The state of a partition, as it was last committed.

    Args:
        ledger: nothing is changed in it.
        books: policies that are compiled already; default: those the ledger keeps, compiled as they are needed.
        partition: of those that the ledger has.

    Raises:
        NothingInForce: nothing has been worked through yet.
        LedgerError: a policy that something was decided under is not in the ledger.
    """
    state = PartitionState(partition, Books(ledger) if books is None else books, partitions=ledger.partitions("state"))
    try:
        state.restore(*ledger.restore(partition))
    except LookupError as error:
        raise LedgerError(f"a policy that incidents were decided under is not in the ledger: {error}") from error
    if state.policy_sha is None:
        raise NothingInForce("no policy is in force in this ledger; `dispatcher run` puts the first one there")
    return state


def all_present(ledger: Ledger) -> Iterator[PartitionState]:
    """The state of each partition, one at a time: together they hold every open incident. Raises as `present` does."""
    books = Books(ledger)
    for partition in range(ledger.partitions("state")):
        yield present(ledger, books, partition)
