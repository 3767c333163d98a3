"""`dispatcher doctor`: is everything here that is needed, and does it fit together?"""

import sqlite3
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.table import Table

from dispatcher.commands.control import config_for, read_state
from dispatcher.commands.errors import EXPECTED, describe
from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import out, print_json, shortened
from dispatcher.core import ms_to_text
from dispatcher.hosts.embedded import PARTITION
from dispatcher.hosts.setup import grid_version, read_policy, unmet
from dispatcher.hosts.watchdog import find_unwatched
from dispatcher.ledger import SqliteLedger
from dispatcher.policies.control import modes_held
from geo import load_grid, survey

__all__ = ["doctor_command"]

NOTHING_YET = "nothing has been worked through yet"
UNWATCHED_TOLD = 50
SQLITE_MIN = (3, 35, 0)  # what the ledger's statements need


def doctor_command(config_path: Path, ledger_path: Path | None, *, json: bool) -> None:
    """Look at each part, say what was found and what to do; exit 1 when anything is wrong."""
    found: list[tuple[str, str, str]] = []
    for part, look in (
        ("python", _python),
        ("packages", _packages),
        ("sqlite", _sqlite),
        ("configuration", lambda: str(config_path.resolve()) if config_of(config_path) else ""),
        ("grid", lambda: _grid(config_path)),
        ("policy", lambda: _policy(config_path)),
        ("ledger", lambda: _ledger(config_path, ledger_path)),
        ("modes", lambda: _modes(config_path, ledger_path)),
        ("watchdog", lambda: _watchdog(config_path, ledger_path)),
    ):
        try:
            found.append((part, "ok", look()))
        except (*EXPECTED, RuntimeError) as error:
            found.append((part, "WRONG", describe(error)))
    if json:
        print_json([dict(zip(("part", "state", "what"), line, strict=True)) for line in found])
    else:
        table = Table("part", "state", "what")
        for line in found:
            table.add_row(*line)
        out.print(table)
    if any(state != "ok" for _, state, _ in found):
        raise SystemExit(1)


def _python() -> str:
    return sys.version.split()[0]


def _packages() -> str:
    found = []
    for name in ("msgspec", "orjson", "numpy", "shapely", "rtree", "pydantic", "holidays"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            raise RuntimeError(f"{name} is not installed; `make demo` sets everything up") from None
    return ", ".join(found)


def _sqlite() -> str:
    if sqlite3.sqlite_version_info < SQLITE_MIN:
        raise RuntimeError(f"SQLite {sqlite3.sqlite_version}; {'.'.join(map(str, SQLITE_MIN))} or newer is needed")
    return sqlite3.sqlite_version


def _grid(config_path: Path) -> str:
    grid = load_grid(config_of(config_path).grid.read_bytes())
    return f"{grid.sha256[:12]}: {len(grid)} cells, {grid.levels} levels, {len(survey(grid))} warning(s): `grid check`"


def _policy(config_path: Path) -> str:
    config = config_of(config_path)
    policy = read_policy(config.policy)
    missing = unmet(policy, grid_version(config.grid.read_bytes()))
    if missing:
        raise RuntimeError(f"{policy.name} {policy.version} requires {'; '.join(missing)}")
    rules = f"{len(policy.routes)} routes, {len(policy.overlays)} overlays"
    return f"{policy.name} {policy.version} ({policy.sha256[:12]}), {rules}"


def _ledger(config_path: Path, ledger_path: Path | None) -> str:
    path = ledger_path or config_of(config_path).ledger
    if not path.exists():
        return f"{path}: not made yet; `dispatcher run` or `dispatcher replay` makes it"
    ledger = SqliteLedger(path, read_only=True)
    try:
        position = ledger.position(PARTITION)
        waiting = len(ledger.read(PARTITION, position.offset, 1_000_000))
        return f"{path}: worked through to record {position.offset}, {waiting} waiting"
    finally:
        ledger.close()


def _modes(config_path: Path, ledger_path: Path | None) -> str:
    path = config_for(config_path, ledger_path).ledger
    if not path.exists():
        return NOTHING_YET
    ledger = SqliteLedger(path, read_only=True)
    try:
        now_ms = ledger.position(PARTITION).time_ms
        spans = modes_held(ledger)
    finally:
        ledger.close()
    lasting = [f"{s.mode} ({s.mode_id}) until {shortened(ms_to_text(s.until_ms))}" for s in spans]
    if any(span.until_ms < now_ms for span in spans):
        raise RuntimeError(f"{'; '.join(lasting)}: the time of one was over before the last record; `dispatcher audit`")
    return "; ".join(lasting) or "the ordinary one everywhere"


def _watchdog(config_path: Path, ledger_path: Path | None) -> str:
    """As of the ledger's last record: what was due before it must have happened, whether or not an engine runs now."""
    path = config_for(config_path, ledger_path).ledger
    if not path.exists():
        return NOTHING_YET
    ledger = SqliteLedger(path, read_only=True)
    try:
        now_ms = ledger.position(PARTITION).time_ms  # first: what is read after it is at least as new
        if ledger.newest("state", "policy") is None:
            return NOTHING_YET
        state = read_state(ledger)
    finally:
        ledger.close()
    found = list(find_unwatched(state, now_ms))
    if found:
        told = ", ".join(f"{each.incident_id} ({each.why})" for each in found[:UNWATCHED_TOLD])
        more = f" and {len(found) - UNWATCHED_TOLD} more" if len(found) > UNWATCHED_TOLD else ""
        raise RuntimeError(
            f"{len(found)} open incident(s) that nothing would move on: {told}{more}; `dispatcher incident`"
            " shows each: assign or reclassify it by hand; `dispatcher audit` tells whether the ledger was changed"
        )
    open_incidents = sum(incident.open for incident in state.incidents.values())
    return f"{open_incidents:,} open incident(s), each with a timer ahead or its ladder climbed"
