"""What a figure was measured on and with: nothing that names a person, a host or a place on a disk."""

import os
import platform
import sqlite3
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import shapely

__all__ = ["commit", "machine", "versions"]

LOOKED_S: Final = 1.0
PACKAGES: Final = ("city-dispatch", "msgspec", "numpy", "orjson", "rtree", "shapely", "zen-engine")


def commit() -> str | None:
    """The commit of this source, with `+` when files differ from it; None where there is none."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str | None:
        command = ("git", "-C", str(here), *arguments)
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603 - fixed words
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip()

    head = git("rev-parse", "--verify", "--quiet", "HEAD")
    return head and head + ("+" if git("status", "--porcelain") else "")


def versions() -> dict[str, str]:
    """Of everything a figure depends on."""
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "geos": shapely.geos_version_string,
        "sqlite": sqlite3.sqlite_version,
    }


def machine() -> dict[str, Any]:
    """Processor, cores, memory, kernel, and `load`: how many cores were at work in the second before the run began."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "load": round(_at_work(), 2),
    }


def _at_work() -> float:
    """Cores busy for a second; the system's own load average remembers a run that has just ended for minutes."""
    try:
        before = _ticks()
    except OSError:
        return os.getloadavg()[0]
    time.sleep(LOOKED_S)
    return (_ticks() - before) / os.sysconf("SC_CLK_TCK") / LOOKED_S


def _ticks() -> int:
    """Of all cores, spent on anything but waiting."""
    _, *ticks = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0].split()
    user, nice, system, _idle, _iowait, hardware, software, stolen = map(int, ticks[:8])
    return user + nice + system + hardware + software + stolen


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
