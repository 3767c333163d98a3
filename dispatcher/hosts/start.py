"""Starting an engine on a ledger: own it, see that it is the one meant, put the first policy in force."""

from dispatcher.core import CONTROL
from dispatcher.hosts.embedded import IMPORTS, Embedded, Observer, enact_first_policy
from dispatcher.hosts.setup import Books, Setup, unmet
from dispatcher.ledger import EmbeddedLedger, Ledger, LedgerError

__all__ = ["start"]

GRID_KEY = "grid"


def start(ledger: EmbeddedLedger, setup: Setup, *, batch_records: int, observer: Observer | None = None) -> Embedded:
    """A host that owns the ledger and is ready to step.

    Raises:
        LedgerError: another process owns it, it was worked through on another grid, or its policy requires what is
            not there.
    """
    host = Embedded(
        ledger,
        setup.intake,
        Books(ledger, setup.policy),
        grid=setup.grid.sha256,
        batch_records=batch_records,
        observer=observer,
    )
    # From here on this process owns the ledger; before, two starts at once could both write what follows.
    _require_grid(ledger, setup.grid.sha256)
    _require_met(ledger, host, setup)
    enact_first_policy(ledger, setup.policy)
    return host


def _require_grid(ledger: Ledger, sha256: str) -> None:
    """Homes and cells of everything in a ledger are those of one grid."""
    known = ledger.newest(IMPORTS, GRID_KEY)
    if known is None:
        ledger.put(IMPORTS, GRID_KEY, sha256.encode())
    elif known.decode() != sha256:
        raise LedgerError(
            f"the ledger was begun on the grid {known.decode()[:12]}, the configuration names {sha256[:12]};"
            " name that grid again, or another ledger"
        )


def _require_met(ledger: Ledger, host: Embedded, setup: Setup) -> None:
    """What the policy in force, or the first one, requires; a later one is asked before it is activated."""
    state = host.engine.state
    if state.policy_sha is None and ledger.appended(CONTROL):
        return
    policy = setup.policy if state.policy_sha is None else state.book.policy
    missing = unmet(policy, setup.grid_version)
    if missing:
        raise LedgerError(f"the policy {policy.name} {policy.version} requires {'; '.join(missing)}")
