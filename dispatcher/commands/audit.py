"""`dispatcher audit`."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.table import Table

from dispatcher.audit import Finding, audit
from dispatcher.commands.opening import config_of, open_ledger
from dispatcher.commands.talk import out, print_json, progress, say
from dispatcher.hosts.embedded import PARTITION
from dispatcher.hosts.recompute import recompute
from dispatcher.hosts.setup import Books, load_setup

__all__ = ["audit_command", "audit_kafka_command"]


def audit_command(config_path: Path, ledger_path: Path | None, *, json: bool) -> None:
    """Run every check and print it; exit 1 when anything is wrong."""
    setup = load_setup(config_of(config_path))
    ledger = open_ledger(config_path, ledger_path)
    try:
        total = ledger.position(PARTITION).offset
        with progress("recomputing", total) as advance:
            again = recompute(ledger, setup.intake, setup.grid.sha256, advance)
        findings = audit(ledger, again, Books(ledger), PARTITION)
    finally:
        ledger.close()
    _tell(findings, json=json)


def audit_kafka_command(config_path: Path, *, json: bool) -> None:
    """The same of a ledger on Kafka, from its `work` log."""
    from dispatcher.hosts.worker import audit_kafka
    from dispatcher.ledger.kafka import Place, connection_of

    config = config_of(config_path)
    place = Place.of(connection_of(config.kafka, os.environ), config.kafka)
    findings = asyncio.run(audit_kafka(place, load_setup(config).grid.sha256))
    say(
        "read committed; covers, for each partition, everything up to its last commit: sources against `work`, `work`"
        " worked through again against every output, the newest values, marks and counts. Not covered: `reporters`, and"
        " what has not reached `work` yet"
    )
    _tell(findings, json=json)


def _tell(findings: Sequence[Finding], *, json: bool) -> None:
    if json:
        print_json(msgspec.to_builtins(findings))
    else:
        table = Table("check", "looked at", "wrong", "for example")
        for finding in findings:
            table.add_row(finding.check, f"{finding.looked_at:,}", str(finding.wrong), "; ".join(finding.examples))
        out.print(table)
    if any(finding.wrong for finding in findings):
        raise SystemExit(1)
