"""How much the files of a ledger take and how much room is left, asked at each scrape."""

import shutil
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from dispatcher.views import view_path

__all__ = ["watch_disk"]


def watch_disk(registry: CollectorRegistry, ledger: Path) -> None:
    """Tell the sizes of a ledger's files (`wal`: what SQLite has not moved into it yet) and the room on its disk."""
    files = {
        "ledger": ledger,
        "wal": ledger.with_name(f"{ledger.name}-wal"),
        "view": view_path(ledger),
        "view_wal": ledger.with_name(f"{view_path(ledger).name}-wal"),
    }
    sizes = Gauge("dispatch_file_bytes", "The files of the ledger", ["file"], registry=registry)
    for name, path in files.items():
        sizes.labels(name).set_function(partial(_size, path))
    free = Gauge("dispatch_disk_free_bytes", "Room left on the ledger's disk", registry=registry)
    free.set_function(lambda: shutil.disk_usage(ledger.parent).free)
    total = Gauge("dispatch_disk_size_bytes", "The ledger's disk", registry=registry)
    total.set_function(lambda: shutil.disk_usage(ledger.parent).total)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
