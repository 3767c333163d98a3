"""Opening what a command needs, as the configuration and its options say."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from dispatcher.config import Config, load_config
from dispatcher.core import IncidentRecord
from dispatcher.hosts.setup import read_policy
from dispatcher.ledger import Ledger, LedgerError, SqliteLedger
from dispatcher.views import Projection, incident, incidents_of_report, view_path
from rules import Policy, load_canonical

__all__ = ["Opened", "config_of", "find_incident", "open_ledger", "opened", "policy_named", "stored_policy"]

SHORTEST_SHA = 6


class Opened(NamedTuple):
    """A ledger to read and its projection, caught up."""

    ledger: SqliteLedger
    view: Projection


def config_of(path: Path) -> Config:
    """The configuration with the environment's overrides."""
    return load_config(path, os.environ)


def open_ledger(config_path: Path, ledger: Path | None, *, read_only: bool = True) -> SqliteLedger:
    """The ledger an option names, or else the configuration."""
    return SqliteLedger(ledger or config_of(config_path).ledger, read_only=read_only)


@contextmanager
def opened(config_path: Path, ledger_path: Path | None) -> Iterator[Opened]:
    """The ledger, read only, and its projection; in memory when its folder cannot be written."""
    path = ledger_path or config_of(config_path).ledger
    ledger = SqliteLedger(path, read_only=True)
    try:
        view = Projection(view_path(path) if os.access(path.parent, os.W_OK) else ":memory:")
        try:
            view.catch_up(ledger)
            yield Opened(ledger, view)
        finally:
            view.close()
    finally:
        ledger.close()


def find_incident(view: Projection, named: str) -> IncidentRecord:
    """An incident by its id, or by one of its reports as `source/report-id`.

    Raises:
        LedgerError: there is none.
    """
    record = incident(view, named)
    if record is None and "/" in named:
        source, _, report_id = named.partition("/")
        for incident_id in incidents_of_report(view, source, report_id)[:1]:
            record = incident(view, incident_id)
    if record is None:
        raise LedgerError(f"no incident {named}; `dispatcher export incidents` and `export archive` list them")
    return record


def policy_named(named: str, config_path: Path, ledger_path: Path | None) -> Policy:
    """A policy by its directory, or from the ledger by its sha256 or the start of it (at least 6 digits).

    Raises:
        PolicyError: the directory holds no valid policy.
        LedgerError: the ledger has none, or several, that begin so.
    """
    if Path(named).is_dir():
        return read_policy(Path(named))
    ledger = open_ledger(config_path, ledger_path)
    try:
        return load_canonical(stored_policy(ledger, named))
    finally:
        ledger.close()


def stored_policy(ledger: Ledger, named: str) -> bytes:
    """The canonical form of a policy the ledger keeps, by its sha256 or the start of it (at least 6 digits).

    Raises:
        LedgerError: there is none, or there are several.
    """
    kept = {each.key: each.value for each in ledger.follow("policies", -1, 1 << 30) if each.value is not None}
    found = [sha for sha in kept if sha.startswith(named.lower())] if len(named) >= SHORTEST_SHA else []
    if len(found) != 1:
        known = ", ".join(sha[:12] for sha in sorted(kept)) or "none"
        what = "several policies begin with" if found else "there is no directory and no policy called"
        raise LedgerError(f"{what} {named}; in the ledger: {known} (`dispatcher rules history`)")
    return kept[found[0]]
