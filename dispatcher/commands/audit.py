"""`dispatcher audit`."""

from pathlib import Path

import msgspec
from rich.table import Table

from dispatcher.audit import audit
from dispatcher.commands.opening import config_of, open_ledger
from dispatcher.commands.talk import out, print_json, progress
from dispatcher.hosts.embedded import PARTITION
from dispatcher.hosts.recompute import recompute
from dispatcher.hosts.setup import Books, load_setup

__all__ = ["audit_command"]


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
    if json:
        print_json(msgspec.to_builtins(findings))
    else:
        table = Table("check", "looked at", "wrong", "for example")
        for finding in findings:
            table.add_row(finding.check, f"{finding.looked_at:,}", str(finding.wrong), "; ".join(finding.examples))
        out.print(table)
    if any(finding.wrong for finding in findings):
        raise SystemExit(1)
