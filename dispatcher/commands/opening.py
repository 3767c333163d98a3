"""Opening what a command needs, as the configuration and its options say."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from dispatcher.config import Config, load_config
from dispatcher.core import IncidentRecord
from dispatcher.ledger import LedgerError, SqliteLedger
from dispatcher.views import Projection, incident, incidents_of_report

__all__ = ["Opened", "config_of", "find_incident", "open_ledger", "opened"]

VIEW_SUFFIX = ".view"  # the projection lies beside its ledger; deleted, it is made again


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
        view = Projection(path.with_name(path.name + VIEW_SUFFIX) if os.access(path.parent, os.W_OK) else ":memory:")
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
