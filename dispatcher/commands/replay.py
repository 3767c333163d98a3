"""`dispatcher replay`."""

import time
from collections import Counter
from pathlib import Path

from rich.table import Table

from dispatcher.commands.memory import settle_memory
from dispatcher.commands.opening import config_of, opened
from dispatcher.commands.talk import out, print_json, progress, say
from dispatcher.hosts.mapping import load_mapping
from dispatcher.hosts.replay import read_history, replay
from dispatcher.hosts.setup import load_setup
from dispatcher.hosts.start import start
from dispatcher.ledger import SqliteLedger
from dispatcher.views import promises

__all__ = ["replay_command"]


def replay_command(
    config_path: Path, files: list[Path], mapping_path: Path, ledger_path: Path | None, *, json: bool
) -> None:
    """Replay files into a ledger and say what became of them."""
    started = time.perf_counter()
    config = config_of(config_path)
    mapping_data = mapping_path.read_bytes()
    mapping = load_mapping(mapping_data, str(mapping_path))
    setup = load_setup(config)
    history = read_history(((file.name, file.read_bytes()) for file in files), mapping, mapping_data)
    ledger = SqliteLedger(ledger_path or config.ledger)
    try:
        host = start(ledger, setup, batch_records=config.engine.batch_records)
        if host.engine.state.policy_sha not in (None, setup.policy.sha256):
            say("the ledger has another policy in force than the configuration names; the ledger's is used")
        settle_memory()
        with progress("replaying", len(history.entries)) as advance:
            replay(ledger, host, history, advance)
    finally:
        ledger.close()
    with opened(config_path, ledger_path) as (_, view):
        with_both, on_time = promises(view)
    summary = _summary(history.rows, host.tally, with_both, on_time, time.perf_counter() - started)
    if json:
        print_json(summary)
        return
    table = Table("", "", show_header=False, box=None)
    for name, value in summary.items():
        table.add_row(name.replace("_", " "), f"{value:,}" if isinstance(value, int) else f"{value:.2f}")
    out.print(table)


def _summary(rows: int, tally: Counter[str], with_both: int, on_time: int, seconds: float) -> dict[str, int | float]:
    return {
        "read": rows,
        "accepted": tally["reports_accepted"],
        "rejected": tally["reports_rejected"],
        "duplicates": tally["reports_repeated"],
        "located": tally["reports_located"],
        "updates_accepted": tally["updates_accepted"],
        "updates_rejected": tally["updates_rejected"],
        "with_due_and_close": with_both,
        "on_time": on_time,
        "seconds": round(seconds, 3),
    }
